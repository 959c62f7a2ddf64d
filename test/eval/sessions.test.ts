import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { evaluate, type Ran } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-eval-sessions-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (name: string): string => join(root, name);
const write = (name: string, lines: readonly string[]): string => {
  writeFileSync(path(name), lines.map((line) => `${line}\n`).join(""));
  return path(name);
};

/** Sessions of one open, some reads and one close, in raw lines; job k breaks off. Interleaved, the first lines in order. */
const JOBS = 41;
const BROKEN = 37;
function rawLog(): string[] {
  const random = createRandom(9);
  const open = (k: number): string => `Sep 21 10:00:00 host jobd[7]: open job_${k} for writing`;
  const rest = (k: number): string[] => [
    ...Array.from(
      { length: 1 + random.int(3) },
      () => `Sep 21 10:00:01 host jobd[7]: read ${random.int(900)} bytes of job_${k}`,
    ),
    k === BROKEN
      ? `Sep 21 10:00:02 host jobd[7]: lost job_${k} by fire`
      : `Sep 21 10:00:02 host jobd[7]: close job_${k}`,
  ];
  const ids = Array.from({ length: JOBS }, (_, k) => k);
  return [...ids.map(open), ...ids.flatMap(rest), "Sep 21 10:00:03 host jobd[7]: idle"];
}
const log = write("raw.log", rawLog());
const fromLog = (name: string, ...more: readonly string[]): Ran =>
  evaluate(
    "sessions",
    path(name),
    "--log",
    log,
    "--session-key",
    "job_\\d+",
    "--train-fraction",
    "0.3",
    ...more,
  );

suite("eval:sessions on a raw log", () => {
  const { rows, stderr } = fromLog("a", "--split", "time");
  test("writes every session once, in the order of first lines", () =>
    assert.deepEqual(
      rows.map((row) => row[0]),
      Array.from({ length: JOBS }, (_, k) => `job_${k}`),
      stderr,
    ));
  test("by time learns from the first ones, exactly round(f n)", () =>
    assert.deepEqual(
      rows.map((row) => row[1] === "train"),
      rows.map((_, i) => i < 12), // round(0.3 * 41)
    ));
  test("writes id, score, p-value and 0 or 1", () => {
    for (const row of rows.slice(12)) {
      assert.equal(row.length, 4);
      assert.ok(Number(row[1]) >= 0 && Number(row[2]) > 0 && Number(row[2]) <= 1, row.join(" "));
      assert.match(row[3]!, /^[01]$/);
    }
  });
  test("calls the broken session strange, and no other", () =>
    assert.deepEqual(
      rows.filter((row) => row[3] === "1").map((row) => row[0]),
      [`job_${BROKEN}`],
    ));
  test("at random learns from as many, others by another seed, the same by the same", () => {
    const [one, again, two] = [fromLog("b"), fromLog("c"), fromLog("d", "--seed", "2")].map((r) => r.rows);
    const trained = (r: string[][]): string[] => r.filter((row) => row[1] === "train").map((row) => row[0]!);
    assert.equal(trained(one!).length, 12);
    assert.deepEqual(one, again);
    assert.notDeepEqual(trained(one!), trained(two!));
  });
  test("gives a line to every distinct session on it", () => {
    const shared = write("shared.log", [
      "job_1 meets job_2 before job_1 ends",
      "job_2 sleeps",
      "job_3 meets job_4 before job_3 ends",
    ]);
    const out = evaluate(
      "sessions",
      path("e"),
      "--log",
      shared,
      "--session-key",
      "job_\\d",
      "--train-fraction",
      "0.5",
      "--split",
      "time",
    );
    // job_1 has one line, as job_3 and job_4 have: nothing strange. Two lines would be.
    assert.deepEqual(
      out.rows.map((row) => row.slice(0, 2)),
      [
        ["job_1", "train"],
        ["job_2", "train"],
        ["job_3", "0"],
        ["job_4", "0"],
      ],
      out.stderr,
    );
  });
});

suite("eval:sessions on prepared sessions", () => {
  const random = createRandom(3);
  const usual = (k: number): string => `s${k}\topen ${"read ".repeat(1 + random.int(3))}close`;
  const train = write(
    "train",
    Array.from({ length: 80 }, (_, k) => usual(k)),
  );
  const test0 = ["t1\topen read close", "t2\topen fire", "t3\topen close close close", "t4\t"];
  const run = (name: string, lines: readonly string[], ...more: readonly string[]): Ran =>
    evaluate("sessions", path(`out-${name}`), "--train", train, "--test", write(name, lines), ...more);
  const whole = run("whole", test0);
  test("writes a row for each line of the test file, in its order", () =>
    assert.deepEqual(
      whole.rows.map((row) => [row[0], row[3]]),
      [
        ["t1", "0"],
        ["t2", "1"],
        ["t3", "1"],
        ["t4", "1"],
      ],
      whole.stderr,
    ));
  test("scores a session the same whatever else is tested: threshold and scores come from training", () => {
    const other = run("other", [
      "z\tfire fire fire",
      ...Array.from({ length: 30 }, () => "y\tice"),
      test0[1]!,
      test0[0]!,
    ]);
    assert.deepEqual(other.rows.at(-1), whole.rows[0]);
    assert.deepEqual(other.rows.at(-2), whole.rows[1]);
  });
  test("reads unlabelled training with --mixed", () => {
    const dirty = write("dirty", [
      ...Array.from({ length: 200 }, (_, k) => usual(k)),
      "x\topen fire",
      "x\topen fire",
      "x\topen fire",
    ]);
    const clean = evaluate("sessions", path("m"), "--train", dirty, "--test", path("whole"), "--mixed");
    assert.equal(clean.rows[1]![3], "1", clean.stderr);
  });
});

suite("eval:sessions told wrongly", () => {
  const CASES: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ["without input", [], 64, /nothing to learn from/],
    ["with a missing file", ["--train", path("none"), "--test", path("none")], 66, /no such file/],
    ["with a line without TAB", ["--train", write("bad", ["a b c"]), "--test", path("bad")], 65, /no TAB/],
    [
      "with a broken expression",
      ["--log", log, "--session-key", "(", "--train-fraction", "0.3"],
      64,
      /regular expression/,
    ],
    [
      "with a share of 1",
      ["--log", log, "--session-key", "job", "--train-fraction", "1"],
      64,
      /between 0 and 1/,
    ],
    [
      "with a key that finds nothing",
      ["--log", log, "--session-key", "nix", "--train-fraction", "0.3"],
      65,
      /no session to learn/,
    ],
    ["with an odd seed", ["--train", log, "--test", log, "--seed", "x"], 64, /whole number/],
  ];
  for (const [name, args, code, what] of CASES)
    test(`${name} ends with ${code} and four lines`, () => {
      const { status, stderr } = evaluate("sessions", path("no"), ...args);
      assert.equal(status, code, stderr);
      assert.match(stderr, what);
      assert.match(stderr, /^error {3}.*\nwhere {3}.*\neffect {2}.*\ndo {6}.*\n$/);
    });
});
