import { SLOTS_PER_DAY } from "../feature/clock.ts";
import type { Column, ColumnRegistry } from "../feature/columns.ts";
import type { Known } from "../feature/flagged.ts";
import type { SlotCounts } from "../feature/window.ts";
import { isRemembered } from "./memory.ts";

/**
 * How much of what attacks are made of comes on a usual day, as each training saw it. A new model is else compared with the one in use
 * alone, so an attacker who sends a little more each week would be learned week by week; this is compared with what was usual long before.
 */

/** The last days of a training of which the middle one is taken: short bursts don't show, what goes on does. */
const DAYS = 14;
/** Fewer that are known tell nothing. */
const MIN_DAYS = 7;
/** What was usual so long ago is compared with, or the oldest that is known. */
const BACK_SLOTS = 56 * SLOTS_PER_DAY;
/** Grown to more than so many times, and to so many times more than mail, is not learned unasked. */
const MOST_GROWTH = 1.5;
const BEYOND_MAIL = 1.25;
/** Fewer events a day are no background in which a wave could hide. */
const MIN_EVENTS = 20;

/** Events of a usual day: failures in taking mail in, failures at log-ins, and attempts to deliver elsewhere, of which a stranger makes none. */
export type UsualDay = {
  /** The last slot of its training. */
  readonly slot: number;
  readonly refused: number;
  readonly guessed: number;
  readonly sent: number;
};
type What = "refused" | "guessed" | "sent";

/** Each event counts in one such column, or none. */
function whatOf(column: Column): What | undefined {
  const { level, family, key } = column;
  if (level === "status" && family === "outbound") return key.endsWith(".x") ? undefined : "sent"; // told apart by its code once more
  if (level !== "cause" || isRemembered(column)) return undefined;
  return family === "auth" ? "guessed" : "refused";
}

/** The usual day of a training that ends with a slot; undefined where too few days are known. */
export function usualDay(
  { columns }: Pick<ColumnRegistry, "columns">,
  slots: readonly SlotCounts[],
  { first, last, flagged }: Pick<Known, "first" | "last" | "flagged">,
): UsualDay | undefined {
  const days = Array.from({ length: DAYS }, () => ({ refused: 0, guessed: 0, sent: 0 }));
  const kinds = columns.map(whatOf);
  for (const { slot, ids, counts } of slots) {
    const day =
      slot >= first && !flagged.has(slot) ? days[Math.floor((last - slot) / SLOTS_PER_DAY)] : undefined;
    if (day === undefined) continue;
    for (const [i, id] of ids.entries()) {
      const what = kinds[id];
      if (what !== undefined) day[what] += counts[i]!;
    }
  }
  const known = days.map((day, back) => {
    const end = last - back * SLOTS_PER_DAY;
    const begin = Math.max(first, end - SLOTS_PER_DAY + 1);
    const share = (end - begin + 1 - flagged.count(begin, end)) / SLOTS_PER_DAY;
    return { ...day, share };
  });
  const whole = known.filter(({ share }) => share >= 0.5);
  if (whole.length < MIN_DAYS) return undefined;
  const middle = (what: What): number =>
    whole.map((day) => day[what] / day.share).sort((a, b) => a - b)[whole.length >> 1]!;
  return {
    slot: last,
    refused: middle("refused"),
    guessed: middle("guessed"),
    sent: middle("sent"),
  };
}

export type Growth = {
  readonly what: "refused" | "guessed";
  readonly was: number;
  readonly is: number;
  readonly days: number;
};

/**
 * What has grown too much since the earliest of the days that were usual; undefined where nothing has, and where the model in use, whose day is
 * the last, is older than eight weeks: a server must not be left with it for good.
 */
export function grown(before: readonly UsualDay[], now: UsualDay | undefined): Growth | undefined {
  const then = now && within(before, now)[0];
  if (then === undefined || now!.slot - before.at(-1)!.slot > BACK_SLOTS) return undefined;
  const mail = then.sent > 0 ? now!.sent / then.sent : 1;
  const most = Math.max(MOST_GROWTH, BEYOND_MAIL * mail);
  return (["refused", "guessed"] as const)
    .filter((what) => now![what] >= MIN_EVENTS && now![what] > most * then[what])
    .map((what) => ({
      ...{ what, was: then[what], is: now![what] },
      days: Math.round((now!.slot - then.slot) / SLOTS_PER_DAY),
    }))[0];
}

/**
 * What a model hands on: its own usual day after those of the models before. Where too much has grown, its own alone: such a model comes into
 * use only when a person puts it there, who says by that that this is usual now.
 */
export function usualDays(before: readonly UsualDay[], now: UsualDay | undefined): readonly UsualDay[] {
  if (now === undefined) return before;
  return grown(before, now) ? [now] : [...within(before, now), now];
}

/** Those that may be asked for, the oldest first: of the last eight weeks, and the last one before. */
function within(days: readonly UsualDay[], { slot }: UsualDay): readonly UsualDay[] {
  const old = days.findLastIndex((day) => day.slot <= slot - BACK_SLOTS);
  return days.slice(Math.max(0, old));
}

const WORDS = { refused: "what is refused of incoming mail", guessed: "failures at log-ins" };

/** In words, as the reason of a refusal. */
export const grownText = ({ what, was, is, days }: Growth): string =>
  `${WORDS[what]} would be learned at ${(is / was).toFixed(1)} times as much as ${days} days ago (${Math.round(was)} a day then, ${Math.round(is)} now); if that is how things are, put it in use by \`logvane model promote\``;
