import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AddressBook } from "../../src/compose/addresses.ts";
import { HeaderWriter } from "../../src/compose/header.ts";
import { headerFormOf } from "../../src/compose/header-form.ts";
import { NameBook } from "../../src/compose/names.ts";
import { stream } from "../../src/compose/stream.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { DRILLS, planDrill } from "../../src/pipeline/drill.ts";
import { asWritten, type Sketch, Sketcher } from "../../src/pipeline/sketch.ts";
import { MATERIAL, SECOND } from "../compose/support.ts";

const HEADS = { rfc3164: "Apr  6 08:00:00 post ", iso: "2026-04-06T08:00:00Z post " };
const DELIVERY = "relay=x[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)";

/** A server named post.firma.de that logs accounts with or without their domain. */
function sketchOf(user: (name: string) => string, header: keyof typeof HEADS = "rfc3164"): Sketch {
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 3);
  const sketcher = new Sketcher();
  let n = 0;
  const see = (text: string): void => sketcher.see(reader.readText("mail.log", ++n, HEADS[header] + text));
  for (let i = 0; i < 12; i++) {
    see(`postfix/lmtp[7]: 3F2A1: to=<anna@firma.de>, ${DELIVERY}`);
    see(`postfix/smtp[8]: 3F2A2: to=<bob@gmail.com>, ${DELIVERY}`);
    see(
      `dovecot: imap-login: Login: user=<${user(i % 3 === 0 ? "bernd" : "anna")}>, method=PLAIN, rip=203.0.113.${i}, lip=192.0.2.1, mpid=4, TLS, session=<s${i}>`,
    );
  }
  return sketcher.sketch("UTC", 1)!;
}

suite("the sketch of a server", () => {
  test("has its names, the commonest first, and the programs that it lacks", () => {
    const { host, domain, own, bare, without, busiest } = sketchOf((name) => `${name}@firma.de`);
    assert.deepEqual([host, domain, bare, busiest], ["post", "firma.de", false, "dovecot/imap-login"]);
    assert.deepEqual(own, {
      accounts: ["anna", "bernd"],
      networks: ["203.0.113"],
      destinations: ["gmail.com"],
    });
    assert.deepEqual(without, ["opendkim", "opendmarc", "postscreen", "rspamd", "postgrey"]);
  });
  test("is none without deliveries by Postfix", () =>
    assert.equal(new Sketcher().sketch("UTC", 1), undefined));
  test("has the form of most heads, or a fault that is put in would be told as a changed format", () => {
    for (const form of ["rfc3164", "iso"] as const) assert.equal(sketchOf((name) => name, form).header, form);
  });
  test("knows accounts that are logged without their domain, and has them written so", () => {
    const sketch = sketchOf((name) => name);
    assert.equal(sketch.bare, true);
    assert.equal(
      asWritten(
        "user=<anna@firma.de>, sasl_username=anna@firma.de from=<anna@firma.de> imap(x@else.de)",
        sketch,
      ),
      "user=<anna>, sasl_username=anna from=<anna@firma.de> imap(x@else.de)",
    );
  });
});

suite("names in composed lines", () => {
  const own = { accounts: ["anna", "bernd"], networks: ["203.0.113"], destinations: ["gmail.com"] };
  const server = {
    ...{ name: "t", host: "post", domain: "firma.de", zone: "UTC", header: "iso" as const, mailsPerDay: 99 },
    own,
  };
  test("are the server's own host, domain, people and correspondents", () => {
    const names = new NameBook(server, 1, ["finn.olsen", "marta.jensen", "third.one"]);
    assert.equal(names.host("mail.nordhav.example"), "post.firma.de");
    assert.equal(names.host("mx1.deltaenergy.example"), "mx1.gmail.com");
    assert.equal(names.host("DELTAENERGY.example"), "GMAIL.COM");
    assert.match(names.host("mx1.nobody.example"), /^mx1\.\w+\.example$/);
    const people = ["finn.olsen", "marta.jensen", "third.one"].map((name) => names.ownLocal(name));
    assert.deepEqual(people, ["anna", "bernd", "anna"]);
  });
  test("come from the people's own networks, and strangers from none of them", () => {
    const addresses = new AddressBook(1, "firma.de", own.networks);
    const random = stream(1, "test");
    for (let i = 0; i < 50; i++) {
      assert.match(addresses.home("198.19.3.77", random), /^203\.0\.113\.\d+$/);
      assert.doesNotMatch(addresses.stranger(random), /^203\./);
    }
  });
});

suite("the form of a line's head", () => {
  test("is found in what is written in it", () => {
    for (const form of ["rfc3164", "rfc3339", "iso", "rfc5424", "journald"] as const) {
      const writer = new HeaderWriter(form, new Zone("Europe/Oslo"), "mx1");
      assert.equal(
        headerFormOf(writer.write(1_775_433_600_123.4, "postfix/smtpd", 7, "connect from x")),
        form,
      );
    }
  });
  test("is none of those that can't be written", () => {
    for (const line of [
      "2026-04-06 08:00:00 1abcde-0001-AA <= ann@our.example H=x [192.0.2.1] P=esmtp S=1",
      '{"log":"Apr  6 08:00:00 mx postfix/smtpd[1]: connect from x","stream":"stdout"}',
      "",
    ])
      assert.equal(headerFormOf(line), undefined, line);
  });
});

suite("the plan of a drill", () => {
  const from = Date.UTC(2026, 3, 8);
  const time = { from, to: from + 3 * 86_400_000 };
  const plan = (kinds: readonly string[], header: keyof typeof HEADS, seed = 1) =>
    planDrill(
      kinds,
      time,
      sketchOf((name) => `${name}@firma.de`, header),
      (site) => (site === "first" ? MATERIAL : SECOND),
      seed,
    );
  test("puts each kind once within the time, in order", () => {
    const all = plan(Object.keys(DRILLS), "iso");
    assert.deepEqual(all.map(({ kind }) => kind).sort(), Object.keys(DRILLS).sort());
    for (const [i, { start, until }] of all.entries()) {
      assert.ok(start >= time.from && until <= time.to + 60_000);
      assert.ok(i === 0 || start >= all[i - 1]!.start);
    }
    assert.notDeepEqual(
      plan(Object.keys(DRILLS), "iso", 2).map(({ kind }) => kind),
      all.map(({ kind }) => kind),
    );
  });
  test("writes lines in the log's form, under the server's names", () => {
    const [attack] = plan(["compromised_account"], "rfc3164");
    const lines = attack!.lines();
    assert.ok(lines.length > 50);
    for (const { text } of lines) {
      assert.equal(headerFormOf(text), "rfc3164");
      assert.doesNotMatch(text, /nordhav|firma\.de\.example/);
    }
    assert.ok(lines.some(({ text }) => /sasl_username=(?:anna|bernd)@firma\.de/.test(text)));
  });
});

suite("what a drill calls right", () => {
  test("is what the evaluations call right", async () => {
    const { readFileSync } = await import("node:fs");
    const kinds = JSON.parse(readFileSync("eval/kinds.json", "utf8")) as Record<string, string[]>;
    for (const [kind, { named }] of Object.entries(DRILLS)) assert.deepEqual(named, kinds[kind], kind);
  });
});
