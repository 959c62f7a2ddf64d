import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { LineRings } from "../../src/detect/lines.ts";
import { SLOT_MS, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import type { ColumnSet } from "../../src/feature/columns.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";

const line = (slot: number): SeenLine => ({
  file: "mail.log",
  line: slot,
  text: `line of slot ${slot}`,
  time: slot * SLOT_MS,
  templateId: "t",
  template: "line of slot <*>",
  family: "auth",
  cause: undefined,
});

suite("lines kept for citing", () => {
  test("of an entity leave when they are a day old, turns never", () => {
    const rings = new LineRings();
    const of = (key: string): SeenLine[] => rings.ofEntity(0, key, Number.NEGATIVE_INFINITY);
    const observe = (key: string, slot: number): void =>
      rings.entity({ feature: 0, key, value: 1 } as never, line(slot));
    rings.turn(line(0));
    observe("ann", 0);
    observe("bob", 0);
    observe("bob", 10);
    for (let slot = 0; slot < SLOTS_PER_DAY; slot++) {
      rings.close(slot, (id) => id);
      assert.equal(of("ann").length, 1);
    }
    rings.close(SLOTS_PER_DAY, (id) => id);
    assert.deepEqual(of("ann"), []);
    assert.deepEqual(of("bob"), [line(10), line(0)]);
    for (let slot = SLOTS_PER_DAY + 1; slot < SLOTS_PER_DAY + 20; slot++) rings.close(slot, (id) => id);
    assert.deepEqual(of("bob"), []);
    assert.deepEqual(rings.turns(Number.NEGATIVE_INFINITY), [line(0)]);
  });

  test("of a column are the newest five of all kinds in it, whenever they are asked for", () => {
    const kinds: readonly ColumnSet[] = [[0], [0, 1], [0, 1, 2]].map((ids) => ({
      ...{ ids: Uint32Array.from(ids), lines: 0, turn: undefined },
    }));
    const [often, once] = [new LineRings(), new LineRings()];
    const all: { column: number; line: SeenLine }[] = [];
    for (let n = 0; n < 60; n++) {
      const kind = kinds[(n * n + (n >> 3)) % 3]!;
      for (const rings of [often, once]) rings.counted(kind, line(n));
      for (const column of kind.ids) all.push({ column, line: line(n) });
      if (n % 7 !== 6) continue;
      for (const rings of [often, once]) rings.close(n, (id) => id);
      const newest = (column: number): SeenLine[] =>
        all
          .flatMap((of) => (of.column === column ? [of.line] : []))
          .slice(-5)
          .reverse();
      for (const column of [0, 1, 2]) assert.deepEqual(often.ofColumn(column, 0), newest(column));
      if (n > 50) for (const column of [0, 1, 2]) assert.deepEqual(once.ofColumn(column, 0), newest(column));
    }
  });
});
