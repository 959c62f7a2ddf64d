import { renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { DayRecord } from "../store/live.ts";
import type { Answer } from "./feedback-pages.ts";
import type { Health } from "./watch.ts";

/**
 * Figures for Prometheus, in its text format 0.0.4. No label holds an address, an account or anything else that stands in a
 * log: sources are the operator's own settings.
 */

export type Figures = Health & {
  readonly release: string;
  /** Counts of today, or undefined before the first line. */
  readonly today: DayRecord | undefined;
  /** Notifications that wait, and that were given up. */
  readonly waiting: number;
  readonly givenUp: number;
  /** End of the model's training, in ms. */
  readonly trainedUntil: number;
  /** Resident memory in bytes. */
  readonly memory: number;
  /** Bytes of the state folder. */
  readonly state: number;
};

type Metric = readonly [name: string, type: "gauge" | "counter", help: string, ...values: Value[]];
type Value = number | readonly [labels: Readonly<Record<string, string>>, value: number];

export function metricsText(f: Figures): string {
  const seconds = (ms: number): number => (Number.isFinite(ms) ? ms / 1000 : 0);
  const metrics: Metric[] = [
    ["build_info", "gauge", "Always 1; the release as label.", [{ version: f.release }, 1]],
    ["lines_total", "counter", "Lines read since the start.", f.lines],
    ["last_line_timestamp_seconds", "gauge", "Log time of the newest line or tick.", seconds(f.last)],
    ["open_incidents", "gauge", "Incidents that are open now, held back ones too.", f.open],
    [
      "source_up",
      "gauge",
      "1 for each source that can be read, else 0.",
      ...f.sources.map((s): Value => [{ source: s.source }, s.state === "ok" ? 1 : 0]),
    ],
    [
      "source_behind_bytes",
      "gauge",
      "Bytes written and not read yet.",
      ...f.sources.map((s): Value => [{ source: s.source }, s.behind]),
    ],
    [
      "source_lost_bytes_total",
      "counter",
      "Bytes that were gone before they could be read.",
      ...f.sources.map((s): Value => [{ source: s.source }, s.lost.bytes]),
    ],
    ["stuck", "gauge", "1 while what was read can't be written to the state folder.", f.stuck ? 1 : 0],
    [
      "candidates_today",
      "gauge",
      "Candidates of the local day by what became of them.",
      ...(["opened", "held", "suppressed", "planned", "joined", "below_bar"] as const).map(
        (fate): Value => [{ fate }, f.today?.[fate] ?? 0],
      ),
    ],
    ["unknown_lines_today", "gauge", "Lines of the local day that no grammar knew.", f.today?.unknown ?? 0],
    ["notifications_waiting", "gauge", "Notifications that are still to be delivered.", f.waiting],
    ["notifications_given_up", "gauge", "Notifications that could not be delivered.", f.givenUp],
    [
      "model_trained_until_timestamp_seconds",
      "gauge",
      "End of the model's training.",
      seconds(f.trainedUntil),
    ],
    ["resident_memory_bytes", "gauge", "Memory of the process.", f.memory],
    ["state_bytes", "gauge", "Size of the state folder.", f.state],
  ];
  return metrics.map(metricText).join("");
}

function metricText([name, type, help, ...values]: Metric): string {
  const full = `logvane_${name}`;
  const lines = values.map((value) => {
    const [labels, n] = typeof value === "number" ? [{}, value] : value;
    const shown = Object.entries(labels).map(([key, text]) => `${key}="${labelText(text)}"`);
    return `${full}${shown.length > 0 ? `{${shown.join(",")}}` : ""} ${n}\n`;
  });
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}

const labelText = (text: string): string =>
  text.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`)).replace(/[\0-\x1f]/g, "");

/** Writes the figures where node_exporter's textfile collector reads them: whole or not at all. Throws the system's error. */
export function writeTextfile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o644 });
  renameSync(temporary, path);
}

/** Answers GET /metrics, and what `page` knows; nothing else. text: made at each request. */
export function serveMetrics(
  { address, port }: { readonly address: string; readonly port: number },
  text: () => string,
  failed: (error: Error) => void,
  page?: (method: string, path: string) => Answer | undefined,
): Server {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    const { method = "", url = "" } = request;
    request.resume(); // a body says nothing to us
    const answer = page?.(method, url);
    if (answer) {
      response.writeHead(answer.status, answer.headers).end(method === "HEAD" ? undefined : answer.body);
      return;
    }
    if (url !== "/metrics" || (method !== "GET" && method !== "HEAD")) {
      response.writeHead(url === "/metrics" ? 405 : 404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(method === "HEAD" ? undefined : text());
  });
  server.maxConnections = 16;
  server.on("error", failed);
  server.listen(port, address);
  server.unref();
  return server;
}
