import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CauseCounter } from "../../src/detect/attribute.ts";
import { entityCandidate, noveltyCandidate } from "../../src/detect/candidates.ts";
import type { EntityScorer } from "../../src/detect/entity.ts";
import { LineRings } from "../../src/detect/lines.ts";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { familyOf } from "../../src/feature/family.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { plainReader } from "../mail/support.ts";
import { NO_COLUMNS } from "./support.ts";

const lineOf = (event: MailEvent): SeenLine => ({
  ...{ file: event.file, line: event.line, text: event.text, time: event.time! },
  ...{ templateId: event.templateId, template: event.template, cause: event.cause },
  family: familyOf(event),
});

/** What the last of some lines is called, where all of them are new. */
function named(...lines: readonly string[]): string {
  const reader = plainReader();
  const events = lines.map((line, i) => reader.readText("mail.log", i + 1, `Mar  3 10:00:0${i} mx ${line}`));
  const rings = new LineRings();
  const causes = new CauseCounter(NO_COLUMNS);
  for (const event of events) {
    rings.shape(lineOf(event));
    causes.add(event, familyOf(event));
  }
  const last = events.at(-1)!;
  const newest = events.slice(0, -1).map(({ templateId }) => templateId);
  const finding = {
    shape: last.templateId,
    repeats: 1,
    others: newest.length,
    newest,
    rate: 1e-3,
    pValue: 1e-3,
  };
  return noveltyCandidate(finding, last, lineOf(last), { causes, rings, at: last.time! }).kind;
}

const NO_AUTH =
  "postfix/submission/smtpd[9]: warning: SASL: Connect to Dovecot auth socket 'private/auth' failed: No such file or directory";
const NO_LMTP =
  "postfix/lmtp[9]: 4A1B2C3D4E: to=<ann@our.example>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=4.4.1, status=deferred (connect to mx.our.example[private/dovecot-lmtp]: No such file or directory)";
const NO_ROUTE =
  "postfix/smtp[9]: 4A1B2C3D4E: to=<ann@far.example>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect to mx.far.example[192.0.2.7]:25: Connection timed out)";
const HANGUP = "postfix/postscreen[9]: NON-SMTP COMMAND from [192.0.2.9]:33781 after CONNECT: ???";

suite("a line that is new", () => {
  test("is called by what else is new and breaks it", () => {
    assert.equal(named(NO_AUTH, NO_LMTP), "auth_backend_failure");
    assert.equal(named(NO_AUTH, HANGUP), "auth_backend_failure");
  });
  test("is no other server's fault where a socket of this machine does not answer", () => {
    assert.equal(named(NO_LMTP), "service_stopped");
    assert.equal(named(NO_ROUTE), "remote_unreachable");
  });
  test("keeps its own name where it has one", () => {
    assert.equal(named(HANGUP, NO_AUTH), "auth_backend_failure");
    assert.equal(named(HANGUP), "connection_flood");
  });
  test("is a policy server's where smtpd can't ask it", () => {
    const ask = "postfix/smtpd[9]: warning: problem talking to server 127.0.0.1:10023: Connection refused";
    const reject =
      "postfix/smtpd[9]: NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 451 4.3.5 <x@our.example>: Recipient address rejected: Server configuration problem; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>";
    assert.equal(named(ask), "policy_failure");
    assert.equal(named(reject), "policy_failure");
  });
});

suite("messages stopped at one host", () => {
  const HOP = ENTITY_FEATURES.findIndex(({ name }) => name === "failing_messages_hop");
  /** What five messages are called that end like this. */
  const stopped = (why: string): { kind: string; title: string } => {
    const [reader, entities, rings] = [plainReader(), new EntityReader("salt"), new LineRings()];
    let key = "";
    for (let i = 1; i <= 5; i++) {
      const line = `Mar  3 10:00:0${i} mx postfix/smtp[9]: 4A1B2C3D4${i}: to=<ann@far.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (${why})`;
      const event = reader.readText("mail.log", i, line);
      const seen: Observation[] = [];
      entities.read(event, seen);
      const hop = seen.find(({ feature }) => feature === HOP)!;
      key = hop.key;
      rings.entity(hop, lineOf(event));
    }
    const finding = {
      ...{ feature: HOP, key, horizon: 12, actual: 5, expected: 0.01, alpha: 0.5 },
      ...{ nats: 20, excess: 10, rate: 1e-4, pValue: 1e-4 },
    };
    const causes = new CauseCounter(NO_COLUMNS);
    const at = { at: 0, slotEnd: 0, scorer: {} as EntityScorer };
    return entityCandidate(finding, { ...at, causes, rings });
  };
  test("are called by why, and the title quotes a line", () => {
    const { kind, title } = stopped("connect to mx.far.example[192.0.2.7]:25: Connection timed out");
    assert.equal(kind, "remote_unreachable");
    assert.ok(title.includes("Connection timed out"), title);
    const unknown =
      "Host or domain name not found. Name service error for name=far.example type=MX: Host not found, try again";
    assert.equal(stopped(unknown).kind, "dns_failure");
    assert.equal(stopped("connect to mx[private/dovecot-lmtp]: Connection refused").kind, "service_stopped");
  });
});
