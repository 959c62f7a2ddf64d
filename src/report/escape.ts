/**
 * Characters that do something instead of showing something: C0 and C1 controls with DEL and NUL (Cc), bidirectional
 * and zero-width format characters with U+FEFF (Cf), lone surrogates (Cs), and the two Unicode line ends (Zl, Zp).
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Highest code written as \xHH; above it U+XXXX reads better. */
const LAST_BYTE = 0xff;

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= LAST_BYTE) return `\\x${code.toString(16).padStart(2, "0")}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** One line of text that a terminal only shows: active characters, line ends included, become \x1b or U+202E. */
export function terminalSafe(text: string): string {
  return text.replace(ACTIVE, visible);
}

/** Text for the content or a quoted attribute of an HTML or SVG element. */
export function htmlSafe(text: string): string {
  return terminalSafe(text).replace(/[&<>"']/g, (c) => HTML[c] ?? c);
}

/** Log text in which mail programs find no address of a page to turn into a link: http[://]host, www[.]host. */
export function unlinked(text: string): string {
  return text.replace(/:\/\//g, "[://]").replace(/\bwww\./gi, (www) => `${www.slice(0, 3)}[.]`);
}

/** At most `width` characters, the last one an ellipsis when something was cut; never splits a pair of surrogates. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.max(0, width - 1);
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}
