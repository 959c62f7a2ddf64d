import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { needs } from "../support/need.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { workspace } from "./support.ts";

const folder = workspace("follow-journal");
const REMOTE = "/lib/systemd/systemd-journal-remote";
const HAS_JOURNAL = needs("journalctl", `../../${REMOTE}`);
const BOOT = "0123456789abcdef0123456789abcdef";

/** A journal of our own, written by systemd's own writer, and a journalctl in the PATH that reads it. */
class Journal {
  readonly dir = folder();
  private readonly bin = folder();
  private n = 0;

  constructor() {
    this.script(`echo $$ >${this.bin}/pid; exec /usr/bin/journalctl --directory=${this.dir} "$@"`);
    process.env["PATH"] = `${this.bin}:${process.env["PATH"]}`;
  }

  /** The pid of the journalctl that was started last. */
  get pid(): number {
    return Number(readFileSync(join(this.bin, "pid"), "utf8"));
  }

  script(line: string): void {
    writeFileSync(join(this.bin, "journalctl"), `#!/bin/sh\n${line}\n`);
    chmodSync(join(this.bin, "journalctl"), 0o755);
  }

  /** Entries of the mail facility, and as many of another one. */
  add(count: number, file = "system.journal"): void {
    let text = "";
    for (let i = 0; i < count; i++)
      for (const facility of [2, 3]) {
        const n = facility === 2 ? this.n++ : this.n;
        text += `__REALTIME_TIMESTAMP=${1_795_900_000_000_000 + n * 1_000_000}\n__MONOTONIC_TIMESTAMP=${n * 1_000_000}\n`;
        text += `_BOOT_ID=${BOOT}\nSYSLOG_FACILITY=${facility}\nSYSLOG_IDENTIFIER=postfix/smtp\n_HOSTNAME=mx1\n`;
        text += `MESSAGE=${facility === 2 ? "mail" : "other"} ${n}\n\n`;
      }
    execFileSync(REMOTE, ["--output", join(this.dir, file), "-"], {
      input: text,
      stdio: ["pipe", "ignore", "ignore"],
    });
  }
}

const messages = (daemon: Daemon): string[] =>
  daemon.texts.map((text) => (JSON.parse(text) as { MESSAGE: string }).MESSAGE);
const mails = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `mail ${from + i}`);
const config = logConfig([], { journal: true });

suite("the journal, followed", { ...HAS_JOURNAL, concurrency: false }, () => {
  test("begins at its end; what was not committed comes again after a kill; entries are read again", async () => {
    const journal = new Journal();
    journal.add(5);
    const daemon = new Daemon(config);
    await daemon.start();
    assert.equal(daemon.positions.get("journal:")!.kind, "journal");
    journal.add(5);
    await daemon.readTo(5, 15_000);
    await daemon.kill();
    journal.add(700);
    await daemon.start();
    await daemon.readTo(705, 15_000);
    assert.deepEqual(messages(daemon), mails(5, 710));
    const again: string[] = [];
    for (const run of daemon.runs)
      for await (const { lines } of daemon.follower!.reread(run))
        for (const { text } of lines) again.push(text);
    assert.deepEqual(again, daemon.texts);
    await daemon.kill();
  });
  test("whose journalctl dies goes on where it was", async () => {
    const journal = new Journal();
    journal.add(2);
    const daemon = new Daemon(config);
    await daemon.start();
    journal.add(3);
    await daemon.readTo(3, 15_000);
    process.kill(journal.pid);
    journal.add(3);
    await daemon.readTo(6, 15_000);
    assert.deepEqual(messages(daemon), mails(2, 8));
    await daemon.kill();
  });
  test("that was vacuumed says how many entries are gone at most", async () => {
    const journal = new Journal();
    journal.add(2);
    const daemon = new Daemon(config);
    await daemon.start();
    journal.add(1);
    await daemon.readTo(1, 15_000);
    await daemon.kill();
    journal.add(4);
    rmSync(join(journal.dir, "system.journal"));
    journal.add(2, "later.journal");
    await daemon.start();
    await daemon.readTo(3, 15_000);
    await daemon.read(100);
    assert.match(
      daemon.faults[0]!.format(),
      /no longer holds the entry that was read last[\s\S]*SystemMaxUse/,
    );
    assert.equal(daemon.follower!.status()[0]!.lost.times, 1);
    await daemon.kill();
  });
  test("that may not be read, or has no program to read it, says so", async () => {
    const journal = new Journal();
    journal.script("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1");
    const daemon = new Daemon(config);
    await daemon.start();
    await wait(100);
    const [status] = daemon.follower!.status();
    assert.equal(status!.state, "denied");
    assert.match(status!.fault!.format(), /insufficient permissions[\s\S]*systemd-journal/);
    await daemon.kill();
  });
});
