import type { Alert } from "../detect/alert.ts";
import type { Ledger } from "../detect/incident.ts";
import type { Rules } from "../detect/rules.ts";
import type { MailEvent } from "../mail/event.ts";
import { Detector } from "../pipeline/detector.ts";
import type { Learner } from "../pipeline/learner.ts";
import type { Model, PipelineOptions, Score } from "../pipeline/model.ts";
import type { MailInput } from "./input.ts";
import { PROGRESS_LINES } from "./progress.ts";

/** One walk over the lines of an input, which `detect` and `backtest` share: what lies in the past, then what is watched. */

/** The past: learned from up to a time, or known from a model that was kept. */
export type Past =
  | {
      readonly learner: Learner;
      /** End of training, exclusive, in ms. */
      readonly until: number;
      /** Throws a Fault when there was too little to learn from. */
      readonly check: (learner: Learner, until: number) => void;
      /** What learns anew on the way; nothing does when absent. */
      readonly successor?: Successor | undefined;
    }
  | {
      readonly model: Model;
      /** The detector to watch with. first: log time of the first line that is watched, in ms. */
      readonly begin: (first: number, onScore: DriveOptions["onScore"]) => Detector;
    };

/** Changes the model while a log is walked. */
export type Successor = {
  /** The model that watching begins with. */
  readonly begin: (model: Model, learner: Learner) => void;
  /** The lines that follow are of another file. lines: before it. newest: highest log time before it, in ms. */
  readonly file: (file: string, lines: number, newest: number) => void;
  /** Between two lines. lines: so far. newest: highest log time, in ms. The detector to go on with; undefined where nothing is due. */
  readonly next: (
    detector: Detector,
    alerts: readonly Alert[],
    lines: number,
    newest: number,
  ) => Promise<Detector> | undefined;
};

export type DriveOptions = {
  /** The name under which a file is cited; its own when absent. */
  readonly name?: ((file: string) => string) | undefined;
  readonly onScore?: ((score: Score) => void) | undefined;
  readonly onEvent?: ((event: MailEvent, phase: "learn" | "watch") => void) | undefined;
  readonly onProgress?: ((lines: number, phase: "learn" | "watch") => void) | undefined;
  /** Feedback and calendar, of a past that is learned. */
  readonly rules?: Rules | undefined;
};

export type Driven = {
  /** In order of time and id, held ones marked. */
  readonly alerts: readonly Alert[];
  readonly ledger: Ledger;
  /** The one that watching began with. */
  readonly model: Model;
  readonly lines: {
    total: number;
    unknown: number;
    badEnvelope: number;
    duplicates: number;
    truncated: number;
    /** Lines with a time that came before the first one watched. */
    before: number;
    watched: number;
  };
  readonly perHour: readonly { time: number; lines: number }[];
  /** Log time of the last line, in ms; -Infinity when no line has one. */
  readonly last: number;
};

const HOUR_MS = 3_600_000;
/** Hours counted; a clock that jumps makes no more. */
const MAX_HOURS = 24 * 400;

/** Walks over all lines once. Undefined when learning never came to an end, since no line lies after it. */
export async function drive(
  input: MailInput,
  past: Past,
  settings: PipelineOptions,
  options: DriveOptions = {},
): Promise<Driven | undefined> {
  const until = "model" in past ? past.model.to : past.until;
  const alerts: Alert[] = [];
  const perHour = new Map<number, number>();
  let detector: Detector | undefined;
  let model = "model" in past ? past.model : undefined;
  if ("model" in past) input.reader.adopt(past.model.groups);
  let watching = false;
  let lines = 0;
  let before = 0;
  let watched = 0;
  let last = Number.NEGATIVE_INFINITY;
  const take = (event: MailEvent): void => {
    if (++lines % PROGRESS_LINES === 0) options.onProgress?.(lines, watching ? "watch" : "learn");
    const { time } = event;
    if (time === null) {
      if (watching) alerts.push(...detector!.add(event));
      return;
    }
    if (time > last) last = time;
    const hour = Math.floor(time / HOUR_MS) * HOUR_MS;
    if (perHour.size < MAX_HOURS || perHour.has(hour)) perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
    const early = !watching && time < until;
    options.onEvent?.(event, early ? "learn" : "watch");
    if (early) {
      before++;
      if ("learner" in past) past.learner.add(event);
      return;
    }
    detector ??= begin(time);
    watching = true;
    watched++;
    for (const alert of detector.add(event)) alerts.push(alert);
  };
  const successor = "learner" in past ? past.successor : undefined;
  const begin = (first: number): Detector => {
    if ("model" in past) return past.begin(first, options.onScore);
    past.check(past.learner, until);
    model = past.learner.fit(until);
    input.reader.adopt(model.groups);
    successor?.begin(model, past.learner);
    const begun = new Detector(model, past.learner, settings, options.onScore);
    if (options.rules) begun.manager.obey(options.rules);
    return begun;
  };
  let file: string | undefined;
  for await (const batch of input.batches()) {
    if (batch.file !== file) successor?.file(batch.file, lines, last);
    file = batch.file;
    const cited = options.name?.(file) ?? file;
    for (let i = 0; i < batch.lines.count; i++) {
      take(input.reader.read(cited, batch.lines, i));
      const next = detector && successor?.next(detector, alerts, lines, last);
      if (!next) continue;
      detector = await next;
      input.reader.adopt(detector.model.groups);
    }
  }
  options.onProgress?.(lines, "watch");
  if (!detector && "learner" in past) return undefined;
  detector ??= begin(until);
  detector.end();
  alerts.sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const { unknown, badEnvelope, truncated } = input.reader;
  const duplicates = input.duplicates();
  return {
    alerts,
    ledger: detector.ledger,
    model: model ?? detector.model,
    lines: { total: lines, unknown, badEnvelope, duplicates, truncated, before, watched },
    perHour: [...perHour].map(([time, n]) => ({ time, lines: n })).sort((a, b) => a.time - b.time),
    last,
  };
}

/** What was told, held back and read, in a line for standard error. */
export function ledgerText({ ledger, lines }: Pick<Driven, "ledger" | "lines">): string {
  const { total, watched, unknown, badEnvelope, duplicates } = lines;
  return (
    `${ledger.opened} alerts, ${ledger.held} held back by the budget${saidText(ledger)}; ${total} lines read, ${watched} of them watched` +
    ` (${unknown} not understood, ${badEnvelope} without a readable time, ${duplicates} duplicates left out)\n`
  );
}

/** What was not told because the operator said so; "" where nothing was. */
const saidText = ({ suppressed, planned }: Ledger): string =>
  (suppressed > 0 ? `, ${suppressed} hidden by feedback` : "") +
  (planned > 0 ? `, ${planned} planned in the calendar` : "");
