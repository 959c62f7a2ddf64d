import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { maskText, templateId } from "../../src/template/mask.ts";

suite("the masked shape of a message", () => {
  const cases: [string, string, string][] = [
    ["address and port", "connect from unknown[192.0.2.1]:4711", "connect from unknown[<*>]"],
    ["host and address", "connect from mail.example.org[192.0.2.1]", "connect from <*>"],
    ["key and value", "to=<a@b.example>, relay=none, delay=0.1", "to=<*>, relay=none, delay=<*>"],
    ["an empty address", "from=<>, size=12", "from=<*>, size=<*>"],
    ["a list of any length", "rejected 192.0.2.1, 192.0.2.2, 192.0.2.3 now", "rejected <*> now"],
    ["an IPv6 address", "from 2001:db8::1 ok", "from <*> ok"],
    ["an IPv6 address with groups of letters alone", "from [2001:db8:cafe::dead:1] ok", "from [<*>] ok"],
    ["a MAC address", "card AA:BB:CC:DD:EE:FF up", "card <*> up"],
    ["short words with a colon", "bad: add face", "bad: add face"],
    ["a path", "open /var/log/mail failed", "open <*> failed"],
    ["a sentence's dot", "It failed. Again...", "It failed. Again..."],
    ["a long queue id without digit", "id BCDFGHJKLMz gone", "id <*> gone"],
    ["a long queue id with y, which is no vowel", "id BCDyGHJKLYz gone", "id <*> gone"],
    ["a long word with a vowel", "id strengths gone", "id strengths gone"],
    ["hexadecimal letters", "id deadbeef gone", "id <*> gone"],
    ["a date", "at Sun Jul 10 03:55:15 2005", "at <*>"],
    ["empty brackets", "from 192.0.2.1 () at x", "from <*> at x"],
    ["brackets opened inside a run", "from 192.0.2.1 (a.b) at x", "from <*> at x"],
    ["brackets opened inside a run and closed later", "cipher X1 (256/256 bits)", "cipher <*> (<*> bits)"],
    ["a path with a query", "GET /a?b=True&c=2 HTTP/1.1 x", "GET <*> x"],
    ["brackets closed inside a run", "lmtp(a@b)<12>: x", "lmtp(<*>): x"],
    ["brackets closed between signs of a word", "/?[<*>/]...", "<*>/ ..."],
    ["blanks and tabs", "a  b\t\tc", "a b c"],
    ["an angle bracket that never closes", "a < b", "a b"],
    ["nothing", "", ""],
    ["parameters only", "1 2 3", "<*>"],
  ];
  for (const [name, text, shape] of cases) test(`of ${name}`, () => assert.equal(maskText(text), shape));

  test("of a long text is cut", () => {
    const shape = maskText("word ".repeat(1000));
    assert.ok(shape.length <= 520 && shape.endsWith(" ..."));
  });
  test("is its own shape", () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom("<*>", "<", ">", "[", "]", "(", ")", " ", "1", "abc", "a.b", "-", "...", "Jan", "ß"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const shape = maskText(pieces.join(""));
        assert.equal(maskText(shape), shape);
      }),
      { numRuns: 3000 },
    );
  });
  test("of any line is bounded and cheap", () => {
    const hostile = ["<", "[", "a=1 ", "<>", "((", "a ", ".", "a.", "\0", "ß", "<a", "]1["];
    const from = process.cpuUsage();
    for (const unit of hostile) assert.ok(maskText(unit.repeat(1_000_000 / unit.length)).length <= 520);
    const { user, system } = process.cpuUsage(from);
    assert.ok(user + system < 20_000 * hostile.length, "20 ms of CPU a line");
  });
});

suite("the id of a shape", () => {
  test("is the same for ever", () => assert.equal(templateId("connect from <*>"), "2e0a4937f2c6f168"));
  test("differs for shapes that differ in one character", () =>
    assert.notEqual(templateId("connect from <*>"), templateId("connect fron <*>")));
  test("is 16 hex digits", () => assert.match(templateId(""), /^[0-9a-f]{16}$/));
});
