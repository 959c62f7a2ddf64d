import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EntityReader, type Observation } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { plainReader } from "../mail/support.ts";

const OWN_HOP = ENTITY_FEATURES.findIndex(({ name }) => name === "own_hop_not_found");

const DELIVERED =
  "lmtp[8]: 4A1B2C3D40: to=<ann@our.example>, relay=mx.our.example[private/dovecot-lmtp], delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <ann@our.example> Saved)";
const FILTERED =
  "lmtp[8]: 4A1B2C3D40: to=<bob@far.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4A1B2C3D50)";
const unknown = (id: string, to: string, host: string, status = "bounced"): string =>
  `smtp[9]: ${id}: to=<${to}>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=5.4.4, status=${status} (Host or domain name not found. Name service error for name=${host} type=A: Host not found)`;

/** The hosts that are counted. */
function hostsOf(...lines: readonly string[]): string[] {
  const reader = plainReader();
  const entities = new EntityReader("salt");
  const seen: Observation[] = [];
  for (const [i, line] of lines.entries())
    entities.read(reader.readText("mail.log", i + 1, `Mar  3 10:0${i}:00 mx postfix/${line}`), seen);
  return seen.filter(({ feature }) => feature === OWN_HOP).map(({ key }) => key);
}

suite("messages that a host of ours is to take, which nobody finds", () => {
  test("are counted once each, by the host, below a domain that is delivered here", () => {
    const twice = unknown("4A1B2C3D41", "bob@far.example", "relay.our.example");
    const other = unknown("4A1B2C3D42", "eve@away.example", "relay.our.example");
    assert.deepEqual(hostsOf(DELIVERED, twice, twice, other), ["relay.our.example", "relay.our.example"]);
  });
  test("are not those to a mistyped domain of ours, to a stranger's host, or that are tried again", () => {
    for (const line of [
      unknown("4A1B2C3D41", "bob@mial.our.example", "mial.our.example"),
      unknown("4A1B2C3D41", "bob@far.example", "mx.far.example"),
      unknown("4A1B2C3D41", "bob@far.example", "our.example"),
      unknown("4A1B2C3D41", "bob@far.example", "relay.our.example", "deferred"),
    ])
      assert.deepEqual(hostsOf(DELIVERED, line), [], line);
  });
  test("are none while no mail was delivered here, or only taken by a filter", () => {
    assert.deepEqual(hostsOf(unknown("4A1B2C3D41", "bob@away.example", "relay.our.example")), []);
    assert.deepEqual(hostsOf(FILTERED, unknown("4A1B2C3D41", "bob@away.example", "mx.far.example")), []);
  });
});
