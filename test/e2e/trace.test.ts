import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { program, ROOT, SAMPLE } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-trace-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** The first of the sample's lines are enough, and quick to read. */
const LINES = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n").slice(0, 4000);
const file = join(root, "mail.log");
writeFileSync(file, `${LINES.join("\n")}\n`);

type Message = {
  readonly thread: number;
  readonly queue_id: string;
  readonly matched: string | null;
  readonly finished: boolean;
  readonly nrcpt: number | null;
  readonly summary: string;
  readonly recipients: readonly { readonly to: string; readonly status: string }[];
  readonly links: readonly { readonly kind: string; readonly child: string; readonly known: boolean }[];
  readonly lines: readonly { readonly file: string; readonly line: number; readonly text: string | null }[];
};

async function trace(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const { status, stdout, stderr } = await program("bin/logvane.js", ["trace", ...args, "--timezone", "UTC"]);
  return { status, out: stdout.toString("utf8"), err: stderr };
}
const records = (out: string): Message[] =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Message);

/** A message of the sample that bounced: the line names both ids. */
const BOUNCE = /: ([0-9A-F]{6,}): sender non-delivery notification: ([0-9A-F]{6,})$/;
const bounce = LINES.map((l) => BOUNCE.exec(l)).find((m) => m !== null)!;
const parent = bounce[1]!;
const child = bounce[2]!;

suite("trace of a message of the bundled log", () => {
  test("by queue id: text with the sentence, the timeline and every raw line", async () => {
    const { status, out, err } = await trace(parent, file);
    assert.equal(status, 0, err);
    assert.ok(out.startsWith(`${parent} on mx1\n`), out.slice(0, 80));
    assert.match(out, new RegExp(`${parent} -> ${child}: sender non-delivery notification`));
    for (const line of LINES)
      if (line.includes(`: ${parent}: `) || line.includes(`: ${child}: `))
        assert.ok(out.includes(line), line);
  });

  test("as records: the bounce is in the thread, lines are word for word, recipients are accounted for", async () => {
    const { out } = await trace(parent, file, "--format", "ndjson");
    const [first, second] = records(out);
    assert.deepEqual([first!.queue_id, second!.queue_id], [parent, child]);
    assert.deepEqual([first!.matched, second!.matched], ["queue id", null]);
    assert.ok(first!.finished && first!.links[0]!.known && first!.links[0]!.child === child);
    assert.equal(first!.recipients.length, first!.nrcpt);
    for (const { line, text } of first!.lines) assert.equal(text, LINES[line - 1]);
    assert.deepEqual(
      first!.lines.filter((l) => l.text!.includes(`: ${parent}: `)).map((l) => l.line),
      LINES.flatMap((l, i) => (l.includes(`: ${parent}: `) ? [i + 1] : [])),
    );
  });

  test("the same from standard input, from gzip and by message-id", async () => {
    const { out } = await trace(parent, file, "--format", "json");
    const whole = JSON.parse(out) as { found: number; messages: Message[] };
    assert.equal(whole.found, 1);
    const piped = spawnSync(
      process.execPath,
      [join(ROOT, "bin/logvane.js"), "trace", parent, "-", "--format", "json", "--timezone", "UTC"],
      { input: readFileSync(file), encoding: "utf8" },
    );
    assert.equal(piped.status, 0, piped.stderr);
    const plain = (text: string): string => text.replaceAll(JSON.stringify(file), '"-"');
    assert.equal(plain(piped.stdout), plain(out));
    const id = LINES.map((l) => new RegExp(`${parent}: message-id=(<.*>)$`).exec(l)?.[1]).find(Boolean)!;
    const byId = await trace(id, SAMPLE, "--format", "json");
    const other = (JSON.parse(byId.out) as { messages: Message[] }).messages;
    assert.deepEqual(
      other.map((m) => m.lines.map((l) => l.line)),
      whole.messages.map((m) => m.lines.map((l) => l.line)),
    );
  });

  test("by address: the newest, with the rest counted", async () => {
    const address = "nils.aas@lindgaard.example";
    const all = JSON.parse((await trace(address, file, "--format", "json", "--limit", "1000")).out);
    const few = JSON.parse((await trace(address, file, "--format", "json", "--limit", "2")).out);
    assert.ok(all.found > 2 && all.found === all.shown);
    assert.equal(few.found, all.found);
    const last = all.messages.filter((m: Message) => m.matched !== null).map((m: Message) => m.queue_id);
    const shown = few.messages.filter((m: Message) => m.matched !== null).map((m: Message) => m.queue_id);
    assert.deepEqual(shown, last.slice(-shown.length));
    const text = await trace(address, file, "--limit", "5");
    assert.match(text.out, /^\d+ messages found, \d+ older ones not shown \(--limit\), the newest last\n/);
  });

  test("as a page that needs nothing else", async () => {
    const { out } = await trace(parent, file, "--format", "html");
    assert.ok(out.startsWith("<!doctype html>"));
    assert.doesNotMatch(out, /<script|https?:\/\/[^<]*\.(?:js|css)"/);
  });
});

suite("trace of what is not there", () => {
  test("says what was read, and exits with 66", async () => {
    const { status, out, err } = await trace("no.body@our.example", file);
    assert.equal(status, 66);
    assert.equal(out, "");
    assert.match(
      err,
      /^error {3}no message with the id or address "no.body@our.example"\nwhere {3}4,000 lines of 1 file/,
    );
  });
  test("names an id that differs in case alone", async () => {
    const { status, err } = await trace(parent.toLowerCase(), file);
    assert.equal(status, 66);
    assert.match(err, new RegExp(`look for ${parent}`));
  });
  test("is an empty document as JSON", async () => {
    const { status, out } = await trace("no.body@our.example", file, "--format", "json");
    assert.equal(status, 66);
    assert.deepEqual((JSON.parse(out) as { messages: unknown[] }).messages, []);
  });
  test("refuses an empty needle and a wrong limit", async () => {
    assert.equal((await trace("<>", file)).status, 64);
    assert.equal((await trace("x", file, "--limit", "0")).status, 64);
  });
});

suite("trace of an attacker's lines", () => {
  const evil = "\u001b]0;pwned\u0007<script>alert(1)</script>\u202e";
  const hostile = join(root, "hostile.log");
  const at = "2026-10-10T10:00:00+00:00 mx";
  writeFileSync(
    hostile,
    `${at} postfix/smtpd[1]: AAAAA11111: client=${evil}[192.0.2.9]
${at} postfix/cleanup[2]: AAAAA11111: message-id=<${evil}@b.example>
${at} postfix/qmgr[3]: AAAAA11111: from=<${evil}@b.example>, size=300, nrcpt=1 (queue active)
${at} postfix/smtp[4]: AAAAA11111: to=<x@far.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host said: 550 ${evil})
`,
  );
  test("shows them, and does nothing they say", async () => {
    for (const format of ["text", "html"]) {
      const { status, out } = await trace("AAAAA11111", hostile, "--format", format);
      assert.equal(status, 0);
      assert.doesNotMatch(out, /[\u001b\u0007\u202e]/);
      if (format === "html") assert.doesNotMatch(out, /<script/);
      assert.ok(out.includes("x1b]0;pwned"));
    }
  });
});
