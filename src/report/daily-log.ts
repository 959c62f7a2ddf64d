import { randomBytes } from "node:crypto";
import type { LogConfig } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { EventReader } from "../mail/read.ts";
import { MailSummary, type Summary } from "../mail/summary.ts";
import { expandArguments } from "../source/expand.ts";
import { inferYear, openInputs, readInputs } from "../source/files.ts";
import { JOURNAL } from "../source/journal.ts";
import { rotationsOf } from "../source/log-files.ts";
import { filesOfSpan } from "../source/span.ts";

/** The log of one day, read again for the report's mail figures. */

/** Rows of a list in the report's data; what is left out is counted in `omitted`. */
const ROWS = 20;
/** Entries of a journal from before the day tell the sizes of messages that were under way at midnight. */
const EARLIER_MS = 3_600_000;

export type Day = {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly zone: Zone;
  /** Its bounds, in milliseconds since the Unix epoch; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
};

export type DayLog = {
  /** Undefined when no line of the day was found. */
  readonly summary: Summary | undefined;
  /** Lines of the day; one without a time is of the day of the line before. */
  readonly lines: number;
  readonly unknown: number;
  readonly badEnvelope: number;
  /** What could not be read. */
  readonly faults: readonly Fault[];
};

/** A day in a zone. Where clocks skip midnight it begins with the first time there is. */
export function dayOf(day: string, timezone: string): Day {
  const zone = new Zone(timezone);
  const local = Date.parse(`${day}T00:00:00Z`);
  const next = local + 86_400_000;
  return { day, zone, from: zone.toUtc(local, Number.NaN), to: zone.toUtc(next, Number.NaN) };
}

/**
 * Reads what FILE arguments hold of a day. year: of the first line, where it is known. now: the clock, for years that
 * lines leave out. Throws a Fault for what can't be read, unless it is to be told to `tell`: then the rest is read.
 */
export async function readDay(
  files: readonly string[],
  day: Day,
  year: number | undefined,
  now: number,
  tell?: (fault: Fault) => void,
): Promise<DayLog> {
  const { inputs } = await openInputs(files, { stdin: process.stdin, span: entriesOf(day) });
  const first = year ?? (await inferYear(inputs, now, day.zone));
  const reader = new EventReader(new LogClock(day.zone, first), randomBytes(4).readUInt32LE());
  const summary = new MailSummary(day.day, day.zone.name);
  let badEnvelope = 0;
  let inside = false; // whether the last line with a time is of the day
  for (const input of inputs)
    await toldOrThrown(tell, async () => {
      for await (const { file, lines } of readInputs([input]))
        for (let i = 0; i < lines.count; i++) {
          const event = reader.read(file, lines, i);
          summary.add(event);
          if (event.time !== null) inside = event.time >= day.from && event.time < day.to;
          else if (inside) badEnvelope++;
        }
    });
  const result = summary.summary(ROWS);
  const { lines, unknown } = result;
  return {
    summary: lines === 0 ? undefined : result,
    lines: lines + badEnvelope,
    unknown,
    badEnvelope,
    faults: [],
  };
}

const entriesOf = (day: Day): { from: number; to: number } => ({ from: day.from - EARLIER_MS, to: day.to });

async function toldOrThrown(
  tell: ((fault: Fault) => void) | undefined,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (tell === undefined || !(error instanceof Fault)) throw error;
    tell(error);
  }
}

/** Reads the day from what is followed: of the logs and their rotated copies only those that may hold it. What can't be read is told. */
export async function readConfiguredDay(log: LogConfig, day: Day, now: number): Promise<DayLog> {
  const faults: Fault[] = [];
  const tell = (fault: Fault): void => void faults.push(fault);
  const files: string[] = [];
  const years: number[] = [];
  for (const path of log.paths)
    await toldOrThrown(tell, async () => {
      const logs = rotationsOf([path]);
      if (logs.length === 0) expandArguments([path]); // throws: there is none
      for (const rotations of logs) {
        const found = await filesOfSpan(rotations, { ...day, now });
        files.push(...found.files);
        faults.push(...found.faults);
        if (found.year !== undefined) years.push(found.year);
      }
    });
  if (log.journal)
    await toldOrThrown(tell, async () => {
      await openInputs([JOURNAL], { span: entriesOf(day) }); // throws where there is none
      files.push(JOURNAL);
    });
  let read: DayLog = { summary: undefined, lines: 0, unknown: 0, badEnvelope: 0, faults };
  if (files.length > 0)
    await toldOrThrown(tell, async () => {
      read = await readDay(files, day, years.length === 0 ? undefined : Math.min(...years), now, tell);
    });
  return { ...read, faults };
}
