import { readChannels } from "./channels.ts";
import type {
  Config,
  HeartbeatConfig,
  KeepConfig,
  ListenConfig,
  LogConfig,
  MetricsConfig,
  ReportConfig,
  RetrainConfig,
  WebConfig,
} from "./config.ts";
import {
  absolutePath,
  domainName,
  duration,
  endpoint,
  hostName,
  ipAddress,
  isHostName,
  listOf,
  port,
  text,
  timeOfDay,
  timeOfWeek,
  webAddress,
  wholeNumber,
  word,
  yesNo,
  zone,
} from "./forms.ts";
import type { Mistake } from "./mistake.ts";
import { type Findings, type Setting, TableReader } from "./reader.ts";
import { type Facts, secretFile } from "./secret-file.ts";
import { parseToml } from "./toml.ts";

/** What a file of settings says. */
export type ConfigRead = {
  /** With defaults in place of what is wrong or missing. To be used only when there are no mistakes. */
  readonly config: Config;
  /** In the order of the file. */
  readonly mistakes: readonly Mistake[];
  /** Every key that a file may hold in its case, with what it is set to. */
  readonly settings: readonly Setting[];
};

const DAY_S = 86_400;
/** Ten years: nobody needs more, and no date overflows. */
const MAX_DAYS = 3650;
/** A training needs a day of history (see cli/replay.ts); a week is the least that tells the days apart. */
const MIN_TRAINING_DAYS = 7;
const MAX_ALERTS = 9999;
/** The ports of syslog over TLS (RFC 5425) and of OTLP over HTTP are given; 514 needs root, so plain listeners have one of their own. */
const LISTEN_PORTS = { udp: 5140, tcp: 5140, tls: 6514, otlp: 4318 } as const;
const ADDRESS = "127.0.0.1";

/** Reads a file's text; "" gives the defaults. path: of the file, for the result. Never throws for what a file holds. */
export function readConfig(source: string, path: string | undefined, facts: Facts): ConfigRead {
  const parsed = parseToml(source);
  if (!("kind" in parsed)) return { ...readConfig("", path, facts), mistakes: [parsed] };
  const findings: Findings = { mistakes: [], settings: [] };
  const top = new TableReader(parsed, "", findings);
  const server = readServer(top.below("server"), facts);
  const config: Config = {
    path,
    server,
    log: readLog(top.below("log"), facts),
    alerts: readAlerts(top.below("alerts")),
    channels: readChannels(top, server.name, facts),
    report: readReport(top.below("report")),
    retrain: readRetrain(top.below("retrain")),
    heartbeat: readHeartbeat(top.below("heartbeat")),
    ...readMetricsAndWeb(top),
    keep: readKeep(top.below("keep")),
  };
  top.end();
  const mistakes = findings.mistakes.sort((a, b) => a.line - b.line || a.column - b.column);
  return { config, mistakes, settings: findings.settings };
}

function readServer(reader: TableReader, facts: Facts): Config["server"] {
  const server = {
    name: reader.read("name", hostName, isHostName(facts.hostName) ? facts.hostName : "localhost"),
    domains: reader.read("domains", listOf(domainName, "domains"), []),
  };
  reader.end();
  return server;
}

function readLog(reader: TableReader, facts: Facts): LogConfig {
  const log = {
    paths: reader.read("paths", listOf(absolutePath, "whole paths"), []),
    journal: reader.read("journal", yesNo, false),
    units: reader.read(
      "units",
      listOf(text("a unit's name, such as postfix@-.service", isUnit), "units"),
      [],
    ),
    timezone: reader.read("timezone", zone, facts.timezone),
    listen: reader.tables("listen").map((listener) => readListen(listener, facts)),
  };
  if (log.units.length > 0 && !log.journal)
    reader.complainOf("units", "units are looked at in the journal alone", "journal = true beside units");
  reader.end();
  return log;
}

const isUnit = (plain: string): boolean =>
  /^[A-Za-z0-9:_.\\@*?[\]-]{1,255}$/.test(plain) && !plain.startsWith("-");

function readListen(reader: TableReader, facts: Facts): ListenConfig {
  const form = word("udp", "tcp", "tls", "otlp");
  const protocol = reader.need("protocol", form, '"udp" or "tcp" or "tls" or "otlp"') ?? "udp";
  const listen = {
    protocol,
    address: reader.read("address", ipAddress, ADDRESS),
    port: reader.read("port", port, LISTEN_PORTS[protocol]),
  };
  const tls = protocol === "tls";
  if (!tls)
    for (const key of ["certificate", "key"])
      reader.refuse(key, `${key} is for protocol = "tls" alone`, 'protocol = "tls", or leave the key out');
  const why = "a PEM file";
  const certificate = tls ? reader.need("certificate", absolutePath, why) : undefined;
  if (tls && !reader.has("key")) reader.need("key", absolutePath, why);
  const key = tls && reader.has("key") ? secretFile(reader, "key", facts) : undefined;
  reader.end();
  return { ...listen, certificate, key };
}

function readAlerts(reader: TableReader): Config["alerts"] {
  const alerts = { perDay: reader.read("per_day", wholeNumber(1, MAX_ALERTS), 2) };
  reader.end();
  return alerts;
}

function readReport(reader: TableReader): ReportConfig {
  const report = {
    atMinute: reader.read("at", timeOfDay, "06:30"),
    onChange: reader.read("on_change", yesNo, false),
  };
  reader.end();
  return report;
}

function readRetrain(reader: TableReader): RetrainConfig {
  const when = reader.read("at", timeOfWeek, "Sun 03:30");
  const days = reader.read("days", wholeNumber(MIN_TRAINING_DAYS, MAX_DAYS), 35);
  const prior = reader.read("prior", yesNo, false);
  reader.end();
  return { ...when, days, prior };
}

function readHeartbeat(reader: TableReader): HeartbeatConfig {
  const heartbeat = {
    url: reader.read("url", webAddress, undefined, { secret: true }),
    file: reader.read("file", absolutePath),
    everyS: reader.read("every", duration(10, DAY_S), "5m"),
  };
  reader.end();
  return heartbeat;
}

function readMetrics(reader: TableReader): MetricsConfig {
  const metrics = {
    textfile: reader.read("textfile", absolutePath),
    listen: reader.read("listen", endpoint),
  };
  if (metrics.textfile !== undefined && !metrics.textfile.endsWith(".prom"))
    reader.complainOf("textfile", "node_exporter reads *.prom alone", "a name that ends in .prom");
  reader.end();
  return metrics;
}

/** The pages are served where the metrics are. */
function readMetricsAndWeb(top: TableReader): Pick<Config, "metrics" | "web"> {
  const metrics = readMetrics(top.below("metrics"));
  return { metrics, web: readWeb(top.below("web"), metrics) };
}

function readWeb(reader: TableReader, { listen }: MetricsConfig): WebConfig {
  const web = { url: reader.read("url", webAddress) };
  if (web.url !== undefined && listen === undefined)
    reader.complainOf(
      "url",
      "nothing answers there",
      'listen = "127.0.0.1:9469" in [metrics], which serves these pages too',
    );
  reader.end();
  return web;
}

function readKeep(reader: TableReader): KeepConfig {
  const days = wholeNumber(1, MAX_DAYS);
  const alertsDays = reader.read("alerts_days", days, 365);
  const keep = {
    alertsDays,
    linesDays: reader.read("lines_days", days, Math.min(90, alertsDays)),
    notificationsDays: reader.read("notifications_days", days, 30),
  };
  if (keep.linesDays > keep.alertsDays)
    reader.complainOf("lines_days", "lines would be kept longer than their alerts", "at most alerts_days");
  reader.end();
  return keep;
}
