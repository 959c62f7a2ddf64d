import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { ListenConfig } from "../../src/config/config.ts";
import { LineBatch } from "../../src/log/lines.ts";
import type { Refusal } from "../../src/source/otlp-answer.ts";
import { OtlpReceiver } from "../../src/source/otlp-receiver.ts";
import { Spool } from "../../src/source/spool.ts";
import { plainReader } from "../mail/support.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { requestOf } from "./otlp-support.ts";
import { workspace } from "./support.ts";

const folder = workspace("otlp");
let ports = 20_000 + ((process.pid + 9_000) % 20_000);
const JSON_TYPE = { "Content-Type": "application/json" };
const MIB = 1024 * 1024;

const listener = (): ListenConfig => ({
  ...{ protocol: "otlp", address: "127.0.0.1", port: ports++, certificate: undefined, key: undefined },
});

type Answer = { readonly status: number; readonly headers: Headers; readonly body: string };

async function send(
  port: number,
  body: string | Uint8Array,
  more: RequestInit = {},
  path = "/v1/logs",
): Promise<Answer> {
  const init = { method: "POST", body: body as never, ...more, headers: { ...JSON_TYPE, ...more.headers } };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const LINE =
  "Nov 29 10:00:00 mx1 postfix/smtp[7]: 4Xy1Zz0abcz1: to=<ann@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1.1, delays=0.1/0/0.5/0.5, dsn=2.0.0, status=sent (250 ok)";
const one = (body = LINE): string => JSON.stringify(requestOf([{ body }]));

/** Sends until the answer is the one that is due, soon or late. */
async function answered(port: number, status: number): Promise<void> {
  const until = Date.now() + 30_000;
  let last = 0;
  while (last !== status && Date.now() < until) {
    last = await send(port, one()).then(
      (answer) => answer.status,
      () => 0, // no connection is free yet
    );
    if (last !== status) await wait(20);
  }
  assert.equal(last, status);
}

async function started(config: ListenConfig, stateDir: string = folder()): Promise<Daemon> {
  const daemon = new Daemon(logConfig([], { listen: [config] }), { stateDir });
  await daemon.start();
  return daemon;
}

/** A receiver alone. keep: what becomes of lines. */
async function receiver(
  keep: (lines: Buffer) => Promise<boolean>,
): Promise<OtlpReceiver & { refused: Refusal[] }> {
  const refused: Refusal[] = [];
  const events = {
    onLines: keep,
    onRefused: (why: Refusal) => void refused.push(why),
    onError: (error: Error) => assert.fail(error),
    now: Date.now,
  };
  const made = new OtlpReceiver({ ...listener(), port: 0 }, events);
  await made.open();
  after(() => made.close()); // or a test that fails would keep the process
  return Object.assign(made, { refused });
}

suite("an OTLP listener", () => {
  test("takes records, whose lines are read as events of Postfix", async () => {
    const config = listener();
    const daemon = await started(config);
    const journal = {
      ...{ MESSAGE: "connect from unknown[192.0.2.1]", SYSLOG_IDENTIFIER: "postfix/smtpd", _PID: "7" },
      _HOSTNAME: "mx1",
    };
    const attributes = { appname: "postfix/qmgr", hostname: "mx1", proc_id: "9" };
    const request = requestOf([
      { body: LINE },
      { body: journal },
      { body: "4Xy1Zz0abcz1: removed", attributes },
    ]);
    const answer = await send(config.port, JSON.stringify(request));
    assert.deepEqual([answer.status, answer.body], [200, "{}"]);
    assert.match(answer.headers.get("content-type")!, /^application\/json/);
    const zipped = await send(config.port, gzipSync(one(LINE.replace("sent", "deferred"))), {
      headers: { "Content-Encoding": "gzip", "Content-Type": "application/json; charset=utf-8" },
    });
    assert.equal(zipped.status, 200);
    await daemon.readTo(4);
    assert.equal(daemon.seen[0]!.source, `listen:otlp:127.0.0.1:${config.port}`);
    const reader = plainReader();
    const lines = new LineBatch();
    const events = daemon.texts.map((text) => {
      lines.reset(Buffer.from(text), 1);
      lines.add(0, Buffer.byteLength(text));
      const { event, queueId, fields, host } = reader.read("-", lines, 0);
      return [event, host, queueId, fields["status"]];
    });
    assert.deepEqual(events, [
      ["delivery", "mx1", "4Xy1Zz0abcz1", "sent"],
      ["connect", "mx1", undefined, undefined],
      ["removed", "mx1", "4Xy1Zz0abcz1", undefined],
      ["delivery", "mx1", "4Xy1Zz0abcz1", "deferred"],
    ]);
  });
  test("answers when the lines are written: what it took survives a kill", async () => {
    const config = listener();
    const state = folder();
    const daemon = await started(config, state);
    for (let i = 0; i < 3; i++) assert.equal((await send(config.port, one(`${LINE} ${i}`))).status, 200);
    await daemon.kill();
    await daemon.start();
    assert.equal((await send(config.port, one(`${LINE} 3`))).status, 200);
    await daemon.readTo(4);
    assert.deepEqual(
      daemon.texts,
      [0, 1, 2, 3].map((i) => `${LINE} ${i}`),
    );
  });
  test("says how many records have no body, and takes the others", async () => {
    const config = listener();
    const daemon = await started(config);
    const answer = await send(
      config.port,
      JSON.stringify(requestOf([{ body: "" }, { body: LINE }, { body: "\n" }])),
    );
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.body).partialSuccess.rejectedLogRecords, "2");
    await daemon.readTo(1);
  });
  test("tells once a minute what it refused, and goes on", async () => {
    const config = listener();
    const daemon = await started(config);
    for (let i = 0; i < 3; i++) assert.equal((await send(config.port, "{")).status, 400);
    await daemon.read(1200);
    assert.deepEqual(
      daemon.faults.map((fault) => fault.message),
      ["3 requests were refused: this is no OTLP in JSON"],
    );
    assert.equal(daemon.follower!.status()[0]!.state, "ok");
  });
});

suite("a request that an OTLP listener refuses", () => {
  const kept = async (): Promise<boolean> => true;
  test("is told why in the form that it came in", async () => {
    const made = await receiver(kept);
    const proto = { "Content-Type": "application/x-protobuf" };
    const cases: readonly [string, number, RegExp, string | Uint8Array, RequestInit?, string?][] = [
      ["protobuf", 415, /encoding: json/, new Uint8Array(30), { headers: proto }],
      ["type", 415, /application\/json/, "x", { headers: { "Content-Type": "text/plain" } }],
      ["encoding", 415, /gzip/, "x", { headers: { "Content-Encoding": "zstd" } }],
      ["path", 404, /\/v1\/logs/, "{}", {}, "/v1/traces"],
      ["method", 405, /POST/, "{}", { method: "PUT" }],
      ["no OTLP", 400, /JSON/, ""],
      ["no OTLP", 400, /resourceLogs is no list/, '{"resourceLogs":7}'],
      ["no OTLP", 400, /no gzip/, "{}", { headers: { "Content-Encoding": "gzip" } }],
      ["no OTLP", 400, /JSON/, "[".repeat(4 * MIB)],
      ["large", 413, /4 MiB/, " ".repeat(4 * MIB + 1)],
      [
        "large",
        413,
        /8 MiB/,
        gzipSync(Buffer.alloc(100 * MIB, " ")),
        { headers: { "Content-Encoding": "gzip" } },
      ],
    ];
    for (const [why, status, words, body, init, path] of cases) {
      const answer = await send(made.port, body, init, path);
      assert.equal(answer.status, status, why);
      if (why !== "protobuf") assert.match(JSON.parse(answer.body).message, words);
      else {
        assert.equal(answer.headers.get("content-type"), "application/x-protobuf");
        assert.deepEqual(
          [answer.body.charCodeAt(0), answer.body.charCodeAt(1)],
          [0x12, answer.body.length - 2],
        );
        assert.match(answer.body, words);
      }
      assert.equal(answer.headers.get("retry-after"), null);
    }
    assert.deepEqual(
      made.refused,
      cases.map(([why]) => why),
    );
    assert.equal((await send(made.port, one())).status, 200);
    await made.close();
  });
  test("because the lines can't be kept is to come again", async () => {
    const made = await receiver(async () => false);
    const answer = await send(made.port, one());
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "5");
    assert.deepEqual(made.refused, ["full"]);
    await made.close();
  });
  test("because too much is being received is to come again", async () => {
    const made = await receiver(kept);
    const head = `POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${4 * MIB}\r\n\r\n`;
    const slow = Array.from({ length: 4 }, () =>
      connect(made.port, "127.0.0.1").on("error", () => undefined),
    );
    for (const socket of slow) socket.write(head + " ".repeat(4 * MIB - 1));
    await answered(made.port, 503); // once the four are being received
    for (const socket of slow) socket.destroy();
    await answered(made.port, 200);
    await made.close();
  });
  test("and one that is none, or half of one, hurt nobody", async () => {
    const made = await receiver(kept);
    for (const text of [
      "\0\0\0\n\n",
      "GET / HTTP/9.9\r\n\r\n",
      "POST /v1/logs HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ]) {
      const socket = connect(made.port, "127.0.0.1").on("error", () => undefined);
      socket.end(text);
      await once(socket.resume(), "close");
    }
    const many = Array.from({ length: 150 }, () =>
      connect(made.port, "127.0.0.1").on("error", () => undefined),
    );
    await wait(200);
    for (const socket of many) socket.destroy();
    await answered(made.port, 200);
    await made.close();
  });
});

suite("a spool that senders wait for", () => {
  const line = (size: number): Buffer => Buffer.from(`${"x".repeat(size - 1)}\n`);
  test("takes all lines or none, and drops nothing", async () => {
    const spool = await Spool.open(join(folder(), "spool"), () => undefined, {
      segmentBytes: 100,
      maxBytes: 1000,
    });
    assert.equal(await spool.put(line(900)), true);
    assert.equal(await spool.put(line(200)), false);
    assert.equal(await spool.put(line(100)), true);
    assert.deepEqual([spool.bytes, spool.dropped], [1000, 0]);
    await spool.close();
    assert.equal(await spool.put(line(1)), false);
  });
  test("gives back what a disk does not take, and takes again by itself", async () => {
    const dir = join(folder(), "spool");
    const spool = await Spool.open(dir, () => undefined);
    rmSync(dir, { recursive: true });
    assert.equal(await spool.put(line(10)), false);
    assert.equal((spool.error as NodeJS.ErrnoException).code, "ENOENT");
    assert.equal(await spool.put(line(10)), false);
    await wait(1200);
    assert.notEqual(spool.error, undefined); // it is looked after, and still so
    const again = await Spool.open(dir, () => undefined); // makes the folder
    await again.close();
    for (let i = 0; i < 50 && spool.error !== undefined; i++) await wait(50);
    assert.equal(await spool.put(line(10)), true);
    assert.equal(spool.bytes, 10);
    await spool.close();
  });
});
