import type { ReportParts } from "../deliver/sender.ts";
import { reportCharts } from "../report/daily-charts.ts";
import { reportHtml } from "../report/daily-html.ts";
import { reportText } from "../report/daily-text.ts";
import { reportSubject } from "../report/daily-verdict.ts";

/** The parts of the mail with the daily report. */
export const reportParts: ReportParts = {
  subject: reportSubject,
  text: (report) => reportText(report),
  html: (report) => reportHtml(report, { charts: "cid" }),
  charts: reportCharts,
};
