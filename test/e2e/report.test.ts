import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import PostalMime from "postal-mime";
import { dayOf } from "../../src/report/daily-log.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { openStore } from "../../src/store/queries.ts";
import { assertFault, type FaultCase, logvane } from "../faults/support.ts";
import { DAY, dayLines, daysBefore, incident, summaryOf, ZONE } from "../report/daily-support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-verb-report-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (name: string): string => join(root, name);
const day = dayOf(DAY, ZONE);
const lines = dayLines(DAY, () => 3);
const log = path("mail.log");
writeFileSync(log, `${lines.join("\n")}\n`);

/** A state that learned from the weeks before and watched the day. */
function state(name: string, alerts: readonly ReturnType<typeof incident>[]): string {
  const dir = path(name);
  const store = openStore(dir);
  const figures = daysBefore(summaryOf(lines, day), 60);
  const header = { from: day.from - 28 * 86_400_000, to: day.from, figures };
  store.saveModel({ id: "m0de1", createdAt: day.from, header, blob: new Uint8Array(1) });
  store.saveAlerts(alerts);
  store.close();
  const db = openDatabase(dir);
  const counts = { opened: alerts.length, held: 0, joined: 0, below_bar: 0, lines: lines.length };
  db.prepare("INSERT INTO days (day, record) VALUES (?, ?)").run(DAY, JSON.stringify(counts));
  db.close();
  return dir;
}
const quiet = state("quiet", []);
const busy = state("busy", [incident(3)]);
const flags = ["--date", DAY, "--timezone", ZONE, "--year", "2026"];
const report = (dir: string, ...more: string[]): ReturnType<typeof logvane> =>
  logvane(["report", log, ...flags, "--state", dir, ...more]);

suite("logvane report", () => {
  test("prints the report of a day as text", () => {
    const { status, stdout, stderr } = report(busy);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /Saturday 28 November 2026\n=+\n {2}1 incident on this day: Many failed log-ins/);
    assert.match(stdout, /messages received +72 +71 to 73/);
  });
  test("prints it as JSON and as a page", () => {
    const made = JSON.parse(report(busy, "--format", "json").stdout);
    assert.deepEqual([made.day, made.alerts.length, made.summary.corrected.received], [DAY, 1, 72]);
    assert.match(report(busy, "--format", "html").stdout, /^<!doctype html>[\s\S]*data:image\/png;base64/);
  });
  test("prints a whole message, which parsers of mail read", async () => {
    const { stdout } = report(busy, "--format", "eml");
    const mail = await PostalMime.parse(stdout);
    assert.match(mail.subject!, /: 1 incident on Sat 28 Nov: Many failed log-ins from 192\.0\.2\.9$/);
    assert.match(mail.text!, /Saturday 28 November 2026/);
    const cids = [...mail.html!.matchAll(/src="cid:([^"]*)"/g)].map((m) => `<${m[1]}>`).sort();
    assert.deepEqual(mail.attachments.map((a) => a.contentId).sort(), cids);
    assert.ok(cids.length > 10);
    for (const { content } of mail.attachments)
      assert.deepEqual([...new Uint8Array(content as ArrayBuffer).subarray(1, 4)], [80, 78, 71]); // PNG
    assert.ok(stdout.length < 100_000);
    assert.ok(stdout.split("\n").every((line) => line.length <= 998));
  });
  test("writes a file whole, readable by its owner and group", () => {
    const out = path("report.html");
    writeFileSync(out, "old");
    assert.equal(report(busy, "--format", "html", "--output", out).stdout, "");
    assert.match(readFileSync(out, "utf8"), /<\/html>\n$/);
    assert.equal(statSync(out).mode & 0o007, 0);
    assert.deepEqual(
      readdirSync(root).filter((name) => name.endsWith(".new")),
      [],
    );
  });
  test("with --on-change says nothing on a quiet day but a line on standard error", () => {
    const out = path("quiet.txt");
    const { status, stdout, stderr } = report(quiet, "--on-change", "--output", out);
    assert.deepEqual([status, stdout, existsSync(out)], [0, "", false]);
    assert.match(stderr, /^\S+: all quiet on Sat 28 Nov; nothing to tell, nothing was written or sent\n$/);
    assert.match(report(busy, "--on-change").stdout, /1 incident/);
  });
  test("goes out without a state that is damaged, and says so", () => {
    const dir = path("damaged");
    openStore(dir).close();
    writeFileSync(databasePath(dir), "no database ".repeat(500));
    const { status, stdout, stderr } = report(dir);
    assert.equal(status, 0);
    assert.match(stderr, /^error {3}the state database is damaged/);
    assert.match(stdout, /\* the state database is damaged, or is none/);
  });
  test("makes no state and keeps no figures of a log that was named by hand", () => {
    assert.equal(report(path("none")).status, 0);
    assert.equal(existsSync(path("none")), false);
    const store = openStore(busy);
    assert.deepEqual(store.report.figures(), []);
    store.close();
  });
});

suite("logvane report by its configuration", () => {
  const config = path("logvane.toml");
  const told = path("told.ndjson");
  writeFileSync(
    config,
    `[server]\nname = "mail.example.org"\n[log]\npaths = ["${log}"]\ntimezone = "${ZONE}"\n` +
      `[[channel]]\nname = "told"\ntype = "file"\npath = "${told}"\nreport = true\n`,
  );
  const dir = state("configured", [incident(3)]);
  const args = ["report", "--config", config, "--date", DAY, "--state", dir];
  test("reads the logs of the configuration and keeps the day's figures for the next reports", () => {
    const { status, stdout } = logvane(args);
    assert.equal(status, 0);
    assert.match(stdout, /^mail\.example\.org, Saturday 28 November 2026\n/);
    const store = openStore(dir);
    const [kept] = store.report.figures();
    assert.deepEqual([kept?.day, (kept?.totals as { received?: number }).received], [DAY, 72]);
    store.close();
  });
  test("sends nothing of a quiet day where on_change is set", () => {
    const set = path("on-change.toml");
    writeFileSync(set, `${readFileSync(config, "utf8")}[report]\non_change = true\n`);
    const quietArgs = ["report", "--config", set, "--date", DAY, "--state", quiet, "--send"];
    const { status, stderr } = logvane(quietArgs);
    assert.equal(status, 0);
    assert.match(stderr, /nothing to tell, nothing was written or sent/);
    assert.equal(existsSync(told), false);
  });
  test("sends it once to the channels that get it", () => {
    for (let i = 0; i < 2; i++) assert.equal(logvane([...args, "--send"]).status, 0);
    const lines = readFileSync(told, "utf8").trim().split("\n");
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /"type":"report"/);
  });
});

const FAULTS: readonly FaultCase[] = [
  [
    "a report of all days",
    ["report", log, "--date", "all"],
    64,
    /of one day/,
    /--date all/,
    /summary --date all/,
  ],
  ["a day that is none", ["report", log, "--date", "2026-02-30"], 64, /no date/, /--date/, /yesterday/],
  [
    "a report without channel",
    ["report", log, ...flags, "--send", "--state", quiet],
    78,
    /no channel/,
    /\/dev\/null/,
    /logvane init/,
  ],
  [
    "a folder that is not there",
    ["report", log, ...flags, "--state", quiet, "--output", path("no/r.txt")],
    74,
    /ENOENT/,
    /no\/r\.txt/,
    /name a file/,
  ],
  ["a log that is not there", ["report", path("no.log")], 66, /no such file/, /FILE/, /check the path/],
];

suite("logvane report tells in four parts", () => {
  for (const fault of FAULTS) test(fault[0], () => assertFault(fault));
});
