import type { Cause } from "./event.ts";
import { type Bag, between, put, type Reading, word } from "./scan.ts";
import { numberAfter } from "./warning.ts";
import { type CompanionSample, putAddress, type Rule, readRulesOrLife, splitId } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "postgrey",
    line: "action=greylist, reason=new, client_name=h.example, client_address=192.0.2.9/32, sender=a@b.example, recipient=x@our.example",
    event: "greylist",
    cause: "greylisted",
    fields: { reason: "new", client_address: "192.0.2.9", sender: "a@b.example" },
  },
  {
    daemon: "postgrey",
    line: "4A1B2C3D4E: action=pass, reason=triplet found, delay=412, client_name=h.example, client_address=192.0.2.9, sender=a@b.example, recipient=x@our.example",
    event: "greylist",
    fields: { action: "pass", reason: "triplet found", delay: 412 },
  },
  { daemon: "postgrey", line: "cleaning up old logs...", event: "cache_cleanup" },
  {
    daemon: "postgrey",
    line: "2026/03/01-10:00:00 postgrey (type Net::Server::Multiplex) starting! pid(812)",
    event: "process_start",
  },
  { daemon: "postgrey", line: "2026/03/01-11:00:00 Server closing!", event: "process_stop" },
  {
    daemon: "sqlgrey",
    line: "grey: new: 192.0.2.9(192.0.2.9), a@b.example -> x@our.example",
    event: "greylist",
    cause: "greylisted",
    fields: { reason: "new", client_address: "192.0.2.9", sender: "a@b.example", recipient: "x@our.example" },
  },
  {
    daemon: "sqlgrey",
    line: "grey: domain awl match: updating 192.0.2.9, b.example",
    event: "greylist",
    fields: { action: "pass", client_address: "192.0.2.9" },
  },
  {
    daemon: "milter-greylist",
    line: "4A1B2C3D4E: addr h.example[192.0.2.9] from <a@b.example> to <x@our.example> delayed for 00:05:00 (ACL 92)",
    event: "greylist",
    cause: "greylisted",
    fields: { client_address: "192.0.2.9", sender: "a@b.example" },
  },
];

const RULES: readonly Rule[] = [
  [/^cleaning|cleanup|^(?:main database|old)|\bcleaned\b/i, "cache_cleanup"],
  [/type Net::Server|Net::Server/i, "process_start"],
  [/^(?:\d{1,7} )?Server closing!/, "process_stop"],
  [/^(?:whitelisted|rm |request|dbaccess: |conf: |skipping|gets:|spawn)/i, "info"],
  [
    /^(?:Setting (?:gid|uid)|Group Not|User Not|Binding|Pid_file|Resolved|setting up|process id)|^Process Backgrounded/i,
    "process_start",
  ],
];

const HELD: Cause = "greylisted";

function greylisted(fields: Bag, held: boolean, queueId: string | undefined, shape: string): Reading {
  fields["action"] ??= held ? "greylist" : "pass";
  return { event: "greylist", fields, cause: held ? HELD : undefined, queueId, shape };
}

/** postgrey: `action=greylist, reason=new, client_name=..`. */
export function readPostgrey(message: string): Reading {
  const { queueId, body, prefix } = splitId(message);
  const at = body.indexOf("action=");
  if (at !== 0) return readRulesOrLife(RULES, body.replace(/^[\d/:-]{8,25} /, ""), queueId, prefix);
  const fields: Bag = {};
  for (const key of ["action", "client_name", "sender", "recipient"]) put(fields, key, word(body, `${key}=`));
  putAddress(fields, word(body, "client_address="));
  put(fields, "reason", between(`${body},`, "reason=", ","));
  put(fields, "delay", numberAfter(body, ", delay="));
  const reason = String(fields["reason"] ?? "").replace(/\d+/g, "0");
  return greylisted(
    fields,
    fields["action"] === "greylist",
    queueId,
    `${prefix}action=${fields["action"]}, reason=${reason}`,
  );
}

/** sqlgrey: `grey: new: IP(network), sender -> recipient`, `early reconnect`, `reconnect ok`, `... awl match`. */
export function readSqlgrey(message: string): Reading {
  const m = /^(grey|throttling|spam|whitelist): ([a-z][a-z ]{1,30})(?:: |, |\(|$)/i.exec(message);
  if (m === null) return readRulesOrLife(RULES, message);
  const fields: Bag = { reason: m[2]!.trim() };
  const rest = message.slice(m[0].length);
  putAddress(fields, /^(?:updating |adding |\S{0,40}: )?([0-9A-Fa-f.:]{3,45})/.exec(rest)?.[1]);
  const pair = /, (\S{0,320}) -> (\S{1,320})/.exec(rest);
  if (pair) Object.assign(fields, { sender: pair[1]!, recipient: pair[2]!.replace(/,$/, "") });
  const held = /^(?:new|early reconnect|throttling)/.test(m[2]!) || m[1] === "throttling";
  return greylisted(fields, held, undefined, `${m[1]}: ${m[2]}`);
}

/** milter-greylist: `addr H[IP] from <a> to <b> delayed for 00:05:00`, `skipping greylist because ...`. */
export function readMilterGreylist(message: string): Reading {
  const { queueId, body, prefix } = splitId(message);
  const at = body.indexOf("addr ");
  const held = /delayed for|rejected|temporarily/.test(body);
  if (at < 0 && !/greylist/i.test(body)) return readRulesOrLife(RULES, body, queueId, prefix);
  const fields: Bag = {};
  putAddress(fields, /addr [^\s[\]]{0,255} ?\[([^[\]\s]{1,64})\]/.exec(body)?.[1]);
  put(fields, "sender", between(body, "from <", ">") ?? between(body, "from=<", ">"));
  put(fields, "recipient", between(body, "to <", ">") ?? between(body, "rcpt=<", ">"));
  if (at < 0 && !/skipping greylist|\(X-Greylist|whitelist|autowhitelist/i.test(body))
    return readRulesOrLife(RULES, body, queueId, prefix);
  fields["reason"] = body;
  return greylisted(fields, held, queueId, `${prefix}${held ? "delayed" : "skipping greylist"}`);
}
