import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ComposedLine, compose } from "../../src/compose/compose.ts";
import type { HeaderFormat } from "../../src/compose/header.ts";
import { RECORDED_OWN } from "../../src/compose/names.ts";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { parseMail } from "../../src/mail/grammar.ts";
import { at, linesOf, MATERIAL, MONDAY, planOf, SERVER, textOf } from "./support.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse(MONDAY);

suite("a composed log", () => {
  test("is the same bytes for the same plan, and others for another seed", () => {
    const one = textOf(linesOf(planOf()));
    assert.equal(textOf(linesOf(planOf())), one);
    assert.notEqual(textOf(linesOf(planOf({ seed: 2 }))), one);
  });

  test("does not change before a fault that is added to its plan", () => {
    const faults = [{ kind: "dns_resolver_down", start: at(0, 15), minutes: 60 }];
    const before = (lines: ComposedLine[]) =>
      textOf(lines.filter(({ time }) => time < Date.parse(at(0, 15))));
    assert.equal(before(linesOf(planOf({ faults }))), before(linesOf(planOf())));
  });

  test("comes in pieces, each later than the one before", () => {
    let last = 0;
    let pieces = 0;
    for (const batch of compose(planOf(), MATERIAL)) {
      pieces++;
      assert.ok(batch.every(({ time }, i) => time >= (i === 0 ? last : batch[i - 1]!.time)));
      last = batch.at(-1)?.time ?? last;
    }
    assert.equal(pieces, 288);
  });

  test("is busier by day than at night, and on weekdays than at the weekend", () => {
    const lines = linesOf(planOf({ days: 7 }, { weekend: 0.3, mailsPerDay: 800 }));
    const count = (from: number, to: number, which: (day: number) => boolean) =>
      lines.filter(({ time }) => {
        const hour = ((time - START) % DAY) / HOUR;
        return hour >= from && hour < to && which(Math.floor((time - START) / DAY));
      }).length;
    const weekday = (day: number) => day < 5;
    assert.ok(2 * count(1, 5, weekday) < count(9, 13, weekday));
    assert.ok(count(0, 24, (day) => day >= 5) / 2 < (0.75 * count(0, 24, weekday)) / 5);
  });

  test("keeps office hours of its zone", () => {
    const busiest = (zone: string) => {
      const hours = new Array<number>(24).fill(0);
      for (const { time, text } of linesOf(planOf({ days: 3 }, { zone })))
        if (text.includes("sasl_username=")) hours[Math.floor(((time - START) % DAY) / HOUR)]!++;
      const middle = hours.reduce((sum, n, hour) => sum + n * Math.sin((2 * Math.PI * (hour - 4)) / 24), 0);
      return middle > 0 ? "day" : "night";
    };
    assert.equal(busiest("UTC"), "day");
    assert.equal(busiest("Pacific/Auckland"), "night");
  });

  test("grows at the rate asked for", () => {
    const lines = linesOf(planOf({ days: 21 }, { growth: 0.3, mailsPerDay: 150 }));
    const week = (n: number) =>
      lines.filter(({ time }) => Math.floor((time - START) / (7 * DAY)) === n).length;
    const ratio = week(2) / week(0);
    // 1.3 squared is 1.69; the probe and the system's own lines do not grow.
    assert.ok(ratio > 1.35 && ratio < 1.9, `third week over first: ${ratio}`);
  });

  test("has about as many messages as asked for", () => {
    const lines = linesOf(planOf({ days: 5 }, { mailsPerDay: 500, noisePerDay: 0 }));
    const received = new Set(lines.map(({ text }) => /: ([0-9A-F]{6,}): message-id=/.exec(text)?.[1]));
    const perDay = received.size / 5;
    assert.ok(perDay > 400 && perDay < 620, `${perDay} messages a day`);
  });

  test("holds no line of a program that logs elsewhere", () => {
    const text = textOf(linesOf(planOf({}, { without: ["postscreen", "dovecot", "opendkim"] })));
    assert.doesNotMatch(text, / (?:postfix\/(?:postscreen|dnsblog|tlsproxy)|dovecot|opendkim)[[:]/);
    assert.match(text, / opendmarc\[\d+\]:/);
  });

  test("has more mail in a surge and on the day of a monthly run, less in a season", () => {
    const count = (more: Parameters<typeof planOf>[0], server = {}) =>
      linesOf(planOf({ days: 1, ...more }, server)).filter(({ text }) => text.includes("status=sent")).length;
    const usual = count({});
    const monday = { kind: "monday_flood", start: at(0, 7), minutes: 240, intensity: 4 } as const;
    const newsletter = { kind: "newsletter", start: at(0, 10), minutes: 30, intensity: 10 } as const;
    assert.ok(count({ surges: [monday] }) > 1.4 * usual);
    assert.ok(count({ surges: [newsletter] }) > usual + 200);
    assert.ok(count({}, { monthly: { day: 6, hour: 5, mails: 300 } }) > usual + 200);
    assert.ok(count({ seasons: [{ from: at(0, 0), to: at(1, 0), level: 0.3 }] }) < 0.7 * usual);
  });

  test("tells of maintenance as the daemons do, and then of new processes", () => {
    const lines = linesOf(planOf({ maintenance: [{ kind: "restart", at: at(0, 3) }] }));
    const start = lines.findIndex(({ text }) => text.includes("starting the Postfix mail system"));
    assert.ok(start > 0);
    const qmgr = (part: ComposedLine[]) => new Set(textOf(part).match(/postfix\/qmgr\[\d+\]/g));
    const [before, after] = [qmgr(lines.slice(0, start)), qmgr(lines.slice(start))];
    assert.equal(after.size, 1);
    assert.ok(!before.has([...after][0]!));
  });

  test("falls silent for a restart of some minutes, cuts sessions, and goes on", () => {
    const stop = Date.parse(at(0, 9));
    const maintenance = [{ kind: "restart", at: at(0, 9), minutes: 3 }] as const;
    const lines = linesOf(planOf({ days: 0.5, maintenance }, { mailsPerDay: 1500, mix: { imap: 6 } }));
    const between = lines.filter(({ time }) => time > stop + 15_000 && time < stop + 3 * 60_000);
    assert.deepEqual(textOf(between), "");
    const cut = lines.filter(({ text }) => text.includes("Disconnected: Server shutting down. in="));
    assert.ok(cut.length > 0);
    assert.ok(cut.every(({ time }) => time >= stop && time < stop + 10_000));
    const starts = lines.find(({ text }) => text.includes("starting the Postfix mail system"))!;
    assert.ok(Math.abs(starts.time - stop - 3 * 60_000) < 5000);
    assert.ok(lines.some(({ time }) => time > starts.time + 60_000));
  });
});

suite("the lines of a composed log", () => {
  const formats: readonly HeaderFormat[] = ["rfc3164", "rfc3339", "iso", "rfc5424", "journald"];
  for (const header of formats)
    test(`are named by our parser, at the time they were written, with heads of ${header}`, () => {
      const zone = "America/New_York";
      const faults = [
        { kind: "dns_resolver_down", start: at(0, 9), minutes: 60 },
        { kind: "dovecot_auth_down", start: at(0, 14), minutes: 40 },
      ];
      const clock = new LogClock(new Zone(zone), 2026);
      const lines = linesOf(planOf({ faults }, { header, zone, longQueueIds: header === "iso" }));
      assert.ok(lines.length > 5000);
      let unknown = 0;
      for (const { time, text } of lines) {
        const envelope = parseEnvelope(text, clock);
        assert.equal(Math.floor(envelope.time! / 1000), Math.floor(time / 1000), text);
        assert.equal(envelope.host, SERVER.host);
        if (parseMail(envelope).event === "unknown") unknown++;
      }
      assert.ok(unknown <= 0.01 * lines.length, `${unknown} of ${lines.length} unknown`);
    });

  test("hold no name and no address of the recorded server when it has another domain", () => {
    const kinds = ["sasl_bruteforce_fast", "compromised_account", "remote_blocklisted", "tls_cert_expired"];
    const faults = kinds.map((kind, i) => ({ kind, start: at(0, 3 + 5 * i), minutes: 120 }));
    const text = textOf(linesOf(planOf({ faults }, { mailsPerDay: 1500 }))).toLowerCase();
    for (const own of RECORDED_OWN) assert.ok(!text.includes(own), own);
    for (const user of MATERIAL.people()) assert.ok(!text.includes(user.split("@")[0]!), user);
    for (const org of MATERIAL.pool("normal", "in_ham").map((e) => e.org!))
      assert.ok(!text.includes(org.replace(".example", "")), org);
    assert.doesNotMatch(text, /\b(?:192\.0\.2|203\.0\.113|198\.51\.100|198\.1[89])\.\d/);
    assert.doesNotMatch(text, /\b20261122|nov 22/);
    assert.match(text, /relay=mx7\.alder\.example\[private/);
  });

  test("keep the recorded names when it has no domain of its own", () => {
    const { domain: _, ...server } = SERVER;
    const text = textOf(linesOf({ ...planOf(), server }));
    assert.match(text, /@nordhav\.example/);
    assert.match(text, /\[192\.0\.2\.10\]/);
  });

  test("name a message by one queue id, from its arrival to its removal, and no other message by it", () => {
    for (const longQueueIds of [false, true]) {
      const lines = linesOf(planOf({}, { longQueueIds }));
      const pattern = longQueueIds
        ? /: ([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{11,16}): (.*)/
        : /: ([0-9A-F]{6,11}): (.*)/;
      const state = new Map<string, "open" | "removed">();
      for (const { text } of lines) {
        const [, id, rest] = pattern.exec(text) ?? [];
        if (id === undefined) continue;
        if (/^message-id=/.test(rest!)) assert.equal(state.get(id) === "removed", false, text);
        assert.notEqual(state.get(id), "removed", text);
        state.set(id, rest === "removed" ? "removed" : "open");
      }
      const removed = [...state.values()].filter((s) => s === "removed").length;
      assert.ok(removed > 300 && removed > 0.9 * state.size, `${removed} of ${state.size}`);
    }
  });

  test("tell of a retry the delay that lies between its arrival and its time", () => {
    const faults = [{ kind: "queue_dead_destination", start: at(0, 8), minutes: 300 }];
    const arrivals = new Map<string, number>();
    let retries = 0;
    for (const { time, text } of linesOf(planOf({ faults }))) {
      const [, id] = /: ([0-9A-F]{6,11}): /.exec(text) ?? [];
      if (id === undefined) continue;
      if (!arrivals.has(id)) arrivals.set(id, time);
      const delay = Number(/, delay=([\d.]+)/.exec(text)?.[1]);
      if (!(delay > 100)) continue;
      retries++;
      assert.ok(Math.abs((time - arrivals.get(id)!) / 1000 - delay) < 2, text);
    }
    assert.ok(retries > 20, `${retries} retries`);
  });
});
