import { hash64 } from "../math/hash.ts";

/** What stands in a shape for one parameter, or for several with nothing but punctuation between them. */
export const PARAMETER = "<*>";

/** Text after this many characters is not looked at: lines are capped at 8 KiB anyway, and a shape needs less. */
export const MAX_INPUT = 4096;
/** Longer shapes are cut here and end in this mark. rspamd's task lines and long recipient lists are longer. */
const MAX_SHAPE = 512;
const CUT_MARK = " ...";
/** Words without a, e, i, o, u from this length on are identifiers: Postfix long queue ids have no vowels. */
export const VOWELLESS = 9;
/** Words of hexadecimal letters from this length on are identifiers ("deadbeef"). */
export const HEX_WORD = 8;
/** Letters of one group of an IPv6 address at most. */
export const HEXTET = 4;
export const LONGEST_IPV6 = 39;

// Kinds of characters, as bits, so that a token's kind is the OR of its characters.
export const SEPARATOR = 1;
export const MARKED = 2; // a digit or @: makes any token a parameter
export const DOT = 4;
export const VOWEL = 8;
export const OTHER_LETTER = 16;
export const NOT_HEX = 32;
export const ODD = 64; // neither letter nor digit, but part of words: - _ + % ...
export const HIGH = 128; // beyond ASCII: a letter of some language

/** Kinds of the ASCII characters. */
export const KIND: Uint8Array = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const char = String.fromCharCode(c);
  if (c <= 32 || c === 127 || "=,;:()[]{}\"'`<>|".includes(char)) KIND[c] = SEPARATOR;
  else if ((char >= "0" && char <= "9") || char === "@") KIND[c] = MARKED;
  else if (char === ".") KIND[c] = DOT;
  else if (/[a-z]/i.test(char))
    KIND[c] = (/[aeiou]/i.test(char) ? VOWEL : OTHER_LETTER) | (/[a-f]/i.test(char) ? 0 : NOT_HEX);
  else KIND[c] = ODD | NOT_HEX;
}

const LESS = 60;
const COLON = 58;
const EQUALS = 61;
const QUESTION = 63;
const SLASH = 47;
const DOT_CODE = 46;
const CALENDAR = new Set(
  "Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "),
);

/** Whether text[start, end) is a parameter, given the OR of its characters' kinds. */
function isParameter(text: string, start: number, end: number, kinds: number): boolean {
  if (kinds & MARKED) return true;
  const length = end - start;
  if (length > 1 && text.charCodeAt(start) === SLASH) return true;
  if (kinds & DOT) return innerDot(text, start, end);
  if (kinds & (ODD | HIGH)) return false;
  if (length >= VOWELLESS && !(kinds & VOWEL)) return true;
  if (length >= HEX_WORD && !(kinds & NOT_HEX)) return true;
  if (length <= HEXTET && !(kinds & NOT_HEX) && inColonHex(text, start, end)) return true;
  return length === 3 && CALENDAR.has(text.slice(start, end));
}

/** Whether text[start, end) stands in a run of hexadecimal digits with two colons or more: an IPv6 or MAC address. */
function inColonHex(text: string, start: number, end: number): boolean {
  let colons = 0;
  for (let i = start - 1; i >= start - LONGEST_IPV6 && isHexOrColon(text.charCodeAt(i)); i--)
    if (text.charCodeAt(i) === COLON) colons++;
  for (let i = end; i < end + LONGEST_IPV6 && isHexOrColon(text.charCodeAt(i)); i++)
    if (text.charCodeAt(i) === COLON) colons++;
  return colons >= 2;
}

/** 0-9 and ":", A-F, a-f. False for NaN, past either end of a text. */
const isHexOrColon = (c: number): boolean =>
  (c >= 48 && c <= COLON) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);

/** Whether a dot stands between other characters: "example.org" but not "done." or "...". */
function innerDot(text: string, start: number, end: number): boolean {
  let first = start;
  let last = end - 1;
  while (first < end && text.charCodeAt(first) === DOT_CODE) first++;
  while (last > first && text.charCodeAt(last) === DOT_CODE) last--;
  const dot = text.indexOf(".", first);
  return dot >= 0 && dot < last;
}

/** Builds a shape from words, parameters and the separators between them. */
class Shape {
  text = "";
  /** Separators since the last word or parameter. */
  private gap = "";
  private afterParameter = false;
  /** Brackets that the current run of parameters swallowed: still open, and closed without having been opened. */
  private opened = 0;
  /** The first bracket still open, with the blank before it. */
  private openMark = "";
  private closed = "";

  separator(text: string): void {
    this.gap += text;
  }

  parameter(): void {
    if (this.afterParameter) {
      this.swallow();
      return;
    }
    this.text += tidy(this.gap) + PARAMETER;
    this.gap = "";
    this.opened = 0;
    this.closed = "";
    this.afterParameter = true;
  }

  word(text: string): void {
    this.closeRun();
    this.text += tidy(this.gap) + text;
    this.gap = "";
    this.afterParameter = false;
  }

  finish(): string {
    this.closeRun();
    return (this.text + tidy(this.gap)).replace(/^ | $/g, "");
  }

  /**
   * A run that swallowed an opening bracket swallows its end too, and if that doesn't follow, the run is two: "<*> (<*>".
   * One that swallowed an end gives it back.
   */
  private closeRun(): void {
    if (!this.afterParameter) return;
    this.text += this.closed;
    for (; this.opened > 0 && CLOSING.test(this.gap); this.opened--) {
      const at = this.gap.search(CLOSING);
      const rest = this.gap.slice(at + 1);
      // an end between two words, or two signs of a word, leaves a blank, or the two sides would become one token
      const joins = rest === "" || (isSign(this.gap, at - 1) && isSign(rest, 0));
      this.gap = this.gap.slice(0, at) + (joins ? ` ${rest}` : rest);
    }
    if (this.opened > 0) this.text += this.openMark + PARAMETER;
    this.afterParameter = false;
  }

  /** Takes the separators between two parameters into the run. */
  private swallow(): void {
    for (const c of this.gap) {
      if (OPENING.test(c) && this.opened++ === 0) this.openMark = this.gap.includes(" ") ? ` ${c}` : c;
      if (!CLOSING.test(c)) continue;
      if (this.opened > 0) this.opened--;
      else if (this.closed === "") this.closed = c;
    }
    this.gap = "";
  }
}

/** Whether a character is one that words are made of, such as "/", "-" or "."; false past either end. */
const isSign = (text: string, at: number): boolean => {
  const c = text.charCodeAt(at); // NaN past an end
  return c < 128 ? KIND[c] !== SEPARATOR : c >= 128;
};

const OPENING = /[[({]/;
const CLOSING = /[\])}]/;

/** Separators as a shape holds them: white space, angle brackets and empty pairs of brackets as one blank. */
function tidy(gap: string): string {
  if (gap.length === 1) return gap <= " " || gap === "<" || gap === ">" || gap === "\x7f" ? " " : gap;
  const out: string[] = []; // a string would be copied for each look at its end
  const blank = (): void => {
    if (out.at(-1) !== " ") out.push(" ");
  };
  for (const c of gap) {
    if (c <= " " || c === "\x7f" || c === "<" || c === ">") blank();
    else if (PAIRS.has(out.at(-1) + c)) {
      // a blank stays, or what stood on either side would become one token
      out.pop();
      blank();
    } else out.push(c);
  }
  return out.length === 0 && gap !== "" ? " " : out.join(""); // never joins two words
}

const PAIRS = new Set(["()", "[]", "{}"]);

/**
 * The masked shape of a message: parameters become `<*>`, and a run of them with only punctuation between becomes one.
 * A token is a parameter if it has a digit or @, starts with /, has an inner dot, is a long word without vowels or of
 * hex letters, is a weekday or month, or stands in <...>. Canonical: maskText(maskText(x)) is maskText(x).
 * Work and result are bounded (MAX_INPUT, MAX_SHAPE). Rules measured in eval/templates.ts.
 */
export function maskText(text: string): string {
  const end = Math.min(text.length, MAX_INPUT);
  const shape = new Shape();
  let close = -2; // where the next ">" is, -1 when none is left; looked up once a bracket, so never quadratic
  let at = 0;
  while (at < end && shape.text.length <= MAX_SHAPE) {
    const c = text.charCodeAt(at);
    if (c === LESS) {
      if (close !== -1 && close < at) close = text.indexOf(">", at);
      if (close >= 0 && close < end) {
        shape.parameter();
        at = close + 1;
        continue;
      }
    }
    const start = at;
    let kinds = c < 128 ? KIND[c]! : HIGH;
    if (kinds === SEPARATOR) {
      at++;
      shape.separator(text[start]!);
      continue;
    }
    let query = false; // in "/path?a=b" the = belongs to the path
    for (at++; at < end; at++) {
      const next = text.charCodeAt(at);
      const kind = next < 128 ? KIND[next]! : HIGH;
      if (kind === SEPARATOR && !(next === EQUALS && query)) break;
      query ||= next === QUESTION && text.charCodeAt(start) === SLASH;
      kinds |= kind;
    }
    if (isParameter(text, start, at, kinds)) shape.parameter();
    else if (kinds & (VOWEL | OTHER_LETTER | HIGH)) shape.word(text.slice(start, at));
    else shape.separator(text.slice(start, at)); // "-", "->", "*": punctuation written as a word
  }
  const full = shape.finish();
  return full.length > MAX_SHAPE ? cutShape(full) : full;
}

/** A shape too long, cut between two words where there is a blank. */
function cutShape(shape: string): string {
  const blank = shape.lastIndexOf(" ", MAX_SHAPE);
  return shape.slice(0, blank > 0 ? blank : MAX_SHAPE) + CUT_MARK;
}

/** A group of messages and its shape. The id follows from the text alone. */
export type Template = { readonly id: string; readonly text: string };

/** Id of a shape from its text alone, so the same on every host and after every restart: 16 hex digits. */
export const templateId = (shape: string): string => hash64(shape);
