import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { Mistake } from "./mistake.ts";

/** Where something stands in the file; both count from 1, columns in UTF-16 units. */
export type Place = { readonly line: number; readonly column: number };

/** A value of the file with its place. */
export type TomlValue =
  | { readonly kind: "string"; readonly value: string; readonly at: Place }
  | { readonly kind: "integer" | "float"; readonly value: number; readonly at: Place }
  | { readonly kind: "boolean"; readonly value: boolean; readonly at: Place }
  | { readonly kind: "time"; readonly value: string; readonly at: Place }
  | { readonly kind: "array"; readonly items: readonly TomlValue[]; readonly at: Place }
  | TomlTable;

export type TomlTable = {
  readonly kind: "table";
  readonly entries: Map<string, TomlEntry>;
  readonly at: Place;
};

/** at: the place of the key. */
export type TomlEntry = { readonly value: TomlValue; readonly at: Place };

/** Far more than any set-up needs; the parser takes its time with what is larger. */
const MAX_LENGTH = 256 * 1024;
const START: Place = { line: 1, column: 1 };

/** What the parser's complaints mean, by how they begin. The first that fits is taken. */
const COMPLAINTS: readonly (readonly [RegExp, string, string])[] = [
  [
    /^Defining a key multiple/,
    "this key or table is there twice",
    "each key once; [[channel]] may be repeated",
  ],
  [/^Unterminated string/, "the text has no closing quote", 'a quote at both ends, such as name = "mx1"'],
  [/^Unterminated (table|array|inline)/, "a closing bracket is missing", "] or } after the last value"],
  [/^Unspecified values/, "there is no value after =", 'a value, such as per_day = 2 or name = "mx1"'],
  [/^Bare keys cannot be empty|^Missing key/i, "there is no key before =", "key = value"],
  [/^Missing equals|equals sign/i, "there is no = after the key", "key = value"],
  [/leading zero/i, "a number begins with 0", "a number without it, or quotes around a time of day"],
  [/date|time/i, "this is no date or time", 'quotes around a time of day, such as at = "06:30"'],
  [/escape|code point/i, "there is no such escape in a text", "\\\\ for a backslash, or single quotes"],
  [/newline/i, "something stands after the value", "one key on a line; # begins a comment"],
  [/control character/i, "a control character is in the file", "plain text"],
];

/** Slips that the line itself tells better than the parser. */
const SLIPS: readonly (readonly [RegExp, string, string])[] = [
  [
    /=\s*\d{1,2}:\d{2}\s*(?:#|$)/,
    "a time of day without quotes is no date or time of TOML",
    'quotes around it: at = "06:30"',
  ],
  [/=\s*(?!true|false|inf|nan)[A-Za-z/][^"']*$/, "the text has no quotes", 'quotes around it: name = "mx1"'],
];

/** The table at the top of a file, or the mistake that makes it no TOML. */
export function parseToml(text: string): TomlTable | Mistake {
  if (text.length > MAX_LENGTH)
    return syntax(START, `the file is larger than ${MAX_LENGTH / 1024} KiB`, "a file of settings");
  const source = text.replace(/^\ufeff/, "");
  try {
    return topTable(parseTOML(source, { tomlVersion: "1.0" }));
  } catch (error) {
    if (error instanceof ParseError) return complaint(error, source);
    // The parser and our walk descend into brackets; a file of brackets exhausts the stack.
    if (error instanceof RangeError)
      return syntax(START, "brackets lie too deep in each other", "a file of settings");
    throw error;
  }
}

const syntax = (at: Place, what: string, allowed: string): Mistake => ({ ...at, key: "", what, allowed });

function complaint(error: ParseError, source: string): Mistake {
  const line = source.split("\n")[error.lineNumber - 1] ?? "";
  const known =
    SLIPS.find(([slip]) => slip.test(line)) ?? COMPLAINTS.find(([words]) => words.test(error.message));
  const what = known?.[1] ?? "this is no TOML here";
  return syntax(
    placeOf(error, source),
    what,
    known?.[2] ?? 'key = value, with quotes around texts: name = "mx1"',
  );
}

/** What is missing at a line's end is told there, not at the beginning of the next. */
function placeOf({ lineNumber, column }: ParseError, source: string): Place {
  if (column > 0 || lineNumber <= 1) return { line: lineNumber, column: column + 1 };
  const before = source.split("\n")[lineNumber - 2] ?? "";
  const here = source.split("\n")[lineNumber - 1] ?? "";
  if (here !== "") return { line: lineNumber, column: 1 };
  return { line: lineNumber - 1, column: before.replace(/\r$/, "").length + 1 };
}

const newTable = (at: Place): TomlTable => ({ kind: "table", entries: new Map(), at });

const placeIn = ({ loc }: AST.TOMLNode): Place => ({
  line: loc.start.line,
  column: loc.start.column + 1,
});

const nameOf = (key: AST.TOMLBare | AST.TOMLQuoted): string =>
  key.type === "TOMLBare" ? key.name : key.value;

function topTable(program: AST.TOMLProgram): TomlTable {
  const top = newTable(START);
  for (const node of program.body[0].body)
    if (node.type === "TOMLKeyValue") addPair(top, node);
    else {
      const table = opened(top, node);
      for (const pair of node.body) addPair(table, pair);
    }
  return top;
}

/** The table that a header `[a.b]` or `[[a.b]]` opens, made where it is missing. */
function opened(top: TomlTable, node: AST.TOMLTable): TomlTable {
  const keys = node.key.keys;
  let table = top;
  keys.forEach((key, i) => {
    const last = i === keys.length - 1;
    table = child(table, nameOf(key), placeIn(key), last && node.kind === "array");
  });
  return table;
}

/** The table `name` below `table`; of an array of tables its last, or with `more` a new one. */
function child(table: TomlTable, name: string, at: Place, more: boolean): TomlTable {
  const found = table.entries.get(name)?.value;
  if (found?.kind === "table") return found;
  const made = newTable(at);
  if (found?.kind === "array") {
    const last = found.items.at(-1);
    if (!more && last?.kind === "table") return last;
    (found.items as TomlValue[]).push(made);
  } else table.entries.set(name, { at, value: more ? { kind: "array", items: [made], at } : made });
  return made;
}

function addPair(table: TomlTable, pair: AST.TOMLKeyValue): void {
  const keys = pair.key.keys;
  let into = table;
  for (const key of keys.slice(0, -1)) into = child(into, nameOf(key), placeIn(key), false);
  const last = keys.at(-1)!;
  into.entries.set(nameOf(last), { at: placeIn(last), value: tomlValue(pair.value) });
}

function tomlValue(node: AST.TOMLContentNode): TomlValue {
  const at = placeIn(node);
  if (node.type === "TOMLArray") return { kind: "array", items: node.elements.map(tomlValue), at };
  if (node.type === "TOMLInlineTable") {
    const table = newTable(at);
    for (const pair of node.body) addPair(table, pair);
    return table;
  }
  switch (node.kind) {
    case "string":
      return { kind: "string", value: node.value, at };
    case "boolean":
      return { kind: "boolean", value: node.value, at };
    case "integer":
    case "float":
      return { kind: node.kind, value: node.value, at };
    default:
      return { kind: "time", value: node.datetime, at };
  }
}
