import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { NoveltyCollector, NoveltyScorer } from "../../src/detect/novelty.ts";
import { ColumnRegistry } from "../../src/feature/columns.ts";
import { joinColumns } from "../../src/feature/window.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { GroupTable, learnGroups, templateOf } from "../../src/template/groups.ts";

const NEWS = { grave: false, routine: false } as const;

const NAMES = ["ann", "bob", "carl", "dora", "emil"];
const shapes = NAMES.map((name) => ({ writer: "webmail", shape: `user ${name} opened the folder` }));

suite("groups of templates", () => {
  const groups = learnGroups([...shapes, { writer: "cron", shape: "user ann opened the folder" }]);
  const table = new GroupTable(groups);
  const group = templateOf("webmail", "user <*> opened the folder");

  test("join the shapes of one writer that differ in one word", () => {
    for (const { writer, shape } of shapes) assert.deepEqual(table.templateOf(writer, shape), group);
  });
  test("take in a relative that comes later", () =>
    assert.deepEqual(table.templateOf("webmail", "user frida opened the folder"), group));
  test("leave other shapes and other writers alone", () => {
    const own = (writer: string, shape: string): void =>
      assert.deepEqual(table.templateOf(writer, shape), templateOf(writer, shape));
    own("webmail", "user ann closed the folder");
    own("cron", "user ann opened the folder");
  });
  test("don't depend on the order of the shapes", () =>
    assert.deepEqual(learnGroups([...shapes].reverse()), learnGroups(shapes)));
  test("are found through two words that vary", () => {
    const two = NAMES.flatMap((a) =>
      NAMES.map((b) => ({ writer: "x", shape: `${a} wrote to ${b} again today` })),
    );
    const found = new GroupTable(learnGroups(two));
    const one = templateOf("x", "<*> wrote to <*> again today");
    assert.deepEqual(found.templateOf("x", "ann wrote to emil again today"), one);
  });
});

suite("a model that adopted groups", () => {
  const line = (name: string): string => `Nov  3 10:00:00 mx webmail[5]: user ${name} opened the folder`;
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 1);
  const before = NAMES.map((name, i) => reader.readText("f", i + 1, line(name)));
  const groups = learnGroups(
    before.map((e) => ({ writer: e.daemon, shape: e.template.slice(e.daemon.length + 2) })),
  );
  reader.adopt(groups);
  const after = reader.readText("f", 6, line("frida"));

  test("reads a name never seen as the same template", () =>
    assert.equal(after.template, "webmail: user <*> opened the folder"));
  test("finds nothing new in it", () => {
    const collector = new NoveltyCollector();
    for (const event of before) collector.add(event.templateId, event.time!, NEWS);
    const day = 86_400_000;
    const ids = new Map(before.map((e) => [e.templateId, after.templateId]));
    const scorer = new NoveltyScorer(collector.fit(after.time! - 9 * day, after.time!, ids));
    assert.equal(scorer.see(after.templateId, after.time! + day, NEWS), undefined);
    assert.notEqual(scorer.see("another", after.time! + day, NEWS), undefined);
  });
  test("counts them in one column", () => {
    const registry = new ColumnRegistry();
    const own = before.map((event) => registry.of(event).ids.at(-1)!);
    const into = registry.join(
      new Map(before.map((e) => [e.templateId, { id: after.templateId, text: after.template }])),
    );
    const slot = joinColumns(
      { slot: 1, ids: Uint32Array.from(own), counts: Float32Array.from([1, 2, 3, 4, 5]) },
      into,
    );
    assert.deepEqual([...slot.counts], [15]);
    assert.equal(slot.ids[0], registry.of(after).ids.at(-1));
  });
});
