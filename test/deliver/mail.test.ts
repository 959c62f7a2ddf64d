import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { bareAddress, composeMail } from "../../src/deliver/mail.ts";
import { noticeText } from "../../src/deliver/notice-text.ts";
import { wordsOf } from "../../src/deliver/words.ts";
import { ownMailKey, ownMessageId } from "../../src/mail/own.ts";
import { reportText } from "../../src/report/daily-text.ts";
import { reportSubject } from "../../src/report/daily-verdict.ts";
import { notificationKey } from "../../src/report/notification.ts";
import { HOSTILE, hostileAlert } from "../report/support.ts";
import { alertTold, context, deliveryOf, NOW, parseMail, reportTold } from "./support.ts";

const channel = { from: "Logvane <logvane@mx1.example>", to: ["ops@example.org", "Chef <chef@example.org>"] };
const compose = (told: Parameters<typeof deliveryOf>[0], server = context.server): Promise<Buffer> =>
  composeMail(deliveryOf(told), channel, { ...context, server });

/** All headers of a mail by name; several of one name make a list. */
async function headers(raw: Buffer): Promise<Map<string, string[]>> {
  const { headers } = await parseMail(raw);
  const all = new Map<string, string[]>();
  for (const { key, value } of headers) all.set(key, [...(all.get(key) ?? []), value]);
  return all;
}

/** What every mail must keep to, whatever it tells (RFC 5322 2.1.1, 2.2, 2.2.3). */
function assertSound(raw: Buffer): void {
  assert.ok(!raw.some((byte) => byte > 126 || (byte < 32 && byte !== 13 && byte !== 10)), "ASCII alone");
  const text = raw.toString("latin1");
  assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/, "CR and LF only as a pair");
  for (const line of text.split("\r\n")) assert.ok(line.length <= 998, `line of ${line.length} octets`);
  const head = text.slice(0, text.indexOf("\r\n\r\n"));
  for (const line of head.split("\r\n"))
    assert.match(line, /^(?:[A-Za-z][A-Za-z0-9-]*:|[ \t]+\S)/, "a header, or a fold");
}

suite("the mail of an alert", () => {
  test("has each header that it should, and none twice", async () => {
    const raw = await compose(alertTold());
    assertSound(raw);
    const all = await headers(raw);
    for (const [name, values] of all) assert.equal(values.length, 1, name);
    const flat = Object.fromEntries([...all].map(([name, [value]]) => [name, value]));
    const { "content-type": type, ...rest } = flat;
    assert.match(type!, /^multipart\/alternative; boundary=/);
    assert.deepEqual(rest, {
      from: "Logvane <logvane@mx1.example>",
      to: "ops@example.org, Chef <chef@example.org>",
      subject: "[mx1.example] high: Many failed log-ins from 192.0.2.9",
      "message-id": "<alert.b4f00d.opened@logvane.mx1.example>",
      date: "Mon, 21 Sep 2026 02:31:00 +0000",
      "mime-version": "1.0",
      "auto-submitted": "auto-generated",
      "x-auto-response-suppress": "All",
      "list-id": "Logvane on mx1.example <logvane.mx1.example>",
      "x-mailer": "Logvane 0.1.0",
      "x-logvane-type": "alert",
      "x-logvane-id": "b4f00d",
      "x-logvane-event": "opened",
      "x-logvane-severity": "high",
      "x-logvane-kind": "bruteforce",
    });
  });
  test("has plain text first, then HTML, both in seven bits", async () => {
    const raw = await compose(alertTold({ title: "Größer als üblich" }));
    const { text, html, subject } = await parseMail(raw);
    assert.match(text!, /Größer als üblich/);
    assert.match(html!, /Größer als üblich/);
    assert.equal(subject, "[mx1.example] high: Größer als üblich");
    const parts = raw.toString("latin1").match(/^Content-Type: text\/\w+|^Content-Transfer-Encoding: .*/gm);
    assert.deepEqual(
      parts?.map((p) => p.trim()),
      [
        "Content-Type: text/plain",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Type: text/html",
        "Content-Transfer-Encoding: quoted-printable",
      ],
    );
  });
  test("says what, how much, since when, who, by which lines, and what to type", () => {
    assert.equal(
      noticeText(wordsOf(alertTold() as never, context)),
      `Many failed log-ins from 192.0.2.9

412 log-ins failed in an hour; at most 3 are usual.

Server:     mx1.example
Severity:   high
Since:      2026-09-21 04:00 +02:00, still going on
Measured:   failed log-ins: 412, typically 0 to 3
Who:        client 192.0.2.9
Looks like: Password guessing (bruteforce, 92 %)

1 of the 412 lines that show it:

  mail.log:17
  Sep 21 02:00:01 mx postfix/smtpd[5]: SASL LOGIN failed

All that is known of it:
    logvane explain b4f00d

If it is harmless, nothing need be done: you are told again only if it
gets worse, and the next training learns from these days too.

-- 
Logvane 0.1.0 on mx1.example, alert b4f00d
`,
    );
  });
  test("offers the verb that marks it as harmless where there is one", () => {
    const words = wordsOf(alertTold() as never, { ...context, harmless: "logvane feedback" });
    assert.match(noticeText(words), /If it is harmless, say so:\n {4}logvane feedback b4f00d benign\n/);
  });
  test("of what became worse or is over stands below the first one", async () => {
    const worse = alertTold(
      { updates: [{ at: NOW, severity: "critical", title: "Now 5,000 log-ins" }] },
      "worse",
    );
    const all = await headers(await compose(worse));
    const opened = "<alert.b4f00d.opened@logvane.mx1.example>";
    assert.deepEqual(all.get("in-reply-to"), [opened]);
    assert.deepEqual(all.get("references"), [opened]);
    assert.deepEqual(all.get("message-id"), ["<alert.b4f00d.worse@logvane.mx1.example>"]);
    assert.deepEqual(all.get("subject"), ["[mx1.example] now critical: Now 5,000 log-ins"]);
    assert.deepEqual(all.get("importance"), ["high"]);
    const closed = alertTold({ closedAt: Date.UTC(2026, 8, 21, 6) }, "closed");
    const over = await parseMail(await compose(closed));
    assert.equal(over.inReplyTo, opened);
    assert.equal(over.subject, "[mx1.example] over: Many failed log-ins from 192.0.2.9");
    assert.match(over.text!, /for 2 h; last seen 2026-09-21 06:00/);
  });
  test("is the same at every try", async () =>
    assert.deepEqual(await compose(alertTold()), await compose(alertTold())));
  test("loads nothing and links nowhere", async () => {
    const { html } = await parseMail(await compose(alertTold()));
    assert.doesNotMatch(html!, /<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?:/i);
    assert.match(html!, /prefers-color-scheme:dark/);
  });
});

suite("the mail of a report", () => {
  test("has its text, its page, and its charts beside the page", async () => {
    const raw = await compose(reportTold);
    assertSound(raw);
    const mail = await parseMail(raw);
    assert.equal(mail.messageId, "<report.2026-09-20@logvane.mx1.example>");
    const { report } = reportTold as Extract<typeof reportTold, { type: "report" }>;
    assert.equal(mail.subject, reportSubject(report));
    assert.equal(mail.text!.trim(), reportText(report).trim());
    const shown = [...mail.html!.matchAll(/"cid:([^"]+)"/g)].map(([, cid]) => cid!).sort();
    assert.ok(shown.length > 5);
    assert.deepEqual(mail.attachments.map((a) => a.contentId!.slice(1, -1)).sort(), shown);
    for (const { mimeType, disposition, filename } of mail.attachments) {
      assert.deepEqual([mimeType, disposition], ["image/png", "inline"]);
      assert.match(filename!, /^[a-z-]+\.png$/);
    }
  });
  test("and that of a test are told apart by a header", async () => {
    const all = await headers(await compose({ type: "test", at: "2026-09-21T02:31:00.000Z" }));
    assert.deepEqual(all.get("x-logvane-type"), ["test"]);
    assert.deepEqual(all.get("message-id"), ["<test.2026-09-21T02_31_00.000Z@logvane.mx1.example>"]);
  });
});

suite("the mail of an attacker's log", () => {
  const hostile = { ...hostileAlert(), id: "b4f00d", closedAt: null };
  test("has no header, line end or address of his", async () => {
    const raw = await compose(
      alertTold({ ...hostile, title: `x\r\nBcc: evil@example.net\r\n\r\n${HOSTILE}` }),
    );
    assertSound(raw);
    const all = await headers(raw);
    assert.ok(!all.has("bcc"));
    const mail = await parseMail(raw);
    assert.deepEqual(
      mail.to?.map((a) => a.address),
      ["ops@example.org", "chef@example.org"],
    );
    assert.match(mail.subject!, /^\[mx1\.example\] high: x\\x0d\\x0aBcc: evil@example\.net/);
    assert.ok(mail.subject!.length <= 160);
  });
  test("has no subject in an encoding of his", async () => {
    const mail = await parseMail(await compose(alertTold({ title: "=?utf-8?B?4oCuZm9yZ2Vk?= x" })));
    assert.equal(mail.subject, "[mx1.example] high: = ?utf-8?B?4oCuZm9yZ2Vk?= x");
    const other = await parseMail(await compose(alertTold({ title: "ü =?utf-8?Q?forged?=" })));
    assert.equal(other.subject, "[mx1.example] high: ü = ?utf-8?Q?forged?=");
  });
  test("sends nothing to a terminal and no mark-up to a reader", async () => {
    const { text, html } = await parseMail(await compose(alertTold(hostile)));
    assert.doesNotMatch(text!, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff]|\p{Cs}/u);
    assert.ok(text!.includes("\\x1b]0;pwned"));
    const tags = new Set([...html!.matchAll(/<\/?([a-z0-9!]+)/gi)].map((m) => m[1]!.toLowerCase()));
    const ours = "!doctype html head meta title style body table tr td p h1 div span br code";
    for (const tag of tags) assert.ok(ours.split(" ").includes(tag), tag);
    assert.doesNotMatch(html!, /<[^>]*\son\w+=/i);
  });
  test("makes no link of what looks like one", () => {
    const text = noticeText(
      wordsOf(alertTold({ summary: "see https://evil.example/x or www.evil.example" }) as never, context),
    );
    assert.match(text, /see hxxps:\/\/evil\.example\/x or www\[\.\]evil\.example/);
  });
  test("stays small, and whole lines stay readable", async () => {
    const long = `SASL ${"x".repeat(10_000)}`;
    const raw = await compose(alertTold({ title: long, lines: [{ file: "f", line: 1, text: long }] }));
    assertSound(raw);
    assert.ok(raw.length < 40_000, `${raw.length} bytes`);
  });
  test("has no command to type but ours", () => {
    const told = alertTold({ ...hostile, id: "x; rm -rf /" });
    assert.doesNotMatch(noticeText(wordsOf(told as never, context)), /logvane explain/);
  });
  test("keeps to the rules of headers and lines, whatever it holds", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.string({
        unit: fc.constantFrom("\r", "\n", " ", "\t", "é", "😀", "\ud800", "=", "?", "<", "\u202e", "a"),
        maxLength: 400,
      }),
      fc.constant("y".repeat(10_000)),
      fc.constant(`${" ".repeat(300)}z`),
    );
    await fc.assert(
      fc.asyncProperty(text, text, text, async (title, line, server) => {
        const told = alertTold({ title, summary: line, lines: [{ file: title, line: 1, text: line }] });
        const raw = await compose(told, server);
        assertSound(raw);
        const all = await headers(raw);
        for (const [name, values] of all) assert.equal(values.length, 1, name);
        assert.equal(all.get("to")![0], "ops@example.org, Chef <chef@example.org>");
        const id = all.get("message-id")![0]!;
        assert.match(id, /^<[A-Za-z0-9._-]+@logvane\.[a-z0-9.-]+>$/);
        assert.equal(ownMailKey(id, server), "alert b4f00d opened");
      }),
      { numRuns: 80 },
    );
  });
});

suite("a Message-ID of ours", () => {
  test("tells the notification, and other people's tell none", () => {
    for (const key of [
      notificationKey(alertTold()),
      "report 2026-09-20",
      "digest 12",
      "test 2026-09-21T02:31:00.000Z",
    ])
      assert.equal(ownMailKey(ownMessageId(key, "mx1.example"), "mx1.example"), key);
    assert.equal(ownMailKey("<alert.b4f00d.opened@logvane.mx2.example>", "mx1.example"), undefined);
    assert.equal(ownMailKey("<20260921@mx1.example>", "mx1.example"), undefined);
    assert.equal(ownMailKey(`<${HOSTILE}@logvane.mx1.example>`, "mx1.example"), undefined);
  });
});

suite("the address of an envelope", () => {
  test("may have a name in any letters, which is encoded", async () => {
    const from = "Wächter 世界 <w@mx1.example>";
    const raw = await composeMail(deliveryOf(alertTold()), { from, to: ["Çhef <c@example.org>"] }, context);
    assertSound(raw);
    const mail = await parseMail(raw);
    assert.deepEqual([mail.from?.name, mail.from?.address], ["Wächter 世界", "w@mx1.example"]);
    assert.deepEqual(
      mail.to?.map((t) => t.name),
      ["Çhef"],
    );
    assert.equal(bareAddress(from), "w@mx1.example");
  });
  test("is that of the setting without its name", () => {
    assert.equal(bareAddress("Logvane <logvane@mx1.example>"), "logvane@mx1.example");
    assert.equal(bareAddress("logvane@mx1.example"), "logvane@mx1.example");
  });
});
