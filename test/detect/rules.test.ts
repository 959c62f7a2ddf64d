import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Kind, Part } from "../../src/detect/alert.ts";
import type { Candidate } from "../../src/detect/candidate.ts";
import { IncidentManager } from "../../src/detect/incident.ts";
import { type FeedbackRule, fits, hiderOf, type Rules, SCOPES } from "../../src/detect/rules.ts";
import { candidate, HOUR, MINUTE, NOON, planned, utc } from "./support.ts";

const part = (change: Partial<Part> = {}): Part => ({
  key: "column program postfix/smtp",
  kinds: ["dns_failure"],
  templates: ["t1"],
  name: "lines",
  size: 39,
  ...change,
});
/** Of the usual candidate: 40 lines where 0 to 2 are typical. */
const rule = (change: Partial<FeedbackRule> = {}): FeedbackRule => ({
  id: 1,
  verdict: "benign",
  scope: "this",
  kind: "dns_failure",
  entities: [{ type: "program", value: "postfix/smtp" }],
  templates: ["t1"],
  parts: [part()],
  start: NOON - 48 * HOUR,
  end: NOON - 47 * HOUR,
  until: NOON + 24 * HOUR,
  ...change,
});
const rules = (...feedback: FeedbackRule[]): Rules => ({ feedback, plans: [] });
const measured = (actual: number) => ({ measure: { name: "lines", actual, typicalLow: 0, typicalHigh: 2 } });
const hides = (c: Partial<Candidate>, change: Partial<FeedbackRule> = {}): boolean =>
  hiderOf(candidate(c), rules(rule(change))) !== undefined;

suite("feedback", () => {
  test("hides the same again, up to the end of its time", () => {
    assert.ok(hides({}));
    assert.ok(hides({ at: NOON + 24 * HOUR - 1 }));
    assert.ok(!hides({ at: NOON + 24 * HOUR }));
  });
  test("hides twice the size, and neither three nor five times", () => {
    assert.ok(hides(measured(79)));
    for (const times of [3, 5]) assert.ok(!hides(measured(39 * times + 1)), String(times));
  });
  test("of one line hides three, which is chance, and not five", () => {
    const one = { parts: [part({ size: 1 })] };
    const novelty = (actual: number) => ({
      measure: { name: "lines", actual, typicalLow: 0, typicalHigh: 0 },
    });
    assert.ok(hides(novelty(3), one));
    assert.ok(!hides(novelty(5), one));
  });
  test("knows a column whatever vague name it has now, and hides no graver fault in it", () => {
    assert.ok(hides({ kind: "volume_change" }));
    for (const kind of ["disk_full", "account_compromised", "tls_failure"] as const)
      assert.ok(!hides({ kind }), kind);
  });
  test("on this is about the same kind and the same entities", () => {
    const smtp = { type: "program", value: "postfix/smtp" };
    assert.ok(hides({ key: "x", entities: [smtp] }));
    assert.ok(!hides({ key: "x", entities: [smtp, { type: "program", value: "postfix/smtpd" }] }));
    assert.ok(!hides({ key: "x", kind: "remote_unreachable", entities: [smtp] }));
  });
  test("knows a part under a graver name too, where that shows in the messages of the first time", () => {
    const named = (...ids: string[]): boolean =>
      hides({ kind: "tls_failure", templates: ids.map((id) => ({ id, text: id })) });
    assert.ok(named("t1"));
    assert.ok(!named("t2"), "another message in the same column");
    const other = { parts: [part({ kinds: ["tls_failure"] })] };
    const c = { kind: "tls_failure" as Kind, templates: [{ id: "t1", text: "" }] };
    assert.ok(!hides(c, other), "what only came with it, another fault perhaps");
  });
  test("knows what only came with it by that part's own messages, where its name says nothing", () => {
    const came = part({ key: "column rare", kinds: ["remote_unreachable"], templates: ["t2"], name: "rare" });
    const shows = (kind: Kind, id: string): boolean =>
      hides(
        { key: "column rare", kind, templates: [{ id, text: id }] },
        { kind: "crash_loop", entities: [], parts: [part({ kinds: ["crash_loop"] }), came] },
      );
    assert.ok(shows("volume_change", "t2"));
    assert.ok(!shows("volume_change", "t1"), "a message of another part");
    assert.ok(!shows("auth_backend_failure", "t2"), "a grave name");
  });
  test("is not about other messages in a column that counts many", () => {
    const rare = { key: "column rare status outbound", name: "rare results" };
    const said = { kind: "volume_change" as Kind, parts: [part({ ...rare, kinds: ["volume_change"] })] };
    const c = (id: string): Partial<Candidate> => ({
      ...{ key: rare.key, kind: "volume_change", templates: [{ id, text: id }] },
      measure: { name: rare.name, actual: 30, typicalLow: 0, typicalHigh: 0 },
    });
    assert.ok(hides(c("t1"), said));
    assert.ok(!hides(c("t2"), said));
  });
  test("takes what was counted in five minutes to have gone on for as long as the incident did", () => {
    const brief = { parts: [part({ size: 39, minutes: 5 })], start: 0, end: 30 * MINUTE };
    const hour = (actual: number): boolean => hides({ start: NOON - HOUR, ...measured(actual) }, brief);
    assert.ok(hour(39 * 6));
    assert.ok(!hour(39 * 6 * 3 + 1));
    assert.ok(!hides({ start: NOON - 5 * MINUTE, ...measured(39 * 3 + 1) }, brief));
  });
  test("that knows the very part says how large it was, and no other", () => {
    const vague = rule({ id: 2, parts: [part({ key: "other", name: "others", size: 900 })] });
    const about = rules(vague, rule());
    const c = { ...measured(300), templates: [{ id: "t1", text: "" }] };
    assert.equal(hiderOf(candidate(c), about), undefined);
    assert.equal(hiderOf(candidate({ ...c, ...measured(70) }), about)!.by.rule, 1);
  });
  test("on an entity is about its kind there, on templates about those alone, on all about the kind", () => {
    const c = (change: Partial<Candidate>): Candidate => candidate({ key: "x", ...change });
    const entities = [
      { type: "program", value: "postfix/smtp" },
      { type: "account", value: "ann" },
    ];
    assert.ok(fits(rule({ scope: "entity" }), c({ entities })));
    assert.ok(!fits(rule({ scope: "entity" }), c({ entities: entities.slice(1) })));
    const t = (...ids: string[]) => ({
      templates: ids.map((id) => ({ id, text: id })),
      kind: "quota" as Kind,
    });
    assert.ok(fits(rule({ scope: "template" }), c(t("t1"))));
    assert.ok(!fits(rule({ scope: "template" }), c(t("t1", "t2"))));
    assert.ok(fits(rule({ scope: "all" }), c({})));
    assert.ok(!fits(rule({ scope: "all" }), c({ kind: "quota" })));
  });
  test("never hides what is always told, unless it was given for that kind", () => {
    for (const scope of SCOPES)
      assert.ok(
        !fits(rule({ scope }), candidate({ kind: "disk_full", templates: [{ id: "t1", text: "" }] })),
        scope,
      );
    assert.ok(fits(rule({ scope: "all", kind: "disk_full" }), candidate({ kind: "disk_full", key: "x" })));
  });
});

const manager = (said: Rules): IncidentManager => {
  const m = new IncidentManager({ perDay: 2, clock: utc });
  m.obey(said);
  return m;
};

suite("an incident that feedback hides", () => {
  test("is marked, counted, and costs nothing of the budget", () => {
    const m = manager(rules(rule()));
    const [hidden] = m.offer([candidate({})]);
    assert.deepEqual(hidden!.suppressed, { by: "feedback", rule: 1, name: "harmless" });
    assert.ok(hidden!.held);
    assert.equal(m.ledger.suppressed, 1);
    const others = [1, 2].map((n) =>
      candidate({
        at: NOON + n * MINUTE,
        key: `k${n}`,
        kind: "disk_full",
        view: "novelty",
        family: "system",
      }),
    );
    assert.equal(m.offer([others[0]!]).filter((a) => !a.held).length, 1);
  });
  test("takes in what belonged to it the first time, and nothing graver beside it", () => {
    const m = manager(
      rules(
        rule({
          parts: [part(), part({ key: "slow postfix/smtp", kinds: ["latency"], name: "seconds", size: 9 })],
        }),
      ),
    );
    m.offer([candidate({})]);
    const soon = { at: NOON + 5 * MINUTE };
    assert.deepEqual(m.offer([candidate({ ...soon, key: "slow postfix/smtp", kind: "latency" })]), []);
    const stolen = candidate({ ...soon, key: "entity ann", kind: "account_compromised", family: "account" });
    const [told] = m.offer([stolen]);
    assert.equal(told!.suppressed, undefined);
  });
  test("takes in the like of what was told beside it the first time, and was called harmless too", () => {
    const bounces = (start: number): FeedbackRule =>
      rule({
        ...{ id: 2, kind: "backscatter", entities: [{ type: "recipient", value: "ann" }], templates: ["t2"] },
        parts: [part({ key: "entity ann", kinds: ["backscatter"], templates: ["t2"], name: "bounces" })],
        ...{ start, end: start + HOUR },
      });
    const told = (start: number): number => {
      const m = manager(rules(rule(), bounces(start)));
      m.offer([candidate({})]);
      const again = candidate({
        ...{ at: NOON + HOUR, key: "entity bob", view: "entity", kind: "backscatter", family: "outbound" },
        ...{ entities: [{ type: "recipient", value: "bob" }], templates: [{ id: "t2", text: "" }] },
        measure: { name: "bounces", actual: 40, typicalLow: 0, typicalHigh: 2 },
      });
      return m.offer([again]).length;
    };
    assert.equal(told(rule().start! + HOUR / 2), 0);
    assert.equal(told(rule().start! - 24 * HOUR), 1, "at another time");
  });
  test("opens before what goes with it, though that be rarer", () => {
    const m = manager(rules(rule({ parts: [part(), part({ key: "entity a", name: "connections" })] })));
    const follower = candidate({
      key: "entity b",
      view: "entity",
      rate: 1e-12,
      entities: [{ type: "host", value: "b" }],
    });
    const alerts = m.offer([follower, candidate({})]);
    assert.deepEqual(
      alerts.map(({ held, suppressed }) => [held, suppressed?.rule]),
      [[true, 1]],
    );
  });
  test("explains no clear fault beside it long after its own last sign", () => {
    const beside = { kind: "milter_failure", family: "inbound", key: "m", rate: 0.01 } as const;
    const after = (minutes: number): number => {
      const m = manager(rules(rule()));
      m.offer([candidate({})]);
      return m.offer([candidate({ ...beside, at: NOON + minutes * MINUTE })]).length;
    };
    assert.deepEqual([after(10), after(60)], [0, 1]);
  });
  test("is as large as its columns became, whichever of them was told", () => {
    const m = manager(rules());
    const [alert] = m.offer([candidate({})]);
    m.measure((key) => (key === "column program postfix/smtp" ? 700 : undefined));
    assert.deepEqual([alert!.parts[0]!.size, alert!.parts[0]!.minutes], [700, 60]);
  });
  test("opens an alert of its own once it has become clearly larger, which says why", () => {
    const m = manager(rules(rule()));
    m.offer([candidate({})]);
    const [told] = m.offer([candidate({ at: NOON + 20 * MINUTE, ...measured(200) })]);
    assert.ok(told && !told.held);
    assert.match(told.summary, /called harmless \(feedback 1\); this is clearly more/);
  });
  test("keeps no incident from being continued that was told before", () => {
    const m = manager(rules());
    const [told] = m.offer([candidate({})]);
    m.obey(rules(rule()));
    assert.deepEqual(m.offer([candidate({ at: NOON + HOUR })]), []);
    assert.equal(told!.end, NOON + HOUR);
    assert.equal(m.ledger.suppressed, 0);
  });
  test("casts no shadow on the next one of its family while it lasts", () => {
    const m = manager(rules(rule()));
    m.offer([candidate({})]);
    const other = candidate({ at: NOON + 30 * MINUTE, key: "y", kind: "tls_failure", shareSince: () => 0.1 });
    assert.equal(m.offer([other]).length, 1);
  });
});

const KINDS: readonly Kind[] = [
  "dns_failure",
  "latency",
  "disk_full",
  "service_stopped",
  "bruteforce",
  "unknown",
];
const night = planned({ id: 7, repeat: "weekly", minutes: 300, weekdays: [0, 1, 2, 3, 4, 5, 6] });
const candidates = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 3 * 24 * 60 }).map((minutes) => NOON + minutes * MINUTE),
    key: fc.constantFrom("a", "b", "c", "d"),
    kind: fc.constantFrom(...KINDS),
    view: fc.constantFrom("window" as const, "novelty" as const, "absence" as const, "entity" as const),
    family: fc.constantFrom("outbound" as const, "auth" as const, "total" as const),
    rate: fc.constantFrom(1e-9, 1e-4, 0.015, 1),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    actual: fc.integer({ min: 0, max: 500 }),
  }),
  { maxLength: 200 },
);
const said = fc.array(
  fc.record({
    scope: fc.constantFrom(...SCOPES),
    kind: fc.constantFrom(...KINDS),
    hours: fc.integer({ min: 0, max: 72 }),
  }),
  { maxLength: 4 },
);

suite("the ledger", () => {
  test("counts each candidate once, whatever is said meanwhile", () => {
    fc.assert(
      fc.property(candidates, said, fc.boolean(), fc.nat(200), (stream, feedback, isPlanned, when) => {
        const m = manager(rules());
        const heard: Rules = {
          feedback: feedback.map(({ hours, ...more }, i) =>
            rule({
              ...more,
              id: i + 1,
              until: NOON + hours * HOUR,
              parts: [part({ key: "a", kinds: [more.kind] })],
            }),
          ),
          plans: isPlanned ? [night] : [],
        };
        const alerts = [...stream]
          .sort((x, y) => x.at - y.at)
          .flatMap(({ share, actual, ...more }, i) => {
            if (i === when) m.obey(heard);
            return m.offer([candidate({ ...more, ...measured(actual), shareSince: () => share })]);
          });
        const { opened, held, suppressed, planned: kept, joined, belowBar } = m.ledger;
        assert.equal(opened + held + suppressed + kept + joined + belowBar, stream.length);
        const by = (who: string | undefined): number =>
          alerts.filter((a) => a.held && a.suppressed?.by === who).length;
        assert.deepEqual([by(undefined), by("feedback"), by("calendar")], [held, suppressed, kept]);
        assert.equal(alerts.filter((a) => !a.held).length, opened);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
