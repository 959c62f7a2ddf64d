import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { incidents } from "../../eval/baselines/incidents.ts";
import { type Lines, readLines, writeWithoutNew } from "../../eval/baselines/lines.ts";
import { WINDOW_BASELINES } from "../../eval/baselines/rows.ts";
import { thresholdOf } from "../../eval/baselines/threshold.ts";
import { newTemplateRecords, windowRecords } from "../../eval/baselines/told.ts";
import { newestLines, windowsOf } from "../../eval/baselines/windows.ts";
import { createRandom } from "../../src/math/random.ts";
import { alertFromRecord } from "../../src/report/record.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const START = Date.UTC(2026, 1, 2);
const UNTIL = START + 10 * DAY;
/** The contract's fields of an alert. */
const FIELDS = [
  ...["id", "opened_at", "closed_at", "start", "end", "severity", "class", "held", "p_value", "view", "kind"],
  ...[
    "kind_confidence",
    "title",
    "summary",
    "entities",
    "templates",
    "measures",
    "lines",
    "updates",
    "total",
  ],
];

/** Ten days of three templates, then two days in which the third runs wild and a fourth, never seen, comes at noon. */
function lines(days: number): Lines {
  const random = createRandom(1);
  const times: number[] = [];
  const columns: number[] = [];
  for (let time = START; time < START + days * DAY; time += MINUTE) {
    const wild = time >= UNTIL && random.uniform() < 0.5;
    const noon = time >= UNTIL && time % DAY === 720 * MINUTE;
    for (const column of [random.int(3), ...(wild ? [2, 2, 2] : []), ...(noon ? [3] : [])]) {
      times.push(time);
      columns.push(column);
    }
  }
  const trained = times.filter((t) => t < UNTIL).length;
  const templates = ["first", "second", "third", "never seen"].slice(0, days > 10 ? 4 : 3);
  return { times, numbers: times.map((_, i) => i + 1), columns, templates, trained, known: 3 };
}

suite("baselines", () => {
  const whole = lines(12);
  const table = windowsOf(whole, UNTIL);
  const cut = windowsOf(lines(11), UNTIL);

  for (const [name, scoresOf] of Object.entries(WINDOW_BASELINES)) {
    const scores = scoresOf(table);
    const skip = scores === undefined ? "scikit-learn is not there" : false;
    test(`${name}: no line is drawn by what comes after training`, { skip }, () => {
      const other = scoresOf(cut)!;
      assert.equal(thresholdOf(cut, other), thresholdOf(table, scores!));
      assert.equal(other.fixed, scores!.fixed);
      assert.deepEqual(
        other.values,
        scores!.values.subarray(0, cut.T),
        "nor any score by what comes after it",
      );
    });
    // A forest cuts only within the values of training: what lies far beyond them is to it as what lies at their edge.
    const blind = name === "Isolation Forest";
    test(
      `${name}: ${blind ? "tells" : "sees a template that runs wild, and tells it"} as the contract says`,
      {
        skip,
      },
      () => {
        const threshold = blind ? Number.NEGATIVE_INFINITY : thresholdOf(table, scores!);
        const records = windowRecords(name, whole, table, scores!, threshold, undefined);
        assert.ok(
          records.length > 0 && records.length <= 4,
          `${records.length} alerts in two days, two a day`,
        );
        for (const record of records) {
          assert.deepEqual(Object.keys(record), FIELDS);
          const alert = alertFromRecord(record);
          assert.ok(alert.openedAt >= UNTIL && alert.lines.length <= 5);
          for (const { line } of alert.lines) assert.ok(whole.times[line - 1]! < alert.openedAt);
        }
      },
    );
  }

  test("a template never seen is told by its line at once, as the contract says", () => {
    const folder = mkdtempSync(join(tmpdir(), "logvane-test-"));
    const log = join(folder, "log");
    writeFileSync(log, whole.columns.map((c, i) => `${whole.templates[c]} ${i + 1}\n`).join(""));
    const records = newTemplateRecords(whole, log);
    rmSync(folder, { recursive: true });
    assert.deepEqual(
      records.map((r) => r.opened_at),
      ["2026-02-12T12:00:00.000Z", "2026-02-13T12:00:00.000Z"],
    );
    for (const record of records) {
      assert.deepEqual(Object.keys(record), FIELDS);
      const [line] = alertFromRecord(record).lines;
      assert.equal(line!.text, `never seen ${line!.line}`);
    }
  });

  test("one column within half an hour is one incident, and a day opens two", () => {
    const at = (minute: number, column: number): { time: number; column: number; score: number } => ({
      time: START + minute * MINUTE,
      column,
      score: 1,
    });
    const opened = incidents([at(0, 1), at(30, 1), at(60, 1), at(91, 1), at(92, 2), at(1440, 2)]);
    assert.deepEqual(
      opened.map((o) => (o.time - START) / MINUTE),
      [0, 91, 1440],
    );
  });

  test("the newest lines of a column lie within the window", () => {
    const window = Math.floor(UNTIL / (10 * MINUTE));
    for (const number of newestLines(whole, window, 2)) {
      assert.equal(whole.columns[number - 1], 2);
      assert.equal(Math.floor(whole.times[number - 1]! / (10 * MINUTE)), window);
    }
  });
});

suite("the lines that baselines see", () => {
  const folder = mkdtempSync(join(tmpdir(), "logvane-test-"));
  const long = join(folder, "long.log");
  const short = join(folder, "short.log");
  const trainUntil = "2026-09-09T00:00:00Z";
  let all: Lines;

  before(async () => {
    const text = gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8").split("\n");
    writeFileSync(long, `${text.slice(0, 30_000).join("\n")}\n`);
    writeFileSync(short, `${text.slice(0, 25_000).join("\n")}\n`);
    all = await readLines({ log: long, trainUntil });
  });
  after(() => rmSync(folder, { recursive: true }));

  test("depend on nothing that comes later", async () => {
    const some = await readLines({ log: short, trainUntil });
    assert.ok(some.trained > 0 && some.trained < some.columns.length, "the cut lies after training");
    assert.deepEqual([some.trained, some.known], [all.trained, all.known]);
    assert.deepEqual(some.columns, all.columns.slice(0, some.columns.length));
    assert.deepEqual(some.templates, all.templates.slice(0, some.templates.length));
  });

  test("keep their numbers when those with new templates are taken out", async () => {
    const file = join(folder, "altered.log");
    const removed = writeWithoutNew(long, all, file);
    assert.ok(removed.size > 0);
    const left = await readLines({ log: file, trainUntil });
    assert.deepEqual(
      left.numbers,
      all.numbers.filter((n) => !removed.has(n)),
    );
    assert.equal(left.templates.length, left.known, "nothing is new");
  });
});
