import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { gapsOf } from "../../eval/alerts/gaps.ts";
import { replay } from "../../src/cli/replay.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import { alertFromRecord } from "../../src/report/record.ts";
import { type Finished, frozen, type Printed, printed, program, SAMPLE, TRAIN_UNTIL } from "./support.ts";

/** Four weeks of the mail lab: two to learn, two to watch, five faults in the last one. Three runs in all serve every test. */

const FIELDS = [
  "id opened_at closed_at start end severity class held p_value view kind kind_confidence title summary",
  "entities templates measures lines updates total",
]
  .join(" ")
  .split(" ");
const BUDGET = 2;

const root = mkdtempSync(join(tmpdir(), "logvane-e2e-"));
after(() => rmSync(root, { recursive: true, force: true }));
const log = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n");
const args = ["backtest", SAMPLE, "--train-until", TRAIN_UNTIL, "--timezone", "UTC", "--year", "2026"];
const MONTHS = ["Sep", "Oct"];

/** Time in ms of a line of the sample, whose stamps are "Sep  7 00:03:51" in UTC of 2026. */
function timeOf(text: string): number {
  const [month, day, time] = text.split(/ +/, 3) as [string, string, string];
  const [h, m, s] = time.split(":").map(Number) as [number, number, number];
  return Date.UTC(2026, 8 + MONTHS.indexOf(month), Number(day), h, m, s);
}

let here: Finished;
let elsewhere: Finished;
let alerts: Printed[];
before(async () => {
  [here, elsewhere] = await Promise.all([
    program("bin/logvane.js", [...args, "--format", "ndjson"]),
    program(
      "bin/logvane.js",
      [...args, "--format", "ndjson", "--quiet", "--state", join(root, "state")],
      { TZ: "America/New_York", LANG: "C", HOME: "/tmp/x" },
      root,
    ),
  ]);
  assert.equal(here.status, 0, here.stderr);
  alerts = printed(here.stdout);
});

suite("a back-test of the bundled log", () => {
  test("finds five of five faults with evidence, at most two false alarms, at most five alerts a fault", async () => {
    const file = join(root, "alerts.ndjson");
    writeFileSync(file, here.stdout);
    const { status, stdout, stderr } = await program("eval/score-alerts.mjs", [
      ...["--alerts", file, "--labels", "samples/quickstart.labels.json", "--from", TRAIN_UNTIL],
      ...["--kinds", "eval/kinds.json", "--json"],
    ]);
    assert.equal(status, 0, stderr);
    const score = JSON.parse(stdout.toString("utf8"));
    assert.equal(score.labels, 5);
    assert.equal(score.evidenced, 5, JSON.stringify(score.rows, undefined, 1));
    assert.ok(score.false_alarms <= 2, JSON.stringify(score.false, undefined, 1));
    assert.ok(score.most_alerts_on_one_label <= 5);
  });

  test("explains each alert without a gap", () => {
    for (const alert of alerts) assert.deepEqual(gapsOf(alertFromRecord(alert)), [], alert.title);
  });

  test("opens the brute force and the stolen account by the window or the entity view", () => {
    const first = (day: string, hour: string): Printed =>
      alerts.find((a) => a.opened_at.startsWith(day) && a.opened_at.slice(11) > hour)!;
    const force = first("2026-09-28", "02:47");
    const stolen = first("2026-10-02", "03:06");
    assert.equal(force.kind, "bruteforce");
    assert.equal(stolen.kind, "account_compromised");
    for (const { view } of [force, stolen]) assert.match(view, /^(window|entity)$/);
  });

  test("prints the contract's fields and no others", () => {
    for (const alert of alerts) assert.deepEqual(Object.keys(alert), FIELDS);
  });

  test("cites at most five lines, word for word, read before the opening", () => {
    assert.ok(alerts.some((a) => a.lines.length > 0));
    for (const { id, lines, opened_at } of alerts) {
      assert.ok(lines.length <= 5, id);
      for (const { file, line, text } of lines) {
        assert.equal(file, SAMPLE);
        assert.equal(text, log[line - 1], `${id}, line ${line}`);
        assert.ok(timeOf(text) <= Date.parse(opened_at), `${id}, line ${line}`);
      }
    }
  });

  test("opens at most two alerts a day outside class always, in order of time and id", () => {
    const perDay = new Map<string, number>();
    for (const a of alerts) {
      const day = a.opened_at.slice(0, 10);
      if (a.class !== "always") perDay.set(day, (perDay.get(day) ?? 0) + 1);
    }
    assert.ok(Math.max(...perDay.values()) <= BUDGET, JSON.stringify([...perDay]));
    const keys = alerts.map((a) => `${a.opened_at} ${a.id}`);
    assert.deepEqual(keys, keys.toSorted());
  });

  test("is the same byte for byte in another zone, language, home and folder", () => {
    assert.equal(elsewhere.status, 0, elsewhere.stderr);
    assert.equal(elsewhere.stderr, "");
    assert.ok(here.stdout.equals(elsewhere.stdout));
  });

  test("cut after the line that opened an alert prints exactly the alerts opened by then", async () => {
    const last = alerts.findIndex((a) => a.kind === "account_compromised");
    const { opened_at } = alerts[last]!;
    const cutAfter = log.findIndex((text) => text !== "" && timeOf(text) >= Date.parse(opened_at));
    const file = join(root, "cut.log");
    writeFileSync(file, `${log.slice(0, cutAfter + 1).join("\n")}\n`);
    const result = await replay({
      files: [file],
      options: { timezone: "UTC", year: 2026 },
      until: { time: Date.parse(TRAIN_UNTIL) },
      budget: BUDGET,
      without: new Set(),
      seed: 1,
      name: () => SAMPLE,
      compare: [1, BUDGET, 10],
    });
    const then = result.alerts.filter((a) => !a.held).map((a) => alertRecord(a) as unknown as Printed);
    assert.ok(last >= 3);
    assert.deepEqual(then.map(frozen), alerts.slice(0, last + 1).map(frozen)); // comparing budgets changes nothing
    const { opened, held } = result.ledger;
    const [one, same, ten] = result.costs;
    assert.deepEqual(same, { perDay: BUDGET, sent: opened, held });
    const [least, most] = [one!.sent <= opened && one!.held >= held, ten!.sent >= opened];
    assert.ok(least && most && one!.sent < ten!.sent, JSON.stringify(result.costs));
  });
});
