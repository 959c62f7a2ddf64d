import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BlindWatch } from "../../src/engine/blind.ts";

const MINUTE = 60_000;
const NOON: number = Date.UTC(2026, 10, 29, 12);
const folder = {
  source: "file:/var/log/mail.log",
  what: "not a file: /var/log/mail.log",
  remedy: "Put it back.",
};

/** Opened and closed in each minute from noon on, with the trouble in those of `when`. */
function told(blind: BlindWatch, minutes: number, when: (minute: number) => boolean): string[] {
  const out: string[] = [];
  for (let m = 0; m <= minutes; m++)
    for (const { event } of blind.look(when(m) ? [folder] : [], NOON + m * MINUTE)) out.push(`${m} ${event}`);
  return out;
}

suite("a source that can't be read", () => {
  test("is told after five minutes, once, and again when it can be", () => {
    assert.deepEqual(
      told(new BlindWatch(""), 60, (m) => m >= 2 && m < 30),
      ["7 opened", "30 closed"],
    );
  });

  test("is not told for a rotation or a restart that takes four minutes, however often", () => {
    assert.deepEqual(
      told(new BlindWatch(""), 60, (m) => m % 6 < 5),
      [],
    );
  });

  test("is told as critical, of class always, with what is wrong and what to do", () => {
    const blind = new BlindWatch("");
    blind.look([folder], NOON);
    const { alert } = blind.look([folder], NOON + 5 * MINUTE)[0]!;
    assert.equal(alert.kind, "blind");
    assert.equal(alert.severity, "critical");
    assert.equal(alert.class, "always");
    assert.match(String(alert.title), /can't see: not a file: \/var\/log\/mail\.log/);
    assert.match(String(alert.summary), /For 5 minutes .* Put it back\./);
    assert.ok(blind.blind);
  });

  test("is not told again by the next process, which tells when it can be read", () => {
    const blind = new BlindWatch("");
    blind.look([folder], NOON);
    const [opened] = blind.look([folder], NOON + 5 * MINUTE);
    const next = new BlindWatch(blind.save());
    assert.deepEqual(next.look([folder], NOON + 20 * MINUTE), []);
    const [closed] = next.look([], NOON + 21 * MINUTE);
    assert.equal(closed?.event, "closed");
    assert.equal(closed?.alert.id, opened?.alert.id);
  });

  test("is told five minutes later at most when the clock is set back by a day", () => {
    const blind = new BlindWatch("");
    blind.look([folder], NOON);
    const before = NOON - 24 * 60 * MINUTE;
    assert.deepEqual(blind.look([folder], before), []);
    assert.equal(blind.look([folder], before + 5 * MINUTE).length, 1);
  });
});
