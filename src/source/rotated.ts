/** How logrotate and others name the files that they put aside: mail.log.1, mail.log-20261129, mail-20261129.log, each perhaps compressed. */

const PACKED = /\.(?:gz|bz2|xz|zst)$/;
/** A number, a day (with hours and more), seconds since the epoch; a second file of one day has a number behind. */
const NUMBER = /^\d{1,5}$/;
const DATE = /^(?:\d{4}[-_.]?\d{2}(?:[-_.]?\d{2}(?:[-_.T]?\d{2}){0,6})?|\d{10})(?:[-_.]\d{1,3})?$/;
/** `2026-11-29`, whose last part is no number of a rotation. */
const DAY_AT_END = /\d{4}[-_.]\d{2}[-_.]\d{2}$/;
const OLD = /^(?:old|bak)$/i;

/** A name apart: which file was rotated, and when compared with others. `number`: higher is older. `date`: higher is newer. */
type Suffix = { readonly scheme: "number" | "date"; readonly value: string };

export type RotatedName = Suffix & {
  /** The name without the ending of a compression: one file before and after it was packed. */
  readonly stem: string;
  readonly packed: boolean;
};

const digits = (text: string): string => text.replace(/\D/g, "").padEnd(18, "0");

function suffixOf(text: string): Suffix | undefined {
  if (OLD.test(text)) return { scheme: "number", value: "0" };
  if (NUMBER.test(text)) return { scheme: "number", value: text };
  return DATE.test(text) ? { scheme: "date", value: digits(text) } : undefined;
}

/** What `name` is when it is a rotated file of `base` in the same folder; undefined when it is none. */
export function rotatedOf(base: string, name: string): RotatedName | undefined {
  const packed = PACKED.test(name);
  const stem = packed ? name.replace(PACKED, "") : name;
  const dot = base.lastIndexOf(".");
  let rest: string | undefined;
  if (stem.startsWith(base)) rest = stem.slice(base.length);
  else if (dot > 0 && stem.startsWith(base.slice(0, dot)) && stem.endsWith(base.slice(dot)))
    rest = stem.slice(dot, stem.length - (base.length - dot)); // mail-20261129.log
  if (rest === undefined || !/^[-_.]/.test(rest)) return undefined;
  const suffix = suffixOf(rest.slice(1));
  return suffix === undefined ? undefined : { ...suffix, stem, packed };
}

/**
 * Whether a name that a pattern gave is that of a rotated file, which is no source of its own. Numbers and packed files always
 * are; a name that ends in a date is, where the file without it is there too: some programs name each day's log so.
 */
export function isRotated(name: string, others: ReadonlySet<string>): boolean {
  if (PACKED.test(name)) return true;
  const last = /[-_.]([^-_.]+)$/.exec(name)?.[1] ?? "";
  if (OLD.test(last) || (NUMBER.test(last) && !DAY_AT_END.test(name))) return true;
  const dot = name.lastIndexOf(".");
  for (let i = 1; i < name.length; i++) {
    if (!/[-_.]/.test(name[i]!)) continue;
    const bases = [name.slice(0, i), dot > i ? name.slice(0, i) + name.slice(dot) : ""];
    for (const base of bases)
      if (others.has(base) && base !== name && rotatedOf(base, name) !== undefined) return true;
  }
  return false;
}

/** Oldest first. Files of one scheme are in the order of their names; numbers come before dates: what a change of logrotate's settings leaves. */
export function byAge(a: RotatedName, b: RotatedName): number {
  if (a.scheme !== b.scheme) return a.scheme === "number" ? -1 : 1;
  if (a.scheme === "number") return Number(b.value) - Number(a.value);
  return a.value < b.value ? -1 : a.value > b.value ? 1 : a.stem < b.stem ? -1 : a.stem > b.stem ? 1 : 0;
}
