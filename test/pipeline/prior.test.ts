import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isReady, NoveltyScorer } from "../../src/detect/novelty.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { Learner, PRIOR_DAYS } from "../../src/pipeline/learner.ts";
import type { Learned } from "../../src/pipeline/model.ts";
import type { Prior } from "../../src/pipeline/prior.ts";
import { optionsIn } from "./support.ts";

const START = Date.parse("2026-05-04T00:00:00Z");
const ZONE = new Zone("UTC");
const PRIOR: Prior = {
  version: 7,
  shapes: { "postfix/smtp": ["connect to <*>: Connection refused"], "postfix/anvil": ["all is well"] },
};

const reader = (): EventReader => new EventReader(new LogClock(ZONE, 2026), 3);
const at = (days: number, message: string): string =>
  `${new Date(START + days * DAY_MS).toISOString().replace("Z", "+00:00")} mx ${message}`;
const REFUSED = "postfix/smtp[7]: connect to mail.example.org[192.0.2.7]:25: Connection refused";
const BROKEN = "postfix/smtp[7]: fatal: open lock file: No such file or directory";

/** A server that writes the same line every hour, for some days, with a prior or without. */
function learned(days: number, prior: Prior | undefined, remembered?: Learned): Learned {
  const learner = new Learner(optionsIn(ZONE, { prior }), NOTHING_FLAGGED, remembered);
  const read = reader();
  for (let hour = 0; hour <= days * 24; hour++)
    learner.add(read.readText("mail.log", hour + 1, at(hour / 24, "postfix/qmgr[1]: 4XyZ1a2b3c: removed")));
  return { model: learner.fit(START + days * DAY_MS), pairs: learner.pairs };
}

/** Whether a line is news to what was learned. */
function isNews({ model }: Learned, message: string): boolean {
  const { templateId, time } = reader().readText("mail.log", 1, at(2, message));
  return (
    new NoveltyScorer(model.novelty).see(templateId, time!, { grave: false, routine: false }) !== undefined
  );
}

suite("a server that begins with a prior", () => {
  const young = learned(1.2, PRIOR);

  test("calls no message new that healthy servers write, and others from its first day on", () => {
    const alone = learned(1.2, undefined);
    assert.deepEqual([isReady(young.model.novelty), isReady(alone.model.novelty)], [true, false]);
    assert.deepEqual([isNews(young, REFUSED), isNews(alone, REFUSED)], [false, true]);
    assert.deepEqual([isNews(young, BROKEN), isNews(alone, BROKEN)], [true, true]);
  });

  test("keeps it apart from what it wrote itself", () => {
    const { prior, known } = young.model.novelty;
    assert.deepEqual([prior!.version, prior!.since, prior!.shapes.length], [7, START, 2]);
    assert.ok(prior!.shapes.every((id) => !known.includes(id)));
    assert.equal(young.model.catalogue!.length, 1);
  });

  test(`goes on without it ${PRIOR_DAYS} days after its history began, however much of that is still there`, () => {
    const since = (days: number): Learned => {
      const { novelty, ...rest } = young.model;
      const prior = { ...novelty.prior!, since: START - days * DAY_MS };
      return { ...young, model: { ...rest, novelty: { ...novelty, prior } } };
    };
    const later = (days: number) => learned(1.2, PRIOR, since(days)).model.novelty.prior;
    assert.equal(later(PRIOR_DAYS - 2)!.since, START - (PRIOR_DAYS - 2) * DAY_MS);
    assert.equal(later(PRIOR_DAYS - 1), undefined);
    assert.equal(learned(PRIOR_DAYS, PRIOR).model.novelty.prior, undefined);
    const without = learned(1.2, undefined);
    assert.equal(learned(1.2, PRIOR, without).model.novelty.prior, undefined, "nor takes it up again");
  });
});
