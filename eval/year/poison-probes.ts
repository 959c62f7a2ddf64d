import { eachEvent } from "../../src/cli/events.ts";
import { type MailInput, openMail } from "../../src/cli/input.ts";
import { loadKernels } from "../../src/cli/kernels.ts";
import { type Contender, Walker, walk } from "../../src/cli/walker.ts";
import type { Material } from "../../src/compose/material.ts";
import { stream } from "../../src/compose/stream.ts";
import { DAY_MS, localClock } from "../../src/feature/clock.ts";
import { type Injection, injectionOf } from "../../src/pipeline/injection.ts";
import { Sketcher } from "../../src/pipeline/sketch.ts";
import { WARM_UP_MS } from "../../src/pipeline/trial.ts";
import { START, ZONE } from "./plan.ts";
import { KIND_OF, type Learned, POISON_END, STOPPED } from "./poison.ts";
import { BUDGET, SEED } from "./run.ts";

/** Attacks of many sizes, each put into a fork of a detector by itself: the same lines into the same log, whichever model watches. */

/** Of the kinds' usual strength: from what is hardly to be seen to all of it. */
const SIZES: Readonly<Record<Learned, readonly number[]>> = {
  ramp: [0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1],
  flood: [0.0025, 0.01, 0.1],
};
const MINUTE_MS = 60_000;
const ATTACK_MS = 60 * MINUTE_MS;
/** An alert is waited for so long after the end. */
const AFTER_MS = 25 * MINUTE_MS;
/** One begins in each hour, so that all hours of the day are met. */
const APART_MS = 60 * MINUTE_MS;

type Attack = Injection & { readonly size: number };
/** What became of an attack: minutes from its beginning to the alert that cites its lines; null where there was none. */
export type Probed = { readonly size: number; readonly start: number; readonly minutes: number | null };

const open = (files: readonly string[]): Promise<MailInput> =>
  openMail(files, { timezone: ZONE, year: new Date(START).getUTCFullYear() });

/** Attacks of all sizes at the same times, in the names of the server whose log it is. files: of the days after the eight weeks. */
export async function attacksOn(
  files: readonly string[],
  attacker: Learned,
  material: Material,
): Promise<Attack[]> {
  const sketcher = new Sketcher();
  await eachEvent(await open(files), (event) => {
    if (event.time !== null && event.time >= STOPPED) sketcher.see(event);
  });
  const sketch = sketcher.sketch(ZONE, (POISON_END - STOPPED) / DAY_MS)!;
  const random = stream(SEED, "poison", attacker);
  const from = STOPPED + WARM_UP_MS;
  const places = Math.floor((POISON_END - ATTACK_MS - AFTER_MS - from) / APART_MS);
  const kind = KIND_OF[attacker];
  return Array.from({ length: places }, (_, n) => {
    const start = from + Math.floor((n + random.uniform()) * (APART_MS / MINUTE_MS)) * MINUTE_MS;
    const wanted = { kind, start, faultMs: ATTACK_MS, afterMs: AFTER_MS, seed: n + 1 };
    return SIZES[attacker].map((size) => ({
      size,
      ...injectionOf({ ...wanted, intensity: size }, sketch, material),
    }));
  }).flat();
}

/** What a model finds of them in a log. */
export async function probe(
  files: readonly string[],
  contender: Contender,
  attacks: readonly Attack[],
): Promise<Probed[]> {
  const input = await open(files);
  const settings = {
    ...{ clock: localClock(input.zone), budget: BUDGET, without: new Set<never>() },
    ...{ salt: "", seed: SEED, kernels: loadKernels() },
  };
  const walker = new Walker(input, contender, settings, STOPPED, () => true, attacks);
  await walk(input, [walker], { what: "attacks", quiet: true });
  walker.end();
  return walker.probes
    .filter(({ traceless }) => !traceless)
    .map(({ injection, found }) => ({
      size: (injection as Attack).size,
      start: injection.start,
      minutes: found === undefined ? null : (found - injection.start) / MINUTE_MS,
    }));
}
