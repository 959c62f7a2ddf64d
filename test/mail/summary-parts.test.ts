import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Zone } from "../../src/log/zone.ts";
import { loginFields, samples as loginSamples } from "../../src/mail/dovecot-login.ts";
import { samples as actionSamples, refusalAnswer } from "../../src/mail/postfix-action.ts";
import { samples as smtpdSamples } from "../../src/mail/postfix-smtpd.ts";
import { samples as postscreenSamples } from "../../src/mail/postscreen.ts";
import { noTotals } from "../../src/mail/summary/figures.ts";
import { Distinct, MessageIds, RECEIVED, SIZED } from "../../src/mail/summary/ids.ts";
import { clientHost } from "../../src/mail/summary/legacy.ts";
import { providerOf } from "../../src/mail/summary/provider.ts";
import { type Delivery, newDelivery, readByPattern, readDelivery } from "../../src/mail/summary/record.ts";
import { Sketch } from "../../src/mail/summary/sketch.ts";
import { OURS, Table, THEIRS } from "../../src/mail/summary/table.ts";
import { DailyFigures, usualOf } from "../../src/mail/summary.ts";
import { saslFields } from "../../src/mail/warning.ts";
import { summaryOf } from "./pflogsumm.ts";
import { plainReader } from "./support.ts";

suite("the table of queue ids", () => {
  test("tells 200,000 ids apart and keeps both views", () => {
    const ids = new MessageIds();
    for (let i = 0; i < 200_000; i++) {
      const id = i.toString(16).toUpperCase().padStart(10, "0");
      ids.at(id, 0, id.length);
      assert.equal(ids.has(OURS, RECEIVED), false, id);
      ids.set(OURS, RECEIVED | SIZED);
      ids.setValue(OURS, i);
      ids.setValue(THEIRS, i + 1);
    }
    for (let i = 0; i < 200_000; i += 997) {
      const id = i.toString(16).toUpperCase().padStart(10, "0");
      ids.at(`x${id}y`, 1, id.length + 1);
      assert.deepEqual([ids.value(OURS), ids.value(THEIRS), ids.has(THEIRS, SIZED)], [i, i + 1, false]);
    }
  });
});

suite("distinct strings", () => {
  test("are counted once each, beyond the rows of a table too", () => {
    const table = new Table("senders", 10);
    for (let n = 0; n < 3; n++)
      for (let i = 0; i < 5000; i++) {
        const key = `user${i}@h.example`;
        table.add(OURS, table.row(key), key);
      }
    assert.equal(table.size(OURS), 5000);
    assert.equal(table.size(THEIRS), 0);
    const found: { table: string; rows: number; left_out: number }[] = [];
    table.bounded(found);
    assert.deepEqual(found, [{ table: "senders", rows: 10, left_out: 14_970 }]);
  });
  test("over the limit are said to be so", () => {
    const set = new Distinct(100);
    for (let i = 0; i < 150; i++) set.add(OURS, `${i}`);
    assert.deepEqual([set.size(OURS), set.size(THEIRS), set.over], [100, 0, 50]);
  });
});

suite("a delivery record read without a pattern", () => {
  const lines = [
    "4A1B2C3D4E: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1.5, delays=0.1/0/1/0.4, dsn=2.0.0, status=sent (250 ok)",
    "4A1B2C3D4E: to=<a@b.example>, orig_to=<root>, relay=local, conn_use=2, delay=0, status=deferred (x)",
    "4A1B2C3D4E: to=<>, relay=none, delay=3, dsn=5.0.0, status=bounced",
  ];
  const of = (read: (body: string, out: Delivery) => boolean, body: string): Delivery | undefined => {
    const out = newDelivery();
    return read(body, out) ? out : undefined;
  };
  test("is the one of the pattern, however the line is damaged", () => {
    const part = fc.constantFrom(
      "",
      " ",
      ",",
      ", ",
      ">",
      "<",
      ":",
      "\t",
      "\u00a0",
      "delay=",
      "dsn=,",
      "status=",
      "é",
    );
    const damaged = fc
      .tuple(fc.constantFrom(...lines), fc.nat(200), fc.nat(6), part)
      .map(([line, at, length, text]) => line.slice(0, at) + text + line.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(damaged, fc.constantFrom(...lines)), (line) =>
        assert.deepEqual(of(readDelivery, line), of(readByPattern, line)),
      ),
      { numRuns: 3000 },
    );
  });
});

suite("the host of a client", () => {
  test("is the same whether its address stands in brackets or after a slash", () => {
    const label = fc.stringMatching(/^[A-Za-z0-9-]{0,4}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), (labels) => {
        const name = labels.join(".");
        assert.equal(clientHost(`${name}[192.0.2.9]`), clientHost(`${name}/192.0.2.9`));
      }),
      { numRuns: 3000 },
    );
  });
});

suite("what the summary reads without the grammar", () => {
  const all = [...actionSamples, ...postscreenSamples, ...smtpdSamples];
  test("of a refusal is what the grammar reads", () => {
    let seen = 0;
    for (const { line } of all) {
      const answer = refusalAnswer(line);
      if (answer === undefined) continue;
      seen++;
      const { fields } = plainReader().readText("f", 1, `Nov  3 10:00:00 mx postfix/smtpd[5]: ${line}`);
      assert.deepEqual(answer, {
        code: fields["reply_code"] ?? fields["dsn"] ?? "",
        reason: fields["reason"],
      });
    }
    assert.ok(seen >= 8, `${seen}`);
  });
  test("of a failed log-in is what the grammar reads", () => {
    let seen = 0;
    const heads = [
      ["postfix/smtpd[5]: ", all, saslFields],
      ["dovecot: ", loginSamples, loginFields],
    ] as const;
    for (const [tag, samples, read] of heads)
      for (const { line, event } of samples) {
        const known = event === "auth_failure" ? read(line) : undefined;
        if (known === undefined) continue;
        seen++;
        const { fields } = plainReader().readText("f", 1, `Nov  3 10:00:00 mx ${tag}${line}`);
        for (const key of ["client_address", "sasl_username", "user", "rip"])
          assert.equal(known[key], fields[key], `${key} of ${line}`);
      }
    assert.ok(seen >= 6, `${seen}`);
  });
});

suite("percentiles of a sketch", () => {
  test("are off by at most 1 %", () => {
    const sketch = new Sketch();
    for (let i = 1; i <= 10_000; i++) sketch.add(i / 100);
    for (const p of [50, 90, 95, 99]) {
      const exact = p;
      assert.ok(Math.abs(sketch.percentile(p) - exact) <= 0.0101 * exact, `${p}: ${sketch.percentile(p)}`);
    }
    assert.equal(sketch.max, 100);
  });
  test("of nothing are zero", () => assert.equal(new Sketch().percentile(99), 0));
});

suite("a provider", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["gmail-smtp-in.l.google.com", "google"],
    ["our-example.mail.protection.outlook.com", "microsoft"],
    ["mta5.am0.yahoodns.net", "yahoo"],
    ["mx1.mail.our.example", "our.example"],
    ["mx.firm.co.uk", "firm.co.uk"],
    ["192.0.2.1", "192.0.2.1"],
    ["local", "local"],
    ["notgoogle.com", "notgoogle.com"],
  ];
  for (const [host, provider] of cases)
    test(`of ${host} is ${provider}`, () => assert.equal(providerOf(host), provider));
});

suite("what is usual", () => {
  const days = Array.from({ length: 10 }, (_, i) => ({
    day: `2026-11-${String(2 + i).padStart(2, "0")}`,
    totals: { ...noTotals(), received: i + 1 },
  }));
  test("is the range of days of the same kind", () =>
    // 2 to 6 and 9 to 11 November 2026 are working days: 1 2 3 4 5 8 9 10
    assert.deepEqual(usualOf(days, "2026-11-12")["received"], { low: 1, high: 10, days: 8 }));
  test("leaves the day itself out", () => assert.equal(usualOf(days, "2026-11-02")["received"]!.low, 2));
  test("is not known from two Saturdays", () => assert.deepEqual(usualOf(days, "2026-11-07"), {}));
  test("comes from whole days alone", () => {
    const reader = plainReader();
    const figures = new DailyFigures(new Zone("UTC"), 10);
    const at = (day: number, time: string): string =>
      `Nov ${String(day).padStart(2)} ${time} mx postfix/smtpd[5]: A1A1A1A1A1: client=h.example[192.0.2.9]`;
    const log = [at(3, "12:00:00"), at(4, "00:10:00"), at(4, "10:00:00"), at(5, "09:00:00")];
    log.forEach((text, i) => {
      figures.add(reader.readText("f", i + 1, text));
    });
    assert.deepEqual(
      figures.days.map((d) => [d.day, d.totals.received]),
      [["2026-11-04", 2]],
    );
  });
});

suite("a day's summary", () => {
  test("knows sizes told the day before, which pflogsumm does not", () => {
    const log =
      "Nov  3 23:59:58 mx postfix/smtpd[5]: A1A1A1A1A1: client=h.example[192.0.2.9]\n" +
      "Nov  3 23:59:59 mx postfix/qmgr[6]: A1A1A1A1A1: from=<a@b.example>, size=700, nrcpt=1 (queue active)\n" +
      "Nov  4 00:00:01 mx postfix/smtp[7]: A1A1A1A1A1: to=<w@one.example>, relay=none, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n";
    const { totals, corrected } = summaryOf(log, "2026-11-04").summary();
    assert.deepEqual([totals.bytes_delivered, corrected.bytes_delivered], [0, 700]);
  });
  test("names users, TLS and providers", () => {
    const log =
      "Nov  3 10:00:00 mx postfix/smtpd[5]: Anonymous TLS connection established from h.example[192.0.2.9]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n" +
      "Nov  3 10:00:00 mx postfix/smtpd[5]: A1A1A1A1A1: client=h.example[192.0.2.9], sasl_method=PLAIN, sasl_username=ann\n" +
      "Nov  3 10:00:01 mx postfix/qmgr[6]: A1A1A1A1A1: from=<a@b.example>, size=700, nrcpt=3 (queue active)\n" +
      "Nov  3 10:00:02 mx postfix/smtp[7]: A1A1A1A1A1: to=<w@gmail.com>, relay=gmail-smtp-in.l.google.com[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.7.28, status=deferred (host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 rate limited (in reply to end of DATA command))\n";
    const { lists } = summaryOf(log).summary();
    assert.deepEqual(lists["sasl_users"], [{ user: "ann", messages: 1, recipients: 3, addresses: 1 }]);
    assert.deepEqual(lists["tls_connections"], [
      { direction: "in", version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", count: 1 },
    ]);
    const [row] = lists["provider_deferrals"]!;
    assert.deepEqual([row!["provider"], row!["code"], row!["count"]], ["google", "421 4.7.28", 1]);
  });
});
