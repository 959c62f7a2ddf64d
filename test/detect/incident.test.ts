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
