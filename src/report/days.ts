import type { Alert } from "../detect/alert.ts";
import type { BudgetCost } from "../pipeline/budgets.ts";
import { cut, htmlSafe, terminalSafe } from "./escape.ts";
import { clockTime, localDay, numberText } from "./format.ts";

/** A back-test day by day, and what other budgets would have cost. */

export type DayOfAlerts = {
  /** 2026-09-21, in the zone. */
  readonly day: string;
  readonly sent: readonly Alert[];
  readonly held: number;
};

export type DaysReport = {
  readonly days: readonly DayOfAlerts[];
  readonly costs: readonly BudgetCost[];
  /** The budget of the run. */
  readonly perDay: number;
  readonly timeZone: string;
  /** What became of each training on the way; absent where the first model was kept. */
  readonly retrained?: readonly RetrainedDay[];
};

/** at: log time, in ms. */
export type RetrainedDay = { readonly at: number; readonly text: string };

const HOUR_MS = 3_600_000;
/** Days listed; a clock that jumps makes no more. */
const MAX_DAYS = 400;
const MIN_WIDTH = 60;
const LEARNED = "Learned anew on the way";
/** What the table can't know: the detector itself ran at one budget. */
const SAME_FINDINGS = (perDay: number): string =>
  `Of the same findings. When a silence is told, and whose mail is set aside as a thief's, was decided at ${numberText(perDay)} a day.`;

/** All days of the zone from `from` to `to`, with what was told on each; held ones among the alerts are counted. Times in ms. */
export function alertDays(
  alerts: readonly Alert[],
  { from, to, timeZone }: { readonly from: number; readonly to: number; readonly timeZone: string },
): DayOfAlerts[] {
  const days = new Map<string, { sent: Alert[]; held: number }>();
  const of = (time: number): { sent: Alert[]; held: number } | undefined => {
    const day = localDay(time, timeZone);
    if (!days.has(day) && days.size < MAX_DAYS) days.set(day, { sent: [], held: 0 });
    return days.get(day);
  };
  // no day is shorter than an hour, nor does one begin but on a quarter of one
  for (let time = from; time <= to && days.size < MAX_DAYS; time += HOUR_MS) of(time);
  of(to);
  for (const alert of alerts) {
    const day = of(alert.openedAt);
    if (day === undefined) continue;
    if (alert.held) day.held++;
    else day.sent.push(alert);
  }
  return [...days].map(([day, told]) => ({ day, ...told })).sort((a, b) => (a.day < b.day ? -1 : 1));
}

export function daysText({ days, costs, perDay, timeZone, retrained }: DaysReport, columns: number): string {
  const width = Math.max(MIN_WIDTH, columns);
  const rows = days.flatMap(({ day, sent, held }) => {
    const counts = `${sent.length === 0 ? "-" : String(sent.length)}${held > 0 ? ` (${held} held back)` : ""}`;
    const titles = sent.map((a) => `${clockTime(a.openedAt, timeZone).slice(0, 5)} ${terminalSafe(a.title)}`);
    return [`${day}  ${counts}`, ...titles.map((title) => `            ${cut(title, width - 12)}`)];
  });
  const cost = costs.map(
    (c) =>
      `${String(c.perDay).padStart(6)}${String(c.sent).padStart(10)}${perDayText(c.sent, days.length).padStart(10)}${String(c.held).padStart(12)}`,
  );
  const learned = (retrained ?? []).map(
    ({ at, text }) => `${localDay(at, timeZone)}  ${cut(terminalSafe(text), width - 12)}`,
  );
  return `${[
    `Day by day, at most ${perDay} a day`,
    ...rows,
    ...(learned.length > 0 ? ["", LEARNED, ...learned] : []),
    "",
    "What a budget costs",
    "budget      sent     a day   held back",
    ...cost,
    SAME_FINDINGS(perDay),
  ].join("\n")}\n`;
}

export function daysHtml({ days, costs, perDay, timeZone, retrained }: DaysReport): string {
  const day = ({ day: name, sent, held }: DayOfAlerts): string => {
    const titles = sent.map((a) =>
      htmlSafe(`${clockTime(a.openedAt, timeZone).slice(0, 5)} ${cut(a.title, 200)}`),
    );
    const more = held > 0 ? [`${numberText(held)} held back`] : [];
    return `<tr><th scope="row">${htmlSafe(name)}</th><td>${[...titles, ...more].join("<br>") || "-"}</td></tr>`;
  };
  const cost = (c: BudgetCost): string =>
    `<tr><th scope="row">${numberText(c.perDay)} a day</th><td>${numberText(c.sent)} sent (${perDayText(c.sent, days.length)} a day), ${numberText(c.held)} held back</td></tr>`;
  return `<section>
<h2>Day by day, at most ${numberText(perDay)} a day</h2>
<table>
${days.map(day).join("\n")}
</table>
</section>
${learnedHtml(retrained ?? [], timeZone)}<section>
<h2>What a budget costs</h2>
<table>
${costs.map(cost).join("\n")}
</table>
<p class="note">${htmlSafe(SAME_FINDINGS(perDay))}</p>
</section>`;
}

const learnedHtml = (retrained: readonly RetrainedDay[], timeZone: string): string =>
  retrained.length === 0
    ? ""
    : `<section>
<h2>${LEARNED}</h2>
<table>
${retrained.map(({ at, text }) => `<tr><th scope="row">${htmlSafe(localDay(at, timeZone))}</th><td>${htmlSafe(text)}</td></tr>`).join("\n")}
</table>
</section>
`;

const perDayText = (n: number, days: number): string => (n / Math.max(1, days)).toFixed(2);
