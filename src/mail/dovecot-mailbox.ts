import { localCause, remembering } from "./cause.ts";
import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, numberAt, put, type Reading, reading, type Sample } from "./scan.ts";

/** Lines of our own making, as they follow the tag `dovecot: `. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann@our.example)<525><tXzk>: sieve: msgid=<1@b.example>: fileinto action: stored mail into mailbox 'Junk'",
    event: "mail_saved",
    fields: { user: "ann@our.example", mailbox: "Junk", message_id: "1@b.example" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann@our.example)<525><tXzk>: sieve: msgid=<1@b.example>: failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
    event: "quota",
    cause: "quota",
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann@our.example)<525><tXzk>: sieve: Execution of script /m/default.sieve failed with unsuccessful implicit keep",
    event: "mailbox_error",
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<1><s>: Error: Corrupted index cache file /m/dovecot.index.cache: field header overwritten",
    event: "mailbox_error",
    cause: "mailbox",
  },
  {
    daemon: "dovecot/lda",
    line: "lda(ann): msgid=<1@b.example>: saved mail to INBOX",
    event: "mail_saved",
    fields: { user: "ann", message_id: "1@b.example", mailbox: "INBOX" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(505, ann@our.example): AbCdEfGhIjKlMnOpQrSt/A: msgid=<1@b.example>: saved mail to INBOX",
    event: "mail_saved",
    fields: { user: "ann@our.example", mailbox: "INBOX" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann)<525><s1>: from=<a@b.example>, msgid=<1@b.example>, size=900, subject=hello: saved mail to Junk",
    event: "mail_saved",
    fields: { message_id: "1@b.example", mailbox: "Junk" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann)<525><s1>: sieve: msgid=<1@b.example>: forwarded to <x@far.example>",
    event: "mail_forwarded",
    fields: { to: "x@far.example" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann)<525><s1>: sieve: msgid=<1@b.example>: sent vacation response to <a@b.example>",
    event: "mail_forwarded",
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann)<525><s1>: sieve: msgid=<1@b.example>: marked message to be discarded if not explicitly delivered (discard action)",
    event: "mail_discarded",
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann)<525><s1>: sieve: msgid=<1@b.example>: rejected message from <a@b.example> (reject action)",
    event: "reject",
    cause: "spam",
  },
  {
    daemon: "dovecot/lda",
    line: "lda(ann): msgid=<1@b.example>: save failed to INBOX: Internal error occurred. Refer to server log for more information.",
    event: "mailbox_error",
    cause: "mailbox",
  },
  {
    daemon: "dovecot/lda",
    line: "lda(ann): Error: Failed to autocreate mailbox INBOX: Permission denied",
    event: "mailbox_error",
    cause: "permission",
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<1><s1>: Error: write(/m/dovecot-uidlist) failed: No space left on device",
    event: "disk_failure",
    cause: "disk",
  },
  {
    daemon: "dovecot/indexer-worker",
    line: "indexer-worker(ann)<1><s1>: Indexed 3 messages in INBOX (UIDs 10..12)",
    event: "info",
    fields: { messages: 3, mailbox: "INBOX" },
  },
];

/** What a delivering program says that it did, by its words. The first match wins. */
const DONE: readonly (readonly [string, EventName, Cause?])[] = [
  ["uota exceeded", "quota", "quota"],
  ["stored mail into", "mail_saved"],
  ["saved mail to", "mail_saved"],
  ["left message in", "mail_saved"],
  ["forwarded to", "mail_forwarded"],
  ["duplicate forward", "mail_discarded"],
  ["discarded vacation", "info"],
  ["discarding vacation", "info"],
  ["vacation", "mail_forwarded"],
  ["redirect action", "mail_forwarded"],
  ["piped message", "mail_forwarded"],
  ["rejected message from", "reject", "spam"],
  ["discard", "mail_discarded"],
  ["duplicate", "mail_discarded"],
];

/** Words of a mail store in trouble. */
const STORE =
  /corrupt|broken|index|uidlist|mailbox|mbox|maildir|mail_location|unsuccessful implicit keep|failed to store|save failed|namespace|lost cached|fts|dbox|storage/i;
const TROUBLE =
  /fail|corrupt|broken|error|unsuccessful|cannot|can't|couldn't|could not|lost|missing|invalid|unexpected|refused|denied|exceeded/i;

const inTrouble = remembering((masked) => {
  const store = STORE.test(masked) && !/process_limit|client_limit/.test(masked);
  return { store, trouble: TROUBLE.test(masked), quota: /quota/i.test(masked) };
});

/** lmtp, lda, sieve and the mail store. */
export function readMailbox(fields: Bag, text: string, severity: Severity): Reading | undefined {
  let body = text;
  let session: string | undefined;
  // 2.2 has the session before the message
  const old = /^([A-Za-z0-9+/]{20,32}): /.exec(body);
  if (old) {
    session = old[1]!;
    body = body.slice(old[0].length);
  }
  const sieve = body.startsWith("sieve: ");
  const at = body.indexOf("msgid=");
  if (at >= 0) {
    putId(fields, body, at + 6);
    body = (sieve ? "sieve: " : "") + afterId(body, at);
  }
  fields["reason"] = cap(body);
  if (at >= 0 || sieve || body.startsWith("saved mail to ")) {
    const done = readDone(fields, body, session);
    if (done !== undefined) return done;
  }
  const indexed = readIndexed(fields, body, session);
  if (indexed !== undefined) return indexed;
  const seen = inTrouble(body);
  const shape = masked(fields, body);
  if (seen.quota && (severity !== "info" || seen.trouble))
    return reading("quota", fields, shape, "quota", undefined, session);
  if (seen.store && (severity !== "info" || seen.trouble))
    return reading("mailbox_error", fields, shape, storeCause(body), undefined, session);
  if (at >= 0)
    return reading(
      seen.trouble ? "mailbox_error" : "info",
      fields,
      shape,
      seen.trouble ? storeCause(body) : undefined,
      undefined,
      session,
    );
  return undefined;
}

/** The Message-ID at `start`: `<id>` or a word. */
function putId(fields: Bag, body: string, start: number): void {
  if (body.charCodeAt(start) === 60) {
    const end = body.indexOf(">", start);
    if (end > 0) fields["message_id"] = cap(body.slice(start + 1, end));
    return;
  }
  let end = start;
  while (end < body.length && body.charCodeAt(end) > 32 && body.charCodeAt(end) !== 44) end++;
  if (body.charCodeAt(end - 1) === 58) end--;
  if (end > start) fields["message_id"] = cap(body.slice(start, end));
}

/** What follows `msgid=<id>: `, or, where a site's own format has more keys, the last `: ` before the deed. */
function afterId(body: string, at: number): string {
  const angle = body.charCodeAt(at + 6) === 60 ? body.indexOf(">", at) : at;
  const colon = body.indexOf(": ", Math.max(angle, at));
  if (colon < 0) return "";
  if (colon <= angle + 1 || angle === at) return body.slice(colon + 2);
  for (const mark of DEEDS) {
    const deed = body.lastIndexOf(mark);
    if (deed > angle) return body.slice(deed + 2);
  }
  return body.slice(colon + 2);
}
const DEEDS = [
  ": saved mail to ",
  ": save failed to ",
  ": stored mail into ",
  ": forwarded to ",
  ": fileinto action",
  ": rejected: ",
];

function readDone(fields: Bag, body: string, session: string | undefined): Reading | undefined {
  for (const [phrase, event, cause] of DONE) {
    const at = body.indexOf(phrase);
    if (at < 0) continue;
    if (event === "info" || event !== "mail_saved") putTarget(fields, body);
    if (phrase === "saved mail to") {
      fields["mailbox"] = cap(body.slice(at + 14));
      return reading(event, fields, `${body.slice(0, at)}saved mail to *`, cause, undefined, session);
    }
    return reading(event, fields, masked(fields, withoutTarget(body, at)), cause, undefined, session);
  }
  return undefined;
}

/** The address in `forwarded to <a@b>` and its like. */
function putTarget(fields: Bag, body: string): void {
  const open = body.indexOf("<");
  const close = open < 0 ? -1 : body.indexOf(">", open);
  if (close > open) fields["to"] = cap(body.slice(open + 1, close));
}

/** `forwarded to X` and `response to X` without X. */
function withoutTarget(body: string, at: number): string {
  for (const mark of ["forwarded to ", "response to "]) {
    const found = body.indexOf(mark, Math.max(0, at - 1));
    if (found >= 0) return `${body.slice(0, found + mark.length)}<>`;
  }
  return body;
}

/** The shape with a mailbox's name, which stands between quotes, cut; the name becomes a field. */
function masked(fields: Bag, body: string): string {
  const at = body.indexOf("mailbox '");
  const end = at < 0 ? -1 : body.indexOf("'", at + 9);
  if (end >= 0) {
    fields["mailbox"] = cap(body.slice(at + 9, end));
    return `${body.slice(0, at + 8)}'*'${body.slice(end + 1)}`;
  }
  const bare = /\b([Mm]ailbox |save failed to |autocreate mailbox )([^ :'"<>]{1,200})(?=: )/.exec(
    body.slice(0, 400),
  );
  if (bare === null) return body;
  fields["mailbox"] = bare[2]!;
  const start = bare.index + bare[1]!.length;
  return `${body.slice(0, start)}*${body.slice(start + bare[2]!.length)}`;
}

/** `Indexed 3 messages in INBOX (UIDs 10..12)`. */
function readIndexed(fields: Bag, body: string, session: string | undefined): Reading | undefined {
  if (!body.startsWith("Indexed ")) return undefined;
  put(fields, "messages", numberAt(body, 8));
  const at = body.indexOf(" in ");
  const end = at < 0 ? -1 : body.lastIndexOf(" (");
  if (at > 0) fields["mailbox"] = cap(body.slice(at + 4, end > at ? end : undefined));
  return reading("info", fields, "Indexed 0 messages in *", undefined, undefined, session);
}

function storeCause(body: string): Cause | undefined {
  // the end of a script of which a line before told what failed
  if (body.endsWith("failed with unsuccessful implicit keep")) return undefined;
  const cause = localCause(body);
  return cause === "disk" || cause === "permission" || cause === "quota" || cause === "clock"
    ? cause
    : "mailbox";
}
