import type { EventName } from "./names.ts";
import {
  type Bag,
  between,
  cap,
  isDigit,
  numberAt,
  put,
  type Reading,
  reading,
  type Sample,
} from "./scan.ts";

/** Lines of our own making, as they follow the tag `dovecot: `. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "dovecot/imap",
    line: "imap(ann@our.example)<447><jguLmttcG+eAKnO6>: Disconnected: Logged out in=35 out=871 deleted=0 expunged=0 trashed=0",
    event: "logout",
    fields: { user: "ann@our.example", in: 35, out: 871 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann@our.example)<447><x>: Disconnected: Connection closed (NOOP finished 0.052 secs ago) in=26 out=808",
    event: "session_end",
  },
  { daemon: "dovecot/lmtp", line: "lmtp(505): Connect from local", event: "lmtp_connect" },
  {
    daemon: "dovecot/imap",
    line: "imap(ann): Logged out in=35 out=871",
    event: "logout",
    fields: { user: "ann", in: 35 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann@our.example)<447><x1>: Disconnected: Inactivity (IDLE running for 0.001 + waiting input for 1800.002 secs, 2 B in + 10 B out, state=wait-input) in=26 out=808 deleted=0 expunged=0 trashed=0 hdr_count=1 hdr_bytes=120 body_count=0 body_bytes=0",
    event: "session_end",
    fields: {
      hdr_bytes: 120,
      reason:
        "Disconnected: Inactivity (IDLE running for 0.001 + waiting input for 1800.002 secs, 2 B in + 10 B out, state=wait-input)",
    },
  },
  {
    daemon: "dovecot/pop3",
    line: "pop3(ann@our.example)<447><x1>: Disconnected: Logged out top=0/0, retr=2/3051, del=2/2, size=3017",
    event: "logout",
    fields: { retr: 2, retr_bytes: 3051, del: 2, size: 3017 },
  },
  {
    daemon: "dovecot/managesieve",
    line: "managesieve(ann)<447><x1>: Disconnected: Logged out bytes=62/1045",
    event: "logout",
    fields: { in: 62, out: 1045 },
  },
  {
    daemon: "dovecot/submission",
    line: "submission(ann)<447><x1>: Disconnected: Connection closed in=204 out=310",
    event: "session_end",
    fields: { out: 310 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: Server shutting down. in=5 out=300",
    event: "session_end",
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(505): Disconnect from local: Client has quit the connection (in reset)",
    event: "lmtp_disconnect",
    fields: { client: "local" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(505): Connect from 192.0.2.7",
    event: "lmtp_connect",
    fields: { client_address: "192.0.2.7" },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: expunge: box=INBOX, uid=12, msgid=<1@b.example>, size=2048",
    event: "mailbox_action",
    fields: { action: "expunge", mailbox: "INBOX", uid: 12, message_id: "1@b.example", size: 2048 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: copy from INBOX: box=Trash, uid=3, msgid=<1@b.example>, size=2048",
    event: "mailbox_action",
    fields: { action: "copy", mailbox: "Trash" },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: Mailbox INBOX: UID 12: expunge: msgid=<1@b.example>, size=2048",
    event: "mailbox_action",
    fields: { mailbox: "INBOX", uid: 12, action: "expunge" },
  },
  {
    daemon: "dovecot/submission",
    line: "submission(ann)<447><x1>: Successfully relayed message: from=<ann@our.example>, size=900, id=4A1B2C3D4E, nrcpt=2, reply=`250 2.0.0 Ok: queued as 4A1B2C3D4E'",
    event: "mail_forwarded",
    fields: { from: "ann@our.example", nrcpt: 2 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: Mailbox created: Archive",
    event: "mailbox_action",
    fields: { action: "Mailbox created", mailbox: "Archive" },
  },
];

/** First words of a session's end. */
const ENDS = [
  "Disconnected",
  "Logged out",
  "Connection closed",
  "Server shutting down",
  "Remote closed",
  "Client has quit",
  "Aborted",
  "Too many",
  "Timeout",
  "Inactivity",
  "Autologout",
];
/** The counter that stands first, by protocol and version. */
const FIRST_COUNTERS = [" in=", " top=", " bytes=", " rcpt=", " size="];
const MAX_COUNTERS = 20;

/** How a session ended, lmtp's connections, and what a user did to mailboxes. */
export function readSession(fields: Bag, text: string): Reading | undefined {
  if (text.startsWith("sieve: ") || text.startsWith("msgid=")) return undefined; // a delivery
  switch (text.charCodeAt(0)) {
    case 67: // C
      if (text.startsWith("Connect from ")) {
        putPeer(fields, text.slice(13));
        return reading("lmtp_connect", fields, text);
      }
      break;
    case 68: // D
      if (text.startsWith("Disconnect from ")) return readDisconnect(fields, text);
      break;
  }
  const relayed = text.startsWith("Successfully relayed message: ");
  if (relayed || text.startsWith("Failed to relay message: ")) return readRelayed(fields, text, relayed);
  for (const start of ENDS) if (text.startsWith(start)) return readEnd(fields, text);
  return readMailLog(fields, text);
}

/** The submission service's `Successfully relayed message: from=<a>, size=9, id=ID, nrcpt=1, reply=`250 ...'`. */
function readRelayed(fields: Bag, text: string, good: boolean): Reading {
  put(fields, "from", between(text, "from=<", ">"));
  put(fields, "to", between(text, " to=<", ">"));
  put(fields, "size", numberOf(valueAfter(text, "size=", 0)));
  put(fields, "nrcpt", numberOf(valueAfter(text, "nrcpt=", 0)));
  const reply = valueAfter(text, "reply=`", 0);
  if (reply !== undefined) fields["reason"] = reply.replace(/'$/, "");
  const shape = good ? "Successfully relayed message: from=" : "Failed to relay message: from=";
  return reading(good ? "mail_forwarded" : "host_reply", fields, shape, good ? undefined : "other");
}

/** `local` or an address. */
function putPeer(fields: Bag, peer: string): void {
  fields["client"] = cap(peer);
  if (isDigit(peer.charCodeAt(0)) || peer.includes(":")) fields["client_address"] = cap(peer);
}

/** `Disconnect from local: Logged out (state=READY)`. */
function readDisconnect(fields: Bag, text: string): Reading {
  const colon = text.indexOf(": ", 16);
  putPeer(fields, text.slice(16, colon < 0 ? undefined : colon));
  if (colon > 0) fields["reason"] = cap(text.slice(colon + 2));
  return reading("lmtp_disconnect", fields, text);
}

/** `Disconnected: Logged out in=35 out=871`. */
function readEnd(fields: Bag, text: string): Reading {
  let counters = -1;
  for (const mark of FIRST_COUNTERS) {
    counters = text.indexOf(mark);
    if (counters >= 0) break;
  }
  if (counters >= 0) putCounters(fields, text, counters + 1);
  const reason = counters < 0 ? text : text.slice(0, counters);
  fields["reason"] = cap(reason);
  const event: EventName =
    text.startsWith("Disconnected: Logged out") || text.startsWith("Logged out") ? "logout" : "session_end";
  return reading(event, fields, withoutState(reason));
}

/** `in=35 out=871`, `top=0/0, retr=2/3051, del=2/2`, `bytes=26/1045`: after the slash is bytes, for del how many there were. */
function putCounters(fields: Bag, text: string, start: number): void {
  let at = start;
  for (let n = 0; n < MAX_COUNTERS && at < text.length; n++) {
    const equals = text.indexOf("=", at);
    if (equals < 0 || equals - at > 20) return;
    const key = text.slice(at, equals);
    let end = equals + 1;
    while (isDigit(text.charCodeAt(end))) end++;
    const first = numberAt(text, equals + 1);
    let second: number | undefined;
    if (text.charCodeAt(end) === 47) {
      second = numberAt(text, ++end);
      while (isDigit(text.charCodeAt(end))) end++;
    }
    if (key === "bytes") {
      put(fields, "in", first);
      put(fields, "out", second);
    } else if (isWord(key)) {
      put(fields, key, first);
      put(fields, key === "del" ? "messages" : `${key}_bytes`, second);
    }
    if (text.charCodeAt(end) === 44) end++;
    if (text.charCodeAt(end) !== 32) return;
    at = end + 1;
  }
}

/** Lower-case letters and underscores alone. */
function isWord(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i);
    if (!((c >= 97 && c <= 122) || c === 95)) return false;
  }
  return key.length > 1;
}

/** A reason without the brackets that say which command ran and how long. */
function withoutState(reason: string): string {
  if (reason.charCodeAt(reason.length - 1) !== 41) return reason;
  const open = reason.indexOf(" (");
  if (open < 0) return reason;
  const inner = reason.slice(open);
  return inner.includes("finished") ||
    inner.includes("running") ||
    inner.includes("waiting") ||
    inner.includes("state=")
    ? reason.slice(0, open)
    : reason;
}

/** What the mail_log plugin names, as it begins its lines. */
const ACTIONS = [
  "delete",
  "undelete",
  "expunge",
  "save",
  "copy",
  "append",
  "flag_change",
  "mailbox_create",
  "mailbox_delete",
  "mailbox_rename",
  "mailbox_subscribe",
  "mailbox_unsubscribe",
  "autoexpunge",
];
const MAILBOX_ACTIONS = [
  "Mailbox created: ",
  "Mailbox deleted: ",
  "Mailbox renamed: ",
  "Mailbox subscribed: ",
  "Mailbox unsubscribed: ",
];

/** 2.4 names the mailbox first: `Mailbox INBOX: UID 12: expunge: ...`, `Mailbox Archive: Mailbox created`. */
const MAILBOX =
  /^Mailbox (.{1,200}?): (?:UID (\d{1,10}): )?(Mailbox created|Mailbox deleted|Mailbox renamed|delete|undelete|expunge|save|copy|append|flag_change|autoexpunge)\b/;

/** `expunge: box=INBOX, uid=12, msgid=<1@b.example>, size=2048`, `copy from INBOX: box=Trash, ...`, `Mailbox created: Archive`. */
function readMailLog(fields: Bag, text: string): Reading | undefined {
  for (const start of MAILBOX_ACTIONS)
    if (text.startsWith(start)) {
      fields["action"] = start.slice(0, -2);
      fields["mailbox"] = cap(text.slice(start.length));
      return reading("mailbox_action", fields, `${start}*`);
    }
  const named = MAILBOX.exec(text);
  if (named !== null) {
    fields["mailbox"] = named[1]!;
    put(fields, "uid", numberOf(named[2]));
    fields["action"] = named[3]!;
    return reading("mailbox_action", fields, `Mailbox *: ${named[3]}`);
  }
  const box = text.indexOf("box=");
  for (const action of ACTIONS) {
    if (!text.startsWith(action)) continue;
    const next = text.charCodeAt(action.length);
    if (next !== 58 && !(next === 32 && box > 0)) continue;
    fields["action"] = action;
    if (box > 0) {
      put(fields, "mailbox", valueAfter(text, "box=", box));
      put(fields, "uid", numberOf(valueAfter(text, "uid=", box)));
      const id = valueAfter(text, "msgid=", box);
      if (id !== undefined) fields["message_id"] = id.startsWith("<") ? id.slice(1, -1) : id;
      put(fields, "size", numberOf(valueAfter(text, "size=", box)));
    }
    return reading("mailbox_action", fields, `${action}: box=`);
  }
  return undefined;
}

function valueAfter(text: string, key: string, from: number): string | undefined {
  const at = text.indexOf(key, from);
  if (at < 0) return undefined;
  const end = text.indexOf(", ", at);
  return cap(text.slice(at + key.length, end < 0 ? undefined : end));
}

const numberOf = (value: string | undefined): number | undefined =>
  value === undefined ? undefined : numberAt(value, 0);
