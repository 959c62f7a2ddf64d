import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { HeadReader } from "../../src/log/fast-head.ts";
import { Interner } from "../../src/log/intern.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

const zone = new Zone("Europe/Berlin");
const clock = (): LogClock => new LogClock(zone, 2026);

/** A line as the fast way reads it; undefined when it leaves the line to parseEnvelope. */
function fast(reader: HeadReader, text: string): unknown {
  const bytes = Buffer.from(`xx${text}yy`);
  if (!reader.read(bytes, 2, bytes.length - 2)) return undefined;
  return {
    time: reader.time,
    host: reader.host,
    program: reader.program.text,
    pid: reader.pid < 0 ? undefined : reader.pid,
    message: bytes.toString("utf8", reader.messageAt, bytes.length - 2),
  };
}

suite("the fast way to read a head", () => {
  const taken = [
    "Jan 27 06:36:56 mx postfix/smtpd[25160]: connect from x[192.0.2.1]",
    "Jan  7 06:36:56 mx.example dovecot: imap-login: Login",
    "Oct 25 02:30:00 mx a[1]: twice that night",
    "2026-01-27T06:36:56.123456+01:00 mx postfix-out/submission/smtpd[9]: x",
    "2026-01-27T06:36:56Z mx a: ",
    "2026-03-29T02:30:00-09:30 mx a: ß€",
  ];
  for (const line of taken)
    test(`takes ${line}`, () =>
      assert.deepEqual(fast(new HeadReader(clock()), line), parseEnvelope(line, clock())));

  const left = [
    "Jan 27 06:36:56 imap-login: Info: no host",
    "Feb 30 06:36:56 mx a[1]: no such day",
    "Jan 27 24:00:00 mx a[1]: no such hour",
    "Jan 27 06:36:56 mx a[x]: no number",
    "Jan 27 06:36:56 mx a[1]:no blank",
    "Jan 27 06:36:56 mx a[1]: <13>Jan 27 06:36:56 inner b[2]: wrapped",
    "Jan 27 06:36:56 mx a[1]: Jan 27 06:36:56 inner b[2]: wrapped",
    "Jan 27 06:36:56 mx a[1]: 2026-01-27T06:36:56Z inner b[2]: wrapped",
    "Jan 27 06:36:56 fe80::1 a[1]: odd host",
    "2026-01-27 06:36:56 mx a[1]: blank for T",
    "2026-01-27T06:36:56 mx a[1]: no zone",
    "2026-13-27T06:36:56Z mx a[1]: no such month",
    "Jan 27 06:36:56",
    "",
  ];
  for (const line of left)
    test(`leaves ${line || "nothing"}`, () => assert.equal(fast(new HeadReader(clock()), line), undefined));

  test("gives what parseEnvelope gives, line after line", () => {
    const piece = (...values: string[]) => fc.constantFrom(...values);
    const two = fc.integer({ min: 0, max: 24 }).map((n) => String(n).padStart(2, "0"));
    const stamp = fc.oneof(
      fc
        .tuple(
          piece("Jan", "Mar", "Oct", "Dec", "jan"),
          piece("  1", " 29", " 31", " 01", " x1"),
          two,
          two,
          two,
        )
        .map(([month, day, h, m, s]) => `${month}${day} ${h}:${m}:${s}`),
      fc
        .tuple(
          piece("2026", "2025", "0000"),
          piece("03-29", "10-25", "02-30"),
          two,
          two,
          piece("", ".5", ".123456", "."),
          piece("Z", "+01:00", "-12:30", "+25:00", ""),
        )
        .map(([year, day, h, m, fraction, offset]) => `${year}-${day}T${h}:${m}:07${fraction}${offset}`),
    );
    const line = fc
      .tuple(
        stamp,
        piece(" mx ", " mx.example ", " ", " a: ", " [1] ", " stdout ", " 192.0.2.1 "),
        piece(
          "postfix/smtpd",
          "dovecot",
          "exim",
          "docker",
          "0123456789ab",
          "a b",
          "x".repeat(130),
          "",
          "Jan",
        ),
        piece("[12]: ", ": ", "[]: ", "[123456789]: ", "[1234567890]: ", ":", "[1] ", ""),
        piece(
          "connect",
          "4A1B2C3D4E: removed",
          "2026-01-01 x",
          "{}",
          "[ID 1 mail.info] x",
          "Out of memory",
          "",
          "12 x",
          "1.2.3.4: x",
        ),
      )
      .map((parts) => parts.join(""));
    let read = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
        const ours = clock();
        const reader = new HeadReader(ours);
        const theirs = clock();
        for (const text of lines) {
          const got = fast(reader, text);
          if (got === undefined) {
            parseEnvelope(text, ours);
            reader.forget();
          } else read++;
          const want = parseEnvelope(text, theirs);
          if (got !== undefined) assert.deepEqual(got, want);
        }
      }),
      { numRuns: 4000, seed: 1 },
    );
    assert.ok(read > 400, `only ${read} lines went the fast way`);
  });
});

suite("interned names", () => {
  test("are one string and one number each", () => {
    const interner = new Interner(16);
    const of = (name: string) => interner.of(Buffer.from(name), 0, name.length);
    const first = of("mx1");
    of("mx2");
    assert.equal(of("mx1"), first);
    assert.deepEqual([first?.text, first?.id, of("mx2")?.id], ["mx1", 1, 2]);
  });
  test("leave no more room than they were given", () => {
    const interner = new Interner(16);
    let kept = 0;
    for (let i = 0; i < 1000; i++) if (interner.of(Buffer.from(`host${i}`), 0, 4 + String(i).length)) kept++;
    assert.ok(kept >= 4 && kept <= 9, `${kept} of 16`);
  });
});
