import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Zone } from "../../src/log/zone.ts";
import { openSource } from "../../src/source/bytes.ts";
import { inferYear, openInputs } from "../../src/source/files.ts";
import { inflate } from "../../src/source/inflate.ts";
import { needs } from "../support/need.ts";
import { faultOf, logLines, readArguments, readLines, workspace } from "./support.ts";

const folder = workspace("bytes");
const LOG = logLines(3000);
const text = LOG.join("");
const all = LOG.map((l) => l.trim());
const halves = [LOG.slice(0, 1200).join(""), LOG.slice(1200).join("")] as const;
async function* stream(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const readOne = async (data: Uint8Array): Promise<string[]> => {
  const got = await readArguments([join(folder({ a: data }), "a")]);
  assert.equal(got.fault, undefined);
  return got.texts;
};

suite("gzip", () => {
  const members = Buffer.concat([gzipSync(halves[0]), gzipSync(""), gzipSync(halves[1])]);
  test("of several members is read whole", async () => assert.deepEqual(await readOne(members), all));
  test("with zeros after it is read whole", async () => {
    for (const zeros of [1, 512, 300_000])
      assert.deepEqual(await readOne(Buffer.concat([members, Buffer.alloc(zeros)])), all);
  });
  test("with other bytes after it is read whole", async () => {
    assert.deepEqual(await readOne(Buffer.concat([members, Buffer.from("trailing garbage")])), all);
  });
  test("in any pieces", async () => {
    for (const size of [1, 7, 4096]) {
      const out: Uint8Array[] = [];
      for await (const chunk of inflate(stream(members, size))) out.push(chunk);
      assert.equal(Buffer.concat(out).toString(), text);
    }
  });
  test("that is damaged gives all lines before the damage", async () => {
    const noise = logLines(60_000).join("");
    const packed = gzipSync(noise);
    packed.fill(0xff, packed.length - 3000);
    const got = await readArguments([join(folder({ a: packed }), "a")]);
    assert.equal(got.fault?.exit, "badData");
    assert.ok(got.texts.length > 57_000, String(got.texts.length));
    assert.ok(noise.startsWith(got.texts.slice(0, 57_000).join("\n"))); // damage may decode to junk before it shows
  });
  test("a bomb of a gigabyte costs no memory", async () => {
    const packed = gzipSync(Buffer.alloc(1 << 27, "x"), { level: 9 });
    async function* eight(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 8; i++) yield* stream(packed, 1 << 18);
    }
    const before = process.memoryUsage.rss();
    let length = 0;
    let most = 0;
    for await (const chunk of inflate(eight())) {
      length += chunk.length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    assert.equal(length, 2 ** 30);
    assert.ok(most - before < 100 * 2 ** 20, `${most - before} bytes`);
  });
});

suite("packed in several parts", () => {
  for (const program of ["gzip", "zstd", "xz", "bzip2"])
    test(`by ${program}`, needs(program), async () => {
      const packed = halves.map((input) => execFileSync(program, ["-c"], { input }));
      assert.deepEqual(await readOne(Buffer.concat(packed)), all);
    });
});

suite("pipes", () => {
  const once = /can be read only once/;
  test("a named pipe is read, and its year found, without a second reading", needs("mkfifo"), async () => {
    const path = join(folder(), "fifo");
    execFileSync("mkfifo", [path]);
    const writer = spawn("sh", ["-c", `printf '%s' "$0" > "${path}"`, halves[0].slice(0, 90_000)]);
    const { inputs } = await openInputs([path]);
    assert.equal(await inferYear(inputs, Date.parse("2026-03-01T00:00:00Z"), new Zone("UTC")), 2026);
    assert.deepEqual((await readLines(inputs)).texts.slice(0, 900), all.slice(0, 900));
    assert.match((await readLines(inputs)).fault?.message ?? "", once);
    assert.match((await faultOf(openInputs([path]))).message, once);
    writer.kill();
  });
  test("standard input is refused a second reading, with what to do", async () => {
    const stdin = stream(gzipSync(text), 1000);
    const { inputs } = await openInputs(["-"], { stdin });
    assert.deepEqual((await readLines(inputs)).texts, all);
    for (const fault of [(await readLines(inputs)).fault, await faultOf(openInputs(["-"], { stdin }))]) {
      assert.equal(fault?.exit, "usage");
      assert.match(fault!.format(), /standard input can be read only once[\s\S]*--since[\s\S]*--train-until/);
    }
  });
  test("an endless device is no log", async () => {
    assert.equal((await faultOf(openInputs(["/dev/zero"]))).exit, "badData");
    assert.equal((await faultOf(openInputs(["/dev/urandom"]))).exit, "badData");
    assert.equal((await faultOf(openInputs(["/dev/null"]))).exit, "noInput");
  });
});

suite("a file", () => {
  test("named alone stays that one file", async () => {
    const dir = folder({ "mail.log": halves[1], "mail.log.1": halves[0] });
    assert.equal((await readArguments([join(dir, "mail.log")])).texts.length, 1800);
  });
  test("is read from any byte on", async () => {
    const dir = folder({ a: text, "a.gz": gzipSync(text) });
    for (const name of ["a", "a.gz"]) {
      const parts: Uint8Array[] = [];
      for await (const chunk of openSource(join(dir, name)).bytes(200_001)) parts.push(chunk);
      assert.equal(Buffer.concat(parts).toString(), text.slice(200_001));
    }
  });
  test("of one line of a gigabyte costs no memory", async () => {
    async function* line(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("Feb  2 00:00:00 mx1 a[1]: ");
      const chunk = Buffer.alloc(1 << 20, "x");
      for (let i = 0; i < 1024; i++) yield chunk;
    }
    const before = process.memoryUsage.rss();
    const { texts } = await readArguments(["-"], line());
    assert.equal(texts.length, 1);
    assert.equal(texts[0]!.length, 8192);
    assert.ok(process.memoryUsage.rss() - before < 100 * 2 ** 20);
  });
});
