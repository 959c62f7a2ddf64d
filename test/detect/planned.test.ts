import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { IncidentManager } from "../../src/detect/incident.ts";
import { nextOccurrence, type Plan, plannedRanges, plannedUntil } from "../../src/detect/planned.ts";
import { daysFromCivil } from "../../src/log/zone.ts";
import { candidate, HOUR, MINUTE, planned, utc } from "./support.ts";

const wall = (year: number, month: number, day: number, hour = 0, minute = 0): number =>
  daysFromCivil(year, month - 1, day) * 1440 + hour * 60 + minute;

/** Two hours from two in the night on, on Sunday 2026-10-04. */
const plan = (change: Partial<Plan> = {}): Plan =>
  planned({ name: "reboot", zone: "Europe/Berlin", first: wall(2026, 10, 4, 2), minutes: 120, ...change });
const stopped = {
  kind: "service_stopped",
  view: "absence",
  family: "silence",
  key: "absence dovecot",
} as const;
const at = (iso: string) => ({ at: Date.parse(iso) });
const covers = (p: Plan, iso: string, change: object = {}): boolean =>
  plannedUntil(p, candidate({ ...at(iso), ...change })) !== undefined;

suite("an entry of the calendar", () => {
  test("covers from its first minute to its last, by the clock of its zone", () => {
    assert.ok(!covers(plan(), "2026-10-03T23:59:59Z"));
    assert.ok(covers(plan(), "2026-10-04T00:00:00Z"));
    assert.ok(covers(plan(), "2026-10-04T01:59:59Z"));
    assert.ok(!covers(plan(), "2026-10-04T02:00:00Z"));
    assert.equal(
      plannedUntil(plan(), candidate(at("2026-10-04T00:30:40Z"))),
      Date.parse("2026-10-04T02:00:00Z"),
    );
  });
  test("comes back every week at the same hour of the wall, also when clocks have changed", () => {
    const weekly = plan({ repeat: "weekly", weekdays: [0] });
    assert.ok(covers(weekly, "2026-10-11T00:30:00Z"));
    assert.ok(covers(weekly, "2026-11-01T01:30:00Z")); // winter time: two o'clock is one in UTC
    assert.ok(!covers(weekly, "2026-11-01T00:30:00Z"));
    assert.ok(!covers(weekly, "2026-10-12T00:30:00Z"));
    assert.ok(!covers(weekly, "2026-09-27T00:30:00Z"), "before the first");
  });
  test("keeps to every second week, to its last day, and to what is left out", () => {
    const second = plan({ repeat: "weekly", weekdays: [0], every: 2 });
    assert.deepEqual(
      [4, 11, 18].map((day) => covers(second, `2026-10-${String(day).padStart(2, "0")}T00:30:00Z`)),
      [true, false, true],
    );
    const ends = plan({ repeat: "weekly", weekdays: [0], until: wall(2026, 10, 11, 2) });
    assert.ok(covers(ends, "2026-10-11T00:30:00Z"));
    assert.ok(!covers(ends, "2026-10-18T00:30:00Z"));
    assert.ok(!covers({ ...ends, except: [wall(2026, 10, 11, 2)] }, "2026-10-11T00:30:00Z"));
  });
  test("comes back every month: on a day, on the last, on the second Tuesday, on the last Friday", () => {
    const monthly = (change: Partial<Plan>): Plan =>
      plan({ zone: "UTC", repeat: "monthly", first: wall(2026, 10, 1, 22), ...change });
    const on = (p: Plan, day: string): boolean => covers(p, `2026-${day}T23:00:00Z`);
    assert.ok(on(monthly({ monthDays: [15] }), "11-15") && !on(monthly({ monthDays: [15] }), "11-16"));
    assert.ok(on(monthly({ monthDays: [-1] }), "11-30") && !on(monthly({ monthDays: [-1] }), "10-30"));
    const tuesday = monthly({ monthWeekdays: [{ n: 2, weekday: 2 }] });
    assert.ok(on(tuesday, "11-10") && !on(tuesday, "11-03") && !on(tuesday, "11-17"));
    const friday = monthly({ monthWeekdays: [{ n: -1, weekday: 5 }] });
    assert.ok(on(friday, "11-27") && !on(friday, "11-20"));
  });
  test("goes on over midnight, and into the next month", () => {
    const long = plan({
      zone: "UTC",
      repeat: "monthly",
      first: wall(2026, 10, 31, 22),
      minutes: 300,
      monthDays: [-1],
    });
    assert.ok(covers(long, "2026-12-01T02:59:00Z"));
    assert.ok(!covers(long, "2026-12-01T03:00:00Z"));
  });
  test("covers what such work brings, and neither an attack nor a full disk", () => {
    const night = "2026-10-04T00:30:00Z";
    assert.ok(covers(plan(), night, stopped));
    for (const kind of ["account_compromised", "bruteforce", "disk_full"] as const)
      assert.ok(!covers(plan(), night, { kind }), kind);
    assert.ok(covers(plan({ kinds: ["disk_full"] }), night, { kind: "disk_full" }));
    assert.ok(!covers(plan({ kinds: ["disk_full"] }), night));
    assert.ok(!covers(plan({ minutes: 3 * 1440 }), night, stopped), "no service may be away for days");
  });
  test("covers the entities that are named alone", () => {
    const entities = [{ type: "account", value: "News@Alder.example" }];
    const news = plan({ entities: ["news@alder.example"] });
    assert.ok(covers(news, "2026-10-04T00:30:00Z", { entities }));
    assert.ok(!covers(news, "2026-10-04T00:30:00Z"));
  });
  test("covers afterwards what lies in it, and no silence that goes on", () => {
    const later = "2026-10-04T03:00:00Z";
    assert.ok(covers(plan(), later, { shareSince: () => 0.2 }));
    assert.ok(!covers(plan(), later, { shareSince: () => 0.9 }));
    assert.ok(!covers(plan(), later, { ...stopped, shareSince: () => 0 }));
  });
  test("tells when it is next, and which time training leaves out", () => {
    const weekly = plan({ zone: "UTC", repeat: "weekly", weekdays: [0] });
    const next = nextOccurrence(weekly, Date.parse("2026-10-05T00:00:00Z"));
    assert.deepEqual(next, { start: wall(2026, 10, 11, 2), end: wall(2026, 10, 11, 4) });
    const ranges = plannedRanges(
      [weekly],
      Date.parse("2026-10-01T00:00:00Z"),
      Date.parse("2026-10-12T00:00:00Z"),
    );
    assert.deepEqual(
      ranges.map(({ start, end }) => [new Date(start).toISOString(), (end - start + 1) / HOUR]),
      [
        ["2026-10-04T02:00:00.000Z", 2],
        ["2026-10-11T02:00:00.000Z", 2],
      ],
    );
  });
});

suite("what is planned", () => {
  test("is kept as planned and not told; what is grave and unrelated is told", () => {
    const m = new IncidentManager({ perDay: 2, clock: utc });
    m.obey({ feedback: [], plans: [plan({ zone: "UTC" })] });
    const night = Date.parse("2026-10-04T02:30:00Z");
    const [planned] = m.offer([candidate({ at: night, start: night })]);
    assert.deepEqual(planned!.suppressed, { by: "calendar", rule: 1, name: "reboot" });
    assert.equal(m.ledger.planned, 1);
    const stolen = { kind: "account_compromised", family: "account", key: "ann" } as const;
    const [told] = m.offer([candidate({ at: night + MINUTE, ...stolen })]);
    assert.ok(told && !told.held);
  });
});
