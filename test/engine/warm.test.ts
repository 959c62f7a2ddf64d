import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { packWarm, unpackWarm } from "../../src/engine/warm.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { at, linesOf, planOf, textOf } from "../compose/support.ts";
import { learn } from "../pipeline/support.ts";

/** Two days of a composed server, one of them learned; the networks are left out. */

const { model, options, unbroken } = learn(
  {
    bytes: Buffer.from(`${textOf(linesOf(planOf({ days: 2 }, { mailsPerDay: 100 })))}\n`),
    zone: "UTC",
    year: 2026,
    until: Date.parse(at(1, 0)),
  },
  { timeOnly: true, without: new Set(["transaction"] as const) },
);
const bytes = packWarm(unbroken.detector, unbroken.reader);
const reader = (): EventReader => new EventReader(new LogClock(new Zone("UTC"), undefined), 1);

suite("a warm state", () => {
  test("is a detector and a reader that go on", () => {
    const ours = reader();
    const detector = unpackWarm(bytes, model, options, ours)!;
    assert.deepEqual(detector.save(), unbroken.detector.save());
    assert.deepEqual(ours.save(), unbroken.reader.save());
  });

  test("leaves a reader alone that is not given", () =>
    assert.ok(unpackWarm(bytes, model, options) !== undefined));

  test("is none for another model", () =>
    assert.equal(unpackWarm(bytes, { ...model, events: model.events + 1 }, options), undefined));

  test("is none when it is damaged, wherever", () => {
    for (const part of [0, 0.3, 0.6, 0.999]) {
      const broken = bytes.slice();
      broken[Math.floor(part * broken.length)]! ^= 0xff;
      assert.equal(unpackWarm(broken, model, options, reader()), undefined, `${part}`);
    }
    assert.equal(unpackWarm(bytes.slice(0, bytes.length / 2), model, options), undefined);
    assert.equal(unpackWarm(new Uint8Array(), model, options), undefined);
  });
});
