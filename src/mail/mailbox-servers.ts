import { refusalCause } from "./cause-refused.ts";
import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { readPam } from "./pam.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import { type CompanionSample, plainWords, putAddress, type Rule, readRulesOrLife } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "imapd-ssl",
    line: "LOGIN FAILED, user=ann, ip=[::ffff:192.0.2.9], port=[4022]",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann", client_address: "192.0.2.9" },
  },
  {
    daemon: "imapd",
    line: "LOGIN, user=ann, ip=[::ffff:192.0.2.9], port=[4022], protocol=IMAP",
    event: "login",
    fields: { user: "ann", client_address: "192.0.2.9" },
  },
  {
    daemon: "imapd",
    line: "LOGOUT, user=ann, ip=[::ffff:192.0.2.9], headers=0, body=0, rcvd=9, sent=9, time=1",
    event: "logout",
  },
  {
    daemon: "pop3d",
    line: "Connection, ip=[::ffff:192.0.2.9]",
    event: "connect",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "courieresmtpd",
    line: 'error,relay=::ffff:192.0.2.9,port=4022,msg="535 Authentication failed.",cmd: AUTH LOGIN x',
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "courieresmtpd",
    line: "error,relay=::ffff:192.0.2.9,from=<a@b.example>,to=<x@our.example>: 550 User unknown.",
    event: "reject",
    cause: "unknown_user",
    fields: { client_address: "192.0.2.9", to: "x@our.example", reply_code: 550 },
  },
  {
    daemon: "cyrus/imaps",
    line: "badlogin: h.example [192.0.2.9] plaintext ann SASL(-13): authentication failure: checkpass failed",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", sasl_method: "plaintext", user: "ann" },
  },
  {
    daemon: "cyrus/imap",
    line: "login: h.example [192.0.2.9] ann plaintext+TLS User logged in",
    event: "login",
    fields: { client_address: "192.0.2.9", user: "ann" },
  },
  {
    daemon: "ipop3d",
    line: "Login failed user=ann auth=ann host=h.example [192.0.2.9]",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann", client_address: "192.0.2.9" },
  },
  {
    daemon: "solid-pop3d",
    line: "authentication failed: no such user: ann - 192.0.2.9",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "vpopmail",
    line: "vchkpw-smtp: password fail ann@our.example:192.0.2.9",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann@our.example", client_address: "192.0.2.9" },
  },
  {
    daemon: "vpopmail",
    line: "vchkpw-pop3: (PLAIN) login success ann@our.example:192.0.2.9",
    event: "login",
    fields: { user: "ann@our.example" },
  },
  {
    daemon: "perdition.imaps",
    line: 'Auth: 192.0.2.9:4022->198.51.100.1:993 client-secure=ssl authorisation_id=NONE authentication_id="ann" server="b.example:993" protocol=IMAP4S server-secure=ssl status="failed: local authentication failure"',
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", user: "ann" },
  },
];

/** Finds the client's address in the texts of one family. */
type Finder = (text: string) => string | undefined;

const lastBracket: Finder = (text) => {
  const close = text.lastIndexOf("]");
  const open = close < 0 ? -1 : text.lastIndexOf("[", close);
  return open < 0 ? undefined : text.slice(open + 1, Math.min(close, open + 65));
};

/** courier: `, ip=[..]` stands after the user, which is the client's text. */
const courierAddress: Finder = (text) => {
  const at = text.lastIndexOf(", ip=[");
  return at < 0 ? lastBracket(text) : /^[^\]]{0,64}/.exec(text.slice(at + 6))![0];
};

const COURIER: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/^LOGIN FAILED\b/, "auth_failure", "auth"],
  [/^LOGIN\b/, "login"],
  [/^LOGOUT\b/, "logout"],
  [/^(?:DISCONNECTED|TIMEOUT)\b/, "session_end"],
  [/^Connection\b/, "connect"],
  [/^Disconnected\b/, "disconnect"],
];

/** imapd, pop3d and their TLS twins of Courier; `imapd` is also UW's, Cyrus' and others'. */
export function readMailbox(message: string): Reading {
  const bad = readCyrus(message) ?? readUw(message) ?? readSolid(message);
  if (bad !== undefined) return bad;
  for (const [head, event, cause] of COURIER) {
    if (!head.test(message)) continue;
    const fields: Bag = {};
    const ip = message.lastIndexOf(", ip=[");
    put(fields, "user", /, user=(.{0,320})$/.exec(ip < 0 ? "" : message.slice(0, ip))?.[1]);
    put(fields, "method", /, method=(\w{1,30})/.exec(message)?.[1]);
    putAddress(fields, courierAddress(message));
    return { event, fields, cause, shape: head.source.replace(/\W+b?/g, " ").trim() };
  }
  const pam = readPam(message);
  return pam ?? readRulesOrLife(LIFE_RULES, message);
}

const LIFE_RULES: readonly Rule[] = [
  [/quota/i, "quota", "quota"],
  [/maximum connection limit/i, "limit_reached", "limit"],
  [/starttls: |tls server engine|starttls/i, "tls_established"],
  [
    /^(?:open|close|seen_db|skiplist|mystore|executed|accepted connection|telling master|connect|process|Expunged|Delivered|duplicate|fetching|created|indexing|counts|moved|logout|command stream|killed|autologout|preauth|service init)/i,
    "info",
  ],
];

/** Cyrus: `badlogin: H [ip] MECH [user] ...`, `login: H [ip] user MECH User logged in`. The host stands first, so it counts. */
export function readCyrus(message: string): Reading | undefined {
  const m = /^(badlogin|login): (?:([^\s[\]]{1,255}) ?)?\[([^[\]\s]{1,64})\] (.{0,600})/.exec(message);
  if (m === null) return undefined;
  const fields: Bag = {};
  put(fields, "client_name", m[2]);
  putAddress(fields, m[3]);
  const words = m[4]!.split(" ", 3);
  if (m[1] === "login") {
    put(fields, "user", words[0]);
    put(fields, "method", words[1]);
    return { event: "login", fields, shape: "login: <> [<>]" };
  }
  put(fields, "sasl_method", words[0]);
  if (words[1] !== undefined && !words[1].startsWith("[") && !/^(?:SASL|authentication)/.test(words[1]))
    fields["user"] = words[1];
  fields["reason"] = m[4]!;
  return { event: "auth_failure", fields, cause: "auth", shape: `badlogin: <> [<>] ${words[0]}` };
}

/** UW imapd and ipop3d: `Login failed user=U auth=A host=H [ip]`. */
function readUw(message: string): Reading | undefined {
  const init = /^(?:imap|pop[23]?|ipop\d) service init from (\S{1,64})/.exec(message);
  if (init) {
    const fields: Bag = {};
    putAddress(fields, init[1]);
    return { event: "connect", fields, shape: "service init from <>" };
  }
  const m =
    /^(Login (?:failed|excessive login failures|disabled)|Failed \w{1,20} override of|AUTHENTICATE \S{1,20} failure|Login|Authenticated|Logout|Auto-logout|Killed) user=(?=.{0,600}host=)/.exec(
      message,
    );
  if (m === null) return undefined;
  const fields: Bag = {};
  const rest = message.slice(m[0].length);
  const host = rest.lastIndexOf("host=");
  put(fields, "user", rest.slice(0, rest.search(/ auth=| {1,2}host=/)).trim());
  putAddress(fields, lastBracket(rest.slice(host)));
  const failed = /fail|disabled|override/i.test(m[1]!);
  const event = failed ? "auth_failure" : /^Log(?:out)|^Auto|^Killed/.test(m[1]!) ? "logout" : "login";
  return { event, fields, cause: failed ? "auth" : undefined, shape: `${m[1]} user=<> host=<>` };
}

/** solid-pop3d: `authentication failed for user U - ip`. */
function readSolid(message: string): Reading | undefined {
  const at = message.lastIndexOf(" - ");
  if (
    at < 0 ||
    !/^(?:APOP )?authentication failed|^can't find APOP secret|^root login not allowed/.test(message)
  )
    return undefined;
  const fields: Bag = { reason: message.slice(0, at) };
  putAddress(fields, message.slice(at + 3));
  put(
    fields,
    "user",
    /(?:user|name): (\S{1,255})$| user (\S{1,255})$/
      .exec(message.slice(0, at))
      ?.slice(1)
      .find((s) => s !== undefined),
  );
  return {
    event: "auth_failure",
    fields,
    cause: "auth",
    shape: `${message.slice(0, at).replace(/(user:? |name: )\S*$/, "$1<>")} - <>`,
  };
}

/** courieresmtpd: `error,relay=ADDRESS[,port=N],msg="535 ..",cmd: ..` or `,from=<..>,to=<..>: 550 text`. */
export function readCourierSmtp(message: string): Reading {
  const m = /^(error|started|msg|newmsg),?(?:relay=)?/.exec(message);
  if (!message.startsWith("error,relay=") || m === null)
    return readRulesOrLife([[/^(?:started|newmsg|id=|ip=|courieresmtpd)/i, "info"]], message);
  const fields: Bag = {};
  const address = /^[^,\s]{1,64}/.exec(message.slice(12))?.[0];
  putAddress(fields, address);
  const quoted = /,msg="(\S{1,20}) ([^"]{0,300})"/.exec(message);
  put(fields, "from", /,from=<([^<>]{0,320})>/.exec(message)?.[1]);
  put(fields, "to", /,to=<([^<>]{0,320})>/.exec(message)?.[1]);
  const plain = />: ([245]\d\d) (.{0,400})/.exec(message);
  const [code, text] = [quoted?.[1] ?? plain?.[1], quoted?.[2] ?? plain?.[2] ?? ""];
  if (code !== undefined && /^[245]\d\d$/.test(code)) fields["reply_code"] = Number(code);
  fields["reason"] = text;
  const words = plainWords(text);
  if (/authentication failed|auth\w* (?:error|failure)/i.test(words))
    return { event: "auth_failure", fields, cause: "auth", shape: `error,relay=<> ${code} ${words}` };
  return {
    event: "reject",
    fields,
    cause: refusalCause(code === undefined ? undefined : Number(code), undefined, words),
    shape: `error,relay=<> ${code ?? ""} ${words}`,
  };
}

/** vpopmail: `vchkpw-smtp: password fail (pass: 'x') user@domain:ip`. Passwords are never kept. */
export function readVpopmail(message: string): Reading {
  const m =
    /^(vchkpw[\w-]{0,20}|vpopmail[\w-]{0,20})?(?:\[\d{1,9}\])?:? ?(?:\([A-Z0-9-]{1,20}\) )?(password fail|vpopmail user not found|null (?:password|user name)|login success|system password fail|attempted \w+|.{0,30}not found|invalid \w+)/.exec(
      message,
    );
  if (m === null) return readRulesOrLife([], message);
  const fields: Bag = {};
  const tail = message.slice(message.lastIndexOf(" ") + 1);
  const colon = tail.indexOf(":");
  put(fields, "user", colon <= 0 ? undefined : tail.slice(0, colon));
  putAddress(fields, colon < 0 ? undefined : tail.slice(colon + 1));
  const ok = m[2] === "login success";
  return {
    event: ok ? "login" : "auth_failure",
    fields,
    cause: ok ? undefined : "auth",
    shape: `vchkpw: ${m[2]}`,
  };
}

/** `IP:port` of `IP:port->IP:port`, without the port. */
const clientOf = (pair: string): string => pair.split("->", 1)[0]!.replace(/:\d{1,5}:?$/, "");

/** perdition: `Auth: IP:port->IP:port ... authentication_id="U" ... status="failed: ..."`, `Fatal Error reading ... from client IP:port->`. */
export function readPerdition(message: string): Reading {
  const auth = /^Auth: (\S{1,200})/.exec(message);
  if (auth) {
    const fields: Bag = {};
    putAddress(fields, clientOf(auth[1]!));
    const status = message.lastIndexOf('status="');
    const at = message.indexOf('authentication_id="');
    put(fields, "user", at < 0 ? undefined : /^[^"]{0,255}/.exec(message.slice(at + 19))?.[0]);
    const word = status < 0 ? "" : message.slice(status + 8);
    const failed = /^failed/i.test(word);
    return {
      event: failed ? "auth_failure" : "login",
      fields,
      cause: failed ? "auth" : undefined,
      shape: `Auth: <> ${failed ? "failed" : "ok"}`,
    };
  }
  const broken = /from client (\S{1,200})/.exec(message.slice(0, 300));
  if (broken) {
    const fields: Bag = { reason: message };
    putAddress(fields, clientOf(broken[1]!));
    return {
      event: /authentication/i.test(message.slice(0, 200)) ? "login_aborted" : "connection_lost",
      fields,
      shape: "Error reading from client <>",
    };
  }
  const connect = /^(Connect(?:ion)?|Close|Login): (\S{1,200})/.exec(message);
  if (connect) {
    const fields: Bag = {};
    putAddress(fields, clientOf(connect[2]!));
    return { event: connect[1] === "Close" ? "disconnect" : "connect", fields, shape: `${connect[1]}: <>` };
  }
  return readRulesOrLife([], message);
}
