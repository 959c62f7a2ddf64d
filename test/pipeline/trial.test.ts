import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { loadKernels } from "../../src/cli/kernels.ts";
import { foldOf } from "../../src/detect/folds.ts";
import { DAY_MS, slotOf } from "../../src/feature/clock.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { EventReader } from "../../src/mail/read.ts";
import { decodeVae } from "../../src/model/artifact.ts";
import { INJECTED, planInjections } from "../../src/pipeline/injection.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { Model } from "../../src/pipeline/model.ts";
import { type Sketch, Sketcher } from "../../src/pipeline/sketch.ts";
import {
  cleanTime,
  heldOutDays,
  standInParent,
  Trial,
  WARM_UP_MS,
  wholeDays,
} from "../../src/pipeline/trial.ts";
import { linesOf, MATERIAL, MONDAY, planOf } from "../compose/support.ts";
import { optionsIn } from "./support.ts";

/** Five days of a small composed server; the last two are gone through. */

const START = Date.parse(MONDAY);
const DAYS = 5;
const END = START + DAYS * DAY_MS;
const LAST = END - DAY_MS;
const KERNELS = loadKernels();
const ZONE = new Zone("UTC");
const OPTIONS = optionsIn(ZONE, { salt: "s", kernels: KERNELS });
const TEXTS = linesOf(planOf({ days: DAYS }, { mailsPerDay: 150 })).map(({ text }) => text);

const newReader = (): EventReader => new EventReader(new LogClock(ZONE, 2026), 3);
function learnt(learner: Learner, parent?: Model): Model {
  const reader = newReader();
  for (const [i, text] of TEXTS.entries()) learner.add(reader.readText("mail.log", i + 1, text));
  return learner.fit(END, parent);
}

let learner: Learner;
let model: Model;
let sketch: Sketch;
before(() => {
  learner = new Learner(OPTIONS);
  model = learnt(learner);
  const sketcher = new Sketcher();
  const reader = newReader();
  for (const [i, text] of TEXTS.entries()) sketcher.see(reader.readText("mail.log", i + 1, text));
  sketch = sketcher.sketch("UTC", DAYS)!;
});

suite("the days of a trial", () => {
  test("are whole, and every other one is held out, the last among them", () => {
    const days = wholeDays(START + 1, END);
    assert.deepEqual(
      days,
      [1, 2, 3, 4].map((n) => START + n * DAY_MS),
    );
    assert.deepEqual(
      heldOutDays(days),
      [2, 4].map((n) => START + n * DAY_MS),
    );
    assert.deepEqual(heldOutDays([]), []);
  });
  test("count but for what is flagged", () => {
    const clean = cleanTime([LAST], new Flagged([{ start: LAST + 3_600_000, end: LAST + 7_200_000 }]));
    assert.deepEqual([LAST - 1, LAST, LAST + 3_600_000, END - 1, END].map(clean), [
      false,
      true,
      false,
      true,
      false,
    ]);
  });
});

suite("a stand-in", () => {
  test("has the networks that did not see the fold, as they are, and no line of its days", () => {
    const fold = foldOf(slotOf(LAST));
    const flagged = NOTHING_FLAGGED.plus([{ start: LAST, end: END - 1 }]);
    const standIn = learnt(new Learner(OPTIONS, flagged), standInParent(model, fold));
    const unseen = decodeVae(model.windowFolds!.networks[fold]!, KERNELS).vae;
    // Columns are fewer, so what no column has of its own is compared.
    for (const part of ["head", "decoder", "logVar"] as const) {
      assert.deepEqual(standIn.windowVae!.weights[part], unseen.weights[part]);
      if (part !== "logVar") assert.notDeepEqual(unseen.weights[part], model.windowVae!.weights[part]);
    }
    assert.equal(standIn.windowFolds!.epochs, 0);
    assert.ok(standIn.novelty.days < model.novelty.days - 0.9);
  });
});

suite("faults that are put in", () => {
  const planned = () => planInjections([LAST], cleanTime([LAST], NOTHING_FLAGGED), sketch, () => MATERIAL, 1);

  test("look like the server, and are the same for the same seed", () => {
    assert.deepEqual([sketch.host, sketch.domain], ["mx7", "alder.example"]);
    assert.ok(sketch.mailsPerDay > 50 && sketch.mailsPerDay < 600, `${sketch.mailsPerDay}`);
    const all = planned();
    assert.equal(new Set(all.map(({ kind }) => kind)).size, all.length);
    assert.ok(all.length >= 10, `${all.length}`);
    for (const { start, until, mutes, lines } of all) {
      const put = lines();
      assert.ok(mutes !== "" || put.length === 0);
      assert.ok(
        put.every(({ time, text }) => time >= start - 1000 && time <= until && text.includes(" mx7 ")),
      );
    }
    const guesses = (some: ReturnType<typeof planned>) =>
      some.find(({ kind }) => kind === "sasl_bruteforce_fast")!;
    assert.deepEqual(guesses(planned()).lines(), guesses(all).lines());
  });
  test("find no place where all time is flagged", () =>
    assert.deepEqual(
      planInjections(
        [LAST],
        () => false,
        sketch,
        () => MATERIAL,
        1,
      ),
      [],
    ));
  test("are told of by a fork, and leave the trial itself as it was", () => {
    const clean = cleanTime([LAST], NOTHING_FLAGGED);
    const fault = planned().find(({ kind }) => kind === "sasl_bruteforce_fast")!;
    const walk = (put: boolean) => {
      const [reader, composed] = [newReader(), newReader()];
      for (const one of [reader, composed]) one.adopt(model.groups);
      const trial = new Trial(model, learner.reader.pairs, OPTIONS, LAST - WARM_UP_MS, clean);
      let probe: ReturnType<Trial["fork"]> | undefined;
      for (const [i, text] of TEXTS.entries()) {
        const event: MailEvent = reader.readText("mail.log", i + 1, text);
        if (event.time === null || event.time < LAST - WARM_UP_MS) continue;
        if (put && event.time >= fault.start)
          probe ??= trial.fork(fault, (line) => composed.readText(INJECTED, 1, line));
        trial.add(event);
        if (event.time < fault.until) probe?.add(event);
      }
      return { result: trial.end(), probe };
    };
    const { result, probe } = walk(true);
    assert.ok(probe!.found !== undefined && probe!.found >= fault.start && probe!.found < fault.until);
    assert.deepEqual(result, walk(false).result);
    const { window, transaction } = result.rows;
    assert.ok(window.rows > 100 && transaction.rows > 100, JSON.stringify(result.rows));
  });
});
