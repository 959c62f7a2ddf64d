import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { ListenConfig, LogConfig } from "../../src/config/config.ts";
import type { Fault } from "../../src/fault.ts";
import { DISK, type Disk } from "../../src/source/disk.ts";
import { Follower, type FollowOptions } from "../../src/source/follow.ts";
import {
  bindFault,
  bugFault,
  droppedFault,
  journalGoneFault,
  lossFault,
  refusedFault,
  stalledFault,
} from "../../src/source/follow-fault.ts";
import type { Position } from "../../src/source/position.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-source-faults-"));
after(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
function log(
  content = "Nov 29 10:00:00 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]\n".repeat(3),
): string {
  const folder = join(root, String(++made));
  mkdirSync(folder);
  const file = join(folder, "mail.log");
  writeFileSync(file, content);
  return file;
}

const config = (more: Partial<LogConfig>): LogConfig => ({
  ...{ paths: [], journal: false, units: [], listen: [], timezone: "UTC" },
  ...more,
});

type Way = {
  readonly positions?: ReadonlyMap<string, Position>;
  readonly disk?: Disk;
  readonly stateDir?: string;
  /** Once it follows. */
  readonly begun?: () => void;
};

/** Follows for a moment. The faults that are told, else what is shown. */
async function follow(
  more: Partial<LogConfig>,
  { begun, positions = new Map(), ...way }: Way,
): Promise<Fault> {
  let clock = Date.now();
  const options: FollowOptions = { stateDir: root, pollMs: 20, now: () => clock, ...way };
  const follower = await Follower.open(config(more), positions, options);
  try {
    begun?.();
    for (let i = 0; i < 20; i++) await follower.next(20);
    clock += 6000;
    await follower.next(20);
    const faults = follower.faults();
    assert.equal(faults.length, 1, faults.map((fault) => fault.message).join("; "));
    return faults[0]!;
  } finally {
    await follower.close();
  }
}

/** Positions after all of a log was read. */
async function readAll(file: string): Promise<Map<string, Position>> {
  const follower = await Follower.open(config({ paths: [file] }), new Map(), {
    stateDir: root,
    now: Date.now,
  });
  const positions = follower.positions();
  await follower.close();
  return positions;
}

const failing = (file: string, code: string): Disk => ({
  ...DISK,
  stat: async (path) => {
    if (path === file) throw Object.assign(new Error(path), { code });
    return DISK.stat(path);
  },
});

const listener = (more: Partial<ListenConfig>): { listen: ListenConfig[] } => ({
  listen: [
    {
      ...{ protocol: "tcp", address: "127.0.0.1", port: 1, certificate: undefined, key: undefined },
      ...more,
    },
  ],
});

/** What, where, effect, do. */
type Case = readonly [string, () => Promise<Fault> | Fault, readonly [RegExp, RegExp, RegExp, RegExp]];

const CASES: readonly Case[] = [
  [
    "a log that is not there",
    () => follow({ paths: ["/none/mail.log"] }, {}),
    [/no such file: \/none\/mail\.log/, /file:\/none/, /nothing of it is watched/, /check log\.paths/],
  ],
  [
    "a log that may not be read",
    () => {
      const file = log();
      return follow({ paths: [file] }, { disk: failing(file, "EACCES") });
    },
    [/permission denied \(EACCES\)/, /file:.*mail\.log/, /the other logs are watched/, /group "adm"/],
  ],
  [
    "a log on a disk that fails",
    () => {
      const file = log();
      return follow({ paths: [file] }, { disk: failing(file, "EIO") });
    },
    [/cannot read .*: EIO/, /file:.*mail\.log/, /by itself/, /tried again every second/],
  ],
  [
    "a folder in a log's place",
    () => {
      const file = log();
      unlinkSync(file);
      mkdirSync(file);
      return follow({ paths: [file] }, {});
    },
    [/not a file/, /a folder, FIFO, socket or device/, /the other logs/, /put the log back/],
  ],
  [
    "a log that is emptied unread",
    () => {
      const file = log();
      return follow(
        { paths: [file] },
        {
          begun: () => {
            writeFileSync(file, "half a line", { flag: "a" });
            setTimeout(() => truncateSync(file, 0), 100);
          },
        },
      );
    },
    [
      /was emptied before all of it was read/,
      /no rotated file beside it holds/,
      /11 bytes of it can't be scored/,
      /copytruncate/,
    ],
  ],
  [
    "a log that is gone after downtime",
    async () => {
      const file = log();
      const positions = await readAll(file);
      unlinkSync(file);
      writeFileSync(file, "Nov 29 11:00:00 mx1 postfix/smtpd[7]: other\n");
      return follow({ paths: [file] }, { positions });
    },
    [/was rotated away while nobody watched/, /up to which it was read/, /can't be scored/, /rotate 7/],
  ],
  [
    "a log that was edited before its place",
    async () => {
      const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
      const file = log(lines.join(""));
      const positions = await readAll(file);
      writeFileSync(file, `${lines.slice(0, 900).join("")}${"another\n".repeat(200)}`);
      return follow({ paths: [file] }, { positions });
    },
    [/was changed by somebody/, /no longer there/, /can't be scored/, /leave logs to the programs/],
  ],
  [
    "a packed log that is damaged",
    async () => {
      const file = log();
      const positions = await readAll(file);
      renameSync(file, `${file}.3`);
      const lines = Array.from(
        { length: 5000 },
        (_, i) => `Nov 29 10:00:00 mx1 postfix/smtpd[${i * 7919}]: x\n`,
      );
      const packed = gzipSync(lines.join(""));
      writeFileSync(`${file}.2.gz`, packed.subarray(0, packed.length - 1000));
      writeFileSync(`${file}.1`, "Nov 29 11:00:00 mx1 postfix/smtpd[7]: one\n");
      writeFileSync(file, "Nov 29 12:00:00 mx1 postfix/smtpd[7]: two\n");
      return follow({ paths: [file] }, { positions });
    },
    [/is a damaged compressed file/, /up to the damage were read/, /can't be scored/, /look at the disk/],
  ],
  [
    "a rotated log that is still written to",
    () => lossFault("/var/log/mail.log", "late", 7),
    [/still written to after it had been rotated/, /not told to open/, /7 bytes/, /postrotate/],
  ],
  [
    "a file system that does not answer",
    () => stalledFault("file:/nfs/mail.log"),
    [/does not answer: file:\/nfs/, /log source/, /the other logs are watched/, /network file system/],
  ],
  [
    "a bug",
    () => bugFault("file:/a", new RangeError("1 of 0")),
    [/a bug in Logvane: 1 of 0/, /file:\/a/, /one every ten seconds/, /report it/],
  ],
  [
    "a journal that was vacuumed",
    () => journalGoneFault(7),
    [/no longer holds the entry/, /journal:/, /up to 7 entries/, /SystemMaxUse/],
  ],
  [
    "a journal that can't tell what is gone",
    () => journalGoneFault(0),
    [/no longer holds the entry/, /journal:/, /if any/, /SystemMaxUse/],
  ],
  [
    "a port that is taken",
    async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((done) => server.once("listening", done));
      const { port } = server.address() as { port: number };
      return follow(listener({ port }), {}).finally(() => server.close());
    },
    [/cannot listen: EADDRINUSE/, /listen:tcp:127\.0\.0\.1/, /every ten seconds/, /choose another port/],
  ],
  [
    "an address of another machine",
    () => follow(listener({ protocol: "otlp", address: "192.0.2.1", port: 4318 }), {}),
    [/cannot listen: EADDRNOTAVAIL/, /listen:otlp/, /nothing that is sent there arrives/, /no such address/],
  ],
  [
    "a port for root alone",
    () => bindFault("listen:udp:127.0.0.1:514", Object.assign(new Error("x"), { code: "EACCES" })),
    [/cannot listen: EACCES/, /:514/, /ten seconds/, /choose one above/],
  ],
  [
    "a certificate that is not there",
    () => follow(listener({ protocol: "tls", certificate: "/none.pem", key: "/none.key", port: 6514 }), {}),
    [/cannot listen: ENOENT/, /listen:tls/, /ten seconds/, /PEM files/],
  ],
  [
    "a state folder that can't be written",
    () => follow(listener({ port: 20_000 }), { stateDir: log() }),
    [
      /cannot keep what is sent: ENOTDIR/,
      /listen:tcp.*spool/,
      /over TCP or by OTLP waits/,
      /free some space/,
    ],
  ],
  [
    "messages that found no room",
    () => droppedFault("listen:udp:127.0.0.1:5140", 3),
    [/3 messages were dropped: the spool is full/, /listen:udp/, /can't be scored/, /logvane doctor/],
  ],
  [
    "OTLP for which there is no room",
    () => refusedFault("listen:otlp:127.0.0.1:4318", 2, "full"),
    [/2 requests were refused: .*the spool is full/, /listen:otlp/, /told to try again/, /free some space/],
  ],
  [
    "OTLP in protobuf",
    () => refusedFault("listen:otlp:127.0.0.1:4318", 2, "protobuf"),
    [/refused: send JSON.*encoding: json/, /listen:otlp/, /can't be scored/, /settings of what sends/],
  ],
  [
    "lines that are wanted again and gone",
    async () => {
      const file = log();
      const first = await Follower.open(config({ paths: [file] }), new Map(), {
        ...{ stateDir: root, now: Date.now, from: "start" },
      });
      const run = (await first.next(1000))!;
      const range = { source: run.source, from: run.from, to: run.to };
      await first.close();
      unlinkSync(file);
      const follower = await Follower.open(config({ paths: [file] }), new Map(), {
        stateDir: root,
        now: Date.now,
      });
      try {
        for await (const again of follower.reread(range)) assert.fail(String(again.lines.count));
        return assert.fail("nothing was thrown");
      } catch (error) {
        return error as Fault;
      } finally {
        await follower.close();
      }
    },
    [/read before the restart are gone/, /file:.*mail\.log/, /can't be counted again/, /rotate 7/],
  ],
];

suite("trouble with a source that is followed", () => {
  for (const [name, make, [what, where, effect, remedy]] of CASES)
    test(`${name} is told with what, where, effect and what to do`, async () => {
      const fault = await make();
      const [error, place, result, advice, end, ...more] = fault.format().split("\n");
      for (const [line, start, words] of [
        [error!, "error   ", what],
        [place!, "where   ", where],
        [result!, "effect  ", effect],
        [advice!, "do      ", remedy],
      ] as const) {
        assert.equal(line.slice(0, 8), start);
        assert.match(line.slice(8), words);
      }
      assert.deepEqual([end, more], ["", []]);
    });
});
