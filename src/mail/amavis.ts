import { type Bag, put, type Reading } from "./scan.ts";
import { type CompanionSample, plainWords, putAddress, type Rule, reading, readLife } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "amavis",
    line: "(01234-05) Blocked SPAM {DiscardedInbound,Quarantined}, LOCAL [192.0.2.9]:4022 [198.51.100.4] <a@b.example> -> <x@our.example>,<y@our.example>, quarantine: s/spam-7.gz, Queue-ID: 4A1B2C3D4E, Message-ID: <1@b.example>, mail_id: 7xYz, Hits: 12.3, size: 5120, queued_as: 5B1B2C3D4E, 310 ms",
    event: "filter_result",
    fields: {
      verdict: "Blocked SPAM",
      score: 12.3,
      client_address: "192.0.2.9",
      from: "a@b.example",
      to: "x@our.example",
      nrcpt: 2,
      message_id: "1@b.example",
      size: 5120,
      queued_as: "5B1B2C3D4E",
      quarantine: "s/spam-7.gz",
      delay: 0.31,
    },
  },
  {
    daemon: "amavis",
    line: "(01234-06) Blocked INFECTED (Win.Test (x), Other) {DiscardedOutbound}, [192.0.2.9] <> -> <x@our.example>, Message-ID: <1@b.example>, Hits: -, size: 9, 31 ms",
    event: "filter_result",
    fields: { verdict: "Blocked INFECTED", from: "", size: 9, virus: "Win.Test (x), Other" },
  },
  {
    daemon: "amavis",
    line: "(01234-05) Passed UNCHECKED-ENCRYPTED {RelayedInbound}, [192.0.2.9] <a@b.example> -> <x@our.example>, Hits: -, size: 9, 31 ms",
    event: "filter_result",
    cause: "policy",
    fields: { verdict: "Passed UNCHECKED-ENCRYPTED" },
  },
  { daemon: "amavis", line: "(01234-05) p003 1 Content-Type: text/plain, size: 90 B, name:", event: "info" },
  {
    daemon: "amavis",
    line: "(01234-05) (!!)ClamAV-clamd av-scanner FAILED: run_av error: Can't connect to UNIX socket /run/clamd: No such file or directory",
    event: "policy_failure",
    cause: "policy",
  },
  {
    daemon: "amavis",
    line: "(01234-05) (!)connect to /run/x failed, attempt #1: Connection refused",
    event: "connect_failure",
    cause: "connect",
  },
  {
    daemon: "amavis",
    line: "(01234-05) SPAM, <a@b.example> -> <x@our.example>, Yes, score=21.1 tag=2 tag2=6 kill=6 tests=[BAYES_99=3.5], autolearn=no",
    event: "filter_result",
    fields: { verdict: "spam", score: 21.1 },
  },
  {
    daemon: "amavis",
    line: "starting. /usr/sbin/amavisd at mx.our.example amavisd-2.13.0 (20231128)",
    event: "process_start",
  },
  {
    daemon: "amavis",
    line: "(01234-05) TROUBLE in check_mail: parts_decode FAILED: No space left on device",
    event: "disk_failure",
    cause: "disk",
  },
];

const ID = /^\((?!!)[^()\s]{1,40}\) ?/;
const VERDICT = /^(?:[A-Z]{3,6} ?: ?)?(Passed|Blocked|Pass|Block)(?: ([A-Z][A-Z-]{2,30}))?(?=[ ,]|$)/;

/** A line of amavisd-new: the verdict with its fields, trouble, or what log level 2 and above tell in passing. */
export function readAmavis(message: string): Reading {
  const id = ID.exec(message)?.[0] ?? "";
  const body = message.slice(id.length);
  const verdict = VERDICT.exec(body);
  if (verdict) return readVerdict(body, verdict);
  const scored = /^(SPAM|SPAM-TAG|Tag2?|spam(?:-tag)?|SPAMMY), (?:<|\()/.exec(body);
  if (scored) return readScore(body);
  return readTrouble(body) ?? readRest(body);
}

/** `Passed CLEAN {..}, [ip]:port [ip] <from> -> <to>,<to>, key: value, ... N ms`. The virus names in ( ) are foreign and stand before the addresses. */
function readVerdict(body: string, verdict: RegExpExecArray): Reading {
  const what = verdict[2] ?? "";
  const fields: Bag = { verdict: what === "" ? verdict[1]! : `${verdict[1]} ${what}` };
  const arrow = body.indexOf("> -> <");
  const before = arrow < 0 ? body.slice(0, 600) : body.slice(0, arrow + 1);
  const names = /^ \((.{1,600})\)(?= ?[,{])/.exec(before.slice(verdict[0].length))?.[1];
  put(fields, names !== undefined && what === "INFECTED" ? "virus" : "banned", names);
  const lastOpen = before.lastIndexOf("<");
  if (arrow >= 0 && lastOpen >= 0) {
    fields["from"] = before.slice(lastOpen + 1, -1);
    const addresses = before.slice(Math.max(0, lastOpen - 300), lastOpen);
    putAddress(
      fields,
      /\[([^[\]\s]{1,64})\](?::\d{1,5})?(?: \[[^[\]\s]{0,64}\])?(?: \S{0,255})? ?$/.exec(addresses)?.[1],
    );
    putRecipients(fields, body.slice(arrow + 5, arrow + 3000));
  }
  const rest = arrow < 0 ? body : body.slice(arrow + 5, arrow + 5000);
  put(fields, "quarantine", value(rest, "quarantine"));
  put(fields, "message_id", /, Message-ID: <([^<>]{0,400})>/.exec(rest)?.[1]);
  put(fields, "mail_id", value(rest, "mail_id"));
  put(fields, "queued_as", value(rest, "queued_as")?.split("/", 1)[0]);
  const score = /, Hits: (-?\+?\d{1,6}(?:\.\d{1,6})?)/.exec(rest)?.[1];
  if (score !== undefined) fields["score"] = Number(score);
  const size = value(rest, "size");
  if (size !== undefined && /^\d+$/.test(size)) fields["size"] = Number(size);
  const took = /, (\d{1,9}) ms\b/.exec(rest)?.[1];
  if (took !== undefined) fields["delay"] = Number(took) / 1000;
  const unchecked =
    what.startsWith("UNCHECKED") || what.startsWith("MTA-BLOCKED") || what.startsWith("TEMPFAIL");
  return {
    event: "filter_result",
    fields,
    cause: unchecked ? "policy" : undefined,
    queueId: value(rest, "Queue-ID"),
    shape: `${fields["verdict"]}`,
  };
}

/** `, key: value,`: the value up to a comma or blank. */
const value = (text: string, key: string): string | undefined => {
  const at = text.indexOf(`, ${key}: `);
  if (at < 0) return undefined;
  return /^[^\s,]{0,400}/.exec(text.slice(at + key.length + 4, at + key.length + 500))![0];
};

/** `<to>,<to>, ...`: the first recipient and how many. */
function putRecipients(fields: Bag, text: string): void {
  let n = 0;
  let at = 0;
  while (text[at] === "<" && n < 100) {
    const close = text.indexOf(">", at);
    if (close < 0) break;
    if (n === 0) fields["to"] = text.slice(at + 1, close);
    n++;
    at = text[close + 1] === "," ? close + 2 : close + 1;
  }
  if (n > 0) fields["nrcpt"] = n;
}

/** `SPAM, <from> -> <to>, Yes, score=21.1 tag=x tests=[..]`. */
function readScore(body: string): Reading {
  const fields: Bag = {};
  const from = /<([^<>]{0,320})> -> /.exec(body)?.[1];
  put(fields, "from", from);
  put(fields, "to", / -> <([^<>]{0,320})>/.exec(body)?.[1]);
  const score = /, (Yes|No), (?:score|hits)=(\S{1,20})/.exec(body);
  if (score)
    Object.assign(fields, { verdict: score[1] === "Yes" ? "spam" : "clean", score: Number(score[2]) });
  return { event: "filter_result", fields, shape: `SPAM, <> -> <> ${score?.[1] ?? ""}` };
}

const TROUBLE: readonly Rule[] = [
  [/no space left|disk full|quota exceeded while/i, "disk_failure", "disk"],
  [/permission denied/i, "permission_failure", "permission"],
  [/cannot allocate|out of memory|exceeded storage|panic/i, "process_exit", "crash"],
  [
    /av-scanner failed|virus scann\w+ (?:fail|skipp)|all .{0,40}scanners failed|run_av|ask_av|ask_daemon|sophie|clamav|clamd|trophie|policy_server|spam_scan/i,
    "policy_failure",
    "policy",
  ],
  [/mysql|dbd::|sql|ldap|redis|lookup table/i, "lookup_failure", "lookup"],
  [
    /timed? ?out|connection refused|can't connect|connect to|unable to connect|broken pipe|connection reset|tempfailed|not connected|no greeting/i,
    "connect_failure",
    "connect",
  ],
  [
    /loading policy bank|config|unknown field|invalid .{0,20}attribute|security risk|unknown banned|deprecated/i,
    "config_warning",
    "config",
  ],
  [
    /unzip|decod|do_\w+|cabextract|archive|maximum number|truncat|bomb|file\(1\)|mime|unpack|exceeded|member/i,
    "warning",
    "other",
  ],
  [/preserving|preserved|trouble|failed|error|unable|cannot|can't/i, "error", "other"],
];

const MARK = /^\(!{1,2}\) ?|^TROUBLE\b|^PANIC\b/;

/** Lines marked (!), (!!), TROUBLE, or with words of failure. */
function readTrouble(body: string): Reading | undefined {
  const marked = MARK.test(body);
  const words = plainWords(body);
  if (
    !marked &&
    !/\bFAILED\b|timed out|Can't connect|Can't send|unable to connect|gone away|Permission denied|No space left|too many retries/i.test(
      words,
    )
  )
    return undefined;
  for (const [pattern, event, cause] of TROUBLE)
    if (pattern.test(words))
      return {
        ...reading(event, { reason: body }, body, cause),
        severity: body.startsWith("(!!)") ? "error" : "warning",
      };
  return marked ? reading("warning", { reason: body }, body, "other") : undefined;
}

const LIFE: readonly Rule[] = [
  [
    /^(?:starting\.|Amavis.{0,20} starting|initializing|Net::Server: |Binding to|child process started|Creating db)/i,
    "process_start",
  ],
  [/^(?:stopping|shutting down|exiting|Net::Server: .{0,40}clos|SIGTERM)/i, "process_stop"],
  [/^(?:reload|SIGHUP|config files read)/i, "reload"],
  [/^BAD HEADER/i, "filter_result"],
  [/^(?:virus_scan: \(|.{0,60} INFECTED: )|^(?:Blocked|FAKE SENDER|p\.path BANNED)/i, "filter_result"],
  [/^(?:DSN: |Negative SMTP response)/i, "info"],
];

/** A word, a code path or a part of the message, then its details: what amavis logs in passing from level 2 on. */
function readRest(body: string): Reading {
  const words = plainWords(body);
  for (const [pattern, event, cause] of LIFE)
    if (pattern.test(words)) return reading(event, { reason: body }, body, cause);
  const fields: Bag = {};
  put(fields, "message_id", /[Mm]essage-[Ii][Dd]: <([^<>]{0,400})>/.exec(body.slice(0, 2000))?.[1]);
  const told = /^(?:INFO|SA info|NOTICE: Not|extra modules)\b/.test(body);
  const life = told ? undefined : readLife(body);
  if (life?.cause !== undefined && life.event !== "error") return life;
  return { event: "info", fields: { ...fields, reason: body }, shape: body };
}
