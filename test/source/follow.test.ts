import assert from "node:assert/strict";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Daemon, logConfig } from "./follow-support.ts";
import { logLines, workspace } from "./support.ts";

const folder = workspace("follow");
const trimmed = (lines: readonly string[]): string[] => lines.map((l) => l.trimEnd());

suite("a log that is followed", () => {
  test("begins at its end, and gives what is added, within a second", async () => {
    const dir = folder({ "mail.log": logLines(10).join("") });
    const file = join(dir, "mail.log");
    const d = new Daemon(logConfig([file]));
    await d.start();
    const more = logLines(5, 3000, 10);
    for (const line of more) {
      appendFileSync(file, line);
      const at = performance.now();
      await d.readTo(d.seen.length + 1);
      assert.ok(performance.now() - at < 1000);
    }
    assert.deepEqual(d.texts, trimmed(more));
    assert.equal(d.seen[0]!.line, 11);
  });
  test("is rotated by rename", async () => {
    const dir = folder({ "mail.log": logLines(10).join("") });
    const file = join(dir, "mail.log");
    const d = new Daemon(logConfig([file]));
    await d.start();
    const more = logLines(30, 3000, 10);
    appendFileSync(file, more.slice(0, 10).join(""));
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, more.slice(10, 15).join(""));
    writeFileSync(file, more.slice(15).join(""));
    await d.readTo(30);
    assert.deepEqual(d.texts, trimmed(more));
    assert.deepEqual(d.faults, []);
  });
});
