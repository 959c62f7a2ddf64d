import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadMaterial } from "../../src/cli/walker.ts";
import { compose } from "../../src/compose/compose.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { type Finished, printed, program } from "./support.ts";

/**
 * A timer asks each day whether normal is to be learned anew. The log of a small server ends now, since the answer goes by the system's
 * clock; its last three days are watched, and in them the heads of lines change.
 */

const DAYS = 7;
const WATCHED = 3;
const HOUR_MS = DAY_MS / 24;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const START = NOW - DAYS * DAY_MS;
const FLAGS = ["--timezone", "UTC"];

const root = mkdtempSync(join(tmpdir(), "logvane-due-"));
after(() => rmSync(root, { recursive: true, force: true }));
const state = join(root, "state");
/** Never by the week, so that the day on which the test runs changes nothing. */
const config = join(root, "logvane.toml");
/** older: with a head as RFC 3164 has it. */
let lines: { time: number; text: string; older: string }[];

const logvane = (...args: string[]): Promise<Finished> =>
  program("bin/logvane.js", [...args, ...FLAGS, "--config", config]);

/** The log, its heads of another form from a time on. */
function written(name: string, from: number): string {
  const file = join(root, name);
  writeFileSync(file, lines.map(({ time, text, older }) => `${time >= from ? older : text}\n`).join(""));
  return file;
}

/** A copy of the state that has watched the log. */
async function watched(name: string, log: string): Promise<string> {
  const dir = join(root, `${name}-state`);
  cpSync(state, dir, { recursive: true });
  const { status, stdout, stderr } = await logvane("detect", log, "--state", dir, "--format", "ndjson");
  assert.equal(status, 0, stderr);
  const told = printed(stdout).filter(({ kind }) => kind === "format_change");
  assert.equal(told.length, name === "calm" ? 0 : 1);
  return dir;
}

const asked = (log: string, dir: string): Promise<Finished> =>
  logvane("retrain", log, "--due", "--state", dir);

before(async () => {
  writeFileSync(config, '[retrain]\nat = "never"\n', { mode: 0o600 });
  const server = { name: "due", host: "mx", zone: "UTC", mailsPerDay: 80 };
  const plan = { seed: 4, start: new Date(START).toISOString(), days: DAYS };
  const composed = (header: "iso" | "rfc3164"): { time: number; text: string }[] =>
    [...compose({ ...plan, server: { ...server, header } }, loadMaterial())].flat();
  const [newer, older] = [composed("iso"), composed("rfc3164")];
  assert.equal(newer.length, older.length);
  lines = newer.map(({ time, text }, i) => ({ time, text, older: older[i]!.text }));
  const past = join(root, "past.log");
  const learned = lines.filter(({ time }) => time < NOW - WATCHED * DAY_MS);
  writeFileSync(past, learned.map(({ text }) => `${text}\n`).join(""));
  const { status, stderr } = await logvane("train", past, "--state", state);
  assert.equal(status, 0, stderr);
});

suite("a retraining that a timer asks for", () => {
  test("is not due while nothing has changed, nor a day after the log's form has", async () => {
    for (const [name, from] of [
      ["calm", Number.POSITIVE_INFINITY],
      ["young", NOW - DAY_MS],
    ] as const) {
      const log = written(name, from);
      const { status, stdout, stderr } = await asked(log, await watched(name, log));
      assert.deepEqual([status, stdout.toString("utf8"), stderr], [0, "", "not due; nothing was done\n"]);
    }
  });

  test("learns two days after the log's form has changed, once", async () => {
    const log = written("old", NOW - 2 * DAY_MS - 6 * HOUR_MS);
    const dir = await watched("old", log);
    const { status, stdout, stderr } = await asked(log, dir);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^due: since .+/m);
    assert.match(stdout.toString("utf8"), /^learned 7\.0 days, /);
    assert.match(stdout.toString("utf8"), /^model [0-9a-f]{12} (?:is in use now|stays in use)/m);
    const again = await asked(log, dir);
    assert.deepEqual([again.status, again.stderr], [0, "not due; nothing was done\n"]);
  });
});
