import { type Bag, put, type Reading } from "./scan.ts";
import {
  type CompanionSample,
  plainWords,
  putAddress,
  type Rule,
  readByRules,
  reading,
  readLife,
} from "./words.ts";

/** Lines of our own making: as syslog carries them and as rspamd's own file has them. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "rspamd",
    line: "(rspamd_proxy) <ab12cd>; proxy; rspamd_task_write_log: id: <1@far.example>, qid: <4A1B2C3D4E>, ip: 192.0.2.9, user: ann@our.example, from: <a@b.example>, (default: F (no action): [0.50/15.00] [MIME_GOOD(-0.10){text/plain;},R_SPF_ALLOW(-0.20){+a;}]), len: 1200, time: 35.7ms, dns req: 4, digest: <77aa>, rcpts: <x@our.example,y@our.example>, mime_rcpts: <x@our.example,>",
    event: "filter_result",
    fields: {
      verdict: "no action",
      score: 0.5,
      required: 15,
      message_id: "1@far.example",
      client_address: "192.0.2.9",
      sasl_username: "ann@our.example",
      from: "a@b.example",
      size: 1200,
      to: "x@our.example",
      nrcpt: 2,
    },
  },
  {
    daemon: "rspamd",
    line: "#812(normal) <ab12cd>; task; rspamd_task_write_log: id: <1@far.example>, qid: <undef>, ip: 192.0.2.9, from: <>, (default: T (reject): [21.00/15.00] [GTUBE]), len: 90, time: 3.1ms real, 1.2ms virtual, dns req: 0",
    event: "filter_result",
    fields: { verdict: "reject", score: 21, from: "" },
  },
  {
    daemon: "rspamd",
    line: "<ab12cd>; task; rspamd_task_write_log: id: <1@far.example>, qid: <4A1B2C3D4E>, ip: 192.0.2.9, from: <a@b.example>, (default: S (add header): [7.10/15.00] []), len: 90",
    event: "filter_result",
    fields: { verdict: "add header", score: 7.1, size: 90 },
  },
  {
    daemon: "rspamd",
    line: "process_write_command: fuzzy hash was successfully added",
    event: "info",
  },
  {
    daemon: "rspamd",
    line: '(normal) <ab12cd>; lua; greylist.lua:331: greylisted until "Sun, 01 Mar 2026 10:05:00 GMT", new record',
    event: "greylist",
    cause: "greylisted",
  },
  {
    daemon: "rspamd",
    line: '(normal) <ab12cd>; lua; ratelimit.lua:444: ratelimit "user(RLabc)" exceeded, (100 / 1): 101.2 (100.0:1.0 dyn)',
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "rspamd",
    line: "(controller) <ab12cd>; csession; rspamd_controller_check_password: invalid or absent password has been specified",
    event: "auth_failure",
    cause: "auth",
  },
  {
    daemon: "rspamd",
    line: "(normal) <ab12cd>; task; accept_socket: accepted connection from 192.0.2.9 port 4022, task ptr: 0000",
    event: "connect",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "rspamd",
    line: "(main) <ab12cd>; main; main: rspamd 3.8.4 is loading configuration, build id: release",
    event: "reload",
  },
  {
    daemon: "rspamd",
    line: "(normal) <ab12cd>; task; rspamd_task_timeout: processing of task time out: 8.0s spent",
    event: "policy_failure",
    cause: "policy",
  },
  {
    daemon: "rspamd",
    line: "(normal) <ab12cd>; lua_redis; lua_redis.lua:88: cannot connect to redis: connection refused",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    daemon: "rspamd",
    line: "(normal) <ab12cd>; monitored; rspamd_monitored_propagate_error: invalid return on resolving list.example, disable object",
    event: "dns_failure",
    cause: "dns",
  },
];

/** `#pid(worker) <tag>; module; function: text`; syslog carries `(worker) <tag>; ...` or `<tag>; ...`. */
const HEAD =
  /^(?:[^\s()<>;]{1,40}(?=\())?(?:\(([\w .-]{1,40})\):? ?)?(?:[A-Z][a-z]{2} +\d{1,2} [\d:]{8} rspamd )?(?:<([^<>;]{0,40})>; ?)?(?:([\w.-]{0,40}); ?)?(?:([\w.:-]{1,80}): ?)?/;

const RULES: readonly Rule[] = [
  [/greylist.{0,60}(?:until|deferred|greylisted)|soft reject.{0,40}greylist/i, "greylist", "greylisted"],
  [/ratelimit|rate limit|too many (?:connections|tasks)|max_tasks|fd limit/i, "limit_reached", "limit"],
  [
    /(?:invalid|absent|wrong|incorrect|no) (?:or \w+ )?password|deny unauthorized|unauthori[sz]ed/i,
    "auth_failure",
    "auth",
  ],
  [
    /processing of (?:task|message)? ?time ?out|timed out.{0,40}processing|timeout waiting|task_timeout/i,
    "policy_failure",
    "policy",
  ],
  [
    /monitored|resolving|\bdns\b.{0,40}(?:fail|error|timeout|timed)|no usable resolvers/i,
    "dns_failure",
    "dns",
  ],
  [
    /redis.{0,80}(?:fail|error|cannot|timeout|timed|refused|lost)|(?:fail|error|cannot|timeout|refused).{0,80}redis/i,
    "lookup_failure",
    "lookup",
  ],
  [/milter.{0,60}(?:fail|error|broken|abort)/i, "milter_failure", "milter"],
  [
    /mark upstream|upstream.{0,40}(?:offline|fail|dead)|(?:connection|connect).{0,60}(?:refused|failed|timed out|timeout|reset)|IO (?:read|write)? ?error/i,
    "connect_failure",
    "connect",
  ],
  [/is loading configuration|reload|sighup|rereading|map.{0,40}(?:changed|updated)/i, "reload"],
  [/is starting|forking|prepare to fork|\bstarted\b|listening/i, "process_start"],
  [/terminat|worker.{0,40}(?:exit|died|killed)|catch termination|shutdown|closing/i, "process_stop"],
];

/** A line of rspamd. */
export function readRspamd(message: string): Reading {
  const head = HEAD.exec(message)!;
  const call = head[4] ?? "";
  const body = message.slice(head[0].length);
  if (call === "rspamd_task_write_log" || body.startsWith("rspamd_task_write_log: "))
    return readTask(call === "rspamd_task_write_log" ? body : body.slice(23));
  const where = `${head[3] ?? ""}; ${/\d/.test(call) ? "" : call}`;
  const accepted = /accepted (?:milter |encrypted )?connection from (\S{1,80})/.exec(body.slice(0, 200));
  if (accepted) {
    const fields: Bag = {};
    putAddress(fields, accepted[1]);
    return { event: "connect", fields, shape: `${where}: accepted connection from <>` };
  }
  const loaded = /^loaded message; id: <([^<>]{0,400})>; queue-id: <([^<>]{0,80})>/.exec(body);
  if (loaded)
    return {
      event: "info",
      fields: { message_id: loaded[1]! },
      queueId: known(loaded[2]),
      shape: `${where}: loaded message`,
    };
  const words = plainWords(`${where}: ${body}`);
  for (const [pattern, event, cause] of RULES)
    if (pattern.test(words)) return reading(event, { reason: body }, `${where}: ${body}`, cause);
  const life = readByRules([], body) ?? readLife(body);
  if (life.event !== "unknown") return { ...life, shape: `${where}: ${body}` };
  // A call of a module is named: what it says in passing is of no consequence.
  return {
    event: head[0].includes(";") || call !== "" ? "info" : "unknown",
    fields: { reason: body },
    shape: `${where}: ${body}`,
  };
}

const known = (id: string | undefined): string | undefined =>
  id === undefined || id === "undef" || id === "" ? undefined : id;

/** One `key: value, ` of a task line; what a client chose stands in <>. */
const PAIR = /([a-z][a-z_ ]{0,24}): (?:<([^<>]{0,1000})>?|([^,<>()]{0,400}))(?:, |$)/y;
const METRIC = /^\((\S{1,60}): (\S) \(([a-z ]{1,40})\): \[([^\]\s/]{1,30})(?:\/([^\]\s]{1,30}))?\] \[/;

/** `id: <..>, qid: <..>, ip: .., user: .., from: <..>, (default: F (no action): [s/r] [SYMBOLS]), len: .., time: .., rcpts: <..>`. */
function readTask(text: string): Reading {
  const fields: Bag = {};
  let at = readPairs(text, 0, fields);
  const metric = METRIC.exec(text.slice(at, at + 300));
  if (metric) {
    fields["verdict"] = metric[3]!;
    fields["score"] = Number(metric[4]);
    fields["required"] = Number(metric[5] ?? Number.NaN);
    const from = at + metric[0].length;
    const end = text.indexOf("]), ", from);
    fields["symbols"] = text.slice(from, end < 0 ? undefined : end).replace(/\{[^{}]*\}/g, "");
    if (end >= 0) at = readPairs(text, end + 4, fields);
  }
  const queueId = known(fields["qid"] as string | undefined);
  delete fields["qid"];
  const forced = text.indexOf("forced: ", at);
  put(fields, "forced", forced < 0 ? undefined : text.slice(forced + 8));
  return { event: "filter_result", fields, queueId, shape: `rspamd_task_write_log: ${metric?.[3] ?? ""}` };
}

const RENAMED: Readonly<Record<string, string>> = {
  id: "message_id",
  user: "sasl_username",
  smtp_from: "from",
  from: "from",
  qid: "qid",
};

/** Reads pairs from `start` on; the index where they end. */
function readPairs(text: string, start: number, fields: Bag): number {
  let at = start;
  for (let i = 0; i < 24; i++) {
    PAIR.lastIndex = at;
    const m = PAIR.exec(text);
    if (m === null) return at;
    at += m[0].length;
    const [key, value] = [m[1]!, m[2] ?? m[3] ?? ""];
    if (Object.hasOwn(RENAMED, key)) fields[RENAMED[key]!] ??= value;
    else if (key === "ip") putAddress(fields, value);
    else if (key === "len") fields["size"] = Number(value);
    else if (key === "time") fields["delay"] = Number.parseFloat(value) / 1000;
    else if (key === "rcpts") {
      const all = value.split(",").filter((r) => r !== "");
      if (all.length > 0) fields["to"] = all[0]!;
      fields["nrcpt"] = all.length;
    }
  }
  return at;
}
