import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { ColumnRegistry } from "../../src/feature/columns.ts";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { type Transaction, TransactionTracker } from "../../src/feature/transaction.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { LineClients } from "../../src/mail/line-client.ts";
import { LineIds } from "../../src/mail/line-ids.ts";
import { plainReader } from "../mail/support.ts";
import { changed } from "../mail/transaction-support.ts";

/**
 * Views ask a line's plan for what all its lines have in common, and simple readers for the rest. Each must come to what the line
 * says by itself: the same event under a plan of its own, of which nothing is remembered.
 */

/** Lines of the demo's log that are looked at: its first days hold every kind of line but incidents, its last ones those. */
const PART = 6_000;
const LINES = ((): string[] => {
  const all = gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8").trimEnd().split("\n");
  return [...all.slice(0, PART), ...all.slice(-PART)];
})();

/** Lines that look alike: other digits, other users, other hosts, and texts that mislead. */
const CHANGES: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.slice(0, 16) + line.slice(16).replace(/[1-9]/g, (d) => String((Number(d) % 9) + 1)),
  (line) =>
    line.replace(/[a-z]+\.[a-z]+@/g, "quota-loop@").replace(/user=<[^>]*>/, "user=<zoe>, session=<x>"),
  (line) => line.replace(/\b[a-z]+\.example/g, "status.dsn.example").replace(/\((\w+)@/, "(x)<$1@"),
  (line) => line.replace(/<[0-9]+></, "<seven><").replace(/session=</, "session=<a>, session=<"),
];
const accountOf = ({ fields }: MailEvent): string => String(fields["sasl_username"] ?? fields["user"] ?? "");
const addressOf = ({ fields }: MailEvent): string => String(fields["client_address"] ?? fields["rip"] ?? "");
const apart = (event: MailEvent): MailEvent => changed(event, {});
const events = (lines: readonly string[]): MailEvent[] => {
  const reader = plainReader();
  return lines.flatMap((line, i) => CHANGES.map((change) => reader.readText("f", i + 1, change(line))));
};
const READ = events(LINES).filter((event) => event.time !== null);

suite("what a view takes from a line's plan is what the line itself says", () => {
  test("its queue id and session", () => {
    const ids = new LineIds();
    for (const event of READ) {
      assert.equal(ids.queueId(event), event.queueId, event.text);
      assert.equal(ids.session(event), event.session, event.text);
    }
  });

  test("its account and client", () => {
    const clients = new LineClients();
    for (const event of READ) {
      assert.equal(clients.account(event), accountOf(event), event.text);
      assert.equal(clients.address(event), addressOf(event), event.text);
    }
  });

  test("its columns", () => {
    const registry = new ColumnRegistry();
    for (const event of READ) {
      const set = registry.of(event);
      assert.equal(set, registry.of(apart(event)), event.text);
      assert.equal(registry.columns[set.ids[0] ?? 0]!.key, "all");
    }
  });

  test("its entities", () => {
    const [own, alone] = [new EntityReader(""), new EntityReader("")];
    let seen = 0;
    for (const event of READ) {
      const [observed, expected]: [Observation[], Observation[]] = [[], []];
      own.read(event, observed);
      alone.read(apart(event), expected);
      assert.deepEqual(observed, expected, event.text);
      assert.equal(own.accountOf(event), alone.accountOf(apart(event)));
      seen += observed.length;
    }
    assert.ok(seen > PART / 5, `${seen} observations`);
  });

  test("its transaction", () => {
    const [own, alone] = [new TransactionTracker(), new TransactionTracker()];
    const plain = (t: Transaction): unknown => ({ ...t, shapes: [...t.shapes], reals: [...t.reals] });
    let seen = 0;
    for (const event of READ) {
      const closed = own.add(event, event.time!);
      assert.deepEqual(closed.map(plain), alone.add(apart(event), event.time!).map(plain), event.text);
      seen += closed.length;
    }
    assert.ok(seen > PART / 20, `${seen} transactions`);
  });
});

test("queue id, session, account and client of damaged lines are those that the grammar reads", () => {
  const pieces = [
    "<",
    ">",
    ")<",
    ": ",
    ", session=<",
    ", rip=",
    "user=<",
    ">, ",
    "ABCDEF1234: ",
    "NOQUEUE: ",
    "warning: ",
    "[7]",
    "]",
    " ",
  ];
  const cut = fc.record({
    line: fc.integer({ min: 0, max: LINES.length - 1 }),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 12 }),
    insert: fc.constantFrom(...pieces),
  });
  const reader = plainReader();
  const ids = new LineIds();
  const clients = new LineClients();
  fc.assert(
    fc.property(cut, ({ line, at, remove, insert }) => {
      const text = LINES[line]!;
      const from = 20 + Math.floor(at * (text.length - 20));
      const damaged = text.slice(0, from) + insert + text.slice(from + remove);
      for (const one of [text, damaged, damaged.replace(/[1-9]/g, "4")]) {
        const event = reader.readText("f", 1, one);
        assert.equal(ids.queueId(event), event.queueId, one);
        assert.equal(ids.session(event), event.session, one);
        assert.equal(clients.account(event), accountOf(event), one);
        assert.equal(clients.address(event), addressOf(event), one);
      }
    }),
    { numRuns: 4000 },
  );
});
