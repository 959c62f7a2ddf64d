import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseMail } from "../../src/mail/grammar.ts";
import { EVENTS } from "../../src/mail/names.ts";
import { MAX_FIELD } from "../../src/mail/scan.ts";
import { bareAddress, plainWords } from "../../src/mail/words.ts";
import { companionSamples } from "./companion-samples.ts";

const parse = (program: string, message: string) =>
  parseMail({ time: 0, host: "mx", program, pid: 7, message });

suite("a companion's grammar reads its own samples", () => {
  for (const sample of companionSamples)
    test(`${sample.daemon}: ${sample.line.slice(0, 90)}`, () => {
      const read = parse(sample.daemon, sample.line);
      assert.equal(read.event, sample.event);
      assert.equal(read.cause, sample.cause);
      for (const [key, value] of Object.entries(sample.fields ?? {}))
        assert.equal(read.fields[key], value, key);
    });
});

suite("a repeated message", () => {
  const line = "Failed password for root from 192.0.2.9 port 4022 ssh2";
  test("is read as what it repeats, with how often", () => {
    const read = parse("sshd", `message repeated 5 times: [ ${line}]`);
    assert.equal(read.event, "auth_failure");
    assert.equal(read.fields["repeated"], 5);
    assert.equal(read.fields["client_address"], "192.0.2.9");
    assert.equal(read.shape, parse("sshd", line).shape);
  });
  test("that is not named is info", () => {
    const read = parse("syslogd", "last message repeated 12 times");
    assert.equal(read.event, "info");
    assert.equal(read.fields["repeated"], 12);
  });
});

suite("an attacker's text doesn't become the address", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["sshd", "Failed password for invalid user a from 198.51.100.1 from 192.0.2.9 port 4022 ssh2"],
    ["sshd", "Invalid user x from 198.51.100.1 port 7 from 192.0.2.9 port 4022"],
    ["sshd", "Connection closed by authenticating user x 198.51.100.1 port 7 192.0.2.9 port 4022 [preauth]"],
    ["sshd", "User a from 198.51.100.1 from 192.0.2.9 not allowed because not listed in AllowUsers"],
    [
      "exim",
      "H=(a.example) [192.0.2.9]:4022 F=<a@b.example> rejected RCPT <x H=(y) [198.51.100.1]>: relay not permitted",
    ],
    [
      "exim",
      "plain authenticator failed for (a) [192.0.2.9]: 535 Incorrect authentication data (set_id=x [198.51.100.1]: 535)",
    ],
    [
      "exim",
      'SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "RSET" H=a.example [192.0.2.9] next input="x" H=(y) [198.51.100.1]"',
    ],
    ["imapd", "LOGIN FAILED, user=x, ip=[198.51.100.1], ip=[::ffff:192.0.2.9]"],
    [
      "vsftpd",
      "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=rhost=198.51.100.1 rhost=192.0.2.9",
    ],
  ];
  for (const [program, line] of cases)
    test(line.slice(0, 80), () => assert.equal(parse(program, line).fields["client_address"], "192.0.2.9"));
});

suite("exim", () => {
  const fields = (line: string) => parse("exim", line).fields;
  test("names the message by its id, old and new", () => {
    assert.equal(parse("exim", "1abcDE-000123-45 Completed").queueId, "1abcDE-000123-45");
    assert.equal(parse("exim", "1rabcD-00000001abc-2Xyz Completed").queueId, "1rabcD-00000001abc-2Xyz");
    assert.equal(parse("exim", "[812] 1abcDE-000123-45 Completed").queueId, "1abcDE-000123-45");
  });
  test("reads an arrival over SMTP", () => {
    const read = parse(
      "exim",
      '1abcDE-000123-45 <= ann@our.example H=h.example (User) [192.0.2.9]:4022 I=[192.0.2.1]:587 P=esmtpsa L. X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=plain_login:ann@our.example S=1200 id=1@our.example T="a H=(x) [198.51.100.1] A=y:z" from <ann@our.example> for x@far.example y@far.example',
    );
    assert.equal(read.event, "client");
    assert.equal(read.queueId, "1abcDE-000123-45");
    const expected = {
      from: "ann@our.example",
      client_address: "192.0.2.9",
      helo: "User",
      sasl_method: "plain_login",
      sasl_username: "ann@our.example",
      size: 1200,
      message_id: "1@our.example",
      nrcpt: 2,
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(read.fields[key], value, key);
  });
  test("reads a local submission and a bounce", () => {
    assert.equal(parse("exim", "1abcDE-000123-45 <= ann@our.example U=ann P=local S=900").event, "pickup");
    const bounce = parse("exim", "1abcDE-000124-45 <= <> R=1abcDE-000123-45 U=Debian-exim P=local S=900");
    assert.equal(bounce.event, "bounce_notification");
    assert.equal(bounce.queueId, "1abcDE-000123-45");
    assert.equal(bounce.fields["new_queue_id"], "1abcDE-000124-45");
  });
  test("knows the recipient of a local delivery by its address", () => {
    const local = fields("1abcDE-000123-45 => ann <ann@our.example> R=localuser T=maildir");
    assert.deepEqual([local["to"], local["status"], local["relay"]], ["ann@our.example", "sent", "maildir"]);
    const redirected = fields(
      "1abcDE-000123-45 => ann@far.example <all@our.example> R=dnslookup T=remote_smtp H=mx [192.0.2.7]",
    );
    assert.deepEqual([redirected["to"], redirected["orig_to"]], ["ann@far.example", "all@our.example"]);
  });
  test("tells a delivery that was only tried", () =>
    assert.equal(fields("1abcDE-000123-45 *> a@b.example R=r T=t")["status"], "suppressed"));
});

test("names of one program are one daemon", () => {
  assert.equal(parse("exim4", "1abcDE-000123-45 Completed").daemon, "exim");
  assert.equal(parse("sshd-session", "Invalid user x from 192.0.2.9 port 1").daemon, "sshd");
});

test("plain words hide what a mask hides, and keep reply codes", () => {
  assert.equal(
    plainWords("550 5.1.1 <a@b.example>: no such user x7 at /var/mail of h.example"),
    "550 5.1.1 <>: no such user 0 at 0 of 0",
  );
});

test("a bare address has no port, prefix or brackets", () => {
  assert.deepEqual(
    ["::ffff:192.0.2.9", "[192.0.2.9]:25", "IPv6:2001:db8::1", "192.0.2.9/32", "h.example"].map(bareAddress),
    ["192.0.2.9", "192.0.2.9", "2001:db8::1", "192.0.2.9", "h.example"],
  );
});

const programs = [...new Set(companionSamples.map((s) => s.daemon)), "x", ""];

suite("any text of any companion", () => {
  const words = fc.constantFrom(
    ...new Set(companionSamples.flatMap((s) => s.line.split(/(?<= )/)).filter((w) => w.length < 40)),
    "H=",
    " [",
    "] ",
    "<",
    "> ",
    '"',
    "(",
    ") ",
    ": ",
    "constructor",
    "\u0000",
  );
  test("gives a known event and capped fields", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...programs),
        fc.array(fc.oneof(words, fc.string({ maxLength: 600 })), { maxLength: 14 }),
        (program, parts) => {
          const read = parse(program, parts.join(""));
          assert.ok(EVENTS.includes(read.event));
          for (const [key, value] of Object.entries(read.fields))
            assert.ok(typeof value === "number" ? Number.isFinite(value) : value.length <= MAX_FIELD, key);
        },
      ),
      { seed: 1, numRuns: 2000 },
    ));
  test("never holds a password", () => {
    for (const [program, line] of [
      ["vpopmail", "vchkpw-smtp: password fail (pass: 'hunter2') ann@our.example:192.0.2.9"],
      ["sudo", "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/x --password=hunter2 -v"],
      ["x", "login failed for ann, password=hunter2"],
      [
        "exim",
        'SMTP protocol error in "AUTH PLAIN hunter2" H=(y) [192.0.2.9] AUTH command used when not advertised',
      ],
      [
        "exim",
        'SMTP call from [192.0.2.9] dropped: too many nonmail commands (last was "AUTH PLAIN hunter2")',
      ],
      [
        "courieresmtpd",
        'error,relay=::ffff:192.0.2.9,msg="535 Authentication failed.",cmd: AUTH PLAIN hunter2',
      ],
    ] as const)
      assert.doesNotMatch(JSON.stringify(parse(program, line)), /hunter2/, program);
  });
  test("costs less than 5 ms, however long it is", () => {
    const heads = new Map<string, Set<string>>();
    for (const s of companionSamples) {
      const set = heads.get(s.daemon) ?? new Set([""]);
      heads.set(s.daemon, set.add(s.line.slice(0, 24)).add(s.line.slice(0, 60)));
    }
    const pieces = [
      "<",
      "[",
      "a ",
      "(",
      '"',
      ": ",
      " from ",
      "H=",
      ", ",
      "a@",
      "=",
      " user=",
      "[a] ",
      "1",
      "a",
      "<>",
      " : ",
      " H=a [b]",
      "x(y) ",
      ".",
      "{",
      "/a",
    ];
    for (const [program, set] of heads)
      for (const head of set)
        for (const piece of pieces) {
          const line = (head + piece.repeat(Math.ceil(8192 / piece.length))).slice(0, 8192);
          assert.ok(cost(program, line) < 5, `${program} ${head} ${piece}`);
        }
  });
});

/** CPU milliseconds of one reading, the least of three. */
function cost(program: string, line: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && least >= 5; i++) {
    const start = process.cpuUsage();
    parse(program, line);
    const used = process.cpuUsage(start);
    least = Math.min(least, (used.user + used.system) / 1000);
  }
  return least;
}
