import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Summary } from "../../src/mail/summary.ts";
import { needs } from "../support/need.ts";
import { canonical, compat, pflogsumm, summaryOf } from "./pflogsumm.ts";

const summarise = (log: string, date = "all"): Summary => summaryOf(log, date).summary();

/** Every figure and every row of the report. */
function agree(log: string): void {
  assert.equal(canonical(compat(log)), canonical(pflogsumm(log)));
}

const at = (second: number, tag: string, text: string) =>
  `Nov  3 10:00:${String(second).padStart(2, "0")} mx ${tag}: ${text}\n`;
const SMALL =
  at(0, "postfix/smtpd[5]", "connect from h.example[192.0.2.9]") +
  at(0, "postfix/smtpd[5]", "AAAA11111: client=h.example[192.0.2.9]") +
  at(1, "postfix/qmgr[6]", "AAAA11111: from=<A@Far.example>, size=1000, nrcpt=2 (queue active)") +
  at(
    2,
    "postfix/smtp[7]",
    "AAAA11111: to=<x@One.example>, relay=mx.one.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)",
  ) +
  at(
    2,
    "postfix/smtp[7]",
    "AAAA11111: to=<y@two.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to two.example[192.0.2.2]:25: Connection refused)",
  ) +
  at(
    3,
    "postfix/smtpd[5]",
    "disconnect from h.example[192.0.2.9] ehlo=1 mail=1 rcpt=2 data=1 quit=1 commands=6",
  ) +
  at(4, "postfix/qmgr[6]", "AAAA11111: from=<A@Far.example>, size=1000, nrcpt=2 (queue active)") +
  at(
    5,
    "postfix/smtp[7]",
    "AAAA11111: to=<y@two.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.1, status=bounced (no)",
  ) +
  at(
    6,
    "postfix/local[7]",
    "AAAA11111: to=<z@one.example>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as BBBB11111)",
  ) +
  at(7, "postfix/pickup[8]", "CCCC11111: uid=0 from=<root>") +
  at(7, "postfix/qmgr[6]", "CCCC11111: from=<>, size=50, nrcpt=1 (queue active)") +
  at(
    8,
    "postfix/smtpd[9]",
    "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <q@r.example>: Relay access denied; from=<a@b.example> to=<q@r.example> proto=ESMTP helo=<h>",
  ) +
  at(
    8,
    "postfix/smtpd[9]",
    "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.9]: 554 5.7.1 <q@r.example>: Relay access denied; from=<a@b.example> to=<q@r.example> proto=ESMTP helo=<h>",
  ) +
  at(
    9,
    "postfix/smtpd[9]",
    "DDDD11111: hold: RCPT from unknown[192.0.2.9]: <x@one.example>: Recipient address triggers HOLD action; from=<a@b.example> to=<x@one.example> proto=ESMTP helo=<h>",
  ) +
  at(
    9,
    "postfix/cleanup[9]",
    "DDDD11111: reject: header Subject: a from h[192.0.2.9]; from=<a@b.example> to=<x@one.example> proto=ESMTP helo=<h>: 5.7.1 no",
  ) +
  at(
    9,
    "postfix/cleanup[9]",
    "DDDD11111: warning: header Subject: a from h[192.0.2.9]; from=<a@b.example> to=<x@one.example> proto=ESMTP helo=<h>",
  );
const MILTER = at(
  9,
  "postfix/smtpd[9]",
  "NOQUEUE: milter-reject: RCPT from h[192.0.2.9]: 451 4.7.1 Service unavailable - try again later; from=<a@b.example> to=<x@one.example> proto=ESMTP helo=<h>",
);
const REUSED =
  at(9, "postfix/smtpd[5]", "AAAA11111: client=h.example[192.0.2.9]") +
  at(9, "postfix/qmgr[6]", "AAAA11111: from=<other@far.example>, size=77, nrcpt=1 (queue active)");
const NESTED = at(9, "postfix/smtpd-amavis/smtpd[9]", "EEEE11111: client=localhost[127.0.0.1]");
const TLS = at(
  9,
  "postfix/smtp[7]",
  "AAAA11111: to=<w@one.example>, relay=mx.one.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, tls=verified, dsn=2.0.0, status=sent (250 ok)",
);

suite("the mail summary counts", () => {
  test("a small log as one does by hand", () => {
    const { totals } = summarise(SMALL);
    const known = {
      received: 2,
      delivered: 1,
      forwarded: 1,
      deferred: 1,
      deferrals: 1,
      bounced: 1,
      rejected: 2,
      reject_warnings: 2,
      held: 1,
      discarded: 0,
      bytes_received: 1050,
      bytes_delivered: 1000,
      senders: 2,
      sending_hosts: 2,
      recipients: 1,
      recipient_hosts: 1,
      connections: 1,
    };
    assert.deepEqual({ ...totals, ...known }, totals);
  });
  test("what pflogsumm leaves out under corrected, with a reason each", () => {
    const { totals, corrected, differences } = summarise(SMALL + MILTER + NESTED + TLS);
    assert.deepEqual([totals.rejected, totals.received, totals.delivered], [2, 2, 1]);
    assert.deepEqual([corrected.rejected, corrected.received, corrected.delivered], [3, 3, 2]);
    assert.deepEqual(
      differences.filter((d) => d.lines > 0).map((d) => [d.total, d.lines]),
      [
        ["received", 1],
        ["delivered", 1],
        ["rejected", 1],
      ],
    );
  });
  test("one day only, by the zone's calendar", () => {
    assert.equal(summarise(SMALL, "2026-11-03").totals.received, 2);
    assert.equal(summarise(SMALL, "2026-11-02").lines, 0);
  });
});

suite("the totals equal pflogsumm's", needs("pflogsumm"), () => {
  test("on a small log", () => agree(SMALL));
  test("where it leaves lines out", () => agree(SMALL + MILTER + NESTED + TLS));
  test("when a queue id comes again", () => agree(SMALL + REUSED));
  test("on the sample log", () =>
    agree(gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8")));
});
