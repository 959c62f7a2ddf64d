import { KINDS } from "../detect/alert.ts";
import { pseudonym } from "../detect/entity.ts";
import { destinationKey } from "../detect/slowness.ts";
import { accountMark, type KnownPairs } from "../feature/entity.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import type { Model } from "./model.ts";
import { modelMark, type SavedDetector } from "./saved.ts";

/** Takes a name (an account, an address, an IP address) out of what was learned and of what is remembered. */

/** What stands in the place of a name. */
export const FORGOTTEN = "[forgotten]";
/** Length of a pair with its account's mark; those of earlier releases are shorter. */
const MARKED_PAIR = 24;
/** A text of ours that was cut ends in "…": so much of a name before it is one. */
const MIN_CUT = 4;
/** Fields whose texts are words of ours, or name a file. */
const OUR_WORDS: ReadonlySet<string> = new Set([
  ...["id", "type", "kind", "view", "class", "severity", "family", "level", "cause", "event", "program"],
  ...[
    "model",
    "salt",
    "file",
    "files",
    "source",
    "channel",
    "server",
    "templateId",
    "opened_at",
    "closed_at",
  ],
  ...["version", "zone", "repeat", "scope", "verdict", "by"],
]);

/** What may follow a name, or stand before it, without making it part of a longer one. */
const BEFORE = "(?<![\\p{L}\\p{N}_@]|[\\p{L}\\p{N}_][.+-])";
const AFTER = "(?![\\p{L}\\p{N}_@]|[.+-][\\p{L}\\p{N}_])";
/** Of an address: it may stand before an @ in that of a bounce, "list+ann=example.org@...". */
const ADDRESS_BEFORE = "(?<![\\p{L}\\p{N}_]|[\\p{L}\\p{N}_][.-])";
const ADDRESS_AFTER = "(?![\\p{L}\\p{N}_]|[.-][\\p{L}\\p{N}_])";

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

function patternOf(name: string): string {
  const cuts = Array.from({ length: Math.max(0, name.length - MIN_CUT) }, (_, i) =>
    quoted(name.slice(0, name.length - 1 - i)),
  );
  const cut = cuts.length > 0 ? `|${BEFORE}(?:${cuts.join("|")})(?=…)` : "";
  return `${wholeOf(name)}${cut}`;
}

function wholeOf(name: string): string {
  const at = name.lastIndexOf("@");
  if (at <= 0) return `${BEFORE}${quoted(name)}${AFTER}`;
  const [local, domain] = [quoted(name.slice(0, at)), quoted(name.slice(at + 1))];
  return `${ADDRESS_BEFORE}${local}(?:\\+[^\\s@=<>,;"']{1,64})?[@=]${domain}${ADDRESS_AFTER}`;
}

/** Whether a name is a word that logs or records are made of, so that removing it would take more than a name. */
export function isOwnWord(name: string, models: readonly Model[]): boolean {
  const word = name.toLowerCase();
  const ours: readonly string[] = [...KINDS, ...OUR_WORDS, ...ENTITY_FEATURES.map(({ type }) => type)];
  if (ours.includes(word)) return true;
  const columns = models.flatMap(({ window }) => window.columns.filter(({ level }) => level !== "template"));
  return columns.some(({ key }) => key.toLowerCase().split(/[ /]/).includes(word));
}

/** Forgets names. Counts what it took away. */
export class Forgetter {
  readonly #keys: readonly string[];
  readonly #pattern: RegExp;
  /** Texts in which a name was replaced; entries under pseudonyms, and pairs, that were dropped. */
  texts = 0;
  entries = 0;
  pairs = 0;

  constructor(names: readonly string[]) {
    this.#keys = names.map((name) => name.toLowerCase());
    this.#pattern = new RegExp(names.map(patternOf).join("|"), "giu");
  }

  get count(): number {
    return this.texts + this.entries + this.pairs;
  }

  text(text: string): string {
    const without = text.replace(this.#pattern, FORGOTTEN);
    if (without !== text) this.texts++;
    return without;
  }

  /** Replaces the names in all texts of plain data, in place: also members of sets and keys of maps. */
  data(value: unknown, seen: Set<object> = new Set()): void {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Set) this.#members(value, seen);
    else if (value instanceof Map) this.#map(value, seen);
    else {
      const record = value as Record<string, unknown>;
      for (const [field, part] of Object.entries(record)) {
        if (field === "files" || (OUR_WORDS.has(field) && typeof part === "string")) continue;
        if (typeof part === "string") {
          const without = this.text(part);
          if (without !== part) record[field] = without;
        } else this.data(part, seen);
      }
    }
  }

  #members(set: Set<unknown>, seen: Set<object>): void {
    const members = [...set];
    const without = members.map((member) => (typeof member === "string" ? this.text(member) : member));
    if (without.every((member, i) => member === members[i])) {
      for (const member of members) this.data(member, seen);
      return;
    }
    set.clear(); // in the same order again
    for (const member of without) {
      set.add(member);
      this.data(member, seen);
    }
  }

  #map(map: Map<unknown, unknown>, seen: Set<object>): void {
    const entries = [...map];
    const without = entries.map(([key, part]): [unknown, unknown] => [
      typeof key === "string" ? this.text(key) : key,
      typeof part === "string" ? this.text(part) : part,
    ]);
    if (without.some(([key, part], i) => key !== entries[i]![0] || part !== entries[i]![1])) {
      map.clear();
      for (const [key, part] of without) map.set(key, part);
    }
    for (const [key, part] of without) {
      this.data(key, seen);
      this.data(part, seen);
    }
  }

  /** What a model knows of the names, by its pseudonyms and in clear. Changes the model. Returns the pairs that stay. */
  model(model: Model, pairs: KnownPairs): { readonly model: Model; readonly pairs: KnownPairs } {
    const { salt, features } = model.entity;
    const namesOf = features.map((_, i) => this.#keys.map((key) => pseudonym(salt, i, key)));
    for (const [i, { known, remembered = {} }] of features.entries())
      for (const table of [known, remembered]) this.#entries(table, namesOf[i]!);
    const { programs = [], destinations = {} } = model.slowness ?? {};
    this.#entries(
      destinations,
      programs.flatMap(({ program }) => this.#keys.map((key) => destinationKey(salt, program, key))),
    );
    const regulars = model.regular.regulars.filter(({ feature, name }) => !namesOf[feature]?.includes(name));
    this.entries += model.regular.regulars.length - regulars.length;
    const rest = { ...model, regular: { ...model.regular, regulars } };
    this.data(rest);
    const used = this.#pairs(pairs.used, salt);
    const stays = new Set(used);
    const usedAt = pairs.usedAt?.filter((_, i) => stays.has(pairs.used[i]!));
    const tried = this.#pairs(pairs.tried, salt);
    return { model: rest, pairs: { used, tried, ...(usedAt && { usedAt }) } };
  }

  #entries(table: object, names: readonly string[]): void {
    for (const name of names.filter((one) => Object.hasOwn(table, one))) {
      delete (table as Record<string, unknown>)[name];
      this.entries++;
    }
  }

  #pairs(pairs: readonly string[], salt: string): readonly string[] {
    const marks = this.#keys.map((key) => accountMark(salt, key));
    const isTheirs = (pair: string): boolean => marks.some((mark) => pair.startsWith(mark));
    const rest = pairs.filter((pair) => pair.length !== MARKED_PAIR || !isTheirs(pair));
    this.pairs += pairs.length - rest.length;
    return rest;
  }

  /** What a running detector remembers of the names, which goes on with the model without them. Changes it. */
  detector(saved: SavedDetector, model: Model): SavedDetector {
    const { salt } = model.entity;
    for (const pairs of [saved.reader.used, saved.reader.tried]) {
      const rest = new Set(this.#pairs([...pairs], salt));
      for (const pair of pairs) if (!rest.has(pair)) pairs.delete(pair);
    }
    const kept = new Set(model.regular.regulars.map(({ feature, name }) => `${feature} ${name}`));
    const watched = new Map([...saved.regulars.watched].filter(([name]) => kept.has(name)));
    this.entries += saved.regulars.watched.size - watched.size;
    this.data(saved);
    return { ...saved, regulars: { ...saved.regulars, watched }, model: modelMark(model) };
  }
}

/** Pairs that name no account: of a release that did not mark them. */
export const unmarkedPairs = ({ used, tried }: KnownPairs): number =>
  [...used, ...tried].filter((pair) => pair.length < MARKED_PAIR).length;
