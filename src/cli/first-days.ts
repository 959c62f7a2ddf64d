import { DAY_MS } from "../feature/clock.ts";

/** A young model is replaced as soon as its server's own data tell clearly more than it was learned from. */

/** Days of history at which more can be learned: new messages, windows and accounts, the daily shape, firm lines; see checkHistory. */
const STAGES = [2, 3, 5, 7, 10, 14];

/** When the next stage after a time is reached; undefined behind the last one. began: of the history; all in ms. */
export function stageAfter(began: number, after: number): number | undefined {
  return STAGES.map((days) => began + days * DAY_MS).find((time) => time > after);
}
