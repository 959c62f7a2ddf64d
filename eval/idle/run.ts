// What a watch costs: two months that are fed day by day to one daemon, a log that nobody writes, and a quiet day in fast motion.
// npm run eval:idle -- [--days N (from 40 on)] [--minutes N] [--snapshots]; writes its figures into docs/watching.md. Ends with 1 when a limit is
// passed. Takes some 15 minutes. --snapshots leaves a heap snapshot of each look, and figures that are larger by what making them took.
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
import { Command } from "commander";
import { WATCH_ENVIRONMENT } from "../../src/cli/schedule/units.ts";
import { compose } from "../../src/compose/compose.ts";
import { instant, type Plan } from "../../src/compose/plan.ts";
import { openStore } from "../../src/store/queries.ts";
import { counted, Daemon, until, writeSettings } from "../../test/live/daemon.ts";
import { commandLine, wholeNumber } from "../command.ts";
import { loadMaterial } from "../episodes.ts";
import { withSection } from "../page.ts";
import { FASTER, type Held } from "./held.ts";
import { collected, type Resident, residentOf, slopeOf } from "./memory.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGE = join(ROOT, "docs/watching.md");
const DAY_MS = 86_400_000;
const LEARNED_DAYS = 14;
const MAILS = 500;
const MIB = 1 << 20;
/** What is read last is followed by a commit and what it tells; what was collected, by giving pages back. */
const SETTLE_MS = 2_000;
/** A daemon that has just read does more than one that idles. */
const CALM_MS = 30_000;
/** A day's lines are read within this. */
const DAY_WAIT_MS = 600_000;
/** Days between two looks, after that at the end of day 2. */
const LOOK_DAYS = 5;
/** Days of which a straight line is drawn: the first month without what every start brings, and what comes after it. */
const MONTH = 30;
const STARTED = 5;
/** What must hold: bytes resident, percent of a core. */
const MAX_BYTES = 120e6;
const MAX_SHARE = 1;
/** Above zero by more standard errors than these, a line rises. */
const ERRORS = 2;

const program = new Command("eval:idle")
  .option("--days <n>", "days of log, from 40 on", "60")
  .option("--minutes <n>", "how long nobody writes", "5")
  .option("--snapshots", "leave a heap snapshot of each look", false);
const { flags } = commandLine<{
  readonly days: string;
  readonly minutes: string;
  readonly snapshots: boolean;
}>(program);
const minutes = wholeNumber(flags.minutes, "--minutes");
const days = wholeNumber(flags.days, "--days");

const dir = mkdtempSync(join(tmpdir(), "logvane-idle-"));
const log = join(dir, "mail.log");
const state = join(dir, "state");
const probed = join(dir, "held.json");
const config = writeSettings(join(dir, "logvane.toml"), log, join(dir, "told"));
const mib = (bytes: number, digits = 1): string => (bytes / MIB).toFixed(digits);

const KINDS = ["sasl_bruteforce_fast", "dns_resolver_down", "remote_blocklisted"];
/** Days of incidents. The first two have one of each kind, so that what an incident needs for the first time is there at the first look. */
const FIRST = [0.4, 0.9, 1.4];

/** A server of 500 mails a day, with an incident every five days, until today. */
function plan(): Plan {
  const start = Math.floor((Date.now() - (LEARNED_DAYS + days) * DAY_MS) / 1000) * 1000;
  const later = Array.from({ length: Math.floor(days / 5) - 1 }, (_, n) => 5 * (n + 1) + 3.4);
  const faults = [...FIRST, ...later].map((day, n) => ({
    kind: KINDS[n % KINDS.length]!,
    start: new Date(start + (LEARNED_DAYS + day) * DAY_MS).toISOString(),
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

/** A look at the daemon after a day was read. All in bytes. */
type Look = {
  readonly day: number;
  readonly lines: number;
  /** The most that was resident at the end of a day since the look before, with garbage. */
  readonly most: number;
  /** When garbage was collected. */
  readonly resident: Resident;
  readonly held: Held;
  readonly folder: number;
};

const folderBytes = (): number =>
  readdirSync(state).reduce((sum, name) => sum + statSync(join(state, name)).size, 0);

function rowOf({ day, lines, most, resident, held, folder }: Look): string {
  const { all, anonymous } = resident;
  const live = [held.data, held.code].map((bytes) => mib(bytes, 2));
  const rest = [held.external, folder].map((bytes) => mib(bytes));
  const taken = [most, all, all - anonymous, anonymous].map((bytes) => mib(bytes));
  return `| ${[day, lines, ...taken, ...live, ...rest].join(" | ")} |`;
}

/** Feeds the days one after the other, and looks at some of them. */
async function months(daemon: Daemon, each: Generator<string[]>): Promise<Look[]> {
  const looks: Look[] = [];
  let [lines, day, most] = [0, 0, 0];
  for (const ofDay of each) {
    day++;
    lines += ofDay.length;
    appendFileSync(log, ofDay.join(""));
    await until(`day ${day} is read`, DAY_WAIT_MS, () => (counted(state) >= lines ? true : undefined));
    most = Math.max(most, residentOf(daemon.pid).all);
    if (day !== 2 && day % LOOK_DAYS !== 0) continue;
    await sleep(SETTLE_MS);
    const held = await collected(daemon, probed);
    await sleep(SETTLE_MS); // pages are given back beside the program
    looks.push({ day, lines, most, resident: residentOf(daemon.pid), held, folder: folderBytes() });
    most = 0;
    process.stderr.write(`${rowOf(looks.at(-1)!)}\n`);
  }
  return looks;
}

/** Beside a log that nobody writes: percent of a core, and the waits begun in a second. */
async function idle(daemon: Daemon): Promise<{ readonly share: number; readonly waits: number }> {
  await sleep(CALM_MS);
  const { waits } = await collected(daemon, probed);
  const cpu = daemon.cpuS();
  const begun = performance.now();
  await sleep(minutes * 60_000);
  const passedS = (performance.now() - begun) / 1000;
  const share = (100 * (daemon.cpuS() - cpu)) / passedS;
  return { share, waits: ((await collected(daemon, probed)).waits - waits) / passedS };
}

/** What a quiet life adds: so many minutes with fast clocks. perSecond: waits begun in a second of it at the usual pace. */
async function fast(
  daemon: Daemon,
  perSecond: number,
): Promise<{ readonly hours: number; readonly grown: number }> {
  daemon.signal("SIGPWR");
  await sleep(CALM_MS); // what runs fast is compiled anew
  const first = await collected(daemon, probed);
  await sleep(minutes * 60_000);
  const last = await collected(daemon, probed);
  return { hours: (last.waits - first.waits) / perSecond / 3600, grown: last.data - first.data };
}

function checkpointBytes(): number {
  const store = openStore(state);
  const bytes = store.live.checkpoint()?.blob.length ?? 0;
  store.close();
  return bytes;
}

/** What a month adds by the straight line through the looks of some days, and whether that is more than its error allows for. */
function rise(
  looks: readonly Look[],
  [from, to]: readonly [number, number],
  of: (look: Look) => number,
): { readonly text: string; readonly rises: boolean } {
  const within = looks.filter(({ day }) => day >= from && day <= to);
  const { slope, error } = slopeOf(within.map((look) => [look.day, of(look)]));
  const text = `${mib(MONTH * slope, 2)} ± ${mib(MONTH * error, 2)} MiB`;
  return { text, rises: slope > ERRORS * error };
}

try {
  const each = byDay(plan());
  learn(each);
  Object.assign(process.env, WATCH_ENVIRONMENT, { LOGVANE_PROBE: probed }); // as its unit does
  if (flags.snapshots) process.env["LOGVANE_SNAPSHOTS"] = "1";
  const daemon = new Daemon(config, state, ["--import", new URL("probe.js", import.meta.url).href]);
  const looks = await months(daemon, each);
  const { share, waits } = await idle(daemon);
  const { hours, grown } = await fast(daemon, waits);
  await daemon.end("SIGTERM"); // which writes a checkpoint
  const most = Math.max(...looks.map((look) => look.most));
  const early = rise(looks, [STARTED, MONTH], ({ resident }) => resident.all);
  const late = rise(looks, [MONTH, days], ({ resident }) => resident.all);
  const data = rise(looks, [MONTH, days], ({ held }) => held.data);
  const code = rise(looks, [MONTH, days], ({ held }) => held.code);
  const grows = early.rises || late.rises || data.rises;
  const holds = most <= MAX_BYTES && share <= MAX_SHARE && !grows;
  const text = `By \`npm run eval:idle\`: a composed server of ${MAILS} mails a day, ${LEARNED_DAYS} days learned, then ${days} days fed one after the other to one daemon, in the environment of its unit.
${cpus()[0]!.model.trim()}, Node ${process.version}.

| day | lines read | most MiB resident since the row before | after garbage was collected: resident MiB | of it files | anonymous | live data in V8's heap | compiled code there | beside the heap | state folder MiB, 8 of them the reserve |
|---|---|---|---|---|---|---|---|---|---|
${looks.map(rowOf).join("\n")}

Straight lines through the rows, with their standard errors: from day ${STARTED} to ${MONTH} a month adds ${early.text} resident; from day ${MONTH} to ${days} ${late.text} resident, ${data.text} of live data, ${code.text} of compiled code.
${minutes} minutes in fast motion, clocks and timers ${FASTER} times as fast and no lines, did what ${hours.toFixed(1)} hours of quiet do, and added ${(grown / 1024).toFixed(1)} KiB of live data.
Beside a log that nobody writes, over ${minutes} minutes: ${share.toFixed(2)} % of a core. The last checkpoint has ${(checkpointBytes() / 1024).toFixed(0)} KiB.
At most ${MAX_BYTES / 1e6} MB (${mib(MAX_BYTES)} MiB) resident at the end of any day, ${MAX_SHARE} % of a core, and no line of resident memory or live data that rises by more than ${ERRORS} of its errors: ${holds ? "holds" : "does NOT hold"}.`;
  writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), "idle", text));
  process.stdout.write(`${text}\n`);
  if (!holds) process.exitCode = 1;
} finally {
  if (flags.snapshots) process.stderr.write(`snapshots in ${dir}\n`);
  else rmSync(dir, { recursive: true, force: true });
}
