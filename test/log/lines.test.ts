import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { detached, LINE_CAP, LineCutter } from "../../src/log/lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All lines of `data`, given in pieces of `size` bytes. */
function cut(
  data: Uint8Array,
  size: number = data.length || 1,
): { line: number; text: string; truncated: boolean }[] {
  const cutter = new LineCutter();
  const out = [];
  for (let i = 0; i < data.length; i += size)
    for (const batch of cutter.push(data.subarray(i, i + size))) out.push(...batch);
  for (const batch of cutter.end()) out.push(...batch);
  return out;
}
const texts = (data: Uint8Array, size?: number): string[] => cut(data, size).map((l) => l.text);

suite("cutting lines from bytes", () => {
  test("counts blank lines and a last line without LF", () =>
    assert.deepEqual(cut(bytes("a\n\nb")), [
      { line: 1, text: "a", truncated: false },
      { line: 2, text: "", truncated: false },
      { line: 3, text: "b", truncated: false },
    ]));
  test("finds no line after the last LF", () => assert.deepEqual(texts(bytes("a\n")), ["a"]));
  test("finds no line in nothing", () => assert.deepEqual(texts(bytes("")), []));
  test("drops one CR before LF and keeps every other", () =>
    assert.deepEqual(texts(bytes("a\r\nb\rc\r\r\n\r\n")), ["a", "b\rc\r", ""]));
  test("is not ended by form feed, vertical tab or U+2028", () =>
    assert.deepEqual(texts(bytes("a\fb\vc\u2028d\u0085e\n")), ["a\fb\vc\u2028d\u0085e"]));
  test("drops the NUL hole at a line's head and keeps NULs inside", () =>
    assert.deepEqual(texts(bytes("\0\0\0Jan\0x\n\0\n")), ["Jan\0x", ""]));
  test("a NUL hole larger than the cap costs the line nothing", () => {
    const data = new Uint8Array(3 * LINE_CAP);
    data.set(bytes("line\n"), data.length - 5);
    assert.deepEqual(cut(data, 1000), [{ line: 1, text: "line", truncated: false }]);
  });
  test("writes U+FFFD for invalid UTF-8", () =>
    assert.deepEqual(texts(Uint8Array.of(0x61, 0xff, 0xe2, 0x82, 10, 0x62)), ["a\ufffd\ufffd", "b"]));
  test("keeps a character whose bytes fall into two chunks", () => {
    for (let size = 1; size < 8; size++) assert.deepEqual(texts(bytes("aß€😀\nß\n"), size), ["aß€😀", "ß"]);
  });
  test("gives the same lines for every size of chunk", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(10, 13, 0, 65, 0xc3, 0xa4, 0xff, 0xef, 0xbb, 0xbf), { maxLength: 200 }),
        fc.integer({ min: 1, max: 9 }),
        (data, size) => assert.deepEqual(cut(Uint8Array.from(data), size), cut(Uint8Array.from(data))),
      ),
    ));
  test("detached text is the same text", () => assert.equal(detached("a\0ß"), "a\0ß"));
});

suite("a line longer than the cap", () => {
  const long = "x".repeat(LINE_CAP);
  test("is whole at exactly the cap, with CR LF too", () => {
    for (const end of ["\n", "\r\n", ""])
      for (const size of [100, 100_000])
        assert.deepEqual(cut(bytes(`a\n${long}${end}`), size)[1], { line: 2, text: long, truncated: false });
  });
  test("is cut and marked one byte later, and the next line is whole", () => {
    for (const size of [1, 4096, 100_000])
      assert.deepEqual(cut(bytes(`${long}y\nnext\n`), size), [
        { line: 1, text: long, truncated: true },
        { line: 2, text: "next", truncated: false },
      ]);
  });
  test("is not cut inside a character", () => {
    const text = `${"x".repeat(LINE_CAP - 2)}€€`;
    for (const size of [7, 100_000])
      assert.deepEqual(cut(bytes(`${text}\n`), size), [
        { line: 1, text: "x".repeat(LINE_CAP - 2), truncated: true },
      ]);
  });
  test("of a gigabyte is held as its first 8 KiB", () => {
    const cutter = new LineCutter();
    const chunk = new Uint8Array(1 << 20).fill(97);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1024; i++) assert.equal(cutter.push(chunk).length, 0);
    assert.ok(process.memoryUsage().rss - before < 64 << 20);
    const [line] = [...cutter.push(bytes("\n"))[0]!];
    assert.equal(line?.text.length, LINE_CAP);
    assert.equal(line?.truncated, true);
  });
});
