import { randomBytes } from "node:crypto";
import type { Config, LogConfig } from "../config/config.ts";
import { Engine, type EngineOptions } from "../engine/engine.ts";
import { unpackWarm } from "../engine/warm.ts";
import { Fault } from "../fault.ts";
import { localClock } from "../feature/clock.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { ownMailKey } from "../mail/own.ts";
import { EventReader } from "../mail/read.ts";
import type { Kernels } from "../model/kernels.ts";
import { Detector } from "../pipeline/detector.ts";
import { coldStart } from "../pipeline/model.ts";
import { Follower } from "../source/follow.ts";
import { isSameFile, type Position, type Run } from "../source/position.ts";
import { type Champion, loadChampion } from "../store/champion.ts";
import { lockFolder } from "../store/db.ts";
import type { Input } from "../store/live.ts";
import { openStore, type Store } from "../store/queries.ts";

/** Opens what a watch needs: the state, the sources behind the positions of the last commit, and the engine as it was then. */

export type OpenOptions = {
  readonly config: Config;
  readonly stateDir: string;
  readonly kernels: Kernels;
  readonly now: () => number;
  /** Forgets the checkpoint: windows begin empty. Positions stay. */
  readonly cold: boolean;
  readonly say: (text: string) => void;
  readonly fault: (fault: Fault) => void;
};

export type Opened = {
  readonly store: Store;
  readonly champion: Champion;
  readonly engine: Engine;
  readonly follower: Follower;
  readonly close: () => Promise<void>;
};

/** Throws a Fault: another process watches with this state, there is no model, or the state can't be used. */
export async function openWatch(options: OpenOptions): Promise<Opened> {
  const { config, stateDir, kernels, now } = options;
  const lock = lockFolder(stateDir);
  if (lock === undefined) throw locked(stateDir);
  const store = openStore(stateDir);
  let follower: Follower | undefined;
  const close = async (): Promise<void> => {
    await follower?.close();
    store.close();
    lock.close();
  };
  try {
    const champion = loadChampion(store, stateDir, kernels, "no line can be scored");
    const positions = store.live.positions() as Map<string, Position>;
    const from = { time: champion.model.to };
    follower = await Follower.open(config.log, positions, { stateDir, now, from });
    const engine = await engineOf(options, store, champion, follower);
    return { store, champion, engine, follower, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function engineOf(
  { config, kernels, cold, say, fault, ...where }: OpenOptions,
  store: Store,
  { id, model, pairs }: Champion,
  follower: Follower,
): Promise<Engine> {
  const zone = new Zone(config.log.timezone);
  const settings = {
    clock: localClock(zone),
    budget: config.alerts.perDay,
    without: new Set<never>(),
    salt: model.entity.salt,
    seed: 1,
    kernels,
  };
  const { name } = config.server;
  const options: EngineOptions = {
    model,
    modelId: id,
    settings,
    zone: zone.name,
    isOurs: (messageId) => {
      const key = ownMailKey(messageId, name);
      return key !== undefined && store.outbox.holds(key);
    },
  };
  const clock = new LogClock(zone, new Date(model.to + zone.offsetAt(model.to)).getUTCFullYear());
  const reader = new EventReader(clock, randomBytes(4).readUInt32LE());
  reader.adopt(model.groups);
  const checkpoint = cold ? undefined : store.live.checkpoint();
  const restored = checkpoint && Engine.restore(checkpoint, options, reader);
  if (restored) {
    await again(restored, store.live.inputs(), follower, fault);
    return restored;
  }
  const warm = cold ? undefined : store.warmState(id);
  const detector =
    (warm && unpackWarm(warm, model, settings, reader)) ??
    new Detector(model, coldStart(model.entity.salt, pairs), settings);
  const engine = new Engine(options, detector, reader);
  if (checkpoint) {
    const why =
      checkpoint.model === id
        ? "the running detector was saved by another release"
        : "another model is in use than before";
    say(`${why}: the model reads again what came since its training\n`);
    await catchUp(engine, model.to, config.log, where, store.live.positions() as Map<string, Position>);
    engine.adopt(checkpoint);
  }
  engine.startAt(follower.positions());
  return engine;
}

/** Takes in again what was taken in since the checkpoint: the state of the last commit, whose effects are all written. */
async function again(
  engine: Engine,
  inputs: readonly Input[],
  follower: Follower,
  fault: (fault: Fault) => void,
): Promise<void> {
  for (const input of inputs) {
    if ("tick" in input) {
      engine.tick(input.tick);
      continue;
    }
    if ("rules" in input) {
      engine.obey(input.rules);
      continue;
    }
    try {
      for await (const run of follower.reread(input as Pick<Run, "source" | "from" | "to">)) engine.take(run);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      fault(error); // they are counted and were judged; only the windows lack them
    }
  }
  engine.drain();
}

/**
 * Brings a new model's engine from the end of its training to the positions of the last commit. What it finds on the way was
 * judged by the model before it.
 */
async function catchUp(
  engine: Engine,
  since: number,
  log: LogConfig,
  { stateDir, now }: { readonly stateDir: string; readonly now: () => number },
  positions: ReadonlyMap<string, Position>,
): Promise<void> {
  // The listeners' ports are taken already; what they received since is in their spools, and is left out.
  const follower = await Follower.open({ ...log, listen: [] }, new Map(), {
    stateDir,
    now,
    from: { time: since },
  });
  const ahead = new Set(positions.keys());
  try {
    while (ahead.size > 0) {
      const run = await follower.next(1000);
      if (run === undefined && follower.caughtUp) return;
      if (run === undefined || !ahead.has(run.source)) continue;
      const end = positions.get(run.source)!;
      const beyond = linesBeyond(run, end);
      if (beyond >= 0) {
        ahead.delete(run.source);
        run.lines.count = Math.max(0, run.lines.count - beyond);
      }
      engine.take(run);
    }
  } finally {
    await follower.close();
  }
}

/** How many of a run's lines lie behind a position; negative where it ends before that. */
function linesBeyond({ to }: Run, end: Position): number {
  if (to.kind === "file" && end.kind === "file" && !isSameFile(to, end)) return -1;
  if (to.kind === "spool" && end.kind === "spool" && to.segment < end.segment) return -1;
  return to.line - end.line;
}

const locked = (stateDir: string): Fault =>
  new Fault(
    "temporary",
    "another logvane watches with this state",
    `state folder ${stateDir}`,
    "nothing was read, so that no line counts twice",
    "stop the other one first (systemctl stop logvane), or name another folder with --state",
  );
