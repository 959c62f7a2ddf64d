import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { pseudonym } from "../../src/detect/entity.ts";
import { REMEMBERED_DAYS, Reach } from "../../src/detect/memory.ts";
import { NoveltyScorer } from "../../src/detect/novelty.ts";
import { DAY_MS, slotOf } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES, EntityReader, type Observation } from "../../src/feature/entity.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import type { Learned } from "../../src/pipeline/model.ts";
import { linesOf, MONDAY, planOf } from "../compose/support.ts";
import { eventOf, type Line, Weeks } from "./weeks.ts";

const START = Date.parse(MONDAY);
const HOUR = 3_600_000;
const day = (n: number, hour = 0): number => START + n * DAY_MS + hour * HOUR;
const iso = (n: number, hour: number): string => new Date(day(n, hour)).toISOString();
const stamped = (time: number, message: string): Line => ({
  time,
  text: `${new Date(time).toISOString().replace("Z", "000Z")} mx7 ${message}`,
});

/** A small server without the monitoring's probes: 500 lines a day. */
const SMALL = { mailsPerDay: 40, noisePerDay: 25, mix: { monitor: 0, imap: 0.3 } };

/** What a rotation leaves in the log when it went wrong. */
const quirk = (n: number): Line[] =>
  ["mail.log", "mail.err", "mail.warn", "mail.info"].flatMap((file, i) => [
    stamped(
      day(n) + 5000 + i * 400,
      `logrotate[${700 + n}]: error: stat of /var/log/${file} failed: No such file`,
    ),
    stamped(
      day(n) + 5100 + i * 400,
      `logrotate[${700 + n}]: error: destination /var/log/${file}.1 exists, skipping`,
    ),
  ]);

suite("what was seen twice, then not for three months", () => {
  /** On two days of the first six weeks, and again thirteen weeks after the second. */
  const SEEN = [8, 36];
  const AGAIN = 127;
  const LEARNED = 126;
  const FAULT = { kind: "dns_resolver_down", start: iso(130, 9), minutes: 90 } as const;
  const days = [...SEEN, AGAIN];
  let weeks: Weeks;
  let remembering: Learned;
  let forgetful: Learned;
  before(() => {
    const plan = planOf(
      {
        days: 132,
        surges: days.map((n) => ({ kind: "newsletter", start: iso(n, 10), minutes: 40, intensity: 12 })),
        maintenance: days.map((n) => ({ kind: "certificate", at: iso(n + 1, 3) })),
        faults: [FAULT],
      },
      SMALL,
    );
    const lines: Line[] = [...linesOf(plan), ...days.flatMap(quirk)].sort((a, b) => a.time - b.time);
    weeks = new Weeks(lines);
    remembering = weeks.learn(day(42));
    for (let n = 49; n <= LEARNED; n += 7) remembering = weeks.learn(day(n), remembering);
    forgetful = weeks.learn(day(LEARNED));
  });

  test("raises nothing, where a model of the last weeks alone tells of it", () => {
    const told = (learned: Learned): string[] =>
      weeks
        .watch(learned, day(LEARNED), day(AGAIN + 2))
        .filter(({ held }) => !held)
        .map(({ title, start }) => `${new Date(start).toISOString()} ${title}`);
    const without = told(forgetful);
    assert.ok(
      days.slice(2).every((n) => without.some((line) => line.startsWith(iso(n, 0).slice(0, 10)))),
      without.join("\n"),
    );
    assert.ok(without.length >= 2, without.join("\n"));
    assert.deepEqual(told(remembering), []);
  });

  test("does not hide a fault", () => {
    const alerts = weeks.watch(remembering, day(129), day(132));
    const fault = alerts.find(({ kind, held }) => kind === "dns_failure" && !held);
    assert.ok(fault, alerts.map(({ title }) => title).join("\n"));
    assert.ok(fault.openedAt < day(130, 9) + 30 * 60_000, new Date(fault.openedAt).toISOString());
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
  /** Five days from a day of the log on, with what is rare in the first of them. */
  const part = (from: number, rare: boolean): Line[] => {
    const composed = linesOf(planOf({ start: iso(from, 0), days: 5 }, SMALL));
    const odd = Array.from({ length: 30 }, (_, i) => [
      stamped(day(from + 3, 12) + i * 5000, ODD),
      stamped(
        day(from + 3, 12) + i * 5000 + 1,
        `postfix/smtp[78]: AB${(0x10000 + i).toString(16).toUpperCase()}F: to=<a${i}@${FAILS}>, relay=none, delay=400, delays=300/1/90/9, dsn=4.4.1, status=deferred (connect to ${FAILS}[203.0.113.80]:25: Connection timed out)`,
      ),
    ]).flat();
    const lines = rare ? [...composed, stamped(day(from + 3, 11), LOGIN), ...odd] : composed;
    return lines.sort((a, b) => a.time - b.time);
  };
  /** The day of the training's end that is within reach of the rare day, and the one that is not. */
  const [WITHIN, BEYOND] = [3 + REMEMBERED_DAYS - 1, 3 + REMEMBERED_DAYS + 2];
  const weeks = new Weeks(
    [...part(0, true), ...part(90, false), ...part(WITHIN - 5, false)]
      .concat(part(BEYOND - 5 + 10, false))
      .sort((a, b) => a.time - b.time),
  );
  const knowsShape = ({ model }: Learned): boolean => {
    const event = eventOf(stamped(day(0), ODD).text);
    return !new NoveltyScorer(model.novelty).see(event.templateId, model.to, { grave: true, routine: false });
  };
  const knowsNetwork = ({ pairs }: Learned): boolean => {
    const out: Observation[] = [];
    new EntityReader("salt", pairs).read(eventOf(stamped(day(0), LOGIN).text), out);
    return !out.some(({ feature }) => ENTITY_FEATURES[feature]!.name === "login_new_network");
  };
  const HOP = ENTITY_FEATURES.findIndex(({ name }) => name === "failing_messages_hop");
  const knowsHop = ({ model }: Learned): boolean =>
    Object.hasOwn(model.entity.features[HOP]!.known, pseudonym("salt", HOP, FAILS));
  const surges = ({ model }: Learned): number =>
    model.window.remembered!.slots.filter(([slot]) => Math.abs(slot! - slotOf(day(3, 12))) < 12).length;
  let first: Learned;
  let between: Learned;
  before(() => {
    first = weeks.learn(day(5));
    between = weeks.learn(day(95), first);
  });

  test("is still known before, also by a model of a model", () => {
    const late = weeks.learn(day(WITHIN), between);
    for (const learned of [between, late]) {
      assert.ok(knowsShape(learned));
      assert.ok(knowsNetwork(learned));
      assert.ok(knowsHop(learned));
      assert.ok(surges(learned) > 0);
    }
  });

  test("is new again: a message, an account's network, a next hop, a surge", () => {
    const late = weeks.learn(day(BEYOND + 10), between);
    assert.ok(!knowsShape(late));
    assert.ok(!knowsNetwork(late));
    assert.ok(!knowsHop(late));
    assert.equal(surges(late), 0);
  });

  test("is not remembered where it was learned, and somebody called it an incident afterwards", () => {
    const incident = new Flagged([{ start: day(3, 11), end: day(3, 13) }]);
    const late = weeks.learn(day(95), first, incident);
    assert.ok(!knowsShape(late));
    assert.ok(!knowsNetwork(late));
    assert.ok(!knowsHop(late));
    assert.equal(surges(late), 0);
  });
});

test("a slot is held for as long as is stated, and not in flagged time", () => {
  const last = slotOf(day(200));
  const reach = new Reach(last, NOTHING_FLAGGED);
  assert.deepEqual(
    [last - REMEMBERED_DAYS * 288, last - REMEMBERED_DAYS * 288 + 1, last].map((s) => reach.holds(s)),
    [false, true, true],
  );
  const flagged = new Flagged([{ start: day(100), end: day(101) - 1 }]);
  assert.ok(!new Reach(last, flagged).holds(slotOf(day(100, 12))));
});
