import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  CauseCounter,
  kindBehind,
  kindOfLines,
  kindOfLost,
  kindOfNameless,
  kindOfSender,
  kindOfSlow,
  tellingLine,
} from "../../src/detect/attribute.ts";
import type { Cause, MailEvent } from "../../src/mail/event.ts";
import { NO_COLUMNS } from "./support.ts";

const lines = (...causes: (Cause | undefined)[]): { cause: Cause | undefined }[] =>
  causes.map((cause) => ({ cause }));

suite("the kind that cited lines name", () => {
  test("is that of most lines that complain", () => {
    assert.equal(kindOfLines(lines("dns", "dns", "tls"))?.kind, "dns_failure");
    assert.equal(kindOfLines(lines("quota", undefined, undefined))?.kind, "quota");
  });
  test("is none where few complain, where they disagree, or where all show symptoms", () => {
    assert.equal(kindOfLines(lines("quota", undefined, undefined, undefined)), undefined);
    assert.equal(kindOfLines(lines("dns", "tls", "quota")), undefined);
    assert.equal(kindOfLines(lines("crash", "connect", "other")), undefined);
    assert.equal(kindOfLines([]), undefined);
  });
  test("is surer the more lines say so", () => {
    const [one, all] = [lines("dns", "dns", "tls", "tls"), lines("dns", "dns", "dns")].map(kindOfLines);
    assert.ok(all!.confidence > one!.confidence);
  });
});

suite("what is behind a line that tells of something cut off", () => {
  test("is what else has just begun to fail on this machine", () => {
    assert.equal(kindBehind("connect", lines("auth_backend", "crash", undefined)), "auth_backend_failure");
    assert.equal(kindBehind("protocol", lines("dns", "dns", "auth_backend")), "dns_failure");
  });
  test("is nothing where others fail, and nothing where the line says itself what is wrong", () => {
    assert.equal(kindBehind("connect", lines("quota", "greylisted", "blocked", undefined)), undefined);
    assert.equal(kindBehind("connect", []), undefined);
    assert.equal(kindBehind("quota", lines("dns")), undefined);
    assert.equal(kindBehind(undefined, lines("dns")), undefined);
  });
});

suite("clients that are lost", () => {
  const lost = ["lost connection after CONNECT from <*>", "SSL_accept error from <*>: lost connection"].map(
    (template) => ({ cause: undefined, template }),
  );
  const counted = (cause: Cause, n: number, family: "auth" | "inbound"): CauseCounter => {
    const counter = new CauseCounter(NO_COLUMNS);
    for (let i = 0; i < n; i++) counter.add({ cause } as MailEvent, family);
    return counter;
  };
  test("are lost for what fails on this machine, where that stands out", () => {
    assert.equal(kindOfLost(lost, counted("auth_backend", 9, "auth"))?.kind, "auth_backend_failure");
    assert.equal(kindOfLost(lost, counted("milter", 9, "inbound"))?.kind, "milter_failure");
    assert.equal(kindOfLost(lost, counted("milter", 1, "inbound")), undefined);
    const all = [...lost, { cause: undefined, template: "connect from <*>" }];
    assert.equal(kindOfLost(all, counted("milter", 9, "inbound"))?.kind, "milter_failure");
    assert.equal(kindOfLost(all.slice(-1), counted("milter", 9, "inbound")), undefined);
  });
  test("are not where others are at fault, where they guess, and where lines say more", () => {
    assert.equal(kindOfLost(lost, counted("greylisted", 9, "inbound")), undefined);
    const guessed = counted("auth_backend", 9, "auth");
    for (let i = 0; i < 30; i++) guessed.add({ cause: "auth" } as MailEvent, "auth");
    assert.equal(kindOfLost(lost, guessed), undefined);
    const more = [
      ...lost,
      { cause: "config" as const, template: "fatal: no SASL authentication mechanisms" },
    ];
    assert.equal(kindOfLost(more, counted("auth_backend", 9, "auth")), undefined);
    assert.equal(kindOfLost([], counted("auth_backend", 9, "auth")), undefined);
  });
});

suite("slow deliveries", () => {
  test("are called by what most of them wait for", () => {
    assert.equal(kindOfSlow(lines("greylisted", "greylisted", "greylisted", undefined)).kind, "greylisting");
    assert.equal(kindOfSlow(lines("throttled", "throttled", "dns")).kind, "remote_throttled");
  });
  test("are just slow where most arrive, or fail of what slows nobody", () => {
    assert.equal(kindOfSlow(lines("greylisted", "greylisted", undefined, undefined)).kind, "latency");
    assert.equal(kindOfSlow(lines("unknown_user", "unknown_user", "tls")).kind, "latency");
    assert.equal(kindOfSlow([]).kind, "latency");
  });
});

suite("clients without a name, where they are rare", () => {
  const shapes = (...templates: string[]): { template: string }[] =>
    templates.map((template) => ({ template }));
  test("are named by a resolver that fails", () => {
    const found = kindOfNameless(
      shapes("postfix/smtpd: <*>: client=unknown[<*>]", "postfix/smtpd: connect from unknown[<*>]"),
    );
    assert.equal(found?.kind, "dns_failure");
  });
  test("tell of nothing beside those that have one", () => {
    assert.equal(
      kindOfNameless(shapes("postfix/smtpd: connect from unknown[<*>]", "postfix/smtpd: connect from <*>")),
      undefined,
    );
    assert.equal(
      kindOfNameless(shapes("postfix/smtpd: lost connection after AUTH from unknown[<*>]")),
      undefined,
    );
    assert.equal(kindOfNameless([]), undefined);
  });
});

suite("the line that a title quotes", () => {
  test("is one that names the kind, where any does", () => {
    const cited = lines(undefined, "tls", "quota", "quota");
    assert.equal(tellingLine(cited, "quota"), cited[2]);
    assert.equal(tellingLine(cited, "dns_failure"), cited[0]);
    assert.equal(tellingLine([], "quota"), undefined);
  });
});

suite("an account whose messages fail", () => {
  test("is called by what its lines say", () => {
    assert.equal(kindOfSender(lines("quota", "quota", "unknown_user"), 30).kind, "quota");
    assert.equal(kindOfSender(lines("dns", "dns"), 30).kind, "dns_failure");
    assert.equal(kindOfSender(lines("connect", "expired", "connect"), 30).kind, "remote_unreachable");
  });
  test("may be stolen where they find nobody, and surely so only when they are many", () => {
    const [few, many] = [4, 48].map((n) => kindOfSender(lines("unknown_user", "unknown_user", "spam"), n));
    assert.deepEqual([few!.kind, many!.kind], ["account_compromised", "account_compromised"]);
    assert.ok(few!.confidence < 0.8 && many!.confidence >= 0.8);
  });
});

suite("processes that die", () => {
  const named = (...reasons: Cause[]): string | undefined => {
    const counter = new CauseCounter(NO_COLUMNS);
    for (let i = 0; i < 20; i++) counter.add({ cause: "crash" } as MailEvent, "system");
    for (const cause of reasons) counter.add({ cause } as MailEvent, "auth");
    return counter.kind("crash", 2, "system")?.kind;
  };
  test("are called by what kills them, however few lines say so", () => {
    assert.equal(named("auth_backend"), "auth_backend_failure");
    assert.equal(named("auth", "auth", "auth"), "crash_loop");
    assert.equal(named(), "crash_loop");
  });
});

suite("the password service's complaints", () => {
  const named = (...causes: Cause[]): string | undefined => {
    const counter = new CauseCounter(NO_COLUMNS);
    for (const cause of causes) counter.add({ cause } as MailEvent, "auth");
    return counter.kind(undefined, 2, "auth")?.kind;
  };
  test("are its own where nobody guesses, and the guessers' where guesses stand out", () => {
    assert.equal(named("auth_backend", "auth_backend", "auth_backend"), "auth_backend_failure");
    assert.equal(named("auth", "auth_backend", "auth_backend", "auth_backend"), "auth_backend_failure");
    assert.equal(named("auth", "auth", "auth_backend", "auth_backend", "auth_backend"), "bruteforce");
  });
});
