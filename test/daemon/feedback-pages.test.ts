import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { feedbackPage } from "../../src/daemon/feedback-pages.ts";
import { serveMetrics } from "../../src/daemon/metrics.ts";
import { Links } from "../../src/deliver/links.ts";
import { keptRecord } from "../../src/detect/alert.ts";
import { linkKey } from "../../src/store/link-key.ts";
import { openStore, type Store } from "../../src/store/queries.ts";
import { HOSTILE, sampleAlert } from "../report/support.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 8, 21, 3);
const dir = mkdtempSync(join(tmpdir(), "logvane-links-"));
const clock = { now: NOW };
const said: string[] = [];
let store: Store;
let links: Links;
let server: Server;
let base = "";

const harmful = sampleAlert({ title: `<b>${HOSTILE}</b>` });
const other = sampleAlert({ id: "0ddba11" });
const full = sampleAlert({ id: "d15cf011", kind: "disk_full", class: "always" });
const linkOn = (alert: typeof harmful, label: RegExp, at = NOW): string =>
  links.of(keptRecord(alert), at).find((link) => label.test(link.label))!.url;
const ask = async (
  url: string,
  method = "GET",
): Promise<{ status: number; text: string; headers: Headers }> => {
  const response = await fetch(url, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

suite("a link of a mail", () => {
  before(async () => {
    store = openStore(dir);
    store.saveAlerts([harmful, other, full].map(keptRecord));
    server = serveMetrics(
      { address: "127.0.0.1", port: 0 },
      () => "metrics\n",
      (error) => assert.fail(error),
      (method, path) =>
        feedbackPage(method, path, {
          store,
          links,
          timeZone: "UTC",
          now: () => clock.now,
          say: (t) => said.push(t),
        }),
    );
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logvane`;
    links = new Links(`${base}/`, linkKey(dir));
  });
  after(() => {
    server.close();
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("changes nothing when it is looked at, however often, and shows what it is about as text", async () => {
    for (const method of ["GET", "GET", "HEAD"]) {
      const { status, text, headers } = await ask(linkOn(harmful, /harmless/), method);
      assert.equal(status, 200);
      assert.match(headers.get("content-security-policy")!, /^default-src 'none';/);
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      if (method === "HEAD") continue;
      assert.match(text, /<form method="post">/);
      assert.match(text, /&lt;b&gt;.*&lt;script&gt;/);
      assert.doesNotMatch(text, /<script|https?:|src=/);
    }
    assert.deepEqual(store.rules.feedback(), []);
  });

  test("acts once, by its button", async () => {
    const url = linkOn(harmful, /harmless/);
    const { status, text } = await ask(url, "POST");
    assert.equal(status, 200);
    assert.match(text, /harmless until 2026-12-20/); // ninety days of log time after the newest alert
    const [{ verdict, about, note }] = store.rules.feedback() as [ReturnType<Store["rules"]["feedback"]>[0]];
    assert.deepEqual([verdict, about.id, note], ["benign", harmful.id, "by a link of a mail"]);
    assert.equal(store.rules.inForce().feedback.length, 1);
    assert.equal((await ask(url, "POST")).status, 410);
    assert.equal((await ask(url)).status, 410);
    assert.equal(store.rules.feedback().length, 1);
    assert.match(said.join(""), /^feedback 1 on alert b4f00d by a link of a mail: benign\n$/);
  });

  test("is void when any of it is changed, for another alert or verdict, and with another key", async () => {
    const url = linkOn(other, /harmless/);
    const changed = [
      url.replace(other.id, harmful.id),
      url.replace(".h.", ".s."),
      url.replace(/\.h\.(.)/, (_, c: string) => `.h.${c === "z" ? "y" : "z"}`),
      url.slice(0, -1) + (url.endsWith("A") ? "B" : "A"),
      url.slice(0, -1),
      `${url}A`,
      new Links(base, randomBytes(32)).of(keptRecord(other), NOW)[0]!.url,
      `${base}/feedback/${other.id}`,
      `${base}/feedback/../metrics`,
    ];
    // the last character of 43 carries two spare bits: all its other forms are void, too
    for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
      if (!url.endsWith(c)) changed.push(url.slice(0, -1) + c);
    for (const one of changed) assert.equal((await ask(one, "POST")).status, 404, one);
    assert.equal(store.rules.feedback().length, 1);
  });

  test("is void after a week", async () => {
    const url = linkOn(other, /real/);
    clock.now = NOW + 7 * DAY + 1000;
    assert.equal((await ask(url)).status, 410);
    assert.equal((await ask(url, "POST")).status, 410);
    clock.now = NOW + 7 * DAY - 1000;
    assert.equal((await ask(url, "POST")).status, 200);
    assert.equal(store.rules.feedback()[0]!.verdict, "incident");
    clock.now = NOW;
  });

  test("leaves for a day what is always told, and never calls it harmless", async () => {
    assert.deepEqual(
      links.of(keptRecord(full), NOW).map((link) => link.label),
      ["It is real", "Leave it alone for a day"],
    );
    const { text } = await ask(linkOn(full, /alone/), "POST");
    assert.match(text, /always told/);
  });

  test("takes no other way, and leaves /metrics as it is", async () => {
    assert.equal((await ask(linkOn(other, /alone/), "DELETE")).status, 405);
    const root = base.replace("/logvane", "");
    assert.equal((await ask(`${root}/metrics`)).text, "metrics\n");
    assert.equal((await ask(`${root}/metrics`, "POST")).status, 405);
    assert.equal((await ask(`${root}/`)).status, 404);
  });

  test("is signed by a key that is the owner's alone, and stays", () => {
    const path = join(dir, "link.key");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(linkKey(dir), readFileSync(path));
  });
});
