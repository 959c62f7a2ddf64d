import type { HeldOutDay } from "../detect/held-out.ts";
import { grown, grownText } from "../detect/unwanted.ts";
import type { HeldOut } from "./learner.ts";
import type { Model } from "./model.ts";
import { type Evidence, objection } from "./verdict.ts";

/**
 * Whether a newly trained model takes the place of the one in use: when each of its networks finds the days that neither has learned from
 * no less likely, but for a margin, and it has not learned far more of what attacks are made of than was usual weeks ago. The margin is the
 * standard error of the old one's mean: by so much it differs for the days' own sake.
 */

/** Days that both must be judged on; fewer tell no spread. */
const MIN_DAYS = 2;
/** A day with fewer rows than this share of the middle one is none to judge by: the first and the last are cut, others are flagged. */
const MIN_SHARE = 0.5;

/** Mean negative bounds in nats a row: less is better. */
export type Judged = {
  readonly view: "window" | "transaction";
  readonly days: number;
  readonly rows: number;
  readonly old: number;
  readonly new: number;
  readonly margin: number;
};

export type Verdict = {
  readonly promoted: boolean;
  /** In a sentence, for people. */
  readonly reason: string;
  readonly judged: readonly Judged[];
};

export function judge(old: Model, fresh: Model, heldOut: HeldOut): Verdict {
  const judged: Judged[] = [];
  const views = [
    { view: "window", had: old.windowVae, has: fresh.windowVae },
    { view: "transaction", had: old.transaction, has: fresh.transaction },
  ] as const;
  for (const { view, had, has } of views) {
    if (!had) continue; // there was no network, so there is none to be worse than
    if (!has)
      return { promoted: false, reason: `there is too little to learn the ${view} network from`, judged };
    const one = judgedBy(view, heldOut[view]);
    if (one === undefined) {
      // Quiet servers have few transactions a day; their windows tell enough.
      if (view === "transaction" && judged.length > 0) continue;
      return { promoted: false, reason: `fewer than ${MIN_DAYS} days are new to the model in use`, judged };
    }
    judged.push(one);
  }
  const growth = grown(old.usual ?? [], fresh.usual?.at(-1));
  if (growth) return { promoted: false, reason: grownText(growth), judged };
  const worse = judged.find((j) => !(j.new <= j.old + j.margin));
  if (worse !== undefined)
    return {
      promoted: false,
      reason: `its ${worse.view} network finds the new days less likely than the model in use does`,
      judged,
    };
  return {
    promoted: true,
    reason: judged.length === 0 ? "the model in use has no network" : "it is not worse on the new days",
    judged,
  };
}

/** The verdict when a trial has followed: it can only speak against the new model. */
export function afterTrial(verdict: Verdict, trial: Evidence | undefined): Verdict {
  const against = verdict.promoted && trial ? objection(trial) : undefined;
  return against === undefined ? verdict : { ...verdict, promoted: false, reason: against };
}

function judgedBy(view: Judged["view"], all: readonly HeldOutDay[]): Judged | undefined {
  const middle = all.map((d) => d.rows).sort((a, b) => a - b)[all.length >> 1] ?? 0;
  const days = all.filter((d) => d.rows >= MIN_SHARE * middle);
  if (days.length < MIN_DAYS) return undefined;
  const rows = days.reduce((sum, d) => sum + d.rows, 0);
  const mean = (of: "old" | "new"): number => days.reduce((sum, d) => sum + d.rows * d[of], 0) / rows;
  const spread = days.reduce((sum, d) => sum + (d.old - mean("old")) ** 2, 0) / (days.length - 1);
  const margin = Math.sqrt(spread / days.length);
  return { view, days: days.length, rows, old: mean("old"), new: mean("new"), margin };
}
