import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { deserialize, serialize } from "node:v8";
import type { ComposedLine } from "../../src/compose/compose.ts";
import type { Alert } from "../../src/detect/alert.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader, type SavedReader } from "../../src/mail/read.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { Model, Score } from "../../src/pipeline/model.ts";
import type { SavedDetector } from "../../src/pipeline/saved.ts";
import { at, linesOf, MONDAY, planOf } from "../compose/support.ts";
import { optionsIn } from "./support.ts";

/** Four days of a composed server are learned; on the fifth something is changed at half past nine. */

const UNTIL = Date.parse(MONDAY) + 4 * DAY_MS;
const CHANGE = Date.parse(at(4, 9.5));
const END = Date.parse(at(4, 15));
const ZONE = new Zone("UTC");
const OPTIONS = optionsIn(ZONE, { salt: "", timeOnly: true });

type State = { readonly detector: SavedDetector; readonly reader: SavedReader };
let model: Model;
let start: Buffer;
let calm: readonly ComposedLine[];
let first: number;

const server = { header: "rfc3164", mailsPerDay: 700 } as const;
const withFault = (kind: string): readonly ComposedLine[] =>
  linesOf(planOf({ days: 5, faults: [{ kind, start: at(4, 12.5), minutes: 60 }] }, server));

before(() => {
  calm = linesOf(planOf({ days: 5 }, server));
  const learner = new Learner(OPTIONS);
  const reader = new EventReader(new LogClock(ZONE, 2026), 1);
  first = calm.findIndex(({ time }) => time >= UNTIL);
  for (const [i, { text }] of calm.slice(0, first).entries())
    learner.add(reader.readText("mail.log", i + 1, text));
  model = learner.fit(UNTIL);
  reader.adopt(model.groups);
  const detector = new Detector(model, learner, OPTIONS);
  start = serialize({ detector: detector.save(), reader: reader.save() });
});

/** Without its head. */
const textOf = ({ text }: ComposedLine): string => text.slice("Apr 10 09:30:00 mx7 ".length);

/** What is told when lines from the change on are written otherwise. again: saved and restored every so many lines. */
function told(
  lines: readonly ComposedLine[],
  rewrite: (text: string, line: ComposedLine) => readonly string[],
  again = Number.POSITIVE_INFINITY,
  onScore?: (score: Score) => void,
): Alert[] {
  let { detector, reader } = restored(start, onScore);
  const alerts = new Map<string, Alert>();
  let n = first;
  for (const line of lines) {
    if (line.time < UNTIL || line.time > END) continue;
    const head = line.text.slice(0, -textOf(line).length);
    const texts =
      line.time < CHANGE
        ? [line.text]
        : rewrite(textOf(line), line).map((t) => (t.startsWith("\0") ? t.slice(1) : head + t));
    for (const text of texts) {
      for (const alert of detector.add(reader.readText("mail.log", ++n, text))) alerts.set(alert.id, alert);
      if (n % again !== 0) continue;
      ({ detector, reader } = restored(serialize({ detector: detector.save(), reader: reader.save() })));
    }
  }
  return [...alerts.values()].filter(({ held }) => !held);
}

function restored(
  packed: Buffer,
  onScore?: (score: Score) => void,
): { detector: Detector; reader: EventReader } {
  const saved = deserialize(packed) as State;
  const reader = new EventReader(new LogClock(ZONE, undefined), 1);
  reader.adopt(model.groups);
  reader.load(saved.reader);
  return { reader, detector: Detector.restore(model, saved.detector, OPTIONS, onScore) };
}

const kindsOf = (alerts: readonly Alert[]): string[] => alerts.map(({ kind }) => kind);
const asBefore = (text: string): string[] => [text];

const NEW_START = "dovecot: master: Dovecot v2.9.0 (a11ce0ffee) starting up for imap, pop3, lmtp";
/** What the end of a session counts, each a message of its own. */
const COUNTED = ["saved", "read", "moved", "kept", "seen", "copied", "marked", "searched"];

/** A Dovecot that words its messages otherwise, after a start. */
function newDovecot(): (text: string) => string[] {
  let began = false;
  return (text) => {
    const worded = text
      .replace(
        /^(dovecot: \S+-login: )Login: user=<([^>]*)>, method=(\w+), rip=([\d.]+).*$/,
        "$1Session begins for $2 by $3 from $4",
      )
      .replace(/^(dovecot: lmtp)\((\d+)\): Connect from local$/, "$1: Client $2 accepted on local socket")
      .replace(
        /^(dovecot: lmtp)\((\d+)\): Disconnect from local.*$/,
        "$1: Client $2 finished on local socket",
      )
      .replace(/stored mail into mailbox '([^']*)'$/, "delivered to folder $1");
    if (began) return [worded];
    began = true;
    return [NEW_START, worded];
  };
}

suite("software that is changed", () => {
  test("is told once, calmly, with its start and new lines", () => {
    const alerts = told(calm, newDovecot());
    assert.deepEqual(kindsOf(alerts), ["format_change"]);
    const [alert] = alerts as [Alert];
    assert.equal(alert.severity, "low");
    assert.match(alert.title, /% of the lines of dovecot are of \d+ new kinds? of message .*v2\.9\.0/);
    assert.match(alert.lines[0]!.text, /starting up/);
    assert.match(alert.lines[1]!.text, /accepted on|Session begins|finished on|delivered to/);
    assert.ok(alert.openedAt - CHANGE < 45 * 60_000);
  });

  test("does not hide a fault three hours later", () => {
    const alerts = told(withFault("dns_resolver_down"), newDovecot());
    assert.deepEqual(kindsOf(alerts), ["format_change", "dns_failure"]);
  });

  test("is told the same by a detector that is saved and restored on the way", () => {
    const plain = told(withFault("dns_resolver_down"), newDovecot());
    const often = told(withFault("dns_resolver_down"), newDovecot(), 97);
    const brief = (alerts: readonly Alert[]): unknown[] =>
      alerts.map(({ id, title, lines }) => [id, title, lines]);
    assert.deepEqual(brief(often), brief(plain));
  });

  test("leaves out each session that ends by a new message, the first of it too", () => {
    const [ended, judged] = [new Set<string>(), new Set<string>()];
    let began = false;
    const words = (text: string): string[] => {
      const worded = text.replace(
        /^(dovecot: imap\S+<([^<>]+)>: )Disconnected: Logged out .*out=(\d+).*$/,
        (_, head: string, session: string, bytes: string) => {
          ended.add(`session ${session}`);
          return `${head}Disconnected: Logged out ${COUNTED[Number(bytes) % COUNTED.length]}=${bytes}`;
        },
      );
      if (began) return [worded];
      began = true;
      return [NEW_START, worded];
    };
    told(calm, words, undefined, ({ view, key }) => {
      if (view === "transaction") judged.add(key);
    });
    assert.ok(ended.size > COUNTED.length, String(ended.size));
    assert.deepEqual(
      [...ended].filter((key) => judged.has(key)),
      [],
    );
  });

  test("and a new program is told once", () => {
    const alerts = told(calm, (text) => {
      const removed = /^postfix\/qmgr\[\d+\]: (\w+): removed/.exec(text);
      return removed ? [text, `mailguard[88]: ${removed[1]}: record archived for 30 d`] : [text];
    });
    assert.deepEqual(kindsOf(alerts), ["new_message"]);
    assert.match(alerts[0]!.title, /mailguard is new in this log/);
  });

  test("is none where new messages complain: that is told at once", () => {
    let n = 0;
    const alerts = told(calm, (text, { time }) =>
      /postfix\/qmgr.*removed/.test(text) && time > CHANGE + 3_600_000
        ? [text, `mailguard[88]: error: engine ${"abc"[n++ % 3]} gave up, mail passes unseen`]
        : [text],
    );
    assert.ok(alerts.length > 0);
    assert.ok(alerts[0]!.openedAt < CHANGE + 3_600_000 + 15 * 60_000);
    assert.doesNotMatch(alerts[0]!.title, /is new in this log/);
  });
});

suite("the head of lines", () => {
  const iso = (text: string, { time }: ComposedLine): string[] => [
    `\0${new Date(time).toISOString().replace("Z", "+00:00")} mx7 ${text}`,
  ];

  test("that becomes another is told once, with lines of before and after", () => {
    const [alert, ...more] = told(calm, iso);
    assert.deepEqual(more, []);
    assert.equal(alert?.kind, "format_change");
    assert.match(alert.title, /RFC 3339 says, no longer as RFC 3164/);
    assert.match(alert.lines[0]!.text, /^2026-04-10T09:3/);
    assert.match(alert.lines[1]!.text, /^Apr 10 09:2/);
  });

  test("hides no fault that comes after it", () => {
    assert.deepEqual(kindsOf(told(withFault("dns_resolver_down"), iso)), ["format_change", "dns_failure"]);
  });

  test("without a readable time is told before the log seems silent", () => {
    const alerts = told(calm, (text) => [`\0mx7 | ${text}`]);
    assert.deepEqual(kindsOf(alerts), ["format_change"]);
    assert.equal(alerts[0]!.severity, "medium");
    assert.match(alerts[0]!.title, /20 lines have no time/);
  });
});

suite("deliveries that stop while mail is taken", () => {
  const DELIVERY = /^(?:postfix\/(?:qmgr|smtp|lmtp|bounce|error)\[|dovecot: lmtp)/;
  const only = (alerts: readonly Alert[]): Alert => {
    assert.deepEqual(kindsOf(alerts), ["delivery_stopped"]);
    return alerts[0]!;
  };

  test("because the queue manager is dead", () => {
    const alert = only(told(calm, (text) => (DELIVERY.test(text) ? [] : [text])));
    assert.equal(alert.class, "always");
    assert.equal(alert.severity, "critical");
    assert.match(alert.title, /messages were taken and none was delivered/);
    assert.ok(alert.openedAt - CHANGE < 90 * 60_000, String((alert.openedAt - CHANGE) / 60_000));
  });

  test("because all are put off", () => {
    const alerts = told(calm, (text) =>
      / removed$/.test(text)
        ? []
        : [
            text.replace(
              /dsn=2\.\d\.\d, status=sent \(.*$/,
              "dsn=4.3.0, status=deferred (mail transport unavailable)",
            ),
          ],
    );
    assert.ok(kindsOf(alerts).includes("delivery_stopped"), kindsOf(alerts).join());
  });

  test("are not missed where no mail comes either", () => {
    const alerts = told(calm, (text) => (/^(?:postfix\/|dovecot: lmtp)/.test(text) ? [] : [text]));
    assert.ok(!kindsOf(alerts).includes("delivery_stopped"), kindsOf(alerts).join());
  });
});

test("a day on which nothing changes is silent", () => {
  assert.deepEqual(told(calm, asBefore), []);
});
