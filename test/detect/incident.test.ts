import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { IncidentManager } from "../../src/detect/incident.ts";
import { candidate, HOUR, MINUTE, NOON, utc } from "./support.ts";

const manager = (): IncidentManager => new IncidentManager({ perDay: 2, clock: utc });

suite("a candidate of a kind that the budget never holds back", () => {
  const common = { kind: "disk_full", rate: 3 } as const;
  test("passes the bar whatever its rate when a line or a silence says so", () => {
    for (const view of ["novelty", "absence"] as const) {
      const m = manager();
      assert.equal(m.offer([candidate({ ...common, view })]).length, 1, view);
      assert.equal(m.ledger.belowBar, 0);
    }
  });
  test("must be rare when only its surroundings give it the name", () => {
    for (const view of ["window", "entity", "transaction"] as const) {
      const m = manager();
      assert.deepEqual(m.offer([candidate({ ...common, view })]), [], view);
      assert.equal(m.ledger.belowBar, 1);
      assert.equal(m.offer([candidate({ kind: "disk_full", view })]).length, 1, `${view}, rare`);
    }
  });
});

suite("an incident without new evidence", () => {
  test("is closed two hours after the last one, once somebody looks", () => {
    const m = manager();
    const [alert] = m.offer([candidate({})]);
    m.tick(NOON + 2 * HOUR);
    assert.equal(alert!.closedAt, null);
    m.tick(NOON + 2 * HOUR + 1);
    assert.equal(alert!.closedAt, NOON + 2 * HOUR);
  });
  test("lives on with what joins it", () => {
    const m = manager();
    const [alert] = m.offer([candidate({})]);
    const again = candidate({ at: NOON + 100 * MINUTE });
    assert.deepEqual(m.offer([again]), []);
    m.tick(NOON + 200 * MINUTE);
    assert.equal(alert!.closedAt, null);
    m.tick(NOON + 221 * MINUTE);
    assert.equal(alert!.closedAt, NOON + 220 * MINUTE);
  });
  test("takes in nothing that comes when it is over, though nobody looked meanwhile", () => {
    const m = manager();
    const [first] = m.offer([candidate({})]);
    const [second] = m.offer([candidate({ at: NOON + 3 * HOUR })]);
    assert.equal(first!.closedAt, NOON + 2 * HOUR);
    assert.equal(second!.openedAt, NOON + 3 * HOUR);
    assert.equal(m.ledger.joined, 0);
  });
});

suite("the bar of a day", () => {
  test("rises as the budget is spent: a trifle opens first, but not second", () => {
    const m = manager();
    const trifle = { rate: 0.01, view: "entity", key: "entity a" } as const;
    assert.equal(m.offer([candidate(trifle)]).length, 1);
    const later = NOON + 5 * HOUR;
    const second = { ...trifle, at: later, start: later - HOUR, family: "auth", key: "entity b" } as const;
    assert.deepEqual(m.offer([candidate({ ...second, kind: "bruteforce" })]), []);
    assert.equal(m.offer([candidate({ ...second, kind: "bruteforce", rate: 1e-3 })]).length, 1);
  });
  test("is low again the next day", () => {
    const m = manager();
    m.offer([candidate({ rate: 0.01 })]);
    const at = NOON + 26 * HOUR;
    assert.equal(m.offer([candidate({ rate: 0.01, at, start: at, family: "auth", key: "x" })]).length, 1);
  });
});

suite("the last alert of a day", () => {
  const morning = { key: "column a", kind: "volume_change" } as const;
  const at = (hours: number): { at: number; start: number } => ({
    at: NOON + hours * HOUR,
    start: NOON + (hours - 1) * HOUR,
  });
  test("is not spent on what was told already and names no cause", () => {
    const m = manager();
    m.offer([candidate(morning)]);
    const [again] = m.offer([candidate({ ...morning, ...at(4) })]);
    assert.equal(again!.held, true);
    const [fault] = m.offer([candidate({ ...at(8), family: "auth", key: "b", kind: "lookup_failure" })]);
    assert.equal(fault!.held, false);
  });
  test("is spent on what is told again with a cause, and on something else", () => {
    for (const second of [{ kind: "tls_failure" }, { key: "column b" }] as const) {
      const m = manager();
      m.offer([candidate(morning)]);
      const [again] = m.offer([candidate({ ...morning, ...at(4), ...second })]);
      assert.equal(again!.held, false, JSON.stringify(second));
    }
  });
  test("is free again the next day", () => {
    const m = manager();
    m.offer([candidate(morning)]);
    m.offer([candidate({ ...at(23), family: "auth", key: "b" })]);
    const [again] = m.offer([candidate({ ...morning, ...at(28) })]);
    assert.equal(again!.held, false);
  });
});

suite("an open alert that what joins it makes graver", () => {
  const quota = {
    kind: "quota",
    rate: 5e-3,
    view: "novelty",
    key: "shape 1",
    lines: [{ file: "mail.log", line: 1, text: "lmtp(ann@our.example): Quota exceeded" }],
  } as const;
  const named = {
    at: NOON + 40 * MINUTE,
    kind: "quota",
    view: "entity",
    family: "inbound",
    key: "entity failing ann@our.example",
    title: "Mailboxes over quota: ann@our.example",
    entities: [{ type: "account", value: "ann@our.example" }],
  } as const;
  test("says so, once", () => {
    const m = manager();
    const [alert] = m.offer([candidate(quota)]);
    assert.equal(alert!.severity, "low");
    assert.deepEqual(m.offer([candidate(named)]), []);
    assert.deepEqual(m.offer([candidate({ ...named, at: NOON + 80 * MINUTE })]), []);
    assert.deepEqual(alert!.updates, [{ at: named.at, severity: "medium", title: named.title }]);
  });
});

suite("a faint alert", () => {
  const faint = {
    rate: 0.01,
    view: "entity",
    family: "auth",
    kind: "login_anomaly",
    key: "entity a",
  } as const;
  const soon = { at: NOON + 10 * MINUTE, start: NOON } as const;
  test("hides no clearer fault of another family and kind", () => {
    const m = manager();
    m.offer([candidate(faint)]);
    assert.equal(m.offer([candidate(soon)]).length, 1);
  });
  test("takes in what is of its family, its kind, or as faint", () => {
    for (const changes of [{ family: "auth" }, { kind: "login_anomaly" }, { rate: 5e-3 }] as const) {
      const m = manager();
      m.offer([candidate(faint)]);
      assert.deepEqual(m.offer([candidate({ ...soon, ...changes })]), [], JSON.stringify(changes));
      assert.equal(m.ledger.joined, 1);
    }
  });
});

suite("an incident that the budget held back", () => {
  const fault = { family: "auth", key: "column auth", kind: "auth_backend_failure" } as const;
  const EVENING = NOON + 10 * HOUR;
  /** A day of which the budget is spent when a fault begins at ten in the evening. */
  const evening = (): IncidentManager => {
    const m = manager();
    m.offer([candidate({})]);
    m.offer([candidate({ at: NOON + 4 * HOUR, family: "inbound", key: "other", kind: "volume_change" })]);
    const [alert] = m.offer([candidate({ ...fault, at: EVENING })]);
    assert.equal(alert!.held, true);
    return m;
  };
  const at = (hours: number) => ({ ...fault, at: EVENING + hours * HOUR });

  test("is told the next day, when it still goes on, once", () => {
    const m = evening();
    assert.deepEqual(m.offer([candidate(at(1.5))]), []);
    const [held] = m.open;
    const [alert] = m.offer([candidate(at(2.5))]);
    assert.equal(alert!.held, false);
    assert.match(alert!.summary, /goes on since 2026-10-10T22:00:00.000Z/);
    assert.equal(held!.closedAt, alert!.openedAt);
    assert.deepEqual(m.open, [alert]);
    assert.deepEqual(m.offer([candidate(at(3))]), []);
    assert.equal(alert!.end, EVENING + 3 * HOUR);
    assert.deepEqual([m.ledger.opened, m.ledger.held], [3, 1]);
  });
  test("is not told the next day by what it did the day before", () => {
    const m = evening();
    m.offer([candidate(at(1.5))]);
    const share = (time: number): number => (time < EVENING + 2 * HOUR ? 1 : 0.5);
    assert.deepEqual(m.offer([candidate({ ...at(2.1), shareSince: share })]), []);
  });
  test("takes in nothing of a kind that the budget never holds back", () => {
    const m = evening();
    const stopped = { kind: "service_stopped", view: "absence", family: "silence", key: "dovecot" } as const;
    const [alert] = m.offer([candidate({ ...stopped, at: EVENING + HOUR })]);
    assert.equal(alert?.held, false);
  });
  test("casts a shadow once it is over", () => {
    const m = evening();
    m.tick(EVENING + 5 * HOUR);
    const share = (time: number): number => (time < EVENING ? 1 : 0.5);
    assert.deepEqual(m.offer([candidate({ ...at(5), shareSince: share })]), []);
    assert.equal(m.offer([candidate(at(6))]).length, 1);
  });
});

suite("two sides of one fault of this machine", () => {
  const later = { at: NOON + 40 * MINUTE, family: "inbound", key: "column dns inbound" } as const;
  const second = (changes: Partial<Parameters<typeof candidate>[0]>): number => {
    const m = manager();
    m.offer([candidate({})]);
    return m.offer([candidate({ ...later, ...changes })]).length;
  };

  test("are one alert, however rare the second is", () => assert.equal(second({}), 0));
  test("are one alert where the second is named by its surroundings alone", () =>
    assert.equal(second({ kindConfidence: 0.5 }), 0));
  test("are two where the second is something else", () =>
    assert.equal(second({ kind: "milter_failure" }), 1));
  test("are two where the first may be something else", () => {
    const m = manager();
    m.offer([candidate({ kindConfidence: 0.5 })]);
    assert.equal(m.offer([candidate(later)]).length, 1);
  });
  test("are two where the second is graver than was told", () => {
    const m = manager();
    const lookups = { kind: "policy_failure", rate: 5e-3, key: "a" } as const;
    m.offer([candidate(lookups)]);
    assert.equal(m.offer([candidate({ ...later, kind: "policy_failure", rate: 1e-9 })]).length, 1);
  });
  test("are two where others are at fault, who may be many", () => {
    const m = manager();
    m.offer([candidate({ kind: "remote_unreachable", key: "entity a" })]);
    assert.equal(m.offer([candidate({ ...later, kind: "remote_unreachable" })]).length, 1);
  });
});
