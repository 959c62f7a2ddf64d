import { type AlertSeverity, isGrave, type Kind, type Part } from "../detect/alert.ts";
import { FEWER } from "../detect/rules.ts";
import { DAY_MS } from "../feature/clock.ts";

/**
 * Which of the incidents that were told are how things are: a monthly newsletter is told the first time, and would be told for ever if its
 * time were never learned. What comes again is learned, with three limits, so that nobody makes an attack normal by repeating it: it is mild,
 * nothing of it is of a kind that attacks and failures are, and it does not grow. What stays away is never learned: it is an outage each time.
 */

/** Kinds that may be learned by repetition: none is harmless for its name, but none means that somebody breaks in or that mail is lost. */
const MAY_REPEAT: ReadonlySet<Kind> = new Set([
  "volume_change",
  "new_message",
  "unknown",
  "latency",
  "queue_growth",
  "greylisting",
  "remote_throttled",
]);
/** Keys of what stays away, and of times that went back. */
const ABSENT = new RegExp(`^(?:${FEWER})?(?:absence|regular|clock) `);
const MILD: ReadonlySet<AlertSeverity> = new Set(["low", "medium"]);
/** What comes again sooner is the same trouble going on. */
const APART_MS = 3 * DAY_MS;
/** Of what one incident consisted of, so much must have belonged to the other. */
const SHARED = 0.5;
/** No larger than so many times the first of its like, and a few events. */
const LARGER = 2;
const LARGER_BY = 4;

/** An incident that was told, with what it consisted of. start, end: in ms. */
export type Told = {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly severity: AlertSeverity;
  readonly kind?: Kind | undefined;
  readonly parts?: readonly Pick<Part, "key" | "kinds" | "size">[] | undefined;
};

/** Ids of those that came again, the first of each like among them. confirmed: by the operator; nothing like them is learned. */
export function repeated(incidents: readonly Told[], confirmed: readonly Told[]): ReadonlySet<string> {
  const mild = incidents
    .filter((one) => isMild(one) && !confirmed.some((other) => isLike(one, other)))
    .sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1));
  const ids = new Set<string>();
  for (const later of mild) {
    const first = mild.find((one) => one.end <= later.start - APART_MS && isLike(one, later));
    if (first === undefined || isLarger(first, later)) continue;
    ids.add(first.id);
    ids.add(later.id);
  }
  return ids;
}

function isMild({ severity, kind, parts = [] }: Told): boolean {
  if (!MILD.has(severity) || kind === undefined || !MAY_REPEAT.has(kind)) return false;
  return (
    parts.length > 0 &&
    parts.every(
      ({ key, kinds }) =>
        !ABSENT.test(key) && kinds.some((one) => MAY_REPEAT.has(one)) && !kinds.some(isGrave),
    )
  );
}

/** What is measured of it; names of people and hosts only where there is nothing else, since each time it meets others. */
function keysOf({ parts = [] }: Told): string[] {
  const keys = parts.map(({ key }) => key);
  const general = keys.filter((key) => !key.includes("entity "));
  return general.length > 0 ? general : keys;
}

function isLike(one: Told, other: Told): boolean {
  const [a, b] = [keysOf(one), new Set(keysOf(other))];
  return b.size > 0 && a.filter((key) => b.has(key)).length >= SHARED * Math.min(a.length, b.size);
}

function isLarger(first: Told, later: Told): boolean {
  const sizes = new Map(first.parts?.map(({ key, size }) => [key, size]));
  return (later.parts ?? []).some(({ key, size }) => size > LARGER * (sizes.get(key) ?? size) + LARGER_BY);
}
