const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;

/**
 * The fields of a JSON object that was cut somewhere (a line longer than is kept, a full disk): strings, numbers and
 * arrays that are whole, and what is there of a string that the cut went through when it is one of `texts` (half a time or
 * name would be a wrong one). Objects inside are left out. undefined when nothing could be read. One pass over the text.
 */
export function scanCutObject(text: string, texts: readonly string[]): Record<string, unknown> | undefined {
  const fields: [string, unknown][] = [];
  let at = skipBlanks(text, 0);
  if (text[at] !== "{") return undefined;
  at = skipBlanks(text, at + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at);
    const colon = skipBlanks(text, keyEnd);
    if (text[colon] !== ":") break;
    const from = skipBlanks(text, colon + 1);
    const end = valueEnd(text, from);
    const key = stringOf(text, at, keyEnd);
    const value = end === text.length && !texts.includes(key) ? undefined : fieldValue(text, from, end);
    if (value !== undefined) fields.push([key, value]);
    at = skipBlanks(text, end);
    if (text[at] !== ",") break;
    at = skipBlanks(text, at + 1);
  }
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at++;
  return at;
}

/** After the quote that ends the string at `at`, or the text's end. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i + 1;
  }
  return text.length;
}

/** After the value at `at`: a string, or all up to the comma or brace of this object. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') {
      i = stringEnd(text, i) - 1;
      if (depth === 0) return i + 1;
    } else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (c === "," && depth === 0) return i;
  }
  return text.length;
}

function fieldValue(text: string, from: number, end: number): unknown {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return stringOf(text, from, end);
  if (text[from] === "{") return undefined;
  try {
    return JSON.parse(text.slice(from, end));
  } catch {
    return undefined;
  }
}

/** The string from the quote at `from` to `end`, its escapes read; one that was cut loses a half escape at its end. */
function stringOf(text: string, from: number, end: number): string {
  const whole = text.slice(from, end);
  for (const tail of [0, 1, 2, 3, 4, 5]) {
    const slice = tail === 0 ? whole : `${whole.slice(0, whole.length - tail + 1)}"`;
    try {
      return String(JSON.parse(slice));
    } catch {
      // cut inside an escape: one character less
    }
  }
  return whole.slice(1);
}
