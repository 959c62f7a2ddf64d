import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import type { WebhookChannel } from "../../src/config/config.ts";
import type { Outcome } from "../../src/deliver/sender.ts";
import { webhookSender } from "../../src/deliver/webhook.ts";
import { Fault } from "../../src/fault.ts";
import type { Notification } from "../../src/report/notification.ts";
import { HOSTILE, hostileAlert } from "../report/support.ts";
import { alertTold, context, deliveryOf, folder, NOW, reportTold } from "./support.ts";

type Asked = { method: string; url: string; headers: IncomingMessage["headers"]; body: unknown };
let server: Server;
let base = "";
let asked: Asked[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const reply =
  (status: number, headers: Record<string, string> = {}, text = "") =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(text);
  };

before(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      asked.push({ method, url, headers, body: JSON.parse(Buffer.concat(parts).toString("utf8")) });
      answer(request, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answer = reply(200);
});

function channel(path: string, format: WebhookChannel["format"], tokenFile?: string): WebhookChannel {
  const url = path.startsWith("http") ? path : base + path;
  return {
    name: "hook",
    type: "webhook",
    when: "always",
    minSeverity: "low",
    report: true,
    url,
    format,
    tokenFile,
  };
}
const never = new AbortController().signal;
const send = (
  told: Notification,
  path: string,
  format: WebhookChannel["format"] = "json",
  timeoutMs = 5000,
): Promise<Outcome> => webhookSender(channel(path, format), context, timeoutMs).send(deliveryOf(told), never);

/** The body of the only request, after a sending that went well. */
async function bodyOf<T>(told: Notification, path: string, format: WebhookChannel["format"]): Promise<T> {
  assert.deepEqual(await send(told, path, format), { result: "sent" });
  assert.equal(asked.length, 1);
  return asked[0]!.body as T;
}

type Json = { type: string; text: string; alert: { kind: string }; report: { day: string } };
type SlackText = { type: string; text: string };
type Slack = { text: string; blocks: { type: string; text?: SlackText; elements: SlackText[] }[] };
type Ntfy = { message: string; priority: number };
type Matrix = { formatted_body: string };
type Posted = {
  labels: { severity: string };
  annotations: { summary: string };
  startsAt: string;
  endsAt: string;
}[];

suite("a webhook of format json", () => {
  test("is given the documented record", async () => {
    const body = await bodyOf<Json>(alertTold(), "/hook?x=1", "json");
    const { text, alert, ...rest } = body;
    assert.deepEqual(rest, {
      version: 1,
      type: "alert",
      event: "opened",
      key: "alert b4f00d opened",
      server: "mx1.example",
      release: "0.1.0",
      at: "2026-09-21T02:31:00.000Z",
      title: "[mx1.example] high: Many failed log-ins from 192.0.2.9",
    });
    assert.match(text, /^Many failed log-ins/);
    assert.equal(alert.kind, "bruteforce");
    const [request] = asked;
    assert.deepEqual([request!.method, request!.url], ["POST", "/hook?x=1"]);
    assert.match(String(request!.headers["idempotency-key"]), /^"[0-9a-f]{32}"$/);
    assert.equal(request!.headers["user-agent"], "logvane/0.1.0");
    assert.match(String(request!.headers["content-type"]), /^application\/json/);
  });
  test("has the same Idempotency-Key at every try, and another for another event", async () => {
    await send(alertTold(), "/");
    await send(alertTold(), "/");
    await send(alertTold({}, "worse"), "/");
    const keys = asked.map((a) => a.headers["idempotency-key"]);
    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[1], keys[2]);
  });
  test("is given reports and tests as well", async () => {
    const body = await bodyOf<Json>(reportTold, "/", "json");
    assert.equal(body.type, "report");
    assert.match(body.text, /^mx1\.example, Sunday 20 September 2026\n/);
    assert.equal(body.report.day, "2026-09-20");
  });
});

suite("a webhook of format slack", () => {
  test("is given a text and blocks within Slack's limits", async () => {
    const body = await bodyOf<Slack>(alertTold(), "/services/T/B/x", "slack");
    assert.equal(body.text, "[mx1.example] high: Many failed log-ins from 192.0.2.9");
    assert.deepEqual(
      body.blocks.map((b) => b.type),
      ["header", "section", "section", "section", "section", "section", "context"],
    );
    assert.match(JSON.stringify(body.blocks), /```mail\.log:17\\nSep 21/);
  });
  test("mentions nobody and links nowhere, whatever the log holds", async () => {
    const evil = `<!channel> <https://evil.example|click> *bold* \`\`\` ${HOSTILE}`;
    const lines = [{ file: evil, line: 1, text: evil + "x".repeat(10_000) }];
    const body = await bodyOf<Slack>(
      alertTold({ ...hostileAlert(), title: evil, summary: evil, lines }),
      "/",
      "slack",
    );
    for (const block of body.blocks) {
      const { text, type } = block.text ?? block.elements[0]!;
      assert.ok(text.length <= (block.type === "header" ? 150 : 3000), `${block.type} of ${text.length}`);
      if (type === "mrkdwn") assert.doesNotMatch(text, /<|[^`]```[^`]+```[^`]/);
    }
    assert.doesNotMatch(body.text, /</);
  });
});

suite("a webhook of format ntfy", () => {
  test("publishes to the topic at the end of the address, with priority and tags", async () => {
    const body = await bodyOf<Ntfy>(alertTold(), "/base/mail%2Dalerts", "ntfy");
    assert.equal(asked[0]!.url, "/base/");
    const { message, ...rest } = body;
    assert.deepEqual(rest, {
      topic: "mail-alerts",
      title: "[mx1.example] high: Many failed log-ins from 192.0.2.9",
      priority: 4,
      tags: ["rotating_light", "high"],
    });
    assert.match(message, /^Many failed log-ins/);
  });
  test("keeps below the 4096 bytes of a message", async () => {
    const told = alertTold({
      summary: "é".repeat(9000),
      lines: [{ file: "f", line: 1, text: "😀".repeat(5000) }],
    });
    const body = await bodyOf<Ntfy>(told, "/t", "ntfy");
    assert.ok(Buffer.byteLength(body.message) <= 4096);
    assert.doesNotMatch(body.message, /\ufffd/);
  });
  test("is quieter when it is over", async () =>
    assert.deepEqual((await bodyOf<Ntfy>(alertTold({}, "closed"), "/t", "ntfy")).priority, 2));
});

suite("a webhook of format matrix", () => {
  test("puts an event whose transaction id is the same at every try", async () => {
    await send(alertTold(), "/!room:mx.example", "matrix");
    await send(
      alertTold(),
      `/_matrix/client/v3/rooms/${encodeURIComponent("!room:mx.example")}/send/m.room.message`,
      "matrix",
    );
    assert.match(
      asked[0]!.url,
      /^\/_matrix\/client\/v3\/rooms\/!room(?::|%3A)mx\.example\/send\/m\.room\.message\/[0-9a-f]{32}$/,
    );
    assert.equal(asked[0]!.url.slice(-32), asked[1]!.url.slice(-32));
    const { method, body } = asked[0]! as Asked & { body: Record<string, string> };
    assert.equal(method, "PUT");
    assert.deepEqual(Object.keys(body).sort(), ["body", "format", "formatted_body", "msgtype"]);
    assert.deepEqual([body["msgtype"], body["format"]], ["m.text", "org.matrix.custom.html"]);
    assert.match(body["formatted_body"]!, /^<strong>\[mx1\.example\] high: /);
  });
  test("follows its own way of saying later", async () => {
    answer = reply(429, {}, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":120000}');
    const outcome = await send(alertTold(), "/!r:x", "matrix");
    assert.equal(outcome.result === "retry" && outcome.afterMs, 120_000);
  });
  test("holds no mark-up of the log", async () => {
    const body = await bodyOf<Matrix>(alertTold({ title: HOSTILE, summary: HOSTILE }), "/!r:x", "matrix");
    assert.doesNotMatch(body.formatted_body.replace(/<\/?(?:strong|pre|code)>/g, ""), /[<>]/);
  });
});

suite("a webhook of format alertmanager", () => {
  test("posts labels without addresses, and the text as annotations", async () => {
    const [alert, ...more] = await bodyOf<Posted>(alertTold(), "/am/", "alertmanager");
    assert.equal(more.length, 0);
    assert.equal(asked[0]!.url, "/am/api/v2/alerts");
    assert.deepEqual(alert?.labels, {
      service: "logvane",
      instance: "mx1.example",
      alertname: "Logvane bruteforce",
      severity: "high",
      kind: "bruteforce",
      class: "budget",
      view: "entity",
      logvane_id: "b4f00d",
    });
    assert.ok(alert !== undefined);
    assert.equal(alert.startsAt, "2026-09-21T02:30:00.000Z");
    assert.equal(alert.endsAt, new Date(NOW + 7 * 86_400_000).toISOString());
    assert.match(alert.annotations.summary, /192\.0\.2\.9/);
  });
  test("ends what is over, under every severity that it had", async () => {
    const worse = { updates: [{ at: NOW, severity: "critical" as const, title: "x" }] };
    const up = await bodyOf<Posted>(alertTold(worse, "worse"), "/", "alertmanager");
    assert.deepEqual(
      up.map((a) => [a.labels.severity, a.endsAt > "2026-09-22"]),
      [
        ["high", false],
        ["critical", true],
      ],
    );
    asked = [];
    const closed = await bodyOf<Posted>(
      alertTold({ ...worse, closedAt: Date.UTC(2026, 8, 21, 6) }, "closed"),
      "/api/v2/alerts",
      "alertmanager",
    );
    assert.deepEqual(
      closed.map((a) => [a.labels.severity, a.endsAt]),
      [
        ["high", "2026-09-21T06:00:00.000Z"],
        ["critical", "2026-09-21T06:00:00.000Z"],
      ],
    );
  });
});

suite("a receiver", () => {
  const result = async (path = "/"): Promise<string> => (await send(alertTold(), path)).result;
  test("that is busy or broken is asked again, that says no is not", async () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504, 507]) {
      answer = reply(status);
      assert.equal(await result(), "retry", String(status));
    }
    for (const status of [400, 401, 403, 404, 405, 410, 413, 422]) {
      answer = reply(status);
      assert.equal(await result(), "refused", String(status));
    }
  });
  test("says when to come again, in seconds or as a date", async () => {
    answer = reply(429, { "Retry-After": "90" });
    const first = await send(alertTold(), "/");
    assert.equal(first.result === "retry" && first.afterMs, 90_000);
    answer = reply(503, { "Retry-After": new Date(Date.now() + 600_000).toUTCString() });
    const second = await send(alertTold(), "/");
    assert.ok(second.result === "retry" && Math.abs(second.afterMs! - 600_000) < 5000);
  });
  test("that does not answer, or is not there, is asked again", async () => {
    answer = () => undefined;
    const slow = await send(alertTold(), "/", "json", 100);
    assert.deepEqual(slow, { result: "retry", error: `${new URL(base).host} did not answer in time` });
    const gone = await webhookSender(channel("http://127.0.0.1:1/x", "json"), context).send(
      deliveryOf(alertTold()),
      never,
    );
    assert.ok(gone.result === "retry" && /can't be reached: (ECONNREFUSED|bad port)/.test(gone.error));
  });
  test("is left at once when we stop", async () => {
    answer = () => undefined;
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const outcome = await webhookSender(channel("/", "json"), context).send(
      deliveryOf(alertTold()),
      stop.signal,
    );
    assert.deepEqual(outcome, { result: "retry", error: "stopped" });
  });
  test("that never ends its answer does not hold us", async () => {
    answer = (_, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write("x".repeat(4096)), 1);
      response.on("close", () => clearInterval(more));
    };
    assert.equal(await result(), "sent");
  });
  test("may send us on within its host, not to another", async () => {
    answer = (request, response) =>
      request.url === "/a"
        ? reply(308, { Location: "/b" })(request, response)
        : reply(204)(request, response);
    assert.equal(await result("/a"), "sent");
    assert.deepEqual(
      asked.map((a) => [a.method, a.url]),
      [
        ["POST", "/a"],
        ["POST", "/b"],
      ],
    );
    asked = [];
    answer = reply(307, { Location: base.replace("127.0.0.1", "localhost") });
    const away = await send(alertTold(), "/a");
    assert.ok(away.result === "refused" && /where we don't go/.test(away.error));
    assert.equal(asked.length, 1);
    answer = reply(302, { Location: "/round" });
    assert.equal(await result("/a"), "refused");
  });
  test("learns our token, and nobody else does", async () => {
    const file = join(folder(), "token");
    writeFileSync(file, "s3cret-t0ken\n", { mode: 0o600 });
    answer = reply(403, {}, "no /services/T0/B0/hidden-part for s3cret-t0ken \u001b[31m");
    const sender = webhookSender(channel("/services/T0/B0/hidden-part", "slack", file), context);
    const outcome = await sender.send(deliveryOf(alertTold()), never);
    assert.equal(asked[0]!.headers.authorization, "Bearer s3cret-t0ken");
    assert.ok(outcome.result === "refused" && /^HTTP 403: no \[\.\.\.\]/.test(outcome.error));
    assert.doesNotMatch(outcome.error, /s3cret|hidden|\u001b/);
    chmodSync(file, 0o644);
    await assert.rejects(
      sender.send(deliveryOf(alertTold()), never),
      (e) =>
        e instanceof Fault && e.exit === "configuration" && /open to others \(mode 0644\)/.test(e.message),
    );
  });
});
