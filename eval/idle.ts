// What a watch costs: beside a log that nobody writes, and over a month that is fed day by day.
// npm run eval:idle -- [--minutes N] [--days N]; writes its figures into docs/watching.md.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compose } from "../src/compose/compose.ts";
import { instant, type Plan } from "../src/compose/plan.ts";
import { openStore } from "../src/store/queries.ts";
import { counted, Daemon, until, writeSettings } from "../test/live/daemon.ts";
import { loadMaterial } from "./episodes.ts";
import { withSection } from "./page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = join(ROOT, "docs/watching.md");
const DAY_MS = 86_400_000;
const LEARNED_DAYS = 14;
const MAILS = 500;
const MIB = 1 << 20;
/** A daemon that has just started reads its model and what is there. */
const SETTLE_MS = 60_000;
/** A day's lines are read within this. */
const DAY_WAIT_MS = 600_000;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, days: { type: "string", default: "30" } },
});
const minutes = Number(values.minutes);
const days = Number(values.days);
/** Days at whose ends the growth is looked at. */
const LOOKS = [2, 10, 20, days];

const dir = mkdtempSync(join(tmpdir(), "logvane-idle-"));
const log = join(dir, "mail.log");
const state = join(dir, "state");
const config = writeSettings(join(dir, "logvane.toml"), log, join(dir, "told"));
const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** A server of 500 mails a day, with an incident every five days, until today. */
function plan(): Plan {
  const start = Math.floor((Date.now() - (LEARNED_DAYS + days) * DAY_MS) / 1000) * 1000;
  const kinds = ["sasl_bruteforce_fast", "dns_resolver_down", "remote_blocklisted"];
  const faults = Array.from({ length: Math.floor(days / 5) }, (_, n) => ({
    kind: kinds[n % kinds.length]!,
    start: new Date(start + (LEARNED_DAYS + 5 * n + 3.4) * DAY_MS).toISOString(),
    minutes: 60,
  }));
  const server = { name: "idle", host: "mx", zone: "UTC", header: "iso" as const, mailsPerDay: MAILS };
  return { seed: 3, start: new Date(start).toISOString(), days: LEARNED_DAYS + days, server, faults };
}

/** Lines of each day of a plan. */
function* byDay(of: Plan): Generator<string[]> {
  const start = instant(of.start);
  let day = 0;
  let lines: string[] = [];
  for (const batch of compose(of, loadMaterial("first").material))
    for (const { text, time } of batch) {
      for (; time >= start + (day + 1) * DAY_MS; day++) {
        yield lines;
        lines = [];
      }
      lines.push(`${text}\n`);
    }
  yield lines;
}

function sizes(): { readonly folder: number; readonly checkpoint: number } {
  const store = openStore(state);
  const checkpoint = store.live.checkpoint()?.blob.length ?? 0;
  store.close();
  const folder = readdirSync(state).reduce((sum, name) => sum + statSync(join(state, name)).size, 0);
  return { folder, checkpoint };
}

const rows: string[] = [];
try {
  const each = byDay(plan());
  const past: string[] = [];
  for (let day = 0; day < LEARNED_DAYS; day++) past.push(each.next().value!.join(""));
  writeFileSync(join(dir, "past.log"), past.join(""));
  const train = [
    "bin/logvane.js",
    "train",
    join(dir, "past.log"),
    "--timezone",
    "UTC",
    "--state",
    state,
    "--quiet",
  ];
  execFileSync(process.execPath, train, { cwd: ROOT, stdio: "ignore" });
  writeFileSync(log, "");

  let daemon = new Daemon(config, state);
  let written = 0;
  let day = 0;
  for (const lines of each) {
    day++;
    appendFileSync(log, lines.join(""));
    written += lines.length;
    await until(`day ${day} is read`, DAY_WAIT_MS, () => (counted(state) >= written ? true : undefined));
    if (!LOOKS.includes(day)) continue;
    const memory = daemon.memory();
    await daemon.end("SIGTERM"); // which writes a checkpoint
    const { folder, checkpoint } = sizes();
    rows.push(
      `| after day ${day} | ${written} | ${mib(memory)} | ${(checkpoint / 1024).toFixed(0)} | ${mib(folder)} |`,
    );
    process.stderr.write(`${rows.at(-1)}\n`);
    daemon = new Daemon(config, state);
  }

  await sleep(SETTLE_MS);
  const cpu = daemon.cpuS();
  const begun = performance.now();
  await sleep(minutes * 60_000);
  const share = (100 * (daemon.cpuS() - cpu)) / ((performance.now() - begun) / 1000);
  const memory = daemon.memory();
  await daemon.end("SIGTERM");
  const text = `By \`npm run eval:idle\`: a composed server of ${MAILS} mails a day, ${LEARNED_DAYS} days learned, then ${days} days fed one after the other to one daemon.
${cpus()[0]!.model.trim()}, Node ${process.version}.

| | lines read | resident MiB | checkpoint KiB | state folder MiB, 8 of them the reserve |
|---|---|---|---|---|
${rows.join("\n")}

Beside a log that nobody writes, over ${minutes} minutes: ${share.toFixed(2)} % of a core, ${mib(memory)} MiB resident.`;
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(PAGE, withSection(page, "idle", text));
  process.stdout.write(`${text}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
