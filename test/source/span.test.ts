import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Zone } from "../../src/log/zone.ts";
import { rotationsOf } from "../../src/source/log-files.ts";
import { rotatedOf } from "../../src/source/rotated.ts";
import { filesOfSpan } from "../../src/source/span.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-rotated-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

/** A folder of logs: name and content; what ends in .gz is packed. */
function folder(files: Readonly<Record<string, string>>): string {
  const dir = join(root, String(++folders));
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(dir, name), name.endsWith(".gz") ? gzipSync(text) : text);
  return dir;
}

const line = (stamp: string): string => `${stamp} mx postfix/qmgr[1]: A1: removed\n`;
const zone = new Zone("UTC");
const now = Date.UTC(2027, 0, 5, 12);
async function of(dir: string, day: string): Promise<[string[], number | undefined]> {
  const from = Date.parse(`${day}T00:00:00Z`);
  const [files] = rotationsOf([join(dir, "mail.log")]);
  const found = await filesOfSpan(files!, { from, to: from + 86_400_000, zone, now });
  assert.deepEqual(found.faults, []);
  return [found.files.map((file) => basename(file)), found.year];
}

suite("a rotated file's name", () => {
  for (const name of [
    "mail.log.1",
    "mail.log.old",
    "mail.log.12.gz",
    "mail.log.0.bz2",
    "mail.log-20260105",
    "mail.log-20260105.gz",
    "mail.log-2026-01-05.xz",
    "mail.log-20260105-1530.zst",
    "mail.log-1796000000.gz",
    "mail-20260105.log",
  ])
    test(`is ${name}`, () => assert.notEqual(rotatedOf("mail.log", name), undefined));
  for (const name of ["mail.log", "mail.err", "mail.info.1", "xmail.log", "mail.log.1~", "mail"])
    test(`is not ${name}`, () => assert.equal(rotatedOf("mail.log", name), undefined));
});

suite("the files of a day", () => {
  const weekly = folder({
    "mail.log": line("Jan  3 00:00:07") + line("Jan  5 11:00:00"),
    "mail.log.1": line("Dec 27 00:00:03") + line("Jan  2 23:59:58"),
    "mail.log.2.gz": line("Dec 20 00:00:03") + line("Dec 26 23:59:59"),
    "mail.log.3.gz": line("Dec 13 00:00:03") + line("Dec 19 23:59:59"),
    "mail.err": line("Dec 31 00:00:00"),
  });
  test("are those that may hold it, with the year that their lines lack", async () => {
    assert.deepEqual(await of(weekly, "2027-01-04"), [["mail.log"], 2027]);
    assert.deepEqual(await of(weekly, "2027-01-01"), [["mail.log.1"], 2026]);
    assert.deepEqual(await of(weekly, "2026-12-15"), [["mail.log.3.gz"], 2026]);
  });
  test("are two where the log was rotated close to midnight", async () =>
    assert.deepEqual(await of(weekly, "2027-01-02"), [["mail.log.1", "mail.log"], 2026]));
  test("are the oldest one for what is older than all", async () =>
    assert.deepEqual(await of(weekly, "2026-12-01"), [[], undefined]));
  test("name no year where their lines do", async () => {
    const dated = folder({
      "mail.log": line("2027-01-03T00:00:01+00:00"),
      "mail.log-20270103": line("2026-12-27T00:00:01+00:00"),
    });
    assert.deepEqual(await of(dated, "2027-01-01"), [["mail.log-20270103"], undefined]);
  });
  test("may be empty ones and ones without a time", async () => {
    const odd = folder({
      "mail.log": "",
      "mail.log.1": line("Dec 27 00:00:03"),
      "mail.log.2": "no time at all\n",
    });
    assert.deepEqual(await of(odd, "2026-12-28"), [["mail.log.1", "mail.log.2"], 2026]);
  });
  test("that can't be read are told, and the others are found", async () => {
    const dir = folder({
      "mail.log": line("Jan  3 00:00:07"),
      "mail.log.1": "\u0000\u0001\u0002\u0003".repeat(99),
    });
    const [files] = rotationsOf([join(dir, "mail.log")]);
    const from = Date.UTC(2027, 0, 4);
    const found = await filesOfSpan(files!, { from, to: from + 1, zone, now });
    assert.deepEqual([found.files.length, found.faults.length], [1, 1]);
    assert.match(found.faults[0]!.message, /not a text log/);
  });
});

suite("logs and their rotations", () => {
  test("are a list for each log that a glob matches", () => {
    const dir = folder({ "mail.log": "", "mail.log.1": "", "mail.err": "", "mail.err.1.gz": "" });
    assert.deepEqual(
      rotationsOf([join(dir, "mail.*")]).map((files) => files.map((file) => basename(file))),
      [
        ["mail.err", "mail.err.1.gz"],
        ["mail.log", "mail.log.1"],
      ],
    );
  });
  test("of a log that is not there are none", () =>
    assert.deepEqual(rotationsOf([join(root, "none.log")]), []));
});
