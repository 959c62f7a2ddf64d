import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type AlertRecord, alertRecord } from "../detect/alert.ts";
import { Fault } from "../fault.ts";
import { MailSummary } from "../mail/summary.ts";
import { renderHtml } from "../report/html.ts";
import { renderAlertsText } from "../report/text.ts";
import { openStore } from "../store/queries.ts";
import { demoState, isQuiet, type Options, useColor } from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { createProgress } from "./progress.ts";
import { replay } from "./replay.ts";
import { reportData } from "./report-data.ts";
import { figuresOf, summaryText } from "./summary.ts";

/** Four weeks of our own mail lab: real Postfix and Dovecot, 98,204 lines, UTC. */
const LOG = fileURLToPath(new URL("../../../samples/quickstart.log.gz", import.meta.url));
const LINES = 98_204;
const TRAIN_UNTIL = Date.UTC(2026, 8, 28);
const LAST_DAY = "2026-10-04";
/** The log's lines carry neither year nor zone; the clock must not matter. */
const LOG_FLAGS = { timezone: "UTC", year: 2026 };
const WIDTH = 100;
const BUDGET = 2;
/** What the next command begins with: from a clone, it is typed with npx. */
const EXPLAIN = "npx logvane explain";

/** Registers `logvane demo`. */
export function demoCommand(program: Command): Command {
  return program
    .command("demo")
    .description("show what Logvane would have told the operator of a real mail server")
    .option("--out <file>", "where the HTML report goes", "logvane-report.html")
    .action(async (options: Options) => demo(options));
}

/** The path of `backtest` on the bundled log: three weeks to learn, one to watch. */
async function demo(options: Options): Promise<void> {
  const progress = createProgress("learning and watching", LINES, { quiet: isQuiet(options) });
  const summary = new MailSummary(LAST_DAY, LOG_FLAGS.timezone);
  const result = await replay({
    files: [LOG],
    options: { ...options, ...LOG_FLAGS },
    until: { time: TRAIN_UNTIL },
    budget: BUDGET,
    without: new Set(),
    seed: 1,
    name: () => "samples/quickstart.log.gz",
    onEvent: (event) => summary.add(event),
    onProgress: (lines) => progress.update(lines),
  });
  progress.end();
  const alerts = result.alerts.filter((a) => !a.held);
  const day = summary.summary();
  const look = {
    color: useColor(options, process.stdout),
    width: process.stdout.columns ?? WIDTH,
    timeZone: result.timeZone,
  };
  await writeOut(
    `Four weeks of a mail server's log (real Postfix and Dovecot, from our own lab): learned from the first three,\n` +
      `then watched the fourth as if live, with at most ${BUDGET} alerts a day. No label was read.\n\n` +
      `${alerts.length} alerts; ${result.ledger.held} held back by the budget\n\n`,
  );
  await writeOut(renderAlertsText(alerts, { ...look, command: EXPLAIN }));
  await writeOut(`\n${summaryText(day)}\n`);
  remember(options, alerts.map(alertRecord));
  const out = String(options["out"]);
  save(out, renderHtml(reportData(result, alerts, figuresOf(day), EXPLAIN)));
  await writeOut(
    `The same as a page: ${relative(".", out) || out}\n\n` +
      `On your own log (any server with two weeks of it):\n` +
      `  npx logvane backtest /var/log/mail.log* --since 7d --format text\n`,
  );
}

/** Keeps the alerts apart from those of a real server, so that `explain` finds them. A state that can't be written costs only that. */
function remember(options: Options, records: readonly AlertRecord[]): void {
  try {
    const store = openStore(demoState(options));
    store.saveAlerts(records);
    store.close();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    writeError(
      `note: explain won't find these alerts (${error.message}; ${error.where}); name a folder with --state\n`,
    );
  }
}

function save(file: string, html: string): void {
  try {
    writeFileSync(file, html);
  } catch (error) {
    throw new Fault(
      "io",
      `cannot write the report: ${(error as Error).message}`,
      join(".", file),
      "the alerts above are complete, the page is not",
      "go to a folder that you may write to, or use --out FILE",
    );
  }
}
