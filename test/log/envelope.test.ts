import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

const UTC = new Zone("UTC");
const read = (text: string, zone = UTC) => parseEnvelope(text, new LogClock(zone, 2026));
/** Time, host, program, pid and message of a line, the time as ISO. */
function parts(text: string): unknown[] {
  const e = read(text);
  return [e.time === null ? null : new Date(e.time).toISOString(), e.host, e.program, e.pid, e.message];
}
const T = "2026-01-27T06:36:56.000Z";

suite("the head of a line", () => {
  const cases: [string, string, unknown[]][] = [
    [
      "RFC 3164",
      "Jan 27 06:36:56 mail postfix/smtpd[27800]: connect from x",
      [T, "mail", "postfix/smtpd", 27800, "connect from x"],
    ],
    [
      "two blanks before the day",
      "Jan  7 06:36:56 mail dovecot: auth: x",
      ["2026-01-07T06:36:56.000Z", "mail", "dovecot", undefined, "auth: x"],
    ],
    [
      "one blank before a one-digit day",
      "Jan 7 06:36:56 mail a: b",
      ["2026-01-07T06:36:56.000Z", "mail", "a", undefined, "b"],
    ],
    [
      "a day with a leading zero",
      "Oct 03 06:36:56 mail a: b",
      ["2026-10-03T06:36:56.000Z", "mail", "a", undefined, "b"],
    ],
    ["no host", "Jan 27 06:36:56 postfix/smtpd[1]: b", [T, "", "postfix/smtpd", 1, "b"]],
    [
      "no host and no pid",
      "Jan 27 06:36:56 imap-login: Info: x",
      [T, "", "imap-login", undefined, "Info: x"],
    ],
    ["<PRI>", "<22>Jan 27 06:36:56 mail a[2]: b", [T, "mail", "a", 2, "b"]],
    ["syslogd -v", "Jan 27 06:36:56 <mail.info> mail a[2]: b", [T, "mail", "a", 2, "b"]],
    [
      "a tag with slashes",
      "Jan 27 06:36:56 mail postfix/submission/smtpd[9]: b",
      [T, "mail", "postfix/submission/smtpd", 9, "b"],
    ],
    [
      "a tag with parentheses",
      "Jan 27 06:36:56 mail sshd(pam_unix)[9]: b",
      [T, "mail", "sshd(pam_unix)", 9, "b"],
    ],
    [
      "no blank after the colon",
      "Jan 27 06:36:56 mail postfix/smtpd[9]:b",
      [T, "mail", "postfix/smtpd", 9, "b"],
    ],
    ["a pid that is no number", "Jan 27 06:36:56 mail amavis[a-1]: b", [T, "mail", "amavis", undefined, "b"]],
    ["an empty message", "Jan 27 06:36:56 mail a[3]:", [T, "mail", "a", 3, ""]],
    ["Solaris", "Jan 27 06:36:56 mail sendmail[9]: [ID 197553 mail.info] b", [T, "mail", "sendmail", 9, "b"]],
    ["an IPv6 address as host", "Jan 27 06:36:56 fe80::1 a[3]: b", [T, "fe80::1", "a", 3, "b"]],
    [
      "no tag",
      "Jan 27 06:36:56 mail last message repeated 2 times",
      [T, "mail", "", undefined, "last message repeated 2 times"],
    ],
    [
      "year first",
      "2026 Jan 27 06:36:56.123 mail a[3]: b",
      ["2026-01-27T06:36:56.123Z", "mail", "a", 3, "b"],
    ],
    [
      "year after the day",
      "Jan 27 2025 06:36:56 mail a[3]: b",
      ["2025-01-27T06:36:56.000Z", "mail", "a", 3, "b"],
    ],
    [
      "RFC 3339 with microseconds",
      "2020-01-30T06:26:05.404714+09:00 mail a[3]: b",
      ["2020-01-29T21:26:05.404Z", "mail", "a", 3, "b"],
    ],
    [
      "RFC 3339 in UTC",
      "2020-01-30T06:26:05Z mail a[3]: b",
      ["2020-01-30T06:26:05.000Z", "mail", "a", 3, "b"],
    ],
    [
      "an offset west, without colon",
      "2020-01-30T06:26:05-0330 mail a[3]: b",
      ["2020-01-30T09:56:05.000Z", "mail", "a", 3, "b"],
    ],
    [
      "a blank for the T",
      "2020-01-30 06:26:05,250 mail a[3]: b",
      ["2020-01-30T06:26:05.250Z", "mail", "a", 3, "b"],
    ],
    [
      "a blank for the T, no host",
      "2020-01-30 06:26:05 +0100 1abc-00 <= x",
      ["2020-01-30T05:26:05.000Z", "", "", undefined, "1abc-00 <= x"],
    ],
    [
      "RFC 5424",
      "<22>1 2020-01-30T06:26:05Z mail postfix/smtpd 77 ID1 - hello",
      ["2020-01-30T06:26:05.000Z", "mail", "postfix/smtpd", 77, "hello"],
    ],
    [
      "RFC 5424 with data",
      '<22>1 2020-01-30T06:26:05Z - a - - [x@1 k="v\\"] "][y] \ufeffhi',
      ["2020-01-30T06:26:05.000Z", "", "a", undefined, "hi"],
    ],
    ["RFC 5424 without time", "<22>1 - mail a 7 - - hi", [null, "mail", "a", 7, "hi"]],
    [
      "NULs and a byte order mark before it",
      "\ufeff\0\0Jan 27 06:36:56 mail a[3]: b",
      [T, "mail", "a", 3, "b"],
    ],
    ["a leap second", "Jan 27 23:59:60 mail a[3]: b", ["2026-01-28T00:00:00.000Z", "mail", "a", 3, "b"]],
  ];
  for (const [name, line, expected] of cases)
    test(`is read: ${name}`, () => assert.deepEqual(parts(line), expected));

  const bad = [
    "",
    " ",
    "hello",
    "Jan",
    "Jan 27",
    "Jan 32 06:36:56 m a: b",
    "Foo 27 06:36:56 m a: b",
    "Jan 27 24:00:00 m a: b",
    "Feb 29 06:36:56 m a: b",
    "2026-13-01T00:00:00Z m a: b",
    "2026-02-30T00:00:00Z m a: b",
    "Jan 27 06:36 m a: b",
    "<999999>Jan 27 06:36:56 m",
    "0000-01-01T00:00:00Z x",
  ];
  for (const line of bad)
    test(`is bad, and the line its message: "${line}"`, () =>
      assert.deepEqual(parts(line), [null, "", "", undefined, line]));

  test("never throws, and its message is the line's end", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "Jan 27 06:36:56 ",
        "2026-01-27T06:36:56Z ",
        "<1>",
        "1 ",
        "- ",
        "mail ",
        "a[1]: ",
        "[",
        "]",
        "[x ",
        '"',
        "\\",
        "\0",
        "99999999999999999999999",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const line = pieces.join("");
        const e = read(line);
        assert.ok(line.endsWith(e.message));
        assert.ok(e.time === null || Number.isInteger(e.time));
        assert.ok(e.pid === undefined || Number.isSafeInteger(e.pid));
      }),
      { numRuns: 2000 },
    );
  });
});

suite("years of RFC 3164", () => {
  const days = (year: number | undefined, ...stamps: string[]): (string | null)[] => {
    const clock = new LogClock(UTC, year);
    return stamps.map((stamp) => {
      const { time } = parseEnvelope(`${stamp} mail a: b`, clock);
      return time === null ? null : new Date(time).toISOString().slice(0, 10);
    });
  };
  test("turn with the calendar", () =>
    assert.deepEqual(days(2025, "Dec 31 23:59:59", "Jan  1 00:00:00", "Jan  1 00:00:01"), [
      "2025-12-31",
      "2026-01-01",
      "2026-01-01",
    ]));
  test("don't turn at a step back of days", () =>
    assert.deepEqual(days(2025, "Jul 10 00:00:00", "Jul  7 00:00:00"), ["2025-07-10", "2025-07-07"]));
  test("step back for a late line of December", () =>
    assert.deepEqual(days(2025, "Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01"), [
      "2025-12-31",
      "2026-01-01",
      "2025-12-31",
      "2026-01-01",
    ]));
  test("turn twice in two years", () =>
    assert.deepEqual(
      days(
        2023,
        "Nov 1 00:00:00",
        "Feb 28 00:00:00",
        "Feb 29 00:00:00",
        "Jul 1 00:00:00",
        "Dec 1 00:00:00",
        "Jan 3 00:00:00",
      ),
      ["2023-11-01", "2024-02-28", "2024-02-29", "2024-07-01", "2024-12-01", "2025-01-03"],
    ));
  test("give no time to a day that the year lacks", () =>
    assert.deepEqual(days(2025, "Feb 28 00:00:00", "Feb 29 00:00:00", "Mar  1 00:00:00"), [
      "2025-02-28",
      null,
      "2025-03-01",
    ]));
  test("are taken from lines that name one", () =>
    assert.deepEqual(days(undefined, "Jan  1 00:00:00", "2019-12-31T23:00:00Z", "Jan  1 00:00:00"), [
      null,
      "2019-12-31",
      "2020-01-01",
    ]));
  test("are not taken from a single line of another time, but from two", () => {
    const clock = new LogClock(UTC, 2026);
    const year = (line: string): number => new Date(parseEnvelope(line, clock).time!).getUTCFullYear();
    assert.deepEqual(
      [
        "1999-03-02 09:44:33 old",
        "Jan 27 06:36:56 mx a: b",
        "1999-03-02 09:44:33 old",
        "Jan 27 06:36:57 mx a: b",
        "2030-01-27T06:00:00Z mx a: b",
        "2030-01-27T06:00:01Z mx a: b",
        "Jan 27 06:36:58 mx a: b",
      ].map(year),
      [1999, 2026, 1999, 2026, 2030, 2030, 2030],
    );
  });
});
