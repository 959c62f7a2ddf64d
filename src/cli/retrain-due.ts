import type { RetrainConfig } from "../config/config.ts";
import { isChange } from "../detect/change-candidates.ts";
import { DAY_MS, type LocalClock } from "../feature/clock.ts";
import type { Store } from "../store/queries.ts";
import { stageAfter } from "./first-days.ts";

/**
 * When normal is to be learned anew: once a week, in the first weeks as soon as there is clearly more to learn from, and once enough days
 * have passed since software or log format was changed.
 */

/** So much of the new state must be there to be learned. */
const ENOUGH_MS = 2 * DAY_MS;
/** Changes that were told longer ago have been learned by the weekly trainings, or were refused. */
const RECENT_MS = 14 * DAY_MS;
const WEEK_MINUTES = 7 * 1440;

/**
 * Why normal is to be learned anew now; undefined where it is not. tried: when that was last tried, or the model's end; began: when the
 * history that was ever learned begins. In ms.
 */
export function whyDue(
  store: Store,
  { weekday, atMinute }: Pick<RetrainConfig, "weekday" | "atMinute">,
  clock: LocalClock,
  { tried, began }: { readonly tried: number; readonly began: number },
  now: number,
): string | undefined {
  const change = changeToLearn(store, tried, now);
  if (change !== undefined && now >= change.at + ENOUGH_MS) return `since ${change.title}`;
  if (weekday === undefined) return undefined;
  const stage = stageAfter(began, tried);
  if (stage !== undefined && now >= stage) return `${Math.floor((now - began) / DAY_MS)} days of history`;
  const { weekday: today, minute } = clock(now);
  const since = (WEEK_MINUTES + (today - weekday) * 1440 + minute - atMinute) % WEEK_MINUTES;
  return now - since * 60_000 > tried ? "weekly" : undefined;
}

/** The newest change that was told and is not learned yet; when it is, in ms. */
export function changeToLearn(
  store: Store,
  tried: number,
  now: number,
): { readonly at: number; readonly title: string } | undefined {
  const told = store
    .alertsBetween(now - RECENT_MS, now)
    .filter((alert) => alert["held"] !== true && isChange(alert))
    .map((alert) => ({ at: Date.parse(alert.opened_at), title: String(alert["title"]) }))
    .filter(({ at }) => tried < at + ENOUGH_MS);
  return told.at(-1);
}

/** When learning anew was last tried, or else the log time at which the model's training ended, in ms. */
export function lastTried(store: Store, modelTo: number): number {
  const mark = store.outbox.mark(RETRAINED);
  const at = mark === undefined ? Number.NaN : Date.parse(String((JSON.parse(mark) as { at?: unknown }).at));
  return Number.isNaN(at) ? modelTo : Math.max(at, modelTo);
}

/** First log time that a model which is kept was learned from, in ms; Infinity where none says. */
export const historyBegan = (store: Store): number =>
  Math.min(
    ...store.listModels().map(({ header }) => (header as { from?: number }).from ?? Number.POSITIVE_INFINITY),
  );

/** The name under which the state keeps how the last retraining went, for the daily report. */
export const RETRAINED = "retrained";
