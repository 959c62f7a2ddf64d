import { foldOf } from "../detect/folds.ts";
import { Reach } from "../detect/memory.ts";
import { NO_SLOTS } from "../detect/recall.ts";
import { DAY_MS, localClock, slotOf } from "../feature/clock.ts";
import type { Flagged } from "../feature/flagged.ts";
import { type Case, tellsOf } from "../pipeline/cases.ts";
import { planInjections } from "../pipeline/injection.ts";
import { Learner } from "../pipeline/learner.ts";
import type { Model, PipelineOptions, ViewName } from "../pipeline/model.ts";
import type { Prior } from "../pipeline/prior.ts";
import { recollect } from "../pipeline/recollection.ts";
import { type Sketch, Sketcher } from "../pipeline/sketch.ts";
import { cleanTime, heldOutDays, standInParent, WARM_UP_MS, wholeDays } from "../pipeline/trial.ts";
import { type Evidence, type Pair, trialEvidence } from "../pipeline/verdict.ts";
import { eachEvent } from "./events.ts";
import type { MailInput } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";
import { type Contender, loadMaterial, Walker, walk } from "./walker.ts";

/** The new model and the one in use on the log's last days: what each would have told, and what of faults that are put in. */

/** Whole days at the end of the log that the models go through; each costs some seconds. */
const TRIAL_DAYS = 3;

export type TrialRequest = {
  readonly old: Contender;
  readonly fresh: Contender;
  /** What the new one has learned from: log times in ms, and what was left out. */
  readonly since: number;
  readonly to: number;
  readonly flagged: Flagged;
  readonly seed: number;
  readonly budget: number;
  /** What a person confirmed. */
  readonly cases: readonly Case[];
  readonly quiet: boolean;
  /** Views that are left out; none when absent. */
  readonly without?: ReadonlySet<ViewName> | undefined;
  /** See LearnRequest. */
  readonly forgetful?: boolean | undefined;
  readonly prior?: Prior | undefined;
};

/** Undefined where no whole day is new to the model in use. Reads the input twice. */
export async function tryModels(input: MailInput, request: TrialRequest): Promise<Evidence | undefined> {
  const { old, fresh, to, flagged, seed } = request;
  const days = wholeDays(old.model.to, to).slice(-TRIAL_DAYS);
  const judged = heldOutDays(days);
  if (judged.length === 0) return undefined;
  const { standIn, sketch } = await learnStandIn(input.again(), request, judged);
  const injections = sketch
    ? planInjections(days, cleanTime(days, flagged), sketch, () => loadMaterial(), seed)
    : [];
  const is = cleanTime(judged, flagged);
  const from = judged[0]! - WARM_UP_MS;
  const settings = { ...settingsFor(input, request), budget: request.budget };
  const warm = (injections[0]?.start ?? to) - WARM_UP_MS;
  const before = new Walker(input, old, settings, Math.min(from, warm), is, injections);
  const instead = new Walker(input, standIn, settings, from, is, []);
  const over = Math.max(...injections.map(({ until }) => until));
  const after = new Walker(input, fresh, settings, warm, is, injections, over);
  const visits = request.cases.map((one) => ({
    one,
    ...visitsTo(one, input, { old, new: standIn }, settings),
  }));
  const walkers = [before, instead, after, ...visits.flatMap((visit) => [visit.old, visit.new])];
  await walk(input.again(), walkers, { what: "comparing", quiet: request.quiet });
  const { model } = fresh;
  const asked = {
    ...{ clock: settings.clock, budget: request.budget, first: model.from },
    reach: new Reach(slotOf(to), flagged),
  };
  const ofBefore = (one: Model) => recollect(old.model.window.remembered ?? NO_SLOTS, one, asked);
  return trialEvidence({
    days: judged.length,
    old: before.end(),
    new: instead.end(),
    confirmed: visits.map(({ one, old: had, new: has }) => ({
      id: one.id,
      old: tellsOf(had.end().told, one),
      new: tellsOf(has.end().told, one),
    })),
    probes: { old: before.probes, new: after.probes },
    remembered: { old: ofBefore(old.model), new: ofBefore(model) },
  });
}

/** Two models on their way to an incident that a person confirmed. */
function visitsTo(
  { start, until }: Case,
  input: MailInput,
  { old, new: fresh }: Pair<Contender>,
  settings: PipelineOptions,
): Pair<Walker> {
  const visit = (one: Contender): Walker =>
    new Walker(input, one, settings, start - WARM_UP_MS, () => true, [], until);
  return { old: visit(old), new: visit(fresh) };
}

const settingsFor = (input: MailInput, { seed, fresh, without, prior }: TrialRequest): PipelineOptions => ({
  clock: localClock(input.zone),
  budget: 1,
  without: without ?? new Set(),
  salt: fresh.model.entity.salt,
  seed,
  kernels: loadKernels(),
  prior,
});

/** What the same training makes without the days that judge it; and what the server looks like on the last days. */
async function learnStandIn(
  input: MailInput,
  request: TrialRequest,
  judged: readonly number[],
): Promise<{ standIn: Contender; sketch: Sketch | undefined }> {
  const { since, to, flagged, fresh, old, forgetful } = request;
  const ranges = judged.map((day) => ({ start: day, end: day + DAY_MS - 1 }));
  const learner = new Learner(settingsFor(input, request), flagged.plus(ranges), forgetful ? undefined : old);
  const sketcher = new Sketcher();
  const progress = createProgress("comparing", 0, { quiet: request.quiet });
  let lines = 0;
  await eachEvent(input, (event) => {
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
    if (event.time === null || event.time < since) return;
    learner.add(event);
    if (event.time >= old.model.to) sketcher.see(event);
  });
  progress.end();
  const model = learner.fit(to + 1, standInParent(fresh.model, foldOf(slotOf(judged[0]!))));
  const sketch = sketcher.sketch(input.zone.name, (to - old.model.to) / DAY_MS);
  return { standIn: { model, pairs: learner.pairs }, sketch };
}
