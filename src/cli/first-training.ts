import type { Draft } from "../config/write.ts";
import { Fault } from "../fault.ts";
import { DAY_MS } from "../feature/clock.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import { localTime } from "../report/format.ts";
import { isQuiet, type Options } from "./options.ts";
import { faultText, writeError, writeOut } from "./out.ts";
import { loadPrior } from "./prior.ts";
import { createProgress } from "./progress.ts";
import { replay } from "./replay.ts";
import { configuredFiles } from "./sources.ts";
import type { FoundLogs } from "./survey-logs.ts";
import { type Trained, train } from "./train.ts";

/** What `init` does once the configuration is written: learn from the past, and try it out on the last days. */

const TITLE = 90;
/** Days that are replayed after the training, and the history that is left to learn from at least. */
const REPLAY_DAYS = [7, 3, 1];
const LEAST_PAST_DAYS = 3;
/** Alerts of the replay that are shown. */
const MAX_SHOWN = 10;
/** Days of history that are learned; as [retrain] days. */
const HISTORY_DAYS = 35;

/** Learns from the logs and their rotated copies, then shows what the last days would have brought. A log too short is no failure. */
export async function learn(logs: FoundLogs, draft: Draft, options: Options): Promise<Trained | undefined> {
  const paths = logs.files.filter((file) => file.state === "readable").map((file) => file.path);
  try {
    const files = configuredFiles({ paths, journal: draft.journal });
    if (files.length === 0) {
      await writeOut("nothing was learned: there is no log that this user may read\n");
      return undefined;
    }
    const flags = { ...options, seed: "1", timezone: draft.timezone, prior: draft.prior };
    const trained = await train(files, flags, HISTORY_DAYS);
    await writeOut(`learned from ${files.length} files: ${trained.text}`);
    await rehearse(files, trained, draft, flags);
    return trained;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    writeError(faultText(error));
    await writeOut("nothing was learned yet; once that is mended: logvane train\n");
    return undefined;
  }
}

/** What would have been told in the last days, had only the days before been known. */
async function rehearse(
  files: readonly string[],
  trained: Trained,
  draft: Draft,
  options: Options,
): Promise<void> {
  const days = (trained.to - trained.from) / DAY_MS;
  const last = REPLAY_DAYS.find((n) => days - n >= LEAST_PAST_DAYS);
  if (last === undefined) {
    await writeOut(
      `${days.toFixed(1)} days of log are too few to try it out on the past; it gets better with each week\n`,
    );
    return;
  }
  const progress = createProgress("trying it out on the past", 0, { quiet: isQuiet(options) });
  const { alerts, ledger } = await replay({
    files,
    options,
    until: { sinceMs: last * DAY_MS },
    budget: draft.perDay,
    prior: draft.prior ? loadPrior() : undefined,
    without: new Set(),
    seed: 1,
    onProgress: (lines) => progress.update(lines),
  });
  progress.end();
  const told = alerts.filter((alert) => !alert.held);
  const span = last === 1 ? "day" : `${last} days`;
  await writeOut(
    `\nthe last ${span}, had Logvane watched: ${told.length} alerts, ${ledger.held} held back by the budget of ${draft.perDay} a day\n`,
  );
  for (const { openedAt, severity, title } of told.slice(0, MAX_SHOWN))
    await writeOut(
      `  ${localTime(openedAt, draft.timezone)}  ${severity.padEnd(9)}${terminalSafe(cut(title, TITLE))}\n`,
    );
  if (told.length > MAX_SHOWN) await writeOut(`  and ${told.length - MAX_SHOWN} more\n`);
}
