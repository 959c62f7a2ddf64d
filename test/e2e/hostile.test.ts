import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { frozen, printed, program } from "./support.ts";

/** A small server's log: 15 quiet days and a half, then a flood of hostile lines. */
const START = Date.UTC(2026, 8, 7);
const DAYS = 15.5;
const PER_DAY = 144;
const UNTIL = "2026-09-22T00:00:00Z";
const EVIL =
  "\u001b]0;pwned\u0007\u001b[2J<script>alert(1)</script><img src=x onerror=y> $(id) `id`; rm -rf / \u0000 \r";
const BAD_UTF8 = Buffer.from([0xff, 0xfe, 0xc3, 0x28]);
const MEGABYTE = 1_000_000;

const root = mkdtempSync(join(tmpdir(), "logvane-hostile-"));
after(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, "mail.log");

const stamp = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");
const random = createRandom(7);
const parts: Buffer[] = [];
const put = (ms: number, text: string, end: Buffer = Buffer.from("\n")): void => {
  parts.push(Buffer.from(`${stamp(ms)} mx1 ${text}`), end);
};
for (let i = 0; i < DAYS * PER_DAY; i++) {
  const at = START + i * 600_000 + random.int(500_000);
  const client = `host[192.0.2.${1 + random.int(9)}]`;
  put(at, `postfix/smtpd[${100 + i}]: connect from ${client}`);
  put(at + 1000, `postfix/smtpd[${100 + i}]: disconnect from ${client} ehlo=1 quit=1 commands=2`);
}
const noon = START + DAYS * 86_400_000;
for (let i = 0; i < 300; i++) {
  const at = noon + i * 4000;
  put(
    at,
    `postfix/smtpd[9]: warning: ${EVIL}[198.51.100.9]: SASL LOGIN authentication failed: ${EVIL}, sasl_username=${EVIL}`,
    Buffer.concat([BAD_UTF8, Buffer.from("\r\n")]),
  );
  put(at + 1, `postfix/cleanup[9]: fatal: ${EVIL} ${i % 7}`);
}
put(noon + 1_300_000, `postfix/smtpd[9]: warning: ${"<b>x</b>".repeat(MEGABYTE / 8)}`);
put(noon + 2_000_000, "postfix/smtpd[9]: connect from unknown[192.0.2.1]");
writeFileSync(file, Buffer.concat(parts));

const FORMATS = ["text", "html", "ndjson"] as const;
const outputs = new Map<string, string>();
before(async () => {
  const common = ["--timezone", "UTC", "--quiet"];
  const runs = FORMATS.map(
    (f) => [f, ["backtest", file, "--train-until", UNTIL, ...common, "--format", f]] as const,
  );
  for (const [name, args] of [...runs, ["summary", ["summary", file, ...common]] as const]) {
    const { status, stdout, stderr } = await program("bin/logvane.js", args);
    assert.equal(status, 0, `${name}: ${stderr}`);
    assert.equal(stderr, "", name);
    outputs.set(name, stdout.toString("utf8"));
  }
});

suite("an attacker's log, from the file to each output", () => {
  test("raises alerts that cite the hostile lines", () => {
    const cited = printed(Buffer.from(outputs.get("ndjson")!)).flatMap((a) => a.lines);
    assert.ok(cited.some((l) => l.text.includes("<script>") && l.text.includes("\u001b")));
  });

  for (const name of [...FORMATS, "summary"])
    test(`sends no control byte as ${name}`, () =>
      assert.doesNotMatch(outputs.get(name)!, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/));

  test("opens no tag of its own in the page", () => {
    assert.doesNotMatch(outputs.get("html")!, /<(?:script|img|b>)/i);
    assert.match(outputs.get("html")!, /&lt;script&gt;/);
  });

  test("stays small, however long a line is", () => {
    for (const [name, text] of outputs) assert.ok(text.length < MEGABYTE / 2, `${name}: ${text.length}`);
  });

  test("offers no command to type: a back-test keeps nothing to explain", () => {
    assert.doesNotMatch(outputs.get("text")!, /^next/m);
  });

  test("prints an alert when cut after the line that opened it, and not when cut before", async () => {
    const alerts = printed(Buffer.from(outputs.get("ndjson")!));
    const times = parts
      .filter((_, i) => i % 2 === 0)
      .map((text) => Date.parse(text.toString("latin1").slice(0, 29)));
    const opening = times.findIndex((t) => t >= Date.parse(alerts[0]!.opened_at));
    const flags = ["--train-until", UNTIL, "--timezone", "UTC", "--quiet", "--format", "ndjson"];
    for (const [lines, opened] of [
      [opening, 0],
      [opening + 1, 1],
    ] as const) {
      writeFileSync(file, Buffer.concat(parts.slice(0, 2 * lines)));
      const { stdout } = await program("bin/logvane.js", ["backtest", file, ...flags]);
      assert.deepEqual(printed(stdout).map(frozen), alerts.slice(0, opened).map(frozen));
    }
  });
});
