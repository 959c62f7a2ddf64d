import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { outputsIn } from "../../src/cli/survey-logs.ts";
import { assertFault, logvane } from "../faults/support.ts";
import { needs } from "../support/need.ts";

const base = mkdtempSync(join(tmpdir(), "logvane-init-"));
after(() => rmSync(base, { recursive: true, force: true }));
const ROOT = process.getuid?.() === 0;
const CONFIG = "etc/logvane/logvane.toml";

/** Our lab's log of the last days before October 5th. */
const LINES = gunzipSync(readFileSync("samples/quickstart.log.gz")).toString("utf8").split("\n");
const day = (n: number): number => LINES.findIndex((line) => line.startsWith(`Oct  ${n} `));

/** A machine's / with these files. */
function machine(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  const root = join(base, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const MAIN_CF = `myhostname = mx1.lindgaard.example
mydestination = $myhostname, localhost, lindgaard.example
virtual_mailbox_domains = hash:/etc/postfix/domains, mysql:/etc/postfix/domains.cf
`;
const POSTFIX = {
  "etc/postfix/main.cf": MAIN_CF,
  "etc/postfix/master.cf": "",
  "etc/postfix/domains": "# ours\nsilverhealth.example ok\n\nexample.com\tok\n",
};
const init = (root: string, ...flags: string[]): ReturnType<typeof logvane> =>
  logvane(["init", "--yes", "--timezone", "UTC", ...flags], {
    LOGVANE_ROOT: root,
    HOME: base,
    LOGVANE_CONFIG: "",
  });
const someLines = LINES.slice(-50).join("\n");

suite("logvane init", needs("postconf"), () => {
  test("finds log, Postfix and domains, learns from rotated logs too, and shows the last days", () => {
    const root = machine("debian", {
      ...POSTFIX,
      "var/log/mail.log": `${LINES.slice(day(3)).join("\n")}`,
      "var/log/mail.log.1": `${LINES.slice(day(2), day(3)).join("\n")}\n`,
      "var/log/mail.log.2.gz": gzipSync(
        `${LINES.slice(
          LINES.findIndex((l) => l.startsWith("Sep 29 ")),
          day(2),
        ).join("\n")}\n`,
      ),
      "var/log/mail.log.offset": "12345\n",
    });
    const { status, stdout, stderr } = init(root, "--mail-to", "ann@example.org", "--year", "2026");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^mail system {2}Postfix \d/);
    assert.match(stdout, /^name {9}mx1\.lindgaard\.example$/m);
    assert.match(stdout, /^domains {6}lindgaard\.example, silverhealth\.example, example\.com$/m);
    assert.match(stdout, /mysql:\/etc\/postfix\/domains\.cf can't be read here/);
    assert.match(stdout, /^log .*\/var\/log\/mail\.log \(Debian/m);
    assert.match(stdout, /learned from 3 files: model [0-9a-f]{12}: [56]\.\d days/);
    assert.match(stdout, /the last (day|3 days), had Logvane watched: \d+ alerts, \d+ held back/);
    assert.match(stdout, /next\n {2}logvane schedule install/);
    const file = join(root, CONFIG);
    assert.equal(statSync(file).mode & 0o777, ROOT ? 0o640 : 0o600);
    assert.equal(statSync(join(root, "var/lib/logvane")).mode & 0o777, 0o700);
    assert.equal(logvane(["config", "check", "--config", file]).status, 0);
    const { settings } = JSON.parse(logvane(["config", "show", "--config", file, "--json"]).stdout);
    const value = (key: string): unknown => settings.find((s: { key: string }) => s.key === key).value;
    assert.deepEqual(value("mail.to"), ["ann@example.org"]);
    assert.deepEqual(value("log.paths"), [join(root, "var/log/mail.log")]);
    const shown = logvane(["model", "list", "--state", join(root, "var/lib/logvane")]);
    assert.equal(shown.stdout.trim().split("\n").length, 1);
    assert.equal(value("retrain.prior"), true);
    const model = logvane(["model", "show", "--state", join(root, "var/lib/logvane")]).stdout;
    assert.match(model, /^reason +learned from the beginning, with the prior$/m);
    assert.match(model, /^prior +version 1: \d+ message shapes .*, until 2026-10-27/m);
  });

  test("leaves a configuration alone, and keeps each old one with --force", () => {
    const root = machine("again", { ...POSTFIX, "var/log/mail.log": someLines, [CONFIG]: "# mine\n" });
    const refused = init(root, "--no-train");
    assert.equal(refused.status, 78);
    assert.match(
      refused.stderr,
      /^error {3}there is a configuration already\nwhere .*logvane\.toml\neffect {2}nothing was changed\ndo .*--force/,
    );
    assert.equal(readFileSync(join(root, CONFIG), "utf8"), "# mine\n");
    assert.equal(init(root, "--no-train", "--force").status, 0);
    assert.equal(readFileSync(`${join(root, CONFIG)}.bak`, "utf8"), "# mine\n");
    assert.equal(init(root, "--no-train", "--force").status, 0);
    assert.deepEqual(readdirSync(join(root, "etc/logvane")).sort(), [
      "logvane.toml",
      "logvane.toml.bak",
      "logvane.toml.bak2",
    ]);
  });

  test("tells that a short log is no failure, and what to type once there is more", () => {
    const root = machine("short", { ...POSTFIX, "var/log/maillog": someLines });
    const { status, stdout, stderr } = init(root, "--year", "2026");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^log .*\/var\/log\/maillog \(RHEL/m);
    assert.match(stderr, /error {3}too little history/);
    assert.match(stdout, /nothing was learned yet.*\n\nnext\n {2}logvane train/);
  });

  test("takes the file that syslog's rules name, and none twice", () => {
    const root = machine("rules", {
      "etc/rsyslog.d/50-mail.conf": "mail.*  -/var/log/post/all.log\n",
      "var/log/post/all.log": someLines,
      "var/log/syslog": someLines,
    });
    const { stdout } = init(root, "--no-train");
    assert.match(stdout, /^mail system {2}none found$/m);
    assert.deepEqual(
      stdout.match(/^log .*$/gm)?.map((line) => line.replace(root, "")),
      ["log          /var/log/post/all.log (/etc/rsyslog.d/50-mail.conf)"],
    );
  });

  test("takes the log of everything where mail has none of its own", () => {
    const root = machine("busybox", { "var/log/messages": someLines, "var/log/mail.log": "" });
    assert.match(init(root, "--no-train").stdout, /^log .*\/var\/log\/messages \(the system's log\)$/m);
  });

  test("says that it found nothing, and writes a configuration to fill in", () => {
    const root = machine("bare", { "etc/hostname": "x\n" });
    const { status, stdout } = init(root);
    assert.equal(status, 0);
    assert.match(stdout, /log {10}none found; set log\.paths/);
    assert.match(stdout, /nothing was learned: there is no log/);
    const text = readFileSync(join(root, CONFIG), "utf8");
    assert.match(text, /^# \[mail\]$/m);
    assert.match(text, /^paths = \[\]$/m);
  });

  test(
    "as another user than root names the group that may read the log",
    { skip: ROOT ? false : "needs root" },
    () => {
      const root = machine("user", { ...POSTFIX, "var/log/mail.log": someLines, "home/x": "" });
      chmodSync(base, 0o755);
      chmodSync(join(root, "var/log/mail.log"), 0o640);
      chownSync(join(root, "var/log/mail.log"), 0, 4);
      for (const dir of ["home", "etc"]) chownSync(join(root, dir), 65_534, 65_534);
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ["bin/logvane.js", "init", "--yes", "--state", join(root, "home/state")],
        {
          encoding: "utf8",
          uid: 65_534,
          gid: 65_534,
          env: { PATH: process.env["PATH"] ?? "", HOME: join(root, "home"), LOGVANE_ROOT: root },
        },
      );
      assert.equal(status, 0, stderr);
      const group = readFileSync("/etc/group", "utf8").match(/^([^:]+):[^:]*:4:/m)?.[1];
      assert.match(
        stdout,
        new RegExp(`cannot read .*/var/log/mail\\.log: as root, type usermod -aG ${group} nobody`),
      );
      assert.match(stdout, /logvane schedule install --user/);
      assert.equal(statSync(join(root, CONFIG)).mode & 0o777, 0o600);
    },
  );

  test("asks on a terminal, and takes defaults for answers that don't fit", needs("script"), () => {
    const root = machine("asked", { ...POSTFIX, "var/log/mail.log": someLines });
    const command = `${process.execPath} bin/logvane.js init --no-train --timezone UTC`;
    const { status, stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
      encoding: "utf8",
      input: "not an address!\nann@example.org\nmany\n4\nno\n",
      env: { PATH: process.env["PATH"] ?? "", LOGVANE_ROOT: root, HOME: base, TERM: "dumb" },
      timeout: 60_000,
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /Who gets alerts and the daily report\?/);
    const text = readFileSync(join(root, CONFIG), "utf8");
    assert.match(text, /^to = \["ann@example\.org"\]$/m);
    assert.match(text, /^per_day = 4$/m);
    assert.match(text, /^prior = false$/m);
  });

  test("with a wrong address ends with 64 and writes nothing", () => {
    assertFault(["", ["init", "--mail-to", "a b"], 64, /no mail address/, /init/, /init --help/]);
    assert.equal(existsSync(join(base, "etc")), false);
  });
});

suite("rules of a syslog daemon", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "rsyslog of Debian",
      "*.*;auth,authpriv.none\t\t-/var/log/syslog\nmail.*\t\t\t\t-/var/log/mail.log\nmail.err /var/log/mail.err\n",
      ["/var/log/mail.log"],
    ],
    ["syslogd of FreeBSD", "mail.info\t\t\t\t\t/var/log/maillog\n", ["/var/log/maillog"]],
    [
      "rsyslog of RHEL",
      "*.info;mail.none;authpriv.none /var/log/messages\nmail.* -/var/log/maillog\n",
      ["/var/log/maillog"],
    ],
    [
      "a script of rsyslog",
      'if $syslogfacility-text == "mail" then action(type="omfile" file="/var/log/m.log")\n',
      ["/var/log/m.log"],
    ],
    ["syslog-ng", 'destination d_mail { file("/var/log/mail.log" perm(0640)); };\n', ["/var/log/mail.log"]],
    ["a comment", "# mail.* /var/log/mail.log\n", []],
    ["a terminal", "mail.* /dev/tty8\n", []],
  ];
  for (const [name, rules, paths] of cases)
    test(`of ${name} name ${paths.join(", ") || "no file"}`, () => assert.deepEqual(outputsIn(rules), paths));
});
