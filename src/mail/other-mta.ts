import { refusalCause } from "./cause-refused.ts";
import { remoteCause } from "./cause-remote.ts";
import { type Bag, put, type Reading, readReply } from "./scan.ts";
import { type CompanionSample, plainWords, putAddress, type Rule, readRulesOrLife } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "smtpd",
    line: 'smtp-in: Failed command on session 1f55bdcdf16e28a3: "RCPT TO:<x@our.example>" => 550 Invalid recipient',
    event: "reject",
    cause: "unknown_user",
    fields: { reply_code: 550 },
  },
  {
    daemon: "smtpd",
    line: "08d856b172f69c5c smtp connected address=192.0.2.9 host=h.example",
    event: "connect",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "smtpd",
    line: '08d856b172f69c5c smtp failed-command address=192.0.2.9 host=h.example command="AUTH PLAIN (...)" result="535 Authentication failed"',
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", reply_code: 535 },
  },
  {
    daemon: "smtpd",
    line: '08d856b172f69c5c mta delivery evpid=1 from=<a@our.example> to=<x@far.example> rcpt=<-> source="192.0.2.1" relay="192.0.2.7 (mx.far.example)" delay=1s result="Ok" stat="250 2.0.0 Ok"',
    event: "delivery",
    fields: { status: "sent", to: "x@far.example" },
  },
  {
    daemon: "qmail",
    line: "1157520813.485077 rblsmtpd: 192.0.2.9 pid 19597 sbl.example: 451 http://www.example/query?ip=192.0.2.9",
    event: "reject",
    cause: "rbl",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "rblsmtpd",
    line: "relays.example blocked 192.0.2.9 x.example -",
    event: "reject",
    cause: "rbl",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "qmail",
    line: "delivery 12: deferral: Connected_to_192.0.2.7_but_greeting_failed./",
    event: "delivery",
    cause: "connect",
    fields: { status: "deferred" },
  },
  {
    daemon: "qmail",
    line: "delivery 12: success: 192.0.2.7_accepted_message./Remote_host_said:_250_ok/",
    event: "delivery",
    fields: { status: "sent" },
  },
  { daemon: "qmail", line: "end msg 93996", event: "removed" },
];

const OPENSMTPD: readonly Rule[] = [
  [
    /^(?:smtp-in: )?(?:\d{0,20} ?smtp )?(?:connected|new session)|^smtp-in: New session|0 smtp connected/i,
    "connect",
  ],
  [/closing session|received disconnect|disconnected|disconnecting/i, "disconnect"],
  [
    /started tls|0 smtp (?:tls|starttls)|smtp-?out: server certificate verification succeeded/i,
    "tls_established",
  ],
  [/io error|connection (?:reset|closed)|timeout/i, "connection_lost"],
  [/accepted message|0 smtp (?:message|envelope)/i, "client"],
  [/^(?:info: )?opensmtpd.{0,20}starting|startup/i, "process_start"],
  [/exiting|terminat/i, "process_stop"],
  [
    /\bmta (?:connecting|connected|error|disconnected|tls|starttls|server-cert)|^smtp-out: (?:connect|session|enabling|disabling)/i,
    "info",
  ],
  [/scheduler|queue|lka|control|warn: |mda/i, "info"],
];

const QUOTED = (key: string, text: string): string | undefined =>
  new RegExp(` ${key}="([^"]{0,400})"`).exec(text)?.[1];
const STATUS: Readonly<Record<string, string>> = {
  Ok: "sent",
  TempFail: "deferred",
  PermFail: "bounced",
  success: "sent",
  deferral: "deferred",
  failure: "bounced",
};

/** OpenSMTPD, old (`smtp-in: Failed command on session`) and new (`SESSION smtp failed-command address=..`) words. */
export function readOpensmtpd(message: string): Reading {
  const fields: Bag = {};
  const address = / address=(\S{1,80})/.exec(message)?.[1];
  put(fields, "client_name", / host=(\S{1,255})/.exec(message)?.[1]);
  putAddress(fields, address);
  const failed = /failed command on session \S{1,40}: "(.{0,500})" => (.{0,400})$/i.exec(message);
  const result =
    failed?.[2] ??
    (/ (?:smtp|pony) failed-command /.test(message.slice(0, 80)) ? QUOTED("result", message) : undefined);
  if (result !== undefined)
    return readFailed(result, failed?.[1] ?? QUOTED("command", message) ?? "", fields);
  const delivery = / (?:mta|mda) delivery .{0,900} result="?(Ok|TempFail|PermFail)"?/.exec(message);
  if (delivery) {
    const status = STATUS[delivery[1]!]!;
    const stat = QUOTED("stat", message) ?? "";
    put(fields, "from", / from=<([^<>]{0,320})>/.exec(message)?.[1]);
    put(fields, "to", / to=<([^<>]{0,320})>/.exec(message)?.[1]);
    put(fields, "relay", QUOTED("relay", message));
    Object.assign(fields, { status, reason: stat });
    const { code, dsn, rest } = readReply(stat, 0);
    put(fields, "reply_code", code);
    put(fields, "dsn", dsn);
    const cause = status === "sent" ? undefined : remoteCause(code, dsn, plainWords(stat.slice(rest)));
    return {
      event: "delivery",
      fields,
      cause,
      shape: `delivery result=${delivery[1]} ${code ?? ""} ${dsn ?? ""}`,
      uncached: true,
    };
  }
  const read = readRulesOrLife(OPENSMTPD, message);
  return { ...read, fields: { ...read.fields, ...fields } };
}

function readFailed(result: string, command: string, fields: Bag): Reading {
  const { code, dsn, rest } = readReply(result.replace(/:/g, ""), 0);
  put(fields, "reply_code", code);
  put(fields, "dsn", dsn);
  fields["reason"] = result;
  put(fields, "stage", /^[A-Za-z]{4,8}/.exec(command)?.[0].toUpperCase());
  const words = plainWords(result.slice(rest));
  const auth = code === 535 || /^AUTH\b/i.test(command);
  const cause = auth
    ? code === 421 || code === 454
      ? "auth_backend"
      : "auth"
    : /recipient/i.test(words)
      ? "unknown_user"
      : refusalCause(code, dsn, words);
  const event = auth ? "auth_failure" : code === 500 || code === 503 ? "protocol_error" : "reject";
  return { event, fields, cause, uncached: true, shape: `failed command: ${code ?? ""} ${words}` };
}

const QMAIL: readonly Rule[] = [
  [/^end msg/, "removed"],
  [/^(?:new msg|starting delivery|status: |bounce msg)/, "info"],
  [/^triple bounce/, "mail_loop", "loop"],
  [/^(?:running|alert: unable|warning: )/, "warning", "other"],
  [/^tcpserver: (?:pid|ok|status|end)/, "info"],
];

/** qmail-send, qmail-smtpd, rblsmtpd, tcpserver; a TAI or epoch time may stand before the text. */
export function readQmail(message: string): Reading {
  const text = message
    .replace(/^(?:@[0-9a-f]{24} |\d{9,12}\.\d{1,9} )/, "")
    .replace(/^qmail(?:-send)?: /, "");
  const fields: Bag = {};
  const rbl =
    /^(?:rblsmtpd: (?:pid \d{1,9}: )?(\S{1,64})|qmail-smtpd: \d{0,3} ?badiprbl: ip (\S{1,64})|\S{1,255} blocked (\S{1,64}))/.exec(
      text,
    );
  if (rbl) {
    putAddress(fields, rbl[1] ?? rbl[2] ?? rbl[3]);
    fields["reason"] = text;
    return { event: "reject", fields, cause: "rbl", shape: "rblsmtpd: <>" };
  }
  const info = /^info msg \d{1,20}: bytes (\d{1,12}) from <([^<>]{0,320})> qp \d{1,20} uid \d{1,9}/.exec(
    text,
  );
  if (info)
    return {
      event: "queue_active",
      fields: { size: Number(info[1]), from: info[2]! },
      shape: "info msg 0: bytes 0 from <> qp 0 uid 0",
    };
  const done = /^delivery \d{1,20}: (success|deferral|failure): (.{0,600})/.exec(text);
  if (done) {
    const status = STATUS[done[1]!]!;
    const reason = done[2]!.replace(/_/g, " ");
    Object.assign(fields, { status, reason });
    const words = plainWords(reason);
    const cause =
      status === "sent"
        ? undefined
        : /greeting|connect|timed/i.test(words)
          ? "connect"
          : remoteCause(undefined, undefined, words);
    // The words of the other server are one masked token here, so nothing of them may be kept.
    return { event: "delivery", fields, cause, uncached: true, shape: `delivery 0: ${done[1]}: ${words}` };
  }
  return readRulesOrLife(QMAIL, text);
}
