import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { RowFile } from "../../src/cli/row-file.ts";
import { Fault } from "../../src/fault.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-scores-"));
after(() => rmSync(root, { recursive: true, force: true }));

const row = (i: number): object => ({ key: `column ${i}`, score: i / 8 });

suite("a file of rows", () => {
  test("holds each row once and in order, however many blocks they are", () => {
    const path = join(root, "scores");
    const file = new RowFile(path, "scores");
    for (let i = 0; i < 5000; i++) file.add(row(i));
    file.end();
    const rows = readFileSync(path, "utf8").split("\n");
    assert.equal(rows.pop(), "");
    assert.equal(rows.length, 5000);
    assert.equal(rows[4001], '{"key":"column 4001","score":500.125}');
  });
  test("is empty when there is none", () => {
    const path = join(root, "none");
    new RowFile(path, "scores").end();
    assert.equal(readFileSync(path, "utf8"), "");
  });
  test("that can't be written ends no replay, and is told of at its end", () => {
    const file = new RowFile(join(root, "no folder", "scores"), "scores");
    for (let i = 0; i < 5000; i++) file.add(row(i));
    assert.throws(
      () => file.end(),
      (fault) => fault instanceof Fault && /cannot write the scores: ENOENT/.test(fault.message),
    );
  });
});
