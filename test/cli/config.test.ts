import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { assertFault, type FaultCase, logvane } from "../faults/support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-config-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Writes a file of settings that only its owner writes. */
function config(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o640);
  return path;
}

const good = config("good.toml", '[log]\ntimezone = "Asia/Tokyo"\n[alerts]\nper_day = 5\n');
const bad = config(
  "bad.toml",
  '[log]\npathz = ["/a"]\n\tjournal = "yes"\n[mail]\nto = "root"\npassword = "geheim"\n[heartbeat]\nurl = "https://u:geheim@x/"\n',
);
const torn = config("torn.toml", '[server]\nname = "mx1\n');

suite("logvane config", () => {
  test("check tells every mistake with its line, a mark under the column, and what is allowed", () => {
    const { status, stdout, stderr } = logvane(["config", "check", "--config", bad]);
    assert.equal(status, 78);
    assert.equal(stderr, "");
    assert.equal(
      stdout,
      `${bad}:2:1: log.pathz: there is no key "pathz" in [log]; did you mean "paths"?
    pathz = ["/a"]
    ^
    allowed: paths, journal, units, timezone, listen

${bad}:3:12: log.journal: this is a text, not true or false
    \\x09journal = "yes"
                  ^
    allowed: true or false, without quotes

${bad}:6:1: mail.password: a secret does not belong into this file
    password = ...
    ^
    allowed: password_file or token_file with the name of a file of mode 0600 that holds it alone

${bad}:8:7: heartbeat.url: a password stands in the address
    url = ...
          ^
    allowed: a web address, such as https://hooks.example.org/T0/B1, without user or password

4 mistakes
`,
    );
  });

  test("check shows where a file is no TOML", () => {
    const { status, stdout } = logvane(["config", "check", "--config", torn]);
    assert.equal(status, 78);
    assert.match(
      stdout,
      /torn\.toml:2:12: the text has no closing quote\n {4}name = "mx1\n {15}\^\n {4}allowed: /,
    );
  });

  test("check of a good file ends with 0", () => {
    const { status, stdout } = logvane(["config", "check", "--config", good]);
    assert.deepEqual([status, stdout], [0, `${good}: no mistakes\n`]);
  });

  test("takes /dev/null for no settings", () => {
    const { status, stdout } = logvane(["config", "show", "--config", "/dev/null", "--json"]);
    assert.equal(status, 0);
    assert.equal(
      JSON.parse(stdout).settings.some((s: { line: number | null }) => s.line !== null),
      false,
    );
  });

  test("check as JSON has the same mistakes and no secret", () => {
    const { stdout } = logvane(["config", "check", "--config", bad, "--json"]);
    const { path, mistakes } = JSON.parse(stdout);
    assert.equal(path, bad);
    assert.deepEqual(
      mistakes.map((m: { line: number; column: number; key: string }) => [m.line, m.column, m.key]),
      [
        [2, 1, "log.pathz"],
        [3, 12, "log.journal"],
        [6, 1, "mail.password"],
        [8, 7, "heartbeat.url"],
      ],
    );
    assert.doesNotMatch(stdout, /geheim/);
  });

  test("show tells what each setting comes from", () => {
    const { stdout } = logvane(["config", "show", "--config", good, "--json", "--timezone", "Europe/Paris"]);
    const { settings } = JSON.parse(stdout);
    const of = (key: string): object => settings.find((s: { key: string }) => s.key === key);
    assert.deepEqual(of("alerts.per_day"), { key: "alerts.per_day", value: 5, origin: "line 4", line: 4 });
    assert.deepEqual(of("log.timezone"), {
      key: "log.timezone",
      value: "Europe/Paris",
      origin: "--timezone",
      line: null,
    });
    assert.deepEqual(of("report.at"), { key: "report.at", value: "06:30", origin: "default", line: null });
    assert.deepEqual(of("heartbeat.url"), {
      key: "heartbeat.url",
      value: null,
      origin: "not set",
      line: null,
    });
  });

  test("show keeps web addresses to itself, which hold secrets", () => {
    const hook = config(
      "hook.toml",
      '[[channel]]\nname = "chat"\ntype = "webhook"\nurl = "https://hooks.example.org/geheim"\n[heartbeat]\nurl = "https://beat.example.org/geheim"\n',
    );
    for (const form of ["text", "json"]) {
      const { status, stdout } = logvane(["config", "show", "--config", hook, "--format", form]);
      assert.equal(status, 0);
      assert.match(stdout, /channel\.0\.url.*|"channel\.0\.url"/);
      assert.doesNotMatch(stdout, /geheim/);
    }
  });

  test("path follows the flag, then the variable, then the user's folder", () => {
    const path = (env: Record<string, string>, ...flags: string[]): string =>
      logvane(["config", "path", ...flags], env).stdout.trim();
    assert.equal(path({ LOGVANE_CONFIG: "/x/y.toml" }, "--config", good), good);
    assert.equal(path({ LOGVANE_CONFIG: "/x/y.toml" }), "/x/y.toml");
    const usual = path({ XDG_CONFIG_HOME: "/home/ann/.config", LOGVANE_CONFIG: "" });
    const expected =
      process.getuid?.() === 0 ? "/etc/logvane/logvane.toml" : "/home/ann/.config/logvane/logvane.toml";
    assert.equal(usual, expected);
  });
});

suite("a verb", () => {
  test("takes zone and budget from the file, and flags win over them", () => {
    const log = join(root, "mail.log");
    writeFileSync(log, "Oct  4 01:00:00 mx1 postfix/qmgr[1]: 4F0C1: removed\n");
    const time = (...flags: string[]): string =>
      JSON.parse(logvane(["parse", log, "--year", "2026", "--format", "ndjson", ...flags]).stdout.trim())
        .time;
    assert.equal(time("--config", good), "2026-10-03T16:00:00.000Z");
    assert.equal(time("--config", good, "--timezone", "UTC"), "2026-10-04T01:00:00.000Z");
  });

  test("of those that need no settings, as doctor, tells of the mistakes and goes on", () => {
    const { status, stdout } = logvane(["doctor", "--config", bad, "--state", join(root, "state"), "--json"]);
    assert.equal(status, 78);
    const found = JSON.parse(stdout).checks.find((c: { name: string }) => c.name === "config");
    assert.match(found.found, /bad\.toml has 4 mistakes, the first in line 2/);
  });

  test("whose file holds mistakes does nothing, and names them all", () => {
    const { status, stdout, stderr } = logvane(["alerts", "--config", bad, "--state", join(root, "state")]);
    assert.deepEqual([status, stdout], [78, ""]);
    assert.match(
      stderr,
      /^error {3}the configuration has 4 mistakes\nwhere .*line 2, column 1.*line 3, column 12.*line 6.*line 8/,
    );
    assert.doesNotMatch(stderr, /geheim/);
  });
});

const open = config("open.toml", "");
chmodSync(open, 0o666);
const CASES: readonly FaultCase[] = [
  [
    "a file with a mistake",
    ["alerts", "--config", torn],
    78,
    /has a mistake/,
    /torn\.toml: line 2, column 12: the text/,
    /config check --config/,
  ],
  [
    "a file that others may write",
    ["alerts", "--config", open],
    78,
    /others may write/,
    /open\.toml/,
    /chmod go-w/,
  ],
  ["a folder for a file", ["alerts", "--config", root], 66, /EISDIR/, /logvane-config-/, /--config/],
  ["no verb after config", ["config"], 64, /no verb/, /second word/, /config check/],
  ["an unknown verb after config", ["config", "fly"], 64, /config fly/, /second word/, /config show/],
  [
    "no file of the name in a check",
    ["config", "check", "--config", join(root, "no")],
    66,
    /ENOENT/,
    /no$/,
    /--config/,
  ],
  [
    "train without a log",
    ["train", "--config", good, "--state", join(root, "s")],
    64,
    /no log was named/,
    /log\.paths/,
    /logvane init/,
  ],
];

suite("a mistake about the configuration", () => {
  for (const fault of CASES)
    test(`${fault[0]} ends with ${fault[2]} and says what, where, effect and what to do`, () =>
      assertFault(fault));
});
