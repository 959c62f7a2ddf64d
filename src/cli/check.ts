import { type Command, InvalidArgumentError } from "commander";
import { Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import { type Health, readHealth } from "../store/health.ts";
import { openStore } from "../store/queries.ts";
import { addCommonOptions, type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";
import { loadSettings, settingsOf } from "./settings.ts";
import { tellNow } from "./tell.ts";

/** A plugin of Nagios, Icinga and their kin (Monitoring Plugins Development Guidelines, sections 2 and 5). */

const LEVELS = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;
type Level = 0 | 1 | 2 | 3;
const UNKNOWN: Level = 3;

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const HOUR_S = 3600;
const DAY_S = 86_400;
/** Alerts and notifications older than this are no concern of today's watch. */
const RECENT_MS = 2 * DAY_S * 1000;
/** A monitor shows one line. */
const TITLE = 80;

/** Flags with their defaults: a pair each, for warning and critical. */
const THRESHOLDS: readonly (readonly [string, string, string, string])[] = [
  ["alive", "2m", "5m", "age of the daemon's last sign of life"],
  ["line", "1h", "6h", "age of the last line taken in"],
  ["waiting", "30m", "6h", "how long a notification has been waiting"],
  ["model", "21d", "90d", "age of the model"],
];

/** Registers `logvane check`. Exit codes are those of the plugins: 0 ok, 1 warning, 2 critical, 3 unknown. */
export function checkCommand(program: Command): Command {
  const command = program
    .command("check")
    .description(
      "tell a monitor (Nagios, Icinga) in one line whether the mail is being watched; exit 0, 1, 2 or 3",
    )
    .option("--no-daemon", "leave out the daemon and its last line, where one run a day takes its place")
    .option("--alerts <level>", "what open critical alerts are: ignore, warning or critical", "critical")
    .option(
      "--send-test",
      "put a test notification into the outbox of every channel, for the daemon to send",
    );
  for (const [name, warning, critical, what] of THRESHOLDS)
    command
      .option(`--${name}-warning <age>`, `${what}, for a warning`, ageOf, ageOf(warning))
      .option(`--${name}-critical <age>`, `${what}, to be critical`, ageOf, ageOf(critical));
  return addCommonOptions(command).action(async (options: Options) => check(options));
}

/** "90s", "5m", "2h" or "3d", in seconds. */
function ageOf(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It is no age, such as 90s, 5m, 2h or 3d.");
  return Number(match[1]) * SECONDS[match[2]!]!;
}

async function check(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const now = Date.now();
  const results = await examined(options, now);
  const level = Math.max(...results.map((result) => result.level)) as Level;
  process.exitCode = level === 2 && results.some((r) => r.level === UNKNOWN) ? 2 : level;
  const status = LEVELS[process.exitCode as Level];
  if (format === "json") await writeOut(`${JSON.stringify({ status, checks: results }, undefined, 2)}\n`);
  else await writeOut(line(status, results));
}

/** One thing looked at. value: for the monitor's graphs, with its unit. */
type Result = {
  readonly name: string;
  readonly level: Level;
  readonly what: string;
  readonly value?: string | undefined;
};

/** A mistake of the configuration or a broken state makes the answer unknown; a wrong command line ends as everywhere. */
async function examined(options: Options, now: number): Promise<Result[]> {
  try {
    await loadSettings(options);
    const dir = stateDir(options);
    const sent = options["sendTest"] === true ? [await sendTest(dir, options, now)] : [];
    const health = readHealth(dir, now - RECENT_MS);
    if (health === undefined)
      return [{ name: "state", level: UNKNOWN, what: `no state in ${dir}; logvane init makes it` }];
    return [...judge(health, options, now), ...sent];
  } catch (error) {
    if (!(error instanceof Fault) || error.exit === "usage") throw error;
    return [{ name: "fault", level: UNKNOWN, what: `${error.message} (${error.where}); ${error.remedy}` }];
  }
}

async function sendTest(dir: string, options: Options, now: number): Promise<Result> {
  const config = settingsOf(options);
  const channels = config.channels.map((channel) => channel.name);
  if (channels.length === 0)
    return { name: "test", level: 1, what: "no test was sent: the configuration has no channel" };
  const store = openStore(dir);
  try {
    const waiting = await tellNow(
      store,
      config,
      dir,
      { type: "test", at: new Date(now).toISOString() },
      channels,
    );
    const level = waiting > 0 ? 1 : 0;
    return {
      name: "test",
      level,
      what: waiting > 0 ? `a test was sent, ${waiting} notifications still wait` : "a test was sent",
    };
  } finally {
    store.close();
  }
}

function judge(health: Health, options: Options, now: number): Result[] {
  const results: Result[] = [];
  const aged = (name: string, at: number, what: (age: string) => string): void => {
    const [warning, critical] = [Number(options[`${name}Warning`]), Number(options[`${name}Critical`])];
    // A clock that was set back makes no negative age.
    const age = Math.max(0, Math.round((now - at) / 1000));
    const level = age > critical ? 2 : age > warning ? 1 : 0;
    results.push({ name, level, what: what(ageText(age)), value: `${age}s;${warning};${critical};0` });
  };
  const { aliveAt, lastLineAt, waiting, waitingSince, modelTo } = health;
  if (options["daemon"] !== false) {
    if (aliveAt === undefined)
      results.push({
        name: "alive",
        level: 2,
        what: "the daemon has never run; logvane schedule install starts it",
      });
    else aged("alive", aliveAt, (age) => `daemon seen ${age} ago`);
    if (lastLineAt !== undefined) aged("line", lastLineAt, (age) => `last line ${age} ago`);
  }
  const { lost, givenUp } = health;
  results.push({ name: "lost", level: lost > 0 ? 1 : 0, what: `${lost} lines lost`, value: `${lost};0;;0` });
  if (waitingSince === undefined)
    results.push({ name: "waiting", level: 0, what: "nothing waits", value: "0s;;;0" });
  else aged("waiting", waitingSince, (age) => `${waiting} notifications wait, the first for ${age}`);
  results.push({
    name: "given_up",
    level: givenUp > 0 ? 1 : 0,
    what: `${givenUp} given up`,
    value: `${givenUp};0;;0`,
  });
  if (modelTo === undefined)
    results.push({ name: "model", level: 2, what: "there is no model; logvane train learns one" });
  else aged("model", modelTo, (age) => `model ${age} old`);
  results.push(judgeAlerts(health, String(options["alerts"])));
  return results;
}

function judgeAlerts({ critical }: Health, asked: string): Result {
  const levels: Readonly<Record<string, Level>> = { ignore: 0, warning: 1, critical: 2 };
  if (!Object.hasOwn(levels, asked))
    throw new Fault(
      "usage",
      `"${asked.slice(0, TITLE)}" is no level`,
      "--alerts",
      "nothing was checked",
      "use ignore, warning or critical",
    );
  const n = critical.length;
  const first = critical[0];
  const what =
    first === undefined
      ? "no critical alert is open"
      : `${n} critical alerts open: ${cut(first.title, TITLE)} (logvane explain ${first.id})`;
  return { name: "critical_alerts", level: n > 0 ? levels[asked]! : 0, what, value: `${n};;;0` };
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * DAY_S ? `${Math.round(seconds / HOUR_S)} h` : `${Math.round(seconds / DAY_S)} days`;
}

/** The worst first. A bar in what a log line made would begin the figures of the graphs. */
function line(status: string, results: readonly Result[]): string {
  const plain = (text: string): string => terminalSafe(text).replaceAll("|", "/");
  const order = [...results].sort((a, b) => b.level - a.level);
  const told = order.filter((r) => r.level > 0).length > 0 ? order.filter((r) => r.level > 0) : order;
  const figures = results.flatMap(({ name, value }) => (value === undefined ? [] : [`${name}=${value}`]));
  const tail = figures.length > 0 ? ` | ${figures.join(" ")}` : "";
  return `LOGVANE ${status} - ${plain(told.map((r) => r.what).join("; "))}${tail}\n`;
}
