import { table } from "../../bench/table.ts";
import { FAULTS } from "../../src/compose/kinds.ts";
import { median } from "../accuracy/totals.ts";
import { type Effect, KIND_OF, type Learned } from "./poison.ts";
import type { Probed } from "./poison-probes.ts";
import type { Run } from "./run.ts";

/** What came of the attackers, for docs/accuracy.md. */

export type Poisoned = Run & Effect;
/** own, twins: what the model after the attacker finds of the same attacks, and that of the twin. */
export type AttackerRun = {
  readonly run: Poisoned;
  readonly own: readonly Probed[];
  readonly twins: readonly Probed[];
};
export type PoisonRuns = { readonly twin: Poisoned; readonly attackers: readonly AttackerRun[] };

const POINTS = 100;
/** What an attacker may cost, in points of recall. */
const ALLOWED = 2;
const WHAT: Readonly<Record<Learned, string>> = {
  ramp: "spam, 10 % more each week, eight weeks",
  flood: "guesses, one day's flood in the eighth week",
};

/** Points lost, with the standard error of a difference of pairs: those that one alone finds tell it. */
export function lostPoints(
  own: readonly Probed[],
  twins: readonly Probed[],
): { lost: number; error: number } {
  const n = own.length;
  const differences = own.map(
    ({ minutes }, i) => Number(twins[i]!.minutes !== null) - Number(minutes !== null),
  );
  const mean = differences.reduce((sum, d) => sum + d, 0) / n;
  const square = differences.reduce((sum, d) => sum + d * d, 0) / n;
  return { lost: POINTS * mean, error: POINTS * Math.sqrt((square - mean * mean) / n) };
}

const found = (all: readonly Probed[]): string =>
  `${((POINTS * all.filter(({ minutes }) => minutes !== null).length) / all.length).toFixed(1)} %`;
/** Of those that both find. */
function medians(own: readonly Probed[], twins: readonly Probed[]): string {
  const both = own.flatMap(({ minutes }, i) => {
    const other = twins[i]!.minutes;
    return minutes === null || other === null ? [] : [[minutes, other] as const];
  });
  const of = (k: 0 | 1): string => median(both.map((pair) => pair[k]))?.toFixed(1) ?? "-";
  return `${of(0)}, ${of(1)}`;
}

/** The same attacks by their size, as both models met them. */
function bySize({
  run,
  own,
  twins,
}: AttackerRun): { hourly: number; size: number; own: Probed[]; twins: Probed[] }[] {
  const perHour = FAULTS[KIND_OF[run.attacker as Learned]]!.perHour!;
  return [...new Set(own.map(({ size }) => size))]
    .sort((a, b) => a - b)
    .map((size) => ({
      ...{ size, hourly: Math.round(size * perHour) },
      own: own.filter((one) => one.size === size),
      twins: twins.filter((one) => one.size === size),
    }));
}

const attackRows = (attacker: AttackerRun): string[][] =>
  bySize(attacker).map(({ hourly, size, own, twins }) => {
    const { lost, error } = lostPoints(own, twins);
    return [
      WHAT[attacker.run.attacker as Learned],
      `${hourly} (${size})`,
      String(own.length),
      found(own),
      found(twins),
      `${lost.toFixed(1)} ± ${error.toFixed(1)}${lost > ALLOWED ? " (**too many**)" : ""}`,
      medians(own, twins),
    ];
  });

function held(attacker: AttackerRun): string {
  const sizes = bySize(attacker).filter(({ own, twins }) => lostPoints(own, twins).lost <= ALLOWED);
  return `At most ${ALLOWED} points are lost at ${sizes.map(({ hourly }) => hourly).join(", ")} an hour.`;
}

function story({ attacker, share, told, retrainings }: Poisoned, more = ""): string {
  const refused = retrainings.filter(({ promoted }) => !promoted);
  const reasons = refused.map(
    ({ at, reason }) => `${new Date(at).toISOString().slice(0, 10)}: ${reason.split(";")[0]}`,
  );
  return `- ${attacker}: ${(POINTS * share).toFixed(1)} % of the lines of its last week; told of in ${told} of its weeks. ${retrainings.length - refused.length} of ${retrainings.length} models promoted${
    reasons.length > 0 ? `; refused ${reasons.join("; ")}` : ""
  }.${more && ` ${more}`}`;
}

export function poisonSection({ twin, attackers }: PoisonRuns, machine: string): string {
  const head = [
    "attacker",
    "attempts an hour",
    "attacks",
    "found",
    "by the twin",
    "points lost",
    "median minutes",
  ];
  return `## Attackers who want to be learned

Written by \`npm run eval:year -- poison --page\`. ${machine} The server of the year, and eight weeks in which an attacker lets himself be learned: one sends spam without end, 10 % more each week; one floods a day of the eighth
week with guesses at passwords. Their twin is the same log without them; all are learned anew each week. Then attacks of the same kind, an hour long, are put in, one in each hour of five days and in each size, each into a fork of the
detector by itself (as \`retrain\` tries its models): the same lines into the same log, once with the model that is in use after the attacker and once with the twin's. *Attempts an hour*: messages or guesses, and their share of the kind's
usual strength. *Points lost*: with the standard error of a difference of pairs, of these two models. *Median minutes*: of both, of attacks that both find.

${table([head, ...attackers.flatMap(attackRows)])}

${[story(twin), ...attackers.map((one) => story(one.run, held(one)))].join("\n")}`;
}
