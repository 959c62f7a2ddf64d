import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { commandSender } from "../../src/deliver/command.ts";
import { fileSender } from "../../src/deliver/file.ts";
import { journalSender } from "../../src/deliver/journal.ts";
import { mailSender } from "../../src/deliver/mail-sender.ts";
import type { Outcome } from "../../src/deliver/sender.ts";
import { Fault } from "../../src/fault.ts";
import { HOSTILE } from "../report/support.ts";
import { needs } from "../support/need.ts";
import { alertTold, context, deliveryOf, folder, mailChannel, parseMail } from "./support.ts";

const base = { when: "always", minSeverity: "low", report: true } as const;
const never = new AbortController().signal;
const told = deliveryOf(alertTold());

/** A script of ours. */
function script(text: string): string {
  const path = join(folder(), "program");
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}
function runs(text: string, timeoutS = 5, args: string[] = []): Promise<Outcome> {
  const channel = {
    ...base,
    name: "cmd",
    type: "command",
    command: [script(text), ...args],
    timeoutS,
  } as const;
  return commandSender({ ...channel, command: [script(text), ...args] }, context).send(told, never);
}
/** Whether a process runs; one that nobody has reaped yet does not. */
function alive(pid: number): boolean {
  const stat = spawnSync("cat", [`/proc/${pid}/stat`], { encoding: "utf8" }).stdout;
  return stat !== "" && stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
}

suite("a command", () => {
  test("has the record on its standard input, and no shell between", async () => {
    const out = join(folder(), "out");
    const outcome = await runs('cat > "$1"; echo "$2" > "$1.arg"', 5, [out, "$(id); `id`"]);
    assert.deepEqual(outcome, { result: "sent" });
    const record = JSON.parse(readFileSync(out, "utf8"));
    assert.deepEqual([record.version, record.key, record.alert.id], [1, "alert b4f00d opened", "b4f00d"]);
    assert.equal(readFileSync(`${out}.arg`, "utf8"), "$(id); `id`\n");
  });
  test("that ends with 75 is run again, with anything else but 0 it refused", async () => {
    assert.equal((await runs("exit 75")).result, "retry");
    const no = await runs("echo 'no such room' >&2; exit 3");
    assert.ok(no.result === "refused" && /ended with 3: no such room/.test(no.error));
  });
  test("that does not read its input, or writes without end, is no trouble", async () => {
    assert.equal((await runs("exec <&-; exit 0")).result, "sent");
    assert.equal(
      (await runs("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; exit 0")).result,
      "sent",
    );
  });
  test("that takes too long is ended with all that it started, and run again later", async () => {
    const pids = join(folder(), "pids");
    const outcome = await runs(
      `sh -c 'trap "" TERM; echo $$ > ${pids}; sleep 60 & echo $! >> ${pids}; wait' & wait`,
      0.5,
    );
    assert.ok(outcome.result === "retry" && /took too long/.test(outcome.error));
    await sleep(200);
    for (const pid of readFileSync(pids, "utf8").trim().split("\n"))
      assert.ok(!alive(Number(pid)), `process ${pid}`);
  });
  test("that is not there is a fault", async () => {
    const channel = { ...base, name: "cmd", type: "command", command: ["/no/such"], timeoutS: 5 } as const;
    await assert.rejects(
      commandSender({ ...channel, command: ["/no/such"] }, context).send(told, never),
      (e) => e instanceof Fault && e.exit === "unavailable" && /\/no\/such \(ENOENT\)/.test(e.message),
    );
  });
});

suite("sendmail", () => {
  const via = (text: string): Promise<Outcome> =>
    mailSender(
      mailChannel({ by: "sendmail", program: script(text) }, { to: ["a@example.org", "-x@example.org"] }),
      context,
    ).send(told, never);
  test("is called without a shell, the recipients behind a --, the message with LF", async () => {
    const out = join(folder(), "out");
    assert.equal((await via(`printf '%s\\n' "$@" > ${out}.args; cat > ${out}`)).result, "sent");
    assert.deepEqual(readFileSync(`${out}.args`, "utf8").trim().split("\n"), [
      "-i",
      "-f",
      "logvane@mx1.example",
      "--",
      "a@example.org",
      "-x@example.org",
    ]);
    const raw = readFileSync(out);
    assert.ok(!raw.includes("\r"));
    assert.equal((await parseMail(raw)).messageId, "<alert.b4f00d.opened@logvane.mx1.example>");
  });
  test("says by its exit code whether to try again", async () => {
    for (const [code, result] of [
      [75, "retry"],
      [71, "retry"],
      [78, "retry"],
      [69, "retry"],
      [64, "refused"],
      [65, "refused"],
      [67, "refused"],
    ] as const)
      assert.equal((await via(`exit ${code}`)).result, result, String(code));
    const killed = await via("kill -9 $$");
    assert.ok(killed.result === "retry" && /SIGKILL/.test(killed.error));
  });
});

suite("a file", () => {
  const sender = (path: string): ReturnType<typeof fileSender> =>
    fileSender({ ...base, name: "file", type: "file", path }, context);
  test("gets one line a notification, and is for its owner alone", async () => {
    const path = join(folder(), "alerts.ndjson");
    const twice = sender(path);
    await twice.send(told, never);
    await twice.send(deliveryOf(alertTold({ id: "c0ffee", title: HOSTILE })), never);
    const lines = readFileSync(path, "utf8").split("\n");
    assert.equal(lines.length, 3);
    assert.deepEqual(
      lines.slice(0, 2).map((l) => JSON.parse(l).alert.id),
      ["b4f00d", "c0ffee"],
    );
    assert.equal(JSON.parse(lines[1]!).alert.title, HOSTILE);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
  test("has a line once, even when it was not known to be written", async () => {
    const path = join(folder(), "f");
    await sender(path).send(told, never);
    await sender(path).send(told, never);
    assert.equal(readFileSync(path, "utf8").split("\n").length, 2);
  });
  test("with a torn line at its end goes on with a new one", async () => {
    const path = join(folder(), "f");
    writeFileSync(path, '{"torn":');
    await sender(path).send(told, never);
    assert.equal(JSON.parse(readFileSync(path, "utf8").split("\n")[1]!).key, "alert b4f00d opened");
  });
  test("that is a folder, a FIFO, or below nothing is a fault, and holds nobody", async () => {
    const dir = folder();
    mkdirSync(join(dir, "d"));
    spawnSync("mkfifo", [join(dir, "fifo")]);
    symlinkSync("/no/such/file", join(dir, "link"));
    for (const name of ["d", "fifo", "link", "no/file"])
      await assert.rejects(
        sender(join(dir, name)).send(told, never),
        (e) => e instanceof Fault && e.exit === "io" && e.message.includes(name),
      );
  });
  test("on a full disk is a fault that leaves no half line", async () => {
    await assert.rejects(sender("/dev/full").send(told, never), (e) => e instanceof Fault);
  });
});

suite("the journal", () => {
  const channel = { ...base, name: "journal", type: "journal" } as const;
  test("that does not run is waited for", async () => {
    const outcome = await journalSender(channel, context, "logger", "/no/socket").send(told, never);
    assert.ok(outcome.result === "retry" && /journald does not run/.test(outcome.error));
  });
  test("is given one field a line, priorities mapped, whatever the log holds", async () => {
    const out = join(folder(), "out");
    const program = script(`echo "$@" > ${out}.args; cat > ${out}`);
    const hostile = deliveryOf(alertTold({ title: `x\nPRIORITY=0\n${HOSTILE}` }));
    await journalSender(channel, context, program, "/").send(hostile, never);
    assert.equal(readFileSync(`${out}.args`, "utf8"), "--journald\n");
    const fields = readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split("=", 1)[0]);
    assert.deepEqual(fields, [
      "MESSAGE",
      "PRIORITY",
      "SYSLOG_IDENTIFIER",
      "LOGVANE_TYPE",
      "LOGVANE_KEY",
      "LOGVANE_SERVER",
      "LOGVANE_ID",
      "LOGVANE_EVENT",
      "LOGVANE_SEVERITY",
      "LOGVANE_KIND",
    ]);
    assert.match(readFileSync(out, "utf8"), /^PRIORITY=3$/m);
    assert.doesNotMatch(readFileSync(out, "utf8"), /^PRIORITY=0|\u001b/m);
  });
  test("that can't be written is tried again", async () => {
    const outcome = await journalSender(channel, context, script("exit 1"), "/").send(told, never);
    assert.equal(outcome.result, "retry");
  });
  const root = spawnSync("unshare", ["-m", "true"]).status === 0;
  const missing = needs("logger", "unshare", "python3");
  test(
    "takes what the real logger writes",
    root || missing.skip !== undefined ? missing : { skip: "needs a mount namespace" },
    async () => {
      const out = join(folder(), "out");
      const receive = `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
s.settimeout(20)
open("${out}.ready", "w").close()
open("${out}", "wb").write(s.recv(65536))`;
      writeFileSync(`${out}.py`, receive);
      const program = script(`exec unshare -m sh -c '
mkdir -p /run/systemd/journal && mount -t tmpfs none /run/systemd/journal || exit 9
python3 ${out}.py & while [ ! -e ${out}.ready ]; do sleep .05; done
logger "$1"; wait' sh "$@"`);
      assert.deepEqual(await journalSender(channel, context, program, "/").send(told, never), {
        result: "sent",
      });
      const entry = readFileSync(out, "utf8");
      assert.match(
        entry,
        /^MESSAGE=\[mx1\.example\] high: Many failed log-ins from 192\.0\.2\.9: 412 log-ins/m,
      );
      assert.match(entry, /^PRIORITY=3$/m);
      assert.match(entry, /^LOGVANE_ID=b4f00d$/m);
    },
  );
});
