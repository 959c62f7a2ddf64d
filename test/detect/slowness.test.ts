import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { slowCandidate } from "../../src/detect/slow-candidate.ts";
import { type SlowFinding, type SlownessModel, SlownessScorer } from "../../src/detect/slowness.ts";
import { SlownessCollector } from "../../src/detect/slowness-fit.ts";
import { SLOT_MS } from "../../src/feature/clock.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";
import { createRandom } from "../../src/math/random.ts";

/** Twelve days of two deliveries each five minutes: to a near server, and to a far one that takes ten times as long. */
const DAYS = 12;
const PLACES = Array.from({ length: DAYS * 288 }, (_, t) => ({ slotOfDay: t % 288, weekend: false }));
const NEAR = { name: "near.example", takes: 0.1 };
const FAR = { name: "far.example", takes: 1 };
type Traffic = { readonly mails?: number; readonly stretch?: (destination: string) => number };

const random = createRandom(1);
const delivery = ({ name, takes }: typeof NEAR, stretch = 1) => {
  const time = () => takes * stretch * Math.exp(0.4 * random.normal());
  return { program: "postfix/smtp", destination: name, seconds: [0.1, time(), time()] };
};

function learn(): SlownessModel {
  const collector = new SlownessCollector();
  for (let slot = 0; slot < PLACES.length; slot++)
    for (const server of [NEAR, FAR]) collector.add(delivery(server), slot);
  return collector.fit(0, PLACES, "salt")!;
}
const model = learn();

function watch(hours: number, { mails = 1, stretch = () => 1 }: Traffic, made = new SlownessScorer(model)) {
  const found: SlowFinding[] = [];
  for (let slot = 0; slot < hours * 12; slot++) {
    for (let i = 0; i < mails; i++) {
      for (const server of [NEAR, FAR]) {
        const text = `slot ${slot}: ${server.name}`;
        const line: SeenLine = {
          ...{ file: "mail.log", line: slot + 1, text, time: slot * SLOT_MS },
          ...{ templateId: "t", template: "postfix/smtp: <*>", family: "outbound", cause: undefined },
        };
        made.add(delivery(server, stretch(server.name)), line);
      }
    }
    found.push(...made.score());
    made.next();
  }
  return found;
}
const rare = (found: readonly SlowFinding[]) => found.filter((f) => f.rate < 0.02);

suite("slow deliveries", () => {
  test("are none on a usual day, nor when eight times as many mails are as quick", () => {
    assert.deepEqual(rare(watch(24, {})), []);
    assert.deepEqual(rare(watch(12, { mails: 8 })), []);
  });

  test("are found within the hour when all take four times as long", () => {
    const [first] = rare(watch(1, { stretch: () => 4 }));
    assert.ok(first);
    assert.ok(first.stage > 0, "connecting or handing over");
    assert.ok(first.slow >= first.deliveries / 2);
  });

  test("are found at one destination that was quick, though others always took as long", () => {
    const scorer = new SlownessScorer(model);
    const found = rare(watch(4, { stretch: (name) => (name === NEAR.name ? 8 : 1) }, scorer));
    const last = found.at(-1);
    assert.ok(last);
    const { entities, title, kind, lines } = slowCandidate(last, {
      scorer,
      at: 0,
      slotEnd: 4 * 12 * SLOT_MS,
    });
    assert.equal(kind, "latency");
    assert.ok(title.includes("most of them for near.example"), title);
    assert.deepEqual(
      entities.map((e) => e.value),
      ["postfix/smtp", "near.example"],
    );
    assert.ok(lines.length > 0 && lines.length <= 5);
    assert.ok(lines.every((l) => l.text.includes("near.example")));
  });

  test("tell of nothing once they have left the longest window, or after a silence", () => {
    const scorer = new SlownessScorer(model);
    assert.ok(rare(watch(2, { stretch: () => 8 }, scorer)).length > 0);
    watch(6, {}, scorer);
    assert.deepEqual(rare(watch(12, {}, scorer)), []);
    assert.ok(rare(watch(2, { stretch: () => 8 }, scorer)).length > 0);
    scorer.restart();
    assert.deepEqual(rare(watch(12, {}, scorer)), []);
  });

  test("are nothing for a program that training hardly knew", () => {
    const collector = new SlownessCollector();
    for (let i = 0; i < 100; i++) collector.add(delivery(NEAR), i);
    assert.equal(collector.fit(0, PLACES, ""), undefined);
  });

  test("name no destination in the model", () => assert.ok(!JSON.stringify(model).includes(".example")));
});
