import { DAY_MS, SLOTS_PER_DAY, type SlotPlace, slotOf } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import type { Family } from "../feature/family.ts";
import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import type { SeenLine, Transaction } from "../feature/transaction.ts";
import { type Cause, isGrave, isRoutine, type MailEvent } from "../mail/event.ts";
import { soundsBad } from "../mail/tone.ts";
import { ALL_NEW, type Candidate } from "./candidate.ts";
import type { KeptShape } from "./novelty.ts";
import { together, weightOf } from "./waiting.ts";
import type { WindowModel } from "./window.ts";

/**
 * Tells software that was changed from an incident. Both bring shapes that training did not know. Of changed software they are calm (they
 * complain of nothing that is not as common as ever), they go on, and old shapes of the same program stay away, or the program is new here.
 * Known at the time: a slot is judged by what came before its end.
 */

/** Before this nothing is called a change, and what is calm and new of software that began anew or is new waits, but no longer. */
const MIN_AGE_MS = 15 * 60_000;
const MAX_WAIT_MS = 3_600_000;
/** New shapes so soon after a start or a reload have to do with it. */
const AFTER_START_MS = 3_600_000;
/** Fewer new lines tell nothing. */
const MIN_LINES = 5;
/** Lines of old shapes that are missed; one shape is missed when so many of its own were to be expected, and a tenth of them came at most. */
const MIN_MISSED = 8;
const MIN_OWN_MISSED = 3;
/** The same, and the age, where no start was seen. */
const UNSTARTED_MISSED = 24;
const UNSTARTED_AGE_MS = 3_600_000;
const STILL = 0.1;
/** New shapes that take the place of old ones come about as often. */
const LEAST_IN_PLACE = 0.25;
/** Calm shapes that grammar does not know, and their lines, which after a start tell of a change by themselves. */
const MANY_SHAPES = 3;
const MANY_LINES = 10;
/** Share of new lines that complain, beyond which it is no change. */
const MAX_FAILING = 0.25;
/** Suites and programs watched, shapes of one suite that are remembered, and lines of it that may be cited. */
const MAX_SUITES = 128;
const MAX_PROGRAMS = 64;
const MAX_SHAPES = 512;
const EXAMPLES = 4;
const MISSED = 2;

/** What a line's plan tells of a change. */
export type Tidings = {
  readonly daemon: string;
  readonly shape: string;
  readonly family: Family;
  readonly cause: Cause | undefined;
  /** Nothing to be told of as a new message; see isRoutine. */
  readonly routine: boolean;
  /** Whether a grammar knows it. */
  readonly understood: boolean;
  /** It complains of nothing, or only of what its cause says, without a severity of error or worse or words of trouble. */
  readonly mild: boolean;
  /** A start or a reload. */
  readonly begins: boolean;
};

export const tidingsOf = (event: MailEvent, family: Family): Tidings => ({
  daemon: event.daemon,
  shape: event.templateId,
  family,
  cause: event.cause,
  routine: isRoutine(event),
  understood: event.event !== "unknown",
  mild: !isGrave(event) && !soundsBad(event) && (event.severity === "info" || event.cause !== undefined),
  begins: event.event === "process_start" || event.event === "reload",
});

/** news: to be told like any other. waits: not before it is clear what it is. explained: it belongs to a change that is known. */
export type Reading = "news" | "waits" | "explained";

export type DriftFinding = {
  /** "dovecot" for dovecot/imap and all others of it. */
  readonly suite: string;
  /** new: nothing of it was known. changed: new shapes in the place of old ones, or many since it began anew. */
  readonly what: "new" | "changed";
  readonly since: number;
  /** Lines of new shapes, those of them that no grammar knows, and all lines of the suite meanwhile. */
  readonly lines: number;
  readonly unknown: number;
  readonly all: number;
  readonly shapes: number;
  readonly examples: readonly SeenLine[];
  /** Texts of old shapes that stay away, the most missed first. */
  readonly missed: readonly string[];
  /** The line of its start or reload, where there was one. */
  readonly turn: SeenLine | undefined;
  /** Candidates that waited and are told by this. */
  readonly waited: number;
};

/** A program of a suite while it is watched. Columns are the model's, of its shapes. */
type Program = {
  readonly known: boolean;
  /** The first line of a new shape, in ms. */
  readonly from: number;
  /** Lines of new shapes. */
  fresh: number;
  /** All lines and those expected, by slots that are over. */
  seen: number;
  usual: number;
  readonly columns: readonly number[];
  readonly expected: number[];
  readonly actual: number[];
};

type Suite = {
  turnedAt: number;
  turn: SeenLine | undefined;
  /** The first new shape's first line, in ms; NaN before. */
  since: number;
  accepted: boolean;
  /** Nothing of it waits any longer. */
  released: boolean;
  lines: number;
  unknown: number;
  failing: number;
  /** Lines that would be news. */
  strange: number;
  /** All lines, by slots that are over. */
  all: number;
  readonly shapes: Set<string>;
  readonly programs: Map<string, Program>;
  readonly examples: SeenLine[];
  waiting: Candidate | undefined;
};

/** Suites by their names, with the numbers of their lines. What waits is new, all of it. */
export type SavedDrift = {
  readonly suites: readonly (readonly [
    string,
    Omit<Suite, "turn" | "examples" | "waiting"> & {
      readonly turn: number | undefined;
      readonly examples: readonly number[];
      readonly waiting: (Omit<Candidate, "shareSince"> & { readonly shareSince: undefined }) | undefined;
    },
  ])[];
  readonly aside: Set<string>;
};

/** "dovecot/imap" is of "dovecot". */
const headOf = (daemon: string): string => {
  const slash = daemon.indexOf("/");
  return slash < 0 ? daemon : daemon.slice(0, slash);
};

const PROGRAM = "program ";
const TEMPLATE = "template ";
/** "program postfix/smtpd (submission)" is of postfix/smtpd. */
const programOfKey = (key: string): string => key.slice(PROGRAM.length).replace(/ \(.*$/, "");

/** Watches the lines whose shapes training did not know, suite by suite. */
export class DriftWatch {
  readonly #model: WindowModel;
  /** Programs that training knew. */
  readonly #known: ReadonlySet<string>;
  readonly #knownSuites: ReadonlySet<string>;
  /** The model's columns of programs, with the name under which the program is watched. */
  readonly #programs: readonly { readonly column: number; readonly program: string; readonly name: string }[];
  readonly #suites = new Map<string, Suite>();
  /** Keys of columns that count in no pool, since their lines belong to a change or may. */
  #aside = new Set<string>();

  /** catalogue: texts of the known shapes. */
  constructor(model: WindowModel, catalogue: readonly KeptShape[] = []) {
    this.#model = model;
    const programs = catalogue.map(([, text]) => text.slice(0, Math.max(0, text.indexOf(": "))));
    for (const { level, key } of model.columns) if (level === "program") programs.push(programOfKey(key));
    this.#known = new Set(programs);
    this.#knownSuites = new Set(programs.map(headOf));
    this.#programs = model.columns.flatMap(({ level, key }, column) => {
      const program = programOfKey(key);
      return level === "program" ? [{ column, program, name: this.#nameOf(program) }] : [];
    });
  }

  /** The suite of a program; one that is new in a suite that is not stands for itself. */
  #nameOf(daemon: string): string {
    const head = headOf(daemon);
    return this.#known.has(daemon) || !this.#knownSuites.has(head) ? head : daemon;
  }

  /** A start or a reload: what is new from now on has to do with it. Returns what waited until now. */
  begins({ daemon }: Tidings, line: SeenLine): Candidate | undefined {
    const name = headOf(daemon);
    const old = this.#suites.get(name);
    if (old?.accepted) return undefined;
    const released = old && this.#forget(name, old);
    const suite = this.#suiteOf(name);
    if (!suite) return released;
    suite.turnedAt = line.time;
    suite.turn = line;
    return released;
  }

  /** A line of a shape that training did not know. isUsual: whether lines of its cause are as common as ever. */
  see(tidings: Tidings, line: SeenLine, isUsual: () => boolean): Reading {
    const { daemon, shape, cause, routine, understood, mild } = tidings;
    const { time } = line;
    const name = this.#nameOf(daemon);
    if (!mild || (cause !== undefined && !isUsual())) {
      const known = this.#suites.get(name);
      if (known) known.failing++;
      return "news";
    }
    const suite = this.#suiteOf(name);
    const program = suite && this.#programOf(suite, daemon, time);
    if (!program) return "news";
    if (Number.isNaN(suite.since)) suite.since = time;
    suite.lines++;
    program.fresh++;
    if (!understood) suite.unknown++;
    if (!routine) suite.strange++;
    if (!suite.shapes.has(shape)) {
      if (suite.shapes.size >= MAX_SHAPES) return "news";
      suite.shapes.add(shape);
      if (suite.examples.length < EXAMPLES && !tidings.begins) suite.examples.push(line);
    }
    const waits = suite.accepted || !program.known || suite.since - suite.turnedAt <= AFTER_START_MS;
    if (!waits) return "news";
    this.#aside.add(TEMPLATE + shape);
    if (!program.known) this.#aside.add(PROGRAM + daemon);
    // what fails as often as ever, in other words
    if (suite.accepted || cause !== undefined) return "explained";
    return suite.released && !routine ? "news" : "waits";
  }

  /** Keeps what waits: of a suite the rarest speaks, with the weight of all. */
  hold({ daemon }: Tidings, candidate: Candidate): void {
    const suite = this.#suites.get(this.#nameOf(daemon));
    if (!suite) return;
    suite.waiting = suite.waiting === undefined ? candidate : together(suite.waiting, candidate);
  }

  /** Whether a column's lines belong to a change, or may: they are no rare messages. */
  isAside(key: string): boolean {
    return this.#aside.has(key);
  }

  /** Whether what belongs together holds shapes of a change, so that training can't tell how usual it is. */
  touches({ shapes }: Transaction): boolean {
    if (this.#aside.size === 0) return false;
    for (let k = 0; k < shapes.length; k += 2) if (this.#aside.has(TEMPLATE + shapes[k])) return true;
    return false;
  }

  /** Whether a shape that training knew stays away since its program was changed. */
  isGone({ level, label }: Column): boolean {
    if (level !== "template") return false;
    return this.#suites.get(headOf(label.slice(0, Math.max(0, label.indexOf(": ")))))?.accepted === true;
  }

  /**
   * A slot is over. counts: of the model's columns. at: in ms, not before its end. Returns the changes that are clear now, and what has
   * waited for long enough.
   */
  close(
    slot: number,
    counts: Float32Array,
    place: SlotPlace,
    at: number,
  ): { readonly found: readonly DriftFinding[]; readonly released: readonly Candidate[] } {
    const found: DriftFinding[] = [];
    const released: Candidate[] = [];
    for (const [name, suite] of [...this.#suites]) {
      const { since, accepted, turnedAt } = suite;
      if (accepted) continue;
      if (Number.isNaN(since)) {
        if (at - turnedAt > DAY_MS) this.#suites.delete(name);
        continue;
      }
      this.#count(name, suite, slot, counts, place);
      const age = at - since;
      const what = judged(suite, age);
      if (what) found.push(this.#accept(name, suite, what));
      if (!what && age > MAX_WAIT_MS) {
        if (suite.waiting) released.push({ ...suite.waiting, at });
        suite.waiting = undefined;
        suite.released = true;
      }
      if (!what && age > DAY_MS) this.#forget(name, suite);
    }
    return { found, released };
  }

  #count(name: string, suite: Suite, slot: number, counts: Float32Array, place: SlotPlace): void {
    const { weekday, weekend } = this.#model;
    const usual = (j: number): number =>
      (place.weekend ? weekend : weekday)[j * SLOTS_PER_DAY + place.slotOfDay]!;
    if (slot <= slotOf(suite.since)) return;
    for (const { column, program: of, name: own } of this.#programs) {
      if (own !== name) continue;
      suite.all += counts[column]!;
      const program = suite.programs.get(of);
      if (!program || slot <= slotOf(program.from)) continue;
      program.seen += counts[column]!;
      program.usual += usual(column);
    }
    for (const { from, columns: own, expected, actual } of suite.programs.values()) {
      if (slot <= slotOf(from)) continue;
      for (const [i, j] of own.entries()) {
        expected[i]! += usual(j);
        actual[i]! += counts[j]!;
      }
    }
  }

  #accept(name: string, suite: Suite, what: DriftFinding["what"]): DriftFinding {
    const waited = suite.waiting === undefined ? 0 : weightOf(suite.waiting);
    suite.accepted = true;
    suite.waiting = undefined;
    for (const shape of suite.shapes) this.#aside.add(TEMPLATE + shape);
    const programs = [...suite.programs];
    for (const [daemon, { known }] of programs) if (!known) this.#aside.add(PROGRAM + daemon);
    const news = programs.reduce((sum, [, { known, fresh }]) => sum + (known ? 0 : fresh), 0);
    const missed = programs.flatMap(([, program]) => missing(program));
    missed.sort((a, b) => b.expected - a.expected || a.column - b.column);
    const { since, lines, unknown, shapes, examples, turn } = suite;
    return {
      ...{ suite: name, what, since, lines, unknown, shapes: shapes.size, examples, turn },
      all: Math.max(lines, suite.all + news),
      waited,
      missed: missed.slice(0, MISSED).map(({ column }) => this.#model.columns[column]!.label),
    };
  }

  /** Begins anew with a suite. Returns what waited. */
  #forget(name: string, { shapes, programs, waiting }: Suite): Candidate | undefined {
    for (const shape of shapes) this.#aside.delete(TEMPLATE + shape);
    for (const daemon of programs.keys()) this.#aside.delete(PROGRAM + daemon);
    this.#suites.delete(name);
    return waiting;
  }

  #suiteOf(name: string): Suite | undefined {
    const known = this.#suites.get(name);
    if (known || this.#suites.size >= MAX_SUITES) return known;
    const suite = quietSuite();
    this.#suites.set(name, suite);
    return suite;
  }

  #programOf({ programs }: Suite, daemon: string, from: number): Program | undefined {
    const seen = programs.get(daemon);
    if (seen || programs.size >= MAX_PROGRAMS) return seen;
    const columns: number[] = [];
    for (const [j, { level, label }] of this.#model.columns.entries())
      if (level === "template" && label.startsWith(`${daemon}: `)) columns.push(j);
    const zeros = (): number[] => columns.map(() => 0);
    const program: Program = {
      ...{ known: this.#known.has(daemon), from, fresh: 0, seen: 0, usual: 0 },
      ...{ columns, expected: zeros(), actual: zeros() },
    };
    programs.set(daemon, program);
    return program;
  }

  save(lines: LineSaver): SavedDrift {
    const suites = [...this.#suites].map(([name, { turn, examples, waiting, ...suite }]) => {
      const saved = {
        ...suite,
        turn: turn && lines.of(turn),
        examples: examples.map((line) => lines.of(line)),
        waiting: waiting && { ...waiting, shareSince: undefined },
      };
      return [name, saved] as const;
    });
    return { suites, aside: this.#aside };
  }

  load({ suites, aside }: SavedDrift, lines: LineLoader): void {
    this.#aside = aside;
    for (const [name, { turn, examples, waiting, ...suite }] of suites)
      this.#suites.set(name, {
        ...quietSuite(),
        ...suite,
        turn: turn === undefined ? undefined : lines.of(turn),
        examples: examples.map((number) => lines.of(number)),
        waiting: waiting && { ...waiting, shareSince: ALL_NEW },
      });
  }
}

const quietSuite = (): Suite => ({
  ...{ turnedAt: Number.NEGATIVE_INFINITY, turn: undefined, since: Number.NaN },
  ...{ accepted: false, released: false, lines: 0, unknown: 0, failing: 0, strange: 0, all: 0 },
  ...{ shapes: new Set<string>(), programs: new Map<string, Program>(), examples: [], waiting: undefined },
});

/** Old shapes that stay away, beyond what a calmer program explains. */
function missing({
  seen,
  usual,
  columns,
  expected,
  actual,
}: Program): { column: number; expected: number }[] {
  const level = usual > 0 ? Math.min(1, seen / usual) : 0;
  return columns
    .map((column, i) => ({ column, expected: level * expected[i]!, actual: actual[i]! }))
    .filter((shape) => shape.expected >= MIN_OWN_MISSED && shape.actual <= STILL * shape.expected);
}

/** Whether a suite was changed, by what is known so far. Without a start it takes more to believe it. age: in ms. */
function judged(suite: Suite, age: number): DriftFinding["what"] | undefined {
  if (age < MIN_AGE_MS || suite.failing > MAX_FAILING * suite.lines) return undefined;
  const began = suite.since - suite.turnedAt <= AFTER_START_MS;
  for (const program of suite.programs.values()) {
    if (program.fresh < MIN_LINES) continue;
    if (!program.known) {
      if (suite.strange > 0) return "new"; // or it has only said that it begins
      continue;
    }
    if (!began && age < UNSTARTED_AGE_MS) continue;
    const missed = missing(program).reduce((sum, { expected }) => sum + expected, 0);
    const enough = began ? MIN_MISSED : UNSTARTED_MISSED;
    if (missed >= enough && program.fresh >= LEAST_IN_PLACE * missed) return "changed";
  }
  return began && suite.shapes.size >= MANY_SHAPES && suite.strange >= MANY_LINES ? "changed" : undefined;
}
