import type { Alert } from "../detect/alert.ts";
import { DAY_MS } from "../feature/clock.ts";
import type { Incident } from "./incidents.ts";

/** Incidents that a person confirmed, as cases: a new model must tell of each of them that the model in use tells. */

/** So many are asked, the newest: each costs a day of log and more. */
const MAX_CASES = 6;
/** Of what lasts longer, the beginning is asked. */
const MAX_CASE_MS = DAY_MS;
/** How long after its end an alert is waited for. */
const AFTER_MS = 25 * 60_000;

/** An incident by its id in the state. start, until: first and last time at which an alert may open, in ms. */
export type Case = { readonly id: string; readonly start: number; readonly until: number };

/** Those whose lines can still be read. from, to: of the log's time that is learned, in ms. */
export const casesOf = (incidents: readonly Incident[], from: number, to: number): Case[] =>
  incidents
    .filter(({ confirmed, start }) => confirmed === true && start >= from && start < to)
    .sort((a, b) => b.start - a.start || (a.id < b.id ? -1 : 1))
    .slice(0, MAX_CASES)
    .map(({ id, start, end }) => ({ id, start, until: Math.min(end, start + MAX_CASE_MS) + AFTER_MS }));

/** Whether one of these alerts, none of which was held back, tells of a case: it opened in its time. */
export const tellsOf = (told: readonly Pick<Alert, "openedAt">[], { start, until }: Case): boolean =>
  told.some(({ openedAt }) => openedAt >= start && openedAt <= until);
