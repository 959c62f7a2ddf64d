import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { openInputs } from "../../src/source/files.ts";
import { needs } from "../support/need.ts";
import { faultOf, readArguments, readLines, workspace } from "./support.ts";

const folder = workspace("journal");

/** An entry of the export format; a value with an LF is written as binary. */
function entry(fields: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const bytes = Buffer.from(value as string);
    if (typeof value === "string" && !value.includes("\n")) parts.push(Buffer.from(`${name}=${value}\n`));
    else {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      parts.push(Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n"));
    }
  }
  return Buffer.concat([...parts, Buffer.from("\n")]);
}
const mail = (n: number, message: string | Uint8Array = `connect from unknown[192.0.2.${n}]`): Buffer =>
  entry({
    __CURSOR: `s=1;i=${n}`,
    __REALTIME_TIMESTAMP: String(1_770_000_000_000_000 + n * 1_000_000),
    _TRANSPORT: "syslog",
    PRIORITY: "6",
    SYSLOG_IDENTIFIER: "postfix/smtpd",
    _PID: "77",
    _HOSTNAME: "mx1",
    _CMDLINE: "smtpd -n smtp",
    MESSAGE: message,
  });
async function* inSteps(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
type Entry = Record<string, string>;
const parsed = (lines: readonly string[]): Entry[] => lines.map((l) => JSON.parse(l) as Entry);

suite("the journal export format", () => {
  const entries = Buffer.concat([
    mail(1),
    mail(2, "two\nlines"),
    mail(3, Uint8Array.of(0xff, 0x41, 0)),
    mail(4),
  ]);
  test("gives one line of JSON an entry, with the fields of its envelope", async () => {
    const [first, second, third, ...rest] = parsed((await readArguments(["-"], inSteps(entries, 1e6))).texts);
    assert.deepEqual(first, {
      __REALTIME_TIMESTAMP: "1770000001000000",
      PRIORITY: "6",
      SYSLOG_IDENTIFIER: "postfix/smtpd",
      _PID: "77",
      _HOSTNAME: "mx1",
      MESSAGE: "connect from unknown[192.0.2.1]",
    });
    assert.equal(second!["MESSAGE"], "two\nlines");
    assert.equal(third!["MESSAGE"], "\ufffdA\0");
    assert.equal(rest.length, 1);
  });
  test("in any pieces, packed or not, from a file too", async () => {
    const want = (await readArguments(["-"], inSteps(entries, 1e6))).texts;
    for (const size of [1, 3, 64])
      assert.deepEqual((await readArguments(["-"], inSteps(entries, size))).texts, want);
    const dir = folder({ a: entries, "b.gz": gzipSync(entries) });
    for (const name of ["a", "b.gz"]) assert.deepEqual((await readArguments([join(dir, name)])).texts, want);
  });
  test("an entry cut off by the end is given with what came of it", async () => {
    const cut = entries.subarray(0, entries.length - 10);
    const last = parsed((await readArguments(["-"], inSteps(cut, 100))).texts).at(-1)!;
    assert.equal(last["MESSAGE"], "connect from unknown[19");
  });
  test("long and hostile fields are cut, and the line stays JSON within the cap", async () => {
    for (const message of [
      "x".repeat(1e6),
      "\u0001".repeat(9000),
      `${"\ud83d\ude00".repeat(5000)}\n`,
      Buffer.alloc(3e6, 0xff),
    ]) {
      const hostile = Buffer.concat([
        entry({
          __CURSOR: "s",
          SYSLOG_IDENTIFIER: "\u0002".repeat(1000),
          ["N".repeat(1e5)]: "v",
          MESSAGE: message,
        }),
        mail(2),
      ]);
      const { texts } = await readArguments(["-"], inSteps(hostile, 5000));
      assert.equal(texts.length, 2);
      assert.ok(Buffer.byteLength(texts[0]!) <= 8192);
      assert.ok(parsed(texts)[0]!["MESSAGE"]!.length > 300);
      assert.equal(parsed(texts)[1]!["MESSAGE"], "connect from unknown[192.0.2.2]");
    }
  });
  test("a length beyond all bytes takes the rest and no memory", async () => {
    const bad = Buffer.concat([
      Buffer.from("__CURSOR=s\nMESSAGE\n"),
      Buffer.alloc(8, 0xff),
      Buffer.alloc(1e6, "y"),
    ]);
    const { texts } = await readArguments(["-"], inSteps(bad, 1000));
    assert.equal(texts.length, 1);
    assert.match(texts[0]!, /^\{"MESSAGE":"y{8000}/);
  });
});

/** Runs with a journalctl of our own first in the PATH, or with none at all. */
async function withJournalctl<T>(script: string | undefined, run: () => Promise<T>): Promise<T> {
  const dir = folder();
  if (script !== undefined) {
    writeFileSync(join(dir, "journalctl"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, "journalctl"), 0o755);
  }
  const before = process.env["PATH"];
  process.env["PATH"] = script === undefined ? dir : `${dir}:${before}`;
  try {
    return await run();
  } finally {
    process.env["PATH"] = before;
  }
}

suite("journal:", () => {
  test("asks journalctl, without a shell, and reads what it prints", async () => {
    const dir = folder({ export: Buffer.concat([mail(1), mail(2)]) });
    const script = `echo "$@" >> ${dir}/calls; cat ${dir}/export`;
    const place = folder({ "user $(id).journal": "" });
    const file = join(place, "user $(id).journal");
    await withJournalctl(script, async () => {
      for (const arg of ["journal:", `journal:${place}`, `journal:${file}`])
        assert.equal((await readArguments([arg])).texts.length, 2, arg);
    });
    const calls = execFileSync("sort", ["-u", join(dir, "calls")], { encoding: "utf8" });
    assert.match(calls, /^--no-pager --quiet --output=export --output-fields=\S+,MESSAGE$/m);
    assert.ok(calls.includes(`--directory=${place}\n`) && calls.includes(`--file=${file}\n`));
  });
  test("asks for the entries of a span alone", async () => {
    const dir = folder({ export: mail(1) });
    const span = { from: 1_770_000_000_500, to: 1_770_086_400_500 };
    await withJournalctl(`echo "$@" >> ${dir}/calls; cat ${dir}/export`, () =>
      openInputs(["journal:"], { span }),
    );
    const calls = execFileSync("cat", [join(dir, "calls")], { encoding: "utf8" });
    assert.ok(calls.includes(" --since=@1770000000 --until=@1770086401\n"), calls);
  });
  test("prints JSON instead: taken as it is", async () => {
    const line = '{"__REALTIME_TIMESTAMP":"1770000001000000","MESSAGE":"x"}';
    const { texts } = await withJournalctl(`echo '${line}'`, () => readArguments(["journal:"]));
    assert.deepEqual(texts, [line]);
  });
  test("has grown in a later pass: the same entries are read", async () => {
    const dir = folder({ export: mail(1) });
    await withJournalctl(`cat ${dir}/export`, async () => {
      const { inputs } = await openInputs(["journal:"]);
      assert.equal((await readLines(inputs)).texts.length, 1);
      writeFileSync(join(dir, "export"), Buffer.concat([mail(1), mail(2)]));
      assert.equal((await readLines(inputs)).texts.length, 1);
    });
  });
  test("a journal file is known by its first bytes", async () => {
    const dir = folder({ "system.journal": "LPKSHHRH\0\0\0\0", export: mail(1) });
    const { texts } = await withJournalctl(`cat ${dir}/export`, () =>
      readArguments([join(dir, "system.journal")]),
    );
    assert.equal(texts.length, 1);
    const piped = await faultOf(readArguments(["-"], inSteps(Buffer.from("LPKSHHRH\0\0\0\0"), 99)));
    assert.match(piped.remedy, /journalctl -o export/);
  });
  test("without journalctl, without permission, without such a folder, without an entry: says so", async () => {
    const missing = await withJournalctl(undefined, () => faultOf(openInputs(["journal:"])));
    assert.equal(missing.exit, "unavailable");
    assert.match(missing.format(), /journalctl is not installed[\s\S]*do {6}\S/);
    const refused = await withJournalctl(
      "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
      () => faultOf(openInputs(["journal:"])),
    );
    assert.equal(refused.exit, "noInput");
    assert.match(refused.format(), /insufficient permissions[\s\S]*systemd-journal/);
    assert.equal((await faultOf(openInputs([`journal:${folder()}/none`]))).exit, "noInput");
    const empty = await withJournalctl("true", () => faultOf(openInputs(["journal:"])));
    assert.match(empty.format(), /no entry in journal:[\s\S]*systemd-journal/);
  });
  // three-entries.journal: made of an export of our own by systemd-journal-remote 252.
  test("a real journal", needs("journalctl"), async () => {
    const journal = gunzipSync(readFileSync("test/source/data/three-entries.journal.gz"));
    const dir = folder({ "real.journal": journal });
    for (const arg of [join(dir, "real.journal"), `journal:${dir}`, `journal:${join(dir, "real.journal")}`]) {
      const got = parsed((await readArguments([arg])).texts);
      assert.deepEqual(
        got.map((e) => [e["MESSAGE"], e["_HOSTNAME"], e["SYSLOG_IDENTIFIER"]]),
        [1, 2, 3].map((n) => [`message ${n}\nof two lines`, "mx1", "postfix/smtpd"]),
      );
    }
  });
});
