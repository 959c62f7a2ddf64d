import type { Complain, Form } from "./forms.ts";
import { distance, type Mistake, meant, quoted } from "./mistake.ts";
import type { Place, TomlTable, TomlValue } from "./toml.ts";

/** A value as the file could hold it. */
export type Plain = string | number | boolean | readonly Plain[];

/** What a key is set to, and by which line; by default where it has none. */
export type Setting = {
  /** With its tables, as log.paths; those of a list are counted from 0: channel.0.url. */
  readonly key: string;
  /** Undefined: not set, and nothing stands in for it. */
  readonly value: Plain | undefined;
  readonly line: number | undefined;
  /** Must not be shown. */
  readonly secret: boolean;
};

/** What reading a file has brought to light. */
export type Findings = { readonly mistakes: Mistake[]; readonly settings: Setting[] };

/** Words by which people write secrets into files, for keys that are misspelled. */
const SECRETS = ["password", "passwd", "token", "secret"];
const START: Place = { line: 1, column: 1 };

/** Whether a key, perhaps misspelled, is one for a secret itself, not for its file. */
export const isSecretKey = (key: string): boolean =>
  !/file$/i.test(key) &&
  (/pass|pwd|token|secret/i.test(key) || SECRETS.some((word) => distance(key.toLowerCase(), word) <= 1));

/** Reads the keys of one table; what is not asked for by the end is a mistake. */
export class TableReader {
  readonly at: Place;
  private readonly table: TomlTable | undefined;
  private readonly path: string;
  private readonly findings: Findings;
  private readonly known: string[] = [];

  /** table: undefined where the file has none. path: its own key with a dot, "" at the top. */
  constructor(table: TomlTable | undefined, path: string, findings: Findings) {
    this.table = table;
    this.path = path;
    this.findings = findings;
    this.at = table?.at ?? START;
  }

  /** Whether the file has the key. */
  has(key: string): boolean {
    return this.table?.entries.has(key) === true;
  }

  /** The key's value in the form; `fallback`, written as in the file, where it is missing or wrong. */
  read<T>(key: string, form: Form<T>, fallback: Plain, options?: { secret?: boolean }): T;
  read<T>(key: string, form: Form<T>, fallback?: undefined, options?: { secret?: boolean }): T | undefined;
  read<T>(key: string, form: Form<T>, fallback?: Plain, { secret = false } = {}): T | undefined {
    this.known.push(key);
    const entry = this.table?.entries.get(key);
    const found =
      entry === undefined ? undefined : form(entry.value, this.complainer(key, entry.value.at, secret));
    const line = entry?.at.line;
    const value = found === undefined ? fallback : plainOf(entry!.value);
    this.findings.settings.push({ key: this.path + key, value, line, secret });
    return found ?? (fallback === undefined ? undefined : form(tomlOf(fallback), neverComplain));
  }

  /** As read, of a key that must be there. */
  need<T>(key: string, form: Form<T>, why: string, options?: { secret?: boolean }): T | undefined {
    if (this.table !== undefined && !this.has(key)) this.complain(`${key} is missing`, why, this.at, key);
    return this.read(key, form, undefined, options);
  }

  /** A table below this one, read by its own reader. */
  below(key: string): TableReader {
    this.known.push(key);
    const entry = this.table?.entries.get(key);
    if (entry !== undefined && entry.value.kind !== "table")
      this.complain(`${key} is a table`, `[${this.path}${key}] on a line of its own`, entry.at, key);
    const table = entry?.value.kind === "table" ? entry.value : undefined;
    return new TableReader(table, `${this.path}${key}.`, this.findings);
  }

  /** A list of tables, each with its own reader. */
  tables(key: string): TableReader[] {
    this.known.push(key);
    const entry = this.table?.entries.get(key);
    if (entry === undefined) return [];
    const allowed = `[[${this.path}${key}]] on a line of its own, for each one`;
    const items = entry.value.kind === "array" ? entry.value.items : [entry.value];
    if (entry.value.kind !== "array") this.complain(`${key} is a list of tables`, allowed, entry.at, key);
    return items.flatMap((item, i) => {
      if (item.kind === "table") return [new TableReader(item, `${this.path}${key}.${i}.`, this.findings)];
      if (entry.value.kind === "array") this.complain("this is no table", allowed, item.at, key);
      return [];
    });
  }

  /** Whether a mistake of the key was told. */
  wrong(key: string): boolean {
    return this.findings.mistakes.some((mistake) => mistake.key === this.path + key);
  }

  /** Whether the key was asked for. */
  asked(key: string): boolean {
    return this.known.includes(key);
  }

  /** The keys that were asked for, for a message. */
  keys(): string {
    return this.known.join(", ");
  }

  /** Keys that can't be judged, and are not told as unknown. */
  skip(keys: readonly string[]): void {
    this.known.push(...keys);
  }

  /** A key that has a sense only elsewhere. */
  refuse(key: string, what: string, allowed: string): void {
    const entry = this.table?.entries.get(key);
    if (entry === undefined) return;
    this.known.push(key);
    this.complain(what, allowed, entry.at, key);
  }

  /** A mistake of the key's value, found after it was read. */
  complainOf(key: string, what: string, allowed: string): void {
    const entry = this.table?.entries.get(key);
    this.complain(what, allowed, entry?.value.at ?? this.at, key);
  }

  /** Tells the keys that nobody asked for. */
  end(): void {
    for (const [key, { at, value }] of this.table?.entries ?? []) {
      if (this.known.includes(key)) continue;
      if (isSecretKey(key) && value.kind !== "table") this.secret(key, at);
      else {
        const place = this.path === "" ? "at the top of the file" : `in [${this.path.slice(0, -1)}]`;
        this.complain(
          `there is no key ${quoted(key)} ${place}${meant(key, this.known)}`,
          this.keys(),
          at,
          key,
        );
      }
    }
  }

  private secret(key: string, at: Place): void {
    const allowed = "password_file or token_file with the name of a file of mode 0600 that holds it alone";
    this.complain("a secret does not belong into this file", allowed, at, key, true);
  }

  private complain(what: string, allowed: string, at: Place, key: string, secret = false): void {
    const { line, column } = at;
    this.findings.mistakes.push({
      line,
      column,
      key: this.path + key,
      what,
      allowed,
      ...(secret ? { secret } : {}),
    });
  }

  private complainer(key: string, place: Place, secret: boolean): Complain {
    return (what, allowed, at) => {
      this.complain(what, allowed, at ?? place, key, secret);
      return undefined;
    };
  }
}

const neverComplain: Complain = (what) => {
  throw new RangeError(`a default does not fit its own form: ${what}`);
};

/** A default as though it stood in the file. */
function tomlOf(value: Plain): TomlValue {
  if (typeof value === "string") return { kind: "string", value, at: START };
  if (typeof value === "number") return { kind: "integer", value, at: START };
  if (typeof value === "boolean") return { kind: "boolean", value, at: START };
  return { kind: "array", items: value.map(tomlOf), at: START };
}

function plainOf(value: TomlValue): Plain {
  if (value.kind === "array") return value.items.map(plainOf);
  return value.kind === "table" ? "{...}" : value.value;
}
