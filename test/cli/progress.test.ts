import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createProgress } from "../../src/cli/progress.ts";

/** What is written for 500 of 1000 lines after one second, and 1000 after ten. */
function written(isTTY: boolean, quiet = false): string {
  let out = "";
  let ms = 0;
  const stream = { isTTY, write: (text: string) => (out += text) };
  const progress = createProgress("reading", 1000, { quiet, stream, now: () => ms });
  ms = 1000;
  progress.update(500);
  progress.update(501);
  ms = 10_000;
  progress.update(1000);
  progress.end();
  return out;
}

suite("progress", () => {
  test("on a terminal is one line drawn again, with a bar and a rate", () => {
    const [, first] = written(true).split("\r\u001b[2K");
    assert.equal(first, `reading ${"█".repeat(12)}${"░".repeat(12)}  50 %  500 lines, 500/s`);
    assert.equal(written(true).split("\n").length, 2);
  });
  test("elsewhere is a plain line every few seconds", () =>
    assert.equal(written(false), "reading 100 %  1,000 lines, 100/s\n".repeat(2)));
  test("is nothing when quiet", () => assert.equal(written(true, true), ""));
});
