import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { type Figures, metricsText, serveMetrics, writeTextfile } from "../../src/daemon/metrics.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-metrics-"));
after(() => rmSync(root, { recursive: true, force: true }));

const HOSTILE = 'a"b\\c\nd\u001b[31m} 1\u0000';
const source = (name: string, state: string, behind: number, bytes: number): object => ({
  ...{ source: name, state, behind, lost: { lines: 0, bytes } },
});
const FIGURES = {
  ...{ now: 5000, last: 1500, lines: 42, open: 2, stuck: false },
  sources: [source("file:/var/log/mail.log", "ok", 7, 0), source(HOSTILE, "stalled", 0, 9)],
  ...{ release: "1.2", waiting: 3, givenUp: 1, trainedUntil: 86_400_000, memory: 1e8, state: 5e6 },
  today: {
    lines: 42,
    unknown: 4,
    bad_envelope: 0,
    lost: 0,
    opened: 1,
    held: 2,
    suppressed: 5,
    planned: 6,
    joined: 3,
    below_bar: 4,
  },
} as unknown as Figures;

/** name{labels} value, by the text format 0.0.4. */
const SAMPLE = /^(logvane_[a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"\})? (-?[\d.]+(?:e[+-]?\d+)?)$/;
const namesIn = (text: string): Set<string> => new Set(text.match(/\blogvane_[a-z_]+/g));

suite("figures for Prometheus", () => {
  const text = metricsText(FIGURES);
  test("are lines of the text format, each metric with help and type before it", () => {
    let metric = "";
    assert.ok(text.endsWith("\n"));
    for (const line of text.trimEnd().split("\n")) {
      const head = /^# (HELP|TYPE) (logvane_[a-z_]+) (.+)$/.exec(line);
      if (head?.[1] === "HELP") metric = head[2]!;
      else if (head) assert.match(`${head[2]} ${head[3]}`, new RegExp(`^${metric} (gauge|counter)$`));
      else assert.equal(SAMPLE.exec(line)?.[1], metric, line);
    }
  });
  test("have their values in base units", () => {
    const has = (line: string): void => assert.ok(text.split("\n").includes(line), line);
    has('logvane_build_info{version="1.2"} 1');
    has("logvane_lines_total 42");
    has("logvane_last_line_timestamp_seconds 1.5");
    has("logvane_model_trained_until_timestamp_seconds 86400");
    has('logvane_source_up{source="file:/var/log/mail.log"} 1');
    has('logvane_candidates_today{fate="held"} 2');
    has("logvane_stuck 0");
  });
  test("escape what stands in a label, and leave control characters out", () => {
    assert.ok(text.includes('logvane_source_up{source="a\\"b\\\\c\\nd[31m} 1"} 0\n'));
    assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f]/);
  });
  test("are zeros before the first line, never NaN or Infinity", () => {
    const { today: _, ...before } = FIGURES;
    const early = metricsText({ ...before, last: Number.NEGATIVE_INFINITY, sources: [], today: undefined });
    assert.ok(early.includes("logvane_last_line_timestamp_seconds 0\n"));
    assert.ok(early.includes("logvane_unknown_lines_today 0\n"));
    assert.doesNotMatch(early, /NaN|Infinity|undefined/);
  });
});

suite("the file for node_exporter", () => {
  test("is replaced whole, readable for others, with nothing beside it", () => {
    const dir = join(root, "textfile");
    mkdirSync(dir);
    const path = join(dir, "logvane.prom");
    writeTextfile(path, "first\n".repeat(1000));
    const inode = statSync(path).ino;
    writeTextfile(path, "second\n");
    assert.equal(readFileSync(path, "utf8"), "second\n");
    assert.notEqual(statSync(path).ino, inode, "written in place, a reader could see half of it");
    assert.equal(statSync(path).mode & 0o444, 0o444);
    assert.deepEqual(readdirSync(dir), ["logvane.prom"]);
  });
  test("that can't be written is the system's error", () => {
    assert.throws(() => writeTextfile(join(root, "none/x"), ""), { code: "ENOENT" });
  });
});

type Answer = { readonly status: number; readonly type: string | undefined; readonly body: string };

suite("GET /metrics", () => {
  let made = 0;
  const server = serveMetrics({ address: "127.0.0.1", port: 0 }, () => `made ${++made}\n`, assert.fail);
  after(() => server.close());
  const ask = async (method: string, path: string): Promise<Answer> => {
    if (!server.listening) await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as AddressInfo;
    return new Promise((done, fail) => {
      const asked = request({ host: "127.0.0.1", port, method, path, agent: false }, (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => {
          body += part;
        });
        answer.on("end", () =>
          done({ status: answer.statusCode!, type: answer.headers["content-type"], body }),
        );
      });
      asked.on("error", fail).end();
    });
  };
  test("gives what is true at that moment", async () => {
    const type = "text/plain; version=0.0.4; charset=utf-8";
    assert.deepEqual(await ask("GET", "/metrics"), { status: 200, type, body: "made 1\n" });
    assert.deepEqual(await ask("GET", "/metrics"), { status: 200, type, body: "made 2\n" });
    assert.deepEqual(await ask("HEAD", "/metrics"), { status: 200, type, body: "" });
  });
  test("is all that is answered", async () => {
    const nothing = { type: undefined, body: "" };
    assert.deepEqual(await ask("POST", "/metrics"), { status: 405, ...nothing });
    for (const path of ["/", "/metrics/", "/metrics?x", "/../etc/passwd"])
      assert.deepEqual(await ask("GET", path), { status: 404, ...nothing });
  });
  test("on a port that is taken tells the error", async () => {
    await ask("HEAD", "/metrics");
    const { port } = server.address() as AddressInfo;
    const error = await new Promise<NodeJS.ErrnoException>((done) => {
      serveMetrics({ address: "127.0.0.1", port }, () => "", done);
    });
    assert.equal(error.code, "EADDRINUSE");
  });
});

suite("contrib", () => {
  const known = namesIn(metricsText(FIGURES));
  const dashboard = readFileSync("contrib/grafana/logvane.json", "utf8");
  const rules = readFileSync("contrib/prometheus/logvane.rules.yml", "utf8");
  test("names no metric that there isn't", () => {
    const named = [...namesIn(dashboard), ...namesIn(rules)];
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });
  test("shows every metric in the dashboard", () => {
    const shown = namesIn(dashboard);
    assert.deepEqual(
      [...known].filter((name) => !shown.has(name)),
      [],
    );
  });
  test("has a dashboard with panels of their own ids, each with a query", () => {
    const { panels, title } = JSON.parse(dashboard) as {
      title: string;
      panels: { id: number; title: string; targets: { expr: string }[] }[];
    };
    assert.equal(title, "Logvane");
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const panel of panels)
      assert.ok(
        panel.targets.every(({ expr }) => expr.length > 0),
        panel.title,
      );
  });
  test("has rules in plain YAML: keys, quoted or simple values, even indents", () => {
    const LINE =
      /^(?: {2})*(?:- )?[a-z_]+:(?: (?:"[^"\\]*"|[^\s"'#&*!|>%@`[\]{}-][^#"]*(?:"[^"]*"[^#"]*)*))?$/i;
    const lines = rules.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) {
      assert.match(line, LINE);
      const value = line.replace(/^ *(?:- )?[a-z_]+:/i, "");
      if (!value.startsWith(' "')) assert.doesNotMatch(value, /: |:$/, line);
    }
    const alerts = lines.filter((line) => line.includes("- alert:"));
    assert.equal(alerts.length, 7);
    for (const key of ["expr:", "severity:", "summary:", "description:"])
      assert.equal(lines.filter((line) => line.trim().startsWith(key)).length, alerts.length, key);
  });
});
