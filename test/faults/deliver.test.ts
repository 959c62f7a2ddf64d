import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { ChannelConfig } from "../../src/config/config.ts";
import type { Outcome } from "../../src/deliver/sender.ts";
import { senderOf } from "../../src/deliver/senders.ts";
import type { Fault } from "../../src/fault.ts";
import { context, delivererOf, folder, mailChannel, openOutbox, smtp, wait } from "../deliver/support.ts";
import { HOSTILE } from "../report/support.ts";

const dir = folder();
const file = (name: string, text: string, mode: number): string => {
  writeFileSync(join(dir, name), text, { mode });
  return join(dir, name);
};
const base = { when: "always", minSeverity: "low", report: true } as const;
const secret = (path: string): ChannelConfig =>
  mailChannel(smtp(1, { security: "starttls", user: "u", passwordFile: path }));
const token = (path: string): ChannelConfig =>
  ({
    ...base,
    name: "hook",
    type: "webhook",
    url: "http://127.0.0.1:1/",
    format: "json",
    tokenFile: path,
  }) as const;

/** A channel that can't be used: its name, the channel, exit code, and a word each of what, where and do. */
type Case = readonly [string, ChannelConfig, string, RegExp, RegExp, RegExp];
const CASES: readonly Case[] = [
  [
    "a password that others read",
    secret(file("open", "x", 0o644)),
    "configuration",
    /open to others \(mode 0644\)/,
    /"mail", password_file/,
    /chmod 600/,
  ],
  [
    "a password that is not there",
    secret(join(dir, "none")),
    "configuration",
    /cannot read .* \(ENOENT\)/,
    /password_file/,
    /check the path/,
  ],
  [
    "an empty password",
    secret(file("empty", "\n", 0o600)),
    "configuration",
    /is empty/,
    /password_file/,
    /on one line/,
  ],
  [
    "a token of two lines",
    token(file("two", "a\nb\n", 0o600)),
    "configuration",
    /more than one line/,
    /"hook", token_file/,
    /alone/,
  ],
  [
    "a password in the open",
    mailChannel(smtp(25, { host: "relay.example", user: "u", passwordFile: file("p", "x", 0o600) })),
    "configuration",
    /unencrypted/,
    /"mail", security/,
    /starttls/,
  ],
  [
    "an authority that is not there",
    mailChannel(smtp(1, { security: "tls", authority: join(dir, "ca") })),
    "configuration",
    /authority: .*\(ENOENT\)/,
    /authority/,
    /may read it/,
  ],
  [
    "no sendmail",
    mailChannel({ by: "sendmail", program: "/no/sendmail" }),
    "unavailable",
    /cannot run \/no\/sendmail \(ENOENT\)/,
    /sendmail/,
    /install/,
  ],
  [
    "no command",
    { ...base, name: "cmd", type: "command", command: ["/no/command"], timeoutS: 5 },
    "unavailable",
    /\/no\/command/,
    /"cmd", command/,
    /executable/,
  ],
  [
    "a file in no folder",
    { ...base, name: "file", type: "file", path: "/no/folder/f" },
    "io",
    /append to .* \(ENOENT\)/,
    /"file", path/,
    /folder exists/,
  ],
  [
    "a server that is down",
    mailChannel(smtp(1)),
    "temporary",
    /cannot send on channel "mail": .*ECONNREFUSED/,
    /logvane\.toml/,
    /--send-test/,
  ],
];

/** Four lines, each with its part, and no active character. */
function assertParts(fault: Fault): void {
  const [error, where, effect, remedy, end, ...more] = fault.format().split("\n");
  for (const [line, name] of [
    [error, "error   "],
    [where, "where   "],
    [effect, "effect  "],
    [remedy, "do      "],
  ] as const)
    assert.match(line!, new RegExp(`^${name}\\S`));
  assert.deepEqual([end, more], ["", []]);
}

suite("a channel with", () => {
  for (const [name, channel, exit, what, where, remedy] of CASES)
    test(`${name} is told in four parts, once, and what waits is kept`, async () => {
      const outbox = openOutbox();
      wait(outbox, ["a1"], channel.name);
      const { deliverer, faults, clock } = delivererOf(outbox, [channel]);
      for (let i = 0; i < 3; i++) {
        await deliverer.drain();
        clock.now += 3_600_000;
      }
      assert.equal(faults.length, 1);
      const [fault] = faults;
      assertParts(fault!);
      assert.equal(fault!.exit, exit);
      assert.match(fault!.message, what);
      assert.match(fault!.where, where);
      assert.match(fault!.remedy, remedy);
      assert.equal(outbox.counts()[0]!.waiting, 1);
    });
});

suite("a notification", () => {
  const answering = (answer: Outcome): { sender: () => ReturnType<typeof senderOf> } => ({
    sender: () => ({ ...senderOf(mailChannel(smtp(1)), context), send: async () => answer }),
  });
  test("that was refused to the end is told to be given up", async () => {
    const outbox = openOutbox();
    wait(outbox, ["a1"]);
    const { deliverer, faults, clock } = delivererOf(
      outbox,
      [mailChannel(smtp(1))],
      answering({ result: "refused", error: "550 no" }),
    );
    for (let i = 0; i < 4; i++) {
      await deliverer.drain();
      clock.now += 3 * 3_600_000;
    }
    for (const fault of faults) assertParts(fault);
    assert.deepEqual(
      faults.map((f) => f.exit),
      ["temporary", "unavailable"],
    );
    assert.match(faults[1]!.message, /gave up on .* after 4 tries: 550 no/);
    assert.match(faults[1]!.effect, /"alert a1 opened" is not told there/);
  });
  test("for a channel that was taken out of the settings is told to be given up", async () => {
    const outbox = openOutbox();
    wait(outbox, ["a1"], "gone");
    const { deliverer, faults } = delivererOf(outbox, [mailChannel(smtp(1))]);
    await deliverer.drain();
    assertParts(faults[0]!);
    assert.equal(faults[0]!.exit, "configuration");
  });
  test("can't bring a receiver's escapes into a message", async () => {
    const outbox = openOutbox();
    wait(outbox, ["a1"]);
    const { deliverer, faults } = delivererOf(
      outbox,
      [mailChannel(smtp(1))],
      answering({ result: "retry", error: HOSTILE }),
    );
    await deliverer.drain();
    assertParts(faults[0]!);
    assert.doesNotMatch(faults[0]!.message, /[\u0000-\u001f\u202e]/);
  });
});
