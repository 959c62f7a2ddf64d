import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { NoveltyScorer } from "../../src/detect/novelty.ts";
import { SLOT_MS, SLOTS_PER_DAY, slotOf } from "../../src/feature/clock.ts";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { EventReader } from "../../src/mail/read.ts";
import { leaveOut } from "../../src/pipeline/incidents.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { Model, ViewName } from "../../src/pipeline/model.ts";
import { linesOf, MONDAY, planOf } from "../compose/support.ts";
import { optionsIn } from "./support.ts";

/** A week of a composed server. On its Thursday, from nine to one, there is an attack, which training is to leave out. */

const DAYS = 7;
const START = Date.parse(MONDAY);
const HOUR = 3_600_000;
const ATTACK = { start: START + 3 * 24 * HOUR + 9 * HOUR, end: START + 3 * 24 * HOUR + 13 * HOUR - 1 };
const FLAGGED = new Flagged([ATTACK]);
const ATTACKER = "203.0.113.9";
const ACCOUNT = "hr@alder.example";

type Line = { readonly time: number; readonly text: string };
const stamped = (time: number, message: string): Line => ({
  time,
  text: `${new Date(time).toISOString().replace("Z", "000Z")} mx7 ${message}`,
});

/** A log-in from a network never seen, mail that takes long, a fault of new words, and a flood of failed log-ins. */
function attack(from: number, to: number): Line[] {
  const lines: Line[] = [];
  for (let time = from, n = 0; time < to; time += 5000, n++) {
    const id = `AB${(0x10000 + n).toString(16).toUpperCase()}F`;
    lines.push(
      stamped(
        time,
        `postfix/submission/smtpd[77]: warning: unknown[${ATTACKER}]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=${ACCOUNT}`,
      ),
      stamped(
        time + 1,
        `postfix/submission/smtpd[77]: ${id}: client=unknown[${ATTACKER}], sasl_method=LOGIN, sasl_username=${ACCOUNT}`,
      ),
      stamped(time + 2, `postfix/qmgr[55]: ${id}: from=<${ACCOUNT}>, size=900000, nrcpt=1 (queue active)`),
      stamped(
        time + 3,
        `postfix/smtp[78]: ${id}: to=<a${n}@far.example>, relay=far.example[203.0.113.80]:25, delay=4000, delays=3000/1/900/99, dsn=2.0.0, status=sent (250 ok)`,
      ),
      stamped(time + 4, `postfix/qmgr[55]: ${id}: removed`),
      stamped(time + 5, "postfix/cleanup[79]: fatal: the moon is in the seventh house"),
    );
  }
  return lines;
}

/** Networks take most of the time. */
const QUICK: ReadonlySet<ViewName> = new Set(["transaction"]);
const ALL: ReadonlySet<ViewName> = new Set();

type Learned = { readonly model: Model; readonly learner: Learner; readonly ids: ReadonlySet<string> };

/** A message that was under way when the attack came; its size was told meanwhile. */
const underWay = (size: number): Line[] => [
  stamped(ATTACK.start - 30_000, "postfix/smtpd[91]: 5D0A1E7C22: client=seri.alder.example[10.152.99.30]"),
  stamped(
    ATTACK.start + 30_000,
    `postfix/qmgr[55]: 5D0A1E7C22: from=<a@b.example>, size=${size}, nrcpt=1 (queue active)`,
  ),
  stamped(ATTACK.end + 60_000, "postfix/qmgr[55]: 5D0A1E7C22: removed"),
];

function learn(lines: readonly Line[], flagged: Flagged, without: ReadonlySet<ViewName> = QUICK): Learned {
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 7);
  const learner = new Learner(optionsIn(new Zone("UTC"), { timeOnly: true, without }), flagged);
  const ids = new Set<string>();
  for (const [i, { text }] of [...lines].sort((a, b) => a.time - b.time).entries()) {
    const event = reader.readText("mail.log", i + 1, text);
    if (event.template.includes("moon")) ids.add(event.templateId);
    learner.add(event);
  }
  return { model: learner.fit(START + DAYS * 24 * HOUR), learner, ids };
}

/** The mean of all lines that is expected of a slot. */
function expectedAt({ window }: Model, time: number): number {
  const all = window.columns.findIndex((c) => c.key === "all");
  return window.weekday[all * SLOTS_PER_DAY + (slotOf(time) % SLOTS_PER_DAY)]!;
}

const longestGap = ({ absence }: Model): number => absence.streams[0]!.gaps.longest;

suite("training with flagged time", () => {
  const clean: Line[] = linesOf(planOf({ days: DAYS }, { mailsPerDay: 150 })).map(({ time, text }) => ({
    time,
    text,
  }));
  const evil = attack(ATTACK.start + 60_000, ATTACK.end - 60_000);
  let whole: Learned;
  let flagged: Learned;
  let attacked: Learned;
  let emptied: Learned;
  before(() => {
    whole = learn(clean, NOTHING_FLAGGED);
    flagged = learn([...clean, ...underWay(1000)], FLAGGED, ALL);
    attacked = learn([...clean, ...evil, ...underWay(90_000_000)], FLAGGED, ALL);
    const isOutside = ({ time }: Line): boolean => time < ATTACK.start || time > ATTACK.end;
    emptied = learn(clean.filter(isOutside), NOTHING_FLAGGED);
  });

  test("learns the same whatever happens in it", () => {
    const { events: _, ...ours } = attacked.model;
    const { events: __, ...theirs } = flagged.model;
    for (const key of Object.keys(theirs) as (keyof typeof theirs)[])
      if (key !== "transaction" && key !== "slowness") assert.deepEqual(ours[key], theirs[key], key);
    assert.deepEqual(ours.transaction!.columns, theirs.transaction!.columns);
    assert.deepEqual(ours.transaction!.offset, theirs.transaction!.offset);
    assert.deepEqual(ours.transaction!.calibration, theirs.transaction!.calibration);
    assert.deepEqual(ours.transaction!.rates, theirs.transaction!.rates);
    assert.deepEqual(ours.slowness?.programs, theirs.slowness?.programs);
    assert.deepEqual(attacked.learner.reader.pairs, flagged.learner.reader.pairs);
  });

  test("does not take it for quiet: what is expected of its hours stays", () => {
    const at = ATTACK.start + 2 * HOUR;
    const [known, unknown, nothing] = [whole, flagged, emptied].map(({ model }) => expectedAt(model, at));
    assert.ok(Math.abs(unknown! / known! - 1) < 0.1, `${unknown} lines, of ${known}`);
    assert.ok(nothing! < 0.9 * known!, `${nothing} lines, of ${known}`);
  });

  test("does not take it for a silence", () => {
    assert.ok(longestGap(flagged.model) < 1.1 * longestGap(whole.model));
    assert.ok(longestGap(emptied.model) > 10 * longestGap(flagged.model));
  });

  test("takes no calm of it for usual", () => {
    const all = flagged.model.window.columns.findIndex((c) => c.key === "all");
    const ceiling = ({ model }: Learned): number => {
      const C = model.window.columns.length;
      return model.window.lowerCeiling[4 * C + all] ?? model.window.lowerCeiling[3 * C + all]!;
    };
    assert.ok(ceiling(emptied) > ceiling(flagged) + 2, `${ceiling(emptied)}, ${ceiling(flagged)} nats`);
  });

  test("counts fewer days for rates, of entities and of news", () => {
    const missing = 4 / 24;
    for (const [of, ours] of whole.model.entity.features.map(
      ({ days }, f) => [days, flagged.model.entity.features[f]!.days] as const,
    ))
      assert.ok(Math.abs(of - ours - missing) < 1e-9, `${of} and ${ours} days`);
    assert.ok(Math.abs(whole.model.novelty.days - flagged.model.novelty.days - missing) < 1e-6);
  });

  test("knows a message that came in it alone as little as before", () => {
    const [id] = attacked.ids;
    const told = (model: Model): unknown =>
      new NoveltyScorer(model.novelty).see(id!, model.to + HOUR, { grave: true, routine: false });
    assert.notEqual(told(attacked.model), undefined);
    assert.equal(told(learn([...clean, ...evil], NOTHING_FLAGGED).model), undefined);
    const again = stamped(ATTACK.end + HOUR, "postfix/cleanup[79]: fatal: the moon is in the seventh house");
    assert.equal(told(learn([...clean, ...evil, again], FLAGGED).model), undefined);
  });
});

suite("a network that an account used in flagged time", () => {
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 7);
  let line = 0;
  const login = (address: string): MailEvent =>
    reader.readText(
      "mail.log",
      ++line,
      stamped(
        START + line,
        `postfix/submission/smtpd[7]: AB12F: client=unknown[${address}], sasl_method=LOGIN, sasl_username=${ACCOUNT}`,
      ).text,
    );
  const isNew = (entities: EntityReader, address: string, doubtful?: boolean): boolean => {
    const out: Observation[] = [];
    entities.read(login(address), out, doubtful);
    return out.some(({ feature }) => ENTITY_FEATURES[feature]!.name === "login_new_network");
  };

  test("is new again afterwards, unless it was used at other times too", () => {
    const entities = new EntityReader("salt");
    assert.ok(isNew(entities, "192.0.2.1"));
    assert.ok(isNew(entities, ATTACKER, true));
    assert.ok(!isNew(entities, ATTACKER, true));
    assert.ok(isNew(entities, "198.51.100.4", true));
    assert.ok(isNew(entities, "198.51.100.4")); // now without a doubt
    entities.forgetDoubtful();
    assert.ok(!isNew(entities, "192.0.2.1"));
    assert.ok(!isNew(entities, "198.51.100.4"));
    assert.ok(isNew(entities, ATTACKER));
  });

  test("is not forgotten where it was known before", () => {
    const entities = new EntityReader("salt");
    assert.ok(isNew(entities, ATTACKER));
    assert.ok(!isNew(entities, ATTACKER, true));
    entities.forgetDoubtful();
    assert.ok(!isNew(entities, ATTACKER));
  });
});

suite("what is left out of a history of ten days", () => {
  const to = START + 10 * 24 * HOUR - 1;
  const incident = (id: string, hour: number, hours: number, severity: "critical" | "high" | "low") => ({
    id,
    start: START + hour * HOUR,
    end: START + (hour + hours) * HOUR - 1,
    severity,
  });

  test("are the slots of each incident", () => {
    const { flagged, hours, incidents, learned } = leaveOut(
      [incident("b", 30, 2, "low"), incident("a", 31, 3, "high"), incident("old", -50, 2, "high")],
      START,
      to,
    );
    assert.equal(hours, 4);
    assert.deepEqual([incidents, learned], [["a", "b"], []]);
    const first = slotOf(START) + 30 * 12;
    assert.deepEqual(
      [first - 1, first, first + 47, first + 48].map((s) => flagged.has(s)),
      [false, true, true, false],
    );
    assert.equal(flagged.touches(START, START + 30 * HOUR - 1), false);
    assert.equal(flagged.touches(START + 20 * HOUR, START + 30 * HOUR), true);
    assert.equal(flagged.count(first + 40, first + 100), 8);
    assert.deepEqual(flagged.slots(first + 46, first + 50), [first + 46, first + 47]);
  });

  test("is a day at most of one that lasts", () => {
    assert.equal(leaveOut([incident("a", 24, 100, "critical")], START, to).hours, 24);
  });

  test("are the severest, where it would be more than 15 % of it", () => {
    const many = [
      incident("low", 100, 10, "low"),
      incident("high", 50, 20, "high"),
      incident("critical", 10, 12, "critical"),
      incident("short", 200, 3, "low"),
    ];
    const { hours, incidents, learned } = leaveOut(many, START, to);
    assert.deepEqual(incidents, ["critical", "high", "short"]);
    assert.deepEqual(learned, ["low"]);
    assert.equal(hours, 35);
    assert.ok(hours * (HOUR / SLOT_MS) <= 0.15 * 10 * SLOTS_PER_DAY);
  });

  test("are all hours of what the operator confirmed, up to a week, and all that was planned, beyond that share", () => {
    const known = { ...incident("known", 0, 9 * 24, "low"), confirmed: true };
    const planned = [{ start: START + 8 * 24 * HOUR, end: START + (8 * 24 + 2) * HOUR - 1 }];
    const other = incident("other", 9 * 24, 5, "high");
    const { hours, incidents, learned } = leaveOut([other, known], START, to, planned);
    assert.equal(hours, 7 * 24 + 2 + 5);
    assert.deepEqual([incidents, learned], [["known", "other"], []]);
  });
});
