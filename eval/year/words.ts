import { table } from "../../bench/table.ts";
import { type Month, slopeOf } from "./months.ts";
import { FAULTS_A_MONTH, MONTH_DAYS, TRAIN_DAYS, UPGRADES } from "./plan.ts";
import type { Mode, Run } from "./run.ts";

/** The section of docs/accuracy.md. */

export type YearRun = Run & {
  readonly mode: Mode;
  readonly lines: number;
  readonly months: readonly Month[];
};

const NAMES: Readonly<Record<Mode, string>> = {
  weekly: "learned anew each week",
  forgetful: "the same without memory",
  never: "the first model throughout",
};
/** Months that are compared. */
const EARLY = 2;

const cell = ({ falseAlarms, found, faults, medianMinutes }: Month): string =>
  `${falseAlarms} / ${found} of ${faults} / ${medianMinutes ?? "-"}`;

function slopeText(months: readonly Month[]): string {
  const slope = slopeOf(months.map(({ falseAlarms }) => falseAlarms));
  if (slope === undefined) return "none told";
  return `${slope.perMonth.toFixed(3)} ± ${slope.error.toFixed(3)}`;
}

function totals(run: YearRun): string[] {
  const { months, retrainings, cpuSeconds } = run;
  const sum = (of: (month: Month) => number): number => months.reduce((s, month) => s + of(month), 0);
  const refused = retrainings.filter(({ promoted }) => !promoted);
  return [
    NAMES[run.mode],
    String(sum((m) => m.falseAlarms)),
    slopeText(months),
    String(sum((m) => m.atUpgrade)),
    String(sum((m) => m.withoutEvidence)),
    `${sum((m) => m.found)} of ${sum((m) => m.faults)}`,
    `${months[EARLY - 1]?.found ?? "-"}, ${months.at(-1)!.found}`,
    run.mode === "never" ? "-" : `${retrainings.length - refused.length} of ${retrainings.length}`,
    (cpuSeconds / 60).toFixed(0),
  ];
}

const HEAD = [
  ...["what runs", "false alarms", "slope a month", "at an upgrade", "without evidence", "evidenced"],
  ...[`in month ${EARLY} and the last`, "models promoted", "CPU minutes"],
];

function missed(runs: readonly YearRun[]): string {
  const rows = runs.flatMap(({ mode, months }) =>
    months.flatMap((month, m) =>
      month.missed.length === 0 ? [] : [`- ${NAMES[mode]}, month ${m + 1}: ${month.missed.join(", ")}`],
    ),
  );
  return rows.join("\n") || "- none";
}

function refusals({ retrainings }: YearRun): string {
  const reasons = new Map<string, number>();
  for (const { promoted, reason } of retrainings)
    if (!promoted) {
      const kind = reason.replace(/\d+(?:\.\d+)?/g, "n");
      reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
    }
  return [...reasons].map(([reason, n]) => `${n} times: ${reason}`).join("; ") || "none";
}

export function yearSection(runs: readonly YearRun[], machine: string): string {
  const weekly = runs.find(({ mode }) => mode === "weekly");
  const count = runs[0]!.months.length;
  const months = Array.from({ length: count }, (_, m) => [
    String(m + 1),
    ...runs.map((run) => cell(run.months[m]!)),
  ]);
  return `## Months of learning anew

Written by \`npm run eval:year -- --page\`. ${machine} A composed server of ${runs[0]!.lines} lines in ${TRAIN_DAYS + count * MONTH_DAYS} days: ${TRAIN_DAYS} learned, then ${count} months of ${MONTH_DAYS} days, with growth (by half in twelve months), seasons, a monthly run and newsletter,
a certificate each quarter, and two upgrades (${UPGRADES.map(({ what }) => what).join("; ")}) in months 4 and 8. Each month holds the same ${FAULTS_A_MONTH} faults on the same days. Every Sunday a back-test with \`--retrain weekly\` learns anew from the
last five weeks, as \`retrain\` does: without the time of what it told of, from the weights of the model in use, and only a model that passes the comparison and the trial comes into use. No figure was fitted to this server, but two
mends came of looking into what it missed (a failure that came once stays news; mail that stays away is never learned), so it is not held out.

${table([HEAD, ...runs.map(totals)])}

*Slope*: Poisson regression of the monthly numbers of false alarms: by how much the logarithm of their mean rises a month, and its standard error, widened where they spread more than Poisson's.
What is told within a day of an upgrade counts apart. *Evidenced* as in [composed servers](#composed-servers).

False alarms / faults evidenced / median minutes:

${table([["month", ...runs.map(({ mode }) => NAMES[mode])], ...months])}

Models that were refused: ${weekly ? refusals(weekly) : "-"}.

Missed:

${missed(runs)}`;
}
