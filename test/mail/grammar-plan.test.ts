import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Envelope, parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { samples as heads } from "../../src/mail/dovecot.ts";
import { samples as auth } from "../../src/mail/dovecot-auth.ts";
import { samples as login } from "../../src/mail/dovecot-login.ts";
import { samples as mailbox } from "../../src/mail/dovecot-mailbox.ts";
import { samples as service } from "../../src/mail/dovecot-service.ts";
import { samples as session } from "../../src/mail/dovecot-session.ts";
import { parseMail } from "../../src/mail/grammar.ts";
import { samples as actions } from "../../src/mail/postfix-action.ts";
import { samples as cleanup } from "../../src/mail/postfix-cleanup.ts";
import { samples as delivery } from "../../src/mail/postfix-delivery.ts";
import { samples as master } from "../../src/mail/postfix-master.ts";
import { samples as notes } from "../../src/mail/postfix-notes.ts";
import { samples as queue } from "../../src/mail/postfix-queue.ts";
import { samples as smtpd } from "../../src/mail/postfix-smtpd.ts";
import { samples as support } from "../../src/mail/postfix-support.ts";
import { samples as tls } from "../../src/mail/postfix-tls.ts";
import { samples as postscreen } from "../../src/mail/postscreen.ts";
import type { Sample } from "../../src/mail/scan.ts";
import { maskText } from "../../src/template/mask.ts";

/** What a line's words decide, so that it may be remembered by its masked text. */
function planOf(program: string, message: string): string {
  const read = parseMail({ time: 0, host: "mx", program, pid: 7, message });
  return JSON.stringify([read.event, read.cause, read.severity, read.daemon, maskText(read.shape)]);
}

const isUncached = (program: string, message: string): boolean =>
  parseMail({ time: 0, host: "mx", program, pid: 7, message }).uncached;

/** Numbers that decide: reply codes, enhanced codes, answers by which a block list refuses us, protocol names, a queue id. */
const KEPT =
  /^(?:[245]\d\d|[245]\.\d{1,3}\.\d{1,3}|[245]\d\d-[245]\.\d{1,3}\.\d{1,3}|127\.255\.255\.\d+|pop3(?:-login)?|[0-9A-F]{10,15}(?:XXXX)?|[0-9A-Za-z]{10,}z[0-9A-Za-z]+)$/;

/** Other digits wherever a token of digits, dots, names and addresses is no code. */
const otherDigits = (line: string, shift: number): string =>
  line.replace(/[^\s=,;:()[\]{}"'`<>|]+/g, (token) =>
    KEPT.test(token) ? token : token.replace(/[1-9]/g, (d) => String(((Number(d) - 1 + shift) % 9) + 1)),
  );

/** Other hosts: every name with a dot and a letter after it. */
const otherHosts = (line: string): string =>
  line.replace(/\b(?:[a-z][a-z0-9-]*\.)+(?:example|test|com|org|net)\b/g, "quota.spam.milter.example");

/** Single-label names where Postfix writes a client or relay. */
const bareHosts = (line: string): string =>
  line.replace(
    /\b(from |to |client=|relay=|with |host )((?!unknown|localhost)[a-z][a-z0-9.-]*)\[/g,
    "$1mailhost[",
  );

/** Other users, of letters alone and of letters that mislead. */
const otherUsers =
  (name: string) =>
  (line: string): string =>
    line
      .replace(
        /\b(sasl_username|sasl_sender|orig_to|to|from|user|username)=(<?)[^<>,; ]+?(@[^<>,; ]+)?(?=[>,; ]|$)/g,
        (_m, key, open, domain) => `${key}=${open}${name}${domain ?? ""}`,
      )
      .replace(/^((?:imap|pop3|lmtp|lda|managesieve|submission)\()[^)]+?(@[^)]+)?\)/, (m, head, domain) =>
        /^\D+\(\d+\)$/.test(m) ? m : `${head}${name}${domain ?? ""})`,
      )
      .replace(/\b((?:passwd-file|sql|ldap|pam|policy|auth)\()[^,()]+,/g, (_m, head) => `${head}${name},`);

const CHANGES: readonly (readonly [string, (line: string) => string])[] = [
  ["other digits", (line) => otherDigits(line, 1)],
  ["still other digits", (line) => otherDigits(line, 4)],
  ["other hosts", otherHosts],
  ["hosts of one word", bareHosts],
  ["other users", otherUsers("zoe")],
  ["users that mislead", otherUsers("quota-loop")],
];

function check(program: string, lines: readonly Sample[]): void {
  for (const { line } of lines)
    test(`${program}: ${line.slice(0, 90)}`, () => {
      if (isUncached(program, line)) return;
      for (const [what, change] of CHANGES) {
        const changed = change(line);
        if (changed !== line)
          assert.equal(planOf(program, changed), planOf(program, line), `${what}: ${changed}`);
      }
    });
}

suite("what a sample comes to hangs on its words alone", () => {
  check("postfix/smtpd", [...smtpd, ...actions]);
  check("postfix/smtp", [...delivery, ...tls]);
  check("postfix/cleanup", cleanup);
  check("postfix/postscreen", postscreen);
  for (const s of [...queue, ...master, ...support, ...notes]) check(`postfix/${s.daemon}`, [s]);
  check("dovecot", [...heads, ...auth, ...login, ...mailbox, ...service, ...session]);
});

/** Lines of the demo's log that are looked at: its first days hold every kind of it but incidents, and its last ones those. */
const PART = 12_000;

/** Postfix's and Dovecot's lines of the demo's log. */
function demoLines(): Envelope[] {
  const all = gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8").split("\n");
  const clock = new LogClock(new Zone("UTC"), 2026);
  return [...all.slice(0, PART), ...all.slice(-PART)]
    .map((text) => parseEnvelope(text, clock))
    .filter(({ time, program }) => time !== null && /^(?:postfix|dovecot)/.test(program));
}

suite("what a line of the demo's log comes to hangs on its words alone", () => {
  const lines = new Map<string, { program: string; message: string }>();
  for (const line of demoLines()) lines.set(`${line.program} ${maskText(line.message)}`, line);
  for (const [what, change] of CHANGES)
    test(`with ${what}`, () => {
      for (const { program, message } of lines.values()) {
        if (isUncached(program, message)) continue;
        const changed = change(message);
        if (changed !== message) assert.equal(planOf(program, changed), planOf(program, message), changed);
      }
    });
});

test("lines of one masked text have one plan", () => {
  const plans = new Map<string, string>();
  for (const { program, message } of demoLines()) {
    if (isUncached(program, message)) continue;
    // codes decide, so they belong to the key
    const codes =
      message.match(/\b[245]\d\d[ -](?:[245]\.\d{1,3}\.\d{1,3})?|\bdsn=[\d.]+|127\.255\.255/g) ?? [];
    const key = `${program} ${maskText(message)} ${codes.join(" ")}`;
    const plan = planOf(program, message);
    assert.equal(plans.get(key) ?? plan, plan, message);
    plans.set(key, plan);
  }
});
