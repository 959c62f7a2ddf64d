import { readFileSync } from "node:fs";
import type { Label } from "../../src/compose/labels.ts";
import type { Fault, Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { Score } from "../accuracy/corpus.ts";
import type { WeeklyLog } from "./log.ts";
import { firstMonths, TRAIN_DAYS, WATCHED } from "./plan.ts";

/**
 * Attackers who want to be learned. One sends spam without end, ten per cent more each week for eight weeks; one floods a day of the eighth
 * week with guesses at passwords. Their twin never came. What each costs is asked afterwards, by attacks that are put in (poison-probes.ts).
 */

const WEEKS = 8;
const RAMP = 1.1;
/** Of the kinds' usual strength (compose/kinds.ts): twice the server's own spam in the first week; guesses that are a twentieth of the week's lines. */
const FIRST_SPAM = 0.004;
const FLOOD = 0.0155;
const FLOOD_HOUR = 10;

/** When they stop: in ms, the end of the eighth week. */
export const STOPPED: number = WATCHED + WEEKS * 7 * DAY_MS;
/** Days of log after that, before the next training. */
const AFTER_DAYS = 6;
export const POISON_END: number = STOPPED + AFTER_DAYS * DAY_MS;

/** Who wants to be learned. */
export type Learned = "ramp" | "flood";
export type Attacker = Learned | "nobody";
/** What each does. */
export const KIND_OF: Readonly<Record<Learned, string>> = {
  ramp: "spam_wave",
  flood: "sasl_bruteforce_fast",
};

const at = (day: number, hour: number): string =>
  new Date(WATCHED + day * DAY_MS + Math.round(hour * 3600) * 1000).toISOString();

const FAULTS: Readonly<Record<Attacker, readonly Fault[]>> = {
  nobody: [],
  ramp: Array.from({ length: WEEKS }, (_, week) => ({
    kind: KIND_OF.ramp,
    start: at(week * 7, 0),
    minutes: 7 * 1440,
    intensity: FIRST_SPAM * RAMP ** week,
  })),
  flood: [
    { kind: KIND_OF.flood, start: at((WEEKS - 1) * 7 + 1, FLOOD_HOUR), minutes: 1440, intensity: FLOOD },
  ],
};

/** The server of the year with an attacker. */
export const poisonPlan = (attacker: Attacker): Plan => ({
  ...firstMonths(12),
  days: TRAIN_DAYS + WEEKS * 7 + AFTER_DAYS,
  faults: FAULTS[attacker],
});

export type Effect = {
  readonly attacker: Attacker;
  /** Lines of the attack in its last week, as a share of that week's lines. */
  readonly share: number;
  /** Of its weeks or days, how many were told of. */
  readonly told: number;
};

export function effectOf(attacker: Attacker, score: Score, log: WeeklyLog): Effect {
  const labels = JSON.parse(readFileSync(log.labels, "utf8")) as Label[];
  const counts = [...log.before.values(), log.lines];
  const week = TRAIN_DAYS / 7 + WEEKS - 1;
  return {
    attacker,
    share: (labels.at(-1)?.affected_count ?? 0) / (counts[week + 1]! - counts[week]!),
    told: score.rows.filter(({ evidenced }) => evidenced).length,
  };
}
