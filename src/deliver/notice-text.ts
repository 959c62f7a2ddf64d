import { terminalSafe } from "../report/escape.ts";
import type { Words } from "./words.ts";

/** Columns. A mail is read in a terminal of 80, or on a phone, which breaks lines itself. */
const WIDTH = 74;
const LABEL = 12;
const INDENT = "  ";

/** The words as plain text: what, how much, since when, who, the lines that show it, and what to do. */
export function noticeText(words: Words): string {
  const title = fold(words.title, "");
  const lead = words.lead === "" ? [] : fold(words.lead, "");
  const parts = [
    [...title, ...(lead.length > 0 ? ["", ...lead] : [])],
    words.rows.flatMap(({ label, text }) => fold(text, label === "" ? "" : `${label}:`, LABEL)),
    lines(words),
    ...words.hints.map(({ text, command }) => [
      ...fold(text, ""),
      ...(command === undefined ? [] : [`${INDENT}${INDENT}${command}`]),
    ]),
    (words.links ?? []).flatMap(({ label, url }) => [`${label}:`, `${INDENT}${url}`]),
    ["-- ", ...fold(words.footer, "")],
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n")}\n`;
}

/** Raw lines whole, each below its place: a line that is cut shows less than the log. */
function lines(words: Words): string[] {
  if (words.lines.length === 0) return [];
  const rows = words.lines.flatMap(({ place, text }) => [
    `${INDENT}${terminalSafe(place)}`,
    `${INDENT}${terminalSafe(text)}`,
    "",
  ]);
  return [`${words.linesTitle}:`, "", ...rows.slice(0, -1)];
}

/** Breaks at blanks into lines of the width, each behind the label or as much room. A longer word stays whole: it may be an address. */
function fold(text: string, label: string, indent = label.length): string[] {
  const room = WIDTH - indent;
  const rows: string[] = [];
  let row = "";
  for (const word of terminalSafe(text).split(" ")) {
    if (row !== "" && row.length + 1 + word.length > room) {
      rows.push(row);
      row = "";
    }
    row = row === "" ? word : `${row} ${word}`;
  }
  rows.push(row);
  return rows.map((r, i) => (i === 0 ? label : "").padEnd(indent) + r);
}
