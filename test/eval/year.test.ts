import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { slopeOf } from "../../eval/year/months.ts";
import { firstMonths, UPGRADES } from "../../eval/year/plan.ts";
import { poisonPlan } from "../../eval/year/poison.ts";
import { lostPoints } from "../../eval/year/poison-words.ts";
import { upgraded } from "../../eval/year/upgrades.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { EventReader } from "../../src/mail/read.ts";

suite("the slope of monthly counts", () => {
  test("is none where nothing was counted, and zero for the same each month", () => {
    assert.equal(slopeOf([0, 0, 0]), undefined);
    const { perMonth, error } = slopeOf([4, 4, 4, 4])!;
    assert.ok(Math.abs(perMonth) < 1e-9);
    // the information on the slope is the mean times the sum of squares about the middle: 4 * (2.25 + 0.25 + 0.25 + 2.25)
    assert.ok(Math.abs(error - 1 / Math.sqrt(20)) < 1e-9);
  });
  test("is the logarithm of two where they double", () => {
    const { perMonth } = slopeOf([1, 2, 4, 8, 16])!;
    assert.ok(Math.abs(perMonth - Math.LN2) < 1e-9);
  });
  test("has an end where one month holds all, and says how little it tells", () => {
    const { perMonth, error } = slopeOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])!;
    assert.ok(perMonth > 0 && Number.isFinite(perMonth));
    assert.ok(error > 0.3, String(error));
  });
});

const read = (text: string): MailEvent =>
  new EventReader(new LogClock(new Zone("Europe/Berlin"), 2025), 1).readText("f", 1, text);
const templateOf = (text: string): string => read(text).template;

suite("the year's upgrades", () => {
  const [dovecot, debian] = UPGRADES.map(({ at }) => at) as [number, number];
  const day = 86_400_000;
  const login =
    "mx1 dovecot: imap-login: Login: user=<ann@our.example>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=1, TLS, session=<x1>";

  test("change words, then heads, and what our grammar reads stays the same", () => {
    const old = `Aug 31 14:00:00 ${login}`;
    assert.equal(upgraded(old, dovecot - 1), old);
    const worded = upgraded(old, dovecot);
    assert.match(worded, /^Aug 31 14:00:00 mx1 dovecot: imap-login: Logged in: user=/);
    const stamped = upgraded(old, debian + day + 0.25);
    assert.match(stamped, /^2025-\d\d-\d\dT\d\d:\d\d:\d\d\.000250\+0[12]:00 mx1 dovecot: /);
    assert.deepEqual(
      [old, worded, stamped].map((text) => read(text).event),
      ["login", "login", "login"],
    );
    assert.equal(read(stamped).time, debian + day);
  });
});

suite("the year's upgrades bring shapes", () => {
  const [dovecot, debian] = UPGRADES.map(({ at }) => at) as [number, number];
  const changes: readonly (readonly [text: string, time: number, expected: RegExp])[] = [
    [
      "Aug 31 14:00:00 mx1 dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
      dovecot,
      / imap-login: Login aborted: Connection closed \(auth failed, 1 attempts in 2 secs\) \(auth_failed\): user=<ann>,/,
    ],
    [
      "Aug 31 14:00:00 mx1 postfix/smtp[7]: 4F2: to=<a@b.example>, relay=b.example[192.0.2.1]:25, delay=1.2, delays=0/0.1/1/0.1, dsn=2.0.0, status=sent (250 ok)",
      debian,
      /, delays=0\/0\.1\/1\/0\.1, tls=may, dsn=2\.0\.0, status=sent/,
    ],
  ];
  for (const [text, time, expected] of changes)
    test(`that are new: ${text.slice(16, 60)}`, () => {
      assert.equal(upgraded(text, time - 1).slice(16), text.slice(16));
      assert.match(upgraded(text, time), expected);
      assert.notEqual(templateOf(upgraded(text, time)), templateOf(text));
    });
});

suite("the plans of a year", () => {
  test("of fewer months are the beginning of the whole", () => {
    const [three, twelve] = [firstMonths(3), firstMonths(12)];
    assert.deepEqual(three.faults, twelve.faults!.slice(0, three.faults!.length));
    assert.equal(three.faults!.length, 3 * (twelve.faults!.length / 12));
  });
  test("of an attacker are those of his twin, and ten per cent more each week", () => {
    assert.deepEqual({ ...poisonPlan("ramp"), faults: [] }, poisonPlan("nobody"));
    const ramp = poisonPlan("ramp").faults!;
    assert.equal(ramp.length, 8);
    assert.ok(Math.abs(ramp[7]!.intensity! / ramp[0]!.intensity! - 1.1 ** 7) < 1e-9);
  });
});

suite("what an attacker costs", () => {
  const all = (...minutes: (number | null)[]) => minutes.map((m) => ({ size: 1, start: 0, minutes: m }));
  test("is the share of attacks that the twin alone finds, less that of those that he does not", () => {
    const { lost, error } = lostPoints(all(9, null, null, 4), all(5, 5, null, 3));
    assert.equal(lost, 25);
    // one difference of four: variance 1/4 - 1/16 = 3/16
    assert.ok(Math.abs(error - 100 * Math.sqrt(3 / 16 / 4)) < 1e-9);
    assert.deepEqual(lostPoints(all(9, null), all(null, 3)).lost, 0);
  });
});
