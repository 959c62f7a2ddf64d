import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { needs } from "../support/need.ts";
import { canonical, compat, pflogsumm } from "./pflogsumm.ts";

/** Logs compared with the real program; FUZZ_ROUNDS raises it for a long run. */
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 40);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const LINES = 120;

/** mulberry32: a small seeded generator. */
function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Writer {
  private readonly next: () => number;
  private second = 0;
  private day = 0;

  constructor(seed: number) {
    this.next = random(seed);
  }

  n(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.n(of.length)]!;
  }

  log(): string {
    let lines: string[] = [];
    for (let i = 0; i < LINES; i++) lines.push(this.line());
    if (this.n(3) === 0) lines = lines.map((l) => (this.n(12) === 0 ? l.slice(0, 50 + this.n(80)) : l));
    if (this.n(4) === 0) lines = lines.flatMap((l) => (this.n(10) === 0 ? [l, l] : [l]));
    if (this.n(4) === 0)
      for (let i = 0; i + 1 < lines.length; i++) {
        const j = Math.min(lines.length - 1, i + this.n(4));
        [lines[i], lines[j]] = [lines[j]!, lines[i]!];
      }
    return `${lines.join("\n")}\n`;
  }

  private stamp(): string {
    this.second += this.n(40);
    if (this.n(25) === 0) this.second += 3600 * this.n(9);
    if (this.second >= 86_400) {
      this.second -= 86_400;
      this.day++;
    }
    const date = new Date(Date.UTC(2026, 9, 28 + this.day, 0, 0, this.second));
    const month = date.getUTCMonth() === 9 ? "Oct" : "Nov";
    return `${month} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`;
  }

  private id(): string {
    return this.pick(["A1B2C3", "B1B2C3", "C1B2C3D", "D1", "3Zb2kz1Q9vzXyz", "4F00AA11BB", "E0", "F77777"]);
  }

  private host(): string {
    return this.pick([
      "mx.far.example",
      "unknown",
      "Mail.Far.COM",
      "a.b.co.uk",
      "localhost",
      "h1.net",
      "x.y.z.org",
      "W.X.de",
    ]);
  }

  private ip(): string {
    return this.pick(["192.0.2.9", "198.51.100.7", "2001:db8::7", "10.0.0.1", "127.0.0.1"]);
  }

  private client(): string {
    return `${this.host()}[${this.ip()}]`;
  }

  private address(): string {
    return this.pick([
      "ann@our.example",
      "Bob@Our.Example",
      "x.y+z@far.com",
      "root",
      "",
      "a@b@c.org",
      '"a b"@c.net',
      "q@10.1.2.3",
      "first.last@sub.far.example",
      "first.zeta@sub.far.example",
    ]);
  }

  private service(): string {
    return this.pick(["", "", "", "", "smtps/", "submission/", "other/"]);
  }

  private tail(): string {
    return `; from=<${this.address()}> to=<${this.address()}> proto=ESMTP helo=<h>`;
  }

  private reply(): string {
    return this.pick([
      `550 5.1.1 <${this.address()}>: Recipient address rejected: User unknown in virtual mailbox table`,
      `554 5.7.1 <${this.address()}>: Relay access denied`,
      `450 4.7.1 <h>: Helo command rejected: Host not found`,
      "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.example; https://zen.example/q?192.0.2.9",
      `450 4.1.8 <${this.address()}>: Sender address rejected: Domain not found`,
      "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.9]",
      `450 4.2.0 <${this.address()}>: Recipient address rejected: Greylisted, see http://x.example/h.html`,
      "451 4.3.5 Server configuration error",
      `550 5.7.1 <${this.address()}>: Recipient address rejected: Undeliverable: a: b`,
    ]);
  }

  private reason(): string {
    return this.pick([
      "250 2.0.0 Ok: queued as 77AA",
      "connect to mx.far.example[192.0.2.7]:25: Connection refused",
      "host mx.far.example[192.0.2.7] said: 421-4.7.0 [192.0.2.1 15] Our system: unusual rate of mail (in reply to end of DATA command)",
      "host mx.far.example[192.0.2.7] said: 550 5.1.1 <x@far.example>: User unknown (in reply to RCPT TO command)",
      "Host or domain name not found. Name service error for name=far.example type=MX: Host not found, try again",
      'unknown user: "x"',
      "forwarded as B1B2C3",
      "delivery temporarily suspended: lost connection with a.b[192.0.2.1] while receiving the initial server greeting",
      "host mx[192.0.2.7] refused to talk to me: 554 5.7.1 Service unavailable; Client host blocked using bl.example",
      "delivered to maildir",
      "mail for a.b loops back to myself",
    ]);
  }

  private line(): string {
    const [tag, text] = this.message();
    return `${this.stamp()} mx postfix/${tag}[${this.pick([5, 6, 7, 8])}]: ${text}`;
  }

  private message(): [string, string] {
    const smtpd = `${this.service()}smtpd`;
    switch (this.n(22)) {
      case 0:
      case 1:
      case 2:
        return [smtpd, `connect from ${this.client()}`];
      case 3:
      case 4:
        return [
          smtpd,
          `disconnect from ${this.client()}${this.pick(["", " ehlo=1 quit=1 commands=2", " ehlo=1 rcpt=0/1 commands=1/2"])}`,
        ];
      case 5:
      case 6:
        return [
          smtpd,
          `${this.id()}: client=${this.client()}${this.pick(["", ", sasl_method=PLAIN, sasl_username=ann"])}`,
        ];
      case 7:
        return ["pickup", `${this.id()}: uid=${this.n(3)} from=<root>`];
      case 8:
      case 9:
        return [
          "qmgr",
          `${this.id()}: from=<${this.address()}>, size=${this.pick([0, 7, 1000, 524_289, 700_000_000])}, nrcpt=1 (queue active)`,
        ];
      case 10:
      case 11:
      case 12:
      case 13:
        return [
          this.pick(["smtp", "lmtp", "local", "virtual", "pipe", "error", "relay/smtp"]),
          this.record(),
        ];
      case 14:
        return [
          this.pick([smtpd, "postscreen"]),
          `${this.pick(["NOQUEUE", this.id()])}: ${this.pick(["reject", "reject_warning", "hold", "discard", "milter-reject"])}: ${this.pick(["RCPT", "RCPT", "MAIL", "DATA", "CONNECT", "VRFY", "END-OF-MESSAGE"])} from ${this.client()}: ${this.reply()}${this.tail()}`,
        ];
      case 15:
        return [
          "cleanup",
          `${this.id()}: ${this.pick(["reject", "warning", "hold", "discard", "replace", "milter-reject", "milter-hold"])}: ${this.pick(["header", "body", "mime-header", "END-OF-MESSAGE"])} ${this.pick(["Subject: buy now", "From: <a@b>", ""])} from ${this.client()}${this.tail()}${this.pick(["", ": 5.7.1 no"])}`,
        ];
      case 16:
        return [
          this.pick(["smtp", smtpd, "qmgr", "cleanup", "trivial-rewrite", "master"]),
          `${this.pick(["warning", "fatal", "panic", "error", "warning"])}: ${this.pick(["a: b", "hostname h.example does not resolve to address 192.0.2.9", "x".repeat(80), "table hash:/etc/x: lookup problem"])}`,
        ];
      case 17:
        return [
          "master",
          this.pick([
            "daemon started -- version 3.7.11, configuration /etc/postfix",
            "reload -- version 3.7.11, configuration /etc/postfix",
            "terminating on signal 15",
          ]),
        ];
      case 18:
        return [
          "smtp",
          this.pick([
            "connect to mx.far.com[192.0.2.7]: Connection timed out (port 25)",
            "connect to mx.far.com[192.0.2.7]:25: Connection timed out",
            `${this.id()}: host mx.far.example[192.0.2.7] said: 450 no`,
          ]),
        ];
      case 19:
        return [
          "postscreen",
          this.pick([
            "CONNECT from [192.0.2.9]:2029 to [192.0.2.1]:25",
            "NOQUEUE: reject: CONNECT from [192.0.2.9]:512: too many connections",
            `NOQUEUE: reject: RCPT from [192.0.2.9]:512: 550 5.7.1 Service unavailable; client [192.0.2.9] blocked using zen.example; from=<a@b.example>, to=<x@our.example>, proto=ESMTP, helo=<h>`,
          ]),
        ];
      case 20:
        return [
          "qmgr",
          this.pick([
            `${this.id()}: removed`,
            `${this.id()}: from=<a@b.example>, status=expired, returned to sender`,
          ]),
        ];
      default:
        return ["cleanup", `${this.id()}: message-id=<x@y.example>`];
    }
  }

  private record(): string {
    const original = this.pick(["", "", "orig_to=<all@our.example>, ", "orig_to=<x>, "]);
    const use = this.pick(["", "", "conn_use=2, "]);
    const tls = this.pick(["", "", "", "", "tls=verified, "]);
    const delay = this.pick(["0.25", "1", "0.75", "59.96", "61", "3599", "3601", "90000", "12.345"]);
    const relay = this.pick(["mx.far.example[192.0.2.7]:25", "none", "local", "mx.b.example[192.0.2.8]:25"]);
    return `${this.id()}: to=<${this.address()}>, ${original}relay=${relay}, ${use}delay=${delay}, delays=0/0.1/0/1, ${tls}dsn=2.0.0, status=${this.pick(["sent", "sent", "sent", "deferred", "deferred", "bounced", "deliverable"])} (${this.reason()})`;
  }
}

suite("on mutated logs every row of the report equals pflogsumm's", needs("pflogsumm"), () => {
  test(`in ${ROUNDS} logs from seed ${SEED}`, () => {
    for (let i = 0; i < ROUNDS; i++) {
      const seed = SEED * 100_000 + i;
      const log = new Writer(seed).log();
      assert.equal(canonical(compat(log)), canonical(pflogsumm(log)), `seed ${seed}`);
    }
  });
});
