import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
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
import { gunzipSync } from "node:zlib";
import { loadKernels } from "../../src/cli/kernels.ts";
import { accountMark } from "../../src/feature/entity.ts";
import type { Learned } from "../../src/pipeline/model.ts";
import { loadChampion } from "../../src/store/champion.ts";
import { lockFolder } from "../../src/store/db.ts";
import { storeOf } from "../../src/store/queries.ts";
import { planned } from "../detect/support.ts";
import { alertIds, withState } from "../store/backup-support.ts";

/** Our own lab log, four weeks; three of them are the past. */
const SAMPLE = "samples/quickstart.log.gz";
const UNTIL = "Sep 28 ";
/** Stolen in the last week. */
const ACCOUNT = "xenia.grande@lindgaard.example";
const { id: _, ...PLAN } = planned({ minutes: 1, entities: [ACCOUNT] });
const LOG_IN =
  "Oct  5 00:30:00 mx1 dovecot: imap-login: Login: user=<nobody@lindgaard.example>, method=PLAIN, rip=198.51.100.9, lip=192.0.2.1, mpid=77, TLS, session=<aaaaaaaaaaaa>";

const dir = mkdtempSync(join(tmpdir(), "logvane-train-"));
const state = join(dir, "state");
const flags = ["--timezone", "UTC", "--year", "2026", "--state", state, "--quiet"];
const logvane = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ["bin/logvane.js", ...args], { encoding: "utf8", maxBuffer: 1 << 26 });

const learned = (): Learned =>
  withState(state, (db) => loadChampion(storeOf(db, ""), state, loadKernels(), ""));

/** Where the account's name stands: files of the folder, as they are, and what is packed in the database. */
function holders(folder: string): string[] {
  const names = (bytes: Uint8Array): boolean =>
    ["latin1", "utf16le"].some((form) =>
      Buffer.from(bytes)
        .toString(form as BufferEncoding)
        .toLowerCase()
        .includes(ACCOUNT),
    );
  const files = readdirSync(folder).filter((file) => names(readFileSync(join(folder, file))));
  return withState(folder, (db) => {
    const rows = ["models", "warm_states", "checkpoint"].flatMap((table) =>
      (db.prepare(`SELECT blob FROM ${table}`).all() as { blob: Uint8Array }[]).map(({ blob }) => ({
        table,
        blob,
      })),
    );
    const packed = rows.filter(({ blob }) => names(gunzipSync(blob))).map(({ table }) => table);
    const all = [
      "alerts.record",
      "outbox.payload",
      "new_templates.text",
      "models.header",
      "feedback.about",
      "feedback.note",
      "calendar.record",
    ].filter((place) => {
      const [table, column] = place.split(".");
      const cells = db.prepare(`SELECT ${column} AS text FROM ${table}`).all() as { text: string }[];
      return cells.some(({ text }) => text.toLowerCase().includes(ACCOUNT));
    });
    return [...files, ...packed, ...all];
  });
}

suite("a model that is kept", () => {
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("is asked for by name when there is none", () => {
    const { status, stderr } = logvane("detect", SAMPLE, "--state", join(dir, "none"));
    assert.equal(status, 78);
    assert.match(stderr, /^error {3}there is no model yet\nwhere .*\neffect .*\ndo {6}learn one first/);
  });

  test("finds the faults of the week after it, and explain tells of each", () => {
    const lines = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n");
    const past = join(dir, "past.log");
    writeFileSync(
      past,
      `${lines
        .slice(
          0,
          lines.findIndex((l) => l.startsWith(UNTIL)),
        )
        .join("\n")}\n`,
    );
    const trained = logvane("train", past, ...flags);
    assert.equal(trained.status, 0, trained.stderr);
    assert.match(trained.stdout, /^model [0-9a-f]{12}: 2[01]\.\d days/);
    assert.equal(statSync(join(state, "logvane.db")).mode & 0o777, 0o600);
    const found = logvane("detect", SAMPLE, ...flags, "--format", "ndjson");
    assert.equal(found.status, 0, found.stderr);
    const alerts = found.stdout
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l) as { id: string; kind: string; title: string });
    const kinds = new Set(alerts.map((a) => a.kind));
    for (const kind of ["bruteforce", "dns_failure", "account_compromised", "log_silence"])
      assert.ok(kinds.has(kind), kind);
    assert.ok(alerts.length <= 8, `${alerts.length} alerts in a week`);
    const loud = logvane("detect", SAMPLE, ...flags.filter((f) => f !== "--quiet"), "--format", "ndjson");
    assert.equal(loud.stdout, found.stdout);
    const ledger =
      /^(\d+) alerts, \d+ held back by the budget; 98204 lines read, (\d+) of them watched \(0 not understood, 0 without a readable time, 0 duplicates left out\)\n(\d+) lines from before the model's end were left out$/m.exec(
        loud.stderr,
      );
    const [counted, watched, before] = ledger!.slice(1).map(Number);
    assert.equal(counted, alerts.length);
    assert.equal(watched! + before!, 98_204);
    assert.equal(
      before,
      lines.findIndex((l) => l.startsWith(UNTIL)), // each line is learned or watched, none is both
    );
    const told = logvane("explain", alerts[0]!.id, "--state", state, "--json");
    assert.equal((JSON.parse(told.stdout) as { title: string }).title, alerts[0]!.title);
  });

  test("forgets nothing while somebody watches, and says so where the file can't be written anew", () => {
    const lock = lockFolder(state)!;
    const refused = logvane("forget", "nobody", "--state", state);
    lock.close();
    assert.equal(refused.status, 75);
    assert.match(refused.stderr, /^error {3}another logvane watches with this state\n/);
    withState(state, (db) => {
      db.exec("BEGIN; SELECT * FROM alerts"); // a reader that stays
      const half = logvane("forget", "nobody", "--state", state);
      assert.equal(half.status, 75, half.stderr);
      assert.match(half.stderr, /^error {3}the names are removed, but the file could not be written anew/);
    });
  });

  test("forgets an account everywhere, and goes on", () => {
    const log = join(dir, "mail.log");
    const config = join(dir, "logvane.toml");
    writeFileSync(log, gunzipSync(readFileSync(SAMPLE)));
    writeFileSync(config, `[log]\npaths = ["${log}"]\ntimezone = "UTC"\n`);
    const watched = logvane("detect", "--config", config, "--state", state, "--quiet"); // leaves a checkpoint
    assert.equal(watched.status, 0, watched.stderr);
    withState(state, (db) => {
      const payload = { type: "test", text: `of <${ACCOUNT.toUpperCase()}>`, kind: "x" };
      storeOf(db, "").outbox.enqueue("alert x", JSON.stringify(payload), ["mail"], 1);
      db.prepare("INSERT INTO new_templates VALUES ('t', ?, 5, 1)").run(`smtpd: mail of ${ACCOUNT} failed`);
      db.prepare("INSERT INTO calendar (record) VALUES (?)").run(JSON.stringify(PLAN));
    });
    const stolen = alertIds(state).find((id) =>
      logvane("explain", id, "--state", state).stdout.includes(ACCOUNT),
    )!;
    const said = logvane("feedback", stolen, "incident", "--note", `asked ${ACCOUNT}`, "--state", state);
    assert.equal(said.status, 0, said.stderr);
    const before = alertIds(state);
    const known = learned();
    assert.ok(holders(state).length >= 5, `${holders(state)}`);

    const dry = logvane("forget", ACCOUNT, "--dry-run", "--state", state, "--json");
    const done = logvane("forget", ACCOUNT, "--state", state, "--json");
    assert.equal(done.status, 0, done.stderr);
    const counts = JSON.parse(done.stdout) as Record<string, unknown>;
    assert.deepEqual(
      { ...(JSON.parse(dry.stdout) as object), dry_run: false, models: [] },
      { ...counts, models: [] },
    );
    assert.ok(Number(counts["alerts"]) >= 2 && Number(counts["model_pairs"]) > 0, done.stdout);
    assert.deepEqual([counts["notifications"], counts["new_templates"]], [1, 1]);
    assert.deepEqual([counts["rules"], counts["running_detector"]], [3, true]);
    assert.deepEqual(holders(state), []);
    assert.deepEqual(alertIds(state), before);

    const now = learned();
    const mark = accountMark(now.model.entity.salt, ACCOUNT);
    const rest = known.pairs.used.filter((pair) => !pair.startsWith(mark));
    assert.ok(rest.length < known.pairs.used.length);
    assert.deepEqual(now.pairs.used, rest);

    appendFileSync(log, `${LOG_IN}\n`);
    const next = logvane("detect", "--config", config, "--state", state);
    assert.match(next.stderr, /^0 alerts; 1 lines were new$/m);
    assert.doesNotMatch(next.stderr, /reads again/);
    assert.match(
      logvane("forget", "nobody@example.org", "--state", state).stdout,
      /^nothing that is kept names/,
    );
  });
});
