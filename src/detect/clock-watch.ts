import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import type { SeenLine } from "../feature/transaction.ts";

/** The times of a host's program went back by so much, and no more: a second file that begins days earlier is no clock ... */
const BACK_MS = 10 * 60_000;
const MOST_BACK_MS = 12 * 3_600_000;
/** ... and stayed there for so many lines in a row, over so much of its own time: a file out of order ends sooner, or never begins. */
const LINES = 12;
const SPAN_MS = 60_000;
const MAX_WRITERS = 4096;
const KEEP = 5;

type Writer = { latest: number; late: number; from: number; told: boolean; lines: SeenLine[] };

/** By host and program, with the numbers of their lines. */
export type SavedWriters = readonly (readonly [
  string,
  Omit<Writer, "lines"> & { readonly lines: readonly number[] },
])[];

export type ClockFinding = {
  readonly host: string;
  readonly backMs: number;
  readonly lines: readonly SeenLine[];
};

/** Tells when a clock is set back, of a host or of one program alone. Writers may be late against each other: each has its own time. */
export class ClockWatch {
  /** By host, then by program. */
  readonly #writers = new Map<string, Map<string, Writer>>();
  #count = 0;

  /** time: the line's own, in ms. line: what may be cited. */
  see(host: string, program: string, time: number, line: SeenLine): ClockFinding | undefined {
    let known = this.#writers.get(host)?.get(program);
    if (!known) {
      known = { latest: time, late: 0, from: Number.NaN, told: false, lines: [] };
      this.#keep(host, program, known);
    }
    if (time > known.latest - BACK_MS || time < known.latest - MOST_BACK_MS) {
      if (time > known.latest) known.latest = time;
      if (known.late > 0) {
        known.late = 0;
        known.told = false;
        known.lines = [];
      }
      return undefined;
    }
    if (known.told) return undefined;
    if (known.late++ === 0) known.from = time;
    if (known.lines.length < KEEP) known.lines.push(line);
    if (known.late < LINES || time - known.from < SPAN_MS) return undefined;
    known.told = true;
    return { host, backMs: known.latest - time, lines: known.lines };
  }

  #keep(host: string, program: string, writer: Writer): void {
    if (this.#count >= MAX_WRITERS) return;
    let programs = this.#writers.get(host);
    if (programs === undefined) {
      programs = new Map();
      this.#writers.set(host, programs);
    }
    programs.set(program, writer);
    this.#count++;
  }

  save(lines: LineSaver): SavedWriters {
    return [...this.#writers].flatMap(([host, programs]) =>
      [...programs].map(([program, writer]): SavedWriters[number] => [
        `${host} ${program}`,
        { ...writer, lines: writer.lines.map((line) => lines.of(line)) },
      ]),
    );
  }

  load(saved: SavedWriters, lines: LineLoader): void {
    for (const [key, writer] of saved) {
      const end = key.indexOf(" "); // a host has none
      const loaded = { ...writer, lines: writer.lines.map((number) => lines.of(number)) };
      this.#keep(key.slice(0, end), key.slice(end + 1), loaded);
    }
  }
}
