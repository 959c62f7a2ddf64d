import type { AlertRecord, AlertSeverity, Kind } from "../detect/alert.ts";
import { DAY_MS } from "../feature/clock.ts";
import { casesOf } from "../pipeline/cases.ts";
import { type Incident, type LeftOut, leaveOut } from "../pipeline/incidents.ts";
import type { Model } from "../pipeline/model.ts";
import { afterTrial, type Judged, judge, type Verdict } from "../pipeline/promote.ts";
import type { Evidence as TrialEvidence } from "../pipeline/verdict.ts";
import type { MailInput } from "./input.ts";
import { type LearnRequest, type Lesson, learn } from "./learn.ts";
import { type TrialRequest, tryModels } from "./trial.ts";
import type { Contender } from "./walker.ts";

/** A model learned from the last weeks, and whether it may take the place of the one in use; `retrain` and `backtest` make it so. */

/** What stands in the header of a model that came into use so, and is printed as JSON. */
export type Evidence = {
  readonly parent: string;
  readonly days: number;
  readonly flagged_hours: number;
  readonly incidents_left_out: readonly string[];
  readonly incidents_learned: readonly string[];
  /** Absent in models of before. */
  readonly incidents_repeated?: readonly string[];
  readonly judged: readonly Judged[];
  /** Null where the networks decided already, or no whole day is new. */
  readonly trial: TrialEvidence | null;
  readonly reason: string;
  /** Passes over the rows that all networks took together. */
  readonly epochs: number;
};

/** The model in use. */
export type Champion = Contender & { readonly id: string; readonly header: object };

export type ChallengeRequest = Pick<LearnRequest, "seed" | "quiet" | "without" | "forgetful" | "prior"> & {
  readonly old: Champion;
  /** First and last log time to be learned from, in ms. */
  readonly since: number;
  readonly last: number;
  /** What was told of, also in the half year before, and what was planned (in ms, both ends included): neither is learned. */
  readonly incidents: readonly Incident[];
  readonly planned: readonly { readonly start: number; readonly end: number }[];
  /** Alerts a day, of the trial. */
  readonly budget: number;
};

export type Challenged = {
  readonly lesson: Lesson;
  readonly left: LeftOut;
  readonly verdict: Verdict;
  readonly trial: TrialEvidence | undefined;
  readonly evidence: Evidence;
};

/** Reads the input up to three times. Throws a Fault when there is too little to learn from. */
export async function challenge(input: MailInput, request: ChallengeRequest): Promise<Challenged> {
  const { old, since, last, incidents, planned, seed, quiet, budget, without, forgetful, prior } = request;
  const left = leaveOut(incidents, since, last, planned);
  const { flagged } = left;
  const lesson = await learn(input, { seed, quiet, without, forgetful, prior, since, flagged, old });
  const first = judge(old.model, lesson.model, lesson.heldOut);
  const { to } = lesson;
  const cases = casesOf(incidents, Math.max(since, lesson.from), to);
  const asked = {
    cases,
    old,
    fresh: lesson,
    since,
    to,
    flagged,
    seed,
    budget,
    quiet,
    without,
    forgetful,
    prior,
  };
  const { verdict, trial } = await afterNetworks(input, first, asked);
  return { lesson, left, verdict, trial, evidence: evidenceOf(old.id, lesson, left, verdict, trial) };
}

/**
 * The networks decide first; a trial costs more, and only one that passes there needs it. A model in use without networks is too young to
 * be worse than: it tells next to nothing, so each alert of the new one would speak against that.
 */
async function afterNetworks(
  input: MailInput,
  first: Verdict,
  request: TrialRequest,
): Promise<{ verdict: Verdict; trial: TrialEvidence | undefined }> {
  if (!first.promoted || first.judged.length === 0) return { verdict: first, trial: undefined };
  const trial = await tryModels(input, request);
  return { verdict: afterTrial(first, trial), trial };
}

/** An incident as it was told. */
export const incidentOf = (alert: AlertRecord): Incident => ({
  id: alert.id,
  start: Date.parse(String(alert["start"])),
  end: Date.parse(String(alert["end"])),
  severity: alert["severity"] as AlertSeverity,
  kind: alert["kind"] as Kind | undefined,
  parts: alert["parts"] as Incident["parts"], // undefined in alerts of before
});

function evidenceOf(
  parent: string,
  { model, from, to }: Lesson,
  left: LeftOut,
  { judged, reason }: Verdict,
  trial: TrialEvidence | undefined,
): Evidence {
  return {
    parent,
    days: (to - from) / DAY_MS,
    flagged_hours: left.hours,
    incidents_left_out: left.incidents,
    incidents_learned: left.learned,
    incidents_repeated: left.repeated,
    judged,
    trial: trial ?? null,
    reason,
    epochs: epochsOf(model),
  };
}

const epochsOf = ({ windowFolds, transaction, slowness }: Model): number =>
  [windowFolds, transaction?.folds, slowness?.reception?.folds].reduce((sum, f) => sum + (f?.epochs ?? 0), 0);
