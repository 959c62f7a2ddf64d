import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { plainReader } from "./support.ts";

suite("a reader of lines", () => {
  test("counts each line once", () => {
    const reader = plainReader();
    const lines = [
      "Nov  3 10:00:00 mx postfix/smtpd[5]: connect from h.example[192.0.2.9]",
      "Nov  3 10:00:01 mx postfix/qmgr[6]: 4A1B2C3D4E: removed",
      "Nov  3 10:00:02 mx someprogram: hello",
      "no envelope here",
      "",
    ];
    for (const [i, text] of lines.entries()) reader.readText("f", i + 1, text);
    const { events, unknown, bad_envelope, duplicates, lines: all } = reader.stats(2);
    assert.deepEqual(events, { connect: 1, removed: 1 });
    assert.deepEqual([unknown, bad_envelope, duplicates, all], [1, 2, 2, 7]);
  });
  test("gives lines of one shape one template, headed by the daemon", () => {
    const reader = plainReader();
    const a = reader.readText(
      "f",
      1,
      "Nov  3 10:00:00 mx postfix/submission/smtpd[5]: connect from h1.example[192.0.2.9]",
    );
    const b = reader.readText(
      "f",
      2,
      "Nov  3 10:00:09 mx postfix/smtpd[7]: connect from h2.example[192.0.2.1]",
    );
    assert.equal(a.template, "postfix/smtpd: connect from <*>");
    assert.equal(a.templateId, b.templateId);
    assert.equal(a.time, Date.UTC(2026, 10, 3, 10));
    assert.equal(reader.byTemplate.get(a.templateId)!.count, 2);
  });
  test("gives text and message as they stand in the line, whichever is asked for first", () => {
    const reader = plainReader();
    for (const [head, words] of [
      ["Nov  3 10:00:00 mx postfix/smtpd[5]: ", "connect from h.example[192.0.2.9]"],
      ["Nov  3 10:00:00 mx dovecot: ", "imap-login: Login: user=<j\u00f8rn>, method=PLAIN"],
      ["<22>Nov  3 10:00:00 mx postfix/smtpd[5]: ", "connect from h.example[192.0.2.9]"],
    ] as const) {
      const [one, other] = [1, 2].map((line) => reader.readText("f", line, head + words));
      assert.deepEqual([one!.text, one!.message], [head + words, words]);
      assert.deepEqual([other!.message, other!.text], [words, head + words]);
    }
  });
});
