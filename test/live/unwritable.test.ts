import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { needs, needsLoop, needsNamespaces } from "../support/need.ts";
import { counted, until } from "./daemon.ts";
import { dir, fourParts, fullLines, learn, someLines, tidy, WAIT_MS, Watched } from "./watched.ts";

const mounts = new Set<string>();

before(learn);
after(() =>
  tidy(() => {
    for (const mount of mounts) execFileSync("umount", ["-l", mount]);
  }),
);

const disks = needsNamespaces("dd");

/** A disk of its own, so small that a test can fill it. */
function disk(name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", path]);
  mounts.add(path);
  return path;
}
function fill(path: string, name: string): void {
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${join(path, name)}`, "bs=4k"], { stdio: "ignore" });
  } catch {
    // until there is no room
  }
}

suite("a watch whose state can't be written", { concurrency: true, timeout: 600_000 }, () => {
  test(
    "whose disk is full tells of it from its reserve, then waits, and goes on when there is room",
    disks,
    async () => {
      const small = disk("small");
      const here = new Watched("full", join(small, "state"));
      const daemon = here.start();
      await here.read();
      assert.ok(existsSync(join(small, "state/reserve")));
      fill(small, "one");
      here.write(fullLines(30));
      await until("the alert of a full disk", WAIT_MS, () =>
        existsSync(here.told) && /"kind":"disk_full"/.test(readFileSync(here.told, "utf8"))
          ? true
          : undefined,
      );
      assert.match(daemon.said, fourParts(/the disk is full/));
      assert.match(daemon.said, /reading pauses until this can be written/);
      assert.ok(!existsSync(join(small, "state/reserve")));
      await here.read();
      fill(small, "two");
      for (let n = 0; n < 20; n++) {
        here.write(someLines(2000));
        await sleep(500);
      }
      assert.ok(daemon.running, daemon.said);
      assert.ok(counted(here.state) < here.written, "it waits");
      for (const name of ["one", "two"]) rmSync(join(small, name));
      await here.read();
      assert.ok(daemon.running);
      assert.equal(await daemon.end("SIGTERM"), 0);
      assert.ok(existsSync(join(small, "state/reserve")), "a new reserve is there");
      assert.deepEqual([...new Set(here.keys())], here.keys());
    },
  );

  test("whose state can't be written says so and ends with 74, and starts when it can", disks, async () => {
    const small = disk("readonly");
    const here = new Watched("readonly-log", join(small, "state"));
    execFileSync("mount", ["-o", "remount,ro", small]);
    const refused = here.start();
    assert.equal(await refused.end(), 74);
    assert.match(refused.said, fourParts(/cannot use the state folder \(\w+\)/));
    execFileSync("mount", ["-o", "remount,rw", small]);
    const daemon = here.start();
    await here.read();
    assert.equal(await daemon.end("SIGTERM"), 0);
  });

  test(
    "whose disk turns read-only under it pauses, ends with 74 when told, and has lost nothing",
    needsLoop(),
    async () => {
      const image = join(dir, "ext4");
      const mounted = join(dir, "failing");
      mkdirSync(mounted);
      execFileSync("dd", ["if=/dev/zero", `of=${image}`, "bs=1M", "count=64"], { stdio: "ignore" });
      execFileSync("mkfs.ext4", ["-q", "-F", image]);
      const mount = (): void => {
        execFileSync("mount", ["-o", "loop,errors=remount-ro", image, mounted]);
        mounts.add(mounted);
      };
      mount();
      const device = execFileSync("findmnt", ["-n", "-o", "SOURCE", mounted], { encoding: "utf8" }).trim();
      const here = new Watched("failing-log", join(mounted, "state"));
      const daemon = here.start();
      await here.read();
      // As after an error of the disk: whoever has files open may not write to them any more.
      writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "1");
      here.write(fullLines(30));
      const pauses =
        /reading pauses until this can be written.*\n.*make it writable; watching goes on by itself/;
      await until("the message", WAIT_MS, () => (pauses.test(daemon.said) ? true : undefined));
      assert.match(daemon.said, fourParts(/cannot use the state folder \(\w+\)/));
      here.write(someLines(20));
      await sleep(3000);
      assert.ok(daemon.running, daemon.said);
      assert.equal(await daemon.end("SIGTERM"), 74);
      assert.match(daemon.said, fourParts(/what was read last could not be written/));
      execFileSync("umount", [mounted]);
      mounts.delete(mounted);
      spawnSync("e2fsck", ["-fy", image], { stdio: "ignore" }); // 1: mended
      mount();
      const next = here.start();
      const keys = await here.settled();
      assert.deepEqual([...new Set(keys)], keys);
      await until("the alert", WAIT_MS, () =>
        /"kind":"disk_full"/.test(readFileSync(here.told, "utf8")) ? true : undefined,
      );
      assert.equal(await next.end("SIGTERM"), 0);
    },
  );

  test("whose state can't be written for a while goes on by itself", needs("prlimit"), async () => {
    const here = new Watched("limited");
    const daemon = here.start();
    await here.read();
    // Of what is written then, the system takes nothing.
    const limit = (bytes: string): void => {
      execFileSync("prlimit", [`--fsize=${bytes}:`, "--pid", String(daemon.pid)]);
    };
    limit("0");
    here.write(fullLines(30));
    await until("the message", WAIT_MS, () =>
      fourParts(/cannot use the state folder \(\w+\)/).test(daemon.said) ? true : undefined,
    );
    here.write(someLines(20));
    await sleep(3000);
    assert.ok(counted(here.state) < here.written, "it waits");
    limit("unlimited");
    const keys = await here.settled();
    assert.deepEqual([...new Set(keys)], keys);
    assert.match(readFileSync(here.told, "utf8"), /"kind":"disk_full"/);
    assert.equal(await daemon.end("SIGTERM"), 0);
  });
});
