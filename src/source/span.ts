import { Fault } from "../fault.ts";
import { yearFromNames } from "../log/rotation.ts";
import type { Stamp } from "../log/stamp.ts";
import { LogClock } from "../log/year.ts";
import type { Zone } from "../log/zone.ts";
import { type Input, inferYear, openInputs } from "./files.ts";
import { inOrderOfTime } from "./order.ts";

/** Lines may come this much later than those of the file after them: several hosts write into one log. */
const LATE_MS = 3_600_000;
/** More files of one log are not looked into. */
const MAX_FILES = 400;
/** Where turns of the year are counted alone, it must have every day. */
const ANY_LEAP_YEAR = 2000;

export type Span = {
  /** Milliseconds since the Unix epoch; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly zone: Zone;
  /** The clock, for years that lines leave out. */
  readonly now: number;
};

export type SpanFiles = {
  readonly files: readonly string[];
  /** Of the first line of the first file; undefined where lines name their years. */
  readonly year: number | undefined;
  /** Files that could not be looked into. */
  readonly faults: readonly Fault[];
};

type Peeked = { readonly file: string; readonly first: Stamp | undefined; readonly input: Input };

/**
 * Of one log's files those that may hold lines of a time. Only their heads are read, and the newest one where lines lack
 * the year: a file ends where the next one begins.
 */
export async function filesOfSpan(files: readonly string[], span: Span): Promise<SpanFiles> {
  const faults: Fault[] = [];
  const peeked: Peeked[] = [];
  for (const file of files.slice(0, MAX_FILES)) {
    try {
      const [input] = (await openInputs([file])).inputs;
      if (input !== undefined) peeked.push({ file, first: input.first, input });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!error.message.startsWith("the file is empty")) faults.push(error);
    }
  }
  const ordered = inOrderOfTime(peeked);
  const times = await timesOf(ordered, span);
  const kept: number[] = [];
  for (let i = 0; i < ordered.length; i++) {
    const begin = times[i];
    const next = times.slice(i + 1).find((time) => time !== undefined);
    const late = begin !== undefined && begin >= span.to + LATE_MS;
    const early = begin !== undefined && next !== undefined && next < span.from - LATE_MS;
    if (!late && !early) kept.push(i);
  }
  const first = kept.find((i) => ordered[i]!.first?.year === 0 && times[i] !== undefined);
  const begin = first === undefined ? undefined : times[first]!;
  return {
    files: kept.map((i) => ordered[i]!.file),
    year: begin === undefined ? undefined : new Date(begin + span.zone.offsetAt(begin)).getUTCFullYear(),
    faults,
  };
}

/** When each file begins, in milliseconds; undefined for one without a time. */
async function timesOf(ordered: readonly Peeked[], span: Span): Promise<(number | undefined)[]> {
  const clock = new LogClock(span.zone, await firstYear(ordered, span));
  return ordered.map(({ first }) => (first === undefined ? undefined : (clock.settle(first) ?? undefined)));
}

/** The year of the first file that names none: what names of files say, else counted back from that of the newest one. */
async function firstYear(ordered: readonly Peeked[], span: Span): Promise<number | undefined> {
  const bare = ordered.filter(({ first }) => first?.year === 0);
  const newest = bare.at(-1);
  if (newest === undefined) return undefined;
  const named = yearFromNames(bare);
  if (named !== undefined) return named;
  const year = await inferYear([newest.input], span.now, span.zone);
  return year === undefined ? undefined : year - turnsOf(bare, span.zone);
}

/** How often the year turns between the heads of files, which are in order. */
function turnsOf(files: readonly Peeked[], zone: Zone): number {
  const clock = new LogClock(zone, ANY_LEAP_YEAR);
  const times = files.flatMap(({ first }) => clock.settle(first!) ?? []);
  const year = (ms: number): number => new Date(ms + zone.offsetAt(ms)).getUTCFullYear();
  return times.length === 0 ? 0 : year(times.at(-1)!) - year(times[0]!);
}
