import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import type { SeenLine } from "../feature/transaction.ts";
import type { HeadForm } from "../log/head-form.ts";

/** Lines from which the forms of a log are learned; one that came less often among them was chance. */
const SETTLED = 500;
const FEW = 5;
/** A new form has taken the place of the others when so many lines have it, and so many times more than any other. */
const ENOUGH = 20;
const TIMES_MORE = 4;
/** Where others go on beside it, it is told after so many lines if it has this share of them. */
const UNDECIDED = 500;
const LEAST_SHARE = 0.1;
const KEEP = 3;

export type HeadFinding = {
  readonly form: HeadForm;
  /** Those that were known until then. */
  readonly known: readonly HeadForm[];
  /** Lines of the new form, and all lines since the first of them. */
  readonly count: number;
  readonly total: number;
  /** The last line of a known form before, where there was one, and the first ones of the new form. */
  readonly before: SeenLine | undefined;
  readonly after: readonly SeenLine[];
};

type Trial = {
  readonly form: HeadForm;
  readonly before: SeenLine | undefined;
  readonly after: SeenLine[];
  count: number;
  others: number;
};

export type SavedHeads = {
  readonly known: readonly HeadForm[];
  readonly seen: number;
  readonly counts: Map<HeadForm, number>;
  readonly isBlind: boolean;
  readonly last: number | undefined;
  readonly trial:
    | (Omit<Trial, "before" | "after"> & {
        readonly before: number | undefined;
        readonly after: readonly number[];
      })
    | undefined;
};

/** Tells when the heads of lines are written otherwise than before: another syslog daemon, or times that can't be read any more. */
export class HeadWatch {
  readonly #known = new Set<HeadForm>();
  #seen = 0;
  #counts = new Map<HeadForm, number>();
  #trial: Trial | undefined;
  #last: SeenLine | undefined;
  /** Whether the newest line can't be read, since the form changed. */
  isBlind = false;

  /** line: what may be cited of it. A form is told once. */
  see(form: HeadForm, line: SeenLine): HeadFinding | undefined {
    if (this.#seen < SETTLED) {
      this.#settle(form);
      this.#last = line;
      return undefined;
    }
    const isKnown = this.#known.has(form);
    this.isBlind = isKnown && form === "no readable time";
    if (isKnown && this.#trial === undefined) {
      this.#last = line;
      return undefined;
    }
    this.#trial ??= { form, before: this.#last, after: [], count: 0, others: 0 };
    return this.#try(this.#trial, form, line);
  }

  #settle(form: HeadForm): void {
    this.#counts.set(form, (this.#counts.get(form) ?? 0) + 1);
    if (++this.#seen < SETTLED) return;
    for (const [known, n] of this.#counts) if (n >= FEW) this.#known.add(known);
    this.#counts.clear();
  }

  #try(trial: Trial, form: HeadForm, line: SeenLine): HeadFinding | undefined {
    if (form === trial.form) {
      trial.count++;
      if (trial.after.length < KEEP) trial.after.push(line);
    } else trial.others++;
    const { count, others, before, after } = trial;
    const total = count + others;
    const replaced = count >= ENOUGH && count >= TIMES_MORE * others;
    if (!replaced && total < UNDECIDED) return undefined;
    this.#trial = undefined;
    this.#last = line;
    const known = [...this.#known];
    if (replaced || count >= FEW) this.#known.add(trial.form);
    if (!replaced && count < LEAST_SHARE * total) return undefined;
    return { form: trial.form, known, count, total, before, after };
  }

  save(lines: LineSaver): SavedHeads {
    const trial = this.#trial;
    return {
      known: [...this.#known],
      seen: this.#seen,
      counts: this.#counts,
      isBlind: this.isBlind,
      last: this.#last && lines.of(this.#last),
      trial: trial && {
        ...trial,
        before: trial.before && lines.of(trial.before),
        after: trial.after.map((line) => lines.of(line)),
      },
    };
  }

  load({ known, seen, counts, isBlind, last, trial }: SavedHeads, lines: LineLoader): void {
    for (const form of known) this.#known.add(form);
    this.#seen = seen;
    this.#counts = counts;
    this.isBlind = isBlind;
    const lineOf = (number: number | undefined): SeenLine | undefined =>
      number === undefined ? undefined : lines.of(number);
    this.#last = lineOf(last);
    this.#trial = trial && {
      ...trial,
      before: lineOf(trial.before),
      after: trial.after.map((number) => lines.of(number)),
    };
  }
}
