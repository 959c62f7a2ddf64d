// What a watch costs: beside a log that nobody writes, and over a month that is fed day by day to one daemon.
// npm run eval:idle -- [--minutes N] [--days N] [--quiet-seconds N]; writes its figures into docs/watching.md. Ends with 1 when a
// limit is passed.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
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
/** What must hold: bytes resident in a quiet minute, percent of a core, and percent by which the month may add to day 2. */
const MAX_BYTES = 120e6;
const MAX_SHARE = 1;
const MAX_GROWTH = 10;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    days: { type: "string", default: "30" },
    /** V8 gives garbage back to the system after some minutes of quiet. */
    "quiet-seconds": { type: "string", default: "300" },
  },
});
const minutes = Number(values.minutes);
const days = Number(values.days);
const quietMs = 1000 * Number(values["quiet-seconds"]);
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

/** A look at the daemon: right after a day was read, and after a while without lines. All in bytes. */
type Look = {
  readonly day: number;
  readonly lines: number;
  readonly busy: number;
  readonly quiet: number;
  /** In use of V8's heap and beside it. */
  readonly heap: number;
  readonly folder: number;
};

const heapFile = join(dir, "heap.json");

async function heapOf(daemon: Daemon): Promise<number> {
  rmSync(heapFile, { force: true });
  daemon.signal("SIGUSR2");
  await until("the heap's size", DAY_WAIT_MS, () => existsSync(heapFile) || undefined);
  const { heapUsed, external } = JSON.parse(readFileSync(heapFile, "utf8")) as NodeJS.MemoryUsage;
  return heapUsed + external;
}

async function look(daemon: Daemon, day: number, lines: number): Promise<Look> {
  const busy = daemon.memory();
  await sleep(quietMs);
  const quiet = daemon.memory();
  const folder = readdirSync(state).reduce((sum, name) => sum + statSync(join(state, name)).size, 0);
  return { day, lines, busy, quiet, heap: await heapOf(daemon), folder };
}

const rowOf = ({ day, lines, busy, quiet, heap, folder }: Look): string =>
  `| after day ${day} | ${lines} | ${mib(busy)} | ${mib(quiet)} | ${mib(heap)} | ${mib(folder)} |`;

/** Learns the first days, and leaves the log empty. */
function learn(each: Generator<string[]>): void {
  const past: string[] = [];
  for (let day = 0; day < LEARNED_DAYS; day++) past.push(each.next().value!.join(""));
  const file = join(dir, "past.log");
  writeFileSync(file, past.join(""));
  const train = ["bin/logvane.js", "train", file, "--timezone", "UTC", "--state", state, "--quiet"];
  execFileSync(process.execPath, train, { cwd: ROOT, stdio: "ignore" });
  writeFileSync(log, "");
}

/** Feeds the days one after the other, and looks at some of them. */
async function month(daemon: Daemon, each: Generator<string[]>): Promise<Look[]> {
  const looks: Look[] = [];
  let written = 0;
  let day = 0;
  for (const lines of each) {
    day++;
    appendFileSync(log, lines.join(""));
    written += lines.length;
    await until(`day ${day} is read`, DAY_WAIT_MS, () => (counted(state) >= written ? true : undefined));
    if (!LOOKS.includes(day)) continue;
    looks.push(await look(daemon, day, written));
    process.stderr.write(`${rowOf(looks.at(-1)!)}\n`);
  }
  return looks;
}

/** Percent of a core beside a log that nobody writes. */
async function idle(daemon: Daemon): Promise<number> {
  await sleep(SETTLE_MS);
  const cpu = daemon.cpuS();
  const begun = performance.now();
  await sleep(minutes * 60_000);
  return (100 * (daemon.cpuS() - cpu)) / ((performance.now() - begun) / 1000);
}

function checkpointBytes(): number {
  const store = openStore(state);
  const bytes = store.live.checkpoint()?.blob.length ?? 0;
  store.close();
  return bytes;
}

try {
  const each = byDay(plan());
  learn(each);
  process.env["LOGVANE_HEAP"] = heapFile;
  const daemon = new Daemon(config, state, ["--import", new URL("heap-probe.js", import.meta.url).href]);
  const looks = await month(daemon, each);
  const share = await idle(daemon);
  await daemon.end("SIGTERM"); // which writes a checkpoint
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const growth = 100 * (last.quiet / first.quiet - 1);
  const most = Math.max(...looks.map(({ quiet }) => quiet));
  const holds = most <= MAX_BYTES && growth <= MAX_GROWTH && share <= MAX_SHARE;
  const text = `By \`npm run eval:idle\`: a composed server of ${MAILS} mails a day, ${LEARNED_DAYS} days learned, then ${days} days fed one after the other to one daemon.
${cpus()[0]!.model.trim()}, Node ${process.version}.

| | lines read | resident MiB, at once | resident MiB, ${quietMs / 1000} s later | heap in use MiB | state folder MiB, 8 of them the reserve |
|---|---|---|---|---|---|
${looks.map(rowOf).join("\n")}

From day ${first.day} to day ${last.day}: ${growth.toFixed(1)} % more resident memory. The last checkpoint has ${(checkpointBytes() / 1024).toFixed(0)} KiB.
Beside a log that nobody writes, over ${minutes} minutes: ${share.toFixed(2)} % of a core.
At most ${MAX_BYTES / 1e6} MB (${mib(MAX_BYTES)} MiB) when quiet, ${MAX_GROWTH} % of growth and ${MAX_SHARE} % of a core: ${holds ? "holds" : "does NOT hold"}.`;
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(PAGE, withSection(page, "idle", text));
  process.stdout.write(`${text}\n`);
  if (!holds) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
