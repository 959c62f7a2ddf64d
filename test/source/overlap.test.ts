import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { needs } from "../support/need.ts";
import { logLines, type Read, readArguments, workspace } from "./support.ts";

const folder = workspace("overlap");
const read = (files: Readonly<Record<string, string | Uint8Array>>): Promise<Read> => {
  const dir = folder(files);
  return readArguments(Object.keys(files).map((name) => join(dir, name)));
};
const text = (lines: readonly string[]): string => lines.join("");
const all = (lines: readonly string[]): string[] => lines.map((l) => l.replace(/\n$/, ""));
const counted = ({ duplicates }: Read): number => duplicates.reduce((sum, d) => sum + d.lines, 0);
const LOG = logLines(400);

/** Each line once, in order, and the rest counted. */
function assertOnce(got: Read, lines: readonly string[], given: number): void {
  assert.deepEqual(got.texts, all(lines));
  assert.equal(counted(got) + lines.length, given);
}

suite("overlap by matching bytes", () => {
  test("a copy, and the file that it has grown to", async () => {
    const got = await read({ "mail.log.copy": text(LOG.slice(0, 300)), "mail.log": text(LOG) });
    assertOnce(got, LOG, 700);
    assert.deepEqual(got.lines[0], `mail.log:1 ${LOG[0]!.trim()}`);
  });
  test("a copy that ends inside a line, across compression", async () => {
    const whole = text(LOG);
    const got = await read({ copy: whole.slice(0, 20_000), "mail.log.1.gz": gzipSync(whole) });
    assertOnce(got, LOG, 400 + whole.slice(0, 20_000).split("\n").length);
  });
  test("the tail of one file is the head of the next; line numbers stay those of each file", async () => {
    const got = await read({ "mail.log": text(LOG.slice(190)), "mail.log.1": text(LOG.slice(0, 200)) });
    assertOnce(got, LOG, 410);
    assert.equal(got.lines[199], `mail.log.1:200 ${LOG[199]!.trim()}`);
    assert.equal(got.lines[200], `mail.log:11 ${LOG[200]!.trim()}`);
    assert.deepEqual(
      got.duplicates.map((d) => d.lines),
      [10],
    );
  });
  test("a file cut inside a line and the next one that holds it whole", async () => {
    const head = `${text(LOG.slice(0, 200))}${LOG[200]!.slice(0, 30)}`;
    const got = await read({ "mail.log.1": head, "mail.log": text(LOG.slice(150)) });
    assertOnce(got, LOG, 201 + 250);
    assert.equal(got.lines[200], `mail.log:51 ${LOG[200]!.trim()}`);
  });
  test("a file that begins inside a line of the one before", async () => {
    const tail = text(LOG.slice(150)).slice(25);
    const got = await read({ "mail.log.1": text(LOG.slice(0, 200)), "mail.log": tail });
    assertOnce(got, LOG, 450);
  });
  test("an extract out of the middle, and files beside their concatenation", async () => {
    const dir = { extract: text(LOG.slice(100, 120)), a: text(LOG.slice(0, 200)), b: text(LOG.slice(200)) };
    assertOnce(await read({ ...dir, all: text(LOG) }), LOG, 820);
  });
  test("the same second at both heads: the order is that of the bytes", async () => {
    const fast = logLines(100, 10);
    const got = await read({ a: text([...fast.slice(3), ...LOG]), b: text(fast.slice(0, 80)) });
    assertOnce(got, [...fast, ...LOG], 97 + 400 + 80);
  });
  test("far into files larger than what is looked at first", async () => {
    const long = logLines(20_000);
    const got = await read({
      x: text(long.slice(0, 15_000)),
      "y.gz": gzipSync(text(long.slice(7_000, 18_000))),
      z: text(long.slice(9_000)),
    });
    assertOnce(got, long, 15_000 + 11_000 + 11_000);
  });
  test("over New Year, of lines without a year", async () => {
    const lines = Array.from(
      { length: 60 },
      (_, i) => `${i < 30 ? "Dec 31 23" : "Jan  1 00"}:${10 + (i % 30)}:00 mx1 a[${i}]: x\n`,
    );
    assertOnce(await read({ a: text(lines.slice(20)), b: text(lines.slice(0, 40)) }), lines, 80);
  });
  test("a random log in random overlapping pieces, orders and compressions", async () => {
    const piece = fc.record({
      from: fc.nat(300),
      length: fc.integer({ min: 16, max: 200 }),
      gz: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(40, 700, 90_000),
        fc.integer({ min: 1, max: 60_000 }),
        async (pieces, step, pad) => {
          const lines = logLines(500, step).map((l) => l.replace("\n", `${"x".repeat(pad % 300)}\n`));
          const files: Record<string, string | Uint8Array> = {};
          const want = new Set<number>();
          // The base is cut in two, so that any piece overlaps with at least one of them by sixteen lines.
          const cut = 1 + (pad % 480);
          const ranges = [
            [0, Math.min(500, cut + 16)],
            [cut, 500],
            ...pieces.map((p) => [p.from, p.from + p.length]),
          ];
          let given = 0;
          for (const [i, [from, to]] of ranges.entries()) {
            const part = lines.slice(from, to);
            for (let n = from!; n < Math.min(to!, 500); n++) want.add(n);
            given += part.length;
            const name = `${(i * 7919 + pad) % 10}${i}`;
            files[name] = (pieces[i % pieces.length]!.gz ? gzipSync : String)(text(part)) as
              | string
              | Uint8Array;
          }
          const got = await read(files);
          assertOnce(got, lines, given);
        },
      ),
      { numRuns: 40, seed: 11 },
    );
  });
  for (const program of ["zstd", "xz", "bzip2"])
    test(`a file and its copy packed by ${program}`, needs(program), async () => {
      const packed = execFileSync(program, ["-c"], { input: text(LOG.slice(0, 350)) });
      assertOnce(await read({ packed, "mail.log": text(LOG.slice(300)) }), LOG, 450);
    });
});

suite("no overlap", () => {
  const flood = (n: number, stamp = "Feb  2 00:10:00"): string =>
    `${stamp} mx1 postfix/smtpd[7]: warning: Illegal address syntax from unknown[192.0.2.1] in MAIL command: <>\n`.repeat(
      n,
    );
  const noneLeftOut = async (files: Record<string, string>): Promise<void> => {
    const got = await read(files);
    assert.equal(counted(got), 0);
    assert.equal(got.texts.length, text(Object.values(files)).split("\n").length - 1);
  };
  test("equal lines of a second on both sides of a rotation", () =>
    noneLeftOut({
      a: text(LOG.slice(0, 200)) + flood(2000),
      b: flood(3000) + text(logLines(50, 3000, 5000)),
    }));
  test("a new file that holds only equal lines", () =>
    noneLeftOut({ a: text(LOG.slice(0, 200)) + flood(20), b: flood(3) }));
  test("files that hold nothing but the same lines of one second", () =>
    noneLeftOut({ a: flood(40), b: flood(40), c: flood(12) }));
  test("connect and disconnect over and over in one second", () => {
    const pair =
      "Feb  2 00:10:00 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]\nFeb  2 00:10:00 mx1 postfix/smtpd[7]: disconnect from unknown[192.0.2.1]\n";
    return noneLeftOut({
      a: text(LOG.slice(0, 200)) + pair.repeat(30),
      b: pair.repeat(20) + text(logLines(9, 3000, 900)),
    });
  });
  test("files of two hosts for the same day", () =>
    noneLeftOut({ a: text(LOG), b: text(LOG).replaceAll("mx1", "mx2") }));
  test("a range that agrees at first and differs later", () =>
    noneLeftOut({ a: text(LOG), b: text([...LOG.slice(350, 390), ...logLines(50, 3000, 600)]) }));
  test("a file of equal lines over and over is no trap", async () => {
    const periodic = Array.from({ length: 30_000 }, (_, i) => `Feb  2 00:00:0${i % 2} mx1 a[1]: ${i % 2}\n`);
    const started = process.cpuUsage();
    await read({ a: text(periodic), b: `${text(periodic.slice(0, 9_000))}Feb  2 00:00:01 mx1 a[1]: end\n` });
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 5e6, `${user + system} us`);
  });
});
