import type { AlertSeverity } from "../detect/alert.ts";
import { htmlSafe } from "../report/escape.ts";
import type { Words } from "./words.ts";

/**
 * Mail programs drop style sheets as they like, so every element carries its own style, sizes stand in pixels and the frame
 * is a table, as Outlook's engine of Word needs. The sheet in the head only adds the dark colours, where it is read.
 */
const COLORS: Readonly<Record<AlertSeverity | "none" | "over", string>> = {
  critical: "#a3122b",
  high: "#b3431f",
  medium: "#8a6100",
  low: "#2a6592",
  none: "#2a6592",
  over: "#2c6e49",
};
const DARK: typeof COLORS = {
  critical: "#ff8095",
  high: "#ff9e78",
  medium: "#e6bb52",
  low: "#7dbcec",
  none: "#7dbcec",
  over: "#7fd0a3",
};
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
const MONO = "font-family:ui-monospace,Menlo,Consolas,'Liberation Mono',monospace;";
const BREAK = "overflow-wrap:anywhere;word-break:break-word;";
const S = {
  page: "margin:0;padding:0;background-color:#f4f4f2;",
  outer: "background-color:#f4f4f2;border-collapse:collapse;",
  card: "width:100%;max-width:640px;background-color:#ffffff;border:1px solid #dcdfe3;border-collapse:separate;border-radius:6px;",
  cell: `padding:20px;${FONT}font-size:15px;line-height:22px;color:#1f2328;text-align:left;`,
  badge: `margin:0 0 6px;font-size:13px;line-height:18px;font-weight:bold;${BREAK}`,
  title: `margin:0 0 10px;font-size:20px;line-height:26px;font-weight:bold;color:#1f2328;${BREAK}`,
  lead: `margin:0 0 16px;color:#1f2328;${BREAK}`,
  rows: "width:100%;border-collapse:collapse;margin:0 0 16px;",
  label: `${FONT}font-size:14px;line-height:20px;color:#5c6570;padding:3px 12px 3px 0;vertical-align:top;width:84px;text-align:left;`,
  value: `${FONT}font-size:14px;line-height:20px;color:#1f2328;padding:3px 0;vertical-align:top;text-align:left;${BREAK}`,
  note: `margin:0 0 6px;font-size:13px;line-height:18px;color:#5c6570;${BREAK}`,
  line: `${MONO}font-size:12px;line-height:17px;color:#1f2328;background-color:#f4f4f2;padding:8px 10px;margin:0 0 6px;border-radius:4px;${BREAK}`,
  hint: `margin:14px 0 0;font-size:14px;line-height:20px;color:#1f2328;${BREAK}`,
  command: `${MONO}font-size:13px;color:#1f2328;background-color:#f4f4f2;padding:2px 6px;border-radius:4px;white-space:nowrap;`,
  foot: `margin:18px 0 0;padding:12px 0 0;border-top:1px solid #dcdfe3;font-size:12px;line-height:17px;color:#5c6570;${BREAK}`,
} as const;

/** The colours of night, for programs that read sheets: each class overrules the style of its element. */
const SHEET = `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.lv-page{background-color:#15181c !important}
.lv-card{background-color:#1d2126 !important;border-color:#343a41 !important}
.lv-text{color:#e4e7ea !important}
.lv-soft{color:#9ba5b0 !important;border-color:#343a41 !important}
.lv-box{background-color:#15181c !important;color:#e4e7ea !important}
${Object.entries(DARK)
  .map(
    ([name, color]) =>
      `.lv-${name}{color:${color} !important}.lv-bar-${name}{background-color:${color} !important}`,
  )
  .join("\n")}
}`;

/** The words as the HTML part of a mail. Nothing in it is remote, nothing runs, and only what we sign is a link. */
export function noticeHtml(words: Words): string {
  const tone = words.over ? "over" : (words.severity ?? "none");
  const badge = words.over ? (words.severity === undefined ? "works" : "over") : (words.severity ?? "");
  const rows = words.rows.map(
    ({ label, text }) =>
      `<tr><td class="lv-soft" style="${S.label}">${htmlSafe(label)}</td><td class="lv-text" style="${S.value}">${htmlSafe(text)}</td></tr>`,
  );
  const server = words.rows.find((row) => row.label === "Server")?.text ?? "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${htmlSafe(words.title)}</title>
<style>${SHEET}</style>
</head>
<body class="lv-page" style="${S.page}">
<table role="presentation" class="lv-page" width="100%" cellpadding="0" cellspacing="0" border="0" style="${S.outer}"><tr><td align="center" style="padding:16px 8px;">
<table role="presentation" class="lv-card" width="640" cellpadding="0" cellspacing="0" border="0" style="${S.card}">
<tr><td class="lv-bar-${tone}" style="background-color:${COLORS[tone]};height:5px;line-height:5px;font-size:5px;border-radius:5px 5px 0 0;">&nbsp;</td></tr>
<tr><td style="${S.cell}">
<p class="lv-${tone}" style="${S.badge}color:${COLORS[tone]};">${htmlSafe([badge.toUpperCase(), server].filter((part) => part !== "").join(" · "))}</p>
<h1 class="lv-text" style="${S.title}">${htmlSafe(words.title)}</h1>
${words.lead === "" ? "" : `<p class="lv-text" style="${S.lead}">${htmlSafe(words.lead)}</p>\n`}<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="${S.rows}">
${rows.join("\n")}
</table>
${linesHtml(words)}${words.hints.map(hintHtml).join("")}${linksOut(words)}<p class="lv-soft" style="${S.foot}">${htmlSafe(words.footer)}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
`;
}

function linesHtml(words: Words): string {
  if (words.lines.length === 0) return "";
  const rows = words.lines.map(
    ({ place, text }) =>
      `<div class="lv-box" style="${S.line}"><span class="lv-soft" style="color:#5c6570;">${htmlSafe(place)}</span><br>${htmlSafe(text)}</div>`,
  );
  return `<p class="lv-soft" style="${S.note}">${htmlSafe(words.linesTitle)}</p>\n${rows.join("\n")}\n`;
}

function linksOut({ links = [] }: Words): string {
  if (links.length === 0) return "";
  const all = links.map(
    ({ label, url }) =>
      `<a class="lv-low" href="${htmlSafe(url)}" style="color:${COLORS.low};margin:0 16px 0 0;">${htmlSafe(label)}</a>`,
  );
  return `<p class="lv-text" style="${S.hint}">${all.join(" ")}</p>\n`;
}

function hintHtml({ text, command }: Words["hints"][number]): string {
  const code =
    command === undefined ? "" : `<br><code class="lv-box" style="${S.command}">${htmlSafe(command)}</code>`;
  return `<p class="lv-text" style="${S.hint}">${htmlSafe(text)}${code}</p>\n`;
}
