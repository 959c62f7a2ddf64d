import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Candidate } from "../../src/detect/candidate.ts";
import { isKin } from "../../src/detect/kinship.ts";
import { candidate, HOUR, MINUTE, NOON } from "./support.ts";

type Told = Parameters<typeof isKin>[0];

const told = (alert: Partial<Told["alert"]>, family: Candidate["family"] = "outbound"): Told => ({
  alert: {
    kind: "lookup_failure",
    kindConfidence: 0.8,
    severity: "high",
    lines: [],
    openedAt: NOON,
    ...alert,
  },
  family,
});
const later = (changes: Partial<Candidate>): Candidate =>
  candidate({ at: NOON + 30 * MINUTE, family: "inbound", ...changes });
const line = (text: string) => ({ file: "mail.log", line: 1, text });
const fewer = { measure: { name: "lines", actual: 0, typicalLow: 40, typicalHigh: 80 } };

suite("what a fault of this machine brings about", () => {
  test("is what names no cause, what is slow, and what is said to be stopped by those that ask it", () => {
    for (const kind of ["volume_change", "unknown", "new_message", "latency", "service_stopped"] as const)
      assert.equal(isKin(told({}), later({ kind })), true, kind);
  });
  test("is no other fault, no attack, and no silence", () => {
    for (const kind of ["milter_failure", "bruteforce", "quota", "remote_blocked"] as const)
      assert.equal(isKin(told({}), later({ kind })), false, kind);
    assert.equal(isKin(told({}), later({ kind: "service_stopped", view: "absence" })), false);
  });
  test("is nothing hours later, nothing graver, and nothing where the fault is only guessed", () => {
    const vague = { kind: "volume_change" } as const;
    assert.equal(isKin(told({}), later({ ...vague, at: NOON + 3 * HOUR })), false);
    assert.equal(isKin(told({ kind: "policy_failure", severity: "low" }), later(vague)), false);
    assert.equal(isKin(told({ kindConfidence: 0.5 }), later(vague)), false);
  });
  test("is nothing of what others do, or what is wrong elsewhere", () => {
    for (const kind of ["remote_unreachable", "bruteforce", "quota"] as const)
      assert.equal(isKin(told({ kind }), later({ kind: "volume_change" })), false, kind);
  });
});

suite("less than usual", () => {
  const vague = { kind: "volume_change" } as const;
  test("comes of silence; more than usual doesn't", () => {
    for (const kind of ["log_silence", "service_stopped", "delivery_stopped"] as const) {
      assert.equal(isKin(told({ kind }), later({ ...vague, ...fewer })), true, kind);
      assert.equal(isKin(told({ kind }), later(vague)), false, kind);
    }
  });
});

suite("who is told of by name in an alert's lines", () => {
  const quota = { kind: "quota", severity: "low", lines: [line("lmtp(ann@our.example): Quota")] } as const;
  const account = (value: string, kind: Candidate["kind"] = "quota"): Candidate =>
    later({ kind, view: "entity", key: `entity f ${value}`, entities: [{ type: "account", value }] });
  test("belongs to it, and nobody else does", () => {
    assert.equal(isKin(told(quota), account("ann@our.example")), true);
    assert.equal(isKin(told(quota), account("bob@our.example")), false);
    assert.equal(isKin(told(quota), account("")), false);
    assert.equal(isKin(told(quota), account("ann@our.example", "account_compromised")), false);
  });
});

suite("handshakes that fail", () => {
  const tls = { kind: "tls_failure", kindConfidence: 0.8 } as const;
  test("are one fault where clients of several services meet our certificate", () =>
    assert.equal(isKin(told(tls, "auth"), later(tls)), true));
  test("are several where other servers are asked", () => {
    assert.equal(isKin(told(tls, "outbound"), later(tls)), false);
    assert.equal(isKin(told(tls, "auth"), later({ ...tls, family: "outbound" })), false);
  });
});

suite("processes that die", () => {
  const crash = { kind: "crash_loop" } as const;
  test("are a side of what kills them", () => {
    assert.equal(isKin(told(crash), later({ kind: "auth_backend_failure", kindConfidence: 0.7 })), true);
    assert.equal(isKin(told(crash), later({ kind: "auth_backend_failure", kindConfidence: 0.5 })), false);
    assert.equal(isKin(told(crash), later({ kind: "dns_failure" })), false);
  });
});

suite("slow deliveries", () => {
  test("are slow in more ways than one, also when they become slower", () => {
    const slow = { kind: "latency", kindConfidence: 0.7 } as const;
    assert.equal(isKin(told({ ...slow, severity: "low" }), later({ ...slow, rate: 1e-9 })), true);
  });
});
