// Logs of other servers, learned from their first 60 % of lines, and what is told of the rest. Nothing of a log's text is printed:
// their licences forbid it. Each alert stands beside our judgement, made by looking at its lines.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Section, table } from "../../bench/table.ts";
import { eachEvent } from "../../src/cli/events.ts";
import { openMail } from "../../src/cli/input.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { DATA, ROOT } from "./corpus.ts";

const LEARNED = 0.6;
const SEED = "1";
/** The status with which the verb says that there is too little history. */
const EX_DATA = 65;

/** What one host wrote. Its files are given together, as an operator gives rotated ones. */
type RealLog = {
  /** The folder below LOGVANE_DATA, and which of its logs. */
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  /** Of the first line; without it, the times would depend on the day of the evaluation. */
  readonly year: number;
  readonly what: string;
};

const LOGS: readonly RealLog[] = [
  {
    name: "kdent",
    folder: "maillogs/kdent",
    files: ["stream-mail.log", "stream-mail2.log", "stream-mail3.log"],
    year: 2015,
    what: "small server under spam; three stretches",
  },
  {
    name: "louisitvn",
    folder: "maillogs/louisitvn",
    files: ["stream-postfix.log", "stream-mail.log"],
    year: 2014,
    what: "relay in trouble; two stretches",
  },
  {
    name: "lightmeter, warnings",
    folder: "maillogs/lightmeter",
    files: ["stream-mail.warn.log"],
    year: 2020,
    what: "mail.warn alone of a small server",
  },
  {
    name: "lightmeter, all",
    folder: "maillogs/lightmeter",
    files: ["stream-mail.log.1"],
    year: 2021,
    what: "mail.log of one day of the same server",
  },
  {
    name: "loghub",
    folder: "maillogs/loghub",
    files: ["Linux_2k.log"],
    year: 2005,
    what: "syslog of a Linux host, no mail; ends while the host boots, of which nothing is told within the hour",
  },
  { name: "ossec", folder: "maillogs/ossec", files: ["imapd.log"], year: 2003, what: "UW imapd alone" },
  {
    name: "mail-postfix",
    folder: "public/mail-postfix",
    files: ["mail.log.gz"],
    year: 2013,
    what: "outgoing server, two newsletters",
  },
];

/** What the verb prints, as far as it is used here. */
type Printed = {
  readonly opened_at: string;
  readonly severity: string;
  readonly view: string;
  readonly kind: string;
  readonly held: boolean;
  readonly measures: readonly { name: string; actual: number; typical_low: number; typical_high: number }[];
  readonly total: { readonly lines: number };
};

/** at: how the time of opening begins, so that it may be an hour or a month. */
type Judgement = {
  readonly log: string;
  readonly kind: string;
  readonly at: string;
  readonly worth: boolean;
  readonly why: string;
};

type Watched = {
  readonly log: RealLog;
  readonly lines: number;
  readonly days: number;
  readonly daysWithLines: number;
  readonly watchedDays: number;
  /** ISO 8601. */
  readonly until: string;
  readonly alerts: readonly Printed[];
  /** Why the back-test said nothing of this log. */
  readonly refused: string | undefined;
};

async function watch(log: RealLog): Promise<Watched> {
  const files = log.files.map((file) => join(DATA, log.folder, file));
  const times: number[] = [];
  let now = Number.NEGATIVE_INFINITY;
  await eachEvent(await openMail(files, { timezone: "UTC", year: log.year }), ({ time }) => {
    if (time === null) return;
    now = Math.max(now, time);
    times.push(now);
  });
  const until = times[Math.floor(LEARNED * times.length)]!;
  const flags = ["--timezone", "UTC", "--year", String(log.year), "--seed", SEED];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...["bin/logvane.js", "backtest", ...files, "--train-until", new Date(until).toISOString(), ...flags],
      ...["--include-held", "--format", "ndjson", "--quiet"],
    ],
    { cwd: ROOT, encoding: "utf8", maxBuffer: 64 << 20 },
  );
  if (status !== 0 && status !== EX_DATA) throw new Error(stderr);
  return {
    log,
    lines: times.length,
    days: (now - times[0]!) / DAY_MS,
    daysWithLines: new Set(times.map((time) => Math.floor(time / DAY_MS))).size,
    watchedDays: (now - until) / DAY_MS,
    until: new Date(until).toISOString(),
    alerts: stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Printed),
    refused: status === 0 ? undefined : stderr.split("\n")[0]!.replace(/^error */, ""),
  };
}

function logRow({ log, lines, days, daysWithLines, until, watchedDays, alerts, refused }: Watched): string[] {
  const told = alerts.filter((a) => !a.held).length;
  const counts = [told, alerts.length - told, (told / watchedDays).toFixed(1)].map(String);
  return [
    log.name,
    log.what,
    String(lines),
    `${days.toFixed(1)} (${daysWithLines} with lines)`,
    `${until.slice(0, 16)}Z`,
    ...(refused === undefined ? counts : [`none: ${refused}`, "-", "-"]),
  ];
}

/** Anything that looks like part of a line's text. No view puts such into a measure's name; the licences want it sure. */
const FROM_TEXT = /[@<>[\]"]|\d\.\d|::/;
const nameOf = (measure: string): string =>
  FROM_TEXT.test(measure) ? "lines of one shape" : measure.slice(0, 60);

type Told = { readonly alert: Printed; readonly judgement: Judgement | undefined };

/** Alerts that a reader would see as one run of the same: one row. */
function alertRow(log: RealLog, run: readonly Told[]): string[] {
  const { alert, judgement } = run[0]!;
  const last = run.at(-1)!.alert;
  const measure = alert.measures[0];
  const minute = (a: Printed): string => a.opened_at.slice(0, 16).replace("T", " ");
  return [
    log.name,
    String(run.length),
    run.length === 1 ? minute(alert) : `${minute(alert)} to ${minute(last)}`,
    alert.view,
    alert.kind,
    `${alert.severity}${alert.held ? ", held back" : ""}`,
    `${alert.total.lines}${run.length === 1 ? "" : " (first)"}`,
    measure
      ? `${nameOf(measure.name)}: ${measure.actual}, typical ${measure.typical_low} to ${measure.typical_high}`
      : "-",
    judgement === undefined ? "**not judged**" : `${judgement.worth ? "yes" : "**no**"}: ${judgement.why}`,
  ];
}

const isSame = (a: Told, b: Told): boolean =>
  a.judgement === b.judgement &&
  a.alert.kind === b.alert.kind &&
  a.alert.view === b.alert.view &&
  a.alert.severity === b.alert.severity &&
  a.alert.held === b.alert.held;

function runsOf({ log, alerts }: Watched, judgements: readonly Judgement[]): Told[][] {
  const runs: Told[][] = [];
  for (const alert of alerts) {
    const judgement = judgements.find(
      (j) => j.log === log.name && j.kind === alert.kind && alert.opened_at.startsWith(j.at),
    );
    const run = runs.at(-1);
    if (run && isSame(run[0]!, { alert, judgement })) run.push({ alert, judgement });
    else runs.push([{ alert, judgement }]);
  }
  return runs;
}

const LOG_HEAD = [
  "log",
  "what it is",
  "lines",
  "days",
  "learned until",
  "alerts",
  "held back",
  "alerts a day",
];
const ALERT_HEAD = [
  ...["log", "alerts", "opened (UTC)", "view", "kind", "severity", "lines", "measure"],
  "worth an operator's minute, in our judgement",
];

function summary(told: readonly Told[]): string {
  const count = (of: (t: Told) => boolean): number => told.filter(of).length;
  const sent = count((t) => !t.alert.held);
  return (
    `Of ${sent} alerts that were sent ${count((t) => !t.alert.held && t.judgement?.worth === true)} were worth it, ` +
    `${count((t) => !t.alert.held && t.judgement?.worth === false)} were not, ${count((t) => !t.alert.held && !t.judgement)} are not judged. ` +
    `Of ${told.length - sent} that were held back ${count((t) => t.alert.held && t.judgement?.worth === true)} would have been worth it.`
  );
}

/** Our detector on real logs. */
export async function real(): Promise<Section[]> {
  const judgements = JSON.parse(readFileSync(join(ROOT, "eval/real-judgements.json"), "utf8")) as Judgement[];
  const watched: Watched[] = [];
  const missing: string[] = [];
  for (const log of LOGS) {
    if (!log.files.every((file) => existsSync(join(DATA, log.folder, file)))) missing.push(log.name);
    else {
      const outcome = await watch(log);
      watched.push(outcome);
      process.stderr.write(`${log.name}: ${outcome.refused ?? `${outcome.alerts.length} alerts`}\n`);
    }
  }
  const runs = watched.map((w) => ({ log: w.log, runs: runsOf(w, judgements) }));
  const text = `${missing.length === 0 ? "" : `**Not run:** ${missing.join(", ")}: not there; set \`LOGVANE_DATA\` to the folder that holds them.\n\n`}Logs that other people published, named by their folder below \`LOGVANE_DATA\`. Taken: whatever one host wrote in order of time, at least a thousand
lines over at least nine hours; the other files there are collections of single lines. The first 60 % of the lines are learned,
the rest is watched, with 2 alerts a day and seed ${SEED}. By lines and not by time, since these logs have gaps of days, and 60 % of the time would
often end in one. Where that leaves less than a day to learn from, the verb refuses, and so does the row. What the budget held back is shown too.
No line, name or address of these logs may stand here. The judgements are ours, made by looking at each alert's lines and at what came before and after;
they are kept in \`eval/real-judgements.json\` by log, kind and hour, and an alert that nobody has looked at is *not judged*.
These logs are no held-out test: on the first reading 76 alerts were sent, one of them worth it, and what was found then (70 silences of a log whose level had fallen, one
budget spent on trifles) was mended afterwards. They are also few and short: no week of an ordinary busy server is among them.

${table([LOG_HEAD, ...watched.map(logRow)])}

${table([ALERT_HEAD, ...runs.flatMap(({ log, runs: r }) => r.map((run) => alertRow(log, run)))])}

${summary(runs.flatMap((r) => r.runs.flat()))}`;
  return [{ title: "Real logs of other servers", text }];
}
