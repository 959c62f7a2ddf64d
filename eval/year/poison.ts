import { readFileSync } from "node:fs";
import type { Label } from "../../src/compose/labels.ts";
import type { Fault, Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { LabelRow, Score } from "../accuracy/corpus.ts";
import type { WeeklyLog } from "./log.ts";
import { firstMonths, TRAIN_DAYS, WATCHED } from "./plan.ts";

/**
 * Two attackers who want to be learned. One sends spam without end, ten per cent more each week for eight weeks; one floods the eighth week
 * with guesses at passwords, a day long. Then both attack in earnest, in two sizes, on two weeks of days. Their twin never came before that.
 */

const WEEKS = 8;
const RAMP = 1.1;
/** Of the kinds' usual strength (compose/kinds.ts): twice the server's own spam in the first week; guesses that are a twentieth of the week's lines. */
const FIRST_SPAM = 0.004;
const FLOOD = 0.0155;
const FLOOD_HOUR = 10;
/** Where they attack in earnest: days after the eight weeks. */
const EARNEST_DAYS = 14;
const BEGIN = WATCHED + WEEKS * 7 * DAY_MS;

type Attack = {
  readonly kind: string;
  readonly hour: number;
  readonly minutes: number;
  readonly sizes: readonly [number, number];
};
const GUESSES: Attack = { kind: "sasl_bruteforce_fast", hour: 2.2, minutes: 40, sizes: [0.1, 0.5] };
const SPAM: Attack = { kind: "spam_wave", hour: 13.3, minutes: 60, sizes: [0.08, 0.4] };

export type Attacker = "ramp" | "flood" | "nobody";
/** What each of them does in earnest. */
export const KIND_OF: Readonly<Record<"ramp" | "flood", string>> = { ramp: SPAM.kind, flood: GUESSES.kind };
const POISON_DAYS: number = TRAIN_DAYS + WEEKS * 7 + EARNEST_DAYS;
export const POISON_END: number = BEGIN + EARNEST_DAYS * DAY_MS;

const at = (day: number, hour: number): string =>
  new Date(WATCHED + day * DAY_MS + Math.round(hour * 3600) * 1000).toISOString();

const earnest = Array.from({ length: EARNEST_DAYS }, (_, day): Fault[] =>
  [GUESSES, SPAM].map(({ kind, hour, minutes, sizes }) => ({
    ...{ kind, minutes, intensity: sizes[day % 2]! },
    start: at(WEEKS * 7 + day, hour),
  })),
).flat();

const before: Readonly<Record<Attacker, readonly Fault[]>> = {
  nobody: [],
  ramp: Array.from({ length: WEEKS }, (_, week) => ({
    kind: SPAM.kind,
    start: at(week * 7, 0),
    minutes: 7 * 1440,
    intensity: FIRST_SPAM * RAMP ** week,
  })),
  flood: [
    { kind: GUESSES.kind, start: at((WEEKS - 1) * 7 + 1, FLOOD_HOUR), minutes: 1440, intensity: FLOOD },
  ],
};

/** The server of the year with an attacker. The faults in earnest come first in it: their lines are the same whoever came before. */
export const poisonPlan = (attacker: Attacker): Plan => ({
  ...firstMonths(12),
  days: POISON_DAYS,
  faults: [...earnest, ...before[attacker]],
});

export type Effect = {
  readonly attacker: Attacker;
  /** Lines of the attack in its last week before it is in earnest, as a share of that week's lines. */
  readonly share: number;
  /** Attacks in earnest. */
  readonly earnest: readonly (LabelRow & { readonly size: "small" | "usual" })[];
  /** Of the weeks or days of the attack before that, how many were told of. */
  readonly toldBefore: number;
};

export function poisonOf(attacker: Attacker, score: Score, log: WeeklyLog, plan: Plan): Effect {
  const labels = JSON.parse(readFileSync(log.labels, "utf8")) as Label[];
  const byId = new Map(labels.map((label) => [label.id, label]));
  const rows = score.rows.map((row) => ({ row, start: Date.parse(byId.get(row.id)!.start) }));
  const counts = [...log.before.values(), log.lines];
  const week = TRAIN_DAYS / 7 + WEEKS - 1;
  const last = labels.filter(({ start }) => Date.parse(start) < BEGIN).at(-1);
  return {
    attacker,
    share: (last?.affected_count ?? 0) / (counts[week + 1]! - counts[week]!),
    earnest: rows
      .filter(({ start }) => start >= BEGIN)
      .map(({ row, start }) => {
        const fault = plan.faults!.find((f) => f.kind === row.kind && Date.parse(f.start) === start)!;
        return { ...row, size: sizeOf(fault) };
      }),
    toldBefore: rows.filter(({ row, start }) => start < BEGIN && row.evidenced).length,
  };
}

const sizeOf = ({ kind, intensity }: Fault): "small" | "usual" =>
  intensity === (kind === GUESSES.kind ? GUESSES : SPAM).sizes[0] ? "small" : "usual";
