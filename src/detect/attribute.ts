import { SLOTS_PER_DAY, type SlotPlace } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import type { Family } from "../feature/family.ts";
import type { Cause, MailEvent } from "../mail/event.ts";
import { logUpperTail } from "../math/negative-binomial.ts";
import type { Kind } from "./alert.ts";
import { KIND_OF_CAUSE } from "./explain.ts";
import { DEADLY } from "./rules.ts";
import { WIDTHS, type WindowModel } from "./window.ts";

/** How far back the causes of a finding are looked for, in slots: an hour. */
const LOOK_BACK = 12;
const HOUR = WIDTHS.indexOf(LOOK_BACK);
/** A cause is not usual of which fewer lines an hour are expected, or so many come by chance once in a thousand hours. */
const LEAST_USUAL = 0.5;
const LOG_RARE = Math.log(1e-3);

/** Kinds that explain whatever else fails, and the weight of their lines at which they do: one line where none is usual. */
const ROOTS: readonly Kind[] = ["clock_fault", "disk_full"];
const ROOT_WEIGHT = 0.8;

/** Causes are apart by family: guessed passwords name no queue that grows. */
type Key = `${Cause} ${Family}`;
const causeOf = (key: Key): Cause => key.slice(0, key.indexOf(" ")) as Cause;

type CauseSlot = { counts: Map<Key, number>; place: SlotPlace };
export type SavedCauses = { readonly slots: CauseSlot[]; readonly current: Map<Key, number> };

/** What a model expects of each column. */
export type ExpectedCounts = Pick<WindowModel, "columns" | "alpha" | "weekday" | "weekend">;

/** Counts causes over the last hour against what the hour usually brings, to name what is behind a finding. */
export class CauseCounter {
  readonly #expected = new Map<Key, { weekday: number[]; weekend: number[]; alpha: number }>();
  #slots: CauseSlot[] = [];
  #current = new Map<Key, number>();

  constructor(model: ExpectedCounts) {
    model.columns.forEach((column: Column, j) => {
      if (column.level !== "cause" || column.cause === undefined) return;
      const key: Key = `${column.cause} ${column.family}`;
      const old = this.#expected.get(key) ?? {
        weekday: new Array(SLOTS_PER_DAY).fill(0),
        weekend: new Array(SLOTS_PER_DAY).fill(0),
        alpha: model.alpha[HOUR * model.columns.length + j]!,
      };
      for (let s = 0; s < SLOTS_PER_DAY; s++) {
        old.weekday[s] += model.weekday[j * SLOTS_PER_DAY + s]!;
        old.weekend[s] += model.weekend[j * SLOTS_PER_DAY + s]!;
      }
      this.#expected.set(key, old);
    });
  }

  add({ cause }: MailEvent, family: Family): void {
    if (cause === undefined) return;
    const key: Key = `${cause} ${family}`;
    this.#current.set(key, (this.#current.get(key) ?? 0) + 1);
  }

  close(place: SlotPlace): void {
    this.#slots.push({ counts: this.#current, place });
    if (this.#slots.length > LOOK_BACK) this.#slots.shift();
    this.#current = new Map();
  }

  save(): SavedCauses {
    return { slots: this.#slots, current: this.#current };
  }

  load({ slots, current }: SavedCauses): void {
    this.#slots = slots;
    this.#current = current;
  }

  /** Whether no more lines of a cause came within the hour than are usual; never so where hardly any are. */
  isUsual(cause: Cause, family: Family): boolean {
    const key: Key = `${cause} ${family}`;
    const expected = this.#expected.get(key);
    if (expected === undefined) return false;
    let n = this.#current.get(key) ?? 0;
    let mu = 0;
    for (const { counts, place } of this.#slots) {
      n += counts.get(key) ?? 0;
      mu += expected[place.weekend ? "weekend" : "weekday"][place.slotOfDay]!;
    }
    return mu >= LEAST_USUAL && logUpperTail(n, mu, expected.alpha) >= LOG_RARE;
  }

  /**
   * The kind that stands out in the last `slots` slots, and how clearly: the share of its cause in the whole surplus. own: what the
   * finding itself is about. family: the finding's; what fails elsewhere doesn't name it, but for "total", which is about everything.
   * among: the only kinds that are asked for. least: the weight from which on one stands out.
   */
  kind(
    own: Cause | undefined,
    slots: number,
    family: Family,
    among?: ReadonlySet<Kind>,
    least: number = among ? 0 : CLEAR,
  ): { kind: Kind; confidence: number } | undefined {
    const votes = new Map<Kind, number>();
    const span = this.#slots.slice(-Math.max(2, slots));
    const keys = new Set(span.flatMap((s) => [...s.counts.keys()]));
    for (const key of this.#current.keys()) keys.add(key);
    for (const key of keys) {
      const cause = causeOf(key);
      if (cause === "other" || (family !== "total" && cause !== own && !key.endsWith(` ${family}`))) continue;
      let n = this.#current.get(key) ?? 0;
      let mu = 0;
      for (const { counts, place } of span) {
        n += counts.get(key) ?? 0;
        mu += this.#expected.get(key)?.[place.weekend ? "weekend" : "weekday"][place.slotOfDay] ?? 0;
      }
      if (n <= mu) continue;
      const kind = KIND_OF_CAUSE[cause];
      if (among && !among.has(kind)) continue;
      const weight = ((n - mu) / Math.sqrt(mu + 1)) * (cause === own ? 2 : 1);
      votes.set(kind, (votes.get(kind) ?? 0) + weight);
    }
    giveTo(votes, "bruteforce", "auth_backend_failure");
    // A clock that jumps or a disk that is full explains all the rest, however few lines say so.
    const root = family === "total" ? ROOTS.find((kind) => votes.has(kind)) : undefined;
    if (root && votes.get(root)! > ROOT_WEIGHT) return { kind: root, confidence: 0.7 };
    const ranked = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const total = ranked.reduce((sum, [, v]) => sum + v, 0);
    const top = ranked[0];
    if (!top || top[1] < least)
      return own === undefined ? undefined : { kind: KIND_OF_CAUSE[own], confidence: 0.5 };
    // a process that dies is a symptom where something else says why
    const reason = top[0] === "crash_loop" ? this.kind(undefined, slots, "total", DEADLY) : undefined;
    if (reason) return { kind: reason.kind, confidence: 0.7 };
    return { kind: top[0], confidence: Math.round(Math.min(0.95, top[1] / total) * 100) / 100 };
  }
}

/** Weight at which a kind stands out. */
const CLEAR = 2;

/** Where a kind stands out, what it brings about is its own: guessers hang up, and the password service says that its clients are gone. */
function giveTo(votes: Map<Kind, number>, kind: Kind, symptom: Kind): void {
  const own = votes.get(kind) ?? 0;
  const more = votes.get(symptom);
  if (own < CLEAR || more === undefined) return;
  votes.set(kind, own + more);
  votes.delete(symptom);
}

/**
 * Causes that are symptoms of many faults: they name one only where nothing else does. A password service gives up under guesses, and
 * an unknown recipient is a typo, a forgotten alias or a harvest.
 */
const SYMPTOMS: ReadonlySet<Cause> = new Set([
  "other",
  "connect",
  "crash",
  "protocol",
  "expired",
  "auth_backend",
  "unknown_user",
]);

/** Causes that others bring about: what fails on this machine cuts connections off, and those inside cut others off. */
const CUT_OFF: ReadonlySet<Cause> = new Set(["connect", "protocol", "expired"]);
/** What is wrong on this machine, and explains what is cut off. */
const OWN_FAULTS: ReadonlySet<Cause> = new Set([
  "auth_backend",
  "config",
  "disk",
  "dns",
  "lookup",
  "milter",
  "permission",
  "policy",
]);
/** The kinds of these: each fails as a whole, so that at one time there is one such fault. */
export const OF_THIS_MACHINE: ReadonlySet<Kind> = new Set(
  [...OWN_FAULTS].map((cause) => KIND_OF_CAUSE[cause]),
);

/** What is behind a line that tells of something cut off, by the lines of what else has just begun; undefined where they don't tell. */
export function kindBehind(
  cause: Cause | undefined,
  lines: readonly { readonly cause: Cause | undefined }[],
): Kind | undefined {
  if (cause === undefined || !CUT_OFF.has(cause)) return undefined;
  return mostOf(lines.filter((line) => line.cause !== undefined && OWN_FAULTS.has(line.cause)))?.[0];
}

/** That a client hung up or was too slow: "lost connection after CONNECT from …", "SSL_accept error from …: lost connection". */
const LOST = /\blost connection\b|\btimeout after\b/;

/**
 * What is wrong on this machine, where all that lines complain of is that clients were lost and something of it stands out within the hour. Guessers
 * hang up too, and bring the password service to complain.
 */
export function kindOfLost(
  lines: readonly { readonly cause: Cause | undefined; readonly template: string }[],
  causes: CauseCounter,
): { kind: Kind; confidence: number } | undefined {
  if (lines.some(({ cause }) => cause !== undefined)) return undefined;
  if (!lines.some(({ template }) => LOST.test(template))) return undefined;
  if (causes.kind(undefined, 2, "auth")?.kind === "bruteforce") return undefined;
  const kind = causes.kind(undefined, LOOK_BACK, "total", OF_THIS_MACHINE, CLEAR)?.kind;
  return kind && { kind, confidence: 0.7 };
}

/** Causes that make a delivery wait, and that the lines of slow ones tell: other servers put mail off, or a name is not found. */
const WAITED_FOR: ReadonlySet<Cause> = new Set(["dns", "greylisted", "throttled"]);

/** What deliveries wait for, where most of the slow ones say it. */
export function kindOfSlow(lines: readonly { readonly cause: Cause | undefined }[]): {
  kind: Kind;
  confidence: number;
} {
  const telling = lines.filter(({ cause }) => cause !== undefined && WAITED_FOR.has(cause));
  const [kind, n] = mostOf(telling) ?? ["latency", 0];
  return 2 * n > lines.length ? { kind, confidence: 0.7 } : { kind: "latency", confidence: 0.8 };
}

/** The kind that most lines name, and how many do; lines without a cause name none. */
function mostOf(lines: readonly { readonly cause: Cause | undefined }[]): [Kind, number] | undefined {
  const votes = new Map<Kind, number>();
  for (const { cause } of lines)
    if (cause !== undefined) votes.set(KIND_OF_CAUSE[cause], (votes.get(KIND_OF_CAUSE[cause]) ?? 0) + 1);
  return [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
}

/** Failed deliveries of one account within the horizon that no person causes who mistypes an address. */
const MANY_FAILED = 20;
/** What a thief's mail meets: lists of addresses that were never there, and servers that want none of it. */
const REFUSED_OF_THIEF: ReadonlySet<Cause> = new Set(["unknown_user", "spam", "rbl"]);
const OUT_OF_REACH: ReadonlySet<Cause> = new Set(["connect", "expired"]);

/**
 * What is behind an account whose messages fail: what their lines complain of. Where that is what a thief's mail meets, or nothing is said, it
 * may be stolen; of a few such messages a typing mistake is as likely.
 */
export function kindOfSender(
  lines: readonly { readonly cause: Cause | undefined }[],
  failed: number,
): { kind: Kind; confidence: number } {
  const share = (causes: ReadonlySet<Cause>): number =>
    lines.filter(({ cause }) => cause !== undefined && causes.has(cause)).length / Math.max(1, lines.length);
  if (share(REFUSED_OF_THIEF) <= 0.5) {
    const named = kindOfLines(lines);
    if (named) return named;
    if (share(OUT_OF_REACH) > 0.5) return { kind: "remote_unreachable", confidence: 0.6 };
  }
  return { kind: "account_compromised", confidence: failed >= MANY_FAILED ? 0.8 : 0.5 };
}

/** The kind that the cited lines themselves name: most of those that complain. Undefined where they say little. */
export function kindOfLines(
  lines: readonly { readonly cause: Cause | undefined }[],
): { kind: Kind; confidence: number } | undefined {
  const complaints = lines.filter(({ cause }) => cause !== undefined).length;
  const top = mostOf(lines.filter(({ cause }) => cause === undefined || !SYMPTOMS.has(cause)));
  if (!top || 2 * top[1] < complaints || 3 * top[1] < lines.length) return undefined;
  return { kind: top[0], confidence: Math.round((0.5 + (0.4 * top[1]) / lines.length) * 100) / 100 };
}

/** What smtpd calls a client whose name it can't find or confirm: "connect from unknown[192.0.2.9]", "client=unknown[192.0.2.9]". */
const NAMELESS = /(?:\bclient=|\bconnect from )unknown\[/;

/** Clients without a name where they are rare: that their names are not found is the likeliest cause. Undefined unless all lines say so. */
export const kindOfNameless = (
  lines: readonly { readonly template: string }[],
): { kind: Kind; confidence: number } | undefined =>
  lines.length > 0 && lines.every(({ template }) => NAMELESS.test(template))
    ? { kind: "dns_failure", confidence: 0.5 }
    : undefined;

/** Of cited lines the first that names a kind, else the first of all. */
export const tellingLine = <T extends { readonly cause: Cause | undefined }>(
  lines: readonly T[],
  kind: Kind,
): T | undefined => lines.find(({ cause }) => cause && KIND_OF_CAUSE[cause] === kind) ?? lines[0];
