import type { Recollection } from "./recollection.ts";
import type { Probe, ScoredView, TrialResult } from "./trial.ts";

/** What a trial found, as it is kept with the new model, and whether it speaks against it. */

/** A number of the model in use and of the new one. */
export type Pair<T = number> = { readonly old: T; readonly new: T };

export type Evidence = {
  /** Days that neither has learned from; of what is said of the new one, its stand-in. */
  readonly days: number;
  readonly told: Pair;
  readonly held: Pair;
  /** Share of rows with a p-value of 0.01 or less, by view; 0.01 is right. */
  readonly rare: readonly (Pair & { readonly view: ScoredView; readonly rows: Pair })[];
  /** Faults that were put in, and how many each found; null where none could be. */
  readonly injected:
    | (Pair & {
        readonly faults: number;
        /** Median of those that both found. */
        readonly minutes: Pair<number | null>;
        /** How many of those the new one finds much later, and how many much sooner. */
        readonly later: number;
        readonly sooner: number;
        readonly kinds: readonly (Pair & { readonly kind: string; readonly faults: number })[];
      })
    | null;
  /** Incidents that a person confirmed, of how many each tells, and the ids of those that the new one alone does not; absent where there are none. */
  readonly confirmed?: (Pair & { readonly incidents: number; readonly lost: readonly string[] }) | undefined;
  /** Rare times that the model in use remembers, and of how many each would tell; absent where there are none. */
  readonly remembered?: (Pair & { readonly times: number }) | undefined;
};

/** So many alerts more on clean days, or of remembered times, are chance, and as many as the square root of the old one's. */
const MORE_TOLD = 1;
/** A share of rare rows up to this is as good as right. */
const FINE_SHARE = 0.02;
/** Above it, so much more than the old one's is no worse. */
const MORE_RARE = 1.25;
/** Fewer rows tell no share. */
const MIN_ROWS = 500;
/** So many faults fewer are chance. */
const FEWER_FOUND = 1;
/** Much later is so much, in minutes and as a share of the shorter time; so many more that are found later than sooner are chance. */
const LATER_MINUTES = 5;
const LATER_SHARE = 0.5;
const MORE_LATER = 2;

type Found = {
  readonly days: number;
  readonly old: TrialResult;
  readonly new: TrialResult;
  readonly confirmed: readonly (Pair<boolean> & { readonly id: string })[];
  readonly probes: Pair<readonly Probe[]>;
  readonly remembered: Pair<Recollection>;
};

const both = <T, U>(pair: Pair<T>, of: (one: T) => U): Pair<U> => ({ old: of(pair.old), new: of(pair.new) });

export function trialEvidence(found: Found): Evidence {
  const views = Object.keys(found.old.rows) as ScoredView[];
  const { remembered } = found;
  const share =
    (view: ScoredView) =>
    (one: TrialResult): number =>
      one.rows[view].rows === 0 ? 0 : one.rows[view].rare / one.rows[view].rows;
  return {
    days: found.days,
    told: both(found, (one) => one.told.length),
    held: both(found, (one) => one.held.length),
    rare: views.map((view) => ({
      view,
      ...both(found, share(view)),
      rows: both(found, (one) => one.rows[view].rows),
    })),
    injected: injectedEvidence(found.probes),
    ...(found.confirmed.length > 0 && { confirmed: confirmedEvidence(found.confirmed) }),
    ...(remembered.old.times > 0 && {
      remembered: { times: remembered.old.times, ...both(remembered, (one) => one.told) },
    }),
  };
}

const confirmedEvidence = (cases: Found["confirmed"]): NonNullable<Evidence["confirmed"]> => ({
  incidents: cases.length,
  old: cases.filter((one) => one.old).length,
  new: cases.filter((one) => one.new).length,
  lost: cases.filter((one) => one.old && !one.new).map(({ id }) => id),
});

function injectedEvidence(all: Pair<readonly Probe[]>): Evidence["injected"] {
  const probes = both(all, (some) => some.filter((probe) => !probe.traceless));
  const faults = Math.min(probes.old.length, probes.new.length);
  if (faults === 0) return null;
  const n = (some: readonly Probe[]): number => some.filter(({ found }) => found !== undefined).length;
  const kinds = [...new Set(probes.old.map(({ injection }) => injection.kind))].sort();
  const delays = (some: readonly Probe[], others: readonly Probe[]): number[] =>
    some.flatMap(({ found, injection }, i) =>
      found === undefined || others[i]?.found === undefined ? [] : [(found - injection.start) / 60_000],
    );
  const [olds, news] = [delays(probes.old, probes.new), delays(probes.new, probes.old)];
  return {
    faults,
    ...both(probes, n),
    minutes: { old: median(olds), new: median(news) },
    later: olds.filter((old, i) => isLater(news[i]!, old)).length,
    sooner: olds.filter((old, i) => isLater(old, news[i]!)).length,
    kinds: kinds.map((kind) => {
      const own = both(probes, (some) => some.filter(({ injection }) => injection.kind === kind));
      return { kind, faults: own.old.length, ...both(own, n) };
    }),
  };
}

const isLater = (minutes: number, other: number): boolean =>
  minutes > other + Math.max(LATER_MINUTES, LATER_SHARE * other);

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[sorted.length >> 1]!;
}

/** What speaks against the new model, in words; undefined where nothing does. */
export function objection({ told, rare, injected, confirmed, remembered }: Evidence): string | undefined {
  if (confirmed && confirmed.lost.length > 0)
    return `it does not tell of ${confirmed.lost.length} of ${confirmed.incidents} incidents that were confirmed and that the model in use tells: ${confirmed.lost.join(", ")}`;
  if (isMore(told))
    return `on clean days it would have told of ${told.new} incidents, the model in use of ${told.old}`;
  const off = rare.find(
    (r) => Math.min(r.rows.old, r.rows.new) >= MIN_ROWS && r.new > Math.max(FINE_SHARE, MORE_RARE * r.old),
  );
  if (off)
    return `its ${off.view} view calls ${percent(off.new)} of clean rows one in a hundred, the model in use ${percent(off.old)}`;
  if (remembered && isMore(remembered))
    return `of ${remembered.times} rare times of before it would tell of ${remembered.new}, the model in use of ${remembered.old}`;
  if (!injected) return undefined;
  if (injected.new < injected.old - FEWER_FOUND)
    return `of ${injected.faults} faults that were put in it finds ${injected.new}, the model in use ${injected.old}`;
  const { later, sooner } = injected;
  if (later > sooner + MORE_LATER)
    return `of the faults that were put in it finds ${later} much later than the model in use, and ${sooner} much sooner`;
  return undefined;
}

const isMore = (told: Pair): boolean => told.new > told.old + Math.max(MORE_TOLD, Math.sqrt(told.old));

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
