import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { ListenConfig } from "../../src/config/config.ts";
import { Deframer } from "../../src/source/framing.ts";
import { Spool } from "../../src/source/spool.ts";
import { lineOf } from "../../src/source/syslog-line.ts";
import { needs } from "../support/need.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { workspace } from "./support.ts";

const folder = workspace("listen");
let ports = 20_000 + (process.pid % 20_000);

const listener = (protocol: ListenConfig["protocol"], more: Partial<ListenConfig> = {}): ListenConfig => ({
  ...{ protocol, address: "127.0.0.1", port: ports++, certificate: undefined, key: undefined },
  ...more,
});

async function started(config: ListenConfig, stateDir: string = folder()): Promise<Daemon> {
  const daemon = new Daemon(logConfig([], { listen: [config] }), { stateDir });
  await daemon.start();
  return daemon;
}

function sendTcp(port: number, parts: readonly (string | Uint8Array)[]): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part);
      socket.end(() => done());
    });
    socket.on("error", fail);
  });
}

const MESSAGE = "<22>Nov 29 10:00:00 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]";

suite("frames in a TCP stream", () => {
  const framed = (text: string, size: number): string[] => {
    const out: string[] = [];
    const frames = new Deframer((message) => void out.push(Buffer.from(message).toString()));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) frames.push(bytes.subarray(at, at + size));
    frames.end();
    return out.map((message) => message.trimEnd());
  };
  const cases: readonly [string, string, readonly string[]][] = [
    ["messages ended by LF", "<1>a\n<2>b\n", ["<1>a", "<2>b"]],
    ["counted messages", "4 <1>a6 <2>b\nc", ["<1>a", "<2>b\nc"]],
    ["both, and empty lines", "4 <1>a\n<2>b\n\n5 <3>cd", ["<1>a", "<2>b", "<3>cd"]],
    [
      "a line that begins with a number",
      "10 apples\n2026-11-29T10:00:00Z x\n",
      ["10 apples", "2026-11-29T10:00:00Z x"],
    ],
    ["a count beyond all bytes", "999999 <1>a", ["<1>a"]],
    ["no count, and no LF at the end", "<1>a", ["<1>a"]],
  ];
  for (const [name, text, want] of cases)
    test(`${name}, in any pieces`, () => {
      for (const size of [1, 2, 3, 5, 1000]) assert.deepEqual(framed(text, size), want);
    });
  test("a message without end holds no more than a line", () => {
    const [message, next] = framed(`${"<1>"}${"x".repeat(3e6)}\n<2>b\n`, 10_000);
    assert.equal(message!.length, 8192);
    assert.equal(next, "<2>b");
  });
});

suite("a message as a line", () => {
  const NOW = Date.parse("2026-11-29T10:00:00.123Z");
  const line = (message: string | Uint8Array): string | undefined =>
    lineOf(Buffer.from(message as string), "192.0.2.9", NOW)?.toString();
  test("with a time is kept as it came", () => {
    assert.equal(line(MESSAGE), `${MESSAGE}\n`);
    assert.equal(
      line("<22>1 2026-11-29T10:00:00Z mx1 app 7 - - x\n"),
      "<22>1 2026-11-29T10:00:00Z mx1 app 7 - - x\n",
    );
  });
  test("without a time gets ours and its sender, without a priority user.notice", () => {
    assert.equal(line("<22>postfix: x"), "<22>2026-11-29T10:00:00.123+00:00 192.0.2.9 postfix: x\n");
    assert.equal(line("hello"), "<13>2026-11-29T10:00:00.123+00:00 192.0.2.9 hello\n");
  });
  test("is one line, whatever it holds", () => {
    assert.equal(
      line(`${MESSAGE}\nNov 29 10:00:01 mx1 forged[1]: x\0\r\n`),
      `${MESSAGE} Nov 29 10:00:01 mx1 forged[1]: x\n`,
    );
    assert.ok(line("y".repeat(20_000))!.length <= 8193);
    assert.equal(line("\n\0"), undefined);
  });
});

suite("a syslog listener", () => {
  test("takes datagrams", async () => {
    const config = listener("udp");
    const daemon = await started(config);
    const socket = createSocket("udp4");
    for (let i = 0; i < 50; i++)
      await new Promise((done) => socket.send(`${MESSAGE} ${i}`, config.port, "127.0.0.1", done));
    socket.close();
    await daemon.readTo(50);
    assert.deepEqual(
      daemon.texts,
      Array.from({ length: 50 }, (_, i) => `${MESSAGE} ${i}`),
    );
    assert.equal(daemon.seen[49]!.line, 50);
    assert.equal(daemon.seen[0]!.source, `listen:udp:127.0.0.1:${config.port}`);
  });
  test("takes streams, and goes on after kill -9 with what it had not committed", async () => {
    const config = listener("tcp");
    const state = folder();
    const daemon = await started(config, state);
    await sendTcp(config.port, [`${MESSAGE} 0\n`, `${MESSAGE.length + 2} ${MESSAGE} 1`, `${MESSAGE} 2\n`]);
    await daemon.readTo(3);
    const seen = daemon.seen.length;
    await sendTcp(config.port, [`${MESSAGE} 3\n${MESSAGE} 4\n`]);
    await new Promise((done) => setTimeout(done, 500)); // written, not read
    await daemon.kill();
    await daemon.start();
    await sendTcp(config.port, [`${MESSAGE} 5\n`]);
    await daemon.readTo(seen + 3);
    assert.deepEqual(
      daemon.texts.map((text) => text.at(-1)),
      [..."012345"],
    );
    const again: string[] = [];
    for (const run of daemon.runs)
      for await (const { lines } of daemon.follower!.reread(run))
        for (const { text } of lines) again.push(text);
    assert.deepEqual(again, daemon.texts);
    daemon.follower!.committed(daemon.positions);
    await new Promise((done) => setTimeout(done, 200));
    const spool = join(state, "spool", readdirSync(join(state, "spool"))[0]!);
    assert.deepEqual(readdirSync(spool), ["0002.log"]);
    // A power cut takes the end of the segment: the next message is not lost for it.
    await daemon.kill();
    truncateSync(join(spool, "0002.log"), 10);
    await daemon.start();
    await sendTcp(config.port, [`${MESSAGE} 6\n`]);
    await daemon.readTo(seen + 4);
  });
  test("loses nothing that was written when its process is killed", async () => {
    const config = logConfig([], { listen: [listener("tcp")] });
    const state = folder();
    const follow = new URL("../../src/source/follow.js", import.meta.url).href;
    const script = `import { Follower } from ${JSON.stringify(follow)};
      await Follower.open(${JSON.stringify(config)}, new Map(), { stateDir: ${JSON.stringify(state)}, now: Date.now });
      console.log("ready"); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const sent = Array.from({ length: 2000 }, (_, i) => `${MESSAGE} ${i}`);
    await sendTcp(config.listen[0]!.port, [`${sent.join("\n")}\n`]);
    const file = join(state, "spool", readdirSync(join(state, "spool"))[0]!, "0001.log");
    const size = sent.join("\n").length + 1;
    for (let i = 0; i < 100 && !(existsSync(file) && statSync(file).size === size); i++) await wait(50);
    child.kill("SIGKILL");
    await once(child, "close");
    const daemon = new Daemon(config, { stateDir: state });
    await daemon.start();
    await daemon.readTo(2000);
    assert.equal(daemon.texts.join("\n"), sent.join("\n"));
  });
  test("takes TLS, and not those who don't speak it", needs("openssl"), async () => {
    const dir = folder();
    const [certificate, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ].concat(
        ...[
          ["-subj", "/CN=localhost"],
          ["-keyout", key],
          ["-out", certificate],
        ],
      ),
      { stdio: "ignore" },
    );
    const config = listener("tls", { certificate, key });
    const daemon = await started(config);
    await sendTcp(config.port, ["no handshake at all\n"]).catch(() => undefined);
    const ca = readFileSync(certificate);
    await new Promise<void>((done, fail) => {
      const socket = connectTls({ port: config.port, host: "127.0.0.1", ca, servername: "localhost" }, () =>
        socket.end(`${MESSAGE.length} ${MESSAGE}`, () => done()),
      );
      socket.on("error", fail);
    });
    await daemon.readTo(1);
    assert.deepEqual(daemon.texts, [MESSAGE]);
  });
  test("speaks with logger(1)", needs("logger"), async () => {
    for (const [protocol, flags] of [
      ["udp", ["--udp"]],
      ["tcp", ["--tcp"]],
      ["tcp", ["--tcp", "--octet-count"]],
      ["udp", ["--udp", "--rfc3164"]],
    ] as const) {
      const config = listener(protocol);
      const daemon = await started(config);
      const args = ["--server", "127.0.0.1", "--port", String(config.port), "--tag", "postfix/smtp"];
      execFileSync("logger", [...args, ...flags, "status=sent"]);
      await daemon.readTo(1);
      assert.match(daemon.texts[0]!, /^<13>.*postfix\/smtp.*status=sent$/);
      await daemon.kill();
    }
  });
  test("whose port is taken says so, and listens when it is free", async () => {
    const config = listener("tcp");
    const first = await started(config);
    const second = await started(config);
    const [status] = second.follower!.status();
    assert.equal(status!.state, "failed");
    assert.match(status!.fault!.format(), /EADDRINUSE[\s\S]*another program listens there/);
    await first.kill();
  });
  test("keeps its connections few: the one silent longest goes", async () => {
    const config = listener("tcp");
    await started(config);
    let closed = 0;
    const sockets = Array.from({ length: 210 }, () =>
      connect(config.port, "127.0.0.1")
        .on("close", () => closed++)
        .on("error", () => undefined),
    );
    for (let i = 0; i < 100 && closed < 10; i++) await new Promise((done) => setTimeout(done, 50));
    assert.equal(closed, 10);
    for (const socket of sockets) socket.destroy();
  });
});

suite("a spool", () => {
  test("goes on in segments, and drops what is beyond its size, counted", async () => {
    const dir = join(folder(), "spool");
    let written = 0;
    const spool = await Spool.open(dir, () => written++, { segmentBytes: 100, maxBytes: 1000 });
    for (let i = 0; i < 30; i++) {
      spool.add(Buffer.from(`${"x".repeat(49)}\n`));
      await new Promise((done) => setTimeout(done, 60));
    }
    assert.equal(spool.dropped, 10);
    assert.equal(spool.bytes, 1000);
    assert.ok(spool.segments.length >= 4);
    await spool.release(3);
    assert.equal(spool.segments[0], 3);
    assert.ok(spool.add(Buffer.from("room again\n")));
    await spool.close();
    assert.ok(existsSync(spool.pathOf(spool.current)));
    assert.ok(written > 0);
    const next = await Spool.open(dir, () => undefined);
    assert.equal(next.current, spool.current + 1);
    await next.close();
  });
});
