import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { agglomerate } from "../../src/template/agglomerate.ts";
import { Catalogue } from "../../src/template/catalogue.ts";
import { templateId } from "../../src/template/mask.ts";

const COLOURS = ["red", "green", "blue", "black", "white", "brown"];
/** The groups of these shapes, as text, sorted. */
const groups = (shapes: readonly string[]): string[] => {
  const joined = agglomerate(shapes);
  return [...new Set(shapes.map((shape) => joined.get(shape) ?? shape))].sort();
};

suite("shapes that differ in one word", () => {
  test("are one group when there are five", () => {
    assert.deepEqual(groups(COLOURS.slice(0, 5).map((c) => `the ${c} car stopped`)), ["the <*> car stopped"]);
    assert.equal(groups(COLOURS.slice(0, 4).map((c) => `the ${c} car stopped`)).length, 4);
  });
  test("stay apart when fewer than two constant words would be left", () =>
    assert.equal(groups(COLOURS.map((c) => `car ${c}`)).length, 6));
  test("are joined where two words vary, pass by pass", () => {
    const both = COLOURS.flatMap((a) => COLOURS.map((b) => `from ${a} to ${b} done`));
    assert.deepEqual(groups(both), ["from <*> to <*> done"]);
  });
  test("become canonical again beside a parameter", () =>
    assert.deepEqual(groups(COLOURS.map((c) => `user ${c} <*> logged in`)), ["user <*> logged in"]));
  test("are joined inside brackets and values", () =>
    assert.deepEqual(groups(COLOURS.map((c) => `auth(user=${c}): failed`)), ["auth(user=<*>): failed"]));
  test("group the same whatever their order", () => {
    const word = fc.constantFrom("a", "b", "c", "d", "e", "f", "<*>");
    const shape = fc.array(word, { minLength: 2, maxLength: 4 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(fc.uniqueArray(shape, { maxLength: 120 }), (shapes) => {
        const there = agglomerate(shapes);
        const back = agglomerate(shapes.toReversed());
        assert.deepEqual([...there].sort(), [...back].sort());
      }),
      { numRuns: 200 },
    );
  });
});

suite("the catalogue of a log", () => {
  test("counts messages by group, and names joined shapes by alias", () => {
    const catalogue = new Catalogue(1);
    const shapes = COLOURS.map((c) => catalogue.add(`the ${c} car stopped 7 times`));
    catalogue.add("other");
    catalogue.settle();
    const text = "the <*> car stopped <*> times";
    assert.deepEqual(catalogue.groupOf(shapes[0]!), { id: templateId(text), text });
    assert.deepEqual(
      catalogue.table().map(({ template, count }) => [template.text, count]),
      [
        [text, 6],
        ["other", 1],
      ],
    );
    assert.equal(catalogue.aliases().size, 6);
    assert.equal(catalogue.aliases().get(templateId("the red car stopped <*> times")), templateId(text));
  });
  test("has no group before it is settled", () => {
    const catalogue = new Catalogue(1);
    const shape = catalogue.add("a");
    assert.throws(() => catalogue.groupOf(shape), RangeError);
  });
  test("stays bounded in a flood of new shapes, counts it, and gives every message a group", () => {
    const catalogue = new Catalogue(1);
    const name = (n: number): string => n.toString(2).replaceAll("0", "ox").replaceAll("1", "um");
    const numbers = Array.from({ length: 40_000 }, (_, i) =>
      catalogue.add(`${name(i)} ${name(i >> 1)} x ${name(i)}`),
    );
    assert.equal(catalogue.bounded, 20_000);
    assert.ok(Math.max(...numbers.slice(-100)) <= 21_001);
    catalogue.settle();
    assert.equal(catalogue.groupOf(numbers.at(-1)!).text, "<*>");
    assert.equal(
      catalogue.table().reduce((sum, row) => sum + row.count, 0),
      40_000,
    );
  });
});
