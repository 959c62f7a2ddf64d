import type { Candidate } from "./candidate.ts";

/** Candidates that wait at most. An attack brings one a line; beyond, those of one key are folded into the rarest of them. */
const MAX_WAITING = 1024;
/** Keys that are left then. */
const MAX_KEYS = MAX_WAITING / 2;

/** Candidates that wait for the end of their slot, where the rarest speaks. What is folded only counts, as it would have in the incident. */
export class WaitingCandidates {
  #candidates: Candidate[] = [];

  add(candidate: Candidate): void {
    this.#candidates.push(candidate);
    if (this.#candidates.length > MAX_WAITING) this.#candidates = folded(this.#candidates);
  }

  /** All of them, once. */
  take(): Candidate[] {
    const taken = this.#candidates;
    this.#candidates = [];
    return taken;
  }

  save(): readonly Candidate[] {
    return this.#candidates;
  }

  load(candidates: readonly Candidate[]): void {
    this.#candidates = [...candidates];
  }
}

/** How many candidates one stands for. */
export const weightOf = ({ more = 0 }: Candidate): number => 1 + more;

function folded(candidates: readonly Candidate[]): Candidate[] {
  const byKey = new Map<string, Candidate>();
  for (const c of candidates) {
    const known = byKey.get(c.key);
    byKey.set(c.key, known === undefined ? c : together(known, c));
  }
  const rarest = [...byKey.values()].sort((a, b) => a.rate - b.rate);
  return [rarest.slice(MAX_KEYS).reduce(together, rarest[0]!), ...rarest.slice(1, MAX_KEYS)];
}

/** The rarer of two, of equals the first, with the weight of both. */
export function together(a: Candidate, b: Candidate): Candidate {
  return { ...(b.rate < a.rate ? b : a), more: weightOf(a) + weightOf(b) - 1 };
}
