import { Fault } from "../fault.ts";
import { folderBytes } from "../store/folder.ts";
import { type Health, readHealth } from "../store/health.ts";
import { openStore } from "../store/queries.ts";
import { reserveBytes } from "../store/retention.ts";
import type { Check } from "./doctor.ts";
import type { Options } from "./options.ts";
import { changeToLearn, lastTried } from "./retrain-due.ts";
import { loadConfig } from "./settings.ts";

/** What doctor tells of a state that can be opened: how large it is, how old, and what it lost. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What was given up longer ago is no concern any more. */
const RECENT_MS = 7 * DAY_MS;
/** Tables are bounded, and so a state that is larger holds something that it shouldn't. */
const LARGE_BYTES = 2e9;
const WAITING_MS = 30 * 60_000;
const OLD_MODEL_MS = 21 * DAY_MS;
/** A watch writes a checkpoint every 15 minutes in which it reads lines. */
const OLD_CHECKPOINT_MS = DAY_MS;

/** The figures of the state in `dir`; none where there is none, or where the state's own check fails. now: in ms. */
export async function checkFigures(dir: string, options: Options, now: number): Promise<Check[]> {
  try {
    const health = readHealth(dir, now - RECENT_MS);
    if (health === undefined) return [];
    return [
      sizeOf(health, folderBytes(dir), reserveBytes(dir)),
      lostOf(health),
      outboxOf(health, now),
      modelOf(health, now),
      changeOf(dir, health, now),
      checkpointOf(health, now),
      ...(await keepOf(options)),
    ];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** A check that warns where a remedy is given. */
function check(name: string, found: string, remedy: string | undefined): Check {
  if (remedy === undefined) return { name, status: "ok", found };
  return { name, status: "warn", found, remedy };
}

/** What is for the lines is all but the reserve, which has one size for ever. */
function sizeOf({ lines }: Health, bytes: number, reserve: number): Check {
  const rate = lines >= 1e5 ? `, ${megabytes(((bytes - reserve) * 1e6) / lines)} for a million lines` : "";
  const fixed = reserve > 0 ? ` and a reserve of ${megabytes(reserve)}` : "";
  return check(
    "size",
    `${megabytes(bytes - reserve)}${fixed}, ${lines.toLocaleString("en-US")} lines counted${rate}`,
    bytes < LARGE_BYTES ? undefined : "see what is large there (du -a), and shorten the times under [keep]",
  );
}

const megabytes = (bytes: number): string =>
  `${(bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: 1 })} MB`;

function lostOf({ lost }: Health): Check {
  return check(
    "lost",
    `${lost.toLocaleString("en-US")} lines lost in the last two days`,
    lost === 0
      ? undefined
      : "the journal of the service says where (journalctl -u logvane); docs/watching.md tells what loses lines",
  );
}

function outboxOf({ waiting, waitingSince, givenUp }: Health, now: number): Check {
  const since = waitingSince === undefined ? "" : `, the first for ${age(now - waitingSince)}`;
  const found = `${waiting} notifications wait${since}; ${givenUp} given up in the last week`;
  const late = waitingSince !== undefined && now - waitingSince > WAITING_MS;
  return check(
    "outbox",
    found,
    late || givenUp > 0 ? "try the channels: logvane check --send-test (it says what keeps them)" : undefined,
  );
}

function modelOf({ modelTo }: Health, now: number): Check {
  if (modelTo === undefined)
    return check("model", "none", "let it learn: logvane train (or logvane init, which sets all up)");
  const old = now - modelTo > OLD_MODEL_MS;
  return check(
    "model",
    `learned until ${age(now - modelTo)} ago`,
    old ? "learn anew: logvane retrain (logvane schedule install does it weekly)" : undefined,
  );
}

/** What was changed on the server after all that the model has learned of. */
function changeOf(dir: string, { modelTo }: Health, now: number): Check {
  const store = openStore(dir);
  const change = changeToLearn(store, lastTried(store, modelTo ?? now), now);
  store.close();
  if (change === undefined) return check("change", "none that is not learned yet", undefined);
  const found = `${age(now - change.at)} ago: ${change.title}`;
  return check("change", found, "learned two days after it by the schedule, or now: logvane retrain");
}

function checkpointOf({ checkpointTo }: Health, now: number): Check {
  if (checkpointTo === undefined) return check("checkpoint", "none: no watch has run here", undefined);
  const old = now - checkpointTo > OLD_CHECKPOINT_MS;
  return check(
    "checkpoint",
    `of log time ${age(now - checkpointTo)} ago`,
    old ? "see whether the watch runs and reads: logvane schedule show, logvane check" : undefined,
  );
}

/** How long things are kept. A configuration with mistakes has a check of its own. */
async function keepOf(options: Options): Promise<Check[]> {
  const { config, mistakes } = await loadConfig(options);
  if (mistakes.length > 0) return [];
  const { alertsDays, linesDays, notificationsDays } = config.keep;
  const found = `alerts ${alertsDays} days, their lines ${linesDays}, notifications ${notificationsDays}`;
  return [check("keep", found, undefined)];
}

function age(ms: number): string {
  if (ms < 2 * HOUR_MS) return `${Math.max(0, Math.round(ms / 60_000))} min`;
  return ms < 2 * DAY_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / DAY_MS)} days`;
}
