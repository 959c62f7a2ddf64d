import { Fault } from "../fault.ts";
import type { SavedReader } from "../mail/read.ts";
import type { Kernels } from "../model/kernels.ts";
import { Forgetter, unmarkedPairs } from "../pipeline/forget.ts";
import type { Learned, Model } from "../pipeline/model.ts";
import type { SavedDetector } from "../pipeline/saved.ts";
import { placeOfModel } from "../store/champion.ts";
import { type Forgotten, forgetIn } from "../store/forget.ts";
import { modelId, packModel, unpackModel } from "../store/model.ts";
import type { StoredModel } from "../store/registry.ts";
import { changeCheckpoint } from "./engine.ts";
import { changeWarm } from "./warm.ts";

/** entries, pairs: under pseudonyms, in all models. unmarked: pairs of which it is not known whose they are. */
export type ForgetResult = Forgotten & {
  readonly entries: number;
  readonly pairs: number;
  readonly unmarked: number;
  /** Models that this release can't read, as they were. */
  readonly unread: readonly string[];
};

/** Takes names out of the state in `dir`: tables, models, and what a watch goes on from. dry: changes nothing. Throws a Fault. */
export function forget(dir: string, names: readonly string[], dry: boolean, kernels: Kernels): ForgetResult {
  const forgetting = new Forgetting(dir, names, kernels);
  const done = forgetIn(dir, forgetting, dry);
  const { entries, pairs, unmarked, unread } = forgetting;
  return { ...done, entries, pairs, unmarked, unread };
}

/** What is stored without the names, and undefined where there was nothing of them. */
class Forgetting {
  readonly forgetter: Forgetter;
  readonly unread: string[] = [];
  entries = 0;
  pairs = 0;
  unmarked = 0;
  readonly #dir: string;
  readonly #kernels: Kernels;
  /** By their ids of now. */
  readonly #models = new Map<string, { readonly model: Model; readonly changed: boolean }>();

  constructor(dir: string, names: readonly string[], kernels: Kernels) {
    this.#dir = dir;
    this.#kernels = kernels;
    this.forgetter = new Forgetter(names);
  }

  text(text: string): string | undefined {
    const without = this.forgetter.text(text);
    return without === text ? undefined : without;
  }

  data(value: object): object | undefined {
    const before = this.forgetter.count;
    this.forgetter.data(value);
    return this.forgetter.count > before ? value : undefined;
  }

  model(stored: StoredModel): StoredModel | undefined {
    const learned = this.#read(stored);
    if (learned === undefined) return undefined;
    this.unmarked += unmarkedPairs(learned.pairs);
    const before = this.forgetter.count;
    const next = this.forgetter.model(learned.model, learned.pairs);
    this.forgetter.data(stored.header);
    [this.entries, this.pairs] = [this.forgetter.entries, this.forgetter.pairs]; // models come first
    const changed = this.forgetter.count > before;
    const blob = changed ? packModel(next) : stored.blob;
    const id = changed ? modelId(blob, stored.id) : stored.id;
    this.#models.set(id, { model: next.model, changed });
    const forgot = { from: stored.id, at: Date.now() }; // for people
    return changed ? { ...stored, id, header: { ...stored.header, forgot }, blob } : undefined;
  }

  #read({ id, blob }: StoredModel): Learned | undefined {
    try {
      return unpackModel(blob, this.#kernels, placeOfModel(this.#dir, id));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.unread.push(id);
      return undefined;
    }
  }

  warm(model: string, bytes: Uint8Array): Uint8Array | null | undefined {
    return this.#running(model, (change) => changeWarm(bytes, change));
  }

  checkpoint(saved: Parameters<typeof changeCheckpoint>[0]): ReturnType<typeof changeCheckpoint> | null {
    return this.#running(saved.model, (change) => changeCheckpoint(saved, change));
  }

  /** Null where it can't be read. */
  #running<T>(
    id: string,
    rewrite: (change: (detector: SavedDetector, reader: SavedReader) => SavedDetector) => T | undefined,
  ): T | null | undefined {
    const known = this.#models.get(id);
    if (known === undefined) return null;
    const before = this.forgetter.count;
    const without = rewrite((detector, reader) => {
      this.forgetter.data(reader);
      return this.forgetter.detector(detector, known.model);
    });
    if (without === undefined) return null;
    return known.changed || this.forgetter.count > before ? without : undefined;
  }
}
