import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Finished, program, SAMPLE } from "./support.ts";

/** Six days of the bundled log before its first fault: five are learned, and faults are put into the last one. */

type PutIn = {
  kind: string;
  lines: number;
  result: string;
  minutes: number | null;
  alert: { title: string };
};

const root = mkdtempSync(join(tmpdir(), "logvane-drill-"));
after(() => rmSync(root, { recursive: true, force: true }));
const log = join(root, "mail.log");
const state = join(root, "state");
const flags = ["--timezone", "UTC", "--year", "2026", "--state", state, "--quiet"];
const KINDS = ["sasl_bruteforce_fast", "compromised_account", "log_silence"];
const drill = (...more: string[]): Promise<Finished> =>
  program("bin/logvane.js", [
    ...["drill", log, ...flags, "--days", "1"],
    ...KINDS.flatMap((kind) => ["--kind", kind]),
    ...more,
  ]);
/** Every file of the state, with its bytes. */
const stateOf = (): unknown => readdirSync(state).map((name) => [name, readFileSync(join(state, name))]);

let first: Finished;
let again: Finished;
let text: Finished;
let untouched: boolean;
before(async () => {
  const lines = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n");
  const day = (name: string): number => lines.findIndex((line) => line.startsWith(name));
  const past = lines.slice(day("Sep 20 "), day("Sep 25 "));
  writeFileSync(log, `${past.join("\n")}\n`);
  const trained = await program("bin/logvane.js", ["train", log, ...flags]);
  assert.equal(trained.status, 0, trained.stderr);
  writeFileSync(log, `${lines.slice(day("Sep 20 "), day("Sep 26 ")).join("\n")}\n`);
  const found = stateOf();
  [first, again] = (await Promise.all([1, 2].map(() => drill("--json", "--seed", "2")))) as [
    Finished,
    Finished,
  ];
  text = await drill();
  assert.deepEqual(stateOf(), found);
  untouched = true;
});

suite("a drill on the bundled log", () => {
  test("catches what is put in, says after how long, and names it", () => {
    assert.equal(first.status, 0, first.stderr);
    const told = JSON.parse(first.stdout.toString("utf8")) as { put_in: PutIn[]; own_alerts: unknown[] };
    assert.deepEqual(told.put_in.map(({ kind }) => kind).sort(), [...KINDS].sort());
    for (const { kind, lines, result, minutes, alert } of told.put_in) {
      assert.equal(result, "caught", kind);
      assert.ok(minutes! >= 0 && minutes! <= 110, `${kind} after ${minutes} minutes`);
      assert.equal(lines > 0, kind !== "log_silence");
      assert.notEqual(alert.title, "");
    }
    assert.ok(told.own_alerts.length <= 2);
  });
  test("names the stolen account as the server calls its people", () => {
    const told = JSON.parse(first.stdout.toString("utf8")) as { put_in: PutIn[] };
    const { title } = told.put_in.find(({ kind }) => kind === "compromised_account")!.alert;
    const name = /[\w.]+@lindgaard\.example/.exec(title)?.[0];
    assert.ok(name !== undefined && readFileSync(log, "utf8").includes(`user=<${name}>`), title);
  });
  test("is the same for the same seed, and another for another", () => {
    assert.deepEqual(again.stdout, first.stdout);
    assert.equal(text.status, 0, text.stderr);
    const told = JSON.parse(first.stdout.toString("utf8")) as { put_in: (PutIn & { start: string })[] };
    const starts = told.put_in.map(({ start }) => start.slice(0, 16).replace("T", " "));
    const shown = text.stdout.toString("utf8");
    assert.match(shown, /^\d of 3 caught/m);
    assert.match(shown, /^Feedback and calendar were not applied\.$/m);
    assert.ok(!starts.every((start) => shown.includes(start)));
  });
  test("leaves every byte of the state as it was", () => assert.ok(untouched));
});
