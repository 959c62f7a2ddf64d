import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { evaluate, type Ran } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-eval-stream-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (name: string): string => join(root, name);
const write = (name: string, lines: readonly (string | number)[]): string => {
  writeFileSync(path(name), lines.map((line) => `${line}\n`).join(""));
  return path(name);
};

const N = 103;
const random = createRandom(4);
const labels = Array.from({ length: N }, () => (random.uniform() < 0.2 ? 1 : 0));
const lines = labels.map((label) => `a b${random.int(4)}${label ? ` x${random.int(3)}` : ""}`);
const windows = write("windows", lines);
const run = (name: string, feedback: string, told: readonly number[], file = windows): Ran =>
  evaluate(
    "stream",
    path(name),
    "--windows",
    file,
    "--chunks",
    "10",
    "--feedback",
    feedback,
    "--labels",
    write(`${name}.labels`, told),
  );

suite("eval:stream", () => {
  test("writes line, score, p-value and 0 or 1 for every window, in order", () => {
    const { rows, stderr } = evaluate("stream", path("none"), "--windows", windows, "--chunks", "10");
    assert.deepEqual(
      rows.map((row) => row[0]),
      lines.map((_, i) => String(i + 1)),
      stderr,
    );
    for (const row of rows) {
      assert.equal(row.length, 4);
      assert.ok(Number(row[1]) >= 0 && Number(row[2]) > 0 && Number(row[2]) <= 1);
      assert.match(row[3]!, /^[01]$/);
    }
  });
  test("without feedback reads no label", () => {
    const plain = evaluate("stream", path("p"), "--windows", windows, "--chunks", "10");
    assert.deepEqual(run("q", "none", [7, 7]).rows, plain.rows);
  });
  for (const feedback of ["window", "chunk"])
    test(`with feedback ${feedback} row i never depends on labels from i on`, () => {
      const whole = run("w", feedback, labels).rows;
      for (const cut of [0, 1, 30, 55, 102]) {
        const changed = labels.map((label, i) => (i < cut ? label : 1 - label));
        assert.deepEqual(
          run("v", feedback, changed).rows.slice(0, cut + 1),
          whole.slice(0, cut + 1),
          `cut ${cut}`,
        );
      }
      const flipped = run(
        "u",
        feedback,
        labels.map((label) => 1 - label),
      ).rows;
      assert.notDeepEqual(flipped, whole, "labels must matter later, or this test proves nothing");
    });
  test("with feedback by chunk uses no label of the chunk at hand", () => {
    const whole = run("k", "chunk", labels).rows;
    const changed = labels.map((label, i) => (i < 52 ? label : 1 - label)); // the sixth chunk is rows 52 to 61
    assert.deepEqual(run("l", "chunk", changed).rows.slice(0, 62), whole.slice(0, 62));
  });
  const CASES: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ["feedback without labels", ["--windows", windows, "--feedback", "window"], 64, /needs --labels/],
    ["no chunks", ["--windows", windows, "--chunks", "0"], 64, /--chunks/],
    [
      "too few labels",
      ["--windows", windows, "--feedback", "chunk", "--labels", write("few", [1])],
      65,
      /1 labels for 103/,
    ],
    [
      "a label of 2",
      ["--windows", write("one", ["a"]), "--feedback", "window", "--labels", write("two", [2])],
      65,
      /neither 0 nor 1/,
    ],
    ["no windows", ["--windows", path("gone")], 66, /no such file/],
  ];
  for (const [name, args, code, what] of CASES)
    test(`with ${name} ends with ${code}`, () => {
      const { status, stderr } = evaluate("stream", path("no"), ...args);
      assert.equal(status, code, stderr);
      assert.match(stderr, what);
    });
});
