import type { AlertSeverity } from "../detect/alert.ts";
import { DAY_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { Flagged } from "../feature/flagged.ts";

/** Which time of a history training leaves out: that of the incidents which were told. */

/** An incident that goes on for days flags its beginning alone: what lasts is how things are now. */
const MAX_FLAGGED_MS = DAY_MS;
/** When more of the history is flagged, it is not the incidents that are unusual. */
export const MAX_FLAGGED_SHARE = 0.15;
const SEVERITIES: readonly AlertSeverity[] = ["critical", "high", "medium", "low"];

/** start, end: of its evidence, in ms. */
export type Incident = {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly severity: AlertSeverity;
};

export type LeftOut = {
  readonly flagged: Flagged;
  /** Hours of the history that are left out, and the incidents whose time they are. */
  readonly hours: number;
  readonly incidents: readonly string[];
  /** Incidents that are learned all the same, since with them too much would be left out; the least severe. */
  readonly learned: readonly string[];
};

/** The severest incidents first, as long as all that is left out stays within its share. from, to: of the history, in ms. */
export function leaveOut(incidents: readonly Incident[], from: number, to: number): LeftOut {
  const [first, last] = [slotOf(from), slotOf(to)];
  const most = MAX_FLAGGED_SHARE * (last - first + 1);
  const within = incidents.filter(({ start, end }) => end >= from && start <= to);
  const ranked = [...within].sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      a.start - b.start ||
      (a.id < b.id ? -1 : 1),
  );
  const taken: Incident[] = [];
  const learned: string[] = [];
  const flaggedBy = (some: readonly Incident[]): Flagged =>
    new Flagged(some.map(({ start, end }) => ({ start, end: Math.min(end, start + MAX_FLAGGED_MS - 1) })));
  for (const incident of ranked) {
    if (flaggedBy([...taken, incident]).count(first, last) > most) learned.push(incident.id);
    else taken.push(incident);
  }
  const flagged = flaggedBy(taken);
  return {
    flagged,
    hours: (flagged.count(first, last) * 24) / SLOTS_PER_DAY,
    incidents: taken.map(({ id }) => id),
    learned,
  };
}
