import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Zone } from "../../src/log/zone.ts";
import { inferYear, openInputs } from "../../src/source/files.ts";
import { logLines, readLines, workspace } from "./support.ts";

const folder = workspace("rotation");
/** 2.2 MB: read in nine chunks, so that there is a middle in which things can happen. */
const LOG = logLines(27_000);
const text = LOG.join("");
const all = LOG.map((l) => l.trim());
const NOW = Date.parse("2026-03-01T00:00:00Z");

/** Does something to the file when half of the lines were read. */
const meanwhile =
  (act: () => void): ((n: number) => void) =>
  (n) => {
    if (n === 13_500) act();
  };

suite("a file that changes while it is read", () => {
  test("and grows is read as it was when it was opened, the same in each pass", async () => {
    const file = join(folder({ "mail.log": text }), "mail.log");
    const { inputs } = await openInputs([file]);
    const grow = (): void => appendFileSync(file, logLines(500, 3000, 27_000).join(""));
    grow();
    assert.equal(await inferYear(inputs, NOW, new Zone("UTC")), 2026);
    assert.deepEqual((await readLines(inputs, meanwhile(grow))).texts, all);
    assert.deepEqual((await readLines(inputs)).texts, all);
  });
  test("and had an unfinished line is read with that line completed, once and in each pass", async () => {
    const file = join(folder({ "mail.log": `${text}Feb  3 10:00:00 mx1 a[1]: half` }), "mail.log");
    const { inputs } = await openInputs([file]);
    appendFileSync(file, " and whole\nFeb  3 10:00:01 mx1 a[1]: later\n");
    for (let pass = 0; pass < 2; pass++) {
      const { texts } = await readLines(inputs);
      assert.deepEqual(texts, [...all, "Feb  3 10:00:00 mx1 a[1]: half and whole"]);
    }
  });
  test("and stays unfinished gives its last line once", async () => {
    const file = join(folder({ "mail.log": `${text}Feb  3 10:00:00 mx1 a[1]: half` }), "mail.log");
    const { inputs } = await openInputs([file]);
    for (let pass = 0; pass < 2; pass++)
      assert.equal((await readLines(inputs)).texts.at(-1), "Feb  3 10:00:00 mx1 a[1]: half");
  });
  test("and is rotated by rename is read to its end, and so are those beside it", async () => {
    const dir = folder({ "mail.log": text, "mail.log.1.gz": gzipSync(logLines(900, 1000, -5000).join("")) });
    const path = (name: string): string => join(dir, name);
    const { inputs } = await openInputs([dir]);
    const rotate = (): void => {
      renameSync(path("mail.log.1.gz"), path("mail.log.2.gz"));
      renameSync(path("mail.log"), path("mail.log.1"));
      writeFileSync(path("mail.log"), logLines(10, 3000, 40_000).join(""));
    };
    rotate();
    const before = logLines(900, 1000, -5000).map((l) => l.trim());
    assert.deepEqual((await readLines(inputs)).texts, [...before, ...all]);
    rmSync(path("mail.log.1"));
    assert.deepEqual((await readLines(inputs)).texts, [...before, ...all]);
  });
  test("and is rotated by copytruncate says which lines it lost", async () => {
    const file = join(folder({ "mail.log": text }), "mail.log");
    const { inputs } = await openInputs([file]);
    const rotate = (): void => {
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
      appendFileSync(file, logLines(10, 3000, 40_000).join(""));
    };
    const { texts, fault } = await readLines(inputs, meanwhile(rotate));
    assert.deepEqual(texts.slice(0, -1), all.slice(0, texts.length - 1));
    assert.ok(texts.length >= 13_500 && texts.length < 27_000);
    assert.equal(fault?.exit, "io");
    assert.match(fault!.message, /emptied while it was being read, from byte \d+ on/);
    assert.equal(fault!.where, `after line ${texts.length}`);
    assert.match(fault!.remedy, /mail\.log\.1/);
  });
  test("beside hundreds of others is read too, and one that was replaced is told", async () => {
    const names = Array.from({ length: 410 }, (_, i) => `h${String(i).padStart(3, "0")}.log`);
    const dir = folder(Object.fromEntries(names.map((name, i) => [name, logLines(4, 3000, 4 * i).join("")])));
    const { inputs } = await openInputs([dir]);
    assert.deepEqual((await readLines(inputs)).texts, all.slice(0, 1640));
    const last = join(dir, names.at(-1)!);
    writeFileSync(`${last}.new`, text);
    renameSync(`${last}.new`, last);
    const { texts, fault } = await readLines(inputs);
    assert.deepEqual(texts, all.slice(0, 1636));
    assert.match(fault?.format() ?? "", /replaced by another one[\s\S]*after line 0/);
  });
  test("and is truncated and has outgrown its old size is found out too", async () => {
    const file = join(folder({ "mail.log": text }), "mail.log");
    const { inputs } = await openInputs([file]);
    writeFileSync(file, logLines(30_000, 3000, 40_000).join("")); // same inode
    assert.match((await readLines(inputs)).fault?.message ?? "", /emptied/);
  });
});
