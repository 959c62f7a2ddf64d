import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { afterTrial } from "../../src/pipeline/promote.ts";
import { type Evidence, objection } from "../../src/pipeline/verdict.ts";
import { evidenceLines, trialSentence } from "../../src/report/evidence.ts";

const KIND = { kind: "spam_wave", faults: 1, old: 1, new: 1 };
const EVEN: Evidence = {
  days: 2,
  told: { old: 1, new: 1 },
  held: { old: 0, new: 0 },
  rare: [{ view: "window", old: 0.01, new: 0.01, rows: { old: 900, new: 900 } }],
  injected: { faults: 10, old: 8, new: 8, minutes: { old: 10, new: 10 }, later: 1, sooner: 0, kinds: [KIND] },
};
const with_ = (change: Partial<Evidence>): string | undefined => objection({ ...EVEN, ...change });
const found = (change: object): string | undefined => with_({ injected: { ...EVEN.injected!, ...change } });
const rare = (old: number, fresh: number, rows = 900): string | undefined =>
  with_({ rare: [{ view: "window", old, new: fresh, rows: { old: rows, new: rows } }] });

suite("a new model that was tried", () => {
  test("may tell of one incident more on clean days, and of the square root of many", () => {
    assert.equal(objection(EVEN), undefined);
    assert.equal(with_({ told: { old: 0, new: 1 } }), undefined);
    assert.match(with_({ told: { old: 0, new: 2 } })!, /told of 2 incidents, the model in use of 0/);
    assert.equal(with_({ told: { old: 9, new: 12 } }), undefined);
    assert.ok(with_({ told: { old: 9, new: 13 } }));
  });
  test("may call two rows in a hundred one in a hundred, or a quarter more than the other", () => {
    assert.equal(rare(0.001, 0.02), undefined);
    assert.match(rare(0.01, 0.03)!, /window view calls 3\.0 % of clean rows one in a hundred/);
    assert.equal(rare(0.04, 0.05), undefined);
    assert.ok(rare(0.04, 0.051));
    assert.equal(rare(0.01, 0.5, 499), undefined, "too few rows tell no share");
  });
  test("may miss one fault more, and find two more of them much later than sooner", () => {
    assert.equal(found({ new: 7 }), undefined);
    assert.match(found({ new: 6 })!, /of 10 faults that were put in it finds 6, the model in use 8/);
    assert.equal(found({ later: 3, sooner: 1 }), undefined);
    assert.match(
      found({ later: 4, sooner: 1 })!,
      /finds 4 much later than the model in use, and 1 much sooner/,
    );
    assert.equal(found({ minutes: { old: null, new: null } }), undefined);
    assert.equal(with_({ injected: null }), undefined);
  });
  test("may tell of one more of the rare times that the other remembers, and of the square root of many", () => {
    const of = (old: number, fresh: number): string | undefined =>
      with_({ remembered: { times: 30, old, new: fresh } });
    assert.equal(of(0, 1), undefined);
    assert.match(of(0, 2)!, /of 30 rare times of before it would tell of 2, the model in use of 0/);
    assert.equal(of(9, 12), undefined);
    const lines = evidenceLines({ trial: { ...EVEN, remembered: { times: 30, old: 0, new: 1 } } });
    assert.equal(lines.at(-1), "remembered  30 rare times of before: 1 would be told, by the model in use 0");
  });
  test("must tell of each incident that a person confirmed and that the model in use tells", () => {
    const confirmed = { incidents: 3, old: 2, new: 2, lost: [] as string[] };
    assert.equal(with_({ confirmed }), undefined);
    assert.match(
      with_({ confirmed: { ...confirmed, lost: ["b4"] } })!,
      /does not tell of 1 of 3 incidents that were confirmed and that the model in use tells: b4/,
    );
    const trial = { ...EVEN, confirmed };
    assert.ok(
      evidenceLines({ trial }).includes(
        "confirmed   3 incidents that you confirmed: 2 would be told, by the model in use 2",
      ),
    );
    assert.match(trialSentence(trial), /Of 3 incidents that you confirmed it told 2, the other 2\.$/);
  });
  test("is refused for it, and never promoted by it", () => {
    const verdict = { promoted: true, reason: "fine", judged: [] };
    const loud = { ...EVEN, told: { old: 0, new: 9 } };
    assert.deepEqual(afterTrial(verdict, EVEN), verdict);
    assert.equal(afterTrial(verdict, loud).promoted, false);
    const refused = { ...verdict, promoted: false, reason: "worse" };
    assert.deepEqual(afterTrial(refused, EVEN), refused);
  });
  test("is told of in lines and in a sentence, also where its evidence is of another form", () => {
    const lines = evidenceLines({ judged: [], trial: EVEN });
    assert.deepEqual(lines, [
      "told        1 incidents on 2 days without known ones, the model in use 1 (held back: 0, 0)",
      "p <= 0.01   1.00 % of 900 rows of the window view, the model in use 1.00 %",
      "put in      10 faults: 8 found, by the model in use 8; after 10 minutes and 10 minutes (median of those that both found)",
    ]);
    assert.match(trialSentence(EVEN), /^On 2 days .* told 1 incidents, the other model 1\. Of 10 faults/);
    assert.deepEqual(evidenceLines(null), []);
    assert.deepEqual(evidenceLines({ trial: { told: 1 } }), ["of a form that this release does not know"]);
  });
});
