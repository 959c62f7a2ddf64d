import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { type Envelope, parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

const T = "2026-01-27T06:36:56.123Z";
const read = (value: object | string): Envelope =>
  parseEnvelope(
    typeof value === "string" ? value : JSON.stringify(value),
    new LogClock(new Zone("UTC"), 2026),
  );
function parts(e: Envelope): unknown[] {
  return [
    e.time === null ? null : new Date(e.time).toISOString(),
    e.host,
    e.program,
    e.pid,
    e.message,
    e.severity,
  ];
}
const journal = {
  __CURSOR: "s=1",
  __REALTIME_TIMESTAMP: "1769495816123456",
  _SOURCE_REALTIME_TIMESTAMP: "1769495816120000",
  PRIORITY: "6",
  SYSLOG_IDENTIFIER: "postfix/smtpd",
  SYSLOG_PID: "77",
  _PID: "78",
  _COMM: "smtpd",
  _HOSTNAME: "mx",
  MESSAGE: "connect from x",
};

suite("a record of the journal", () => {
  test("has time, host, program, pid, message and severity", () =>
    assert.deepEqual(parts(read(journal)), [T, "mx", "postfix/smtpd", 77, "connect from x", 6]));
  test("may have its message as bytes", () =>
    assert.equal(
      read({ ...journal, MESSAGE: [...Buffer.from("caf\u00e9 \xff", "utf8"), 255] }).message,
      "café ÿ\ufffd",
    ));
  test("may have several messages", () =>
    assert.equal(read({ ...journal, MESSAGE: ["a", [98]] }).message, "a b"));
  test("may have no message that fits", () => assert.equal(read({ ...journal, MESSAGE: null }).message, ""));
  test("of several lines is one", () => assert.equal(read({ ...journal, MESSAGE: "a\nb\n" }).message, "a b"));
  test("without identifier is named by its command", () => {
    const { SYSLOG_IDENTIFIER: _, SYSLOG_PID: __, ...rest } = journal;
    assert.deepEqual(parts(read(rest)).slice(2, 4), ["smtpd", 78]);
  });
  test("of a container holds a line of the container", () =>
    assert.deepEqual(
      parts(read({ ...journal, CONTAINER_NAME: "mail", MESSAGE: "Jan 27 06:36:50 in postfix/qmgr[5]: x" })),
      [T, "in", "postfix/qmgr", 5, "x", 6],
    ));
  test("with blanks around its colons is the same", () =>
    assert.deepEqual(
      parts(read(JSON.stringify(journal).replaceAll('":"', '" : "').replace("{", "{ "))),
      parts(read(journal)),
    ));
  test("that was cut still has what stands before the cut", () => {
    const whole = JSON.stringify({ ...journal, MESSAGE: `long ${'"é\\'.repeat(500)}` });
    const cut = read(whole.slice(0, 400));
    assert.deepEqual(parts(cut).slice(0, 4), [T, "mx", "postfix/smtpd", 77]);
    assert.ok(cut.message.startsWith('long "é\\'));
  });
  test("can be cut anywhere", () => {
    const whole = JSON.stringify(journal);
    for (let i = 0; i < whole.length; i++) {
      const e = read(whole.slice(0, i));
      assert.ok(e.time === null || new Date(e.time).toISOString() === T || e.time === 1769495816120);
    }
  });
});

suite("a JSON line", () => {
  test("of docker holds a syslog line", () =>
    assert.deepEqual(
      parts(
        read({
          log: "Jan 27 07:36:50 mx postfix/smtpd[7]: x\n",
          stream: "stdout",
          time: "2026-01-27T06:36:56.123456789Z",
        }),
      ),
      [T, "mx", "postfix/smtpd", 7, "x", undefined],
    ));
  test("of docker holds Exim's line", () =>
    assert.deepEqual(
      parts(read({ log: "2026-01-27 06:36:50 [3] 1vkABC-0001xY-2Z Completed\n", stream: "stdout", time: T })),
      [T, "", "exim", 3, "1vkABC-0001xY-2Z Completed", undefined],
    ));
  test("of docker holds a text without time", () =>
    assert.deepEqual(parts(read({ log: "dovecot: master: x\n", stream: "stderr", time: T })), [
      T,
      "",
      "dovecot",
      undefined,
      "master: x",
      undefined,
    ]));
  test("of docker holds JSON", () =>
    assert.deepEqual(
      parts(read({ log: `${JSON.stringify(journal)}\n`, stream: "stdout", time: "2026-01-27T06:36:57Z" })),
      ["2026-01-27T06:36:57.000Z", "mx", "postfix/smtpd", 77, "connect from x", 6],
    ));
  test("of logstash holds a syslog line, and the time of the collector", () =>
    assert.deepEqual(
      parts(
        read({
          "@timestamp": T,
          host: { name: "box" },
          log: { file: {} },
          message: "Jan 27 06:36:50 mx a[3]: b",
        }),
      ),
      [T, "mx", "a", 3, "b", undefined],
    ));
  test("of rsyslog has its tag in pieces", () =>
    assert.deepEqual(
      parts(
        read({ timereported: T, hostname: "mx", syslogtag: "postfix/smtpd[7]:", severity: "info", msg: "x" }),
      ),
      [T, "mx", "postfix/smtpd", 7, "x", 6],
    ));
  test("of fluentd has seconds", () =>
    assert.deepEqual(
      parts(read({ date: 1769495816.123, host: "mx", ident: "dovecot", pid: "5", message: "x" })),
      [T, "mx", "dovecot", 5, "x", undefined],
    ));
  test("of rspamd names no program", () =>
    assert.deepEqual(
      parts(
        read({
          ts: 1769495816.123,
          pid: 9,
          severity: "info",
          worker_type: "normal",
          module: "proxy",
          message: "x",
        }),
      ),
      [T, "", "rspamd", 9, "x", 6],
    ));
  test("without time has the time of the line inside", () =>
    assert.equal(read({ message: "2026-01-27T06:36:56.123Z mx a[3]: b" }).time, Date.parse(T)));
  test("with a prototype's names is harmless", () =>
    assert.deepEqual(parts(read(`{"__proto__":{"message":"x"},"constructor":1,"time":"${T}"}`)), [
      T,
      "",
      "",
      undefined,
      "",
      undefined,
    ]));
  test("of any values never throws", () =>
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            "time",
            "MESSAGE",
            "log",
            "host",
            "PRIORITY",
            "pid",
            "tag",
            "__REALTIME_TIMESTAMP",
            "t",
            "process",
          ),
          fc.jsonValue({ maxDepth: 2 }),
        ),
        fc.nat(200),
        (value, cut) => {
          const text = JSON.stringify(value);
          for (const line of [text, text.slice(0, cut)]) {
            const e = read(line);
            assert.ok(e.time === null || Number.isInteger(e.time));
            assert.ok(!e.message.includes("\n"));
          }
        },
      ),
    ));
});
