import { ALWAYS, isGrave, type Kind, type Measure, type Part, type Suppressed } from "./alert.ts";
import { type Candidate, isOfSlowness } from "./candidate.ts";
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
  /** First and last evidence of the incident, log time in ms; unknown in rules of before. */
  readonly start?: number;
  readonly end?: number;
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
export const VAGUE: ReadonlySet<Kind> = new Set(["unknown", "new_message", "volume_change"]);
/** Kinds of which processes die. */
export const DEADLY: ReadonlySet<Kind> = new Set([
  "auth_backend_failure",
  "config_error",
  "disk_full",
  "lookup_failure",
  "permission_error",
]);

/** How far something is from what is typical, in its own unit. */
export function sizeOf({ actual, typicalLow, typicalHigh }: Measure): number {
  const size = Math.abs(actual - (typicalLow + typicalHigh) / 2);
  return Number.isFinite(size) ? size : 0;
}

/** Too few of something is another thing than too many: how its key begins. */
export const FEWER = "fewer: ";
export const isFewer = ({ measure }: Candidate): boolean => measure.actual < measure.typicalLow;
const sense = (c: Candidate): string => (isFewer(c) ? FEWER : "");
export const partKey = (c: Candidate): string => sense(c) + c.key;
/** Over how many minutes it was counted. */
export const minutesOf = ({ at, start }: Candidate): number => Math.max(1, Math.round((at - start) / 60_000));
export const partName = (c: Candidate): string => sense(c) + c.measure.name;

/** What hides a candidate by what it is, and up to which log time in ms; undefined when nothing does. */
export function hiderOf(
  candidate: Candidate,
  { feedback, plans }: Rules,
): { readonly by: Suppressed; readonly until: number } | undefined {
  for (const plan of plans) {
    const until = plannedUntil(plan, candidate);
    if (until !== undefined) return { by: { by: "calendar", rule: plan.id, name: plan.name }, until };
  }
  const rule = about(candidate, feedback).find((one) => !isLarger(one, candidate));
  if (rule === undefined) return undefined;
  const name = rule.verdict === "benign" ? "harmless" : "snoozed";
  return { by: { by: "feedback", rule: rule.id, name }, until: rule.until };
}

/** The feedback that is about a candidate; where some knows the very part, that alone: it knows how large it was. */
function about(candidate: Candidate, feedback: readonly FeedbackRule[]): readonly FeedbackRule[] {
  const fitting = feedback.filter((rule) => fits(rule, candidate));
  const exact = fitting.filter(({ parts }) => parts.some(({ key }) => key === partKey(candidate)));
  return exact.length > 0 ? exact : fitting;
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
  const rules = about(candidate, feedback);
  return rules.every((rule) => isLarger(rule, candidate)) ? rules[0] : undefined;
}

/** Whether feedback is about a candidate, whatever its size. */
export function fits(rule: FeedbackRule, c: Candidate): boolean {
  if (c.at >= rule.until) return false;
  if (ALWAYS.has(c.kind) && c.kind !== rule.kind) return false; // gravest, so never by the way
  if (isKnown(rule, c)) return true;
  const named = (e: Candidate["entities"][number]): boolean =>
    rule.entities.some(({ type, value }) => type === e.type && value === e.value);
  switch (rule.scope) {
    case "this":
      // a new shape of line is another one, though the program be the same
      return c.kind === rule.kind && !VAGUE.has(c.kind) && c.entities.length > 0 && c.entities.every(named);
    case "entity":
      return c.kind === rule.kind && c.entities.some(named);
    case "template":
      return showsOnlyIn(c, rule.templates);
    case "all":
      return c.kind === rule.kind;
  }
}

/**
 * Whether a candidate is a part of the incident that comes again: the same column or account in the same messages. The kind is a guess that the
 * lines at hand decide, so one part may bear several names; a grave one is believed, unless the part bore the incident's own name: what only came
 * with it may be another fault, and is known under a vague name in that part's own messages alone. Where no part is the same, the incident's name
 * in its messages is.
 */
function isKnown(rule: FeedbackRule, c: Candidate): boolean {
  const part = rule.parts.find(({ key }) => key === partKey(c));
  const ofOne = isOfOne(c); // who did it says more than the messages
  const share = ofOne ? 1 : shareKnown(rule, c);
  if (part === undefined) return c.kind === rule.kind && !ofOne && c.templates.length > 0 && share >= 0.5;
  const own = part.kinds.includes(rule.kind);
  if (c.kind === rule.kind || VAGUE.has(c.kind))
    return (own && share >= 0.5) || showsOnlyIn(c, part.templates);
  if (c.kind === "crash_loop" && DEADLY.has(rule.kind)) return share >= 0.5;
  if (isGrave(c.kind) && (!own || c.templates.length === 0)) return false;
  return share === 1 || (part.kinds.includes(c.kind) && share >= 0.5);
}

/** Whether a column shows most of it in the messages of an incident: the same lines, counted in another way. */
export const isOfSameLines = (parts: readonly Part[], c: Candidate): boolean =>
  !isOfOne(c) && c.templates.length > 0 && shareKnown({ parts, templates: [] }, c) >= 0.5;

/** Whether a candidate shows in messages, and in none that is not in one of these lists of ids. */
const showsOnlyIn = ({ templates }: Candidate, ...lists: readonly (readonly string[])[]): boolean =>
  templates.length > 0 && templates.every(({ id }) => lists.some((ids) => ids.includes(id)));

/** Share of the messages in which a candidate shows that are the incident's, 0..1. A column counts many things, and some are always of others. */
function shareKnown({ parts, templates }: Pick<FeedbackRule, "parts" | "templates">, c: Candidate): number {
  if (c.templates.length === 0) return 1;
  const known = c.templates.filter(
    ({ id }) => templates.includes(id) || parts.some((part) => part.templates.includes(id)),
  );
  return known.length / c.templates.length;
}

/** Whether it is about one account, network or domain; its key names it. */
export const isOfOne = ({ view, key }: Candidate): boolean => view === "entity" || key.startsWith("regular ");

/**
 * Whether a candidate goes with what feedback hides, while that is going on: what is of its kind, what belonged to it the first time too (in
 * the same way, though of another account or host), what shows in the same messages alone, and its symptoms.
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
  return showsOnlyIn(c, ...parts.map(({ templates }) => templates));
}

/** Whether two incidents went on at one time, so that what came with one comes with the other again. */
export const wereTogether = (a: FeedbackRule, b: FeedbackRule): boolean =>
  a.start! <= b.end! && b.start! <= a.end!;

/** Whether feedback still holds and a candidate is not beyond what it was given for. */
export const within = (rule: FeedbackRule, c: Candidate): boolean => c.at < rule.until && !isLarger(rule, c);

/** Names that one attack from outside bears, by what of it is looked at. */
const ATTACKS: ReadonlySet<Kind> = new Set([
  "bruteforce",
  "connection_flood",
  "directory_harvest",
  "relay_probe",
  "spam_wave",
]);

/** Whether what comes while something hidden goes on may be its consequence by what it is called: it names no cause, or the same attack. */
export const mayComeOf = (rule: FeedbackRule, c: Candidate): boolean =>
  VAGUE.has(c.kind) || isOfSlowness(c) || (ATTACKS.has(rule.kind) && ATTACKS.has(c.kind));

/** Whether a candidate is clearly larger than what feedback was given for. */
function isLarger(rule: FeedbackRule, c: Candidate): boolean {
  const size = sizeOf(c.measure);
  const known = baseOf(rule, c);
  const by = isOfSlowness(c) ? 0 : LARGER_BY; // of seconds a fraction may be much
  return size >= LARGER * known && size - known >= by && size > 0;
}

/** A part that shows in more messages counts all sorts of lines. */
const FEW_TEMPLATES = 6;

/**
 * The largest of what is measured alike, whoever it was of, and of what shows in the same few messages (a view tells of columns that count
 * much the same lines the strangest alone); else of all. What was counted over a shorter time is taken to have gone on like that for as long as
 * the incident did.
 */
function baseOf({ parts, start = 0, end = start }: FeedbackRule, c: Candidate): number {
  const minutes = Math.min(minutesOf(c), (end - start) / 60_000);
  const alike = parts.filter(({ name }) => name === partName(c));
  const ofSameLines = isOfOne(c) ? [] : parts.filter((part) => isOfLines(part, c));
  const base = alike.length > 0 ? [...alike, ...ofSameLines] : parts;
  return base.reduce(
    (most, part) =>
      Math.max(most, part.size * Math.max(1, minutes / (part.minutes ?? Number.POSITIVE_INFINITY))),
    0,
  );
}

/** Whether a part shows in few messages, and in most of a candidate's. */
const isOfLines = ({ templates }: Part, c: Candidate): boolean =>
  c.templates.length > 0 &&
  templates.length <= FEW_TEMPLATES &&
  2 * c.templates.filter(({ id }) => templates.includes(id)).length >= c.templates.length;
