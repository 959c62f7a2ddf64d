import { execFileSync } from "node:child_process";
import { MailSummary } from "../../src/mail/summary.ts";
import { type CompatOptions, compatText } from "../../src/report/summary-compat.ts";
import { plainReader } from "./support.ts";

/** Reads a log of RFC 3164 lines of 2026 in UTC. */
export function summaryOf(log: string, date = "all"): MailSummary {
  const reader = plainReader();
  const summary = new MailSummary(date, "UTC");
  log.split("\n").forEach((text, i) => {
    if (text !== "") summary.add(reader.readText("f", i + 1, text));
  });
  return summary;
}

/** What the real program prints. Warnings of Perl about odd lines go to its standard error and are left there. */
export function pflogsumm(log: string, ...flags: readonly string[]): string {
  return execFileSync("pflogsumm", ["--smtpd-stats", ...flags], {
    input: log,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
    maxBuffer: 1 << 28,
  });
}

/** Our report in its layout. */
export const compat = (log: string, options?: CompatOptions): string => compatText(summaryOf(log), options);

/**
 * A report with rows of one count in a fixed order: pflogsumm itself changes the order of equal rows from run to run
 * (Perl's hashes), except where it sorts users.
 */
export function canonical(report: string): string {
  const out: string[] = [];
  let run: string[] = [];
  let figure = "";
  const flush = (): void => {
    out.push(...run.sort());
    run = [];
  };
  for (const line of report.split("\n")) {
    const found = /^ +(-?\d+[km]?) +\S/.exec(line)?.[1] ?? "";
    if (found === "" || found !== figure) flush();
    figure = found;
    if (found === "") out.push(line);
    else run.push(line);
  }
  flush();
  return out.join("\n");
}
