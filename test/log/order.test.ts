import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** RFC 3164 lines of a host in `zone` at these instants. */
function* lines(zone: Zone, from: string, to: string, step: number): Generator<[string, number]> {
  for (let utc = Date.parse(from); utc < Date.parse(to); utc += step) {
    const local = new Date(utc + zone.offsetAt(utc));
    const day = String(local.getUTCDate()).padStart(2, " ");
    yield [`${MONTHS[local.getUTCMonth()]} ${day} ${local.toISOString().slice(11, 19)} mx a[3]: b`, utc];
  }
}

/** Reads them back with nothing known but the first line's year. */
function reads(zone: Zone, from: string, to: string, step: number): void {
  const clock = new LogClock(zone, Number(from.slice(0, 4)));
  for (const [line, utc] of lines(zone, from, to, step))
    assert.equal(parseEnvelope(line, clock).time, utc, line);
}

suite("a log of RFC 3164 lines has the times it was written at", () => {
  const turns: [string, string, string][] = [
    ["Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"],
    ["Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"],
    ["America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"],
    ["America/New_York", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-03T12:00:00Z", "2026-04-06T12:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-02T12:00:00Z", "2026-10-05T12:00:00Z"],
  ];
  for (const [zone, from, to] of turns)
    test(`over the change of ${zone} in ${from.slice(0, 7)}`, () => {
      reads(new Zone(zone), from, to, MINUTE);
      reads(new Zone(zone), from, to, 17 * MINUTE + 1000);
    });
  test("over New Year, minute by minute", () =>
    reads(new Zone("Europe/Berlin"), "2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z", MINUTE));
  test("over five years with a leap day, every nine days or every ninety", () => {
    reads(new Zone("UTC"), "2023-02-01T00:00:00Z", "2028-03-01T00:00:00Z", 9 * DAY);
    reads(new Zone("UTC"), "2023-02-01T00:00:00Z", "2028-03-01T00:00:00Z", 90 * DAY);
    reads(new Zone("UTC"), "2023-12-01T00:00:00Z", "2024-03-02T00:00:00Z", DAY / 2);
  });
  test("when the writers' lines mix by seconds around the repeated hour", () => {
    const zone = new Zone("Europe/Berlin");
    const clock = new LogClock(zone, 2026);
    const all = [...lines(zone, "2026-10-25T00:50:10Z", "2026-10-25T01:10:00Z", 10_000)];
    for (let i = 0; i + 1 < all.length; i += 2) [all[i], all[i + 1]] = [all[i + 1]!, all[i]!];
    for (const [line, utc] of all) assert.equal(parseEnvelope(line, clock).time, utc, line);
  });
});
