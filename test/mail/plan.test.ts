import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { parseMail } from "../../src/mail/grammar.ts";
import { EventReader } from "../../src/mail/read.ts";
import { maskText, templateId } from "../../src/template/mask.ts";

const zone = new Zone("UTC");

suite("an event by its message's key", () => {
  test("is the event that the grammar reads from the line itself, on the whole bundled log", () => {
    const reader = new EventReader(new LogClock(zone, 2026), 99);
    const clock = new LogClock(zone, 2026);
    const lines = gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8").split("\n");
    for (const [i, text] of lines.entries()) {
      const event = reader.readText("f", i + 1, text);
      const envelope = parseEnvelope(text, clock);
      const parsed = parseMail(envelope);
      const { time, host, program, pid, daemon, severity, cause, fields, queueId, session } = event;
      assert.deepEqual(
        {
          time,
          host,
          program,
          pid,
          event: event.event,
          daemon,
          severity,
          cause,
          fields,
          queueId,
          session,
          text: event.text,
        },
        {
          time: envelope.time,
          host: envelope.host,
          program: envelope.program,
          pid: envelope.pid,
          event: parsed.event,
          daemon: parsed.daemon,
          severity: parsed.severity,
          cause: parsed.cause,
          fields: parsed.fields,
          queueId: parsed.queueId,
          session: parsed.session,
          text,
        },
      );
      assert.equal(event.templateId, templateId(`${parsed.daemon}: ${maskText(parsed.shape)}`));
    }
    assert.equal(reader.lines, lines.length);
  });
  test("does not depend on the seed of the keys", () => {
    const read = (seed: number): unknown => {
      const reader = new EventReader(new LogClock(zone, 2026), seed);
      for (const id of ["1", "2"])
        reader.readText("f", 1, `Nov  3 10:00:00 mx postfix/qmgr[${id}]: 4A1B2C3D4${id}: removed`);
      return reader.stats();
    };
    assert.deepEqual(read(1), read(2));
  });
});
