import { createTransport } from "nodemailer";
import type { DailyReport } from "../report/daily.ts";
import { reportCharts } from "../report/daily-charts.ts";
import { reportHtml } from "../report/daily-html.ts";
import { reportText } from "../report/daily-text.ts";
import { reportSubject } from "../report/daily-verdict.ts";

/** The report as a whole message (RFC 5322): text, HTML and pictures. The same bytes for the same report. */
export async function reportEml(report: DailyReport, from: string, to: readonly string[]): Promise<Buffer> {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  const sent = await transport.sendMail({
    from,
    to: [...to],
    subject: reportSubject(report),
    date: new Date(report.made_at),
    messageId: `<report-${report.day}@logvane.invalid>`,
    text: reportText(report),
    html: reportHtml(report, { charts: "cid" }),
    attachments: reportCharts(report).map(({ cid, png }) => ({
      cid,
      content: png,
      contentType: "image/png",
      filename: `${cid.slice(0, cid.indexOf("@"))}.png`,
      contentDisposition: "inline" as const,
    })),
    attachDataUrls: false,
    disableFileAccess: true,
    disableUrlAccess: true,
    baseBoundary: `report-${report.day}`,
    headers: { "Auto-Submitted": "auto-generated" },
  });
  return sent.message as Buffer;
}
