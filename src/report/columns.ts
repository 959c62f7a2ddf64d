import { terminalSafe } from "./escape.ts";

/** Text measured in the columns of a terminal with a fixed pitch. */

/** East Asian wide and fullwidth characters, and emoji (Unicode UAX 11, in its coarse blocks). */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks that stand on the character before. */
const MARK = /\p{M}/u;
const ASCII = /^[\x20-\x7e]*$/;

function columnsOf(character: string): number {
  if (character <= "\u02ff") return 1;
  return WIDE.test(character) ? 2 : MARK.test(character) ? 0 : 1;
}

/** Columns of a text without active characters. */
export function columns(text: string): number {
  if (ASCII.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += columnsOf(character);
  return sum;
}

/** At most `width` columns of one line of text from a log, the last one an ellipsis where something was cut. */
export function fitted(text: string, width: number): string {
  // Far more than any width shows; what follows need not be escaped first.
  const safe = terminalSafe(text.length > 16 * width ? `${text.slice(0, 16 * width)}…` : text);
  if (safe.length <= width && ASCII.test(safe)) return safe;
  let out = "";
  let used = 0;
  let kept = "";
  for (const character of safe) {
    used += columnsOf(character);
    if (used > width) return `${kept}…`;
    out += character;
    if (used < width) kept = out;
    if (out.length > 4 * width) return `${kept}…`; // marks without end
  }
  return out;
}

/** Filled with blanks to `width` columns, before or behind. */
export const left = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - columns(text)));
export const right = (text: string, width: number): string =>
  " ".repeat(Math.max(0, width - columns(text))) + text;

/** Lines of at most `width` columns, broken at blanks; a longer word is cut. At most `most` lines, the last one cut. */
export function folded(text: string, width: number, most = 100): string[] {
  const lines: string[] = [];
  const words = text.split(" ");
  let line = "";
  for (const [i, word] of words.entries()) {
    if (line !== "" && columns(line) + 1 + columns(word) > width) {
      if (lines.length === most - 1) {
        lines.push(fitted([line, ...words.slice(i)].join(" "), width));
        return lines;
      }
      lines.push(line);
      line = "";
    }
    line = fitted(line === "" ? word : `${line} ${word}`, width);
  }
  lines.push(line);
  return lines;
}
