import type { Family } from "../feature/family.ts";
import type { CitedLine, Kind, Measure, View } from "./alert.ts";

/** Something that one view found strange enough to be compared with what the other views found. */
export type Candidate = {
  /** Log time at which it became known, in ms. */
  readonly at: number;
  /** First time of its evidence. */
  readonly start: number;
  readonly view: View;
  /**
   * "account": what one account does. It is no fault of the queue through which its mail goes, and hides none. "change": of software or log
   * format. It is no fault at all, and hides none.
   */
  readonly family: Family | "silence" | "account" | "change";
  /** What stands out: a column, or a feature of an entity. Two candidates with one key are about the same thing. */
  readonly key: string;
  /** Expected number a day by nature, over all channels of the view. */
  readonly rate: number;
  readonly pValue: number;
  readonly kind: Kind;
  readonly kindConfidence: number;
  readonly title: string;
  readonly summary: string;
  readonly measure: Measure;
  readonly entities: readonly { readonly type: string; readonly value: string }[];
  readonly templates: readonly { readonly id: string; readonly text: string }[];
  /** The most telling first; at most five. */
  readonly lines: readonly CitedLine[];
  /** Lines that are new with this candidate, for the incident's total. */
  readonly fresh: number;
  /** How many like it, none of them rarer, it stands for beside itself; see WaitingCandidates. */
  readonly more?: number;
  /** Share of the evidence that came after a time, 0..1. */
  readonly shareSince: (time: number) => number;
};

/** Share of what is new, whatever the time. */
export const ALL_NEW = (): number => 1;

/** How keys begin of candidates that tell of slow deliveries, whatever these wait for. */
export const SLOW_PART = "slow ";
export const isOfSlowness = ({ key }: Pick<Candidate, "key">): boolean => key.startsWith(SLOW_PART);
