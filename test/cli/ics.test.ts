import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { plansOfIcs } from "../../src/cli/ics.ts";
import { nthBeginning, type Plan } from "../../src/detect/planned.ts";
import { Fault } from "../../src/fault.ts";

const calendar = (...lines: string[]): string =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", ...lines, "END:VEVENT", "END:VCALENDAR", ""].join(
    "\r\n",
  );
const plans = (...lines: string[]): Omit<Plan, "id">[] => plansOfIcs(calendar(...lines), "UTC", "x.ics");
/** The first beginnings, as the wall clock shows them. */
const beginnings = (plan: Omit<Plan, "id">, n: number): string[] =>
  Array.from({ length: n }, (_, i) => nthBeginning({ ...plan, id: 0 }, i + 1)).map((minute) =>
    minute === undefined ? "none" : new Date(minute * 60_000).toISOString().slice(0, 16),
  );

suite("a calendar file", () => {
  test("gives name, zone, beginning and length, over folded lines and without alarms", () => {
    const [plan] = plans(
      ...["SUMMARY:Backup\\, whole and", "  slow", 'DTSTART;TZID="Europe/Berlin":20260907T010000'],
      ...[
        "DTEND;TZID=Europe/Berlin:20260907T023000",
        "BEGIN:VALARM",
        "DURATION:PT9H",
        "SUMMARY:ring",
        "END:VALARM",
      ],
    );
    assert.equal(plan!.name, "Backup, whole and slow");
    assert.deepEqual([plan!.zone, plan!.repeat, plan!.minutes], ["Europe/Berlin", "once", 90]);
    assert.deepEqual(beginnings(plan!, 2), ["2026-09-07T01:00", "none"]);
  });
  test("gives days of the week, what is left out, and a number of times, of which what is left out is one", () => {
    const [plan] = plans(
      ...[
        "DTSTART:20260907T010000Z",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4",
        "EXDATE:20260910T010000Z",
      ],
    );
    assert.deepEqual(beginnings(plan!, 4), [
      "2026-09-07T01:00",
      "2026-09-14T01:00",
      "2026-09-17T01:00",
      "none",
    ]);
  });
  test("gives weekdays and days of a month, up to a day", () => {
    const [second] = plans("DTSTART:20260908T220000Z", "DURATION:PT2H", "RRULE:FREQ=MONTHLY;BYDAY=2TU,-1FR");
    assert.deepEqual(beginnings(second!, 3), ["2026-09-08T22:00", "2026-09-25T22:00", "2026-10-13T22:00"]);
    const [last] = plans(
      "DTSTART:20260930T220000Z",
      "DURATION:PT2H",
      "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20261031",
    );
    assert.deepEqual(beginnings(last!, 3), ["2026-09-30T22:00", "2026-10-31T22:00", "none"]);
  });
  test("takes whole days, every second week, and days in a row", () => {
    const [day] = plans("DTSTART;VALUE=DATE:20260907", "RRULE:FREQ=WEEKLY;INTERVAL=2");
    assert.equal(day!.minutes, 1440);
    assert.deepEqual(beginnings(day!, 2), ["2026-09-07T00:00", "2026-09-21T00:00"]);
    const [daily] = plans("DTSTART:20260907T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY");
    assert.deepEqual(beginnings(daily!, 2), ["2026-09-07T01:00", "2026-09-08T01:00"]);
  });
  test("is refused with the rule that is not read, and nothing of it is taken", () => {
    const start = ["DTSTART:20260907T010000Z", "DURATION:PT1H"];
    for (const [line, word] of [
      ["RRULE:FREQ=YEARLY", /YEARLY/],
      ["RRULE:FREQ=MONTHLY;BYSETPOS=1;BYDAY=MO", /BYSETPOS/],
      ["RRULE:FREQ=WEEKLY;BYHOUR=3", /BYHOUR/],
      ["RDATE:20260908T010000Z", /RDATE/],
      ["RECURRENCE-ID:20260908T010000Z", /RECURRENCE-ID/],
      ["EXDATE;TZID=Mars/Base:20260908T010000", /Mars\/Base/],
      ["EXDATE:20260230T010000", /no date/],
    ] as const)
      assert.throws(
        () => plans(...start, line),
        (error) => error instanceof Fault && word.test(error.message),
        line,
      );
    assert.throws(() => plansOfIcs("hello", "UTC", "x.ics"), /no event/);
  });
});
