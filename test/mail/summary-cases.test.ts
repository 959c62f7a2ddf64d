import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TotalName } from "../../src/mail/summary.ts";
import { needs } from "../support/need.ts";
import { canonical, compat, pflogsumm, summaryOf } from "./pflogsumm.ts";

/** The cases of docs/pflogsumm.md: the total, what pflogsumm says, what we say, and the lines. */
const at = (tag: string, text: string, host = "mx"): string => `Nov  3 10:00:00 ${host} ${tag}: ${text}\n`;
const RECORD = "relay=mx.one.example[192.0.2.1]:25, delay=1, delays=0/0/0/1,";
const TAIL = "from=<a@b.example> to=<x@one.example> proto=ESMTP helo=<h>";

const CASES: readonly (readonly [string, TotalName, number, number, string])[] = [
  [
    "an smtpd of another service",
    "received",
    0,
    1,
    at("postfix/smtpd-amavis/smtpd[9]", "EEEE11111: client=localhost[127.0.0.1]"),
  ],
  [
    "another instance",
    "delivered",
    0,
    1,
    at("postfix-out/smtp[7]", `AAAA11111: to=<w@one.example>, ${RECORD} dsn=2.0.0, status=sent (250 ok)`),
  ],
  [
    "milter-reject of smtpd",
    "rejected",
    0,
    1,
    at(
      "postfix/smtpd[9]",
      `NOQUEUE: milter-reject: RCPT from h[192.0.2.9]: 451 4.7.1 Service unavailable - try again later; ${TAIL}`,
    ),
  ],
  [
    "a MIME header",
    "rejected",
    0,
    1,
    at(
      "postfix/cleanup[9]",
      `AAAA11111: reject: mime-header Content-Type: x from h[192.0.2.9]; ${TAIL}: 5.7.1 no`,
    ),
  ],
  [
    "tls= of Postfix 3.11",
    "delivered",
    0,
    1,
    at(
      "postfix/smtp[7]",
      `AAAA11111: to=<w@one.example>, ${RECORD} tls=verified, dsn=2.0.0, status=sent (250 ok)`,
    ),
  ],
  [
    "eaten angle brackets",
    "delivered",
    0,
    1,
    at("postfix/smtp[7]", `AAAA11111: to=w@one.example, ${RECORD} dsn=2.0.0, status=sent (250 ok)`),
  ],
  [
    "a failed connection of today's form",
    "smtp_delivery_failures",
    0,
    1,
    at("postfix/smtp[7]", "connect to mx.one.example[192.0.2.1]:25: Connection timed out"),
  ],
  [
    "a queue id that comes again",
    "bytes_received",
    1000,
    1077,
    [1000, 77]
      .map(
        (size) =>
          at("postfix/smtpd[5]", "AAAA11111: client=h.example[192.0.2.9]") +
          at("postfix/qmgr[6]", `AAAA11111: from=<a@b.example>, size=${size}, nrcpt=1 (queue active)`),
      )
      .join(""),
  ],
  [
    "clients of IPv6",
    "connection_hosts",
    1,
    2,
    ["h.example[2001:db8::7]", "k.example[2001:db8::8]"]
      .map(
        (client) =>
          at("postfix/smtpd[5]", `connect from ${client}`) +
          at("postfix/smtpd[5]", `disconnect from ${client} ehlo=1 quit=1 commands=2`),
      )
      .join(""),
  ],
  [
    "two hosts with a process of one number",
    "connections",
    1,
    2,
    ["connect", "disconnect"]
      .map((word) =>
        ["a", "b"].map((host) => at("postfix/smtpd[5]", `${word} from h.example[192.0.2.9]`, host)).join(""),
      )
      .join(""),
  ],
  [
    "a message of no bytes",
    "messages_without_size",
    1,
    0,
    at("postfix/smtpd[5]", "AAAA11111: client=h.example[192.0.2.9]") +
      at("postfix/qmgr[6]", "AAAA11111: from=<a@b.example>, size=0, nrcpt=1 (queue active)") +
      at("postfix/smtp[7]", `AAAA11111: to=<w@one.example>, ${RECORD} dsn=2.0.0, status=sent (250 ok)`),
  ],
];

suite("where pflogsumm is wrong", () => {
  for (const [name, total, theirs, ours, log] of CASES)
    test(name, () => {
      const { totals, corrected, differences } = summaryOf(log).summary();
      assert.deepEqual([totals[total], corrected[total]], [theirs, ours]);
      assert.ok(
        differences.some((d) => d.total === total && d.reason !== ""),
        "named in differences",
      );
    });
});

suite("the real pflogsumm is wrong the same way", needs("pflogsumm"), () => {
  for (const [name, , , , log] of CASES)
    test(name, () => assert.equal(canonical(compat(log)), canonical(pflogsumm(log))));
  test("and takes --limit, --problems-first and --iso as its own flags", () => {
    const log = CASES.map(([, , , , lines]) => lines).join("");
    assert.equal(
      canonical(compat(log, { limit: 2, problemsFirst: true, iso: true })),
      canonical(pflogsumm(log, "-h", "2", "-u", "2", "--detail", "2", "--problems-first", "--iso-date-time")),
    );
  });
});
