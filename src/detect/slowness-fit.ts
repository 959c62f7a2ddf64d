import { STAGES, type TimedDelivery } from "../feature/slowness.ts";
import type { Transaction } from "../feature/transaction.ts";
import type { Kernels } from "../model/kernels.ts";
import type { Calibration } from "./calibrate.ts";
import { joiner, SharedContents } from "./contents.ts";
import { LARGER, MIN_GAIN, Reach } from "./memory.ts";
import { fitReception, type ReceivedMessage, receivedOf } from "./reception.ts";
import {
  aboveExpected,
  columnOf,
  destinationKey,
  LEAST_SLOW,
  LEVELS,
  levelsAbove,
  logSeconds,
  PER_PROGRAM,
  type ProgramModel,
  SLOW_WIDTHS,
  type SlownessModel,
  type StageModel,
  slowNats,
} from "./slowness.ts";
import { type SlowPeak, slowPeak, slowPeakOf } from "./slowness-memory.ts";
import { FLOOR_NATS, NOTICE_NATS } from "./window.ts";
import { Highest, knownRows, leaveOneDayOut, type Notable, rolling, type TableRows } from "./window-fit.ts";

/** Learns how long deliveries take, and how often many of them are slow together. */

/** Deliveries that training remembers; of more, every second. */
const MAX_REMEMBERED = 80_000;
/** Programs and destinations that training tells apart; later ones are of no program, or of no destination. */
const MAX_PROGRAMS = 8;
const MAX_DESTINATIONS = 20_000;
/** A program with fewer deliveries, or on fewer days, teaches no quantiles. */
const MIN_DELIVERIES = 200;
const MIN_DAYS = 3;
/** Deliveries are never told to be less alike than this: training's days are few. */
const MIN_RHO = 0.002;
const MAX_RHO = 0.5;
/** A destination that is so little slower or faster than others, in ln(seconds), is not remembered. */
const MIN_SHIFT = 0.2;
const S = STAGES.length;

/** destination: its number, -1 for those beyond the table. */
type Sample = {
  readonly program: number;
  readonly destination: number;
  readonly slot: number;
  readonly seconds: readonly number[];
  /** Of a closed message, whose reception counts; undefined for a delivery's line, whose other stages count. */
  readonly message: ReceivedMessage | undefined;
};
/** A sample in its training day, with what those of its stages that count took beyond what was expected, as aboveExpected() says. */
type Placed = Sample & { readonly t: number; readonly day: number; readonly above: number[] };

export class SlownessCollector {
  #samples: Sample[] = [];
  readonly #programs = new Map<string, number>();
  readonly #destinations = new Map<string, number>();
  readonly #shared = new SharedContents();
  #stride = 1;
  /** Lines and messages that came: each are thinned for themselves. */
  readonly #seen: [number, number] = [0, 0];

  add(delivery: TimedDelivery, slot: number): void {
    this.#add(delivery, slot, undefined);
  }

  addMessage(t: Transaction, deliveries: readonly TimedDelivery[], slot: number): void {
    for (const delivery of deliveries) {
      const received = receivedOf(t, logSeconds(delivery.seconds[0]!));
      this.#add(delivery, slot, { ...received, shapes: this.#shared.of(received.shapes) });
    }
  }

  #add({ program, destination, seconds }: TimedDelivery, slot: number, message: Sample["message"]): void {
    if (this.#seen[message ? 1 : 0]++ % this.#stride !== 0) return;
    const p = number(this.#programs, program, MAX_PROGRAMS);
    if (p < 0) return;
    if (this.#samples.length >= MAX_REMEMBERED) {
      const kept = [0, 0];
      this.#samples = this.#samples.filter((s) => kept[s.message ? 1 : 0]!++ % 2 === 0);
      this.#stride *= 2;
    }
    const d = number(this.#destinations, destination, MAX_DESTINATIONS);
    this.#samples.push({ program: p, destination: d, slot, seconds, message });
  }

  /** groups: of joined shapes. old: the network to begin with. before: what is remembered. Undefined where no program has enough deliveries. */
  fit(
    rows: TableRows,
    groups: ReadonlyMap<string, string>,
    { salt, seed, kernels }: { readonly salt: string; readonly seed: number; readonly kernels: Kernels },
    old?: SlownessModel,
    before?: SlownessModel,
  ): SlownessModel | undefined {
    const { first, last } = rows.time;
    const { dayOf } = rows;
    const names = [...this.#programs.keys()];
    const destinationNames = [...this.#destinations.keys()];
    const programs: ProgramModel[] = [];
    const kept: Placed[] = [];
    const destinations: Record<string, readonly number[]> = {};
    const messages = this.#samples.filter((s) => s.message && s.slot >= first && s.slot <= last);
    const join = joiner(groups);
    const reception = fitReception(
      messages.map(({ message }) => ({ ...message!, shapes: join(message!.shapes) })),
      messages.map((s) => s.slot),
      seed,
      kernels,
      old?.reception,
    );
    const expected = new Map(messages.map((s, i) => [s.message, reception?.expected[i]]));
    for (const [p, program] of names.entries()) {
      const own = this.#samples
        .filter((s) => s.program === p && s.slot >= first && s.slot <= last)
        .map((s): Placed => {
          const t = s.slot - first;
          return { ...s, program: programs.length, t, day: dayOf[t]!, above: [] };
        });
      const lines = own.filter((s) => s.message === undefined);
      const received = own.filter((s) => s.message !== undefined);
      if (
        Math.min(lines.length, received.length) < MIN_DELIVERIES ||
        new Set(own.map((s) => s.day)).size < MIN_DAYS
      )
        continue;
      const shifts = STAGES.map(({ local }, s) => (local ? undefined : new Shifts(lines, s)));
      const mean = meanOf(received, 0);
      const stages = shifts.map((shift, s) =>
        shift
          ? fitStage(lines, s, shift.mean, (x) => shift.of(x.destination, x.day))
          : fitStage(received, s, mean, (x) => (expected.get(x.message) ?? mean) - mean),
      );
      programs.push({ program, stages });
      const seen = new Map(own.map((s) => [s.destination, s.slot])); // samples stand in order of time
      for (const [d, slot] of seen)
        if (d >= 0)
          destinations[destinationKey(salt, program, destinationNames[d]!)] = [
            ...shifts.map((shift) => shift?.of(d) ?? 0),
            slot,
          ];
      for (const s of own) kept.push(s);
    }
    if (programs.length === 0) return undefined;
    const model = {
      ...{ stride: this.#stride, salt, programs, destinations, reception: reception?.model },
      ...fitCounts(kept, programs, rows),
    };
    if (before) return remembering(model, before, first, new Reach(last, rows.time.flagged));
    const { alone: _, ...rest } = model;
    return rest;
  }
}

function number(known: Map<string, number>, name: string, most: number): number {
  const n = known.get(name);
  if (n !== undefined) return n;
  if (known.size >= most) return -1;
  known.set(name, known.size);
  return known.size - 1;
}

/** The mean of each destination, drawn towards the program's: a random effect by moments. Source: Searle et al., Variance Components (1992). */
class Shifts {
  readonly #mean: number;
  /** Weight of the program's mean, in deliveries: variance within destinations over the one between them. */
  readonly #weight: number;
  /** Destination, or destination and day -> how many, and their sum above the mean. */
  readonly #sums = new Map<string, { n: number; sum: number }>();

  constructor(samples: readonly Placed[], stage: number) {
    const values = samples.map((s) => logSeconds(s.seconds[stage]!));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    this.#mean = mean;
    let square = 0;
    for (const [i, { destination, day }] of samples.entries()) {
      const above = values[i]! - mean;
      square += above ** 2;
      for (const key of [`${destination}`, `${destination} ${day}`]) {
        const sums = this.#sums.get(key) ?? { n: 0, sum: 0 };
        sums.n++;
        sums.sum += above;
        this.#sums.set(key, sums);
      }
    }
    let between = 0;
    let groups = 0;
    for (const d of new Set(samples.map((s) => s.destination))) {
      const { n, sum } = this.#sums.get(`${d}`)!;
      between += sum ** 2 / n;
      groups++;
    }
    const within = (square - between) / Math.max(1, samples.length - groups);
    const spread = Math.max(0, square / samples.length - within);
    this.#weight = spread > 0 ? within / spread : Number.POSITIVE_INFINITY;
  }

  get mean(): number {
    return this.#mean;
  }

  /** day: the one that is left out. */
  of(destination: number, day?: number): number {
    const all = this.#sums.get(`${destination}`);
    if (all === undefined || destination < 0) return 0;
    const out = day === undefined ? undefined : this.#sums.get(`${destination} ${day}`);
    const n = all.n - (out?.n ?? 0);
    return n === 0 ? 0 : (all.sum - (out?.sum ?? 0)) / (n + this.#weight);
  }
}

const meanOf = (samples: readonly Placed[], stage: number): number =>
  samples.reduce((sum, s) => sum + logSeconds(s.seconds[stage]!), 0) / samples.length;

/** Also notes how far each sample is above what was expected. shiftOf: what it should take beyond the centre, by what did not see its day. */
function fitStage(
  samples: readonly Placed[],
  stage: number,
  centre: number,
  shiftOf: (sample: Placed) => number,
): StageModel {
  const seconds = samples.map((s) => s.seconds[stage]!);
  const shift = samples.map(shiftOf);
  const above = Float64Array.from(seconds, (x, i) => logSeconds(x) - centre - shift[i]!).sort();
  const limits = LEVELS.map((share) => quantile(above, 1 - share));
  for (const [i, s] of samples.entries())
    s.above[stage] = aboveExpected(stage, centre, shift[i]!, seconds[i]!);
  const sorted = Float64Array.from(seconds).sort();
  return {
    ...{ centre, limits },
    shares: limits.map((limit) =>
      shareOf(samples.filter((s) => s.above[stage]! > limit).length, samples.length),
    ),
    usual: [quantile(sorted, 0.05), quantile(sorted, 0.5), quantile(sorted, 0.95)],
  };
}

const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
/** Half a slow delivery is added, so that nothing is impossible. */
const shareOf = (slow: number, deliveries: number): number => (slow + 0.5) / (deliveries + 1);

/** The peaks and destinations that are remembered, too: those that say something. first: slot of training. */
function remembering(
  model: SlownessModel & Counts,
  before: SlownessModel,
  first: number,
  reach: Reach,
): SlownessModel {
  const destinations = { ...model.destinations };
  const others = Object.entries(before.destinations).sort(([, a], [, b]) => (b[S] ?? 0) - (a[S] ?? 0));
  let room = MAX_DESTINATIONS - Object.keys(destinations).length;
  for (const [name, shifts] of others) {
    const differs = shifts.slice(0, S).some((shift) => Math.abs(shift) >= MIN_SHIFT);
    if (name in destinations || !differs || !reach.holds(shifts[S] ?? 0)) continue;
    if (room-- > 0) destinations[name] = shifts;
  }
  const [C, oldC] = [model, before].map(({ programs }) => programs.length * PER_PROGRAM) as [number, number];
  const places = model.programs.map(({ program }) => before.programs.findIndex((p) => p.program === program));
  const peaks = model.peaks.map((own, i) => {
    const place = places[Math.floor((i % C) / PER_PROGRAM)]!;
    const at = Math.floor(i / C) * oldC + place * PER_PROGRAM + (i % PER_PROGRAM);
    const level = i % LEVELS.length;
    const { limits, shares } = model.programs[Math.floor((i % C) / PER_PROGRAM)]!.stages[stageOf(i)]!;
    const usual = {
      isSlow: (above: number) => levelsAbove(limits, above) > level,
      nats: (slow: number, deliveries: number) => slowNats(slow, deliveries, shares[level]!, model.rho[i]!),
    };
    return slowPeakOf(own, place < 0 ? undefined : before.peaks?.[at], usual, reach);
  });
  const ceiling = model.ceiling.map((nats, i) => {
    const { value, slot, allowed } = peaks[i]!;
    if (allowed !== undefined) return nats; // with its own mail, as ceilingOf() says
    return model.alone[i] === 1 || slot < first ? Math.max(nats, LARGER * value) : Math.max(nats, value);
  });
  const { alone: _, ...rest } = model;
  return { ...rest, destinations, peaks, ceiling };
}

/** alone: (W, C), whether the peak was far above all other days. */
type Counts = Pick<SlownessModel, "rho" | "ceiling" | "calibration"> & {
  readonly peaks: readonly SlowPeak[];
  readonly alone: Uint8Array;
};

/** Correlations, ceilings and calibration, day by day left out. */
function fitCounts(samples: readonly Placed[], programs: readonly ProgramModel[], rows: TableRows): Counts {
  const { days, dayOf } = rows;
  const P = programs.length;
  const T = dayOf.length;
  const known = knownRows(rows, 1);
  const C = P * PER_PROGRAM;
  const deliveries = new Float32Array(T * P * S);
  const slow = new Float32Array(T * C);
  /** By row and program. */
  const inRow = new Map<number, Placed[]>();
  for (const s of samples) {
    const place = s.t * P + s.program;
    const some = inRow.get(place);
    if (some === undefined) inRow.set(place, [s]);
    else some.push(s);
    for (const [stage, above] of s.above.entries()) {
      if (above === undefined) continue;
      const levels = levelsAbove(programs[s.program]!.stages[stage]!.limits, above);
      deliveries[place * S + stage]!++;
      for (let l = 0; l < levels; l++) slow[s.t * C + columnOf(s.program, stage, l)]!++;
    }
  }
  const share = sharesOfOtherDays(deliveries, slow, P * S, dayOf, days);
  const rho = new Float32Array(SLOW_WIDTHS.length * C);
  const ceiling = new Float32Array(SLOW_WIDTHS.length * C);
  const peaks: SlowPeak[] = [];
  const alone = new Uint8Array(ceiling.length);
  const calibration: Calibration[] = [];
  /** What the deliveries of column j's program took in its stage, in the window of so many slots that ends with row t. */
  const aboveIn = (j: number, t: number, width: number): number[] => {
    const above: number[] = [];
    for (let row = Math.max(0, t - width + 1); row <= t; row++)
      for (const s of inRow.get(row * P + Math.floor(j / PER_PROGRAM)) ?? []) {
        const value = s.above[stageOf(j)];
        if (value !== undefined) above.push(value);
      }
    return above;
  };
  for (const [w, width] of SLOW_WIDTHS.entries()) {
    const n = rolling(deliveries, P * S, width);
    const k = rolling(slow, C, width);
    const found: Notable[] = [];
    for (let j = 0; j < C; j++) {
      const stage = Math.floor(j / LEVELS.length);
      let spread = 0;
      let expected = 0;
      for (let t = 0; t < T; t++) {
        const m = n[t * P * S + stage]!;
        const p = share[dayOf[t]! * C + j]!;
        spread += (k[t * C + j]! - m * p) ** 2 - m * p * (1 - p);
        expected += m * (m - 1) * p * (1 - p);
      }
      const own = Math.min(MAX_RHO, Math.max(MIN_RHO, expected > 0 ? spread / expected : MIN_RHO));
      rho[w * C + j] = own;
      for (let t = 0; t < T; t++) {
        if (k[t * C + j]! < LEAST_SLOW) continue;
        const nats = slowNats(k[t * C + j]!, n[t * P * S + stage]!, share[dayOf[t]! * C + j]!, own);
        if (nats >= NOTICE_NATS) found.push({ t, j, nats });
      }
    }
    const left = leaveOneDayOut(rows, C, found, known);
    ceiling.set(left.ceilings, w * C);
    const highest = new Highest(C);
    const at = new Int32Array(C);
    for (const { t, j, nats } of found) {
      if (nats > highest.first[j]!) at[j] = t;
      highest.add(j, dayOf[t]!, nats);
    }
    for (let j = 0; j < C; j++) {
      const others = Math.max(FLOOR_NATS, highest.without(j, dayOf[at[j]!]!));
      alone[w * C + j] = highest.first[j]! - others >= MIN_GAIN ? 1 : 0;
      const peak = { value: left.ceilings[j]!, slot: rows.time.first + at[j]! };
      peaks.push(highest.first[j]! > 0 ? slowPeak(peak, aboveIn(j, at[j]!, width)) : peak);
    }
    calibration.push(left.calibration);
  }
  return { rho, ceiling, peaks, alone, calibration };
}

/** Which stage column j of (W, C) is of. */
const stageOf = (j: number): number => Math.floor((j % PER_PROGRAM) / LEVELS.length);

/** (days, C): share of slow deliveries on all other days. */
function sharesOfOtherDays(
  deliveries: Float32Array,
  slow: Float32Array,
  S: number,
  dayOf: Int32Array,
  days: number,
): Float64Array {
  const C = S * LEVELS.length;
  const n = new Float64Array((days + 1) * S);
  const k = new Float64Array((days + 1) * C);
  for (const [t, day] of dayOf.entries()) {
    for (const d of [day, days]) {
      for (let s = 0; s < S; s++) n[d * S + s]! += deliveries[t * S + s]!;
      for (let j = 0; j < C; j++) k[d * C + j]! += slow[t * C + j]!;
    }
  }
  const share = new Float64Array(days * C);
  for (let d = 0; d < days; d++) {
    for (let j = 0; j < C; j++) {
      const s = Math.floor(j / LEVELS.length);
      share[d * C + j] = shareOf(k[days * C + j]! - k[d * C + j]!, n[days * S + s]! - n[d * S + s]!);
    }
  }
  return share;
}
