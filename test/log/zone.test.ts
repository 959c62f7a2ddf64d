import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { readLineStamp } from "../../src/log/envelope.ts";
import { newStamp } from "../../src/log/stamp.ts";
import { YearCounter } from "../../src/log/year.ts";
import { daysFromCivil, Zone } from "../../src/log/zone.ts";

const iso = (ms: number): string => new Date(ms).toISOString();
/** The instant of a wall clock time, written as ISO without zone. */
const instant = (zone: Zone, local: string, previous = Number.NaN): string =>
  iso(zone.toUtc(Date.parse(`${local}Z`), previous));

suite("local time", () => {
  const berlin = new Zone("Europe/Berlin");
  test("has the winter and the summer offset", () => {
    assert.equal(instant(berlin, "2026-01-15T12:00:00"), "2026-01-15T11:00:00.000Z");
    assert.equal(instant(berlin, "2026-07-15T12:00:00"), "2026-07-15T10:00:00.000Z");
  });
  test("changes at the hour that the law says", () => {
    assert.equal(instant(berlin, "2026-03-29T01:59:59"), "2026-03-29T00:59:59.000Z");
    assert.equal(instant(berlin, "2026-03-29T03:00:00"), "2026-03-29T01:00:00.000Z");
    assert.equal(instant(berlin, "2026-10-25T03:00:00"), "2026-10-25T02:00:00.000Z");
  });
  test("that the clock skipped counts on from before the gap", () =>
    assert.equal(instant(berlin, "2026-03-29T02:30:00"), "2026-03-29T01:30:00.000Z"));
  test("shown twice is the first run, then the second once time would go back", () => {
    const first = Date.parse("2026-10-25T00:59:59Z");
    assert.equal(instant(berlin, "2026-10-25T02:30:00"), "2026-10-25T00:30:00.000Z");
    assert.equal(instant(berlin, "2026-10-25T02:59:58", first), "2026-10-25T00:59:58.000Z");
    assert.equal(instant(berlin, "2026-10-25T02:00:00", first), "2026-10-25T01:00:00.000Z");
  });
  test("goes back with a zone that moves by half an hour", () => {
    const lordHowe = new Zone("Australia/Lord_Howe");
    assert.equal(instant(lordHowe, "2026-04-05T01:45:00"), "2026-04-04T14:45:00.000Z");
    assert.equal(
      instant(lordHowe, "2026-04-05T01:45:00", Date.parse("2026-04-04T14:59:00Z")),
      "2026-04-04T15:15:00.000Z",
    );
  });
  test("of a zone that doesn't exist is a RangeError", () =>
    assert.throws(() => new Zone("Mars/Base"), RangeError));
  test("agrees with the database on instants all over the years", () => {
    for (const name of ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]) {
      const zone = new Zone(name);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
          const utc = seconds * 1000;
          const local = utc + zone.offsetAt(utc);
          assert.equal(zone.toUtc(local, utc), utc);
        }),
        { numRuns: 100 },
      );
    }
  });
  test("counts days as Date does", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.nat(11),
        fc.integer({ min: 1, max: 28 }),
        (y, m, d) => {
          const date = new Date(0);
          date.setUTCFullYear(y, m, d);
          assert.equal(daysFromCivil(y, m, d), date.getTime() / 86_400_000);
        },
      ),
    ));
});

suite("the year of the first line", () => {
  /** The year inferred for lines with these times at `now`. */
  const infer = (now: string, ...stamps: string[]): number | undefined => {
    const counter = new YearCounter();
    for (const text of stamps) {
      const stamp = newStamp();
      assert.ok(readLineStamp(`${text} mail a: b`, stamp));
      counter.add(stamp);
    }
    return counter.infer(Date.parse(now), new Zone("UTC"));
  };
  test("is this year for a log of this year", () =>
    assert.equal(infer("2026-11-24T00:00:00Z", "Oct  1 00:00:00", "Nov 23 00:00:00"), 2026));
  test("is last year when the log would lie in the future", () =>
    assert.equal(infer("2026-11-24T00:00:00Z", "Nov 20 00:00:00", "Nov 30 00:00:00"), 2025));
  test("may be ahead by a clock that is some hours wrong", () =>
    assert.equal(infer("2026-11-24T00:00:00Z", "Nov 24 06:00:00"), 2026));
  test("counts the turn of the year", () => {
    assert.equal(infer("2026-01-05T00:00:00Z", "Dec 30 00:00:00", "Jan  2 00:00:00"), 2025);
    assert.equal(infer("2026-12-31T12:00:00Z", "Dec 30 00:00:00", "Jan  2 00:00:00"), 2025);
  });
  test("counts two turns", () =>
    assert.equal(
      infer(
        "2026-06-01T00:00:00Z",
        "Dec 1 00:00:00",
        "Mar 1 00:00:00",
        "Jul 1 00:00:00",
        "Nov 1 00:00:00",
        "Jan 1 00:00:00",
      ),
      2024,
    ));
  test("is a leap year when the log has a 29 February", () => {
    assert.equal(infer("2026-11-24T00:00:00Z", "Feb 28 00:00:00", "Feb 29 00:00:00"), 2024);
    assert.equal(infer("2026-11-24T00:00:00Z", "Dec 28 00:00:00", "Feb 29 00:00:00"), 2023);
  });
  test("needs no inference when the lines name it", () =>
    assert.equal(infer("2026-11-24T00:00:00Z", "2020-01-01T00:00:00Z"), undefined));
});
