import assert from "node:assert/strict";
import { beforeEach, suite, test } from "node:test";
import { loadKernels } from "../../src/cli/kernels.ts";
import { slowCandidate } from "../../src/detect/slow-candidate.ts";
import {
  SLOW_WIDTHS,
  type SlowFinding,
  type SlownessModel,
  SlownessScorer,
} from "../../src/detect/slowness.ts";
import { SlownessCollector } from "../../src/detect/slowness-fit.ts";
import { slotRows } from "../../src/detect/window-fit.ts";
import { localClock, SLOT_MS } from "../../src/feature/clock.ts";
import type { TimedDelivery } from "../../src/feature/slowness.ts";
import type { Transaction } from "../../src/feature/transaction.ts";
import { Zone } from "../../src/log/zone.ts";
import { createRandom } from "../../src/math/random.ts";

/** Twelve days of two deliveries each five minutes: to a near server, and to a far one that takes ten times as long. */
const DAYS = 12;
const SLOTS = DAYS * 288;
const rowsFrom = (first: number) => slotRows(first, first + SLOTS - 1, localClock(new Zone("UTC")));
const ROWS = rowsFrom(0);
/** Seconds that reception takes, and how much longer that of a message that was signed. */
const RECEPTION = 0.4;
const SIGNING = 8;
const NEAR = { name: "near.example", takes: 0.1 };
const FAR = { name: "far.example", takes: 1 };
type Traffic = {
  readonly mails?: number;
  readonly stretch?: (destination: string) => number;
  readonly signed?: boolean;
  /** Seconds. */
  readonly reception?: number;
};

let random = createRandom(1);
/** The same chance for each test, whatever runs before it. */
beforeEach(() => {
  random = createRandom(2);
});
const spread = () => Math.exp(0.4 * random.normal());
const delivery = (
  { name, takes }: typeof NEAR,
  slot: number,
  stretch = 1,
  received = RECEPTION,
): TimedDelivery => ({
  ...{ program: "postfix/smtp", destination: name },
  seconds: [received * spread(), takes * stretch * spread(), takes * stretch * spread()],
  line: {
    ...{ file: "mail.log", line: slot + 1, text: `slot ${slot}: ${name}`, time: slot * SLOT_MS },
    ...{ templateId: "t", template: "postfix/smtp: <*>", family: "outbound", cause: undefined },
  },
});
const message = (signed: boolean): Transaction => ({
  ...{ type: "message", key: "AAAAA11111", start: 0, end: 0, lines: [], finished: true },
  ...{ why: undefined, startSeen: true, reals: [1, 1, 1, 1, 1, 1] },
  shapes: signed ? ["plain", 1, "signed", 1] : ["plain", 1],
});

/** A newsletter: so many mails within a slot, each so much slower than usual. */
const NEWSLETTER = { mails: 60, stretch: 30 };

/** first: slot. newsletter: the slot in which it is sent. before: what is remembered. */
function learn(first = 0, newsletter?: number, before?: SlownessModel): SlownessModel {
  const collector = new SlownessCollector();
  for (let slot = first; slot < first + SLOTS; slot++)
    for (const server of [NEAR, FAR]) {
      const signed = slot % 10 === 0;
      const { mails, stretch } = slot === newsletter ? NEWSLETTER : { mails: 1, stretch: 1 };
      for (let i = 0; i < mails; i++) {
        const made = delivery(server, slot, stretch, signed ? RECEPTION * SIGNING : RECEPTION);
        collector.add(made, slot);
        collector.addMessage(message(signed), [made], slot);
      }
    }
  const options = { salt: "salt", seed: 1, kernels: loadKernels() };
  return collector.fit(rowsFrom(first), new Map(), options, undefined, before)!;
}
const model = learn();

function watch(
  hours: number,
  { mails = 1, stretch = () => 1, signed = false, reception = RECEPTION }: Traffic,
  made = new SlownessScorer(model),
) {
  const found: SlowFinding[] = [];
  for (let slot = 0; slot < hours * 12; slot++) {
    for (let i = 0; i < mails; i++) {
      for (const server of [NEAR, FAR]) {
        const one = delivery(server, slot, stretch(server.name), reception);
        made.add(one);
        made.addMessage(message(signed), [one]);
      }
    }
    found.push(...made.score());
    made.next();
  }
  return found;
}
const rare = (found: readonly SlowFinding[], aDay = 0.02) => found.filter((f) => f.rate < aDay);

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
      entities.slice(0, 2).map((e) => e.value),
      ["postfix/smtp", "near.example"],
    );
    assert.ok(lines.length > 0 && lines.length <= 5);
    assert.ok(lines.every((l) => l.text.includes("near.example")));
  });

  test("are told by what the message went through: signing takes its time, and the same time without it is slow", () => {
    // a day of signed mail alone is rare in itself: one in ten was signed, and what they take is known less well
    assert.deepEqual(rare(watch(6, { signed: true, reception: RECEPTION * SIGNING }), 0.001), []);
    const [first] = rare(watch(1, { reception: RECEPTION * SIGNING }));
    assert.equal(first?.stage, 0);
    // three times as long is slow for a signed message, though a tenth of all others' limit would never tell
    assert.equal(rare(watch(2, { signed: true, reception: 3 * RECEPTION * SIGNING }))[0]?.stage, 0);
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
    for (let i = 0; i < 100; i++) collector.add(delivery(NEAR, i), i);
    const options = { salt: "", seed: 1, kernels: loadKernels() };
    assert.equal(collector.fit(ROWS, new Map(), options), undefined);
  });

  test("name no destination in the model", () =>
    assert.ok(!JSON.stringify({ ...model, reception: undefined }).includes(".example")));

  test("have a row for each width, and a finding is the rarest of its own", () => {
    const scorer = new SlownessScorer(model);
    watch(24, {}, scorer);
    const usual = scorer.rows();
    assert.deepEqual(
      usual.map(({ width }) => width),
      SLOW_WIDTHS,
    );
    assert.ok(usual.every(({ score, pValue }) => score <= 0 && pValue > 0.01));
    for (let i = 0; i < 10; i++) scorer.add(delivery(NEAR, 0, 8));
    const [found] = scorer.score();
    const row = scorer.rows().find(({ width }) => width === found!.width)!;
    assert.ok(row.score >= found!.excess && row.pValue <= found!.pValue && row.pValue < 0.001);
  });

  test("of a newsletter are none when it comes again after the weeks that are learned, and hides no outage", () => {
    const then = learn(0, SLOTS / 2);
    const told = (model: SlownessModel, { mails, stretch }: typeof NEWSLETTER) => {
      const scorer = new SlownessScorer(model);
      watch(24, {}, scorer);
      const before = rare(scorer.score());
      for (const server of [NEAR, FAR])
        for (let i = 0; i < mails; i++) scorer.add(delivery(server, 0, stretch));
      return rare(scorer.score()).length - before.length;
    };
    assert.ok(told(learn(SLOTS), NEWSLETTER) > 0, "without memory it is told");
    const remembering = learn(SLOTS, undefined, learn(SLOTS, undefined, then));
    assert.equal(told(remembering, NEWSLETTER), 0);
    const outage = rare(watch(6, { stretch: () => 8 }, new SlownessScorer(remembering)));
    assert.ok(outage.length > 0, "it hides no hours in which all is slow");
  });
});
