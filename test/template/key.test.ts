import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { queueIdLength } from "../../src/mail/scan.ts";
import { MessageKey } from "../../src/template/key.ts";
import { KeyTable } from "../../src/template/key-table.ts";
import { maskText } from "../../src/template/mask.ts";
import { isQueueId } from "../../src/template/queue-id.ts";

const key = new MessageKey(12345);
function keyOf(text: string, program = 1): string {
  const bytes = Buffer.from(`>${text}<`);
  key.scan(bytes, 1, bytes.length - 1, program);
  return `${key.low} ${key.high}`;
}

suite("the key of a message", () => {
  const alike: [string, string][] = [
    ["connect from a.example[192.0.2.1]", "connect from b.example.org[198.51.100.7]"],
    ["4A1B2C3D4E: removed", "A0B1C2D3E4F5: removed"],
    ["user=<ann>, session=<abcd+efg/h>", "user=<bob>, session=<1234>"],
    [
      "4A1B2C3D4E: to=<a@b>, delay=1.5, delays=0/0.1/1/0.4",
      "4A1B2C3D4F: to=<c@d>, delay=22, delays=1/2/3/16",
    ],
    ["at BCDFGHJKLMz gone", "at 3xZtKD1rvHz6Mtw gone"],
    ["from [2001:db8:cafe::dead:1]:25", "from [2001:db8:1234::5678:1]:25"],
  ];
  for (const [a, b] of alike) test(`is one for ${a} and ${b}`, () => assert.equal(keyOf(a), keyOf(b)));

  const apart: [string, string][] = [
    ["said: 550 no", "said: 450 no"],
    ["(421-4.7.0 slow", "(421-4.7.28 slow"],
    ["dsn=5.1.1, x", "dsn=5.1.2, x"],
    ["listed as 127.255.255.254", "listed as 127.0.0.2"],
    ["from=<>, x", "from=<a@b>, x"],
    ["4A1B2C3D4E: removed", "a.example: removed"],
    ["4A1B2C3D4E: removed", "a-1: removed"],
    ["NOQUEUE: x", "4A1B2C3D4E: x"],
    ["done. x", "done x"],
    ["x (1)", "x [1]"],
  ];
  for (const [a, b] of apart) test(`differs for ${a} and ${b}`, () => assert.notEqual(keyOf(a), keyOf(b)));

  test("differs for two programs", () => assert.notEqual(keyOf("x", 1), keyOf("x", 2)));
  test("knows ASCII from other text", () => {
    keyOf("plain");
    assert.equal(key.ascii, true);
    keyOf("größer");
    assert.equal(key.ascii, false);
    keyOf("/a?ß=ä");
    assert.equal(key.ascii, false);
  });

  test("tells messages of different shape apart", () => {
    const piece = fc.constantFrom(
      ..."1 12 250 a ab fe80 be cafe face deadbeef BCDFGHJKLz a.b .a a. ... a@b @ /x / /x?a /x?a=b = : :: < > <> <a> ( ) [ ] , ; ' \" | - -> * ß Jan Mon 4.7.1 550 550-5.1.1 127.255.255.1 x1 1x"
        .split(" ")
        .concat([" ", " ", "  ", "\t", ": ", ", "]),
    );
    const shapes = new Map<string, string>();
    let met = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        const text = pieces.join("");
        const shape = maskText(text);
        const known = shapes.get(keyOf(text));
        if (known === undefined) shapes.set(keyOf(text), shape);
        else {
          met++;
          assert.equal(shape, known, JSON.stringify(text));
        }
      }),
      { numRuns: 30_000, seed: 1 },
    );
    assert.ok(met > 1000, `only ${met} messages met an equal key`);
  });
});

suite("a queue id in bytes", () => {
  test("is what the grammar takes for one", () => {
    const letters = fc.constantFrom(..."0123456789ABCDEFXYZzbcdaeiou-. ");
    const text = fc.oneof(
      fc.array(letters, { maxLength: 34 }).map((a) => a.join("")),
      fc.constantFrom("NOQUEUE", "4A1B2C3D4E", "3xZtKD1rvHz6Mtw", "7E1AEC2C388XXXX"),
    );
    fc.assert(
      fc.property(text, (id) => {
        const bytes = Buffer.from(id);
        const said = queueIdLength(`${id}: x`, 0) === id.length && id !== "";
        assert.equal(isQueueId(bytes, 0, bytes.length), said, id);
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });
});

suite("a table of keys", () => {
  test("finds what was set", () => {
    const table = new KeyTable<string>(16);
    table.set(5, 7, "a");
    table.set(21, 7, "b"); // the same slot
    assert.deepEqual([table.get(5, 7), table.get(21, 7), table.get(5, 8)], ["a", "b", undefined]);
  });
  test("overwrites when it is full, and gives out what was there", () => {
    const table = new KeyTable<number>(16);
    const overwritten = Array.from({ length: 100 }, (_, i) => table.set(i * 16, i, i));
    assert.deepEqual(overwritten.slice(0, 10), [...new Array(8).fill(undefined), 0, 8]);
    assert.equal(table.get(99 * 16, 99), 99);
  });
});
