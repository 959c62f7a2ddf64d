import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openStore } from "../../src/store/queries.ts";
import { assertFault, type FaultCase, logvane } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-folder-"));
after(() => rmSync(root, { recursive: true, force: true }));
const isRoot = process.getuid?.() === 0;

/** A state folder with a database, or an empty one. */
function folder(name: string, filled = true): string {
  const dir = join(root, name);
  if (filled) openStore(dir).close();
  else mkdirSync(dir, { mode: 0o700 });
  return dir;
}

const mode = (path: string): number => statSync(path).mode & 0o7777;
const alerts = (dir: string): readonly string[] => ["alerts", "--state", dir];

/** A folder of somebody else: a person's, as root sees it; root's, as anybody else does. */
function foreign(): string {
  if (!isRoot) return "/";
  const dir = folder("foreign");
  chownSync(dir, 12_345, 12_345);
  return dir;
}

suite("a state folder that is not ours alone", () => {
  const open = (name: string, bits: number): string => {
    const dir = folder(name);
    chmodSync(dir, bits);
    return dir;
  };
  const link = (name: string, to: string): string => {
    symlinkSync(to, join(root, name));
    return join(root, name);
  };
  const world = open("world", 0o777);
  const group = open("group", 0o770);
  const sticky = open("sticky", 0o1777);
  const theirs = foreign();
  const verb = (dir: string): readonly string[] => ["doctor", "--json", "--state", dir];
  const CASES: readonly FaultCase[] = [
    ["all may write", alerts(world), 78, /others may write .*0777/, /world$/, /chmod go-w/],
    ["a group may write", alerts(group), 78, /others may write .*0770/, /group$/, /chmod go-w/],
    ["all may write, with a sticky bit", alerts(sticky), 78, /mode 1777/, /sticky$/, /chmod go-w/],
    [
      "a link to such a folder",
      alerts(link("to-world", world)),
      78,
      /others may write/,
      /to-world$/,
      /chmod/,
    ],
  ];
  for (const fault of CASES)
    test(`${fault[0]}: refused with ${fault[2]}, says what to do`, () => assertFault(fault));
  test("a folder of another user is refused", () => {
    // `/` holds no state: only a verb that would make one opens it
    const args = isRoot ? alerts(theirs) : ["watch", "--state", theirs];
    assertFault(["", args, 78, /belongs to another user/, /where {3}\//, /sudo -u/]);
  });
  test("doctor shows it as the state's fault", () => {
    const { status, stdout } = logvane(verb(world));
    const check = JSON.parse(stdout).checks.find((c: { name: string }) => c.name === "state");
    assert.deepEqual([status, check.status], [78, "fail"]);
    assert.match(check.remedy, /chmod go-w/);
  });
  test(
    "a folder of a service is root's to use, and new files belong to the service",
    { skip: !isRoot },
    () => {
      const dir = folder("service", false);
      chownSync(dir, 812, 812);
      openStore(dir).close();
      assert.equal(statSync(join(dir, "logvane.db")).uid, 812);
      assert.equal(logvane(alerts(dir)).status, 0);
      assert.equal(statSync(join(dir, "logvane.db")).uid, 812);
    },
  );
});

suite("a file of the state that is none", () => {
  const made = (what: string, filled: boolean, make: (dir: string) => void): string => {
    const dir = folder(what, filled);
    make(dir);
    return dir;
  };
  const fifo = (name: string) => (dir: string) =>
    void assert.equal(spawnSync("mkfifo", [join(dir, name)]).status, 0);
  const elsewhere = join(root, "elsewhere");
  const CASES: readonly FaultCase[] = (
    [
      ["a FIFO as database", /a FIFO/, /logvane\.db$/, made("fifo", false, fifo("logvane.db"))],
      ["a FIFO as -wal", /a FIFO/, /db-wal$/, made("fifo-wal", true, fifo("logvane.db-wal"))],
      ["a FIFO as reserve", /a FIFO/, /reserve$/, made("fifo-reserve", true, fifo("reserve"))],
      ["a FIFO as lock", /a FIFO/, /watch\.lock$/, made("fifo-lock", true, fifo("watch.lock"))],
      [
        "a link as database",
        /a symbolic link/,
        /logvane\.db$/,
        made("link", false, (dir) => symlinkSync(elsewhere, join(dir, "logvane.db"))),
      ],
      [
        "a link as -shm",
        /a symbolic link/,
        /db-shm$/,
        made("link-shm", true, (dir) => symlinkSync(elsewhere, join(dir, "logvane.db-shm"))),
      ],
      [
        "a folder as database",
        /a folder/,
        /logvane\.db$/,
        made("folder-db", false, (dir) => mkdirSync(join(dir, "logvane.db"))),
      ],
    ] as const
  ).map(([name, what, where, dir]) => [name, ["watch", "--state", dir], 78, what, where, /move it away/]);
  for (const fault of CASES)
    test(`${fault[0]}: refused with ${fault[2]}, says what to do`, () => assertFault(fault));
  test("a socket as database: refused, says what to do", async () => {
    const dir = folder("socket", false);
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(dir, "logvane.db"), done));
    try {
      assertFault(["", ["watch", "--state", dir], 78, /a socket/, /logvane\.db$/, /move it away/]);
    } finally {
      server.close();
    }
  });
  test("what a link leads to is neither made nor read", () => {
    assert.equal(statSync(elsewhere, { throwIfNoEntry: false }), undefined);
  });
});

suite("a state folder that others may read", () => {
  test("is closed to them, its files too, and that is said once", () => {
    const dir = folder("readable");
    const path = join(dir, "logvane.db");
    chmodSync(dir, 0o755);
    chmodSync(path, 0o644);
    const { status, stderr } = logvane(alerts(dir));
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^note: .*readable could be read by others \(mode 0755\); .*\nnote: .*logvane\.db .*0644.*\n$/,
    );
    assert.deepEqual([mode(dir), mode(path)], [0o700, 0o600]);
    assert.equal(logvane(alerts(dir)).stderr, "");
  });
  test("by a link of our own is one like any other", () => {
    const dir = folder("linked");
    symlinkSync(dir, join(root, "link-to-linked"));
    const { status, stderr } = logvane(alerts(join(root, "link-to-linked")));
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
