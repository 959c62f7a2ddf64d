import type { SlotPlace } from "../feature/clock.ts";
import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import type { SeenLine } from "../feature/transaction.ts";
import type { HeadForm } from "../log/head-form.ts";
import { type AbsenceFinding, WHOLE_LOG } from "./absence.ts";
import type { Alert } from "./alert.ts";
import type { Candidate } from "./candidate.ts";
import { driftCandidate, HEAD_KEY, headCandidate } from "./change-candidates.ts";
import { DriftWatch, type SavedDrift } from "./drift.ts";
import { HeadWatch, type SavedHeads } from "./head-watch.ts";
import type { KeptShape } from "./novelty.ts";
import type { WindowModel } from "./window.ts";

export type SavedChanges = { readonly drift: SavedDrift; readonly heads: SavedHeads };

const NONE: readonly Candidate[] = [];

/** Changes of software and of the log's format, as candidates. */
export class ChangeWatch {
  readonly drift: DriftWatch;
  readonly #heads = new HeadWatch();

  /** catalogue: texts of the shapes that training knew. */
  constructor(model: WindowModel, catalogue: readonly KeptShape[] | undefined) {
    this.drift = new DriftWatch(model, catalogue);
  }

  /** The head of a line; what it tells, at the line's time. */
  head(form: HeadForm, line: SeenLine): readonly Candidate[] {
    const found = this.#heads.see(form, line);
    return found ? [headCandidate(found, line.time)] : NONE;
  }

  /** A slot is over: software that was changed, as far as that is clear now, and news that waited for it. See DriftWatch.close. */
  close(slot: number, counts: Float32Array, place: SlotPlace, at: number): readonly Candidate[] {
    const { found, released } = this.drift.close(slot, counts, place, at);
    return [...found.map((finding) => driftCandidate(finding, at)), ...released];
  }

  /** A log whose lines can't be read is not silent: where that was told, its silence is part of it. open: incidents. */
  silence(candidate: Candidate, { key }: AbsenceFinding, open: readonly Alert[]): Candidate {
    if (key !== WHOLE_LOG || !this.#heads.isBlind) return candidate;
    const told = open.some(({ kind, held }) => kind === "format_change" && !held);
    return told ? { ...candidate, family: "change", key: HEAD_KEY } : candidate;
  }

  save(lines: LineSaver): SavedChanges {
    return { drift: this.drift.save(lines), heads: this.#heads.save(lines) };
  }

  load({ drift, heads }: SavedChanges, lines: LineLoader): void {
    this.drift.load(drift, lines);
    this.#heads.load(heads, lines);
  }
}
