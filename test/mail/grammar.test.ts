import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { samples as heads } from "../../src/mail/dovecot.ts";
import { samples as auth } from "../../src/mail/dovecot-auth.ts";
import { samples as login } from "../../src/mail/dovecot-login.ts";
import { samples as mailbox } from "../../src/mail/dovecot-mailbox.ts";
import { samples as service } from "../../src/mail/dovecot-service.ts";
import { samples as session } from "../../src/mail/dovecot-session.ts";
import { parseMail } from "../../src/mail/grammar.ts";
import { EVENTS } from "../../src/mail/names.ts";
import { samples as actions } from "../../src/mail/postfix-action.ts";
import { samples as cleanup } from "../../src/mail/postfix-cleanup.ts";
import { samples as delivery } from "../../src/mail/postfix-delivery.ts";
import { samples as master } from "../../src/mail/postfix-master.ts";
import { samples as notes } from "../../src/mail/postfix-notes.ts";
import { samples as queue } from "../../src/mail/postfix-queue.ts";
import { samples as smtpd } from "../../src/mail/postfix-smtpd.ts";
import { samples as support } from "../../src/mail/postfix-support.ts";
import { samples as tls } from "../../src/mail/postfix-tls.ts";
import { samples as postscreen } from "../../src/mail/postscreen.ts";
import { MAX_FIELD, type Sample } from "../../src/mail/scan.ts";

const dovecot = [...heads, ...auth, ...login, ...mailbox, ...service, ...session];

const parse = (program: string, message: string) =>
  parseMail({ time: 0, host: "mx", program, pid: 7, message });

function check(program: string, sample: Sample): void {
  test(sample.line.slice(0, 90), () => {
    const read = parse(program, sample.line);
    assert.equal(read.event, sample.event);
    assert.equal(read.cause, sample.cause);
    for (const [key, value] of Object.entries(sample.fields ?? {}))
      assert.equal(read.fields[key], value, key);
  });
}

suite("the grammar reads its own samples", () => {
  for (const s of smtpd) check("postfix/smtpd", s);
  for (const s of delivery) check("postfix/smtp", s);
  for (const s of postscreen) check("postfix/postscreen", s);
  for (const s of actions) check("postfix/smtpd", s);
  for (const s of cleanup) check("postfix/cleanup", s);
  for (const s of tls) check("postfix/smtp", s);
  for (const s of [...queue, ...master, ...support, ...notes]) check(`postfix/${s.daemon}`, s);
  for (const s of dovecot) check("dovecot", s);
});

suite("an id that is empty", () => {
  test("is none", () => {
    const amavis =
      "(1-1) Passed CLEAN {RelayedInbound}, [192.0.2.9]:1 <a@b.example> -> <c@d.example>, Queue-ID: , size: 9";
    assert.equal(parse("amavis", amavis).queueId, undefined);
    const login = "imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, session=<>";
    assert.equal(parse("dovecot", login).session, undefined);
  });
});

suite("the writer of a line", () => {
  test("is the last path part, and the middle is the service", () => {
    const read = parse("postfix-out/submission/smtpd", "connect from h.example[192.0.2.9]");
    assert.equal(read.daemon, "postfix/smtpd");
    assert.equal(read.fields["service"], "submission");
    assert.equal(read.session, "mx/postfix/smtpd[7]");
  });
  for (const s of dovecot)
    test(`is ${s.daemon} in ${s.line.slice(0, 40)}`, () =>
      assert.equal(parse("dovecot", s.line).daemon, s.daemon));
  test("of Dovecot's own file is the service", () =>
    assert.equal(
      parse("imap-login", "Info: Login: user=<a>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1").daemon,
      "dovecot/imap-login",
    ));
});

suite("a Postfix program's name", () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ["postfix/sender-cleanup/cleanup", "postfix/cleanup", "sender-cleanup"],
    ["postfix-10.20.30.40/smtp", "postfix/smtp", undefined],
    ["mta-out/smtps/smtpd", "postfix/smtpd", "smtps"],
    ["postfix/10025/smtpd", "postfix/smtpd", "10025"],
    ["postfix", "postfix", undefined],
    ["postmap", "postfix/postmap", undefined],
  ];
  for (const [program, daemon, service] of cases)
    test(`${program} is ${daemon}`, () => {
      const read = parse(program, "4A1B2C3D4E: to=<a@b.example>, relay=none, delay=1, status=sent (x)");
      assert.equal(read.daemon, daemon);
      assert.equal(read.fields["service"], service);
      assert.equal(read.event, "delivery");
      assert.equal(read.queueId, "4A1B2C3D4E");
    });
});

suite("a queue id", () => {
  const id = (message: string) => parse("postfix/qmgr", message).queueId;
  for (const text of ["4A1B2C3D4E", "3Zb2kz1Q9vzXyz", "7E1AEC2C388XXXX", "123456"])
    test(`may be ${text}`, () => assert.equal(id(`${text}: removed`), text));
  for (const text of ["NOQUEUE", "warning", "mail_queue_enter", "h2.example", "192.0.2.9", "PASS"])
    test(`is not ${text}`, () => assert.equal(id(`${text}: removed`), undefined));
});

suite("a shape", () => {
  const shape = (line: string) => parse("postfix/smtp", line).shape;
  const record = (text: string) =>
    `4A1B2C3D4E: to=<a@b.example>, relay=mx[192.0.2.7]:25, conn_use=3, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host mx[192.0.2.7] said: 450-4.2.0 ${text} (in reply to RCPT TO command))`;
  test("keeps the codes of another server and not its prose", () => {
    assert.equal(shape(record("come back")), shape(record("later, please")));
    assert.match(shape(record("x")), /said: 450-4\.2\.0\)$/);
  });
  test("holds no password", () => {
    const read = parse("dovecot", "auth: sql(bob,192.0.2.9): Password mismatch (given password: hunter2)");
    assert.doesNotMatch(JSON.stringify(read), /hunter2/);
  });
  test("leaves out what a client typed", () =>
    assert.equal(
      parse("postfix/postscreen", "PREGREET 14 after 0 from [192.0.2.9]:1: EHLO evil\\r\\n").shape,
      "PREGREET 14 after 0 from [192.0.2.9]:1",
    ));
});

suite("any text at all", () => {
  const programs = [
    "postfix/smtpd",
    "postfix/smtp",
    "postfix/cleanup",
    "postfix/qmgr",
    "postfix/postscreen",
    "dovecot",
    "opendkim",
    "opendmarc",
    "spamd",
    "sshd",
    "x",
  ];
  const words = fc.constantFrom(
    "NOQUEUE: ",
    "reject: ",
    "RCPT from ",
    "a[1]",
    ": ",
    "550 5.1.1 ",
    "; from=<",
    "> to=<",
    "to=<",
    ", status=",
    "sent (",
    "imap(",
    ")<",
    "auth: ",
    "user=<",
    "4A1B2C3D4E: ",
    "\u0000",
    "<",
    ">",
    "warning: ",
    "constructor",
  );
  test("gives a known event and capped fields", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...programs),
        fc.array(fc.oneof(words, fc.string({ maxLength: 600 })), { maxLength: 12 }),
        (program, parts) => {
          const read = parse(program, parts.join(""));
          assert.ok(EVENTS.includes(read.event));
          for (const value of Object.values(read.fields))
            assert.ok(typeof value === "number" ? Number.isFinite(value) : value.length <= MAX_FIELD);
        },
      ),
      { seed: 1, numRuns: 500 },
    ));
  test("costs little, however long it is", () => {
    for (const program of programs)
      for (const piece of ["<", "a[", "to=<", "(", "a@", ", ", "user=<", " from "]) {
        const start = process.cpuUsage().user;
        parse(program, `4A1B2C3D4E: reject: RCPT from ${piece.repeat(8192 / piece.length)}`);
        parse(program, `imap(${piece.repeat(8192 / piece.length)}`);
        assert.ok(process.cpuUsage().user - start < 100_000, `${program} ${piece}`);
      }
  });
});

test("docs/events.md lists every event, in order", () => {
  const listed = [...readFileSync("docs/events.md", "utf8").matchAll(/^\| `([a-z_]+)` \|/gm)].map(
    (m) => m[1],
  );
  assert.deepEqual(listed, [...EVENTS]);
});
