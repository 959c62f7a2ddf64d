import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Command } from "commander";
import type { OpenMail } from "../../src/cli/events.ts";
import { parseCommand } from "../../src/cli/parse.ts";
import { resolveDate, summaryCommand } from "../../src/cli/summary.ts";
import { bytesText } from "../../src/report/summary-sections.ts";
import { openedFrom } from "./support.ts";

const LOG = [
  "Nov  3 10:00:00 mx postfix/smtpd[5]: AAAA11111: client=h.example[192.0.2.9], sasl_method=PLAIN, sasl_username=ann\u001b[31m",
  "nonsense",
];
const open: OpenMail = async () => ({
  ...openedFrom(LOG),
  timezone: "UTC",
  duplicates: () => 1,
});

async function run(...args: string[]): Promise<string> {
  let out = "";
  const write = (text: string): void => {
    out += text;
  };
  const program = new Command();
  parseCommand(program, open, write);
  summaryCommand(program, open, write, () => Date.UTC(2026, 10, 4, 3));
  await program.parseAsync(args, { from: "user" });
  return out;
}

suite("logvane parse", () => {
  test("prints one record a line with the contract's keys", async () => {
    const [first, second, end] = (await run("parse", "f")).split("\n");
    const record = JSON.parse(first!);
    assert.deepEqual(Object.keys(record), [
      "file",
      "line",
      "time",
      "host",
      "program",
      "pid",
      "queue_id",
      "session",
      "template_id",
      "event",
      "fields",
      "text",
    ]);
    assert.deepEqual(
      [record.time, record.queue_id, record.event],
      ["2026-11-03T10:00:00.000Z", "AAAA11111", "client"],
    );
    assert.equal(JSON.parse(second!).time, null);
    assert.equal(end, "");
  });
  test("--stats accounts for every line", async () => {
    const stats = JSON.parse(await run("parse", "f", "--stats", "--format", "json"));
    assert.deepEqual([stats.lines, stats.events, stats.unknown], [3, { client: 1 }, 0]);
    assert.deepEqual([stats.bad_envelope, stats.duplicates], [1, 1]);
  });
});

suite("logvane parse for people", () => {
  test("prints no terminal escape", async () => {
    const [first] = (await run("parse", "f", "--format", "text")).split("\n");
    assert.match(first!, /^2026-11-03\S* mx postfix\/smtpd AAAA11111 client .*sasl_username=ann\\x1b\[31m/);
  });
  test("--event keeps the lines that are asked for", async () => {
    assert.equal((await run("parse", "f", "--event", "client,login")).split("\n").length, 2);
    assert.equal(await run("parse", "f", "--event", "reject"), "");
  });
  test("--event refuses a name that is none", () =>
    assert.rejects(run("parse", "f", "--event", "client,rejct"), { message: 'there is no event "rejct"' }));
  test("--stats names the share that was understood", async () =>
    assert.match(
      await run("parse", "f", "--stats", "--format", "text"),
      /^ +3 {2}lines, 33.3 % of them understood\n/,
    ));
});

suite("logvane summary", () => {
  test("of yesterday counts that day", async () => {
    const summary = JSON.parse(await run("summary", "f", "--date", "yesterday", "--format", "json"));
    assert.deepEqual([summary.date, summary.totals.received], ["2026-11-03", 1]);
  });
  test("as text lets no terminal escape through", async () => {
    const text = await run("summary", "f");
    assert.match(text, /1 {2}messages received/);
    assert.match(text, /1 {2}ann\\x1b\[31m/);
    assert.ok(!text.includes("\u001b"));
  });
  test("takes the day from the zone", () =>
    assert.equal(resolveDate("today", Date.UTC(2026, 10, 4, 3), "America/New_York"), "2026-11-03"));
  test("writes sizes for people", () => assert.equal(bytesText(1536), "1.5 KiB"));
});
