import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Envelope, parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

const read = (text: string, zone = "UTC"): Envelope =>
  parseEnvelope(text, new LogClock(new Zone(zone), 2026));
/** Time (as ISO, to the second or millisecond), host, program, pid, message. */
type Expected = [string | null, string, string, number | undefined, string];
function parts(e: Envelope): Expected {
  const time = e.time === null ? null : new Date(e.time).toISOString().replace(".000Z", "Z");
  return [time, e.host, e.program, e.pid, e.message];
}

/** Lines of one family: the line, then what it says. */
function lines(cases: readonly (readonly [string, string, ...Expected])[]): void {
  for (const [name, line, ...expected] of cases)
    test(name, () => assert.deepEqual(parts(read(line)), expected));
}

const T = "2026-01-27T06:36:56Z";
const SMTPD = [T, "mx", "postfix/smtpd", 7, "connect from a.example[192.0.2.1]"] as const;
const LINE = "mx postfix/smtpd[7]: connect from a.example[192.0.2.1]";

suite("syslog lines", () => {
  lines([
    ["of BSD syslogd -v", `Jan 27 06:36:56 <mail.info> ${LINE}`, ...SMTPD],
    ["of BSD syslogd with numbers", `Jan 27 06:36:56 <2.6> ${LINE}`, ...SMTPD],
    [
      "of AIX, facility after the host",
      "Jan 27 06:36:56 mx mail:info postfix/smtpd[7]: x",
      T,
      "mx",
      "postfix/smtpd",
      7,
      "x",
    ],
    [
      "of AIX, forwarded",
      "Jan 27 06:36:56 relay mail:info Message forwarded from mx: postfix/smtpd[7]: x",
      T,
      "relay",
      "postfix/smtpd",
      7,
      "x",
    ],
    [
      "of Cisco with a colon",
      "Jan 27 06:36:56: %ASA-6-302013: Built",
      T,
      "",
      "%ASA-6-302013",
      undefined,
      "Built",
    ],
    ["with the zone's name", `Jan 27 06:36:56 UTC ${LINE}`, ...SMTPD],
    ["with a named zone that isn't UTC", `Jan 27 07:36:56 CET ${LINE}`, ...SMTPD],
    ["with an offset apart", `Jan 27 07:36:56 +0100 ${LINE}`, ...SMTPD],
    ["with the year behind the clock", `Jan 27 06:36:56 2026 ${LINE}`, ...SMTPD],
    [
      "with microseconds",
      `Jan 27 06:36:56.123456 ${LINE}`,
      "2026-01-27T06:36:56.123Z",
      ...SMTPD.slice(1),
    ] as never,
    ["inside a syslog line", `Jan 27 06:36:56 relay Jan 27 06:36:50 ${LINE}`, ...SMTPD],
    ["inside a syslog line, with its <PRI>", `Jan 27 06:36:56 relay <22>Jan 27 06:36:50 ${LINE}`, ...SMTPD],
    [
      "inside the line of a container's tag",
      `Jan 27 06:36:56 box docker/mail[99]: Jan 27 06:36:50 ${LINE}`,
      ...SMTPD,
    ],
    ["of journalctl -o short-full", `Tue 2026-01-27 06:36:56 UTC ${LINE}`, ...SMTPD],
    ["of journalctl -o short-unix", `1769495816.000000 ${LINE}`, ...SMTPD],
    ["of journalctl -o short-iso", `2026-01-27T07:36:56+0100 ${LINE}`, ...SMTPD],
    [
      "of Exim by syslog with ISO time",
      "2026-01-27 06:36:56 mx exim[9]: login authenticator failed for x",
      T,
      "mx",
      "exim",
      9,
      "login authenticator failed for x",
    ],
    [
      "of a program that logs what a stranger wrote",
      "Jan 27 06:36:56 web php[3]: Jan 27 06:36:50 mx postfix/smtpd[7]: forged",
      T,
      "web",
      "php",
      3,
      "Jan 27 06:36:50 mx postfix/smtpd[7]: forged",
    ],
    ["indented", `   Jan 27 06:36:56 ${LINE}`, ...SMTPD],
    ["of a host of digits", "Jan 27 06:36:56 10 a[3]: b", T, "10", "a", 3, "b"],
    ["with a tag in brackets", "Jan 27 06:36:56 mx [demo][3]: b", T, "mx", "demo", 3, "b"],
    ["with a padded pid", "Jan 27 06:36:56 sogod [3]: b", T, "", "sogod", 3, "b"],
    ["of the kernel", "Jan 27 06:36:56 mx kernel: [  97.6] x", T, "mx", "kernel", undefined, "[  97.6] x"],
    [
      "of a program that writes its own time",
      "2026-01-27T06:36:56Z db mysqld[5]: 2026-01-27  6:36:56 14 [Warning] x",
      T,
      "db",
      "mysqld",
      5,
      "2026-01-27  6:36:56 14 [Warning] x",
    ],
    ["of lower case RFC 3339", "2026-01-27t06:36:56z mx a[3]: b", T, "mx", "a", 3, "b"],
    ["with nanoseconds and offset", `2026-01-27T08:36:56.000000001+02:00 ${LINE}`, ...SMTPD],
    [
      "of RFC 5424 after an octet count",
      `93 <22>1 ${T} mx postfix/smtpd 7 - - connect`,
      T,
      "mx",
      "postfix/smtpd",
      7,
      "connect",
    ],
    ["of RFC 5424 of a later version", `<22>12 ${T} mx a 7 - - b`, T, "mx", "a", 7, "b"],
  ]);
  test("carry the severity of <PRI>", () => {
    assert.equal(read(`<20>Jan 27 06:36:56 ${LINE}`).severity, 4);
    assert.equal(read(`<22>1 ${T} mx a 7 - - b`).severity, 6);
    assert.equal("severity" in read(`Jan 27 06:36:56 ${LINE}`), false);
  });
});

suite("months", () => {
  const words: [string, string][] = [
    ["Mär", "03"],
    ["Mai", "05"],
    ["Okt", "10"],
    ["Dez", "12"],
    ["janv.", "01"],
    ["févr.", "02"],
    ["août", "08"],
    ["ene", "01"],
    ["dic", "12"],
    ["gen", "01"],
    ["mag", "05"],
    ["fev", "02"],
    ["mrt", "03"],
    ["maj", "05"],
    ["paź", "10"],
    ["led", "01"],
    ["ноя", "11"],
    ["3月", "03"],
    ["11월", "11"],
  ];
  for (const [word, month] of words)
    test(`are read in other languages: ${word}`, () =>
      assert.equal(parts(read(`${word} 27 06:36:56 ${LINE}`))[0], `2026-${month}-27T06:36:56Z`));
  test("that no language has are no time", () => assert.equal(read(`Foo 27 06:36:56 ${LINE}`).time, null));
});

suite("lines of containers", () => {
  const NANO = "2026-01-27T06:36:56.000000000Z";
  lines([
    ["have compose's prefix, version 1", `postfix_1    | Jan 27 06:36:56 ${LINE}`, ...SMTPD],
    ["have compose's prefix, version 2", `mail-server-1  | ${T} ${LINE}`, ...SMTPD],
    ["have a coloured prefix", `\u001b[36mmail_1 |\u001b[0m Jan 27 06:36:56 ${LINE}`, ...SMTPD],
    ["have docker's time before syslog's", `${NANO} Jan 27 07:36:50 ${LINE}`, ...SMTPD],
    [
      "have docker's time alone",
      `${NANO} Starting the service`,
      T,
      "",
      "",
      undefined,
      "Starting the service",
    ],
    ["have docker's time before a level", `${NANO} [  INFO  ]  Starting`, T, "", "", undefined, "Starting"],
    [
      "have docker's time before a tag",
      `${NANO} dovecot: master: x`,
      T,
      "",
      "dovecot",
      undefined,
      "master: x",
    ],
    ["come from kubelet", `${NANO} stdout F Jan 27 07:36:50 ${LINE}`, ...SMTPD],
    [
      "come from kubelet in parts",
      `${NANO} stderr P imap-login: Info: x`,
      T,
      "",
      "imap-login",
      undefined,
      "Info: x",
    ],
    ["come from kubelet without text", `${NANO} stdout F`, T, "", "", undefined, ""],
    ["come from kubectl with a prefix", `[pod/mail-0/postfix] Jan 27 06:36:56 ${LINE}`, ...SMTPD],
    ["come from stern", `mail-0 postfix Jan 27 06:36:56 ${LINE}`, ...SMTPD],
  ]);
  test("without a time inside have none", () =>
    assert.equal(read("mail-1  | postfix is starting").time, null));
});

suite("the daemons' own files", () => {
  lines([
    [
      "Dovecot",
      "Jan 27 06:36:56 imap-login: Info: Login: user=<a>",
      T,
      "",
      "imap-login",
      undefined,
      "Info: Login: user=<a>",
    ],
    [
      "Dovecot with ISO",
      "2026-01-27 06:36:56 pop3-login: Info: x",
      T,
      "",
      "pop3-login",
      undefined,
      "Info: x",
    ],
    [
      "Dovecot with user and session",
      "Jan 27 06:36:56 lmtp(u@b.example)<12><Ab+/c>: Info: saved",
      T,
      "",
      "dovecot",
      undefined,
      "lmtp(u@b.example)<12><Ab+/c>: Info: saved",
    ],
    [
      "Dovecot with a number",
      "Jan 27 06:36:56 auth-worker(22): Error: x",
      T,
      "",
      "dovecot",
      undefined,
      "auth-worker(22): Error: x",
    ],
    [
      "Dovecot 1",
      "Jan 27 06:36:56 Info: IMAP(u): Disconnected",
      T,
      "",
      "dovecot",
      undefined,
      "Info: IMAP(u): Disconnected",
    ],
    [
      "rspamd",
      "2026-01-27 06:36:56.5 #29(normal) <ab1>; task; rspamd_task_write_log: id: <x>",
      "2026-01-27T06:36:56.500Z",
      "",
      "rspamd",
      29,
      "<ab1>; task; rspamd_task_write_log: id: <x>",
    ],
    ["rspamd's console", "#81(fuzzy): Jan 27 06:36:56 rspamd fn: x", T, "", "rspamd", 81, "fn: x"],
    [
      "Exim",
      "2026-01-27 06:36:56 1vkABC-0001xY-2Z <= a@b.example H=x [192.0.2.1]",
      T,
      "",
      "exim",
      undefined,
      "1vkABC-0001xY-2Z <= a@b.example H=x [192.0.2.1]",
    ],
    [
      "Exim with milliseconds, zone and pid",
      "2026-01-27 07:36:56.120 +0100 [413] 1vkABC-0000000Ab1x-0123 Completed",
      "2026-01-27T06:36:56.120Z",
      "",
      "exim",
      413,
      "1vkABC-0000000Ab1x-0123 Completed",
    ],
    [
      "Exim without a message",
      "2026-01-27 06:36:56 [9] SMTP connection from [192.0.2.1] lost",
      T,
      "",
      "exim",
      9,
      "SMTP connection from [192.0.2.1] lost",
    ],
    [
      "Exim by syslog with its own time",
      "Jan 27 06:36:57 mx exim[9]: 2026-01-27 06:36:56 [9] Start queue run: pid=9",
      "2026-01-27T06:36:57Z",
      "mx",
      "exim",
      9,
      "Start queue run: pid=9",
    ],
    [
      "Exim whose syslog time was cut off",
      "mx exim[9]: 2026-01-27 06:36:56 plain authenticator failed for x",
      T,
      "mx",
      "exim",
      9,
      "plain authenticator failed for x",
    ],
    ["postlogd", `Jan 27 06:36:56 ${LINE}`, ...SMTPD],
    ["Solaris", "Jan 27 06:36:56 mx sendmail[9]: [ID 197553 mail.info] b", T, "mx", "sendmail", 9, "b"],
    [
      "multilog, TAI64N",
      "@4000000069785d1225bad040 imap-login: Info: x",
      "2026-01-27T06:36:56.633Z",
      "",
      "imap-login",
      undefined,
      "Info: x",
    ],
    ["TAI64", "@4000000069785d12 qmail: x", T, "", "qmail", undefined, "x"],
    [
      "audit",
      "type=USER_AUTH msg=audit(1769495816.415:9): pid=1",
      "2026-01-27T06:36:56.415Z",
      "",
      "audit",
      undefined,
      "type=USER_AUTH msg=audit(1769495816.415:9): pid=1",
    ],
  ]);
  test("an application's line with such a time is not Exim's", () =>
    assert.equal(read("2026-01-27 06:36:56 cache-000001-x refreshed").program, ""));
});

suite("other lines with a time at the head", () => {
  const plain = (
    line: string,
    time: string,
    program = "",
    pid?: number,
    message = "text",
  ): readonly [string, string, ...Expected] => [line, line, time, "", program, pid, message];
  lines([
    plain("1769495816 text", T),
    plain("1769495816.5 text", "2026-01-27T06:36:56.500Z"),
    plain("1769495816500 text", "2026-01-27T06:36:56.500Z"),
    plain("[1769495816] text", T),
    plain("[2026-01-27T06:36:56Z] text", T),
    plain("[2026-01-27 06:36:56,000] ERROR text", T),
    plain("[27/Jan/2026:07:36:56 +0100] text", T),
    plain("[27/Jan/2026 06:36:56] text", T),
    plain("[27-Jan-2026 08:36:56 +0200]: text", T),
    plain("[Tue Jan 27 06:36:56 2026] [error] text", T),
    plain(
      "[Tue Jan 27 06:36:56.123456 2026] [core:error] [pid 35:tid 43] text",
      "2026-01-27T06:36:56.123Z",
      "",
      35,
    ),
    plain("[PST Jan 26 22:36:56] error    : text", T),
    plain("Tue Jan 27 06:36:56 2026 text", T),
    plain("Tue Jan 27 06:36:56 2026 -> Self: text", T, "", undefined, "-> Self: text"),
    plain("Jan 27, 2026 @ 06:36:56.000 text", T),
    plain("Tue, 27 Jan 2026 07:36:56 +0100 text", T),
    plain("27-Jan-2026 06:36:56.000 text", T),
    plain("27 Jan 2026 06:36:56 text", T),
    plain("Jan-27-26 06:36:56 text", T),
    plain("Jan 27, 2026 6:36:56 AM text", T),
    plain("260127 063656 148 INFO dfs.DataNode$Packet: text", T, "dfs.DataNode$Packet", 148),
    plain("260127  6:36:56 [Warning] text", T),
    plain("20260127 063656 text", T),
    plain("20260127T063656Z text", T),
    plain("20260127063656 text", T),
    plain("20260127-6:36:56:0|text", T),
    plain("26/01/27 06:36:56 INFO executor.Backend: text", T, "executor.Backend"),
    plain("2026/01/27 06:36:56 [error] text", T),
    plain("2026.01.27 06:36:56 text", T),
    plain("2026:01:27-06:36:56: text", T),
    plain("2026-01-27-06.36.56.000 text", T),
    plain("2026-01-27  6:36:56 text", T),
    plain("01/27/2026 06:36:56 text", T),
    plain("01/27/2026 06:36:56 AM text", T),
    plain("27/01/2026 06:36:56 text", T),
    plain("27-01-2026 06:36:56 text", T),
    plain("27.01.2026 06:36:56 text", T),
    plain("01-27 06:36:56.000  1702  2395 D Manager: text", T, "Manager", 1702),
    plain("I0127 06:36:56.000000 text", T),
    plain("2026-01-27 06:36:56,000 INFO [main] org.x.Y: text", T, "org.x.Y"),
    plain("2026-01-27 06:36:56.000 [main] INFO  org.x.Y - text", T, "org.x.Y"),
    plain("2026-01-27 06:36:56, Info                  CBS    text", T, "CBS"),
    plain("2026-01-27T06:36:56Z ERROR text", T),
    plain("api.log.1 2026-01-27 06:36:56.000 25 INFO nova.wsgi [req-1] x", T, "nova.wsgi", 25, "[req-1] x"),
    plain("INFO 2026-01-27 06:36:56,000 text", T),
    plain(
      "2026-01-27 06:36:56,000 - INFO  [Peer[id=1]:Fast@7] - text",
      T,
      "",
      undefined,
      "[Peer[id=1]:Fast@7] - text",
    ),
    plain("[01.27 06:36:56] text", T),
    plain("- 1769495816 text", T),
    plain("134 node-2 unix.hw 1769495816 1 text", T, "", undefined, "node-2 unix.hw 1769495816 1 text"),
    plain('192.0.2.1 - u [27/Jan/2026:06:36:56 +0000] "GET /"', T, "", undefined, '192.0.2.1 - u "GET /"'),
    plain(
      'time="2026-01-27T06:36:56Z" level=info',
      T,
      "",
      undefined,
      'time="2026-01-27T06:36:56Z" level=info',
    ),
    plain("ts=2026-01-27T06:36:56Z level=info", T, "", undefined, "ts=2026-01-27T06:36:56Z level=info"),
    plain(
      '<co ts="2026-01-27T06:36:56.00" pi="x"/>',
      T,
      "",
      undefined,
      'ts="2026-01-27T06:36:56.00" pi="x"/>',
    ),
    plain('"2026-01-27 06:36:56",text', T),
  ]);
  test("carry the level as a severity", () => {
    assert.equal(read("[Tue Jan 27 06:36:56 2026] [error] text").severity, 3);
    assert.equal(read("2026-01-27 06:36:56,000 WARN a.B: text").severity, 4);
  });
  test("a word of prose is no level", () =>
    assert.equal(read("2026/01/27 06:36:56 error opening x").message, "error opening x"));
});

suite("lines without a readable time", () => {
  for (const line of [
    "srv sshd[13]: error: PAM: x",
    "postfix/smtpd[7]: connect",
    "SPF pass (Mechanism 'ip4:10.0.0.2/22' matched): Envelope-from: foo@example.com",
    "\tTue, 27 Jan 2026 06:36:56 +0000",
    "    Date: 2026-01-27 06:36:56",
    "Date: Tue, 27 Jan 2026 06:36:56 +0000",
    "  at 2026-01-27 06:36:56 in x",
    "192.0.2.1",
    "06:36:56 text",
    "12345 text",
    "9999999999 text",
    "{}",
    '{"a":1}',
    "{not json",
    "@4000 x",
    "@4000000069785d1225c17d0g x",
    "[  970.699396] usb 1-1: new device",
    "[Jan 32 06:36:56] x",
    "31/Feb/2026 06:36:56 x",
    "260230 063656 x",
    "2026-01-27T06:36:56+25:00 m a: b",
    "2026-01-27T06:36:60Z m a: b",
    "2026-01-27T24:00:00Z m a: b",
    "Jan 27 06:36:60 m a: b",
    "2026-02-29 06:36:56 m a: b",
    "1 2 3",
    "1 - of all the words",
    "1234567890: from=<a@b.example>, size=1",
    "Started at 2026-01-27 06:36:56 by hand",
    "statistics: max cache size 1 at Jan 27 06:36:56",
  ])
    test(`are messages: ${line}`, () => assert.deepEqual(parts(read(line)), [null, "", "", undefined, line]));
});
