import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Alert } from "../../src/detect/alert.ts";
import type { Candidate } from "../../src/detect/candidate.ts";
import { IncidentManager, type Ledger } from "../../src/detect/incident.ts";
import { WaitingCandidates } from "../../src/detect/waiting.ts";

const NOON = Date.UTC(2026, 9, 10, 12);
/** The bar of two alerts a day. */
const BAR = 0.02;

const guess = (key: string, rate: number, text: string): Candidate => ({
  at: NOON,
  start: NOON - 3_600_000,
  view: "novelty",
  family: "auth",
  key,
  rate,
  pValue: rate,
  kind: "bruteforce",
  kindConfidence: 0.9,
  title: `Password guessing: ${text}`,
  summary: text,
  measure: { name: "lines", actual: 40, typicalLow: 0, typicalHigh: 2 },
  entities: [],
  templates: [],
  lines: [{ file: "mail.log", line: 1, text, templateId: "t" }] as unknown as Candidate["lines"],
  fresh: 1,
  shareSince: () => 1,
});

/** A shape that repeats: rarer line by line, up to a limit. */
const repeated = (key: string, lines: number): Candidate[] =>
  Array.from({ length: lines }, (_, n) => guess(key, BAR / Math.min(n + 2, 256), `${key} ${n}`));

function told(candidates: readonly Candidate[]): { alerts: Alert[]; ledger: Ledger } {
  const manager = new IncidentManager({ perDay: 2, clock: () => ({ day: 1, minute: 0, weekday: 6 }) });
  return { alerts: manager.offer(candidates), ledger: manager.ledger };
}
function waited(candidates: readonly Candidate[]): Candidate[] {
  const waiting = new WaitingCandidates();
  for (const one of candidates) {
    waiting.add(one);
    assert.ok(waiting.save().length <= 1024);
  }
  return waiting.take();
}

suite("candidates that wait for the end of their slot", () => {
  test("are handed out once, as they came", () => {
    const waiting = new WaitingCandidates();
    const few = repeated("shape a", 100);
    for (const one of few) waiting.add(one);
    assert.deepEqual(waiting.take(), few);
    assert.deepEqual(waiting.take(), []);
  });

  test("are bounded, and tell and count what all of them would have", () => {
    const [a, b] = [repeated("shape a", 20_000), repeated("shape b", 3000)];
    const all = a.flatMap((one, n) => [one, ...b.slice(n, n + 1)]);
    const found = told(waited(all));
    assert.equal(found.alerts.length, 1);
    assert.equal(found.alerts[0]!.total.events, 23_000);
    assert.deepEqual(found, told(all));
  });

  test("are bounded when each is of a shape of its own", () => {
    const all = Array.from({ length: 20_000 }, (_, n) => guess(`shape ${n}`, BAR / (n + 2), `line ${n}`));
    const found = told(waited(all));
    const plain = told(all);
    assert.deepEqual(found.ledger, plain.ledger);
    assert.equal(found.alerts[0]!.title, plain.alerts[0]!.title);
  });

  test("that no incident takes in are counted, too", () =>
    assert.deepEqual(told(waited(Array.from({ length: 5000 }, () => guess("shape a", 1, "common")))).ledger, {
      opened: 0,
      held: 0,
      suppressed: 0,
      planned: 0,
      joined: 0,
      belowBar: 5000,
    }));
});
