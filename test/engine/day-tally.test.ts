import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DayTally } from "../../src/engine/day-tally.ts";
import type { MailEvent } from "../../src/mail/event.ts";

const HOUR = 3_600_000;
const ledger = () => ({ opened: 0, held: 0, suppressed: 0, planned: 0, joined: 0, belowBar: 0 });
const lineOf = (time: number | null, event = "connect"): MailEvent => ({ time, event }) as MailEvent;

/** Lines of each local day when one comes every hour on the half. */
function hourly(zone: string, from: number, hours: number): [string, number | undefined][] {
  const tally = new DayTally(zone, ledger());
  for (let h = 0; h < hours; h++) tally.line(lineOf(from + h * HOUR + HOUR / 2));
  return [...tally.drain(from)].map(([day, counts]) => [day, counts.lines]);
}

suite("what is counted for each local day", () => {
  test("has 23 hours when summer time begins, and 25 when it ends", () => {
    assert.deepEqual(hourly("Europe/Berlin", Date.UTC(2026, 2, 27, 23), 24 + 23 + 24), [
      ["2026-03-28", 24],
      ["2026-03-29", 23],
      ["2026-03-30", 24],
    ]);
    assert.deepEqual(hourly("Europe/Berlin", Date.UTC(2026, 9, 23, 22), 24 + 25 + 24), [
      ["2026-10-24", 24],
      ["2026-10-25", 25],
      ["2026-10-26", 24],
    ]);
  });

  test("is cut at midnight where offsets are no whole hours", () => {
    assert.deepEqual(hourly("Australia/Lord_Howe", Date.UTC(2026, 9, 2, 13, 30), 24 + 23), [
      ["2026-10-03", 24],
      ["2026-10-04", 23], // half an hour is left out there
    ]);
  });

  test("takes a line without a time to the day of the line before", () => {
    const tally = new DayTally("UTC", ledger());
    tally.line(lineOf(null));
    tally.line(lineOf(Date.UTC(2026, 0, 5)));
    tally.line(lineOf(null));
    tally.line(lineOf(Date.UTC(2026, 0, 5), "unknown"));
    assert.deepEqual(Object.fromEntries(tally.drain(0)), {
      unknown: { lines: 1, bad_envelope: 1 },
      "2026-01-05": { lines: 3, bad_envelope: 1, unknown: 1 },
    });
  });

  test("gives each line out once, and what became of candidates by the difference", () => {
    const now = Date.UTC(2026, 0, 5);
    const counts = ledger();
    const tally = new DayTally("UTC", counts);
    tally.line(lineOf(now));
    Object.assign(counts, { opened: 1, joined: 4 });
    assert.deepEqual([...tally.drain(now)], [["2026-01-05", { lines: 1, opened: 1, joined: 4 }]]);
    counts.joined = 6;
    assert.deepEqual([...tally.drain(now)], [["2026-01-05", { joined: 2 }]]);
    assert.deepEqual([...tally.drain(now)], []);
  });

  test("is bounded, whatever times damaged lines have, and loses no line", () => {
    const tally = new DayTally("UTC", ledger());
    for (let n = 0; n < 1000; n++) tally.line(lineOf(n * 24 * HOUR));
    const days = tally.drain(0);
    assert.ok(days.size <= 65);
    assert.equal(
      [...days.values()].reduce((sum, { lines }) => sum + (lines ?? 0), 0),
      1000,
    );
  });
});
