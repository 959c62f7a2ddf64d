import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ChannelConfig } from "../../src/config/config.ts";
import { refusedAfter, retryAfter, tooOld } from "../../src/deliver/backoff.ts";
import { channelsFor, type Holds, post } from "../../src/deliver/route.ts";
import { KINDS } from "../../src/detect/alert.ts";
import { alertTold, mailChannel, NOW, openOutbox, reportTold, smtp } from "./support.ts";

const mail = mailChannel(smtp(25));
const hook = (change: object): ChannelConfig =>
  ({
    name: "hook",
    type: "webhook",
    when: "always",
    minSeverity: "low",
    report: false,
    url: "https://x.example/",
    format: "json",
    tokenFile: undefined,
    ...change,
  }) as ChannelConfig;
const pager = hook({ name: "pager", when: "fallback" });
const none = (): boolean => false;
const route = (
  told: Parameters<typeof channelsFor>[0],
  channels: ChannelConfig[],
  holds: Holds = none,
): string[] => channelsFor(told, channels, holds);

suite("an alert", () => {
  test("goes to every channel that always has it, when it opens and when it gets worse", () => {
    for (const event of ["opened", "worse"] as const)
      assert.deepEqual(route(alertTold({}, event), [mail, hook({}), pager]), ["mail", "hook"]);
  });
  test("that is over is not mailed, but told elsewhere", () =>
    assert.deepEqual(route(alertTold({}, "closed"), [mail, hook({})]), ["hook"]));
  test("that called somebody out is mailed when it is over", () => {
    const grave = alertTold({ class: "always", severity: "critical", kind: "disk_full" }, "closed");
    assert.deepEqual(route(grave, [mail]), ["mail"]);
  });
  test("goes nowhere below a channel's severity, and there once it has got worse", () => {
    const channels = [hook({ minSeverity: "critical" })];
    assert.deepEqual(route(alertTold(), channels), []);
    const worse = { at: 0, severity: "critical" as const, title: "" };
    assert.deepEqual(route(alertTold({ updates: [worse] }, "worse"), channels), ["hook"]);
  });
  test("of a kind in which mail gets stuck goes to the channel that stands in as well", () => {
    const there = KINDS.filter((kind) => route(alertTold({ kind }), [mail, pager]).includes("pager"));
    for (const kind of ["disk_full", "service_stopped", "queue_growth", "dns_failure", "tls_failure"])
      assert.ok(there.includes(kind as never), kind);
    for (const kind of ["bruteforce", "spam_wave", "latency", "volume_change", "quota"])
      assert.ok(!there.includes(kind as never), kind);
  });
  test("goes on where it was told first", () => {
    const holds = (key: string, channel: string): boolean =>
      key === "alert b4f00d opened" && channel === "pager";
    assert.deepEqual(route(alertTold({}, "closed"), [mail, pager], holds), ["pager"]);
  });
  test("goes to a channel that stands in for mail where there is no mail", () =>
    assert.deepEqual(route(alertTold(), [pager]), ["pager"]));
  test("that the budget held goes nowhere", () =>
    assert.deepEqual(route(alertTold({ held: true }), [mail, hook({}), pager]), []));
});

suite("what is posted", () => {
  test("waits on each channel that it goes to, once, and its end follows it", () => {
    const outbox = openOutbox();
    const channels = [mail, pager];
    const grave = { kind: "queue_growth" as const };
    assert.deepEqual(post(alertTold(grave), channels, outbox, NOW), ["mail", "pager"]);
    post(alertTold(grave), channels, outbox, NOW + 1);
    assert.deepEqual(post(alertTold({ ...grave, id: "c0ffee" }, "closed"), channels, outbox, NOW), ["pager"]);
    assert.deepEqual(
      outbox.counts().map((c) => [c.channel, c.waiting, c.oldestAt]),
      [
        ["mail", 1, NOW],
        ["pager", 2, NOW],
      ],
    );
  });
});

suite("the daily report", () => {
  test("goes where it is wanted, and never to Alertmanager", () =>
    assert.deepEqual(
      route(reportTold, [
        mail,
        hook({}),
        hook({ name: "b", report: true }),
        hook({ name: "c", report: true, format: "alertmanager" }),
      ]),
      ["mail", "b"],
    ));
});

suite("the wait after a failed try", () => {
  const MINUTE = 60_000;
  test("doubles from half a minute to an hour", () =>
    assert.deepEqual(
      [1, 2, 3, 7, 8, 20, 100].map((tries) => retryAfter(tries, undefined, 0.5) / MINUTE),
      [0.5, 1, 2, 32, 60, 60, 60],
    ));
  test("varies by a quarter, within its bounds", () => {
    assert.deepEqual(
      [0, 0.5, 1].map((chance) => retryAfter(3, undefined, chance) / MINUTE),
      [1.5, 2, 2.5],
    );
    assert.equal(retryAfter(1, undefined, 0), 30_000);
    assert.equal(retryAfter(50, undefined, 1), 60 * MINUTE);
  });
  test("is as long as the receiver wishes, up to six hours", () => {
    assert.equal(retryAfter(1, 10 * MINUTE, 0.5), 10 * MINUTE);
    assert.equal(retryAfter(5, 1, 0.5), 8 * MINUTE);
    assert.equal(retryAfter(1, 1e12, 0.5), 360 * MINUTE);
  });
  test("after a refusal is longer, and ends", () =>
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => refusedAfter(n)),
      [5 * MINUTE, 30 * MINUTE, 120 * MINUTE, undefined],
    ));
  test("ends after seven days and thirty tries, whichever is later", () => {
    const day = 24 * 60 * MINUTE;
    assert.deepEqual(
      [tooOld(0, 7 * day, 99), tooOld(0, 8 * day, 29), tooOld(0, 8 * day, 30)],
      [false, false, true],
    );
  });
});
