import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { MailEvent } from "../../src/mail/event.ts";
import { MessageTracker } from "../../src/mail/message.ts";
import type { Story } from "../../src/mail/story.ts";
import { plainReader } from "./support.ts";
import { linesOf, track } from "./transaction-support.ts";

/** What one message writes: its way in, its tries, and whether it ends. */
type Plan = {
  readonly id: number;
  readonly way: "client" | "pickup" | "message-id";
  readonly tries: readonly ("deferred" | "sent" | "bounced")[];
  readonly ends: boolean;
};

const plan: fc.Arbitrary<Plan> = fc.record({
  // Few ids, so that they are used again and again.
  id: fc.integer({ min: 0, max: 3 }),
  way: fc.constantFrom("client", "pickup", "message-id"),
  tries: fc.array(fc.constantFrom("deferred", "sent", "bounced"), { minLength: 1, maxLength: 4 }),
  ends: fc.boolean(),
});

/** The lines of a message after their time, host included. n: its number, which its message-id holds. */
function linesFor(p: Plan, n: number): string[] {
  const id = `ABCDE0000${p.id}`;
  const lines: string[] = [];
  if (p.way === "client") lines.push(`postfix/smtpd[${100 + n}]: ${id}: client=h.example[192.0.2.9]`);
  if (p.way === "pickup") lines.push(`postfix/pickup[1]: ${id}: uid=33 from=<www>`);
  lines.push(`postfix/cleanup[2]: ${id}: message-id=<${n}@b.example>`);
  for (const status of p.tries) {
    lines.push(`postfix/qmgr[3]: ${id}: from=<a@b.example>, size=300, nrcpt=1 (queue active)`);
    lines.push(
      `postfix/smtp[4]: ${id}: to=<x${n}@far.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=${status} (words of ${n})`,
    );
  }
  if (p.ends) lines.push(`postfix/qmgr[3]: ${id}: removed`);
  return lines;
}

/**
 * All plans' lines as one log: those of one id one after the other, those of different ids mixed as `order` says.
 * Returns the texts and for each the number of its message.
 */
function mixed(plans: readonly Plan[], order: readonly number[]): { text: string; message: number }[] {
  const queues = new Map<number, { text: string; message: number }[]>();
  for (const [n, p] of plans.entries()) {
    const queue = queues.get(p.id) ?? [];
    for (const text of linesFor(p, n)) queue.push({ text, message: n });
    queues.set(p.id, queue);
  }
  const out: { text: string; message: number }[] = [];
  for (let step = 0; queues.size > 0; step++) {
    const ids = [...queues.keys()];
    const id = ids[(order[step % Math.max(1, order.length)] ?? 0) % ids.length]!;
    const queue = queues.get(id)!;
    out.push(queue.shift()!);
    if (queue.length === 0) queues.delete(id);
  }
  return out.map((line, i) => ({
    ...line,
    text: `Oct 10 10:${String(Math.floor(i / 60) % 60).padStart(2, "0")}:${String(i % 60).padStart(2, "0")} mx ${line.text}`,
  }));
}

const read = (texts: readonly string[]): MailEvent[] => {
  const reader = plainReader();
  return texts.map((text, i) => reader.readText("mail.log", i + 1, text));
};

suite("messages put together again", () => {
  test("exactly, however they are interleaved and their ids reused", () =>
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 1, maxLength: 14 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 60 }),
        (plans, order) => {
          const log = mixed(plans, order);
          const { stories } = track(read(log.map((l) => l.text)));
          assert.equal(stories.length, plans.length);
          for (const story of stories) {
            const n = Number(story.messageId!.split("@")[0]);
            const own = log.flatMap((l, i) => (l.message === n ? [i + 1] : []));
            assert.deepEqual(linesOf(story), own);
            assert.equal(story.finished, plans[n]!.ends);
            const [recipient] = story.recipients.values();
            assert.deepEqual(
              recipient!.history.map((a) => a.status),
              plans[n]!.tries,
            );
          }
        },
      ),
      { numRuns: 150 },
    ));

  test("whatever lines are missing, doubled, swapped or cut, no line is lost and none throws", () =>
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 1, maxLength: 10 }),
        fc.array(
          fc.record({
            at: fc.nat(200),
            what: fc.constantFrom("drop", "double", "swap", "cut", "noise"),
            n: fc.nat(90),
          }),
          { maxLength: 20 },
        ),
        fc.string({ maxLength: 40 }),
        (plans, changes, noise) => {
          const texts = mixed(plans, [0, 1, 2]).map((l) => l.text);
          for (const { at, what, n } of changes) {
            const i = at % texts.length;
            if (what === "drop") texts.splice(i, 1);
            else if (what === "double") texts.splice(i, 0, texts[i]!);
            else if (what === "swap" && i + 1 < texts.length)
              [texts[i], texts[i + 1]] = [texts[i + 1]!, texts[i]!];
            else if (what === "cut") texts[i] = texts[i]!.slice(0, n);
            else texts[i] = texts[i]!.slice(0, n) + noise + texts[i]!.slice(n);
            if (texts.length === 0) return;
          }
          const events = read(texts);
          const { stories, tracker } = track(events);
          const withId = events.filter((e) => e.time !== null && e.queueId !== undefined).length;
          assert.equal(
            stories.reduce((sum, s) => sum + s.lineCount, 0),
            withId,
          );
          assert.equal(tracker.size, 0);
          assert.ok(stories.every((s) => s.finished !== (s.why !== undefined)));
        },
      ),
      { numRuns: 150 },
    ));

  test("with a table for two messages all are given out once", () =>
    fc.assert(
      fc.property(
        fc.array(plan, { maxLength: 20 }),
        fc.array(fc.nat(3), { minLength: 1 }),
        (plans, order) => {
          const given: Story[] = [];
          const tracker = new MessageTracker({
            maxStories: 2,
            onThread: (thread) => given.push(...thread.stories),
          });
          for (const event of read(mixed(plans, order).map((l) => l.text))) {
            tracker.add(event);
            assert.ok(tracker.size <= 2);
          }
          tracker.end();
          assert.equal(given.length, tracker.counts.stories);
          assert.equal(new Set(given).size, given.length);
        },
      ),
      { numRuns: 60 },
    ));
});
