import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
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
import { cronLines } from "../../src/cli/schedule/cron.ts";
import { execWord, HEADER, type Plan } from "../../src/cli/schedule/units.ts";
import { readConfig } from "../../src/config/read.ts";
import { assertFault, logvane } from "../faults/support.ts";
import { needs } from "../support/need.ts";

const base = mkdtempSync(join(tmpdir(), "logvane-schedule-"));
after(() => rmSync(base, { recursive: true, force: true }));

const GROUP = "root:x:0:\nadm:x:4:\nsystemd-journal:x:999:\npostdrop:x:106:\nexim:x:107:\n";
const MAIL = '[mail]\nto = "root"\n';
const LOG = '[log]\npaths = ["/var/log/mail.log"]\ntimezone = "Europe/Berlin"\n';

/** A machine's / with systemd (or without), groups and a log. */
function machine(name: string, { systemd = true, logMode = 0o644 } = {}): string {
  const root = join(base, name);
  for (const dir of ["etc", "var/log", ...(systemd ? ["usr/lib/systemd"] : [])])
    mkdirSync(join(root, dir), { recursive: true });
  if (systemd) writeFileSync(join(root, "usr/lib/systemd/systemd"), "");
  writeFileSync(join(root, "etc/group"), GROUP);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
  writeFileSync(join(root, "var/log/mail.log"), "x\n");
  chmodSync(join(root, "var/log/mail.log"), logMode);
  return root;
}

function config(name: string, text: string): string {
  const path = join(base, `${name}.toml`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const plain = config("plain", LOG + MAIL);
const schedule = (verb: string, root: string, ...flags: string[]): ReturnType<typeof logvane> =>
  logvane(["schedule", verb, "--root", root, "--config", plain, ...flags]);
const unit = (root: string, name: string): string =>
  readFileSync(join(root, "etc/systemd/system", name), "utf8");
const setting = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map((m) => m[1]!);

suite("logvane schedule", () => {
  test("writes the units of a daemon and its timers, and prints what starts them", () => {
    const root = machine("plain");
    const { status, stdout, stderr } = schedule("install", root);
    assert.equal(status, 0, stderr);
    const service = unit(root, "logvane.service");
    assert.ok(service.startsWith(`${HEADER}\n`));
    assert.deepEqual(setting(service, "Type"), ["notify"]);
    assert.match(setting(service, "ExecStart")[0]!, / watch --config .*plain\.toml$/);
    assert.deepEqual(setting(service, "SupplementaryGroups"), ["adm systemd-journal postdrop"]);
    assert.deepEqual(setting(service, "PrivateNetwork"), ["yes"]);
    assert.deepEqual(setting(service, "StateDirectoryMode"), ["0700"]);
    assert.deepEqual(setting(service, "Environment"), [
      "MALLOC_ARENA_MAX=1",
      "MALLOC_TRIM_THRESHOLD_=1048576",
    ]);
    assert.deepEqual(setting(unit(root, "logvane-report.timer"), "OnCalendar"), [
      "*-*-* 06:30:00 Europe/Berlin",
    ]);
    assert.deepEqual(setting(unit(root, "logvane-retrain.timer"), "OnCalendar"), [
      "*-*-* 03:30:00 Europe/Berlin",
    ]);
    assert.deepEqual(setting(unit(root, "logvane-report.timer"), "Persistent"), ["true"]);
    assert.match(
      readFileSync(join(root, "etc/sysusers.d/logvane.conf"), "utf8"),
      /^u logvane - "Logvane" \/var\/lib\/logvane$/m,
    );
    assert.match(stdout, /systemd does not run here; on that machine, type:\n {2}systemd-sysusers/);
    assert.match(
      stdout,
      / {2}systemctl enable logvane\.service logvane-report\.timer logvane-retrain\.timer\n/,
    );
  });

  test("is the same when done twice, and shows what differs", () => {
    const root = machine("twice");
    schedule("install", root);
    const before = unit(root, "logvane.service");
    assert.equal(schedule("install", root).status, 0);
    assert.equal(unit(root, "logvane.service"), before);
    writeFileSync(join(root, "etc/systemd/system/logvane.service"), `${before}# more\n`);
    const { files } = JSON.parse(schedule("show", root, "--json").stdout);
    const current = Object.fromEntries(
      files.map((f: { path: string; current: boolean }) => [f.path.split("/").at(-1), f.current]),
    );
    assert.equal(current["logvane.service"], false);
    assert.equal(current["logvane-report.timer"], true);
  });

  test("removes exactly what it wrote", () => {
    const root = machine("remove");
    const list = (): string[] =>
      readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((f) => statSync(join(root, f)).isFile())
        .sort();
    const before = list();
    schedule("install", root);
    mkdirSync(join(root, "etc/cron.d"), { recursive: true });
    writeFileSync(join(root, "etc/cron.d/logvane"), "# somebody's own\n");
    assert.match(
      schedule("remove", root, "--dry-run").stdout,
      /would remove \/etc\/systemd\/system\/logvane\.service/,
    );
    assert.equal(schedule("remove", root).status, 0);
    assert.deepEqual(list(), [...before, "etc/cron.d/logvane"].sort());
    assert.match(schedule("remove", root).stdout, /Nothing of ours/);
    assert.match(schedule("show", root).stdout, /\/etc\/cron\.d\/logvane {3}not written by Logvane/);
  });

  test("with --daily installs no daemon, and takes an earlier one away", () => {
    const root = machine("daily");
    schedule("install", root);
    assert.equal(schedule("install", root, "--daily").status, 0);
    assert.equal(existsSync(join(root, "etc/systemd/system/logvane.service")), false);
    const [first, second] = setting(unit(root, "logvane-report.service"), "ExecStart");
    assert.match(first!, /^-.* detect --quiet --config /);
    assert.match(second!, / report --date yesterday --send --quiet --config /);
  });

  test("with --dry-run prints the files and writes none", () => {
    const root = machine("dry");
    const { status, stdout } = schedule("install", root, "--dry-run");
    assert.equal(status, 0);
    assert.match(stdout, /^# ---- \/etc\/systemd\/system\/logvane\.service$/m);
    assert.equal(existsSync(join(root, "etc/systemd")), false);
  });

  test("gives the network only where something needs it, and room to write only there", () => {
    const root = machine("network");
    const more = config(
      "network",
      `${LOG}${MAIL}via = "smtp"\nhost = "smtp.example.org"\n[metrics]\ntextfile = "/var/lib/node exporter/l.prom"\n[retrain]\nat = "never"\n`,
    );
    assert.equal(logvane(["schedule", "install", "--root", root, "--config", more]).status, 0);
    const service = unit(root, "logvane.service");
    assert.deepEqual(setting(service, "PrivateNetwork"), []);
    assert.deepEqual(setting(service, "RestrictAddressFamilies"), ["AF_UNIX AF_INET AF_INET6 AF_NETLINK"]);
    assert.deepEqual(setting(service, "ReadWritePaths"), ['"-/var/lib/node exporter"']);
    assert.deepEqual(setting(service, "SupplementaryGroups"), ["adm systemd-journal"]);
    assert.equal(existsSync(join(root, "etc/systemd/system/logvane-retrain.timer")), false);
  });

  test("lets the service read a log that only root reads by a capability, and says so", () => {
    const root = machine("closed", { logMode: 0o600 });
    const { stderr } = schedule("install", root);
    assert.match(stderr, /only root reads \/var\/log\/mail\.log.*CAP_DAC_READ_SEARCH/);
    assert.deepEqual(setting(unit(root, "logvane.service"), "AmbientCapabilities"), ["CAP_DAC_READ_SEARCH"]);
  });

  test("says which secret the service can't read", () => {
    const root = machine("secret");
    const secret = join(base, "token");
    writeFileSync(secret, "geheim", { mode: 0o600 });
    mkdirSync(join(root, base), { recursive: true });
    writeFileSync(join(root, secret), "geheim", { mode: 0o600 });
    const hook = config(
      "hook",
      `${LOG}[[channel]]\nname = "c"\ntype = "webhook"\nurl = "https://x.example/"\ntoken_file = "${secret}"\n`,
    );
    const { stderr } = logvane(["schedule", "install", "--root", root, "--config", hook]);
    assert.match(stderr, /logvane can't read .*token: chown logvane/);
    writeFileSync(join(root, "etc/passwd"), `logvane:x:${statSync(secret).uid}:0::/:/bin/false\n`);
    assert.doesNotMatch(
      logvane(["schedule", "install", "--root", root, "--config", hook]).stderr,
      /can't read/,
    );
  });

  test("writes a cron file where there is no systemd", () => {
    const root = machine("cron", { systemd: false });
    assert.equal(schedule("install", root).status, 0);
    const lines = readFileSync(join(root, "etc/cron.d/logvane"), "utf8").trim().split("\n");
    assert.equal(lines[0], HEADER);
    const jobs = lines
      .filter((line) => /^\d/.test(line))
      .map((line) => /^(\S+ \S+ \S+ \S+ \S+) (\S+) (.*)$/.exec(line)!.slice(1));
    assert.deepEqual(
      jobs.map(([when, user]) => [when, user]),
      [
        ["30 6 * * *", "root"],
        ["30 3 * * *", "root"],
      ],
    );
    assert.match(jobs[0]![2]!, /^flock -n \/var\/lib\/logvane\/daily\.lock nice /);
    assert.equal(schedule("remove", root).status, 0);
    assert.equal(existsSync(join(root, "etc/cron.d/logvane")), false);
  });

  test("for one's own account writes units below its folder, without a user or groups", () => {
    const root = machine("user");
    const { stdout } = logvane(["schedule", "install", "--user", "--root", root, "--config", plain], {
      HOME: "/home/ann",
    });
    const service = readFileSync(join(root, "home/ann/.config/systemd/user/logvane.service"), "utf8");
    assert.deepEqual(setting(service, "User"), []);
    assert.deepEqual(setting(service, "WantedBy"), ["default.target"]);
    assert.match(stdout, /systemctl --user enable/);
  });

  test("leaves no half-written file where a folder can't be written", () => {
    const root = machine("torn");
    writeFileSync(join(root, "etc/systemd"), "a file where a folder should be");
    const { status, stderr } = schedule("install", root);
    assert.equal(status, 74);
    assert.match(stderr, /^error {3}cannot (read|write) the file \(E/);
  });
});

suite("units that systemd reads", needs("systemd-analyze"), () => {
  const exposure = (file: string): number => {
    const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=yes", "--no-pager", file], {
      encoding: "utf8",
    });
    return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  };
  const networked = config(
    "exposed",
    `${LOG}${MAIL}via = "smtp"\nhost = "smtp.example.org"\n[metrics]\nlisten = "127.0.0.1:9469"\n[[channel]]\nname = "p"\ntype = "command"\ncommand = ["/bin/true"]\n`,
  );
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["with mail by sendmail", plain, 0o644, 1],
    ["with network, a program of the operator, and a log that only root reads", networked, 0o600, 2],
  ];
  for (const [name, file, logMode, most] of cases) {
    const root = machine(name.replaceAll(" ", "-"), { logMode });
    logvane(["schedule", "install", "--root", root, "--config", file]);
    const folder = join(root, "etc/systemd/system");
    for (const service of ["logvane.service", "logvane-report.service", "logvane-retrain.service"])
      test(`${service} ${name} has an exposure of at most ${most}`, () => {
        const found = exposure(join(folder, service));
        assert.ok(found <= most, `${service}: ${found}`);
      });
    test(`${name} have no mistake`, () => {
      const { status, stdout, stderr } = spawnSync(
        "systemd-analyze",
        [
          "verify",
          ...readdirSync(folder)
            .filter((f) => !f.endsWith(".wants"))
            .map((f) => join(folder, f)),
        ],
        { encoding: "utf8" },
      );
      assert.deepEqual([status, stdout + stderr], [0, ""]);
    });
  }
  test("timers' calendars are understood, with their zone", () => {
    const { status, stdout } = spawnSync(
      "systemd-analyze",
      ["calendar", "Sun *-*-* 03:30:00 Europe/Berlin"],
      { encoding: "utf8" },
    );
    assert.equal(status, 0);
    assert.match(stdout, /Next elapse: Sun/);
  });
});

suite("words of a command line", () => {
  const hostile = `/opt/it's 100% "a" $HOME \`x\`;y`;
  test("reach the program through cron, flock and two shells as they are", needs("flock"), () => {
    const script = join(base, "say.mjs");
    writeFileSync(script, "console.log(JSON.stringify(process.argv.slice(2)))");
    const { config: settings } = readConfig("", undefined, {
      hostName: "x",
      timezone: "UTC",
      modeOf: () => "unknown",
    });
    const plan: Plan = {
      config: settings,
      command: [process.execPath, script],
      configPath: hostile,
      scope: "system",
      mode: "daily",
      user: "root",
      access: { groups: [], closed: [] },
      postdrop: false,
      stateDir: base,
      ownState: false,
    };
    const [daily] = cronLines(plan, "");
    // cron gives sh what follows the five fields, with \\% made %.
    const command = daily!.replace(/^(\S+ ){5}/, "").replaceAll("\\%", "%");
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    assert.deepEqual(
      JSON.parse(stdout || "[]"),
      ["report", "--date", "yesterday", "--send", "--config", hostile, "--state", base, "--quiet"],
      stderr,
    );
  });
  test("are quoted for systemd, with its own signs doubled", () => {
    assert.equal(execWord("/usr/bin/node"), "/usr/bin/node");
    assert.equal(execWord(`/a b/"c" 100% $x \\`), `"/a b/\\"c\\" 100%% $$x \\\\"`);
  });
});

suite("a mistake with schedule", () => {
  test("no verb and an unknown one end with 64", () => {
    assertFault(["", ["schedule"], 64, /no verb/, /second word/, /schedule install/]);
    assertFault(["", ["schedule", "fly"], 64, /schedule fly/, /second word/, /schedule show/]);
    assertFault(["", ["schedule", "install", "--run-as", "a b"], 64, /no account/, /run-as/, /--help/]);
  });
  test("a path with a line end, which would be a line of its own in a unit, ends with 64", () => {
    const path = config("a\nExecStart=x", LOG);
    assertFault([
      "",
      ["schedule", "install", "--root", machine("lines"), "--config", path],
      64,
      /control character/,
      /x0aExecStart/,
      /plain name/,
    ]);
  });
  test("a foreign file of the name is not touched", () => {
    const root = machine("foreign");
    mkdirSync(join(root, "etc/systemd/system"), { recursive: true });
    const file = join(root, "etc/systemd/system/logvane.service");
    writeFileSync(file, "[Service]\nExecStart=/bin/true\n");
    const { status, stderr } = schedule("install", root);
    assert.equal(status, 78);
    assert.match(
      stderr,
      /^error {3}there is such a file already.*\nwhere {3}\/etc\/systemd\/system\/logvane\.service\neffect {2}nothing/,
    );
    assert.equal(readFileSync(file, "utf8"), "[Service]\nExecStart=/bin/true\n");
    assert.deepEqual(readdirSync(join(root, "etc/systemd/system")), ["logvane.service"]);
  });
});
