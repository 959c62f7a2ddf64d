import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ChannelConfig } from "../../src/config/config.ts";
import { channelsFor } from "../../src/deliver/route.ts";
import { Engine, type Told } from "../../src/engine/engine.ts";
import { type LineBatch, LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { notificationKey } from "../../src/report/notification.ts";
import { at, linesOf, MONDAY, planOf, textOf } from "../compose/support.ts";
import { mailChannel, smtp } from "../deliver/support.ts";
import { learn, unpack } from "../pipeline/support.ts";

/** A storm of lines as the outbox gets it: what is told of it, and what of that is mailed. */

const HOUR = 3_600_000;
const DAYS = 4;
const FROM = Date.parse(MONDAY) + DAYS * 24 * HOUR;
const learned = learn(
  {
    bytes: Buffer.from(`${textOf(linesOf(planOf({ days: DAYS + 0.05 }, { mailsPerDay: 100 })))}\n`),
    zone: "UTC",
    year: 2026,
    until: Date.parse(at(DAYS, 0)),
  },
  { timeOnly: true },
);

const mail = mailChannel(smtp(25));
const hook = { ...mail, name: "hook", type: "webhook" } as unknown as ChannelConfig;

/** What is told of a storm: lines evenly over hours. That the log is silent afterwards is left out. text: of the nth of them. */
function toldOf(
  lines: number,
  hours: number,
  text: (n: number) => string,
): { told: Told[]; mails: number; sent: number } {
  const { model, options, start } = learned;
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 1);
  const engine = new Engine(
    { model, modelId: "m", settings: options, zone: "UTC", isOurs: () => false },
    Detector.restore(model, unpack(start).detector, options),
    reader,
  );
  reader.adopt(model.groups);
  const told: Told[] = [];
  const gap = (hours * HOUR) / lines;
  for (let n = 0; n < lines; ) {
    const some: string[] = [];
    for (let k = 0; k < 5_000 && n < lines; k++, n++)
      some.push(`${new Date(FROM + n * gap).toISOString()} mx7 ${text(n)}\n`);
    const [batch] = new LineCutter().push(Buffer.from(some.join(""))) as [LineBatch];
    const place = { kind: "journal" } as const;
    engine.take({ source: "log", file: "mail.log", lines: batch, from: place, to: place } as never);
    told.push(...engine.drain().told);
  }
  engine.tick(FROM + (hours + 3) * HOUR);
  told.push(...engine.drain().told.filter(({ alert }) => alert["kind"] !== "log_silence"));
  const held = new Set<string>();
  let [mails, sent] = [0, 0];
  for (const { event, alert } of told) {
    const notification = { type: "alert", event, alert: alert as never } as const;
    for (const name of channelsFor(notification, [mail, hook], (key, to) => held.has(key + to))) {
      held.add(notificationKey(notification) + name);
      if (name === mail.name) mails++;
      else sent++;
    }
  }
  return { told, mails, sent };
}

const ids = (told: readonly Told[]): Set<string> => new Set(told.map(({ alert }) => alert.id));
const guess = (n: number): string =>
  `postfix/smtpd[${1000 + (n % 40)}]: warning: unknown[192.0.2.${n % 200}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6`;

suite("a storm of 100,000 lines", () => {
  test("is one incident and one mail, and at most three messages elsewhere", () => {
    const { told, mails, sent } = toldOf(100_000, 5, guess);
    assert.equal(ids(told).size, 1, JSON.stringify(told.map(({ alert }) => alert["title"])));
    assert.equal(mails, 1);
    assert.ok(sent <= 3, told.map(({ event }) => event).join());
    const closed = told.find(({ event }) => event === "closed")!.alert as unknown as {
      total: { lines: number };
    };
    assert.ok(closed.total.lines > 50_000, `${closed.total.lines} lines counted`);
  });
});

suite("an incident that changes its nature", () => {
  const delivery = (n: number, status: string): string =>
    `postfix/smtp[${2000 + (n % 9)}]: ${(0xabc000 + n).toString(16).toUpperCase()}: to=<u${n % 50}@big.example>, relay=mx.big.example[198.51.100.9]:25, delay=3, delays=0.1/0/1/2, dsn=${status}`;
  const slowed = (n: number): string =>
    delivery(
      n,
      "4.7.28, status=deferred (host mx.big.example[198.51.100.9] said: 421-4.7.28 unusual rate of mail, we have temporarily rate limited you)",
    );
  const blocked = (n: number): string =>
    delivery(
      n,
      "5.7.1, status=bounced (host mx.big.example[198.51.100.9] said: 550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using Spamhaus)",
    );
  test("says so once, in its title, and as grave as it is now", () => {
    const { told } = toldOf(6_000, 3, (n) => (n < 2_000 ? slowed(n) : blocked(n)));
    assert.ok(ids(told).size <= 2, JSON.stringify(told.map(({ alert }) => alert["title"])));
    const first = told[0]!.alert;
    assert.equal(first["kind"], "remote_throttled");
    const changed = told.filter(({ event, alert }) => event === "worse" && alert.id === first.id);
    assert.equal(changed.length, 1);
    const updates = changed[0]!.alert["updates"] as { title: string; severity: string }[];
    assert.match(updates[0]!.title, /^Other servers refuse our mail: /);
    assert.equal(updates[0]!.severity, "high");
  });
});
