import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { alertRecord } from "../../src/detect/alert.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { openStore, type StoredAlert } from "../../src/store/queries.ts";
import { HOSTILE, sampleAlert } from "../report/support.ts";
import { assertFault, type FaultCase, logvane } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-faults-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (name: string): string => join(root, name);

/** A state with two alerts whose ids begin alike. */
const good = path("good");
const store = openStore(good);
store.saveAlerts(
  ["b4f00d", "b4f00e"].map((id) => alertRecord(sampleAlert({ id, summary: HOSTILE })) as StoredAlert),
);
store.close();
const newer = path("newer");
const db = openDatabase(newer);
db.pragma("user_version = 99");
db.close();
const damaged = path("damaged");
openStore(damaged).close();
writeFileSync(databasePath(damaged), "no database ".repeat(500));
/** Sound pages, but records that are not ours any more. */
const torn = path("torn");
openStore(torn).close();
const rows = openDatabase(torn);
const insert = rows.prepare("INSERT INTO alerts (id, opened_at, record) VALUES (?, 1, ?)");
insert.run("aaaa", '{"id":');
insert.run("bbbb", '{"id":"bbbb"}');
rows.close();
const file = path("file");
writeFileSync(file, "");
const exim = path("exim.log");
writeFileSync(exim, "2026-04-06 08:00:00 1abcde-0001-AA <= ann@our.example H=x [192.0.2.1] P=esmtp S=1\n");
const sshd = path("sshd.log");
writeFileSync(sshd, "Apr  6 08:00:00 mx sshd[7]: Accepted publickey for ann from 192.0.2.9 port 22 ssh2\n");

const CASES: readonly FaultCase[] = [
  ["no verb", [], 64, /no verb/, /command line/, /--help/],
  ["an unknown verb", ["fly"], 64, /no verb "fly"/, /first word/, /explain, alerts/],
  ["a verb with control characters", ["a\u001b[31m\nb"], 64, /a\\x1b\[31m\\x0ab/, /first word/, /use one of/],
  ["a verb named like a method", ["constructor"], 64, /no verb/, /first word/, /use one of/],
  ["an unknown flag", ["alerts", "--fly"], 64, /unknown option '--fly'/, /alerts --fly/, /alerts --help/],
  ["a missing argument", ["explain"], 64, /missing required argument/, /explain/, /explain --help/],
  ["an unknown zone", ["alerts", "--timezone", "Mars/Base"], 64, /no zone/, /Mars\/Base/, /alerts --help/],
  ["a limit of none", ["alerts", "--limit", "0"], 64, /whole number/, /--limit 0/, /alerts --help/],
  ["a fault of no name", ["drill", file, "--kind", "fire"], 64, /no fault "fire"/, /--kind/, /log_silence/],
  ["a drill of no days", ["drill", file, "--days", "0"], 64, /number of days/, /--days/, /--days 3/],
  [
    "a drill on a log whose lines can't be imitated",
    ["drill", exim, "--quiet"],
    65,
    /can't be written in the form/,
    /exim\.log/,
    /RFC 3164/,
  ],
  ["a drill on a server without Postfix", ["drill", sshd, "--quiet"], 65, /Postfix/, /sshd\.log/, /backtest/],
  ["days of none", ["retrain", file, "--days", "0"], 64, /number of days/, /--days/, /--days 35/],
  [
    "a retraining of nothing",
    ["retrain", file, "--state", path("untrained")],
    78,
    /there is no model yet/,
    /untrained/,
    /logvane train FILE/,
  ],
  ["a format not written", ["alerts", "--format", "html"], 64, /html/, /--format/, /--format text/],
  ["no configuration", ["alerts", "--config", path("no")], 66, /ENOENT/, /no$/, /after --config/],
  ["an unknown alert", ["explain", "zz", "--state", good], 66, /no alert "zz"/, /good/, /logvane alerts/],
  ["an alert without state", ["explain", "zz", "--state", path("none")], 66, /no alert/, /none/, /--state/],
  [
    "an id of two alerts",
    ["explain", "b4", "--state", good],
    64,
    /several/,
    /b4f00d, b4f00e/,
    /more of the id/,
  ],
  ["a damaged state", ["alerts", "--state", damaged], 65, /damaged/, /logvane\.db/, /train again/],
  [
    "half a record",
    ["explain", "aaaa", "--state", torn],
    65,
    /a record in it is no JSON/,
    /alert aaaa/,
    /train again/,
  ],
  [
    "a record without its fields",
    ["explain", "bbbb", "--state", torn],
    65,
    /no sound "total"/,
    /alert bbbb/,
    /again/,
  ],
  [
    "an argument of a hundred kilobytes",
    ["alerts", "--timezone", "x".repeat(100_000)],
    64,
    /^.{10,700}$/,
    /alerts/,
    /--help/,
  ],
  ["a file as state", ["alerts", "--state", file], 74, /cannot use the state folder/, /file/, /--state DIR/],
  ["an export without a file", ["export"], 64, /one file/, /logvane export/, /export --restore FILE/],
  [
    "an export of no state",
    ["export", path("x"), "--state", path("none")],
    66,
    /no state to export/,
    /none$/,
    /--state DIR/,
  ],
  [
    "an export to no folder",
    ["export", path("no/x"), "--state", good],
    74,
    /cannot write the backup \(ENOENT\)/,
    /no\/x$/,
    /has room/,
  ],
  [
    "a restore of no file",
    ["export", "--restore", path("no"), "--state", path("new")],
    66,
    /cannot read the backup \(ENOENT\)/,
    /no$/,
    /after --restore/,
  ],
  [
    "a restore of something else",
    ["export", "--restore", databasePath(good), "--state", path("new")],
    65,
    /no backup of Logvane/,
    /logvane\.db$/,
    /logvane export FILE/,
  ],
  [
    "a restore over a state",
    ["export", "--restore", file, "--state", good],
    78,
    /a state already/,
    /logvane\.db$/,
    /--force/,
  ],
  ["a newer state", ["alerts", "--state", newer], 78, /schema 99/, /logvane\.db/, /newer release/],
];

suite("a mistake or a broken state", () => {
  for (const fault of CASES)
    test(`${fault[0]} ends with ${fault[2]} and says what, where, effect and what to do`, () =>
      assertFault(fault));
});

suite("the state's alerts on the command line", () => {
  test("are listed and explained as text that only shows", () => {
    const list = logvane(["alerts", "--state", good]);
    assert.equal(list.status, 0, list.stderr);
    assert.match(list.stdout, /^b4f00d {2}2026-09-21 02:30 \+00:00 {2}high/);
    const one = logvane(["explain", "b4f00d", "--state", good, "--timezone", "Europe/Berlin"]);
    assert.match(one.stdout, /since {5}2026-09-21 04:00 \+02:00, for 2 h/);
    assert.doesNotMatch(one.stdout, /[\u0000-\u0009\u000b-\u001f]/);
  });
  test("are records of the contract as JSON", () => {
    const { stdout } = logvane(["explain", "b4f00d", "--state", good, "--json"]);
    assert.equal(JSON.parse(stdout).opened_at, "2026-09-21T02:30:00.000Z");
    const all = logvane(["alerts", "--state", good, "--format", "ndjson", "--limit", "1"]).stdout;
    assert.equal(all.trim().split("\n").length, 1);
  });
  test("are none where there is no state, which is not made", () => {
    const { status, stdout } = logvane(["alerts", "--state", path("none")]);
    assert.deepEqual([status, stdout.slice(0, 10)], [0, "No alerts."]);
    assert.equal(existsSync(path("none")), false);
  });
});

suite("help, doctor and the end of the output", () => {
  test("general help lists the verbs and ends with 0", () => {
    const { status, stdout } = logvane(["--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /doctor .*check the installation/);
    assert.match(logvane(["alerts", "--help"]).stdout, /--state <dir>/);
  });
  test("doctor ends with 0 on a sound state, with 78 on a damaged one, and says what to do", () => {
    assert.equal(logvane(["doctor", "--state", good]).status, 0);
    const { status, stdout } = logvane(["doctor", "--state", damaged, "--json"]);
    assert.equal(status, 78);
    const failed = JSON.parse(stdout).checks.find((c: { status: string }) => c.status === "fail");
    assert.equal(failed.name, "state");
    assert.match(failed.remedy, /move the file away/);
  });
  test("a full disk behind standard output ends with 74", { skip: !existsSync("/dev/full") }, () => {
    const bin = `${process.execPath} bin/logvane.js`;
    const { status, stderr } = spawnSync("sh", ["-c", `${bin} doctor --state ${good} > /dev/full`], {
      encoding: "utf8",
    });
    assert.equal(status, 74);
    assert.match(stderr, /^error {3}the disk is full/);
  });
  test("a reader that left ends it quietly with 0", () => {
    const bin = `${process.execPath} bin/logvane.js`;
    const script = `{ ${bin} doctor --state ${good}; echo $? >&2; } | true`;
    assert.match(spawnSync("sh", ["-c", script], { encoding: "utf8" }).stderr, /^0\n$/);
  });
});
