import { SLOT_MS } from "../feature/clock.ts";
import { STAGES } from "../feature/slowness.ts";
import { kindOfSlow } from "./attribute.ts";
import { type Candidate, SLOW_PART } from "./candidate.ts";
import { cited, short, templatesOf } from "./candidates.ts";
import { duration, KIND_TITLES } from "./explain.ts";
import { LEVELS, type RecentDelivery, type SlowFinding, type SlownessScorer } from "./slowness.ts";

/** Turns slow deliveries into a candidate in an operator's words. */

const MAX_LINES = 5;
const MAX_NAMED = 3;
/** A destination with so much of the surplus is the one that is slow. */
const ALONE = 0.7;
const THAN: readonly string[] = ["nine of ten", "99 of 100"];

/** Destinations by how many more slow deliveries they had than usual, and which share of them all that is. */
function surplus(
  recent: readonly RecentDelivery[],
  { stage, level, share }: SlowFinding,
): { name: string; part: number }[] {
  const more = new Map<string, number>();
  for (const d of recent) {
    if (d.slow[stage]! < 0) continue;
    const name = d.destination;
    more.set(name, (more.get(name) ?? 0) + (d.slow[stage]! > level ? 1 : 0) - share);
  }
  const named = [...more].filter(([name, n]) => name !== "" && n > 0);
  const total = named.reduce((sum, [, n]) => sum + n, 0);
  return named
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MAX_NAMED)
    .map(([name, n]) => ({ name, part: n / total }));
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
};
const seconds = (s: number): string => `${s < 10 ? Math.round(s * 100) / 100 : Math.round(s)} s`;

export function slowCandidate(
  f: SlowFinding,
  { scorer, at, slotEnd }: { scorer: SlownessScorer; at: number; slotEnd: number },
): Candidate {
  const { program, stages } = scorer.model.programs[f.program]!;
  const { usual } = stages[f.stage]!;
  const { doing, local } = STAGES[f.stage]!;
  const start = slotEnd - f.width * SLOT_MS;
  const recent = scorer.recent(f.program, start);
  const slow = recent.filter((d) => d.slow[f.stage]! > f.level);
  const destinations = local ? [] : surplus(recent, f);
  const alone = destinations[0] && destinations[0].part > ALONE ? destinations[0].name : undefined;
  const slowest = slow
    .filter((d) => alone === undefined || d.destination === alone)
    .sort((a, b) => b.seconds[f.stage]! - a.seconds[f.stage]! || b.line.time - a.line.time)
    .slice(0, MAX_LINES)
    .map((d) => d.line);
  const named = kindOfSlow(slowest);
  const actual = median(slow.map((d) => d.seconds[f.stage]!));
  const figures =
    `${f.slow} of ${f.deliveries} deliveries of ${program} took longer ${doing} than ${THAN[f.level]} used to` +
    `${alone === undefined ? "" : `, most of them for ${short(alone)}`}, their median ${seconds(actual)}, usually ${seconds(usual[1])}, in ${duration(f.width * 5)}`;
  return {
    at,
    start,
    view: "transaction",
    family: slowest[0]?.family ?? "outbound",
    key: `${SLOW_PART}${program}`,
    rate: f.rate,
    pValue: f.pValue,
    kind: named.kind,
    kindConfidence: named.confidence,
    title: `${KIND_TITLES[named.kind]}: ${figures}`,
    summary: `Of as many deliveries about ${Math.round(f.deliveries * LEVELS[f.level]!)} are usually so slow: ${figures}.`,
    measure: {
      name: `median seconds ${doing} of the slow deliveries of ${program}`,
      actual,
      typicalLow: usual[0],
      typicalHigh: usual[2],
    },
    entities: [
      { type: "program", value: program },
      ...destinations.map(({ name }) => ({ type: "domain", value: name })),
    ],
    templates: templatesOf(slowest),
    lines: cited(slowest),
    fresh: scorer.slowIn(f, 1),
    shareSince: (time) =>
      scorer.slowIn(f, Math.max(0, Math.ceil((slotEnd - time) / SLOT_MS))) / Math.max(1, f.slow),
  };
}
