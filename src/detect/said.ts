import type { SeenLine } from "../feature/transaction.ts";

/** Of a line's message, so much stands in a title. */
const MAX_SAID = 120;
/** Half of a character beyond the Unicode basic plane. */
const HALF = /[\uD800-\uDBFF]$/;
/** What shapes put in the place of a parameter. */
const PARAMETER = /<\*>/g;

type Line = Pick<SeenLine, "text" | "template">;

/**
 * What a line says, in quotes, for a title: the log's own words behind head, program and queue id. Nothing in it ends the quotes. Where the
 * text does not show its message plainly (wrapped in JSON), the words of its shape.
 */
export const said = (line: Line): string => `"${shortened(messageOf(line).replaceAll('"', "'"))}"`;

/** The program that wrote a line, as in its shape: "postfix/smtpd". */
export const programOf = ({ template }: Pick<Line, "template">): string =>
  template.slice(0, Math.max(0, template.indexOf(": ")));

function messageOf({ text, template }: Line): string {
  const program = programOf({ template });
  const shape = template.slice(program === "" ? 0 : program.length + 2);
  const tag = program.slice(program.lastIndexOf("/") + 1);
  const at = tag === "" ? -1 : Math.max(text.indexOf(`${tag}[`), text.indexOf(`${tag}: `));
  const end = at < 0 ? -1 : text.indexOf(": ", at);
  if (end < 0) return shape.replace(PARAMETER, "…");
  const message = text.slice(end + 2);
  const id = shape.startsWith("<*>: ") ? /^[0-9A-Za-z]+: /.exec(message) : null;
  // of a delivery the reason matters, not who and where
  return message.slice(Math.max(id?.[0].length ?? 0, message.indexOf("status=")));
}

function shortened(text: string): string {
  return text.length <= MAX_SAID ? text : `${text.slice(0, MAX_SAID).replace(HALF, "")}…`;
}
