import type { AlertSeverity } from "../detect/alert.ts";
import { DAY_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { Flagged } from "../feature/flagged.ts";
import { repeated, type Told } from "./repeats.ts";

/** Which time of a history training leaves out: that of the incidents which were told. */

/** An incident that goes on for days flags its beginning alone: what lasts is how things are now. */
const MAX_FLAGGED_MS = DAY_MS;
/** When more of the history is flagged, it is not the incidents that are unusual. */
export const MAX_FLAGGED_SHARE = 0.15;
/** Of an incident that somebody has confirmed all of it is, up to a week: with more there would be nothing to learn from. */
const MAX_CONFIRMED_MS = 7 * DAY_MS;
const SEVERITIES: readonly AlertSeverity[] = ["critical", "high", "medium", "low"];

/** start, end: of its evidence, in ms. */
export type Incident = Told & {
  /** Whether the operator has said that it was one: then it is always left out. */
  readonly confirmed?: boolean;
};

export type LeftOut = {
  readonly flagged: Flagged;
  /** Hours of the history that are left out, and the incidents whose time they are. */
  readonly hours: number;
  readonly incidents: readonly string[];
  /** Incidents that are learned all the same, since with them too much would be left out; the least severe. */
  readonly learned: readonly string[];
  /** Incidents that are learned since they are how things are; see repeats.ts. */
  readonly repeated: readonly string[];
};

/**
 * Planned time and confirmed incidents, then the severest incidents, as long as what is left out for their sake stays within its share.
 * incidents: also of before the history: confirmed ones are flagged there, too, since nothing of them is to be remembered, and of the others
 * it is known by them what came again. from, to: of the history, in ms. planned: in ms, both ends included.
 */
export function leaveOut(
  incidents: readonly Incident[],
  from: number,
  to: number,
  planned: readonly { readonly start: number; readonly end: number }[] = [],
): LeftOut {
  const [first, last] = [slotOf(from), slotOf(to)];
  const most = MAX_FLAGGED_SHARE * (last - first + 1);
  const isWithin = ({ start, end }: Incident): boolean => end >= from && start <= to;
  const confirmed = incidents.filter((incident) => incident.confirmed === true);
  const told = incidents.filter((incident) => incident.confirmed !== true);
  const again = repeated(told, confirmed);
  const ranked = told
    .filter((incident) => isWithin(incident) && !again.has(incident.id))
    .sort(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        a.start - b.start ||
        (a.id < b.id ? -1 : 1),
    );
  const taken: Incident[] = [];
  const learned: string[] = [];
  for (const incident of ranked) {
    if (new Flagged([...taken, incident].map(spanOf)).count(first, last) > most) learned.push(incident.id);
    else taken.push(incident);
  }
  const flagged = new Flagged([...planned, ...[...confirmed, ...taken].map(spanOf)]);
  return {
    flagged,
    hours: (flagged.count(first, last) * 24) / SLOTS_PER_DAY,
    incidents: [...confirmed.filter(isWithin), ...taken].map(({ id }) => id),
    learned,
    repeated: told.filter((incident) => isWithin(incident) && again.has(incident.id)).map(({ id }) => id),
  };
}

function spanOf({ start, end, confirmed }: Incident): { start: number; end: number } {
  return { start, end: Math.min(end, start + (confirmed ? MAX_CONFIRMED_MS : MAX_FLAGGED_MS) - 1) };
}
