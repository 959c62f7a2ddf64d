import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { at, FAULT_HOUR, FIRST, iso, LAST, rareLog, SEEN, SMALL, stamped } from "../../eval/rare-log.ts";
import { eventOf, type Line, Weeks } from "../../eval/weeks.ts";
import { pseudonym } from "../../src/detect/entity.ts";
import { REMEMBERED_DAYS, Reach } from "../../src/detect/memory.ts";
import { NoveltyScorer } from "../../src/detect/novelty.ts";
import { localClock, slotOf } from "../../src/feature/clock.ts";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { Zone } from "../../src/log/zone.ts";
import type { Learned } from "../../src/pipeline/model.ts";
import { recollect } from "../../src/pipeline/recollection.ts";
import { linesOf, MATERIAL, planOf } from "../compose/support.ts";

suite("what was seen twice, then not for three months", () => {
  const AGAIN = SEEN[2]!;
  let weeks: Weeks;
  let remembering: Learned;
  let forgetful: Learned;
  before(() => {
    weeks = new Weeks(rareLog(MATERIAL, 1));
    remembering = weeks.learn(at(FIRST));
    for (let day = FIRST + 7; day <= LAST; day += 7) remembering = weeks.learn(at(day), remembering);
    forgetful = weeks.learn(at(LAST));
  });

  test("raises nothing, where a model of the last weeks alone tells of it", () => {
    const told = (learned: Learned): string[] =>
      weeks
        .watch(learned, at(LAST), at(AGAIN + 2))
        .filter(({ held }) => !held)
        .map(({ title, openedAt }) => `${new Date(openedAt).toISOString()} ${title}`);
    const without = told(forgetful).join("\n");
    // of the rotation and of the newsletter; a reload with a certificate is calm news to both
    assert.equal(without.split(iso(AGAIN).slice(0, 10)).length - 1, 2, without);
    assert.deepEqual(told(remembering), []);
  });

  test("is asked of both models, and known to the one that remembers", () => {
    const asked = {
      ...{ clock: localClock(new Zone("UTC")), budget: 2, first: forgetful.model.from },
      reach: new Reach(slotOf(at(LAST))),
    };
    const memory = remembering.model.window.remembered!;
    const [ours, theirs] = [remembering, forgetful].map(({ model }) => recollect(memory, model, asked));
    assert.equal(ours!.told, 0);
    assert.ok(theirs!.told >= 2 && theirs!.times === ours!.times, `${theirs!.told} of ${theirs!.times}`);
  });

  test("does not hide a fault, nor delay it", () => {
    const found = [remembering, forgetful].map((learned) => {
      const alerts = weeks.watch(learned, at(AGAIN + 2), at(AGAIN + 5));
      return alerts.find(({ kind, held }) => kind === "dns_failure" && !held)?.openedAt;
    });
    assert.ok(found[0] !== undefined && found[0] <= at(0, FAULT_HOUR) + 90 * 60_000, `${found}`);
    assert.equal(found[0], found[1]);
  });

  test("is remembered in little room", () => {
    const { window } = remembering.model;
    assert.ok(window.remembered!.slots.length < 300, `${window.remembered!.slots.length} slots`);
    assert.ok(JSON.stringify(window.remembered).length < 100_000);
  });
});

suite("what was not seen for half a year", () => {
  const FAILS = "far.example";
  const LOGIN =
    "postfix/submission/smtpd[7]: AB12F: client=unknown[203.0.113.9], sasl_method=LOGIN, sasl_username=hr@alder.example";
  const ODD = "postfix/cleanup[79]: warning: the moon is in the seventh house";
  /** A failure that came on one occasion since the first training, and one that came on two. */
  const [ONCE, TWICE] = [ODD.replace("moon", "sun"), ODD.replace("moon", "dog star")];
  /** Five days from a day of the log on, with what is rare in the first of them. */
  const part = (from: number, rare: boolean): Line[] => {
    const composed = linesOf(planOf({ start: iso(from), days: 5 }, SMALL));
    const odd = Array.from({ length: 30 }, (_, i) => [
      stamped(at(from + 3, 12) + i * 5000, ODD),
      stamped(
        at(from + 3, 12) + i * 5000 + 1,
        `postfix/smtp[78]: AB${(0x10000 + i).toString(16).toUpperCase()}F: to=<a${i}@${FAILS}>, relay=none, delay=400, delays=300/1/90/9, dsn=4.4.1, status=deferred (connect to ${FAILS}[203.0.113.80]:25: Connection timed out)`,
      ),
      stamped(
        at(from + 3, 13) + i * 3000,
        "postfix/submission/smtpd[77]: warning: unknown[203.0.113.8]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=hr@alder.example",
      ),
    ]).flat();
    const lines = rare ? [...composed, stamped(at(from + 3, 11), LOGIN), ...odd] : composed;
    return lines.sort((a, b) => a.time - b.time);
  };
  /** The day of the training's end that is within reach of the rare day, and the one that is not. */
  const [WITHIN, BEYOND] = [3 + REMEMBERED_DAYS - 1, 3 + REMEMBERED_DAYS + 10];
  const failures = [
    ...[at(92, 11), at(92, 11.5), at(WITHIN - 2, 11)].map((time) => stamped(time, ONCE)),
    ...[at(92, 11), at(94, 11)].map((time) => stamped(time, TWICE)),
  ];
  const days = [0, 90, WITHIN - 5, BEYOND - 5].flatMap((from) => part(from, from === 0));
  const weeks = new Weeks([...days, ...failures].sort((a, b) => a.time - b.time));
  const knowsShape = ({ model }: Learned, text = ODD): boolean => {
    const event = eventOf(stamped(at(0), text).text);
    return !new NoveltyScorer(model.novelty).see(event.templateId, model.to, { grave: true, routine: false });
  };
  const knowsNetwork = ({ pairs }: Learned): boolean => {
    const out: Observation[] = [];
    new EntityReader("salt", pairs).read(eventOf(stamped(at(0), LOGIN).text), out);
    return !out.some(({ feature }) => ENTITY_FEATURES[feature]!.name === "login_new_network");
  };
  const HOP = ENTITY_FEATURES.findIndex(({ name }) => name === "failing_messages_hop");
  const knowsHop = ({ model }: Learned): boolean =>
    Object.hasOwn(model.entity.features[HOP]!.known, pseudonym("salt", HOP, FAILS));
  const surges = ({ model }: Learned): number =>
    model.window.remembered!.slots.filter(([slot]) => Math.abs(slot! - slotOf(at(3, 12))) < 12).length;
  /** Of five minutes, in nats. */
  const ceiling = ({ model: { window } }: Learned, key: string): number =>
    window.upperCeiling[window.columns.findIndex((column) => column.key === key)]!;
  let first: Learned;
  let between: Learned;
  before(() => {
    first = weeks.learn(at(5));
    between = weeks.learn(at(95), first);
  });

  test("is still known before, also by a model of a model", () => {
    const late = weeks.learn(at(WITHIN), between);
    for (const learned of [between, late]) {
      assert.ok(knowsShape(learned));
      assert.ok(knowsNetwork(learned));
      assert.ok(knowsHop(learned));
      assert.ok(surges(learned) > 0);
    }
  });

  test("is no more than news yet where it came on one occasion since there is a model that could have told of it", () => {
    assert.ok(!knowsShape(between, ONCE));
    assert.ok(knowsShape(between, TWICE));
    assert.ok(knowsShape(weeks.learn(at(WITHIN), between), ONCE), "it came again");
  });

  test("is new again: a message, an account's network, a next hop, a surge", () => {
    const late = weeks.learn(at(BEYOND), between);
    assert.ok(!knowsShape(late));
    assert.ok(!knowsNetwork(late));
    assert.ok(!knowsHop(late));
    assert.equal(surges(late), 0);
  });

  test("is never remembered of failed log-ins: an attack that was missed hides no other", () => {
    const key = "cause auth auth";
    assert.ok(ceiling(first, key) > 9, `${ceiling(first, key)} nats`);
    assert.ok(ceiling(between, key) < 8, `${ceiling(between, key)} nats`);
  });

  test("is not remembered where it was learned, and somebody called it an incident afterwards", () => {
    const incident = new Flagged([{ start: at(3, 11), end: at(3, 13) }]);
    const late = weeks.learn(at(95), first, incident);
    assert.ok(!knowsShape(late));
    assert.ok(!knowsNetwork(late));
    assert.ok(!knowsHop(late));
    assert.equal(surges(late), 0);
  });
});

test("a slot is held for as long as is stated, and not in flagged time", () => {
  const last = slotOf(at(200));
  const reach = new Reach(last, NOTHING_FLAGGED);
  assert.deepEqual(
    [last - REMEMBERED_DAYS * 288, last - REMEMBERED_DAYS * 288 + 1, last].map((s) => reach.holds(s)),
    [false, true, true],
  );
  const flagged = new Flagged([{ start: at(100), end: at(101) - 1 }]);
  assert.ok(!new Reach(last, flagged).holds(slotOf(at(100, 12))));
});
