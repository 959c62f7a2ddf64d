/** The look of the daily report as a mail: inline styles, since mail programs drop most others, and a block that darkens it. */

/** Colours of one scheme. Text on `page` and `card` has a contrast of 4.5 at least (WCAG 2.1 AA); a test holds it. */
export type Palette = Readonly<
  Record<
    "page" | "card" | "text" | "soft" | "rule" | "critical" | "high" | "medium" | "low" | "quiet",
    string
  >
>;

export const LIGHT: Palette = {
  page: "#f3f4f6",
  card: "#ffffff",
  text: "#1f2328",
  soft: "#57606a",
  rule: "#d8dee4",
  critical: "#a3122b",
  high: "#b3431f",
  medium: "#8a6100",
  low: "#2a6592",
  quiet: "#1a6e34",
};
export const DARK: Palette = {
  page: "#15181c",
  card: "#1d2126",
  text: "#e4e7ea",
  soft: "#9ba5b0",
  rule: "#343a41",
  critical: "#ff8095",
  high: "#ff9e78",
  medium: "#e6bb52",
  low: "#7dbcec",
  quiet: "#6fcf87",
};

const SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = "ui-monospace,Menlo,Consolas,monospace";
/** Long words of a log break anywhere, so that no line is wider than the screen. */
const BREAK = "overflow-wrap:anywhere;word-break:break-word";

export type StyleName =
  | "page"
  | "wrap"
  | "card"
  | "h1"
  | "h2"
  | "h3"
  | "title"
  | "p"
  | "soft"
  | "usual"
  | "table"
  | "th"
  | "n"
  | "w"
  | "label"
  | "value"
  | "trend"
  | "key"
  | "fact"
  | "code"
  | "hours";

/** Inline styles by class name; an element has both, and the classes let the dark block change the colours. */
const INLINE: Readonly<Record<StyleName, string>> = {
  page: `margin:0;padding:0;background:${LIGHT.page};color:${LIGHT.text};font:15px/1.5 ${SANS};-webkit-text-size-adjust:100%`,
  wrap: "max-width:640px;margin:0 auto;padding:16px 10px 32px",
  card: `background:${LIGHT.card};color:${LIGHT.text};border:1px solid ${LIGHT.rule};border-radius:8px;padding:14px 16px;margin:0 0 12px;${BREAK}`,
  h1: `font:600 22px/1.3 ${SANS};margin:2px 0 6px`,
  h2: `font:600 16px/1.35 ${SANS};margin:0 0 8px`,
  h3: `font:600 14px/1.4 ${SANS};margin:14px 0 2px`,
  title: `font:600 15px/1.4 ${SANS};margin:0 0 4px`,
  p: "margin:4px 0",
  soft: `margin:4px 0;color:${LIGHT.soft};font-size:13px;line-height:1.45`,
  usual: `color:${LIGHT.soft};font-size:12px`,
  table: "border-collapse:collapse;width:100%;table-layout:fixed;font-size:13px;line-height:1.4",
  th: "text-align:left;font-weight:400",
  n: "",
  w: "",
  label: "text-align:left;font-weight:400",
  value: "font-weight:600",
  trend: "",
  key: "text-align:left;font-weight:400;width:52px;vertical-align:top",
  fact: "",
  code: `font:12px/1.45 ${MONO}`,
  hours: "width:25%",
};

/** What cells have where the style block is dropped, in the shortest form: there are hundreds of them. */
const ATTRIBUTES: Partial<Readonly<Record<StyleName, string>>> = {
  table: ' cellpadding="3" cellspacing="0"',
  n: ' align="right" valign="top"',
  value: ' align="right"',
  trend: ' align="right"',
};

/** Attributes of an element of a look. extra: more inline style, for one place. */
export function look(name: StyleName, extra = ""): string {
  const style = [INLINE[name], extra].filter((part) => part !== "").join(";");
  return `class="${name}"${ATTRIBUTES[name] ?? ""}${style === "" ? "" : ` style="${style}"`}`;
}

export type Tone = "critical" | "high" | "medium" | "low" | "quiet";

/** Attributes of a text in the colour of a severity, and of a card with an edge in it. */
export const toned = (level: Tone, extra = ""): string =>
  `class="${level}" style="color:${LIGHT[level]}${extra === "" ? "" : `;${extra}`}"`;
export const edged = (level: Tone): string =>
  `class="card edge-${level}" style="${INLINE.card};border-left:5px solid ${LIGHT[level]}"`;

const DARK_TEXT = ["page", "card"];
const DARK_SOFT = ["soft", "usual", "th", "key", "hours"];
const RULED = ["n", "w", "label", "value", "trend"];
const LEVELS: readonly Tone[] = ["critical", "high", "medium", "low", "quiet"];
const selectors = (names: readonly string[]): string => names.map((name) => `.${name}`).join(",");

/**
 * The style block: spaces and rules of tables, which would fill a mail if each cell brought its own; lists in two columns where
 * there is room; dark colours where the reader's system is dark.
 */
export const BLOCK: string = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
${selectors(RULED)}{border-top:1px solid ${LIGHT.rule};vertical-align:top;padding:3px 0}
.n{padding-right:10px;white-space:nowrap;font-variant-numeric:tabular-nums}
.th,.key,.hours{color:${LIGHT.soft};font-size:12px}.th{vertical-align:bottom}.key{font-size:13px}.fact{vertical-align:top}
.label,.value,.trend{vertical-align:middle;padding:5px 0}
.label{padding-right:8px;font-size:14px}.value{padding-right:12px;font-size:15px;white-space:nowrap;font-variant-numeric:tabular-nums}
.th{padding:2px 8px 2px 0}.key{padding:1px 10px 1px 0}.fact{padding:1px 0}
.half{display:inline-block;width:100%;vertical-align:top}
@media (min-width:600px){.br{display:none}.half{width:48%;margin-right:1.5%}.half .w,.half .n{font-size:12px}}
@media (max-width:480px){.card{padding:12px!important}.wrap{padding:8px 6px 24px!important}.h1{font-size:19px!important}}
@media (prefers-color-scheme:dark){
.page{background:${DARK.page}!important}
.card{background:${DARK.card}!important;border-color:${DARK.rule}!important}
${selectors(DARK_TEXT)}{color:${DARK.text}!important}
${selectors(DARK_SOFT)}{color:${DARK.soft}!important}
${selectors(RULED)}{border-color:${DARK.rule}!important}
${LEVELS.map((level) => `.${level}{color:${DARK[level]}!important}.edge-${level}{border-left-color:${DARK[level]}!important}`).join("\n")}
}
@media print{.page{background:none!important}.card{break-inside:avoid}}
`;
