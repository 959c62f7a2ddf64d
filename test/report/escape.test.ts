import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cut, htmlSafe, terminalSafe } from "../../src/report/escape.ts";

/** Text in which every kind of active character is likely. */
const hostile = (): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0x9f }),
        fc.constantFrom(0x202e, 0x2066, 0xfeff, 0x200f, 0xd800, 0xdfff, 0x2028),
      ),
      { maxLength: 60 },
    )
    .map((codes) => String.fromCharCode(...codes));

suite("text for a terminal", () => {
  test("shows an escape sequence instead of sending it", () =>
    assert.equal(terminalSafe("a\u001b[31mb\u007f\u0000\r\n"), "a\\x1b[31mb\\x7f\\x00\\x0d\\x0a"));
  test("shows bidirectional controls, the byte order mark and lone surrogates by number", () =>
    assert.equal(terminalSafe("\u202e\ufeff\ud800x"), "U+202EU+FEFFU+D800x"));
  test("leaves plain text of any language as it is", () => {
    const plain = "Grüße, 世界, 😀 \\x1b";
    assert.equal(terminalSafe(plain), plain);
  });
  test("holds no active character, whatever came in", () =>
    fc.assert(
      fc.property(hostile(), (text) => {
        const safe = terminalSafe(text);
        assert.doesNotMatch(safe, /\p{Cs}/u);
        assert.doesNotMatch(
          safe,
          /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
        );
      }),
    ));
});

suite("text for HTML", () => {
  test("opens no tag and ends no attribute", () =>
    assert.equal(htmlSafe(`<b a='x' c="y">&`), "&lt;b a=&#39;x&#39; c=&quot;y&quot;&gt;&amp;"));
  test("holds no mark-up and no active character, whatever came in", () =>
    fc.assert(
      fc.property(hostile(), (text) =>
        assert.doesNotMatch(htmlSafe(text), /[<>"'\u0000-\u001f\u007f-\u009f\u202e]/),
      ),
    ));
});

suite("text that is too long", () => {
  test("ends in an ellipsis within its width", () => assert.equal(cut("abcdef", 4), "abc…"));
  test("is not cut between two halves of a character", () => assert.equal(cut("ab😀cd", 4), "ab…"));
});
