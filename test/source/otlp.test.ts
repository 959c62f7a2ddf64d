import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { recordLine, recordsOf } from "../../src/source/otlp.ts";
import { NANOS, requestOf, type Sent } from "./otlp-support.ts";

const NOW = Date.parse("2026-11-29T11:00:00Z");
const AT = "2026-11-29T10:00:00.123+00:00";
const SYSLOG = "Nov 29 10:00:00 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]";

const linesOf = (request: unknown): (string | undefined)[] =>
  [...recordsOf(request)].map((record) => recordLine(record, "192.0.2.9", NOW)?.toString());
const lineOf = (sent: Sent, resource: Record<string, unknown> = {}): string | undefined =>
  linesOf(requestOf([sent], resource))[0]?.slice(0, -1);

const envelope = (line: string): ReturnType<typeof parseEnvelope> =>
  parseEnvelope(line, new LogClock(new Zone("UTC"), 2026));

suite("a record of OTLP as a line", () => {
  test("of the collector's filelog receiver is the line of the file", () => {
    const attributes = { "log.file.name": "mail.log", "log.file.path": "/var/log/mail.log" };
    const more = { timeUnixNano: "0", observedTimeUnixNano: NANOS };
    assert.equal(lineOf({ body: SYSLOG, attributes, more }, { "host.name": "relay" }), SYSLOG);
    const iso = "2026-11-29T10:00:00.5+01:00 mx1 postfix/qmgr[9]: 4XyZ: removed";
    assert.equal(lineOf({ body: iso, attributes }, { "service.name": "mail" }), iso);
  });
  test("of its syslog receiver, whose body is the whole line, is that line", () => {
    const attributes = {
      ...{ appname: "postfix/smtpd", hostname: "mx1", proc_id: "7", facility: 2, priority: 22 },
      message: "connect from unknown[192.0.2.1]",
    };
    assert.equal(lineOf({ body: `<22>${SYSLOG}`, attributes }), `<22>${SYSLOG}`);
    const ietf = "<22>1 2026-11-29T10:00:00Z mx1 postfix/smtpd 7 - - connect from unknown[192.0.2.1]";
    assert.equal(lineOf({ body: ietf, attributes: { ...attributes, version: 1 } }), ietf);
  });
  test("of its syslog receiver with the message as body gets its head back", () => {
    const attributes = { appname: "postfix/smtpd", hostname: "mx1", proc_id: "7", facility: 2 };
    const sent = { body: "connect from unknown[192.0.2.1]", attributes };
    assert.equal(lineOf(sent), `${AT} mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]`);
    const more = { severityNumber: 9, severityText: "info" };
    assert.equal(
      lineOf({ ...sent, more }),
      `<22>${AT} mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]`,
    );
  });
  test("of its journald receiver is made of the entry's fields", () => {
    const body = {
      ...{ MESSAGE: "connect from unknown[192.0.2.1]", SYSLOG_IDENTIFIER: "postfix/smtpd", _PID: "7" },
      ...{ _HOSTNAME: "mx1", PRIORITY: "6", __REALTIME_TIMESTAMP: "1795946400123456" },
    };
    assert.equal(lineOf({ body }), `<14>${AT} mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]`);
  });
  test("of rsyslog's omotlp is its template's line, also where it shortens the program", () => {
    const line = `2026-11-29T10:00:00.1+00:00 mx1 postfix/smtpd[7]: connect`;
    const attributes = {
      "log.syslog.hostname": "mx1",
      "log.syslog.appname": "postfix",
      "log.syslog.procid": "7",
    };
    assert.equal(lineOf({ body: line, attributes }, { "service.name": "rsyslog" }), line);
  });
  test("takes host and program from the resource, else the sender's address and none", () => {
    const resource = { "host.name": "mx2", "service.name": "rspamd", "process.pid": 12 };
    assert.equal(lineOf({ body: "hello" }, resource), `${AT} mx2 rspamd[12]: hello`);
    assert.equal(
      lineOf({ body: "hello" }, { "service.name": "unknown_service:java" }),
      `${AT} 192.0.2.9 hello`,
    );
    assert.equal(envelope(lineOf({ body: "dovecot[3]: x" })!).program, "dovecot");
  });
  test("has the time of the event, else of its observation, else ours", () => {
    const time = (more: Record<string, unknown>): string => lineOf({ body: "x", more })!.slice(0, 23);
    assert.equal(time({ timeUnixNano: Number(NANOS) }), "2026-11-29T10:00:00.123");
    assert.equal(time({ timeUnixNano: "0", observedTimeUnixNano: NANOS }), "2026-11-29T10:00:00.123");
    for (const wrong of ["0", "", "-5", "x", null, {}, 1e300, "9".repeat(40)])
      assert.equal(time({ timeUnixNano: wrong }), "2026-11-29T11:00:00.000", JSON.stringify(wrong));
  });
  test("has syslog's severity", () => {
    const priority = (more: object): string =>
      /^<\d+>/.exec(lineOf({ body: "x", more: more as never })!)?.[0] ?? "";
    const numbers = [1, 8, 9, 10, 13, 17, 18, 19, 21, 24].map((severityNumber) =>
      priority({ severityNumber }),
    );
    assert.deepEqual(numbers, ["<15>", "<15>", "<14>", "<13>", "<12>", "<11>", "<10>", "<9>", "<8>", "<8>"]);
    assert.equal(priority({ severityText: "Warning" }), "<12>");
    assert.equal(priority({ severityNumber: 99, severityText: "loud" }), "");
  });
  test("shows other bodies as text, and is none without one", () => {
    assert.equal(lineOf({ body: 7 }), `${AT} 192.0.2.9 7`);
    assert.equal(lineOf({ body: ["a", true] }), `${AT} 192.0.2.9 ["a",true]`);
    assert.equal(lineOf({ body: { user: "ann" } }), `${AT} 192.0.2.9 {"user":"ann"}`);
    for (const body of [
      undefined,
      null,
      "x",
      {},
      { stringValue: "" },
      { stringValue: " \n" },
      { bytesValue: 3 },
    ])
      assert.equal(lineOf({ body: "", more: { body } }), undefined, JSON.stringify(body));
  });
});

suite("a hostile record of OTLP", () => {
  test("forges no line, host or program", () => {
    const attributes = { appname: "web app[1]: x", hostname: "mx1 postfix/smtpd[7]:\nmx2", proc_id: "7]: y" };
    const line = lineOf({ body: `a\n${SYSLOG}\0b`, attributes })!;
    assert.equal(line, `${AT} mx1_postfix_smtpd_7_:_mx2 web_app_1___x: a ${SYSLOG} b`);
    assert.equal(envelope(line).program, "web_app_1___x");
  });
  test("whose body looks like a line of another program is text of its own", () => {
    for (const attributes of [{ appname: "web" }, { appname: "postfix/smtpd", hostname: "mx9" }]) {
      const read = envelope(lineOf({ body: SYSLOG, attributes })!);
      assert.equal(read.program, attributes.appname);
      assert.equal(read.message, SYSLOG);
    }
  });
  test("is cut at 8 KiB", () => {
    for (const body of ["é".repeat(1e6), `${"\n".repeat(1e6)}x`, `${SYSLOG}${"x".repeat(1e6)}`])
      assert.ok((lineOf({ body })?.length ?? 0) <= 8192);
  });
  test("is always read as what was meant", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "INFO",
        "error",
        "12345",
        "1999-01-01",
        "Nov",
        "exim",
        "docker",
        "-",
        "::1",
        "stdout",
        "[a][b]",
        "{",
      ),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(SYSLOG, "1: x", "[1]: x", "- - x", '{"log":"x"}'),
    );
    fc.assert(
      fc.property(name, name, fc.nat(99999), text, (host, program, pid, body) => {
        const attributes = { appname: program, hostname: host, proc_id: String(pid) };
        const line = lineOf({ body, attributes });
        if (line === undefined) return;
        assert.doesNotMatch(line, /[\n\0]/);
        const read = envelope(line);
        const said = program === "-" ? "" : program.replace(/[^\w./@+-]/g, "_");
        if (said === "") return; // the body speaks for itself
        assert.equal(read.program, said, line);
        assert.equal(read.time, NOW - 3_600_000 + 123, line);
      }),
      { numRuns: 2000 },
    );
  });
  test("of another shape is refused with the place, what is unknown passed over", () => {
    for (const [request, why] of [
      [[], /no JSON object/],
      [null, /no JSON object/],
      [{ resourceLogs: {} }, /resourceLogs is no list/],
      [{ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, 7] }] }] }, /logRecords\[1\] is no object/],
      [{ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes: "x" }] }] }] }, /attributes is no list/],
    ] as const)
      assert.throws(() => linesOf(request), why);
    assert.deepEqual(linesOf({}), []);
    assert.deepEqual(linesOf({ resourceLogs: null, unknown: 1 }), []);
    assert.deepEqual(linesOf(JSON.parse('{"__proto__":{"resourceLogs":[1]}}')), []);
  });
  test("may be as deep as it likes", () => {
    let value: object = { stringValue: "x" };
    for (let i = 0; i < 20_000; i++) value = { arrayValue: { values: [value] } };
    assert.equal(
      lineOf({ body: "", more: { body: value } }),
      `${AT} 192.0.2.9 ${"[".repeat(8)}null${"]".repeat(8)}`,
    );
  });
});
