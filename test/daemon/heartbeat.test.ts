import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Heartbeat } from "../../src/daemon/heartbeat.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-heartbeat-"));
after(() => rmSync(root, { recursive: true, force: true }));

type Receiver = { readonly url: string; readonly asked: string[]; readonly server: Server };

/** answer: how the server answers. */
async function receiver(answer: (response: ServerResponse) => void): Promise<Receiver> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(response);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping`, asked, server };
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i++) await sleep(10);
  assert.ok(what());
}

const NOW = Date.UTC(2026, 8, 21);
const none = { url: undefined, file: undefined };

suite("the heartbeat", () => {
  test("asks the URL and writes the file when it is time, and not between", async () => {
    const { url, asked } = await receiver((response) => response.end("OK"));
    const file = join(root, "beat");
    const failures: string[] = [];
    const heart = new Heartbeat({ url, file, everyS: 60 }, (what) => failures.push(what));
    heart.beat(NOW, 0);
    await until(() => asked.length === 1);
    await sleep(50);
    heart.beat(NOW + 59_000, 59_000);
    assert.equal(readFileSync(file, "utf8"), "2026-09-21T00:00:00.000Z\n");
    heart.beat(NOW + 60_000, 60_000);
    await until(() => asked.length === 2);
    assert.equal(readFileSync(file, "utf8"), "2026-09-21T00:01:00.000Z\n");
    assert.deepEqual(asked, ["GET /ping", "GET /ping"]);
    assert.deepEqual(failures, []);
  });
  test("beats on when the system's clock is set back", async () => {
    const file = join(root, "back");
    const heart = new Heartbeat({ ...none, file, everyS: 60 }, assert.fail);
    heart.beat(NOW, 0);
    heart.beat(NOW - 3_600_000, 60_000);
    assert.equal(readFileSync(file, "utf8"), "2026-09-20T23:00:00.000Z\n");
  });
  test("tells each failure in words that are always the same", async () => {
    const { url, server } = await receiver((response) => response.writeHead(503).end());
    const failures: string[] = [];
    const file = join(root, "none/beat");
    const heart = new Heartbeat({ url, file, everyS: 60 }, (what) => failures.push(what));
    for (const i of [0, 1]) {
      heart.beat(NOW, i * 60_000);
      await until(() => failures.length === 2 * i + 2);
      await sleep(20);
    }
    const [write, answers] = failures;
    assert.equal(write, `cannot write the heartbeat file ${file} (ENOENT)`);
    assert.equal(answers, "the heartbeat URL answers 503");
    assert.equal(new Set(failures).size, 2, "the service says the same thing once");
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    heart.beat(NOW, 120_000);
    await until(() => failures.length === 6);
    assert.match(failures[5]!, /^the heartbeat URL does not answer \((ECONNREFUSED|UND_ERR_SOCKET)\)$/);
  });
  test("follows no redirect: who answers for another is not who was named", async () => {
    const other = await receiver((response) => response.end());
    const { url } = await receiver((response) => response.writeHead(302, { location: other.url }).end());
    const failures: string[] = [];
    new Heartbeat({ ...none, url, everyS: 60 }, (what) => failures.push(what)).beat(NOW, 0);
    await until(() => failures.length === 1);
    assert.match(failures[0]!, /does not answer/);
    assert.deepEqual(other.asked, []);
  });
  test("asks no second time while the first is not answered", async () => {
    const held: ServerResponse[] = [];
    const { url, asked } = await receiver((response) => held.push(response));
    const heart = new Heartbeat({ ...none, url, everyS: 60 }, assert.fail);
    heart.beat(NOW, 0);
    await until(() => asked.length === 1);
    heart.beat(NOW, 60_000);
    await sleep(50);
    assert.equal(asked.length, 1);
    held[0]!.end();
    await sleep(50);
    heart.beat(NOW, 120_000);
    await until(() => asked.length === 2);
    held[1]!.end();
  });
});
