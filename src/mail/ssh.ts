import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { readPam } from "./pam.ts";
import { type Bag, cap, put, type Reading } from "./scan.ts";
import { type CompanionSample, putAddress, type Rule, reading, readLife, readRulesOrLife } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "sshd",
    line: "Failed password for invalid user admin from 192.0.2.9 port 4022 ssh2",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "admin", client_address: "192.0.2.9", method: "password" },
  },
  {
    daemon: "sshd",
    line: "Failed password for invalid user x from 198.51.100.1 port 1 ssh2 from 192.0.2.9 port 4022 ssh2",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "Accepted publickey for ann from 192.0.2.9 port 4022 ssh2: RSA SHA256:abc",
    event: "auth_success",
    fields: { user: "ann", client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "Connection closed by authenticating user ann 192.0.2.9 port 4022 [preauth]",
    event: "login_aborted",
    fields: { user: "ann", client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "error: maximum authentication attempts exceeded for root from 192.0.2.9 port 4022 ssh2 [preauth]",
    event: "too_many_errors",
    cause: "auth",
    fields: { user: "root", client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "Received disconnect from 192.0.2.9 port 4022:11: disconnected by user",
    event: "disconnect",
    fields: { client_address: "192.0.2.9", reason: "disconnected by user" },
  },
  {
    daemon: "sshd",
    line: "User root from 192.0.2.9 not allowed because not listed in AllowUsers",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "root", client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "Bad protocol version identification 'GET / from 198.51.100.1' from 192.0.2.9 port 4022",
    event: "protocol_error",
    cause: "protocol",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd-session",
    line: "fatal: Timeout before authentication for 192.0.2.9 port 4022",
    event: "timeout",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "drop connection #10 from [192.0.2.9]:4022 on [192.0.2.1]:22 past MaxStartups",
    event: "limit_reached",
    cause: "limit",
    fields: { client_address: "192.0.2.9" },
  },
  { daemon: "sshd", line: "Server listening on 0.0.0.0 port 22.", event: "process_start" },
  {
    daemon: "dropbear",
    line: "Bad password attempt for 'root' from 192.0.2.9:4022",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "root", client_address: "192.0.2.9" },
  },
];

/** A user name may hold " from 1.2.3.4 port 1 ssh2"; the real address is the last, but for what sshd adds after "ssh2: ". */
const KEYED =
  /^(?:invalid user |illegal user )?(\S{1,255}) from (\S{1,255})(?: port \d+)?(?: on \S{1,100})? ssh\d?: /;
const PORT_AT_END = /^(.*) (\S{1,255}) port \d{1,6}$/s;

type Peer = { readonly user: string | undefined; readonly address: string | undefined };

/** `[invalid user ]USER from HOST[ port N ssh2]...`: who, and from where. */
function peerOf(text: string): Peer {
  const keyed = KEYED.exec(text);
  if (keyed) return { user: keyed[1], address: keyed[2] };
  const at = ` ${text}`.lastIndexOf(" from ") - 1;
  if (at < -1) return { user: text.replace(/^(?:invalid|illegal) user /, ""), address: undefined };
  const user = at <= 0 ? "" : text.slice(0, at).replace(/^(?:invalid|illegal) user ?/, "");
  return { user: user.trim(), address: /^\S{0,255}/.exec(text.slice(at + 6).trimStart())![0] };
}

/** `[invalid user U |authenticating user U |user U ]IP[ port N]`: the address stands last. */
function peerAtEnd(text: string): Peer {
  const ported = PORT_AT_END.exec(` ${text}`);
  const blank = text.lastIndexOf(" ");
  const address = ported ? ported[2] : text.slice(blank + 1);
  const rest = ported ? ported[1]!.trim() : text.slice(0, Math.max(0, blank));
  const user = /^(?:invalid |authenticating |illegal )?user ?(.*)$/s.exec(rest)?.[1];
  return { user, address };
}

function found(event: EventName, peer: Peer, shape: string, cause?: Cause, more: Bag = {}): Reading {
  const fields: Bag = { ...more };
  put(fields, "user", peer.user);
  putAddress(fields, peer.address);
  return { event, fields, cause, shape };
}

type Reader = (rest: string, preauth: boolean, head: RegExpExecArray) => Reading;

/** How a message begins, and what reads the rest. */
const HEADS: readonly (readonly [RegExp, Reader])[] = [
  [
    /^Accepted (\S{1,60}) for /,
    (rest, _, head) =>
      found("auth_success", peerOf(rest), `Accepted ${head[1]} for <> from <>`, undefined, {
        method: head[1]!,
      }),
  ],
  [
    /^Failed (\S{1,60}) for (?=(invalid user |illegal user )?)/,
    (rest, _, head) =>
      found("auth_failure", peerOf(rest), `Failed ${head[1]} for ${head[2] ?? ""}<> from <>`, "auth", {
        method: head[1]!,
        ...(head[2] === undefined ? {} : { reason: "invalid user" }),
      }),
  ],
  [
    /^(?:Invalid|Illegal) user /,
    (rest) =>
      found("auth_failure", peerOf(rest), "Invalid user <> from <>", "auth", { reason: "invalid user" }),
  ],
  [
    /^PAM: (?!service|pam_)(.{1,80}?) for (?=(?:invalid user |illegal user )?)/i,
    (rest, _, head) =>
      found("auth_failure", peerOf(cutLast(rest, " via ")), `PAM: ${head[1]} for <> from <>`, "auth", {
        method: "pam",
        reason: head[1]!,
      }),
  ],
  [
    /^ROOT LOGIN REFUSED FROM /,
    (rest) =>
      found(
        "auth_failure",
        { user: "root", address: /^\S*/.exec(rest)![0] },
        "ROOT LOGIN REFUSED FROM <>",
        "auth",
      ),
  ],
  [
    /^maximum authentication attempts exceeded for /,
    (rest) =>
      found(
        "too_many_errors",
        peerOf(rest),
        "maximum authentication attempts exceeded for <> from <>",
        "auth",
      ),
  ],
  [/^User (?=.{0,400} not allowed because )/, readNotAllowed],
  [
    /^Authentication tried for (?=.{0,400} with correct key but not from a permitted host)/,
    (rest) =>
      found(
        "auth_failure",
        {
          user: rest.slice(0, rest.indexOf(" with correct key")),
          address: /ip=([^,)\s]{1,64})/.exec(rest)?.[1],
        },
        "Authentication tried for <> with correct key but not from a permitted host",
        "auth",
      ),
  ],
  [
    /^refused connect from /,
    (rest) =>
      found(
        "reject",
        { user: undefined, address: /\(([^()]{1,80})\)\s*$/.exec(rest)?.[1] ?? rest },
        "refused connect from <>",
        "spam",
      ),
  ],
  [/^Received disconnect from (\S{1,255})(?: port [^\s:]{1,12}: ?|: )[^\s:]{1,12}: ?/, readDisconnect],
  [/^Disconnecting(?= |: )/, readDisconnecting],
  [/^Connection (closed|reset) by (?=((?:invalid|authenticating) user )?)/, readClosed],
  [/^Disconnected from (?=((?:invalid |authenticating )?user )?)/, readClosed],
  [
    /^Did not receive identification string from /,
    (rest) =>
      found(
        "protocol_error",
        { user: undefined, address: /^\S*/.exec(rest)![0] },
        "Did not receive identification string from <>",
        "protocol",
      ),
  ],
  [
    /^Bad (protocol version|remote protocol version) identification /,
    (rest) =>
      found(
        "protocol_error",
        { ...peerOf(rest), user: undefined },
        "Bad protocol version identification <> from <>",
        "protocol",
      ),
  ],
  [
    /^(banner exchange|ssh_dispatch_run_fatal|ssh_packet_\w+|kex_protocol_error): Connection (?:from|to|with) /,
    (rest, _, head) => {
      const colon = rest.lastIndexOf(": ");
      const peer = peerAtEnd(colon < 0 ? rest : rest.slice(0, colon));
      return found(
        "protocol_error",
        peer,
        `${head[1]}: Connection from <>${colon < 0 ? "" : rest.slice(colon)}`,
        "protocol",
        { reason: colon < 0 ? "" : rest.slice(colon + 2) },
      );
    },
  ],
  [
    /^(?:Unable to negotiate with|Protocol major versions differ for|Bad packet length from) /,
    (rest) => {
      const colon = rest.indexOf(": ");
      const reason = colon < 0 ? rest : rest.slice(colon + 2);
      return found(
        "protocol_error",
        { user: undefined, address: /^[^\s]*/.exec(rest)![0].replace(/:$/, "") },
        `Unable to negotiate with <>: ${reason.split(". Their offer", 1)[0]}`,
        "protocol",
        { reason },
      );
    },
  ],
  [
    /^(?:kex_exchange_identification|ssh_exchange_identification): /,
    (rest) =>
      found(
        "protocol_error",
        { user: undefined, address: undefined },
        `kex_exchange_identification: ${rest.split(/["']/, 1)[0]}`,
        "protocol",
        { reason: rest },
      ),
  ],
  [
    /^Timeout before authentication for (?:connection from )?/,
    (rest) =>
      found(
        "timeout",
        { user: undefined, address: /^[^\s,]*/.exec(rest)![0] },
        "Timeout before authentication for <>",
      ),
  ],
  [
    /^Timeout, client not responding(?: from )?/,
    (rest) =>
      found(
        "timeout",
        rest === "" ? { user: undefined, address: undefined } : peerAtEnd(rest),
        "Timeout, client not responding from <>",
      ),
  ],
  [
    /^Connection from /,
    (rest) => found("connect", { user: undefined, address: /^\S*/.exec(rest)![0] }, "Connection from <>"),
  ],
  [
    /^SSH: Server;Ltype: (\w{1,20});Remote: ([^;\s]{1,80});/,
    (_, __, head) =>
      found(
        "info",
        { user: undefined, address: head[2]?.replace(/-\d{1,6}$/, "") },
        `SSH: Server;Ltype: ${head[1]}`,
      ),
  ],
  [
    /^Postponed (\S{1,60}) for /,
    (rest, _, head) => found("info", peerOf(rest), `Postponed ${head[1]} for <> from <>`),
  ],
  [/^Starting session: /, (rest) => found("system", peerOf(rest), "Starting session")],
  [
    /^Close session: user /,
    (rest) =>
      found(
        "system",
        { user: /^\S*/.exec(rest)![0], address: peerOf(rest).address },
        "Close session: user <> from <>",
      ),
  ],
  [
    /^(?:Address|reverse mapping checking getaddrinfo for|Nasty PTR record) (?=.{0,600}(?:map|BREAK-IN|PTR|failed))/,
    (rest) =>
      found(
        "hostname_mismatch",
        { user: undefined, address: /\[([^[\]\s]{1,64})\]/.exec(rest)?.[1] ?? /^\S*/.exec(rest)![0] },
        "reverse mapping of <> failed",
      ),
  ],
  [
    /^(?:drop connection #?\S{0,12} from |error: connect from |refusing? connection from )/i,
    (rest) =>
      reading("limit_reached", addressed(/^\[?[^\]\s]*/.exec(rest)![0]), "drop connection from <>", "limit"),
  ],
];

const addressed = (address: string): Bag => {
  const fields: Bag = {};
  putAddress(fields, address);
  return fields;
};

/** Texts that name no client, or that need no more than their words. */
const RULES: readonly Rule[] = [
  [
    /no matching (?:\w{1,20} ){1,4}found|unable to negotiate|no (?:supported|hostkey) \w+|protocol (?:error|mismatch)|bad packet|corrupted mac|kex|key exchange|banner/i,
    "protocol_error",
    "protocol",
  ],
  [/maxstartups|penalt|rate/i, "limit_reached", "limit"],
  [
    /(?:read|write) (?:from|to|failed)|(?:connection|remote).{0,20}(?:reset|closed|lost|aborted)|broken pipe/i,
    "connection_lost",
  ],
  [/ignoring max retries|too many authentication failures/i, "too_many_errors", "auth"],
  [/server listening/i, "process_start"],
  [/terminating|exiting on signal/i, "process_stop"],
  [/sighup|restarting/i, "reload"],
  [/authentication refused: bad ownership/i, "permission_failure", "permission"],
  [
    /could not load|unprotected private key|bad configuration|unsupported option|deprecated|missing privilege separation|no hostkeys/i,
    "config_warning",
    "config",
  ],
  [/authentication (?:failure|error)/i, "auth_failure", "auth"],
  [
    /^(?:subsystem|session|user child|input_userauth|userauth|lastlog|transferred|starting session|close session|connection|set_nodelay|debug|rexec|root login|last|did not|closing|exec|forced command|internal-sftp|opened|sent|open|close|stat|mkdir|rename|remove|lstat|opendir|closedir|channel|executing|pam service|new session|removed session|syslogin|disconnect|hostbased|found matching|allocating|mm_|audit)/i,
    "system",
  ],
];

/** sshd of OpenSSH in all its versions, and what PAM says through it. The session joins the lines of one connection. */
export function readSshd(message: string, session: string | undefined): Reading {
  const early = message.replace(/^kernel: ?\[ {0,8}[^\]\s]{1,20}\]:? /, "");
  const preauth = / \[preauth\]\s*$/.test(early.slice(-20));
  const whole = preauth ? early.replace(/ \[preauth\]\s*$/, "") : early.trimEnd();
  const text = whole.replace(/^(?:error|fatal|info|debug\d?): /, "");
  const pam = readPam(text);
  if (pam !== undefined) return { ...pam, session };
  for (const [head, read] of HEADS) {
    const m = head.exec(text);
    if (m !== null) return { ...read(text.slice(m[0].length), preauth, m), session };
  }
  return { ...readRulesOrLife(RULES, text), session };
}

const cutLast = (text: string, mark: string): string => {
  const at = text.lastIndexOf(mark);
  return at < 0 ? text : text.slice(0, at);
};

/** `USER[ from HOST] not allowed because REASON`. */
function readNotAllowed(rest: string): Reading {
  const at = rest.lastIndexOf(" not allowed because ");
  const who = rest.slice(0, at);
  const from = who.lastIndexOf(" from ");
  const peer =
    from < 0 ? { user: who, address: undefined } : { user: who.slice(0, from), address: who.slice(from + 6) };
  return found(
    "auth_failure",
    peer,
    `User <>${from < 0 ? "" : " from <>"} not allowed because${rest.slice(at + 20)}`,
    "auth",
    {
      reason: rest.slice(at + 21),
    },
  );
}

/** The client says why it leaves; only `Auth fail` (JSch) and `No authentication methods` tell of a log-in that failed. */
function readDisconnect(reason: string, preauth: boolean, head: RegExpExecArray): Reading {
  const peer = { user: undefined, address: head[1] };
  if (/(?:^|: )Auth(?:entication)? fail(?:ed|ure)?$/.test(reason))
    return found("auth_failure", peer, "Received disconnect from <>: Auth fail", "auth", { reason });
  const none = /No (?:supported |more )?authentication methods available/.test(reason);
  return found(
    preauth || none ? "login_aborted" : "disconnect",
    peer,
    `Received disconnect from <>: ${none ? "No authentication methods available" : ""}${preauth ? " preauth" : ""}`,
    undefined,
    { reason },
  );
}

/** `Disconnecting[ invalid user U IP port N]: REASON`. */
function readDisconnecting(rest: string): Reading {
  const mark =
    /: (Too many authentication failures|Change of username or service not allowed)(?: for (.{0,255}))?/.exec(
      rest,
    );
  const colon = mark?.index ?? rest.lastIndexOf(": ");
  const who = colon <= 0 ? "" : rest.slice(0, colon).trim();
  const reason = colon < 0 ? rest : rest.slice(colon + 2);
  const peer: Peer = who === "" ? { user: mark?.[2], address: undefined } : peerAtEnd(who);
  const many = mark?.[1]?.startsWith("Too") === true;
  return found(
    many ? "too_many_errors" : "protocol_error",
    peer,
    `Disconnecting${who === "" ? "" : " <>"}: ${mark?.[1] ?? reason}`,
    many ? "auth" : "protocol",
    {
      reason,
    },
  );
}

/** `Connection closed by`, `Connection reset by`, `Disconnected from`: before the log-in, or after it. */
function readClosed(rest: string, preauth: boolean, head: RegExpExecArray): Reading {
  const named = head.length === 3 ? head[2] : head[1];
  const early = preauth || (named !== undefined && !named.startsWith("user"));
  const shape = `${head[0]}${named ?? ""}<>${preauth ? " preauth" : ""}`;
  return found(early ? "login_aborted" : "disconnect", peerAtEnd(rest), shape);
}

const DROPBEAR: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/^bad (?:password|PAM password|credentials) attempt for /i, "auth_failure", "auth"],
  [
    /^(?:login attempt (?:for|with) |user '.{0,100}' (?:has|is)|.{0,20}attempt for nonexistent user)/i,
    "auth_failure",
    "auth",
  ],
  [/^exit before auth.{0,400}max auth tries reached/i, "too_many_errors", "auth"],
  [/^exit before auth/i, "login_aborted"],
  [/^(?:password|pubkey|pam password) auth succeeded/i, "auth_success"],
  [/^child connection from/i, "connect"],
  [/^exit /i, "disconnect"],
];

/** dropbear: `Bad password attempt for 'root' from IP:port`, `Exit before auth from <IP:port>: ...`. */
export function readDropbear(message: string): Reading {
  const text = message.replace(/^\[[^\]\s]{1,20}\] \S{3} +\S{1,20} \S{1,20} /, "");
  for (const [pattern, event, cause] of DROPBEAR) {
    if (!pattern.test(text)) continue;
    const fields: Bag = {};
    put(fields, "user", /'([^']{1,255})'/.exec(text)?.[1]);
    const bracket = / from <([^<>\s]{1,80})>/.exec(text);
    const at = text.lastIndexOf(" from ");
    const address = bracket?.[1] ?? (at < 0 ? undefined : /^\S*/.exec(text.slice(at + 6))![0]);
    putAddress(fields, address?.replace(/:\d{1,5}$/, ""));
    fields["reason"] = cap(text);
    return { event, fields, cause, shape: text.replace(/'[^']*'/g, "<>") };
  }
  return readLife(text);
}
