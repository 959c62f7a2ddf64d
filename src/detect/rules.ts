import { ALWAYS, isGrave, type Kind, type Measure, type Part, type Suppressed } from "./alert.ts";
import type { Candidate } from "./candidate.ts";
import { type Plan, plannedUntil } from "./planned.ts";

/**
 * What the operator has said: what is harmless, what is to be left alone for a while (feedback), and what is planned (the calendar).
 * Pure: a candidate and the rules in force decide alone, by log time. Nothing here forgets a candidate; it is only not told.
 */

/** Which candidates feedback on an alert is about. */
export const SCOPES = ["this", "entity", "template", "all"] as const;
export type Scope = (typeof SCOPES)[number];

/** Feedback that hides something. */
export type FeedbackRule = {
  readonly id: number;
  readonly verdict: "benign" | "snooze";
  readonly scope: Scope;
  /** Of the alert at its opening. */
  readonly kind: Kind;
  readonly entities: readonly { readonly type: string; readonly value: string }[];
  /** Ids. */
  readonly templates: readonly string[];
  /** What its incident consisted of, and how large each part became. */
  readonly parts: readonly Part[];
  /** Log time in ms, exclusive. */
  readonly until: number;
};

export type Rules = { readonly feedback: readonly FeedbackRule[]; readonly plans: readonly Plan[] };
export const NO_RULES: Rules = { feedback: [], plans: [] };

/** So many times the size is clearly larger. Below the five times that must be told, above what chance does to a repeat. */
const LARGER = 3;
/** By so many more, too: four lines instead of one are chance. */
const LARGER_BY = 4;
/** Kinds that say nothing of a cause. */
const VAGUE: ReadonlySet<Kind> = new Set(["unknown", "new_message", "volume_change"]);

/** How far something is from what is typical, in its own unit. */
export function sizeOf({ actual, typicalLow, typicalHigh }: Measure): number {
  const size = Math.abs(actual - (typicalLow + typicalHigh) / 2);
  return Number.isFinite(size) ? size : 0;
}

/** Too few of something is another thing than too many. */
const sense = ({ actual, typicalLow }: Measure): string => (actual < typicalLow ? "fewer: " : "");
export const partKey = ({ key, measure }: Candidate): string => sense(measure) + key;
export const partName = ({ measure }: Candidate): string => sense(measure) + measure.name;

/** What hides a candidate by what it is, and up to which log time in ms; undefined when nothing does. */
export function hiderOf(
  candidate: Candidate,
  { feedback, plans }: Rules,
): { readonly by: Suppressed; readonly until: number } | undefined {
  for (const plan of plans) {
    const until = plannedUntil(plan, candidate);
    if (until !== undefined) return { by: { by: "calendar", rule: plan.id, name: plan.name }, until };
  }
  const rule = feedback.find((one) => fits(one, candidate) && !isLarger(one, candidate));
  if (rule === undefined) return undefined;
  const name = rule.verdict === "benign" ? "harmless" : "snoozed";
  return { by: { by: "feedback", rule: rule.id, name }, until: rule.until };
}

/** What keeps a source that can't be read from being told of: it is no finding in a log, and is as large as ever. at: in ms. */
export function hiderOfBlindness(source: string, at: number, rules: Rules): Suppressed | undefined {
  return hiderOf(
    {
      ...{ at, start: at, view: "absence", family: "silence", key: `blind ${source}`, rate: 0, pValue: 0 },
      ...{ kind: "blind", kindConfidence: 1, title: "", summary: "", templates: [], lines: [], fresh: 0 },
      measure: { name: "", actual: 0, typicalLow: 0, typicalHigh: 0 },
      entities: [{ type: "source", value: source }],
      shareSince: () => 1,
    },
    rules,
  )?.by;
}

/** Feedback that would hide a candidate, were it not clearly larger than what it was given for. */
export function outgrown(candidate: Candidate, { feedback }: Rules): FeedbackRule | undefined {
  return feedback.find((rule) => fits(rule, candidate) && isLarger(rule, candidate));
}

/** Whether feedback is about a candidate, whatever its size. */
export function fits(rule: FeedbackRule, c: Candidate): boolean {
  if (c.at >= rule.until) return false;
  if (ALWAYS.has(c.kind) && c.kind !== rule.kind) return false; // gravest, so never by the way
  // what only came with it the first time is no sign of it
  const known = rule.parts.find((part) => part.key === partKey(c) && part.kinds.includes(rule.kind));
  if (known && (c.kind === rule.kind || VAGUE.has(c.kind))) return true;
  if (known?.kinds.includes(c.kind) && !isGrave(c.kind)) return true;
  const named = (e: Candidate["entities"][number]): boolean =>
    rule.entities.some(({ type, value }) => type === e.type && value === e.value);
  switch (rule.scope) {
    case "this":
      // a new shape of line is another one, though the program be the same
      return c.kind === rule.kind && !VAGUE.has(c.kind) && c.entities.length > 0 && c.entities.every(named);
    case "entity":
      return c.kind === rule.kind && c.entities.some(named);
    case "template":
      return c.templates.length > 0 && c.templates.every(({ id }) => rule.templates.includes(id));
    case "all":
      return c.kind === rule.kind;
  }
}

/**
 * Whether a candidate goes with what feedback hides, while that is going on: what is of its kind, what belonged to it the first time too (in
 * the same way, though of another account or host), and what shows in the same messages alone.
 */
export function follows(rule: FeedbackRule, c: Candidate): boolean {
  if (!within(rule, c)) return false;
  if (c.kind === rule.kind) return true;
  const { parts } = rule;
  const belonged = parts.some(({ key, kinds, name }) =>
    kinds.includes(c.kind)
      ? key === partKey(c) || name === partName(c)
      : key === partKey(c) && !isGrave(c.kind),
  );
  if (belonged) return true;
  return c.templates.length > 0 && c.templates.every(({ id }) => parts.some((p) => p.templates.includes(id)));
}

/** Whether feedback still holds and a candidate is not beyond what it was given for. */
export const within = (rule: FeedbackRule, c: Candidate): boolean => c.at < rule.until && !isLarger(rule, c);

/** Whether a candidate is clearly larger than what feedback was given for. */
function isLarger(rule: FeedbackRule, c: Candidate): boolean {
  const size = sizeOf(c.measure);
  const known = baseOf(rule, c);
  const by = c.kind === "latency" ? 0 : LARGER_BY; // of seconds a fraction may be much
  return size >= LARGER * known && size - known >= by && size > 0;
}

/** The largest of what is measured alike, whoever it was of, else of all. */
function baseOf({ parts }: FeedbackRule, c: Candidate): number {
  const alike = parts.filter(({ name }) => name === partName(c));
  return (alike.length > 0 ? alike : parts).reduce((most, { size }) => Math.max(most, size), 0);
}
