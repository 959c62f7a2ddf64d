import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AddressBook } from "../../src/compose/addresses.ts";
import { formatDelay, placements, type Use } from "../../src/compose/fill.ts";
import { formOf, type Segment } from "../../src/compose/form.ts";
import { Processes, QueueIds, scramble } from "../../src/compose/ids.ts";
import { Material } from "../../src/compose/material.ts";
import { NameBook } from "../../src/compose/names.ts";
import { stream } from "../../src/compose/stream.ts";
import { SERVER } from "./support.ts";

suite("queue ids", () => {
  test("of one moment differ by the inode, for more messages than a spool holds at once", () => {
    for (const long of [false, true]) {
      const ids = new QueueIds(1, long);
      const seen = new Set(Array.from({ length: 60_000 }, () => ids.next(1_775_433_600_123.456)));
      assert.equal(seen.size, 60_000);
    }
  });
  test("begin with the microsecond, or with the second in base 52 and have a z after ten digits", () => {
    assert.match(new QueueIds(1, false).next(1_775_433_600_123.456), /^1E240[0-9A-F]+$/); // 123456 is 1E240
    const long = new QueueIds(1, true).next(1_775_433_600_000);
    assert.equal(long.indexOf("z"), 10);
    const digits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    assert.equal(
      [...long.slice(0, 6)].reduce((n, c) => n * 52 + digits.indexOf(c), 0),
      1_775_433_600,
    );
  });
});

suite("processes", () => {
  test("are used again when idle, not while busy and not after a long rest", () => {
    const processes = new Processes(1);
    const first = processes.take("postfix/smtpd", 0, 5000);
    assert.notEqual(processes.take("postfix/smtpd", 2000, 9000), first);
    assert.equal(processes.take("postfix/smtpd", 6000, 7000), first);
    assert.notEqual(processes.take("postfix/smtpd", 500_000, 501_000), first);
  });
});

suite("what is written anew", () => {
  test("keeps its form", () => {
    const random = stream(1, "test");
    assert.match(scramble("4f6bb5d-13D", random), /^[0-9][a-z][0-9][a-z]{2}[0-9][a-z]-[0-9]{2}[A-Z]$/);
    assert.match(scramble("DE83FC8FBE", random), /^[A-F]{2}\d{2}[A-F]{2}\d[A-F]{3}$/);
  });
  test("delays have two digits at most after rounding, as Postfix writes them", () => {
    const cases: [number, string][] = [
      [0.004, "0"],
      [0.096, "0.1"],
      [0.32, "0.32"],
      [1.26, "1.3"],
      [9.96, "10"],
      [48.7, "49"],
      [3141.6, "3142"],
    ];
    for (const [seconds, text] of cases) assert.equal(formatDelay(seconds), text);
  });
});

suite("attempts at a message", () => {
  const segment = (
    parent: number,
    kind: Segment["kind"],
    attempt: number,
    failed: boolean,
    retried: boolean,
  ): Segment => ({
    parent,
    kind,
    attempt,
    failed,
    retried,
  });
  // Deferred, deferred again, then delivered.
  const segments = [
    segment(-1, "first", 0, true, true),
    segment(0, "retry", 1, true, true),
    segment(1, "retry", 2, false, false),
  ];
  const use = (failsUntil: number): Use => ({ at: 0, pace: 1, failsUntil, fault: -1 });

  test("wait five minutes or more, then about twice as long", () => {
    const [, [second], [third]] = placements(segments, use(Number.NaN), stream(1, "t")) as [
      number[],
      [number],
      [number],
    ];
    assert.ok(second >= 300_000 && second <= 620_000);
    assert.ok(third - second >= 600_000 && third - second <= 1_240_000);
  });
  test("go on while a fault lasts, and succeed after it", () => {
    const hours = 6 * 3_600_000;
    const [, failing, [last]] = placements(segments, use(hours), stream(1, "t")) as [
      number[],
      number[],
      [number],
    ];
    assert.ok(failing.length >= 5);
    assert.ok(failing.every((shift) => shift < hours));
    assert.ok(last >= hours && last <= hours + 4_000_000);
  });
  test("are left out where a fault ends before them", () => {
    const [, failing, [last]] = placements(segments, use(60_000), stream(1, "t")) as [
      number[],
      number[],
      [number],
    ];
    assert.deepEqual(failing, []);
    assert.ok(last >= 300_000);
  });
});

suite("an episode taken apart", () => {
  test("has one slot for what comes twice, and a reverse name that follows its address", () => {
    const names = new NameBook(SERVER, 1, []);
    const addresses = new AddressBook(1, SERVER.domain);
    const line = (text: string, id: string | null = null) => [0, "postfix/smtpd", 7, text, id] as const;
    const lines = [
      line("connect from host-27-3.cust.fiberline.example[198.19.3.27]"),
      line("3AA39D9: client=host-27-3.cust.fiberline.example[198.19.3.27]", "3AA39D9"),
    ];
    const episode = {
      class: "in_ham",
      state: "normal",
      client: "198.19.3.27",
      user: undefined,
      org: undefined,
      part: undefined,
    };
    const { slots, lines: formed } = formOf({ ...episode, lines }, names, addresses);
    assert.deepEqual(
      slots.map(({ kind }) => kind),
      ["home", "derived", "queue", "derived"],
    );
    assert.ok(
      slots
        .filter(({ kind }) => kind === "derived")
        .every(({ of, pattern }) => of === 0 && pattern === "host-d-c"),
    );
    const literal = formed.flatMap(({ parts }) => parts.filter((p) => typeof p === "string")).join("");
    assert.doesNotMatch(literal, /fiberline|27/);
  });
});

suite("a fault's trace", () => {
  const episode = (kind: string, state: string, text: string) => ({
    class: kind,
    state,
    client: undefined,
    user: undefined,
    org: undefined,
    part: undefined,
    lines: [[0, "postfix/smtp", 7, text, "3AA39D9"] as const],
  });
  const bounced = "3AA39D9: to=<a@b.example>, relay=none, status=bounced (Host not found)";
  const sent = "3AA39D9: to=<a@b.example>, relay=none, status=sent (ok)";
  const material = new Material([episode("out_nx", "normal", bounced), episode("out_user", "normal", sent)]);

  test("is a shape that nothing normal has", () => {
    assert.equal(material.isStrange(episode("out_user", "x", "connect to mx1.b.example: timed out")), true);
    assert.equal(material.isStrange(episode("out_user", "x", sent.replace("3AA39D9", "77FF"))), false);
  });
  test("is a complaint that is usual in another class alone", () => {
    assert.equal(material.isStrange(episode("out_user", "x", bounced)), true);
    assert.equal(material.isStrange(episode("out_nx", "x", bounced)), false);
    assert.equal(material.isStrange(episode("out_nx", "x", sent)), false);
  });
});
