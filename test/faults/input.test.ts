import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import type { Fault } from "../../src/fault.ts";
import { openInputs, readInputs } from "../../src/source/files.ts";
import { assertFault, type FaultCase, logvane } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-input-"));
after(() => rmSync(root, { recursive: true, force: true }));

function made(name: string, content: string | Uint8Array, mode = 0o644): string {
  const file = join(root, name);
  writeFileSync(file, content, { mode });
  return file;
}

/** A folder with one file that is no log by its name. */
const folder = join(root, "folder");
mkdirSync(folder);
writeFileSync(join(folder, "notes.txt"), "nothing\n");
/** Two connections on September 7 and one on the 8th, 12 hours and 36 hours after the first. */
const LINES = ["Sep  7 00:00:00", "Sep  7 12:00:00", "Sep  8 12:00:00"]
  .map((stamp) => `${stamp} mx1 postfix/smtpd[7]: connect from unknown[192.0.2.9]\n`)
  .join("");
const log = made("mail.log", LINES);
const sample = readFileSync("samples/quickstart.log.gz");
const half = made("half.log.gz", sample.subarray(0, 50_000));
const access = made("access.log", '192.0.2.9 - - "GET / HTTP/1.1" 200 1\n'.repeat(3));
const image = made(
  "image",
  Uint8Array.from({ length: 4096 }, (_, i) => (i * 7) % 256),
);

const backtest = (file: string, until: string, ...more: string[]): string[] => [
  ...["backtest", file, "--timezone", "UTC", "--year", "2026"],
  ...(until === "" ? [] : ["--train-until", until]),
  ...more,
];
const NOON = "2026-09-08T12:00:00Z";
const flags = (...more: string[]): string[] => backtest(log, NOON, ...more);

const CASES: readonly FaultCase[] = [
  [
    "no such file",
    backtest(join(root, "none.log"), NOON),
    66,
    /no such file: .*none\.log \(ENOENT\)/,
    /FILE/,
    /check the path/,
  ],
  [
    "a folder without logs",
    backtest(folder, NOON),
    66,
    /no log in the folder/,
    /1 files/,
    /name the log files/,
  ],
  [
    "a glob without files",
    backtest(join(root, "*.zip"), NOON),
    66,
    /no file matches/,
    /FILE/,
    /check the path/,
  ],
  ["an empty file", backtest(made("empty.log", ""), NOON), 66, /is empty/, /FILE/, /mail\.log\.1/],
  ["a binary file", backtest(image, NOON), 65, /not a text log/, /first bytes/, /name a text log/],
  [
    "a truncated gz file",
    backtest(half, NOON),
    65,
    /half\.log\.gz/,
    /after line \d{3,}/,
    /copy the file again/,
  ],
  ["a log of another kind", backtest(access, NOON), 65, /none of 3 lines has a time/, /files/, /mail server/],
  [
    "a log of another kind, with --since",
    backtest(access, "", "--since", "7d"),
    65,
    /no line has a time/,
    /access/,
    /mail server/,
  ],
  [
    "no line before the end of training",
    backtest(log, "2026-09-01"),
    65,
    /no line lies before/,
    /2026-09-01T/,
    /later time/,
  ],
  [
    "no line after the end of training",
    backtest(log, "2026-10-01"),
    65,
    /no line lies after/,
    /last line 2026-09-08T12/,
    /earlier time/,
  ],
  [
    "too little history",
    backtest(log, "2026-09-07T12:00:00Z"),
    65,
    /0\.5 days before/,
    /first line 2026-09-07T00/,
    /older \(rotated\)/,
  ],
  [
    "a journal that is not there",
    backtest(`journal:${join(root, "none")}`, NOON),
    66,
    /no such file/,
    /FILE/,
    /check the path/,
  ],
  ["neither of the times", backtest(log, ""), 64, /either/, /--train-until/, /--since 7d/],
  ["both of the times", flags("--since", "7d"), 64, /either/, /--since/, /--train-until 2026/],
  [
    "an end of training that is no time",
    backtest(log, "monday"),
    64,
    /"monday"/,
    /--train-until/,
    /2026-09-21T/,
  ],
  ["a month that is none", backtest(log, "2026-13-01"), 64, /no ISO 8601/, /--train-until/, /2026-09-21T/],
  [
    "a duration without unit",
    backtest(log, "", "--since", "30"),
    64,
    /no duration/,
    /--since/,
    /--since 30d/,
  ],
  ["a budget of none", flags("--alert-budget", "0/day"), 64, /"0\/day"/, /--alert-budget/, /2\/day/],
  ["a budget a week", flags("--alert-budget", "9/week"), 64, /"9\/week"/, /--alert-budget/, /2\/day/],
  ["a view that is none", flags("--without", "vae"), 64, /no view "vae"/, /--without/, /transaction, entity/],
  ["a seed with a sign", flags("--seed", "-1"), 64, /whole number/, /--seed/, /--seed 1/],
  ["retraining by the hour", flags("--retrain", "hourly"), 64, /weekly or never/, /--retrain/, /never/],
];

suite("a back-test of bad input", () => {
  for (const fault of CASES)
    test(`${fault[0]} ends with ${fault[2]} and says what, where, effect and what to do`, () =>
      assertFault(fault));

  test("a program that is missing is named, with what to do without it", () => {
    const packed = made("mail.log.xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0));
    for (const [file, program] of [
      [packed, "xz"],
      ["journal:", "journalctl"],
    ] as const) {
      const { status, stderr } = logvane(backtest(file, NOON), { PATH: folder });
      assert.equal(status, 69, stderr);
      assert.match(stderr, new RegExp(`^error .*${program} is not installed\nwhere .*\neffect .*\ndo .*\n$`));
    }
  });

  test("a journal without entries, and one that journalctl can't read, say so", () => {
    const bin = join(root, "bin");
    mkdirSync(bin);
    const run = (script: string): string => {
      writeFileSync(join(bin, "journalctl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const { status, stderr } = logvane(backtest("journal:", NOON), { PATH: bin });
      assert.equal(status, 66, stderr);
      return stderr;
    };
    assert.match(run("exit 0"), /no entry in journal:[\s\S]*systemd-journal/);
    assert.match(
      run("echo 'Failed to open' >&2; exit 1"),
      /journalctl failed: Failed to open[\s\S]*systemd-journal/,
    );
  });

  test("a pipe and --since, which reads twice, say so", () => {
    const { status, stderr } = logvane(backtest("-", "", "--since", "7d"), {}, LINES);
    assert.equal(status, 64, stderr);
    assert.match(stderr, /standard input can be read only once[\s\S]*--since[\s\S]*do .*--train-until/);
  });

  test("a file that is emptied in mid-reading says how far it was read", async () => {
    const file = made("growing.log", LINES.repeat(3000));
    const { inputs } = await openInputs([file]);
    const reading = async (): Promise<void> => {
      for await (const { lines } of readInputs(inputs)) if (lines.count > 0) truncateSync(file);
    };
    await assert.rejects(reading(), (fault: Fault) => {
      assert.equal(fault.exit, "io");
      assert.match(fault.format(), /emptied while[\s\S]*after line \d+[\s\S]*mail\.log\.1/);
      return true;
    });
  });

  test("a file that may not be read says so, and whose group to join", async () => {
    const secret = made("secret.log", LINES, 0);
    const root = process.getuid?.() === 0; // may read anything, so it becomes nobody for a moment
    if (root) process.seteuid!(65534);
    try {
      await assert.rejects(openInputs([secret]), (fault: Fault) => {
        assert.equal(fault.exit, "noInput");
        assert.match(fault.format(), /permission denied \(EACCES\)[\s\S]*group "adm"/);
        return true;
      });
    } finally {
      if (root) process.seteuid!(0);
    }
  });
});
