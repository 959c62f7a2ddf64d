import type { Range, Summary } from "../mail/summary.ts";
import { cut, terminalSafe } from "./escape.ts";
import { numberText } from "./format.ts";
import { cellText, SECTIONS, type Section, totalLines, verdictText } from "./summary-sections.ts";

/** Rows of a list, and columns of a text, unless asked otherwise. */
const ROWS = 10;
const TEXT_WIDTH = 100;

export type SummaryTextOptions = {
  readonly limit?: number | undefined;
  /** Ranges of a model; empty without one. */
  readonly usual?: Readonly<Record<string, Range>>;
};

const heading = (title: string): string => `${title}\n${"-".repeat(Math.min(title.length, TEXT_WIDTH))}\n`;

/** The report for a terminal or a mail. Log text in it has its control characters made visible. */
export function summaryText(s: Summary, options: SummaryTextOptions = {}): string {
  const lines = totalLines(s, options.usual ?? {});
  const day = s.date === "all" ? "whole log" : s.date;
  const wide = Math.max(...lines.map((l) => l.value.length));
  const totals = lines.map((l) => {
    const usual = l.usual === "" ? "" : `   ${l.unusual ? "! " : ""}${l.usual}`;
    return `  ${l.value.padStart(wide)}  ${usual === "" ? l.label : l.label.padEnd(28)}${usual}\n`;
  });
  const unread = s.unknown > 0 ? `, ${numberText(s.unknown)} of them not understood` : "";
  const parts = [
    `${heading(`Mail summary, ${day}`)}${verdictText(s, lines)}\n\n${totals.join("")}\n  from ${numberText(s.lines)} lines${unread}\n`,
  ];
  for (const section of SECTIONS) {
    const text = sectionText(s, section, options.limit ?? ROWS);
    if (text !== "") parts.push(text);
  }
  if (s.differences.length > 0) parts.push(differencesText(s));
  if (s.bounded.length > 0)
    parts.push(
      heading("Lists that could not hold everything") +
        s.bounded
          .map(
            (b) =>
              `  ${b.table}: ${numberText(b.rows)} rows kept, ${numberText(b.left_out)} additions left out\n`,
          )
          .join(""),
    );
  return parts.join("\n");
}

function sectionText(s: Summary, section: Section, limit: number): string {
  const list = s.lists[section.list] ?? [];
  if (list.length === 0 || (section.list.endsWith("per_day") && list.length < 2)) return "";
  const whole = /per_(?:day|hour)$/.test(section.list);
  const rows = whole ? list : list.slice(0, limit);
  const cells = rows.map((row) => section.columns.map(([key]) => terminalSafe(cellText(key, row[key]))));
  const numeric = section.columns.map(([key]) => typeof rows[0]![key] === "number");
  const width = section.columns.map(([, name], i) =>
    Math.min(60, Math.max(name.length, ...cells.map((c) => c[i]!.length))),
  );
  const line = (words: readonly string[]): string =>
    `  ${words
      .map((w, i) =>
        numeric[i]
          ? w.padStart(width[i]!)
          : i === words.length - 1
            ? cut(w, TEXT_WIDTH)
            : cut(w, 60).padEnd(width[i]!),
      )
      .join("  ")
      .trimEnd()}\n`;
  const more = list.length - rows.length + (s.omitted[section.list] ?? 0);
  return (
    heading(section.title) +
    line(section.columns.map(([, name]) => name)) +
    cells.map(line).join("") +
    (more > 0 ? `  and ${numberText(more)} more\n` : "")
  );
}

function differencesText(s: Summary): string {
  return (
    heading("Where pflogsumm counts otherwise") +
    s.differences
      .map((d) => {
        const { total } = d;
        const lines = d.lines > 0 ? `, ${numberText(d.lines)} lines` : "";
        return `  ${total}: ${numberText(s.totals[total])}, here ${numberText(s.corrected[total])}${lines}: ${cut(terminalSafe(d.reason), TEXT_WIDTH)}\n`;
      })
      .join("")
  );
}
