import { SLOTS_PER_DAY } from "./clock.ts";

/** sd of the circular Gaussian that smooths the daily shape: 45 minutes, in slots. */
const SMOOTH_SD = 9;
/** Events with which the daily shape is drawn towards flat. */
const SHAPE_PRIOR = 40;
/** Events with which the weekend factor is drawn towards 1. */
const WEEKEND_PRIOR = 10;

/** Weights of the circular smoother for distances 0..4 sd, summing to 1 over both sides. */
const KERNEL: Float64Array = (() => {
  const reach = 4 * SMOOTH_SD;
  const half = new Float64Array(reach + 1);
  let sum = 0;
  for (let d = 0; d <= reach; d++) {
    half[d] = Math.exp(-0.5 * (d / SMOOTH_SD) ** 2);
    sum += d === 0 ? half[d]! : 2 * half[d]!;
  }
  return half.map((v) => v / sum);
})();

/** Sums from which a seasonal mean is made. Linear, so one day can be taken out of a total. */
export type SeasonSums = {
  /** Events per slot of day, smoothed (288); sums to the number of events. */
  readonly perSlot: Float64Array;
  events: number;
  weekendEvents: number;
};

export const emptySums = (): SeasonSums => ({
  perSlot: new Float64Array(SLOTS_PER_DAY),
  events: 0,
  weekendEvents: 0,
});

/** Makes sums empty again. */
export function clearSums(sums: SeasonSums): void {
  sums.perSlot.fill(0);
  sums.events = 0;
  sums.weekendEvents = 0;
}

/** Adds `count` events of slot-of-day `slot`; smooth() must follow when all are in. */
export function addEvents(sums: SeasonSums, slot: number, weekend: boolean, count: number): void {
  sums.perSlot[slot]! += count;
  sums.events += count;
  if (weekend) sums.weekendEvents += count;
}

/** Circular Gaussian smoothing of the daily counts, in place. */
export function smooth(sums: SeasonSums): void {
  const raw = sums.perSlot.slice();
  const out = sums.perSlot.fill(0);
  for (let s = 0; s < SLOTS_PER_DAY; s++) {
    const v = raw[s]!;
    if (v === 0) continue;
    out[s]! += v * KERNEL[0]!;
    for (let d = 1; d < KERNEL.length; d++) {
      const w = v * KERNEL[d]!;
      out[(s + d) % SLOTS_PER_DAY]! += w;
      out[(s - d + SLOTS_PER_DAY) % SLOTS_PER_DAY]! += w;
    }
  }
}

/** Expected events per slot, by slot of day and kind of day. */
export type Season = { readonly weekday: Float32Array; readonly weekend: Float32Array };

/**
 * Product of base rate, daily shape and weekend factor, each shrunk: mu(slot) = base * shape(slot of day) * day factor.
 * total minus without gives leave-one-day-out. slots, weekendSlots: how many slots the sums cover, and how many of
 * them lie on a weekend.
 */
export function seasonOf(
  total: SeasonSums,
  without: SeasonSums | undefined,
  slots: number,
  weekendSlots: number,
): Season {
  const events = total.events - (without?.events ?? 0);
  const weekendEvents = total.weekendEvents - (without?.weekendEvents ?? 0);
  const share = slots > 0 ? weekendSlots / slots : 0;
  // A factor of the weekend, and one of the week, so that both together keep the total.
  const weekendFactor = (weekendEvents + WEEKEND_PRIOR) / (events * share + WEEKEND_PRIOR);
  const weekdayShare = 1 - share;
  const weekdayFactor = (events - weekendEvents + WEEKEND_PRIOR) / (events * weekdayShare + WEEKEND_PRIOR);
  const base = slots > 0 ? Math.max(events, 0.5) / slots : 0;
  const weekday = new Float32Array(SLOTS_PER_DAY);
  const weekend = new Float32Array(SLOTS_PER_DAY);
  for (let s = 0; s < SLOTS_PER_DAY; s++) {
    const smoothed = total.perSlot[s]! - (without?.perSlot[s] ?? 0);
    const shape = (Math.max(0, smoothed) * SLOTS_PER_DAY + SHAPE_PRIOR) / (events + SHAPE_PRIOR);
    weekday[s] = base * shape * weekdayFactor;
    weekend[s] = base * shape * weekendFactor;
  }
  return { weekday, weekend };
}
