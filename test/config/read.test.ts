import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { distance, nearest } from "../../src/config/mistake.ts";
import { FULL, read } from "./support.ts";

/** A file's text, the place of its only mistake, and words of what and of what is allowed. */
type Case = readonly [string, number, number, RegExp, RegExp];

const WRONG: readonly Case[] = [
  // No TOML.
  ["a = \n", 1, 5, /no value after =/, /such as/],
  ['[log]\npaths = ["/var/log/mail.log"\n', 2, 29, /closing bracket/, /\]/],
  ['[server]\nname = "mx1\n', 2, 12, /no closing quote/, /quote/],
  ["[server]\nname = mx1\n", 2, 8, /no quotes/, /quotes/],
  ["[log]\n[log]\n", 2, 2, /twice/, /once/],
  ["[alerts]\nper_day = 2\nper_day = 3\n", 3, 1, /twice/, /once/],
  ["[report]\nat = 06:30\n", 2, 11, /no date or time/, /quotes/],
  ["\u0000", 1, 1, /no TOML/, /key = value/],
  [`a = ${"[".repeat(20_000)}${"]".repeat(20_000)}`, 1, 1, /too deep/, /settings/],
  ["#".repeat(300 * 1024), 1, 1, /larger than/, /settings/],
  // Keys.
  [
    '[log]\npathes = ["/var/log/mail.log"]\n',
    2,
    1,
    /no key "pathes" in \[log\]; did you mean "paths"\?/,
    /journal/,
  ],
  ["[laerts]\n", 1, 2, /did you mean "alerts"/, /server, log/],
  ["[alerts]\nper-day = 2\n", 2, 1, /did you mean "per_day"/, /per_day/],
  ["[alerts]\nPER_DAY = 2\n", 2, 1, /did you mean "per_day"/, /per_day/],
  ["[alerts]\nquite_another = 2\n", 2, 1, /no key "quite_another" in \[alerts\]$/, /^per_day$/],
  ["alerts.per_dya = 2\n", 1, 8, /did you mean "per_day"/, /per_day/],
  ["__proto__ = 1\n", 1, 1, /no key "__proto__"/, /server/],
  ["log = 3\n", 1, 1, /log is a table/, /\[log\]/],
  ["[log]\nlisten = 3\n", 2, 1, /listen is a list of tables/, /\[\[log\.listen\]\]/],
  ["[log]\nlisten = [3]\n", 2, 11, /no table/, /\[\[log\.listen\]\]/],
  // Types and ranges.
  ['[alerts]\nper_day = "2"\n', 2, 11, /a text, not a whole number/, /from 1 to/],
  ["[alerts]\nper_day = 2.5\n", 2, 11, /fraction, not a whole number/, /from 1 to/],
  ["[alerts]\nper_day = 0\n", 2, 11, /0 is out of range/, /from 1 to/],
  ["[alerts]\nper_day = 99999999999999999999\n", 2, 11, /out of range/, /from 1 to/],
  ["[server]\nname = 5\n", 2, 8, /a number, not a text/, /host's name/],
  ['[server]\nname = ""\n', 2, 8, /empty/, /leave the key out/],
  ['[server]\nname = "a b"\n', 2, 8, /"a b" does not fit/, /host's name/],
  ['[server]\nname = "a\\nb"\n', 2, 8, /control character/, /host's name/],
  ['[server]\ndomains = ["example.org", "-x-", "example.com"]\n', 2, 27, /"-x-"/, /domain/],
  ['[report]\non_change = "yes"\n', 2, 13, /not true or false/, /without quotes/],
  // Times, zones, durations.
  ['[report]\nat = "24:00"\n', 2, 6, /"24:00" does not fit/, /"00:00" to "23:59"/],
  ["[report]\nat = 06:30:00\n", 2, 6, /without quotes/, /in quotes/],
  ['[retrain]\nat = "Someday 03:30"\n', 2, 6, /does not fit/, /Sun 03:30.*never/],
  ['[log]\ntimezone = "Mars/Base"\n', 2, 12, /"Mars\/Base"/, /Europe\/Berlin/],
  ['[heartbeat]\nevery = "5 minutes"\n', 2, 9, /does not fit/, /"10s" to "1d"/],
  ['[heartbeat]\nevery = "5s"\n', 2, 9, /does not fit/, /"10s" to "1d"/],
  // Paths and addresses.
  ['[log]\npaths = ["mail.log"]\n', 2, 10, /"mail\.log"/, /whole path/],
  ['[log]\nunits = ["postfix.service"]\n', 2, 9, /journal alone/, /journal = true/],
  ['[metrics]\nlisten = "9469"\n', 2, 10, /does not fit/, /127\.0\.0\.1:9469/],
  ['[metrics]\nlisten = "127.0.0.1:70000"\n', 2, 10, /does not fit/, /127\.0\.0\.1:9469/],
  ['[metrics]\ntextfile = "/x/logvane.txt"\n', 2, 12, /\*\.prom/, /\.prom/],
  ['[heartbeat]\nurl = "ftp://x/"\n', 2, 7, /no web address/, /https:/],
  ['[heartbeat]\nurl = "https://u:geheim@x/"\n', 2, 7, /password stands in/, /without user/],
  ['[[log.listen]]\nprotocol = "upd"\n', 2, 12, /did you mean "udp"/, /"tcp"/],
  ['[[log.listen]]\nprotocol = "udp"\ncertificate = "/x"\n', 3, 1, /tls" alone/, /leave the key out/],
  ['[[log.listen]]\nprotocol = "otlp"\nkey = "/x"\n', 3, 1, /tls" alone/, /leave the key out/],
  ['[[log.listen]]\nprotocol = "tls"\nkey = "/k"\n', 1, 7, /certificate is missing/, /PEM/],
  ['[[log.listen]]\nprotocol = "tls"\ncertificate = "/c"\nkey = "/open"\n', 4, 7, /mode 0644/, /chmod 0600/],
  // Channels.
  ["[mail]\n", 1, 2, /to is missing/, /root/],
  ["[mail]\nto = []\n", 2, 6, /empty/, /recipients/],
  ['[mail]\nto = "root"\nvia = "smpt"\nhost = "x"\n', 3, 7, /did you mean "smtp"/, /sendmail/],
  ['[mail]\nto = "root"\nhost = "x"\n', 3, 1, /smtp" alone/, /leave the key out/],
  ['[mail]\nto = "ann@exam ple.org"\n', 2, 6, /ann@exam ple/, /mail address/],
  ['[mail]\nto = "-oQ/tmp@example.org"\n', 2, 6, /-oQ/, /mail address/],
  ['[mail]\nto = "root"\nvia = "smtp"\n', 1, 2, /host is missing/, /mail server/],
  [
    '[mail]\nto = "root"\nvia = "smtp"\nhost = "smtp.example.org"\nuser = "u"\n',
    5,
    8,
    /no password/,
    /password_file/,
  ],
  [
    '[mail]\nto = "root"\nvia = "smtp"\nhost = "smtp.example.org"\nsecurity = "none"\nuser = "u"\npassword_file = "/p"\n',
    5,
    12,
    /in the clear/,
    /starttls/,
  ],
  ['[mail]\nto = "root"\npassword = "geheim"\n', 3, 1, /secret does not belong/, /password_file/],
  ['[mail]\nto = "root"\npasword = "geheim"\n', 3, 1, /secret does not belong/, /password_file/],
  [
    '[[channel]]\ntype = "webhook"\nname = "a"\nurl = "https://x/"\ntoken = "geheim"\n',
    5,
    1,
    /secret/,
    /token_file/,
  ],
  [
    '[[channel]]\ntype = "webhook"\nname = "a"\nurl = "https://x/"\ntoken_file = "/none"\n',
    5,
    14,
    /no such file/,
    /0600/,
  ],
  [
    '[[channel]]\ntype = "webhook"\nname = "a"\nurl = "https://x/"\ntoken_file = "/open"\n',
    5,
    14,
    /mode 0644/,
    /chmod/,
  ],
  ['[[channel]]\ntype = "webhok"\n', 2, 8, /did you mean "webhook"/, /"mail"/],
  ["[[channel]]\n", 1, 3, /type is missing/, /"webhook"/],
  ['[[channel]]\ntype = "journal"\n', 1, 3, /name is missing/, /chat/],
  [
    '[[channel]]\ntype = "journal"\nname = "a"\nurl = "x"\n',
    4,
    1,
    /type journal has no url/,
    /^type, name, when, min_severity, report$/,
  ],
  ['[[channel]]\ntype = "command"\nname = "a"\ncommand = ["page"]\n', 4, 11, /no whole path/, /whole path/],
  [
    '[mail]\nto = "root"\n[[channel]]\ntype = "journal"\nname = "mail"\n',
    5,
    8,
    /another channel is named "mail"/,
    /of its own/,
  ],
  ['[web]\nurl = "https://mx.example/"\n', 2, 7, /nothing answers/, /\[metrics\]/],
  ["[keep]\nalerts_days = 10\nlines_days = 20\n", 3, 14, /longer than their alerts/, /at most/],
];

suite("a file of settings", () => {
  test("sets every key there is", () => {
    const { config, mistakes } = read(FULL);
    assert.deepEqual(mistakes, []);
    const { channels, ...rest } = config;
    assert.deepEqual(rest, {
      path: "/etc/logvane/logvane.toml",
      server: { name: "mail.example.org", domains: ["example.org", "example.com"] },
      log: {
        paths: ["/var/log/mail.log", "/var/log/dovecot*.log"],
        journal: true,
        units: ["postfix@-.service", "dovecot.service"],
        timezone: "Europe/Berlin",
        listen: [
          { protocol: "udp", address: "::1", port: 5514, certificate: undefined, key: undefined },
          {
            protocol: "tls",
            address: "0.0.0.0",
            port: 6514,
            certificate: "/etc/ssl/logvane.pem",
            key: "/etc/ssl/private/logvane.key",
          },
        ],
      },
      alerts: { perDay: 3 },
      report: { atMinute: 435, onChange: true },
      retrain: { weekday: 6, atMinute: 120, days: 42, prior: true },
      heartbeat: { url: "https://heartbeat.example.org/abc", file: "/run/logvane/alive", everyS: 90 },
      metrics: {
        textfile: "/var/lib/node-exporter/logvane.prom",
        listen: { address: "::1", port: 9469 },
      },
      web: { url: "https://mx.example.org/logvane" },
      keep: { alertsDays: 100, linesDays: 50, notificationsDays: 10 },
    });
    assert.deepEqual(
      channels.map((c) => [c.name, c.type, c.when, c.minSeverity, c.report]),
      [
        ["post", "mail", "always", "medium", true],
        ["chat", "webhook", "fallback", "high", false],
        ["pager", "command", "always", "low", false],
        ["log", "journal", "always", "low", false],
        ["feed", "file", "always", "low", false],
        ["second", "mail", "always", "low", true],
      ],
    );
    assert.deepEqual(channels[0]!.type === "mail" && channels[0]!.via, {
      by: "smtp",
      host: "smtp.example.org",
      port: 587,
      security: "starttls",
      authority: "/etc/ssl/own-ca.pem",
      user: "logvane",
      passwordFile: "/etc/logvane/password",
    });
    assert.deepEqual(channels[2]!.type === "command" && [channels[2]!.command, channels[2]!.timeoutS], [
      ["/usr/local/bin/page", "--now"],
      60,
    ]);
  });

  test("may be empty, and all is default", () => {
    const { config, mistakes } = read("");
    assert.deepEqual(mistakes, []);
    assert.equal(config.server.name, "mx1.example.org");
    assert.equal(config.log.timezone, "UTC");
    assert.deepEqual([config.channels, config.log.paths, config.alerts.perDay], [[], [], 2]);
    assert.deepEqual(
      [config.report.atMinute, config.retrain.weekday, config.retrain.atMinute],
      [390, 0, 210],
    );
  });

  test("takes the port and the security that go with the server", () => {
    const via = (more: string): unknown => {
      const { config, mistakes } = read(`[mail]\nto = "root"\nvia = "smtp"\n${more}\n`);
      assert.deepEqual(mistakes, []);
      const channel = config.channels[0]!;
      return channel.type === "mail" && channel.via.by === "smtp" && [channel.via.security, channel.via.port];
    };
    assert.deepEqual(via('host = "127.0.0.1"'), ["none", 25]);
    assert.deepEqual(via('host = "smtp.example.org"'), ["starttls", 587]);
    assert.deepEqual(via('host = "smtp.example.org"\nsecurity = "tls"'), ["tls", 465]);
  });

  test("listens where its protocol does, on loopback", () => {
    const of = (protocol: string): unknown => {
      const { config, mistakes } = read(`[[log.listen]]\nprotocol = "${protocol}"\n`);
      assert.deepEqual(mistakes, []);
      return [config.log.listen[0]!.address, config.log.listen[0]!.port];
    };
    assert.deepEqual(
      [of("udp"), of("otlp")],
      [
        ["127.0.0.1", 5140],
        ["127.0.0.1", 4318],
      ],
    );
  });

  test("never keeps lines longer than alerts by default", () => {
    assert.deepEqual(read("[keep]\nalerts_days = 10\n").config.keep.linesDays, 10);
  });

  test("says which line set what", () => {
    const line = (key: string): number | undefined =>
      read(FULL).settings.find((setting) => setting.key === key)?.line;
    assert.equal(line("server.name"), 3);
    assert.equal(line("log.listen.1.port"), 20);
    assert.equal(line("channel.0.url"), 45);
    assert.equal(line("channel.4.via"), undefined);
  });

  test("is explained key by key in docs/configuration.md", () => {
    const page = readFileSync("docs/configuration.md", "utf8");
    for (const { key } of read(FULL).settings) {
      const name = key.split(".").at(-1)!;
      assert.match(page, new RegExp(`^\\| \`${name}\` \\|`, "m"), key);
    }
  });
});

suite("a mistake in the file", () => {
  for (const [text, line, column, what, allowed] of WRONG)
    test(`is told with its place: ${JSON.stringify(text.slice(0, 70))}`, () => {
      const { mistakes } = read(text);
      assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
      const mistake = mistakes[0]!;
      assert.deepEqual([mistake.line, mistake.column], [line, column], mistake.what);
      assert.match(mistake.what, what);
      assert.match(mistake.allowed, allowed);
      assert.doesNotMatch(JSON.stringify(mistake), /geheim/);
    });

  test("does not hide the others, and they come in order", () => {
    const text = '[keep]\nlines_days = 0\n[log]\npaths = ["a", "/b", "c"]\nx = 1\n[mail]\n';
    const places = read(text).mistakes.map(({ line, column }) => `${line}:${column}`);
    assert.deepEqual(places, ["2:14", "4:10", "4:21", "5:1", "6:2"]);
  });

  test("in line 1 has its column also behind a byte order mark", () => {
    const [mistake] = read("\ufeffalert = 1\n").mistakes;
    assert.deepEqual([mistake?.line, mistake?.column], [1, 1]);
  });
});

suite("the word that was meant", () => {
  test("differs by what a slip of the hand does", () => {
    assert.equal(distance("paths", "paths"), 0);
    assert.equal(distance("pahts", "paths"), 1); // two swapped
    assert.equal(distance("path", "paths"), 1);
    assert.equal(distance("", "abc"), 3);
    assert.equal(distance("kitten", "sitting"), 3);
  });
  test("is none where nothing is near", () => {
    assert.equal(nearest("foo", ["paths", "journal"]), undefined);
    assert.equal(nearest("x".repeat(100_000), ["paths"]), undefined);
    assert.equal(nearest("jornal", ["paths", "journal"]), "journal");
  });
});
