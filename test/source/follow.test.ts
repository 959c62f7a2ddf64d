import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { DISK, type Disk } from "../../src/source/disk.ts";
import type { FollowOptions } from "../../src/source/follow.ts";
import { openGeneration } from "../../src/source/generation.ts";
import { LateFiles } from "../../src/source/late.ts";
import { isRotated, rotatedOf } from "../../src/source/rotated.ts";
import { needs } from "../support/need.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { logLines, workspace } from "./support.ts";

const folder = workspace("follow");
const trimmed = (lines: readonly string[]): string[] => lines.map((l) => l.trimEnd());
const FAST = { pollMs: 20 };

/** A log of ten lines that were read already, and a daemon at its end. `more`: the lines that come. */
async function begun(options: Partial<FollowOptions> = FAST): Promise<{
  readonly dir: string;
  readonly file: string;
  readonly daemon: Daemon;
  readonly more: readonly string[];
}> {
  const dir = folder({ "mail.log": logLines(10).join("") });
  const file = join(dir, "mail.log");
  const daemon = new Daemon(logConfig([file]), options);
  await daemon.start();
  return { dir, file, daemon, more: logLines(90, 3000, 10) };
}

suite("a log that is followed", () => {
  test("begins at its end, and gives what is added, within a second", async () => {
    const { file, daemon, more } = await begun({});
    for (const line of more.slice(0, 5)) {
      appendFileSync(file, line);
      const at = performance.now();
      await daemon.readTo(daemon.seen.length + 1);
      assert.ok(performance.now() - at < 1000);
    }
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 5)));
    assert.equal(daemon.seen[0]!.line, 11);
  });
  test("is looked at less often when nothing has changed for long, and still at once seen to change", async () => {
    let looks = 0;
    const disk: Disk = {
      ...DISK,
      statNow: (path) => {
        looks++;
        return DISK.statNow(path);
      },
    };
    const { file, daemon, more } = await begun({ pollMs: 20, disk });
    await daemon.read(2600);
    looks = 0;
    await daemon.read(1000);
    assert.ok(looks > 0 && looks <= 30, String(looks)); // 28 by 36 ms; 50 by 20 ms
    appendFileSync(file, more[0]!);
    const at = performance.now();
    await daemon.readTo(1);
    assert.ok(performance.now() - at < 500);
  });
  test("holds its last line until the LF", async () => {
    const { file, daemon, more } = await begun();
    appendFileSync(file, more[0]!.slice(0, 30));
    await daemon.read(200);
    assert.equal(daemon.seen.length, 0);
    appendFileSync(file, more[0]!.slice(30));
    await daemon.readTo(1);
    assert.deepEqual(daemon.texts, [more[0]!.trimEnd()]);
  });
  test("begins at its beginning, or at a time, in rotated files too", async () => {
    const all = logLines(30);
    const dir = folder({
      "mail.log.2.gz": gzipSync(all.slice(0, 10).join("")),
      "mail.log.1": all.slice(10, 20).join(""),
      "mail.log": all.slice(20).join(""),
    });
    const file = join(dir, "mail.log");
    const now = (): number => Date.parse("2026-02-03T00:00:00Z");
    const read = async (from: "start" | { time: number }): Promise<string[]> => {
      const daemon = new Daemon(logConfig([file]), { ...FAST, from, now });
      await daemon.start();
      await daemon.read(300);
      return daemon.texts;
    };
    assert.deepEqual(await read("start"), trimmed(all.slice(20)));
    for (const n of [5, 10, 17, 25])
      assert.deepEqual(
        await read({ time: Date.UTC(2026, 1, 2) + n * 3000 }),
        trimmed(all.slice(n)),
        String(n),
      );
  });
  test("is found by a pattern, its rotated files are not; a new one is read whole", async () => {
    const names = ["mail.log", "mail.err", "mail.log.1", "mail.log-20260101", "mail.info.2.gz"];
    const dir = folder(Object.fromEntries(names.map((name) => [name, logLines(3).join("")])));
    const daemon = new Daemon(logConfig([`${dir}/mail.*`]), FAST);
    await daemon.start();
    const followed = daemon.follower!.status().map(({ source }) => source.slice(source.lastIndexOf("/") + 1));
    assert.deepEqual(followed, ["mail.err", "mail.log"]);
    await daemon.kill();
    await wait(50); // times of files are some milliseconds late
    writeFileSync(join(dir, "mail.warn"), logLines(4).join("")); // made while nobody watched
    await daemon.start();
    await daemon.readTo(4);
  });
});

suite("a pattern", () => {
  test("that brings no file says so", async () => {
    let clock = Date.now();
    const dir = folder();
    const daemon = new Daemon(logConfig([`${dir}/none*`]), { ...FAST, now: () => clock });
    await daemon.start();
    assert.equal(daemon.follower!.status()[0]!.state, "missing");
    clock += 6000;
    await daemon.read(50);
    assert.match(daemon.faults[0]!.message, /no such file: .*none\*/);
  });
});

suite("names of rotated files", () => {
  test("are known in logrotate's and other forms", () => {
    const known = [
      "mail.log.1",
      "mail.log.12.gz",
      "mail.log-20261129",
      "mail.log-20261129.xz",
      "mail.log.old",
    ];
    for (const name of [...known, "mail-20261129.log", "mail.log-1795972029", "mail.log.2026-11-29.zst"])
      assert.ok(rotatedOf("mail.log", name), name);
    for (const name of [
      "mail.log",
      "mail.log.gz",
      "mail.logs.1",
      "mail.log.offset",
      "mail.err.1",
      "mail.log-a",
    ])
      assert.equal(rotatedOf("mail.log", name), undefined, name);
  });
  test("are none where a program names each day's log so", () => {
    assert.equal(isRotated("mail-20261129.log", new Set(["mail-20261129.log", "mail-20261128.log"])), false);
    assert.equal(isRotated("mail-20261129.log", new Set(["mail-20261129.log", "mail.log"])), true);
  });
});

suite("rotation", () => {
  test("by rename: what the old file's writer still adds comes first", async () => {
    const { file, daemon, more } = await begun();
    appendFileSync(file, more.slice(0, 10).join(""));
    renameSync(file, `${file}.1`);
    writeFileSync(file, "");
    appendFileSync(`${file}.1`, more.slice(10, 12).join(""));
    await daemon.readTo(12);
    appendFileSync(`${file}.1`, more.slice(12, 15).join(""));
    writeFileSync(file, more.slice(15, 30).join(""));
    await daemon.readTo(30);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 30)));
    assert.equal(daemon.seen[15]!.line, 1);
    assert.deepEqual(daemon.faults, []);
  });
  test("with the old file removed at once loses nothing that was in it", async () => {
    const { file, daemon, more } = await begun();
    appendFileSync(file, more.slice(0, 10).join(""));
    unlinkSync(file);
    writeFileSync(file, more.slice(10, 20).join(""));
    await daemon.readTo(20);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 20)));
  });
  test("into another folder loses nothing while it is followed, and says what is gone when it is not", async () => {
    const { file, daemon, more } = await begun();
    const old = `${file}.old.d`;
    mkdirSync(old);
    appendFileSync(file, more.slice(0, 10).join(""));
    renameSync(file, join(old, "mail.log.2"));
    writeFileSync(file, more.slice(10, 20).join(""));
    await daemon.readTo(20);
    assert.equal(daemon.faults.length, 0);
    await daemon.kill();
    appendFileSync(file, more.slice(20, 30).join(""));
    renameSync(file, join(old, "mail.log.1"));
    writeFileSync(file, more.slice(30, 40).join(""));
    await daemon.start();
    await daemon.readTo(30);
    assert.deepEqual(daemon.texts, trimmed([...more.slice(0, 20), ...more.slice(30, 40)]));
    assert.equal(daemon.follower!.status()[0]!.lost.times, 1);
    assert.match(daemon.faults[0]!.message, /put into another folder/);
  });
  test("by copy and truncation: the rest is read from the copy", async () => {
    const { file, daemon, more } = await begun({ pollMs: 400 });
    appendFileSync(file, more.slice(0, 10).join(""));
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
    appendFileSync(file, more.slice(10, 70).join("")); // longer than it was before
    await daemon.readTo(70);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 70)));
    assert.deepEqual(daemon.faults, []);
  });
  test("by copy, with a writer that leaves a hole of NULs", async () => {
    const { file, daemon, more } = await begun();
    const { size } = statSync(file);
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
    truncateSync(file, size + 300_000);
    appendFileSync(file, more.slice(0, 10).join(""));
    await daemon.readTo(10);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 10)));
  });
  for (const pack of ["gzip", "zstd", "xz", "bzip2"])
    test(`several times, packed by ${pack}, while nobody watched`, needs(pack), async () => {
      const { file, daemon, more } = await begun();
      appendFileSync(file, more.slice(0, 5).join(""));
      await daemon.readTo(5);
      await daemon.kill();
      appendFileSync(file, more.slice(5, 10).join(""));
      renameSync(file, `${file}.3`);
      writeFileSync(`${file}.2`, more.slice(10, 20).join(""));
      writeFileSync(`${file}.1`, more.slice(20, 30).join(""));
      writeFileSync(file, more.slice(30, 40).join(""));
      for (const n of [2, 3])
        execFileSync(pack, ["-q", ...(pack === "zstd" ? ["--rm"] : []), `${file}.${n}`]);
      await daemon.start();
      await daemon.readTo(40);
      assert.deepEqual(daemon.texts, trimmed(more.slice(0, 40)));
      assert.deepEqual(daemon.faults, []);
    });
  test("with a packed file that is damaged in the middle loses its rest alone, and says so", async () => {
    const all = logLines(20_000);
    const { file, daemon, more } = await begun();
    await daemon.kill();
    renameSync(file, `${file}.3`);
    const packed = gzipSync(all.slice(100, 15_000).join(""));
    packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 40);
    writeFileSync(`${file}.2.gz`, packed);
    writeFileSync(`${file}.1`, all.slice(15_000, 15_300).join(""));
    writeFileSync(file, all.slice(15_300, 15_310).join(""));
    appendFileSync(`${file}.3`, more.slice(0, 5).join(""));
    for (let runs = 0; runs < 100; runs += 5) {
      await daemon.start(); // killed in the middle of it, several times
      await daemon.read(300, 5);
      if (daemon.texts.at(-1) === all[15_309]!.trimEnd()) break;
      await daemon.kill();
    }
    // Until zlib notices the damage, it makes some lines of it.
    const read = daemon.texts.length - 315;
    const intact = read - 50;
    assert.ok(intact > 2000 && read < 14_000, String(read));
    assert.deepEqual(daemon.texts.slice(0, 5 + intact), [
      ...trimmed(more.slice(0, 5)),
      ...trimmed(all.slice(100, 100 + intact)),
    ]);
    assert.deepEqual(daemon.texts.slice(5 + read), trimmed(all.slice(15_000, 15_310)));
    assert.deepEqual(
      daemon.faults.map((fault) => fault.message),
      [`${file} is a damaged compressed file`],
    );
  });
  test("by logrotate itself", needs("logrotate"), async () => {
    for (const how of [
      "create",
      "copytruncate",
      "create\ncompress",
      "copytruncate\ncompress\ndelaycompress\ndateext\ndateformat -%Y%m%d%s",
    ]) {
      const { dir, file, daemon, more } = await begun({ pollMs: 100 });
      writeFileSync(join(dir, "conf"), `${file} {\nrotate 9\n${how}\n}\n`, { mode: 0o644 });
      const rotate = (): void => {
        execFileSync("logrotate", ["--force", "--state", join(dir, "state"), join(dir, "conf")]);
      };
      for (let n = 0; n < 40; n += 10) {
        appendFileSync(file, more.slice(n, n + 5).join(""));
        if (n === 20) await daemon.kill();
        rotate();
        appendFileSync(file, more.slice(n + 5, n + 10).join(""));
        if (n === 20) await daemon.start();
        if (how.includes("dateformat")) await wait(1000);
        if (n !== 10)
          await daemon.readTo(n + 10).catch((error: Error) => assert.fail(`${how}: ${error.message}`));
      }
      assert.deepEqual(daemon.texts, trimmed(more.slice(0, 40)), how);
      assert.deepEqual(daemon.faults, []);
    }
  });
  test("with more kept nowhere says that lines are gone", async () => {
    const { file, daemon, more } = await begun();
    await daemon.kill();
    unlinkSync(file);
    writeFileSync(file, more.slice(0, 3).join(""));
    await daemon.start();
    await daemon.readTo(3);
    await daemon.read(100);
    assert.equal(daemon.follower!.status()[0]!.lost.times, 1);
    assert.match(
      daemon.faults[0]!.format(),
      /^error {3}.*mail\.log was rotated away while nobody watched[\s\S]*do {6}\S/,
    );
  });
  test("with the file's number used again by another file is told by its head", async () => {
    const { file, daemon, more } = await begun();
    await daemon.kill();
    // The same inode with other content, longer than what was read: as after a removal and a new file.
    copyFileSync(file, `${file}.1`);
    writeFileSync(file, more.slice(0, 30).join(""));
    await daemon.start();
    await daemon.readTo(30);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 30)));
    assert.deepEqual(daemon.faults, []);
  });
});

suite("a rotated file that was left", () => {
  test("keeps nobody from being caught up", async () => {
    const { file, daemon, more } = await begun();
    renameSync(file, `${file}.1`);
    writeFileSync(file, more.slice(0, 3).join(""));
    await daemon.readTo(3);
    // A watch waits for a second, and asks again until it is so; a wait shorter than a look may end in the middle of one.
    let caughtUp = false;
    for (let i = 0; i < 5 && !caughtUp; i++) {
      while ((await daemon.follower!.next(1000)) !== undefined);
      caughtUp = daemon.follower!.caughtUp;
    }
    assert.ok(caughtUp);
  });
  test("is watched for ten minutes for what is still written to it", async () => {
    const dir = folder({ "mail.log.1": "read\n" });
    const path = join(dir, "mail.log.1");
    let clock = 0;
    const late = new LateFiles(() => clock);
    await late.add(await openGeneration(DISK, path), 5);
    appendFileSync(path, "late\n");
    assert.equal(await late.grown(), 0); // not looked at yet
    clock = 20_000;
    assert.equal(await late.grown(), 5);
    clock = 40_000;
    assert.equal(await late.grown(), 0);
    clock = 601_000;
    await late.grown();
    assert.equal(late.any, false);
  });
});

suite("a log that somebody changes", () => {
  test("is emptied unread: what is gone is counted and told", async () => {
    const { file, daemon, more } = await begun({ pollMs: 300 });
    appendFileSync(file, `${more.slice(0, 10).join("")}half`);
    await daemon.readTo(10);
    truncateSync(file, 0);
    appendFileSync(file, more.slice(10, 12).join(""));
    await daemon.readTo(12);
    await daemon.read(100);
    const { lost } = daemon.follower!.status()[0]!;
    assert.deepEqual([lost.times, lost.bytes], [1, 4]);
    assert.match(daemon.faults[0]!.format(), /was emptied[\s\S]*4 bytes of it can't be scored/);
  });
  test("is cut short by an editor: what is left was read and is not read again", async () => {
    const { file, daemon, more } = await begun();
    appendFileSync(file, more.slice(0, 30).join(""));
    await daemon.readTo(30);
    truncateSync(file, statSync(file).size - more[29]!.length - more[28]!.length);
    await daemon.read(200);
    appendFileSync(file, more.slice(30, 33).join(""));
    await daemon.readTo(33);
    assert.deepEqual(daemon.texts.slice(30), trimmed(more.slice(30, 33)));
  });
  test("is saved anew by an editor with a line less: reading goes on behind what was read", async () => {
    const { file, daemon, more } = await begun();
    appendFileSync(file, more.slice(0, 50).join(""));
    await daemon.readTo(50);
    const lines = readFileSync(file, "utf8").split(/(?<=\n)/);
    lines.splice(40, 1);
    writeFileSync(`${file}.swp`, lines.join("") + more[50]!);
    renameSync(`${file}.swp`, file);
    await daemon.readTo(51);
    appendFileSync(file, more[51]!);
    await daemon.readTo(52);
    assert.deepEqual(daemon.texts, trimmed(more.slice(0, 52)));
  });
  for (const [what, make] of [
    ["a folder", (file: string) => mkdirSync(file)],
    ["a FIFO", (file: string) => execFileSync("mkfifo", [file])],
  ] as const)
    test(`is replaced by ${what}: said once, and taken up when it is a file again`, async () => {
      let clock = Date.now();
      const { file, daemon, more } = await begun({ ...FAST, now: () => clock });
      appendFileSync(file, more[0]!);
      await daemon.readTo(1);
      renameSync(file, `${file}.1`);
      make(file);
      await daemon.read(200);
      clock += 6000;
      await daemon.read(200);
      await daemon.read(200);
      assert.equal(daemon.follower!.status()[0]!.state, "not a file");
      assert.deepEqual(
        daemon.faults.map((f) => f.message.split(":")[0]),
        ["not a file"],
      );
      appendFileSync(`${file}.1`, more[1]!);
      await daemon.readTo(2);
      rmSync(file, { recursive: true });
      writeFileSync(file, more[2]!);
      await daemon.readTo(3);
      assert.equal(daemon.follower!.status()[0]!.state, "ok");
      assert.deepEqual(daemon.texts, trimmed(more.slice(0, 3)));
    });
  test("is away and comes back", async () => {
    const { file, daemon, more } = await begun();
    renameSync(file, `${file}.away`);
    await daemon.read(200);
    assert.equal(daemon.follower!.status()[0]!.state, "missing");
    renameSync(`${file}.away`, file);
    appendFileSync(file, more[0]!);
    await daemon.readTo(1);
    await daemon.read(200);
    assert.equal(daemon.follower!.status()[0]!.state, "ok");
  });
});

suite("a disk that fails", () => {
  test("by refusing: said, and read from there on when it is allowed again", async () => {
    let denied = false;
    const refuse = (path: string): void => {
      if (denied && path.endsWith("mail.log")) throw Object.assign(new Error(path), { code: "EACCES" });
    };
    const disk: Disk = {
      ...DISK,
      open: async (path) => {
        refuse(path);
        return DISK.open(path);
      },
    };
    const { file, daemon, more } = await begun({ ...FAST, disk });
    denied = true;
    renameSync(file, `${file}.1`);
    writeFileSync(file, more.slice(0, 3).join(""));
    await daemon.read(300);
    const [status] = daemon.follower!.status();
    assert.equal(status!.state, "denied");
    assert.match(status!.fault!.format(), /permission denied[\s\S]*group "adm"/);
    denied = false;
    await daemon.readTo(3);
    assert.deepEqual(daemon.faults, []);
  });
  test("by not answering: the others go on", async () => {
    let answer = (): void => undefined;
    let stalls = false;
    const slow = folder({ "a.log": "" });
    const disk: Disk = {
      ...DISK,
      stat: async (path) => {
        if (stalls && path.startsWith(slow)) await new Promise<void>((done) => (answer = done));
        return DISK.stat(path);
      },
    };
    const fast = folder({ "b.log": "" });
    const [a, b] = [join(slow, "a.log"), join(fast, "b.log")];
    // The lane of both is one device here: a stall is told apart by the folder, as before the first look.
    const daemon = new Daemon(logConfig([b]), { ...FAST, disk });
    const other = new Daemon(logConfig([a]), { ...FAST, disk });
    await daemon.start();
    await other.start();
    stalls = true;
    const more = logLines(3);
    appendFileSync(a, more[0]!);
    appendFileSync(b, more[1]!);
    await daemon.readTo(1);
    await other.read(11_000, 1);
    assert.equal(other.follower!.status()[0]!.state, "stalled");
    assert.match(other.faults[0]!.message, /does not answer/);
    stalls = false;
    answer();
    await other.readTo(1);
    assert.equal(other.follower!.status()[0]!.state, "ok");
  });
});

suite("a bug in the reading of one log", () => {
  test("is told and counted; the others go on, and it when it can", async () => {
    let bug = "";
    const bugs: Record<string, (path: string) => never> = {
      // an error that can't even be looked at, as nobody expects one
      stat: () => {
        throw Object.defineProperty(new Error(), "code", {
          get: () => {
            throw new RangeError("no such state");
          },
        });
      },
      statNow: () => {
        throw new TypeError("undefined is no function");
      },
    };
    const dir = folder({ "a.log": "", "b.log": "" });
    const [a, b] = [join(dir, "a.log"), join(dir, "b.log")];
    const disk: Disk = {
      ...DISK,
      stat: async (path) => (bug === "stat" && path === a ? bugs["stat"]!(path) : DISK.stat(path)),
      statNow: (path) => (bug === "statNow" && path === a ? bugs["statNow"]!(path) : DISK.statNow(path)),
    };
    const lines = logLines(10);
    for (const [name, words] of [
      ["stat", /a bug in Logvane: no such state/],
      ["statNow", /a bug in Logvane: undefined is no function/],
    ] as const) {
      const daemon = new Daemon(logConfig([a, b]), { ...FAST, disk });
      await daemon.start();
      bug = name;
      utimesSync(a, 1, 1); // so that it is looked at
      await daemon.read(200);
      appendFileSync(b, lines[1]!);
      await daemon.readTo(1);
      const status = daemon.follower!.status().find(({ source }) => source.endsWith("a.log"))!;
      assert.equal(status.state, "failed");
      assert.ok(status.failures! >= 1);
      assert.match(status.fault!.format(), words);
      await daemon.read(50);
      assert.deepEqual(
        daemon.faults.map((fault) => words.test(fault.message)),
        [true],
      );
      bug = "";
      appendFileSync(a, lines[0]!);
      await daemon.readTo(2);
      const after = daemon.follower!.status().find(({ source }) => source.endsWith("a.log"))!;
      assert.equal(after.state, "ok");
      assert.ok(after.failures! >= 1);
      await daemon.kill();
    }
  });
});

suite("several logs with a backlog", () => {
  test("are merged by time, to a minute", async () => {
    const dir = folder({ "a.log": "", "b.log": "" });
    const daemon = new Daemon(logConfig([join(dir, "a.log"), join(dir, "b.log")]), {
      ...FAST,
      now: () => Date.parse("2026-02-05T00:00:00Z"),
    });
    await daemon.start();
    await daemon.kill();
    appendFileSync(join(dir, "a.log"), logLines(5000, 7000).join("")); // 9.7 hours
    appendFileSync(join(dir, "b.log"), logLines(4000, 9000).join("")); // 10 hours
    await daemon.start();
    await daemon.readTo(9000);
    let latest = 0;
    for (const { text } of daemon.seen) {
      const [, day, time] = /^Feb {2}(\d) (\S+)/.exec(text)!;
      const at = Date.parse(`2026-02-0${day}T${time}Z`);
      assert.ok(at >= latest - 61_000, text);
      latest = Math.max(latest, at);
    }
  });
});

suite("at 10,000 lines a second", () => {
  test("each line is read, in a part of one core", async (t) => {
    const { file, daemon } = await begun({});
    const before = process.cpuUsage();
    let wrote = { user: 0, system: 0 };
    const lines = logLines(1000, 1);
    for (let n = 0; n < 30; n++) {
      const at = process.cpuUsage();
      appendFileSync(file, lines.join(""));
      const used = process.cpuUsage(at);
      wrote = { user: wrote.user + used.user, system: wrote.system + used.system };
      await daemon.read(100);
    }
    await daemon.readTo(30_000);
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system - wrote.user - wrote.system) / 1000;
    t.diagnostic(
      `30,000 lines in 3 s: ${ms.toFixed(0)} ms of CPU, the test's own decoding of each line included`,
    );
    assert.ok(ms < 3000);
  });
});
