import { readFileSync } from "node:fs";
import { compose } from "../../src/compose/compose.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { type Corpus, yearOf, zoneOf } from "../accuracy/corpus.ts";
import { linesOf } from "../command.ts";
import { loadMaterial, type Site } from "../episodes.ts";
import { CUT, planOf, type Time } from "./plans.ts";
import type { Line } from "./watch.ts";

/** Logs in which things come again, composed and recorded. */

/** A reload is no sign of what is wrong: it comes before some faults, and alone. */
const RELOAD = /\breload|\brefreshing\b|SIGHUP/;

export type LoggedFault = {
  readonly kind: string;
  /** Its how-manieth time, from 0; 2 is the larger one of a composed log. */
  readonly nth: Time;
  /** Log time in ms. */
  readonly start: number;
  /** Lines that are its trace. */
  readonly size: number;
  /** Whether a line, from 1, shows it. */
  readonly shows: (line: number) => boolean;
};

export type Log = {
  readonly name: string;
  readonly lines: readonly Line[];
  /** End of training, in ms. */
  readonly until: number;
  readonly zone: string;
  readonly year: number;
  readonly seed: number;
  readonly faults: readonly LoggedFault[];
};

export function composedLog(site: Site, seed: number, mailsPerDay: number): Log {
  const plan = planOf(site, seed, mailsPerDay);
  const lines: Line[] = [];
  const faultOf: number[] = [];
  const sizes = plan.faults.map(() => 0);
  for (const batch of compose(plan, loadMaterial(site).material))
    for (const { time, text, fault } of batch) {
      lines.push({ time, text });
      faultOf.push(RELOAD.test(text) ? -1 : fault);
      if (fault >= 0) sizes[fault]!++;
    }
  const faults = plan.faults.map(({ kind, nth, start }, i) => ({
    ...{ kind, nth, start: Date.parse(start), size: sizes[i]! },
    shows: (line: number): boolean => faultOf[line - 1] === i,
  }));
  return {
    ...{ name: `${site} site, seed ${seed}`, lines, until: CUT, zone: "UTC", year: 2026 },
    seed,
    faults,
  };
}

type Label = {
  readonly kind: string;
  readonly start: string;
  readonly affected: readonly (readonly [first: number, last: number])[];
};

/** A recorded log. The second label of a kind is the repetition of the first. */
export function recordedLog(corpus: Corpus): Log {
  const until = Date.parse(corpus.trainUntil);
  const [zone, year] = [zoneOf(corpus), yearOf(corpus)];
  const reader = new EventReader(new LogClock(new Zone(zone), year), 1);
  const lines: Line[] = [];
  let time = Number.NEGATIVE_INFINITY;
  for (const text of linesOf(corpus.log)) {
    if (text === "") break;
    time = Math.max(time, reader.readText("mail.log", lines.length + 1, text).time ?? time);
    lines.push({ time, text });
  }
  const labels = JSON.parse(readFileSync(corpus.labels, "utf8")) as Label[];
  const faults = labels.map(({ kind, start, affected }, i): LoggedFault => {
    const before = labels.slice(0, i).filter((label) => label.kind === kind).length;
    return {
      ...{ kind, nth: Math.min(1, before) as Time, start: Date.parse(start) },
      size: affected.reduce((n, [first, last]) => n + last - first + 1, 0),
      shows: (line) => affected.some(([first, last]) => line >= first && line <= last),
    };
  });
  return { ...{ name: corpus.name, lines, until, zone, year }, seed: 1, faults };
}
