import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AbsenceScorer, DELIVERED, TAKEN, WHOLE_LOG } from "../../src/detect/absence.ts";
import { AbsenceCollector } from "../../src/detect/absence-fit.ts";
import { DAY_MS, localClock } from "../../src/feature/clock.ts";
import { Zone } from "../../src/log/zone.ts";

/** Eight days of two programs: one a line a minute by day and one in six by night, the other half as busy. */
const START = Date.UTC(2026, 8, 7);
const DAYS = 8;
const MINUTE = 60_000;
const END = START + DAYS * DAY_MS;
const clock = localClock(new Zone("UTC"));
const isNight = (time: number): boolean => (time % DAY_MS) / DAY_MS < 0.3;

const model = ((): ReturnType<AbsenceCollector["fit"]> => {
  const collector = new AbsenceCollector();
  for (let time = START, n = 0; time < END; time += MINUTE, n++) {
    if (isNight(time) && n % 6 !== 0) continue;
    collector.add("postfix/smtpd", time);
    if (n % 2 === 0) collector.add("postfix/qmgr", time);
  }
  return collector.fit(START, END, clock);
})();
const scorer = (): AbsenceScorer => {
  const made = new AbsenceScorer(model, clock, 0.005);
  for (const program of ["postfix/smtpd", "postfix/qmgr"]) made.see(program, END);
  return made;
};

test("a stream of warnings alone is not missed", () => {
  const collector = new AbsenceCollector();
  for (let time = START, n = 0; time < END; time += MINUTE, n++) {
    collector.add("postfix/smtpd", time, n % 50 !== 0);
    collector.add("postfix/smtp", time, n % 10 !== 0);
  }
  const { streams } = collector.fit(START, END, clock);
  assert.deepEqual(
    streams.map(({ key }) => key),
    [WHOLE_LOG, "postfix/smtp"],
  );
});

suite("a silence", () => {
  for (const hour of [0, 6, 11, 20])
    test(`that begins at ${hour} h is found at the first second at which it is long enough`, () => {
      const last = END + hour * 60 * MINUTE;
      const often = scorer();
      for (const program of ["postfix/smtpd", "postfix/qmgr"]) often.see(program, last);
      let now = last;
      let found = often.due(now);
      while (found.length === 0 && now < last + 2 * DAY_MS) {
        now += 1000;
        found = often.due(now);
      }
      assert.equal(found.length, 1, "a silence of the whole log speaks for all");
      assert.ok(now - last > 4 * MINUTE);
      // who never looked before finds it then, and not a second earlier
      const [late, early] = [scorer(), scorer()];
      for (const one of [late, early])
        for (const program of ["postfix/smtpd", "postfix/qmgr"]) one.see(program, last);
      assert.deepEqual(early.due(now - 1000), []);
      assert.deepEqual(late.due(now), found);
    });

  test("of one program is found beside the lines of the other, once", () => {
    const one = scorer();
    const silences: number[] = [];
    const noon = END + DAY_MS / 2;
    for (const program of ["postfix/smtpd", "postfix/qmgr"]) one.see(program, noon);
    for (let now = noon; now < noon + DAY_MS / 3; now += MINUTE) {
      for (const { key, at } of one.due(now)) {
        assert.equal(key, "postfix/qmgr");
        assert.ok(at <= now && at > now - 2 * MINUTE);
        silences.push(now);
      }
      one.see("postfix/smtpd", now);
    }
    assert.equal(silences.length, 1);
  });
});

suite("a silence that nobody wants to hear of now", () => {
  const noon = END + DAY_MS / 2;
  /** Looks every minute for a day; a silence of the second program is asked for again once. Returns when it was found, in minutes. */
  const found = (again: (at: number) => number, endsAt = Number.POSITIVE_INFINITY): number[] => {
    const one = scorer();
    const times: number[] = [];
    for (const program of ["postfix/smtpd", "postfix/qmgr"]) one.see(program, noon);
    for (let minute = 0; minute < 1440; minute++) {
      const now = noon + minute * MINUTE;
      for (const { key, at } of one.due(now)) {
        if (key !== "postfix/qmgr") continue;
        times.push((at - noon) / MINUTE);
        if (times.length === 1) one.again(key, noon + again(times[0]!) * MINUTE);
      }
      one.see("postfix/smtpd", now);
      if (minute >= endsAt && minute < endsAt + 5) one.see("postfix/qmgr", now);
    }
    return times;
  };
  test("is found again when it lasts until then, once", () => {
    const [first, second, ...more] = found((at) => at + 60);
    assert.equal(second, first! + 60);
    assert.deepEqual(more, []);
  });
  test("is not found then when it has ended before", () => {
    const [first] = found((at) => at + 60);
    assert.notEqual(found((at) => at + 60, first! + 30)[1], first! + 60);
  });
});

suite("a silence of one program", () => {
  /** A milter that writes for every message that cleanup takes, whatever the hour; both by chance, but reproducibly. */
  const cleanup: number[] = [];
  for (let n = 0, time = START; time < END; n++, time += MINUTE * (2 + ((n * 7919) % 23))) cleanup.push(time);
  const both = ((): ReturnType<AbsenceCollector["fit"]> => {
    const collector = new AbsenceCollector();
    for (const time of cleanup) {
      collector.add("postfix/cleanup", time);
      collector.add("opendkim", time + 1000);
    }
    return collector.fit(START, END, clock);
  })();

  /** Minutes until opendkim's silence is told while cleanup goes on; NaN when it is not. */
  const silent = (model: typeof both): number => {
    const one = new AbsenceScorer(model, clock, 0.005);
    one.see("opendkim", END);
    for (let n = 0, time = END; time < END + DAY_MS; n++, time += MINUTE * (2 + ((n * 7919) % 23))) {
      const found = one.due(time).find(({ key }) => key === "opendkim");
      if (found) return (found.at - END) / MINUTE;
      one.see("postfix/cleanup", time);
    }
    return Number.NaN;
  };

  test("is told sooner by the program that goes on than by the clock", () => {
    const alone = { streams: both.streams.map((s) => ({ ...s, companion: undefined })) };
    const [byBoth, byClock] = [silent(both), silent(alone)];
    assert.ok(byBoth < 0.6 * byClock, `${byBoth} and ${byClock} minutes`);
  });

  test("is none where the companion is silent, too", () => {
    const one = new AbsenceScorer(both, clock, 0.005);
    for (const program of ["opendkim", "postfix/cleanup"]) one.see(program, END);
    const found: string[] = [];
    for (let time = END; time < END + DAY_MS / 4; time += MINUTE)
      found.push(...one.due(time).map(({ key }) => key));
    assert.deepEqual(found, [""], "the whole log is silent");
  });
});

suite("a log that has become rare", () => {
  test("is told to be silent once or twice, not all day long", () => {
    const one = scorer();
    let told = 0;
    // A line every two hours, where one a minute was usual.
    for (let time = END; time < END + 10 * DAY_MS; time += 120 * MINUTE) {
      for (let t = time; t < time + 120 * MINUTE; t += MINUTE) told += one.due(t).length;
      one.see("postfix/smtpd", time + 120 * MINUTE);
    }
    assert.ok(told >= 1 && told <= 4, `${told} times in ten days`);
  });
});

suite("deliveries", () => {
  /** Working hours bring so many messages a day, each delivered at once but for every ninth, which takes an hour. */
  const mail = (perDay: number, from: number, days: number): { taken: number[]; delivered: number[] } => {
    const taken: number[] = [];
    const delivered: number[] = [];
    for (let day = 0; day < days; day++)
      for (let n = 0; n < perDay; n++) {
        const time = from + day * DAY_MS + DAY_MS * (0.3 + (0.5 * (n + ((n * 7919) % 13) / 26)) / perDay);
        taken.push(time);
        delivered.push(time + (n % 9 === 0 ? 3_600_000 : 1000));
      }
    return { taken, delivered: delivered.sort((a, b) => a - b) };
  };
  const learnt = (perDay: number): ReturnType<AbsenceCollector["fit"]> => {
    const collector = new AbsenceCollector();
    const { taken, delivered } = mail(perDay, START, DAYS);
    for (const time of taken) {
      collector.add("postfix/cleanup", time);
      collector.flow(TAKEN, time);
    }
    for (const time of delivered) collector.flow(DELIVERED, time);
    return collector.fit(START, END, clock);
  };
  /** Minutes of the working day (from 7:12) until it is told that nothing was delivered on it; NaN when it is not. */
  const stopped = (perDay: number, comes: boolean): number => {
    const one = new AbsenceScorer(learnt(perDay), clock, 0.005);
    one.see("postfix/cleanup", END - DAY_MS / 5);
    one.flow(TAKEN, END - DAY_MS / 5);
    one.flow(DELIVERED, END - DAY_MS / 5);
    for (let time = END; time < END + DAY_MS; time += MINUTE) {
      const found = one.due(time).find(({ key }) => key === DELIVERED);
      if (found) {
        assert.ok(found.waiting >= 12);
        return (time - END) / MINUTE - 0.3 * 1440;
      }
      const due = mail(perDay, END, 1).taken.filter((t) => t >= time && t < time + MINUTE);
      for (const t of comes ? due : []) {
        one.see("postfix/cleanup", t);
        one.flow(TAKEN, t);
      }
    }
    return Number.NaN;
  };

  test("that stop while mail is taken in are told: within the morning on a small server, the hour on a large one", () => {
    const [small, large] = [stopped(60, true), stopped(1000, true)];
    assert.ok(small > 60 && small < 300, `${small} minutes`);
    assert.ok(large > 5 && large < 60, `${large} minutes`);
  });

  test("are not missed on a day without mail", () => {
    assert.ok(Number.isNaN(stopped(1000, false)));
  });

  test("put off for as long as in training are no silence", () => {
    const { taken, delivered } = mail(200, END, 1);
    const one = new AbsenceScorer(learnt(200), clock, 0.005);
    const all = [
      ...taken.map((at) => [at, TAKEN] as const),
      ...delivered.map((at) => [at, DELIVERED] as const),
    ];
    one.see("postfix/cleanup", END - DAY_MS / 5);
    for (const [time, key] of all.sort((a, b) => a[0] - b[0])) {
      assert.deepEqual(
        one.due(time).filter((f) => f.key === DELIVERED),
        [],
      );
      one.flow(key, time);
    }
  });
});
