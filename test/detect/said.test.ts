import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { programOf, said } from "../../src/detect/said.ts";

/** Head of a line, its message, the shape of the message, and what a title shows. */
const CASES: readonly (readonly [name: string, text: string, template: string, shown: string])[] = [
  [
    "a warning of a service of its own name",
    "Feb 24 13:44:43 mail postfix/submission/smtpd[29701]: warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
    "postfix/smtpd: warning: connect to Milter service inet:<*>: Connection refused",
    '"warning: connect to Milter service inet:127.0.0.1:8891: Connection refused"',
  ],
  [
    "the reason of a delivery",
    "2026-11-29T10:00:00Z mx postfix/smtp[7]: 4Xy1Zz0abcz1: to=<ann@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, dsn=4.7.28, status=deferred (host mx.example.org[192.0.2.1] said: 421-4.7.28 unusual rate)",
    "postfix/smtp: <*>: to=<*>, relay=<*>, dsn=<*>, status=deferred (host <*> said: <*>)",
    '"status=deferred (host mx.example.org[192.0.2.1] said: 421-4.7.28 unusual rate)"',
  ],
  [
    "what comes after a queue id",
    "Nov 29 10:00:00 mx opendkim[9]: 8298238F29: key retrieval failed",
    "opendkim: <*>: key retrieval failed",
    '"key retrieval failed"',
  ],
  [
    "the message of journald's JSON",
    '{"MESSAGE":"lost connection after AUTH from unknown[192.0.2.7]","SYSLOG_IDENTIFIER":"postfix/smtpd"}',
    "postfix/smtpd: lost connection after AUTH from unknown[<*>]",
    '"lost connection after AUTH from unknown[192.0.2.7]"',
  ],
  [
    "the message of a line of RFC 5424",
    "<22>1 2026-11-29T10:00:00.5Z mx postfix/smtp 7 - - 3DF7424818: to=<a@b.example>, status=deferred (connect to 192.0.2.1: refused)",
    "postfix/smtp: <*>: to=<*>, status=deferred (connect to <*>: refused)",
    '"status=deferred (connect to 192.0.2.1: refused)"',
  ],
  [
    "the shape, where the text is wrapped otherwise",
    '{"log":"postfix/smtpd says: lost connection after AUTH from unknown[192.0.2.7]"}',
    "postfix/smtpd: lost connection after AUTH from unknown[<*>]",
    '"lost connection after AUTH from unknown[…]"',
  ],
  [
    "quotes that a client sent, as others",
    'Nov 29 10:00:00 mx dovecot: imap-login: x" - all is well: "y',
    "dovecot: imap-login: <*>",
    "\"imap-login: x' - all is well: 'y\"",
  ],
];

suite("what a title shows of a line", () => {
  for (const [name, text, template, shown] of CASES)
    test(name, () => assert.equal(said({ text, template }), shown));

  test("is short, and ends between two characters", () => {
    const shown = said({ text: `mx a[1]: ${"x".repeat(119)}😀😀`, template: "a: <*>" });
    assert.equal(shown, `"${"x".repeat(119)}…"`);
  });
  test("is of the program that the shape names", () => {
    assert.equal(programOf({ template: "postfix/smtpd: warning: <*>" }), "postfix/smtpd");
    assert.equal(programOf({ template: "no program" }), "");
  });
});
