import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { type DayFacts, reportStore } from "../../src/store/report-queries.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-report-"));
after(() => rmSync(root, { recursive: true, force: true }));
const db = openDatabase(root);
after(() => db.close());
const store = reportStore(db, databasePath(root));

const DAY = "2026-11-28";
const from = Date.parse(`${DAY}T00:00:00Z`);
const to = from + 86_400_000;
const HOUR = 3_600_000;
const facts = (): DayFacts => store.dayFacts(DAY, from, to);

/** hour: of opening, from the day's midnight on. */
function save(id: string, hour: number, more: Record<string, unknown> = {}): void {
  const opened = new Date(from + hour * HOUR).toISOString();
  const record = { id, opened_at: opened, end: opened, closed_at: opened, held: false, ...more };
  db.prepare("INSERT INTO alerts (id, opened_at, record) VALUES (?, ?, ?)").run(
    id,
    from + hour * HOUR,
    JSON.stringify(record),
  );
}
const iso = (hour: number): string => new Date(from + hour * HOUR).toISOString();

suite("the facts of a day", () => {
  test("of an empty state are none", () => {
    const none = facts();
    assert.deepEqual(none.alerts, { rows: [], more: 0 });
    assert.deepEqual(none.outbox, { waiting: 0, since: undefined, givenUp: 0 });
    assert.deepEqual([none.counts, none.model, none.retrained], [undefined, undefined, undefined]);
  });
  test("take what opened on the day or was still open on it, and nothing else", () => {
    save("before", -5);
    save("first", 0);
    save("last", 23.99);
    save("next", 24);
    save("into", -5, { closed_at: iso(1) });
    save("open", -5, { closed_at: null, end: iso(-1) });
    save("left", -60, { closed_at: null, end: iso(-58) }); // by a run that ended
    save("held", 3, { held: true });
    save("heldBefore", -3, { held: true, closed_at: null, end: iso(2) });
    const { alerts, opened, held } = facts();
    assert.deepEqual(
      alerts.rows.map((a) => a.id),
      ["into", "open", "first", "last"],
    );
    assert.deepEqual([opened, held.rows.map((a) => a.id)], [2, ["held"]]);
  });
  test("count records that are no JSON and go on without them", () => {
    db.prepare("INSERT INTO alerts (id, opened_at, record) VALUES ('torn', ?, '{\"id\":')").run(from + HOUR);
    assert.equal(facts().damaged, 1);
    assert.equal(facts().opened, 2);
  });
  test("hold so many alerts and count the rest", () => {
    for (let i = 0; i < 250; i++) save(`many${i}`, 10);
    const { alerts, opened } = facts();
    assert.deepEqual([alerts.rows.length, alerts.more, opened], [200, 54, 252]);
  });
  test("have the ledger of the day", () => {
    const record = {
      opened: 1,
      held: 2,
      suppressed: 8,
      planned: 9,
      joined: 3,
      below_bar: 4,
      lines: 5,
      unknown: 6,
      lost: 7,
    };
    db.prepare("INSERT INTO days (day, record) VALUES (?, ?)").run(DAY, JSON.stringify(record));
    assert.deepEqual(facts().counts, { ...record, bad_envelope: 0 });
  });
  test("have the day's new templates, those with most lines first", () => {
    const insert = db.prepare("INSERT INTO new_templates (id, text, first_at, lines) VALUES (?, ?, ?, ?)");
    for (let i = 0; i < 25; i++) insert.run(`t${i}`, `text ${i}`, from + i * 60_000, i);
    insert.run("old", "old", from - 1, 1000);
    const { rows, more } = facts().templates;
    assert.deepEqual(
      [rows.length, more, rows[0]],
      [20, 5, { id: "t24", text: "text 24", firstAt: from + 24 * 60_000, lines: 24 }],
    );
  });
  test("have what waits in the outbox, and what was given up since the day began", () => {
    const insert = db.prepare(
      "INSERT INTO outbox (key, channel, created_at, payload, state, next_at, done_at) VALUES (?, 'mail', ?, '{}', ?, 0, ?)",
    );
    insert.run("a", from + 5, "waiting", null);
    insert.run("b", from + 4, "waiting", null);
    insert.run("c", from, "sent", from + 9);
    insert.run("d", from, "given_up", from + 9);
    insert.run("e", from - 9, "given_up", from - 1);
    assert.deepEqual(facts().outbox, { waiting: 2, since: from + 4, givenUp: 1 });
  });
});

suite("mail figures of days", () => {
  test("are kept, one set a day, the latest 84", () => {
    for (let i = 0; i < 90; i++)
      store.saveFigures(new Date(from + i * 24 * HOUR).toISOString().slice(0, 10), { received: i });
    store.saveFigures("2027-02-25", { received: 1000 });
    const kept = store.figures();
    assert.deepEqual([kept.length, kept[0]], [84, { day: "2026-12-04", totals: { received: 6 } }]);
    assert.deepEqual(kept.at(-1), { day: "2027-02-25", totals: { received: 1000 } });
  });
});
