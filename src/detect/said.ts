import type { SeenLine } from "../feature/transaction.ts";

/** Of a line's message, so much stands in a title. */
const MAX_SAID = 120;
/** Half of a character beyond the Unicode basic plane. */
const HALF = /[\uD800-\uDBFF]$/;
/** What shapes put in the place of a parameter. */
const PARAMETER = /<\*>/g;

/** Priority, version, five fields, and structured data (RFC 5424, section 6). */
const RFC_5424 = /^(?:<\d{1,3}>)?1 (?:\S{1,255} ){5}(?:- |(?:\[[^\]]{0,500}\]){1,10} )/;

type Line = Pick<SeenLine, "text" | "template">;

/**
 * What a line says, in quotes, for a title: the log's own words behind head, program and queue id. Nothing in it ends the quotes. Where the
 * text does not show its message plainly (wrapped by a program of another kind), the words of its shape.
 */
export const said = (line: Line): string => `"${shortened(messageOf(line).replaceAll('"', "'"))}"`;

/** The program that wrote a line, as in its shape: "postfix/smtpd". */
export const programOf = ({ template }: Pick<Line, "template">): string =>
  template.slice(0, Math.max(0, template.indexOf(": ")));

/** The queue id with which a line's message begins; "" where it begins otherwise, or is not shown plainly. */
export const queueIdOf = (line: Line): string => partsOf(line)?.id ?? "";

function messageOf(line: Line): string {
  const parts = partsOf(line);
  if (parts === undefined) return shapeOf(line).replace(PARAMETER, "…");
  const { message, id } = parts;
  // of a delivery the reason matters, not who and where
  return message.slice(Math.max(id === "" ? 0 : id.length + 2, message.indexOf("status=")));
}

/** What stands behind a line's head, and the queue id at its beginning; undefined where the text does not show it plainly. */
function partsOf(line: Line): { readonly message: string; readonly id: string } | undefined {
  const program = programOf(line);
  const message = wrapped(line.text) ?? tagged(line.text, program.slice(program.lastIndexOf("/") + 1));
  if (message === undefined) return undefined;
  const id = shapeOf(line).startsWith("<*>: ") ? /^[0-9A-Za-z]+(?=: )/.exec(message) : null;
  return { message, id: id?.[0] ?? "" };
}

/** The shape without its program. */
function shapeOf({ template }: Pick<Line, "template">): string {
  const program = programOf({ template });
  return template.slice(program === "" ? 0 : program.length + 2);
}

/** The message of a line of RFC 5424, or of journald's JSON. */
function wrapped(text: string): string | undefined {
  const head = RFC_5424.exec(text);
  if (head) return text.slice(head[0].length);
  if (!text.startsWith("{")) return undefined;
  try {
    const { MESSAGE: message } = JSON.parse(text) as { readonly MESSAGE?: unknown };
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined; // cut, or no JSON
  }
}

/** What stands behind "tag[pid]: " or "tag: ". */
function tagged(text: string, tag: string): string | undefined {
  const at = tag === "" ? -1 : Math.max(text.indexOf(`${tag}[`), text.indexOf(`${tag}: `));
  const end = at < 0 ? -1 : text.indexOf(": ", at);
  return end < 0 ? undefined : text.slice(end + 2);
}

function shortened(text: string): string {
  return text.length <= MAX_SAID ? text : `${text.slice(0, MAX_SAID).replace(HALF, "")}…`;
}
