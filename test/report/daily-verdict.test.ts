import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { farOut } from "../../src/report/daily-figures.ts";
import { isQuietDay, longDay, reportSubject, shortDay, verdictOf } from "../../src/report/daily-verdict.ts";
import { busyReport, incident, quietReport } from "./daily-support.ts";
import { HOSTILE } from "./support.ts";

const quiet = quietReport();

suite("the subject of a report", () => {
  test("of a quiet day says so", () =>
    assert.equal(reportSubject(quiet), "mail.example.org: all quiet on Sat 28 Nov"));
  test("of one incident has its title and what was held back", () =>
    assert.equal(
      reportSubject({
        ...quiet,
        alerts: [incident(1, { title: "gmail.com defers mail" })],
        budget: { ...quiet.budget, held: 1 },
      }),
      "mail.example.org: 1 incident on Sat 28 Nov: gmail.com defers mail (+1 held back)",
    ));
  test("of several has the gravest", () =>
    assert.match(
      reportSubject(busyReport()),
      /^mail\.example\.org: 2 incidents on Sat 28 Nov, the gravest: Mail to slow\.example .*… \(\+1 held back\)$/,
    ));
  test("names what goes on, and what was held back, when nothing new was told", () => {
    const ongoing = { ...quiet, alerts: [incident(-9, { title: "DNS fails" })] };
    assert.match(reportSubject(ongoing), /nothing new on Sat 28 Nov, 1 incident goes on: DNS fails$/);
    const held = { ...quiet, budget: { ...quiet.budget, held: 3 } };
    assert.match(reportSubject(held), /: no incident on Sat 28 Nov, 3 held back$/);
  });
  test("never calls quiet what nobody watched, or what no log tells of", () => {
    const { health } = quiet;
    for (const report of [
      { ...quiet, summary: null },
      { ...quiet, health: { ...health, model: null } },
      { ...quiet, health: { ...health, watched: false } },
    ]) {
      assert.doesNotMatch(reportSubject(report), /quiet/);
      assert.equal(isQuietDay(report), false);
    }
  });
  test("names figures out of range", () => {
    const few = { low: 0, high: 1, days: 20 };
    const report = { ...quiet, usual: { ...quiet.usual, deferred: few, received: few } };
    assert.match(
      reportSubject(report),
      /: no incident on Sat 28 Nov; messages received above usual, messages deferred above usual$/,
    );
  });
  test("is one line of at most 120 characters, whatever stands in it", () => {
    const alert = incident(1);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ maxLength: 300 }),
        (title, server) => {
          const subject = reportSubject({
            ...quiet,
            server: `${server}${HOSTILE}`,
            alerts: [{ ...alert, title: `${HOSTILE}=?utf-8?q?x?=${title}` }],
          });
          assert.ok(subject.length <= 120);
          assert.doesNotMatch(
            subject,
            /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\ufeff]|\p{Cs}|=\?/u,
          );
        },
      ),
    );
  });
});

suite("a quiet day", () => {
  test("has no incident, nothing held back, no figure far out, no note", () => {
    assert.equal(isQuietDay(quiet), true);
    const { health, budget } = quiet;
    assert.equal(isQuietDay({ ...quiet, alerts: [incident(1)] }), false);
    assert.equal(isQuietDay({ ...quiet, alerts: [incident(-9)] }), false);
    assert.equal(isQuietDay({ ...quiet, budget: { ...budget, held: 1 } }), false);
    assert.equal(isQuietDay({ ...quiet, health: { ...health, notes: ["x"] } }), false);
    assert.equal(isQuietDay({ ...quiet, usual: { received: { low: 0, high: 1, days: 9 } } }), false);
  });
  test("of incidents takes the level of the gravest", () =>
    assert.equal(verdictOf(busyReport()).level, "critical"));
});

suite("a figure far out of its range", () => {
  const range = (low: number, high: number): { low: number; high: number; days: number } => ({
    low,
    high,
    days: 9,
  });
  test("lies beyond it by half its width", () => {
    assert.equal(farOut(1500, range(1000, 2000)), undefined);
    assert.equal(farOut(2500, range(1000, 2000)), undefined);
    assert.equal(farOut(2501, range(1000, 2000)), "above");
    assert.equal(farOut(500, range(1000, 2000)), undefined);
    assert.equal(farOut(499, range(1000, 2000)), "below");
  });
  test("lies beyond it by what chance makes of a small count", () => {
    assert.equal(farOut(2, range(0, 0)), undefined); // 2 sqrt(0 + 1)
    assert.equal(farOut(3, range(0, 0)), "above");
    assert.equal(farOut(0, range(5, 5)), "below"); // 5 - 2 sqrt(6) is .1
    assert.equal(farOut(0, range(4, 4)), undefined);
  });
  test("needs a range", () => assert.equal(farOut(1e9, undefined), undefined));
});

suite("days in words", () => {
  test("are those of the calendar", () => {
    assert.equal(shortDay("2026-11-28"), "Sat 28 Nov");
    assert.equal(longDay("2028-02-29"), "Tuesday 29 February 2028");
  });
});
