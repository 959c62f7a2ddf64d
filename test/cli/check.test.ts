import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openDatabase } from "../../src/store/db.ts";
import { logvane } from "../faults/support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-check-"));
after(() => rmSync(root, { recursive: true, force: true }));
const empty = join(root, "empty.toml");
writeFileSync(empty, "", { mode: 0o600 });

const MIN_MS = 60_000;
const DAY_MS = 1440 * MIN_MS;

/** A state as a daemon leaves it. Ages in ms; undefined: never. */
function state(
  name: string,
  more: { alive?: number; line?: number; waiting?: number; lost?: number; title?: string },
): string {
  const dir = join(root, name);
  const db = openDatabase(dir);
  const now = Date.now();
  const mark = db.prepare("INSERT INTO marks (name, value) VALUES (?, ?)");
  if (more.alive !== undefined) mark.run("watch.alive", new Date(now - more.alive).toISOString());
  if (more.line !== undefined) mark.run("watch.last_line", new Date(now - more.line).toISOString());
  db.prepare(
    "INSERT INTO models (id, created_at, header, blob, checksum, champion) VALUES ('m', ?, '{}', x'00', '', 1)",
  ).run(now - DAY_MS);
  db.prepare("INSERT INTO days (day, record) VALUES ('2026-11-28', ?)").run(
    JSON.stringify({ lost: more.lost ?? 0 }),
  );
  if (more.waiting !== undefined)
    db.prepare(
      "INSERT INTO outbox (key, channel, created_at, payload, next_at) VALUES ('k', 'mail', ?, '{}', 0)",
    ).run(now - more.waiting);
  if (more.title !== undefined)
    db.prepare("INSERT INTO alerts (id, opened_at, record) VALUES ('abc', ?, ?)").run(
      now - MIN_MS,
      JSON.stringify({ id: "abc", title: more.title, severity: "critical", closed_at: null, held: false }),
    );
  db.close();
  return dir;
}

const check = (dir: string, ...flags: string[]): ReturnType<typeof logvane> =>
  logvane(["check", "--config", empty, "--state", dir, ...flags]);

suite("logvane check", () => {
  test("is OK with one line and figures while all is well", () => {
    const { status, stdout, stderr } = check(state("well", { alive: 5000, line: 9000 }));
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(
      stdout,
      /^LOGVANE OK - daemon seen \d+ s ago; last line \d+ s ago; [^|\n]* \| alive=\d+s;120;300;0 line=\d+s;3600;21600;0 lost=0;0;;0 waiting=0s;;;0 given_up=0;0;;0 model=\d+s;1814400;7776000;0 critical_alerts=0;;;0\n$/,
    );
  });

  test("warns and is critical by age, and tells only what is wrong", () => {
    const slow = check(state("slow", { alive: 3 * MIN_MS, line: 5000 }));
    assert.equal(slow.status, 1);
    assert.match(slow.stdout, /^LOGVANE WARNING - daemon seen 3 min ago \|/);
    const dead = check(state("dead", { alive: 20 * MIN_MS, line: 20 * MIN_MS }));
    assert.equal(dead.status, 2);
    assert.match(dead.stdout, /^LOGVANE CRITICAL - daemon seen 20 min ago \|/);
    assert.equal(check(join(root, "dead"), "--alive-warning", "1h", "--alive-critical", "2h").status, 0);
    assert.match(check(state("never", {})).stdout, /^LOGVANE CRITICAL - the daemon has never run/);
    assert.equal(check(join(root, "never"), "--no-daemon").status, 0);
  });

  test("tells of lost lines and of what waits too long", () => {
    const lost = check(state("lost", { alive: 0, lost: 7 }));
    assert.equal(lost.status, 1);
    assert.match(lost.stdout, /WARNING - 7 lines lost \|.* lost=7;0;;0/);
    const waits = check(state("waits", { alive: 0, waiting: 7 * 60 * MIN_MS }));
    assert.equal(waits.status, 2);
    assert.match(waits.stdout, /1 notifications wait, the first for 7 h/);
  });

  test("names an open critical alert, whose title can forge neither figures nor lines", () => {
    const dir = state("alert", { alive: 0, title: "Disk | alive=0s\nLOGVANE OK\u001b[2J" });
    const { status, stdout } = check(dir);
    assert.equal(status, 2);
    assert.equal(stdout.split("|").length, 2);
    assert.equal(stdout.split("\n").length, 2);
    assert.match(
      stdout,
      /1 critical alerts open: Disk \/ alive=0s\\x0aLOGVANE OK\\x1b\[2J \(logvane explain abc\)/,
    );
    assert.equal(check(dir, "--alerts", "warning").status, 1);
    assert.equal(check(dir, "--alerts", "ignore").status, 0);
  });

  test("is UNKNOWN, in one line, without a state and with a wrong configuration", () => {
    const none = check(join(root, "none"));
    assert.deepEqual([none.status, none.stderr], [3, ""]);
    assert.match(none.stdout, /^LOGVANE UNKNOWN - no state in .*\n$/);
    const wrong = join(root, "wrong.toml");
    writeFileSync(wrong, "x = 1\n", { mode: 0o600 });
    const { status, stdout, stderr } = logvane(["check", "--config", wrong, "--state", join(root, "well")]);
    assert.deepEqual([status, stderr, stdout.split("\n").length], [3, "", 2]);
    assert.match(stdout, /^LOGVANE UNKNOWN - the configuration has a mistake/);
  });

  test("as JSON has every check", () => {
    const { checks, status } = JSON.parse(check(join(root, "well"), "--json").stdout);
    assert.equal(status, "OK");
    assert.deepEqual(
      checks.map((c: { name: string }) => c.name),
      ["alive", "line", "lost", "waiting", "given_up", "model", "critical_alerts"],
    );
  });

  test("--send-test sends by every channel, and says what does not arrive", () => {
    const two = join(root, "two.toml");
    const told = join(root, "told.ndjson");
    const good = `[[channel]]\nname = "log"\ntype = "file"\npath = "${told}"\n`;
    writeFileSync(two, good, { mode: 0o600 });
    const dir = state("test", { alive: 0 });
    const ask = (): ReturnType<typeof logvane> =>
      logvane(["check", "--config", two, "--state", dir, "--send-test"]);
    const sent = ask();
    assert.equal(sent.status, 0, sent.stdout);
    assert.equal(JSON.parse(readFileSync(told, "utf8")).type, "test");
    // Nobody listens on port 1.
    writeFileSync(two, `${good}[[channel]]\nname = "hook"\ntype = "webhook"\nurl = "http://127.0.0.1:1/"\n`);
    const waiting = ask();
    assert.equal(waiting.status, 1, waiting.stdout);
    assert.match(waiting.stdout, /a test was sent, 1 notifications still wait/);
    assert.equal(readFileSync(told, "utf8").trim().split("\n").length, 2);
    assert.equal(check(dir, "--send-test").status, 1); // the empty configuration has no channel
  });

  test("a threshold that is no age ends with 64", () => {
    const { status, stderr } = check(root, "--alive-warning", "soon");
    assert.equal(status, 64);
    assert.match(stderr, /no age/);
  });
});
