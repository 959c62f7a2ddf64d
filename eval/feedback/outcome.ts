import { ALWAYS, type Alert, isGrave, type Kind } from "../../src/detect/alert.ts";
import type { FeedbackRule } from "../../src/detect/rules.ts";
import type { Log, LoggedFault } from "./logs.ts";
import { LARGER, type Time } from "./plans.ts";
import { benign, Watched } from "./watch.ts";

const FOREVER = Number.MAX_SAFE_INTEGER;
/** The third time counts as larger when the log holds nearly so many times the lines: where few people are about it can't. */
const REALLY_LARGER = LARGER - 1;

/** What came of calling harmless all that was told of one fault. Alerts that the budget held back were found all the same. */
export type Outcome = {
  readonly kind: string;
  /** Alerts on the fault in the same log again: without feedback, and those that it leaves. */
  readonly same: number;
  readonly sameLeft: number;
  /** The same of its second time; and of those that are left, such as name something graver than what was called harmless. */
  readonly repeats: number;
  readonly repeatsLeft: number;
  readonly graver: number;
  /** Whether the third, larger time is told without feedback, and with it. */
  readonly large: boolean;
  readonly largeTold: boolean;
  /** The same of the second time, with feedback that is over by then. */
  readonly expired: boolean;
  readonly expiredTold: boolean;
  /** Faults of other kinds that are told without feedback, and those that are not with it. */
  readonly others: number;
  readonly lost: readonly string[];
};

export function outcomesOf(log: Log): Outcome[] {
  const watched = new Watched(log.lines, log.until, log.zone, log.year, log.seed, `salt ${log.seed}`);
  const plain = watched.alerts();
  const on = (alerts: readonly Alert[], fault: LoggedFault | undefined): Alert[] =>
    fault === undefined
      ? []
      : alerts.filter((a) => !a.suppressed && a.lines.some(({ line }) => fault.shows(line)));
  const hideable = (fault: LoggedFault): Alert[] => on(plain, fault).filter(({ kind }) => !ALWAYS.has(kind));
  const firsts = log.faults.filter((fault) => fault.nth === 0 && hideable(fault).length > 0);
  const time = (first: LoggedFault, nth: Time): LoggedFault | undefined =>
    log.faults.find((fault) => fault.kind === first.kind && fault.nth === nth);
  const said = (first: LoggedFault, until: number): FeedbackRule[] =>
    hideable(first).map((alert, i) => benign(alert, i + 1, until));
  const under = watched.under([
    ...firsts.map((first) => said(first, FOREVER)),
    ...firsts.map((first) => said(first, time(first, 1)?.start ?? FOREVER)),
  ]);
  return firsts.map((first, i): Outcome => {
    const [hidden, over] = [under[i]!, under[firsts.length + i]!];
    const [second, third] = [time(first, 1), time(first, 2)];
    const harmless = new Set<Kind>(hideable(first).map(({ kind }) => kind));
    const left = on(hidden, second);
    const large =
      third !== undefined && third.size >= REALLY_LARGER * first.size && on(plain, third).length > 0;
    const others = log.faults
      .filter(({ kind }) => kind !== first.kind)
      .filter((fault) => on(plain, fault).length > 0);
    return {
      kind: first.kind,
      same: hideable(first).length,
      sameLeft: on(hidden, first).filter(({ kind }) => harmless.has(kind)).length,
      repeats: on(plain, second).length,
      repeatsLeft: left.length,
      graver: left.filter(({ kind }) => isGrave(kind) && !harmless.has(kind)).length,
      large,
      largeTold: large && on(hidden, third).length > 0,
      expired: on(plain, second).length > 0,
      expiredTold: on(plain, second).length > 0 && on(over, second).length > 0,
      others: others.length,
      lost: others.filter((fault) => on(hidden, fault).length === 0).map(({ kind }) => kind),
    };
  });
}
