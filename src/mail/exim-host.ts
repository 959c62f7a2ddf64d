import { refusalCause } from "./cause-refused.ts";
import {
  eximCause,
  putHost,
  putReply,
  type ReadExim,
  readCode,
  remoteShape,
  replyCause,
} from "./exim-reply.ts";
import type { EventName } from "./names.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import { plainWords } from "./words.ts";

/** `[H=HOST] [U=user] [P=..] F=<..> rejected RCPT <x>: REASON` and the other things an ACL says of a host. */
export const readHostLine: ReadExim = (text, queueId, prefix) => {
  const m = /^(?:F=(<[^>]{0,320}>|\S{0,320}) )?(?:H=|U=(\S{1,80}) )/.exec(text);
  if (m === null) return undefined;
  const fields: Bag = {};
  put(fields, "from", m[1]?.replace(/^<|>$/g, ""));
  const end = m[2] === undefined ? putHost(fields, text, m[0].length) : m[0].length;
  if (end < 0) return readPlainHost(text, m[0].length, queueId, prefix);
  const rest = text.slice(end).replace(/^[: ] ?/, "");
  return readVerdict(rest, fields, queueId) ?? readHostTrouble(rest, fields, queueId, prefix);
};

/** `H=host Connection refused`: a host without an address. */
function readPlainHost(
  text: string,
  at: number,
  queueId: string | undefined,
  prefix: string,
): Reading | undefined {
  const blank = text.indexOf(" ", at);
  if (blank < 0) return undefined;
  const fields: Bag = { client_name: text.slice(at, blank) };
  const rest = text.slice(blank + 1);
  return readVerdict(rest, fields, queueId) ?? readHostTrouble(rest, fields, queueId, prefix);
}

const VERDICT =
  /(?:^|\s)(temporarily rejected|rejected|sender verify (?:fail|defer)|sender callout|dropped by|refused|Warning:|discarded|accepted)(?=\s|$|:)/;

/** What was decided: the words before it are flags with values (I= P= A= F=<..> X=..), those after it name stage, argument and reason. */
function readVerdict(rest: string, fields: Bag, queueId: string | undefined): Reading | undefined {
  const early = rest.slice(0, 1500);
  const at = verdictAt(early);
  if (at < 0) return undefined;
  const flags = early.slice(0, at);
  const verdict = VERDICT.exec(early.slice(at))![1]!;
  put(
    fields,
    "from",
    fields["from"] ??
      / ?\bF=<([^>]{0,320})>/.exec(flags)?.[1] ??
      /(?:^| )F=([^\s<>]{1,320})/.exec(flags)?.[1],
  );
  put(fields, "sasl_username", /(?:^| )A=[^\s:]{1,60}:(\S{1,255})/.exec(flags)?.[1]);
  const after = early.slice(at).trimStart().slice(verdict.length).trimStart();
  if (verdict === "Warning:")
    return {
      event: "reject_warning",
      fields: { ...fields, reason: after },
      queueId,
      shape: `H=<> Warning: ${after}`,
    };
  if (verdict === "accepted") return undefined;
  return readRejected(verdict, after, fields, queueId);
}

/** Index of the verdict: outside of `<...>` and quotes, which a client filled. */
function verdictAt(text: string): number {
  return VERDICT.exec(blanked(text))?.index ?? -1;
}

/** A text with what a client filled in blanked, at the same length. */
export const blanked = (text: string): string =>
  text.replace(/<[^<>]{0,400}>|"[^"]{0,400}"/g, (s) => "_".repeat(s.length));

/** `RCPT <x>: reason`, `after DATA: reason`, `EHLO or HELO x: reason`, `by local_scan(): reason`, `'connect' ACL: reason`. */
function readRejected(verdict: string, after: string, fields: Bag, queueId: string | undefined): Reading {
  const stage =
    /^(?:MAIL|RCPT|EHLO or HELO|HELO or EHLO|EHLO|HELO|VRFY|EXPN|ETRN|STARTTLS|AUTH|QUIT|after DATA|DATA|by \S{1,60}?|in "\w{1,30}" ACL|connection(?: in "\w{1,30}" ACL)?|'\w{1,30}' ACL|during \S{1,40}|before DATA|for)(?=[\s:]|$)/.exec(
      after,
    )?.[0];
  const rest = after.slice(stage?.length ?? 0);
  const argument = /^ ?<([^<>]{0,400})>/.exec(rest) ?? /^ ([^\s:]{1,320}(?=:))/.exec(rest);
  const colon = rest.indexOf(": ", argument?.[0].length ?? 0);
  const reason =
    colon < 0 ? rest.slice(argument?.[0].length ?? 0).replace(/^[:\s]+/, "") : rest.slice(colon + 2);
  if (stage !== undefined) fields["stage"] = stageName(stage);
  if (argument !== null) {
    if (stage === "RCPT") fields["to"] = argument[1]!;
    else if (stage === "MAIL" || verdict.startsWith("sender")) fields["from"] ??= argument[1]!;
  }
  fields["reason"] = reason;
  const words = plainWords(reason);
  const temporary = verdict.startsWith("temporarily") || verdict.endsWith("defer");
  const cause =
    eximCause(words) ?? (temporary ? undefined : refusalCause(readCode(reason), undefined, words));
  const event: EventName = verdict === "discarded" ? "discard" : "reject";
  return { event, fields, queueId, cause, shape: `H=<> ${verdict} ${stage ?? ""} <>: ${reason}` };
}

const stageName = (stage: string): string =>
  stage.includes("HELO")
    ? "EHLO"
    : stage.startsWith("after")
      ? "DATA"
      : stage.includes("onnect")
        ? "CONNECT"
        : stage.replace(/^(?:by|in|during) /, "");

/** Trouble with a host that we speak to: SMTP errors, refusals, TLS. */
function readHostTrouble(
  rest: string,
  fields: Bag,
  queueId: string | undefined,
  prefix: string,
): Reading | undefined {
  const words = plainWords(rest);
  const relay: Bag = {};
  put(relay, "relay_host", fields["client_name"] ?? fields["client_address"]);
  put(relay, "relay_address", fields["client_address"]);
  relay["reason"] = rest;
  const shape = `${prefix}H=<> ${rest}`;
  if (/SMTP error from remote|LMTP error from remote/i.test(words))
    return {
      event: "host_reply",
      fields: putReply(relay, rest),
      cause: replyCause(rest),
      queueId,
      shape: remoteShape(shape),
    };
  if (
    /connection (?:refused|timed out|closed|reset)|timed? ?out|network error|no route|unreachable|malformed smtp|closed connection|SMTP timeout|response/i.test(
      words,
    )
  )
    return { event: "connect_failure", fields: relay, cause: "connect", queueId, shape };
  if (/\b(?:TLS|SSL|DANE|certificate)\b/i.test(words))
    return { event: "tls_failure", fields: relay, cause: "tls", queueId, shape };
  return undefined;
}
