import { type Bag, put, type Reading } from "./scan.ts";
import { type CompanionSample, putAddress, type Rule, reading, readRulesOrLife, splitId } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "clamd",
    line: "instream(192.0.2.9@4022): Eicar-Test-Signature FOUND",
    event: "filter_result",
    fields: { verdict: "infected", virus: "Eicar-Test-Signature", client_address: "192.0.2.9" },
  },
  {
    daemon: "clamd",
    line: "/var/spool/a/part1: Win.Test.EICAR_HDB-1(44d88612fea8:68) FOUND",
    event: "filter_result",
    fields: { verdict: "infected" },
  },
  { daemon: "clamd", line: "SelfCheck: Database status OK.", event: "info" },
  { daemon: "clamd", line: "Database correctly reloaded (8700000 signatures)", event: "reload" },
  {
    daemon: "clamd",
    line: "ERROR: Socket file /run/clamd.sock could not be removed.",
    event: "error",
    cause: "other",
  },
  {
    daemon: "clamav-milter",
    line: "Message 4A1B2C3D4E from <a@b.example> to <x@our.example> with subject 'hi' message-id '<1@b.example>' date 'now' infected by Eicar",
    event: "filter_result",
    fields: { verdict: "infected", from: "a@b.example", to: "x@our.example", virus: "Eicar" },
  },
  {
    daemon: "clamav-milter",
    line: "Clean message from <a@b.example> to <x@our.example>",
    event: "filter_result",
    fields: { verdict: "clean" },
  },
  {
    daemon: "clamsmtpd",
    line: "100004: from=a@b.example, to=x@our.example, status=VIRUS:Eicar",
    event: "filter_result",
    fields: { verdict: "infected" },
  },
  {
    daemon: "freshclam",
    line: "daily.cld database is up-to-date (version: 27000, sigs: 2000000, f-level: 90)",
    event: "info",
  },
  {
    daemon: "freshclam",
    line: "WARNING: Can't query current.cvd.example",
    event: "dns_failure",
    cause: "dns",
  },
  {
    daemon: "freshclam",
    line: "ERROR: Can't download daily.cvd from https://mirror.example",
    event: "connect_failure",
    cause: "connect",
  },
];

const RULES: readonly Rule[] = [
  [
    /can't query|no address record|could ?n.t resolve|host not found|\bDNS\b.{0,20}(?:fail|error)/i,
    "dns_failure",
    "dns",
  ],
  [
    /can't (?:download|connect|get)|download failed|mirror|giving up on|update failed|can not continue|cool-?down/i,
    "connect_failure",
    "connect",
  ],
  [
    /selfcheck: database status|up-to-date|^(?:main|daily|bytecode|clamav update process|received signal: wake|limits|archive|mail files|ole2|pdf|swf|html|elf|portable|algorithmic|heuristic|xmldocs|hwp3|self checking|bytecode:|loaded|tcp:|local:|received|testing database|downloading|trying|retrieving|time:|current working|process id|log file|\*|-{3,}|got new|max|no stats|activating|set stacksize|waiting for|force a|pid|reading|running as|clamd|database test passed|whitelist|excluding|client|new session)/i,
    "info",
  ],
  [
    /outdated|recommended version|old version|deprecated|will be removed|don't panic|functionality level/i,
    "config_warning",
    "config",
  ],
  [/reload|database updated|database correctly|modification detected|rereading|forced to reload/i, "reload"],
  [/started|daemon|listening|loaded \d* ?signatures/i, "process_start"],
  [/exiting|stopped|shutdown|socket file removed|terminat/i, "process_stop"],
];

const SCANNED = /^(.{1,400}): (\S{1,200}(?: [^\s:]{1,40})?) FOUND$/;

/** clamd, clamav-milter, clamsmtpd and freshclam. */
export function readClamav(message: string): Reading {
  const text = message.trimEnd().replace(/^(?:\w{3} \w{3} +\d{1,2} [\d:]{8} \d{4} -> ?)/, "");
  const found = SCANNED.exec(text);
  if (found) {
    const fields: Bag = { verdict: "infected", virus: found[2]! };
    putAddress(fields, /^(?:instream|fd)\[?\d*\]?\(([^@()]{1,64})@\d{1,6}\)/.exec(found[1]!)?.[1]);
    return { event: "filter_result", fields, shape: "<>: FOUND" };
  }
  const milter =
    /^(?:Message \S{1,40}|(?:Clean|clean) message|Message) from <([^<>]{0,320})> to <([^<>]{0,320})>/.exec(
      text,
    );
  if (milter) {
    const virus = /infected by (\S{1,200})$/.exec(text.slice(-240))?.[1];
    const fields: Bag = {
      verdict: virus === undefined ? "clean" : "infected",
      from: milter[1]!,
      to: milter[2]!,
    };
    put(fields, "virus", virus);
    return { event: "filter_result", fields, shape: `message ${fields["verdict"]}` };
  }
  const smtp =
    /^\w{1,12}: from=(\S{0,320}?), to=(.{0,400}?), status=(CLEAN|VIRUS|AVERT|ERROR)(?::(\S{1,200}))?/.exec(
      text,
    );
  if (smtp) {
    const fields: Bag = {
      verdict: smtp[3] === "CLEAN" ? "clean" : smtp[3] === "VIRUS" ? "infected" : "error",
      from: smtp[1]!,
      to: smtp[2]!,
    };
    put(fields, "virus", smtp[4]);
    return { event: "filter_result", fields, shape: `status=${smtp[3]}` };
  }
  const { queueId, body, prefix } = splitId(text);
  const level = /^(ERROR|WARNING|LibClamAV Error|LibClamAV Warning): ?/.exec(body);
  const rest = level === null ? body : body.slice(level[0].length);
  const read = readRulesOrLife(RULES, rest, queueId, prefix);
  if (level === null) return read;
  const severity = /err/i.test(level[1]!) ? "error" : "warning";
  if (read.event === "unknown" || read.event === "info" || read.event === "error")
    return { ...reading(severity, { reason: rest }, body, "other", queueId), severity };
  return { ...read, severity };
}
