import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseEnvelope, readLineStamp } from "../../src/log/envelope.ts";
import { newStamp } from "../../src/log/stamp.ts";
import { LogClock } from "../../src/log/year.ts";
import { civilFromDays, daysFromCivil, Zone } from "../../src/log/zone.ts";

const UTC = new Zone("UTC");
const read = (text: string, year = 2026) => parseEnvelope(text, new LogClock(UTC, year));
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");

/** A time of the years 2002 to 2037 at a full millisecond. */
const instants = fc
  .integer({ min: 1_020_000_000, max: 2_145_000_000 })
  .chain((s) => fc.nat(999).map((ms) => s * 1000 + ms));

/** One time in each form, and how exact the form is, in milliseconds. */
function forms(ms: number): [string, number][] {
  const d = new Date(ms);
  const iso = d.toISOString();
  const [date, clock] = [iso.slice(0, 10), iso.slice(11, 19)];
  const [y, m, day] = date.split("-") as [string, string, string];
  const month = MONTHS[d.getUTCMonth()]!;
  const blank = String(d.getUTCDate()).padStart(2, " ");
  const weekday = d.toUTCString().slice(0, 3);
  const east = new Date(ms + 5.5 * 3_600_000).toISOString();
  return [
    [`${month} ${blank} ${clock} mx a[3]: b`, 1000],
    [`<22>${month} ${two(d.getUTCDate())} ${clock} mx a[3]: b`, 1000],
    [`${y} ${month} ${day} ${iso.slice(11, 23)} mx a[3]: b`, 1],
    [`${month} ${blank} ${y} ${clock} mx a[3]: b`, 1000],
    [`${iso} mx a[3]: b`, 1],
    [`${east.slice(0, 23)}456+05:30 mx a[3]: b`, 1],
    [`<22>1 ${iso} mx a 3 - - b`, 1],
    [`${date} ${clock},${iso.slice(20, 23)} mx a[3]: b`, 1],
    [`mail-1  | ${month} ${blank} ${clock} mx a[3]: b`, 1000],
    [`${iso.slice(0, 23)}000000Z stdout F ${month} ${blank} 00:00:00 mx a[3]: b`, 1],
    [
      JSON.stringify({
        __REALTIME_TIMESTAMP: `${ms}000`,
        SYSLOG_IDENTIFIER: "a",
        _PID: "3",
        _HOSTNAME: "mx",
        MESSAGE: "b",
      }),
      1,
    ],
    [JSON.stringify({ log: `${month} ${blank} 00:00:00 mx a[3]: b\n`, stream: "stdout", time: iso }), 1],
    [
      `@4${(Math.floor(ms / 1000) + 10).toString(16).padStart(15, "0")}${((ms % 1000) * 1e6).toString(16).padStart(8, "0")} a[3]: b`,
      1,
    ],
    [`${ms} mx a[3]: b`, 1],
    [`${Math.floor(ms / 1000)}.${iso.slice(20, 23)} mx a[3]: b`, 1],
    [`[${weekday} ${month} ${blank} ${clock} ${y}] mx a[3]: b`, 1000],
    [`${weekday}, ${day} ${month} ${y} ${clock} GMT mx a[3]: b`, 1000],
    [`[${day}/${month}/${y}:${clock} +0000] mx a[3]: b`, 1000],
    [`${day}-${month}-${y} ${iso.slice(11, 23)} mx a[3]: b`, 1],
    [`${y.slice(2)}${m}${day} ${clock.replaceAll(":", "")} mx a[3]: b`, 1000],
    [`${y}${m}${day} ${clock.replaceAll(":", "")} mx a[3]: b`, 1000],
    [`${y}/${m}/${day} ${clock} mx a[3]: b`, 1000],
    [`${y.slice(2)}/${m}/${day} ${clock} mx a[3]: b`, 1000],
    [`${month}-${day}-${y.slice(2)} ${clock} mx a[3]: b`, 1000],
  ];
}

suite("a time in every form", () => {
  test("is read back, with host, program, pid and message", () =>
    fc.assert(
      fc.property(instants, (ms) => {
        for (const [line, exact] of forms(ms)) {
          const e = read(line, new Date(ms).getUTCFullYear());
          assert.equal(e.time, Math.floor(ms / exact) * exact, line);
          assert.deepEqual([e.program, e.pid, e.message], ["a", 3, "b"], line);
          if (!line.startsWith("@")) assert.equal(e.host, "mx", line);
        }
      }),
      { numRuns: 300 },
    ));
  test("means the same whatever the process' zone", () => {
    const before = process.env.TZ;
    const all = (): (number | null)[] => forms(1_769_495_816_123).map(([line]) => read(line).time);
    const utc = all();
    try {
      for (const zone of ["Asia/Kathmandu", "America/New_York", "Pacific/Chatham"]) {
        process.env.TZ = zone;
        assert.deepEqual(all(), utc);
      }
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });
  test("orders files as it times lines", () =>
    fc.assert(
      fc.property(instants, (ms) => {
        const stamp = newStamp();
        const clock = new LogClock(UTC, new Date(ms).getUTCFullYear());
        for (const [line, exact] of forms(ms)) {
          assert.ok(readLineStamp(line, stamp));
          // a wrapper's time may be finer than that of the line inside, never another
          assert.equal(Math.floor(clock.settle(stamp)! / exact), Math.floor(ms / exact), line);
        }
      }),
      { numRuns: 50 },
    ));
  test("survives a mutation without a throw, and the message is of the line or shorter", () =>
    fc.assert(
      fc.property(
        instants,
        fc.nat(1000),
        fc.nat(60),
        fc.string({ unit: "binary", maxLength: 3 }),
        (ms, pick, at, junk) => {
          const all = forms(ms);
          const line = all[pick % all.length]![0];
          for (const mutant of [
            line.slice(0, at) + junk + line.slice(at),
            line.slice(0, at) + junk + line.slice(at + 1),
            line.slice(at),
          ]) {
            const e = read(mutant);
            assert.ok(e.time === null || Number.isSafeInteger(e.time));
            assert.ok(e.pid === undefined || Number.isSafeInteger(e.pid));
            assert.ok(e.message.length <= mutant.length);
            if (e.time === null && !mutant.includes("1 -")) assert.ok(mutant.endsWith(e.message));
          }
        },
      ),
      { numRuns: 3000 },
    ));
  test("is read the same by the short way and the long one, which a <PRI> takes", () => {
    const times = [
      "Jan 27 06:36:56",
      "Jan  7 06:36:56",
      "2026-01-27T06:36:56Z",
      "2026-01-27T06:36:56.000000000Z",
      "2026-01-27 06:36:56",
      "Feb 30 06:36:56",
    ];
    const pieces = [
      ...[
        "mx",
        "MX",
        "stdout F",
        "INFO",
        "10.0.0.1",
        "fe80::1",
        "lmtp(u@x)<1>:",
        "mx:",
        "UTC",
        "2026",
        "mail:info",
        "<mail.info>",
      ],
      ...[
        "a[3]:",
        "a:",
        "a[x]:",
        "[a][3]:",
        "a",
        "exim[3]:",
        "docker/m[3]:",
        "postfix/smtpd[3]:b",
        "Info:",
        "auth-worker(1):",
        "[3]:",
      ],
      ...[
        "b",
        "",
        "[ID 1 mail.info]",
        "[9]",
        "Jan 27 06:36:50",
        "2026-01-27 06:36:50",
        "1vkABC-0001xY-2Z",
        "Error: x",
        '{"a":1}',
        "stdout",
        "#1(n)",
      ],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...times),
        fc.array(fc.constantFrom(...pieces), { maxLength: 6 }),
        fc.constantFrom(" ", "  "),
        (time, words, gap) => {
          const line = [time, ...words].join(gap);
          const { severity: _, ...long } = read(`<13>${line}`);
          const { severity: __, ...short } = read(line);
          if (long.time === null) assert.equal(short.time, null);
          else assert.deepEqual(short, long, line);
        },
      ),
      { numRuns: 5000 },
    );
  });
  test("days count both ways", () =>
    fc.assert(
      fc.property(fc.integer({ min: -719_000, max: 2_900_000 }), (days) => {
        const [y, m, d] = civilFromDays(days);
        assert.equal(daysFromCivil(y, m, d), days);
        assert.ok(m >= 0 && m <= 11 && d >= 1 && d <= 31);
      }),
    ));
});

suite("a hostile line of 8 KiB", () => {
  const fill = (unit: string): string => unit.repeat(Math.ceil(8192 / unit.length)).slice(0, 8192);
  const units = [
    ..."[{<(\"'1 :a|=#@\\-",
    "1 ",
    "a ",
    "a=",
    "[ ",
    "[a] ",
    "| a ",
    "a| ",
    '{"a":',
    '{"log":"',
    '"\\"',
    "Jan 27 06:36:56 ",
    "2026-01-27 06:36:56 ",
    "<22>",
    "<22>1 - ",
    "1769495816 ",
    "(a)<b>",
    "msg=audit(",
    "ä",
    "2026/",
    "12/",
    "\u0000",
    "\ufeff",
    "\u001b[1m",
  ];
  const starts = [
    "",
    "{",
    '{"MESSAGE":"',
    '{"a":[',
    "[",
    "Jan 27 06:36:56 ",
    "2026-01-27 06:36:56 ",
    "2026-01-27T06:36:56Z ",
    "<22>1 2026-01-27T06:36:56Z a b - - [",
    "mail-1 | ",
    "#1(",
    "@4",
  ];
  test("costs less than five milliseconds", () => {
    for (const start of starts)
      for (const unit of units) {
        const line = (start + fill(unit)).slice(0, 8192);
        let least = Number.POSITIVE_INFINITY;
        for (let i = 0; i < 3 && least > 5; i++) {
          const from = process.cpuUsage();
          read(line);
          const { user, system } = process.cpuUsage(from);
          least = Math.min(least, (user + system) / 1000);
        }
        assert.ok(least < 5, `${JSON.stringify(start)} ${JSON.stringify(unit)}: ${least} ms`);
      }
  });
});
