import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { plainReader } from "../mail/support.ts";

const REFUSED = ENTITY_FEATURES.findIndex(({ name }) => name === "refused_messages_site");
const BLOCKED = "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using bl.example";

type Delivery = readonly [id: string, to: string, said: string];

/** What a feature counts, by its keys, of lines by queue id, recipient and what the other server said. */
function keysOf(feature: number, ...deliveries: readonly Delivery[]): string[] {
  const lines = plainReader();
  const entities = new EntityReader("salt");
  const seen: Observation[] = [];
  for (const [i, [id, to, said]] of deliveries.entries()) {
    const status = said.startsWith("2")
      ? `sent (${said})`
      : `deferred (host mx.far.example[192.0.2.7] said: ${said})`;
    const line = `Mar  3 10:0${i}:00 mx postfix/smtp[9]: ${id}: to=<${to}>, relay=mx.far.example[192.0.2.7]:25, delay=1, delays=0/0/1/0, dsn=4.0.0, status=${status}`;
    entities.read(lines.readText("mail.log", i + 1, line), seen);
  }
  return seen.filter((observation) => observation.feature === feature).map(({ key }) => key);
}

const counted = (...deliveries: readonly Delivery[]): number => keysOf(REFUSED, ...deliveries).length;

suite("messages that others refuse for what they think of this server", () => {
  test("are those that a list or a limit keeps out", () => {
    assert.equal(
      counted(
        ["4A1B2C3D41", "ann@far.example", BLOCKED],
        [
          "4A1B2C3D42",
          "bob@far.example",
          "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
        ],
        [
          "4A1B2C3D43",
          "eve@far.example",
          "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred",
        ],
      ),
      3,
    );
  });
  test("are not those of which the recipient is wrong, nor what arrives", () => {
    assert.equal(
      counted(
        ["4A1B2C3D41", "ann@far.example", "550 5.1.1 User unknown"],
        ["4A1B2C3D42", "bob@far.example", "452 4.2.2 Mailbox full"],
        ["4A1B2C3D43", "eve@far.example", "250 2.0.0 Ok: blocked using humour"],
      ),
      0,
    );
  });
  test("count once, however often they are tried and to whomever they go, and again only to another recipient", () => {
    assert.equal(
      counted(
        ["4A1B2C3D41", "ann@far.example", BLOCKED],
        ["4A1B2C3D41", "ann@far.example", BLOCKED],
        ["4A1B2C3D41", "bob@far.example", BLOCKED],
        ["4A1B2C3D42", "ann@far.example", BLOCKED],
      ),
      1,
    );
    assert.equal(
      counted(["4A1B2C3D41", "ann@far.example", BLOCKED], ["4A1B2C3D42", "eve@far.example", BLOCKED]),
      2,
    );
  });
});

suite("messages that reached a domain", () => {
  const REACHED = ENTITY_FEATURES.findIndex(({ name }) => name === "reached_messages");
  const OK = "250 2.0.0 Ok";

  test("count once for all recipients there, and for each domain", () => {
    assert.deepEqual(
      keysOf(
        REACHED,
        ["4A1B2C3D41", "ann@far.example", OK],
        ["4A1B2C3D41", "bob@FAR.example", OK],
        ["4A1B2C3D41", "eve@near.example", OK],
        ["4A1B2C3D42", "bob@far.example", OK],
      ),
      ["far.example", "near.example", "far.example"],
    );
  });

  test("are none that fail", () =>
    assert.deepEqual(keysOf(REACHED, ["4A1B2C3D41", "ann@far.example", "550 5.1.1 User unknown"]), []));
});
