import { refusalCause } from "./cause-refused.ts";
import { readPam } from "./pam.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import { type CompanionSample, plainWords, putAddress } from "./words.ts";

/** Lines of our own making, of programs that have no grammar of their own. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "roundcube",
    line: "<k2j4> IMAP Error: Login failed for x from 198.51.100.1 from 192.0.2.9. AUTHENTICATE PLAIN: A0002 NO Login failed. in /usr/share/imap.php on line 9 (POST /?_task=login)",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "roundcube",
    line: "Failed login for ann from 192.0.2.9 in session 1z2y (error: 0)",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "HORDE",
    line: "[error] [imp] FAILED LOGIN for ann@our.example [192.0.2.9] to {mx.our.example:993 [imap/ssl]} [pid 9 on line 139 of x.php]",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sogod",
    line: "SOGoRootPage Login from '192.0.2.9' for user 'ann' might not have worked - password policy: 65535  grace: -1",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", user: "ann" },
  },
  {
    daemon: "webmin",
    line: "Invalid login as root from 192.0.2.9",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "proftpd",
    line: "mx (192.0.2.9[192.0.2.9]): USER root (Login failed): Incorrect password",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "monit",
    line: "HttpRequest: access denied -- client 192.0.2.9: wrong password for user 'ann'",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "in.telnetd",
    line: "refused connect from 192.0.2.9",
    event: "reject",
    cause: "spam",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "pvedaemon",
    line: "authentication failure; rhost=192.0.2.9 user=ann@pve msg=invalid credentials",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", user: "ann@pve" },
  },
  {
    daemon: "kerio",
    line: "IP address 192.0.2.9 found in DNS blacklist Example, mail from <a@b.example> to <x@our.example> rejected",
    event: "reject",
    cause: "spam",
    fields: { client_address: "192.0.2.9" },
  },
  { daemon: "gizmo", line: "turned three times", event: "unknown" },
];

/** Words by which programs say that a log-in failed. */
const LOGIN =
  /(?:log-?in|log-?on|password|authentication|\bauth|credentials?|user(?:name)?|account|passwd).{0,40}(?:fail|invalid|incorrect|wrong|denied|reject|unknown|mismatch|not (?:found|exist|have worked)|no such|doesn't exist|error)|(?:fail|invalid|incorrect|wrong|bad|denied|non-existent|unknown|no such|unauthori[sz]ed|excessive).{0,40}(?:log-?in|log-?on|password|authentication|\bauth|credentials?|user(?:name)?|account|passwd)|tried to log ?in|might not have worked/i;
/** Words by which mail programs say that they refused a client or a message. */
const REFUSED =
  /relay(?:ing)? (?:attempt|access|denied)|unknown recipient|spam attack|(?:dns|ip) ?(?:blacklist|blocklist|bl\b)|blacklist|(?:connection|message|client|sender|recipient) (?:from |with )?.{0,80}(?:rejected|refused|denied|blocked)|dropping connection/i;
const BACKEND =
  /connection lost|cannot connect|can't connect|unavailable|timed? ?out|temporar|internal error|lookup fail/i;
const ADDRESS =
  /(?:^|[\s['"(<=@,])((?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}|(?!\d{1,2}:\d\d:\d\d(?![:\w]))[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?=$|[\s\]'")>,;:.(])/g;

/** A program without a grammar: PAM through it, TCP wrappers, and log-ins that fail, with the address where the text has one. */
export function readStranger(message: string): Reading {
  const pam = readPam(message);
  if (pam !== undefined) return pam;
  const text = message.length > 1200 ? message.slice(0, 1200) : message;
  const refused = /^(?:warning: )?refused connect(?:ion)? from (\S{0,255})(?: ?\(([^()\s]{1,64})\))?/.exec(
    text,
  );
  if (refused) {
    const fields: Bag = {};
    putAddress(fields, refused[2] ?? refused[1]);
    return { event: "reject", fields, cause: "spam", shape: "refused connect from <>" };
  }
  const connect = /^connect(?:ion)? from (\S{1,255})(?: \(([^()\s]{1,64})\))?/i.exec(text);
  if (connect) {
    const fields: Bag = {};
    putAddress(fields, connect[2] ?? connect[1]);
    return { event: "connect", fields, shape: `connect from <>${text.slice(connect[0].length)}` };
  }
  const words = plainWords(text);
  const login = LOGIN.test(words);
  if (!login && !REFUSED.test(words)) return { event: "unknown", fields: {}, shape: message };
  const fields: Bag = { reason: text };
  putAddress(fields, addressOf(text));
  put(fields, "user", /\buser(?:name)?[ =:]{1,2}["'<]?([^\s"'<>;,]{1,255})/i.exec(text)?.[1]);
  if (!login)
    return { event: "reject", fields, cause: refusalCause(undefined, undefined, words), shape: message };
  const cause = BACKEND.test(words) ? "auth_backend" : "auth";
  return { event: "auth_failure", fields, cause, shape: message };
}

/**
 * Where the client's address stands in prose: after the last "from" of the sentence that says so, else the first one in
 * brackets or quotes, else the first of all. A name before the last "from" is the client's own text.
 */
function addressOf(text: string): string | undefined {
  const sentence =
    /^(.{0,900}? from ['"[<(]?[^\s]{2,80}?[.,]?)(?= (?!from\b)[A-Z(]| in (?!from\b)| with |$|\()/.exec(
      text,
    )?.[1] ?? text;
  const from = sentence.lastIndexOf(" from ");
  if (from >= 0) {
    ADDRESS.lastIndex = 0;
    const near = ADDRESS.exec(sentence.slice(from + 5, from + 90));
    if (near) return near[1];
  }
  ADDRESS.lastIndex = 0;
  const first = ADDRESS.exec(text);
  return first === null ? undefined : first[1];
}
