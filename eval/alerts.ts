// What an operator gets of the labelled logs at two alerts a day: npm run eval:alerts. Prints Markdown. Labels are read by the scoring alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../bench/table.ts";
import { replay } from "../src/cli/replay.ts";
import { type Alert, alertRecord } from "../src/detect/alert.ts";
import { DAY_MS } from "../src/feature/clock.ts";
import { type Corpus, cleanUntil, corpora, missingNote, scored, yearOf, zoneOf } from "./accuracy/corpus.ts";
import { gapsOf } from "./alerts/gaps.ts";

const BUDGET = 2;
/** The size that a back-test's time is told for. */
const LINES = 30 * 30_000;
/** CPU seconds in which it is to be done: a back-test runs on one core of the two. */
const SECONDS = 60;
const MOST_NOTIFICATIONS = 3;
const CLEAN_A_DAY = 0.2;
const PRECISION = 0.8;

/** A mail or another message for its opening, one when it changes its nature, and one when it is over (engine/engine.ts). */
const notificationsOf = ({ updates, closedAt }: Alert): number =>
  1 + Math.min(1, updates.length) + (closedAt === null ? 0 : 1);

const verdict = (text: string, held: boolean): string => `${text}: ${held ? "held" : "**missed**"}`;

async function rowsOf(corpus: Corpus): Promise<string[][]> {
  const began = process.cpuUsage();
  const result = await replay({
    files: [corpus.log],
    options: { timezone: zoneOf(corpus), year: yearOf(corpus) },
    until: { time: Date.parse(corpus.trainUntil) },
    ...{ budget: BUDGET, without: new Set(), seed: 1 },
  });
  const { user, system } = process.cpuUsage(began);
  const cpu = (user + system) / 1e6;
  const told = result.alerts.filter(({ held }) => !held);
  const folder = mkdtempSync(join(tmpdir(), "logvane-alerts-"));
  const file = join(folder, "alerts.ndjson");
  writeFileSync(file, result.alerts.map((alert) => `${JSON.stringify(alertRecord(alert))}\n`).join(""));
  const score = scored(file, corpus);
  rmSync(folder, { recursive: true });
  const days = new Map<number, number>();
  for (const { openedAt } of told.filter((a) => a.class === "budget"))
    days.set(Math.floor(openedAt / DAY_MS), (days.get(Math.floor(openedAt / DAY_MS)) ?? 0) + 1);
  const most = Math.max(0, ...days.values());
  const clean = cleanUntil(corpus);
  const cleanDays = (clean - Date.parse(corpus.trainUntil)) / DAY_MS;
  const onClean = told.filter(({ openedAt }) => openedAt < clean).length / cleanDays;
  const notifications = Math.max(0, ...told.map(notificationsOf));
  const precision = (told.length - score.false_alarms - score.unevidenced) / Math.max(1, told.length);
  const judged = score.rows.filter((row) => row.named_right !== null);
  const gaps = result.alerts.flatMap((alert) =>
    gapsOf(alert).map((gap) => `${gap} (${alert.title.slice(0, 80)})`),
  );
  const { ledger } = result;
  const scaled = (cpu * LINES) / result.lines.total;
  const row = (what: string, measured: string, goal: string): string[] => [corpus.name, what, measured, goal];
  return [
    row("incidents told, of all", `${score.evidenced} of ${score.labels}`, ""),
    row("alerts told", String(told.length), ""),
    row("alerts held back", String(ledger.held), ""),
    row(
      "most a day outside the classes never held back",
      String(most),
      verdict(`at most ${BUDGET}`, most <= BUDGET),
    ),
    row(
      "alerts a day before the first incident",
      onClean.toFixed(2),
      verdict(`at most ${CLEAN_A_DAY}`, onClean <= CLEAN_A_DAY),
    ),
    row(
      "most notifications of one incident",
      String(notifications),
      verdict(`at most ${MOST_NOTIFICATIONS}`, notifications <= MOST_NOTIFICATIONS),
    ),
    row("precision", precision.toFixed(2), verdict(`at least ${PRECISION}`, precision >= PRECISION)),
    row(
      "kinds named rightly",
      `${judged.filter((r) => r.named_right === true).length} of ${judged.length}`,
      "",
    ),
    row(
      "explanations with a gap",
      gaps.length === 0 ? "none" : gaps.join("; "),
      verdict("none", gaps.length === 0),
    ),
    ...(result.lines.total < LINES
      ? [] // in a short log starting weighs more
      : [
          row(
            "CPU-s for 30 days at 30,000 lines",
            scaled.toFixed(1),
            verdict(`at most ${SECONDS}`, scaled <= SECONDS),
          ),
        ]),
  ];
}

const rows: string[][] = [];
for (const corpus of corpora()) rows.push(...(await rowsOf(corpus)));
process.stdout.write(`${missingNote()}${table([["log", "", "measured", "goal"], ...rows])}\n`);
