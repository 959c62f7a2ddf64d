import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { ScoreFile } from "../../src/cli/score-file.ts";
import { Fault } from "../../src/fault.ts";
import type { Score } from "../../src/pipeline/model.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-scores-"));
after(() => rmSync(root, { recursive: true, force: true }));

const score = (i: number): Score => ({
  time: Date.UTC(2026, 1, 16) + i,
  view: "window",
  key: `column ${i}`,
  score: i / 8,
  pValue: 0.5,
});

suite("a file of scored rows", () => {
  test("holds each row once and in order, however many blocks they are", () => {
    const path = join(root, "scores");
    const file = new ScoreFile(path);
    for (let i = 0; i < 5000; i++) file.add(score(i));
    file.end();
    const rows = readFileSync(path, "utf8").split("\n");
    assert.equal(rows.pop(), "");
    assert.equal(rows.length, 5000);
    assert.equal(
      rows[4001],
      '{"time":"2026-02-16T00:00:04.001Z","view":"window","key":"column 4001","score":500.125,"p_value":0.5}',
    );
  });
  test("is empty when nothing was scored", () => {
    const path = join(root, "none");
    new ScoreFile(path).end();
    assert.equal(readFileSync(path, "utf8"), "");
  });
  test("that can't be written ends no replay, and is told of at its end", () => {
    const file = new ScoreFile(join(root, "no folder", "scores"));
    for (let i = 0; i < 5000; i++) file.add(score(i));
    assert.throws(
      () => file.end(),
      (fault) => fault instanceof Fault && /cannot write the scores: ENOENT/.test(fault.message),
    );
  });
});
