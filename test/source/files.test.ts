import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Fault } from "../../src/fault.ts";
import { Zone } from "../../src/log/zone.ts";
import { matchesGlob } from "../../src/source/expand.ts";
import { readFault } from "../../src/source/fault.ts";
import { inferYear, openInputs, readInputs } from "../../src/source/files.ts";
import { needs } from "../support/need.ts";

const ROOT = mkdtempSync(join(tmpdir(), "logvane-source-"));
after(() => rmSync(ROOT, { recursive: true }));

let folders = 0;
/** A new folder with these files; its path. */
function folder(files: Record<string, string | Uint8Array>): string {
  const path = join(ROOT, String(++folders));
  mkdirSync(path);
  for (const [name, data] of Object.entries(files)) writeFileSync(join(path, name), data);
  return path;
}
const line = (stamp: string, text = "x"): string => `${stamp} mail a[1]: ${text}\n`;

type Got = { files: string[]; texts: string[]; fault: Fault | undefined };
/** All that reading gives, file names without their folder. */
async function readAll(args: string[], stdin?: AsyncIterable<Uint8Array>): Promise<Got> {
  const out: Got = { files: [], texts: [], fault: undefined };
  const { inputs } = await openInputs(args, stdin === undefined ? {} : { stdin });
  try {
    for await (const batch of readInputs(inputs)) {
      const name = batch.file.split("/").at(-1)!;
      if (out.files.at(-1) !== name) out.files.push(name);
      for (const { text } of batch.lines) out.texts.push(text);
    }
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    out.fault = error;
  }
  return out;
}
/** What opening is refused with. */
async function refusal(args: string[], stdin?: AsyncIterable<Uint8Array>): Promise<Fault> {
  try {
    await openInputs(args, stdin === undefined ? {} : { stdin });
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}
async function* stream(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

suite("files in any order", () => {
  test("are read in the order of their first times, whatever names, order and modification times say", async () => {
    const dir = folder({
      "mail.log": line("Jan  9 00:00:00"),
      "mail.log.1": line("Jan  2 00:00:00"),
      "mail.log.2.gz": gzipSync(line("Dec 26 00:00:00")),
      "mail.log.3.gz": gzipSync(line("Dec 19 00:00:00")),
    });
    const now = new Date();
    utimesSync(join(dir, "mail.log.3.gz"), now, now);
    const expected = ["mail.log.3.gz", "mail.log.2.gz", "mail.log.1", "mail.log"];
    assert.deepEqual((await readAll([dir])).files, expected);
    assert.deepEqual((await readAll([join(dir, "mail.log*")])).files, expected);
    const names = ["mail.log.1", "mail.log.3.gz", "mail.log", "mail.log.2.gz"];
    assert.deepEqual((await readAll(names.map((n) => join(dir, n)))).files, expected);
  });
  test("with and without years are put together", async () => {
    const dir = folder({
      c: line("2026-01-09T00:00:00Z"),
      b: line("Jan  2 00:00:00"),
      a: line("Dec 26 00:00:00"),
    });
    assert.deepEqual((await readAll(["b", "c", "a"].map((n) => join(dir, n)))).files, ["a", "b", "c"]);
  });
  test("without any time come last", async () => {
    const dir = folder({ a: "no time here\n", b: line("Jan  2 00:00:00") });
    assert.deepEqual((await readAll(["a", "b"].map((n) => join(dir, n)))).files, ["b", "a"]);
  });
  test("take their first time from the first line that has one", async () => {
    const dir = folder({ a: `junk\n${line("Feb  1 00:00:00")}`, b: line("Jan  2 00:00:00") });
    assert.deepEqual((await readAll(["a", "b"].map((n) => join(dir, n)))).files, ["b", "a"]);
  });
});

suite("arguments", () => {
  test("name a folder: its mail logs, or else its system logs", async () => {
    const both = folder({
      "mail.log": line("Jan  1 00:00:00"),
      syslog: line("Jan  2 00:00:00"),
      "mail.log.offset": "1",
    });
    assert.deepEqual((await readAll([both])).files, ["mail.log"]);
    assert.deepEqual((await readAll([folder({ syslog: line("Jan  2 00:00:00"), x: "y" })])).files, [
      "syslog",
    ]);
  });
  test("name a glob in the middle of a path", async () => {
    const dir = folder({});
    mkdirSync(join(dir, "h1"));
    writeFileSync(join(dir, "h1", "mail.log"), line("Jan  1 00:00:00"));
    assert.deepEqual((await readAll([join(dir, "h?", "mail.*")])).files, ["mail.log"]);
  });
  test("name standard input, plain or compressed", async () => {
    const text = line("Jan  1 00:00:00") + line("Jan  1 00:00:01");
    assert.equal((await readAll(["-"], stream(text.slice(0, 3), text.slice(3)))).texts.length, 2);
    assert.equal((await readAll(["-"], stream(gzipSync(text)))).texts.length, 2);
  });
  test("glob as the shell does", () => {
    for (const [name, pattern] of [
      ["mail.log.1", "mail.log*"],
      ["a", "?"],
      ["b1", "[a-c][0-9]"],
      ["x", "[!a-c]"],
      ["a]", "a]"],
      [".x", ".*"],
    ])
      assert.ok(matchesGlob(name!, pattern!), `${name} ${pattern}`);
    for (const [name, pattern] of [
      ["mail.log.1", "mail.log"],
      ["", "?"],
      ["d", "[a-c]"],
      ["a", "[!a-c]"],
      [".x", "*"],
      ["ab", "a"],
    ])
      assert.ok(!matchesGlob(name!, pattern!), `${name} ${pattern}`);
  });
  test("a glob of many stars is no trap", () =>
    assert.equal(matchesGlob("a".repeat(255), `${"*a".repeat(100)}b`), false));
});

suite("the same bytes twice", () => {
  test("are read once and counted", async () => {
    const text = line("Jan  1 00:00:00") + line("Jan  1 00:00:01");
    const dir = folder({ a: text, b: gzipSync(text), c: `${text}${line("Jan  1 00:00:02")}` });
    linkSync(join(dir, "a"), join(dir, "d"));
    const args = ["a", "a", "b", "c", "d"].map((n) => join(dir, n));
    const { inputs, duplicates } = await openInputs(args);
    assert.deepEqual(
      inputs.map((i) => i.file.at(-1)),
      ["c"],
    );
    assert.deepEqual(
      duplicates.map((d) => [d.file.at(-1), d.same.at(-1), d.lines]),
      [
        ["a", "a", 2],
        ["d", "a", 2],
        ["a", "c", 2],
        ["b", "c", 2],
      ],
    );
  });
  test("equal lines in one file are all read", async () => {
    const dir = folder({ a: line("Jan  1 00:00:00").repeat(3) });
    assert.equal((await readAll([join(dir, "a")])).texts.length, 3);
  });
});

suite("input that can't be read", () => {
  test("does not exist", async () => {
    assert.equal((await refusal([join(ROOT, "none")])).exit, "noInput");
    assert.equal((await refusal([join(ROOT, "none*")])).exit, "noInput");
    assert.equal((await refusal([join(ROOT, "none", "x")])).exit, "noInput");
  });
  test("may not be read", () => {
    const error = Object.assign(new Error("x"), { code: "EACCES" });
    assert.equal(readFault(error, "/var/log/mail.log").exit, "noInput");
    assert.match(readFault(error, "/var/log/mail.log").message, /permission denied \(EACCES\)/);
  });
  test("fails on the disk", () =>
    assert.equal(readFault(Object.assign(new Error("x"), { code: "EIO" }), "a").exit, "io"));
  test("is a folder without logs", async () =>
    assert.equal((await refusal([folder({ "notes.txt": "x" })])).exit, "noInput"));
  test("is empty", async () => {
    const dir = folder({ a: "", "mail.log": "", "mail.log.1": line("Jan  1 00:00:00") });
    assert.equal((await refusal([join(dir, "a")])).exit, "noInput");
    assert.equal((await refusal(["-"], stream())).exit, "noInput");
    assert.equal((await refusal([`${folder({ a: gzipSync("") })}/a`])).exit, "noInput");
    assert.deepEqual((await readAll([dir])).files, ["mail.log.1"]); // found, not named
  });
  test("is binary", async () => {
    const dir = folder({ a: Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 256) });
    assert.equal((await refusal([join(dir, "a")])).exit, "badData");
  });
  test("is a text in Latin-1 or with a NUL hole: not binary", async () => {
    const dir = folder({
      a: Uint8Array.of(0xe4, 0xf6, 10),
      b: `${"\0".repeat(600_000)}${line("Jan  1 00:00:00")}`,
    });
    assert.deepEqual((await readAll([join(dir, "a")])).texts, ["\ufffd\ufffd"]);
    const { inputs } = await openInputs([join(dir, "b")]);
    assert.equal(inputs[0]?.first?.day, 1);
    assert.deepEqual((await readAll([join(dir, "b")])).texts, ["Jan  1 00:00:00 mail a[1]: x"]);
  });
  test("is a gz cut short: lines before the cut, then a fault that counts them", async () => {
    // Lines that don't compress well, so that the cut falls among many.
    const text = Array.from({ length: 20_000 }, (_, i) =>
      line("Jan  1 00:00:00", String((i * 7919) % 65_537)),
    ).join("");
    const whole = gzipSync(text);
    const dir = folder({
      "cut.gz": whole.subarray(0, whole.length / 2),
      "bad.gz": whole.fill(0x55, whole.length - 2000),
    });
    const cut = await readAll([join(dir, "cut.gz")]);
    assert.ok(cut.texts.length > 8_000 && cut.texts.length < 12_000, String(cut.texts.length));
    assert.equal(
      cut.texts.slice(0, -1).join("\n"),
      text
        .split("\n")
        .slice(0, cut.texts.length - 1)
        .join("\n"),
    );
    assert.equal(cut.fault?.exit, "badData");
    assert.match(cut.fault!.where, new RegExp(`line ${cut.texts.length} `));
    assert.equal((await readAll([join(dir, "bad.gz")])).fault?.exit, "badData");
  });
});

suite("other compressions", () => {
  for (const program of ["zstd", "xz", "bzip2"])
    test(`${program} is read through the program`, needs(program), async () => {
      const text = line("Jan  1 00:00:00").repeat(1000);
      const packed = execFileSync(program, ["-c"], { input: text });
      const dir = folder({ a: packed, b: packed.subarray(0, packed.length - 9) });
      assert.equal((await readAll([join(dir, "a")])).texts.length, 1000);
      const broken = await readAll([join(dir, "b")]).catch((error: Fault) => ({ fault: error }));
      assert.equal(broken.fault?.exit, "badData");
    });
});

suite("the year of files without one", () => {
  const year = async (now: string, texts: Record<string, string>): Promise<number | undefined> => {
    const { inputs } = await openInputs([folder(texts)]);
    return inferYear(inputs, Date.parse(now), new Zone("UTC"));
  };
  test("is that of the oldest file's first line", async () =>
    assert.equal(
      await year("2026-01-20T00:00:00Z", {
        "mail.log": line("Jan  9 00:00:00"),
        "mail.log.1": line("Dec 9 00:00:00"),
      }),
      2025,
    ));
  test("is not asked for when lines name it", async () =>
    assert.equal(
      await year("2026-01-20T00:00:00Z", { "mail.log": line("2020-01-01T00:00:00Z") }),
      undefined,
    ));
  // Chunks of 64 KiB: some hold many days, some years turn within one, and long days hold many chunks.
  for (const [name, linesOfDay] of [
    ["few lines a day", (day: number) => 1 + (day % 3)],
    ["now few, now many lines a day", (day: number) => (day % 40 === 0 ? 5000 : 2)],
    ["its busiest days around New Year", (day: number) => (day % 365 > 210 && day % 365 < 218 ? 3000 : 1)],
  ] as const)
    test(`is found from turns all over a long file, with ${name}`, async () => {
      let text = "";
      for (let day = 0; day < 930; day++) {
        const [, month, date] = /^(\w+) (\d+)/.exec(
          new Date(Date.UTC(2023, 5, 1) + day * 86_400_000).toLocaleDateString("en-US", {
            month: "short",
            day: "numeric",
            timeZone: "UTC",
          }),
        )!;
        for (let i = 0; i < linesOfDay(day); i++)
          text += line(`${month} ${date!.padStart(2)} 10:00:00`, "y".repeat((i * 37) % 150));
      }
      assert.equal(await year("2026-01-01T00:00:00Z", { "mail.log": text }), 2023);
      assert.equal(await year("2026-01-01T00:00:00Z", { "mail.log": text.slice(0, -1) }), 2023);
    });
  test("of standard input comes from what was read ahead", async () => {
    const { inputs } = await openInputs(["-"], {
      stdin: stream(line("Dec 31 00:00:00"), line("Jan  1 00:00:00")),
    });
    assert.equal(await inferYear(inputs, Date.parse("2026-01-20T00:00:00Z"), new Zone("UTC")), 2025);
    let lines = 0;
    for await (const batch of readInputs(inputs)) lines += batch.lines.count;
    assert.equal(lines, 2);
  });
});
