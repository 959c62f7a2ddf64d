import type { AbsenceModel } from "../detect/absence.ts";
import type { Candidate } from "../detect/candidate.ts";
import type { EntityModel } from "../detect/entity.ts";
import type { Folds } from "../detect/folds.ts";
import type { KeptShape, NoveltyModel } from "../detect/novelty.ts";
import type { RegularModel } from "../detect/regular.ts";
import type { SlownessModel } from "../detect/slowness.ts";
import type { TransactionModel } from "../detect/transaction.ts";
import type { UsualDay } from "../detect/unwanted.ts";
import type { WindowModel } from "../detect/window.ts";
import type { LocalClock } from "../feature/clock.ts";
import { ColumnRegistry } from "../feature/columns.ts";
import { EntityReader, type KnownPairs, type Observation } from "../feature/entity.ts";
import { TransactionTracker } from "../feature/transaction.ts";
import { SlotCounter, type SlotCounts } from "../feature/window.ts";
import type { Kernels } from "../model/kernels.ts";
import type { Vae } from "../model/vae.ts";
import type { TemplateGroups } from "../template/groups.ts";
import type { Prior } from "./prior.ts";

/**
 * What the learner hands to the detector, and what both are told. The pipeline is pure: events in, alerts out. The same
 * events, settings and seed give the same alerts, live as in a back-test.
 */

/** Below this the window and entity views have nothing to compare with. */
export const MIN_TRAINING_DAYS = 3;
/** Slots before the end of training that a detector continues; a longer gap begins the windows anew. */
export const MAX_GAP_SLOTS = 12;
/** A slot is judged with the first line after it; when none comes for so long after its end, then. In ms, less than a slot. */
export const SETTLE_MS = 30_000;

export type ViewName = "window" | "transaction" | "entity" | "novelty" | "absence";

export type PipelineOptions = {
  readonly clock: LocalClock;
  readonly budget: number;
  readonly without: ReadonlySet<ViewName>;
  readonly salt: string;
  readonly seed: number;
  readonly kernels: Kernels;
  /** Messages that are no news in the first weeks; none when absent. */
  readonly prior?: Prior | undefined;
  /** For evaluations, which ask what the window view's network adds: true leaves it out, and the hour alone tells what is expected. */
  readonly timeOnly?: boolean;
  /** Hears of every finding that is offered to the incidents, before it is; changes nothing. */
  readonly onOffer?: ((candidates: readonly Candidate[]) => void) | undefined;
};

/** Everything that training learned; plain data. */
export type Model = {
  readonly window: WindowModel;
  /** The window view's network; undefined where history is too short to train one, or it is left out. */
  readonly windowVae: Vae | undefined;
  readonly windowFolds: Folds | undefined;
  /** Undefined where there were too few transactions, or the view is left out. */
  readonly transaction: TransactionModel | undefined;
  /** How long deliveries take; undefined where there were too few, or the transaction view is left out. */
  readonly slowness: SlownessModel | undefined;
  readonly entity: EntityModel;
  /** Shapes that differ in one word, joined; the reader of the lines to judge must adopt them. */
  readonly groups: TemplateGroups;
  readonly novelty: NoveltyModel;
  /** Shapes that were seen or are remembered; undefined in models of before. */
  readonly catalogue?: readonly KeptShape[];
  readonly absence: AbsenceModel;
  readonly regular: RegularModel;
  /** What attacks are made of, on a usual day of this training and of those before; undefined in models of before. No detector reads it. */
  readonly usual?: readonly UsualDay[];
  readonly from: number;
  readonly to: number;
  readonly events: number;
};

/** A model with the pairs of account and network that its training met. What a next training remembers is in both. */
export type Learned = { readonly model: Model; readonly pairs: KnownPairs };

export type Score = {
  readonly time: number;
  readonly view: ViewName;
  readonly key: string;
  readonly score: number;
  readonly pValue: number;
  /** The rule of the view that counts many of what it scores singly; absent for the view's own rows. */
  readonly rule?: "strange" | "slow";
};

/** What a detector continues: the tables that join lines, and the last day. */
export type Warmth = {
  readonly registry: ColumnRegistry;
  /** Counts the slot in which training ended. */
  readonly counter: SlotCounter;
  readonly reader: EntityReader;
  readonly tracker: TransactionTracker;
  /** The last slots, and what entities did on the last day. */
  readonly tail: {
    readonly slots: SlotCounts[];
    readonly observations: { readonly observation: Observation; readonly slot: number }[];
  };
};

/** A detector's start from a model alone, as after a restart. */
export function coldStart(salt: string, pairs: KnownPairs): Warmth {
  const registry = new ColumnRegistry();
  return {
    registry,
    counter: new SlotCounter(registry),
    reader: new EntityReader(salt, pairs),
    tracker: new TransactionTracker(),
    tail: { slots: [], observations: [] },
  };
}
