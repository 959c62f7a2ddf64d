import { wordsOf } from "./cause.ts";
import { localWords } from "./postfix-reply.ts";
import {
  type Bag,
  cap,
  hostShape,
  isDigit,
  put,
  putClient,
  putRelay,
  type Reading,
  type Sample,
  word,
} from "./scan.ts";

/** Lines of our own making, which any Postfix daemon with TLS may write. */
export const samples: readonly Sample[] = [
  {
    line: "Anonymous TLS connection established from h.example[192.0.2.9]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    event: "tls_established",
    fields: {
      tls_trust: "Anonymous",
      tls_direction: "in",
      tls_version: "TLSv1.3",
      tls_cipher: "TLS_AES_256_GCM_SHA384",
      tls_bits: 256,
      client_address: "192.0.2.9",
    },
  },
  {
    line: "Verified TLS connection established to mx.far.example[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
    event: "tls_established",
    fields: {
      tls_trust: "Verified",
      tls_direction: "out",
      relay_host: "mx.far.example",
      relay_address: "192.0.2.7",
      tls_key_exchange: "X25519",
      tls_server_signature: "RSA-PSS",
      tls_server_digest: "SHA256",
    },
  },
  {
    line: "Untrusted TLS connection reused to mx.far.example[2001:db8::7]:25: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    event: "tls_established",
    fields: { tls_reused: 1, tls_direction: "out", relay_port: 25 },
  },
  {
    line: "TLS connection established from h.example[192.0.2.9]: TLSv1 with cipher DHE-RSA-AES256-SHA (256/256 bits)",
    event: "tls_established",
    fields: { tls_version: "TLSv1", tls_cipher: "DHE-RSA-AES256-SHA" },
  },
  {
    line: "Anonymous TLS connection established from h.example[192.0.2.9] to mail.our.example: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    event: "tls_established",
    fields: { tls_sni: "mail.our.example", tls_version: "TLSv1.3" },
  },
  { line: "SSL_accept error from h.example[192.0.2.9]: lost connection", event: "tls_failure" },
  { line: "SSL_accept error from unknown[192.0.2.9]: -1", event: "tls_failure", cause: "tls" },
  {
    line: "SSL_connect error to mx.far.example[192.0.2.7]:25: lost connection",
    event: "tls_failure",
    cause: "connect",
    fields: { relay_host: "mx.far.example", reason: "lost connection" },
  },
  {
    line: "certificate verification failed for mx.far.example[192.0.2.7]:25: untrusted issuer /C=XX/O=Example CA",
    event: "tls_failure",
    cause: "tls",
    fields: { relay_address: "192.0.2.7" },
  },
  {
    line: "mx.far.example[192.0.2.7]:25: Untrusted: subject_CN=mx.far.example, issuer_CN=Example CA, fingerprint=AA:BB:CC:01",
    event: "info",
    fields: { tls_trust: "Untrusted", tls_subject: "mx.far.example" },
  },
  {
    line: "h.example[192.0.2.9]: subject_CN=client.example, issuer=Example CA, fingerprint=AA:BB:CC:01",
    event: "info",
    fields: { tls_subject: "client.example" },
  },
  { line: "setting up TLS connection from h.example[192.0.2.9]", event: "info" },
  { line: "SSL3 alert read:fatal:certificate expired", event: "tls_failure", cause: "tls" },
  { line: "SSL_accept:failed in SSLv3 read client hello", event: "tls_failure", cause: "tls" },
  { line: "Cannot start TLS: handshake failure", event: "tls_failure", cause: "tls" },
  {
    line: "TLS is required, but was not offered by host mx.far.example[192.0.2.7]",
    event: "tls_failure",
    cause: "tls",
  },
  { line: "Server certificate not trusted", event: "tls_failure", cause: "tls" },
  {
    line: "TLS SNI mail.far.example from h.example[192.0.2.9] not matched, using default chain",
    event: "info",
  },
  { line: "initializing the server-side TLS engine", event: "info" },
  {
    line: "warning: TLS library problem: error:0A000415:SSL routines::sslv3 alert certificate expired:ssl/record/rec_layer_s3.c:1590:SSL alert number 45:",
    event: "tls_failure",
    cause: "tls",
    fields: { alert: 45, reason_text: "sslv3 alert certificate expired" },
  },
  {
    line: "warning: cannot get RSA certificate from file /etc/ssl/mail.pem: disabling TLS support",
    event: "tls_failure",
    cause: "tls",
  },
  {
    line: "warning: run-time library vs. compile-time header version mismatch: OpenSSL 3.0.0 may not be compatible with OpenSSL 1.1.1",
    event: "config_warning",
    cause: "config",
  },
  {
    line: "warning: TLSA lookup error for mx.far.example:25",
    event: "dns_failure",
    cause: "dns",
  },
];

/** TLS lines of smtpd, smtp, tlsproxy and the TLS library: connections, certificates, failures. undefined when the text is none of them. */
export function readTls(prefix: string, body: string, queueId?: string): Reading | undefined {
  const at = body.indexOf("TLS connection ");
  if (at >= 0 && at <= 16) {
    const made = readEstablished(prefix, body, at);
    if (made !== undefined) return queueId === undefined ? made : { ...made, queueId };
  }
  const c = body.charCodeAt(0);
  if (body.startsWith("TLSRPT: ")) return undefined; // it tells of a policy, in postfix-notes.ts
  if (c === 83) {
    // S
    if (body.startsWith("SSL_accept error from ")) return sslError(prefix, body, 22, true, queueId);
    if (body.startsWith("SSL_connect error to ")) return sslError(prefix, body, 21, false, queueId);
    if (body.startsWith("SSL_") || body.startsWith("SSL3 ")) return readState(prefix, body, queueId);
  }
  if (
    body.startsWith("Cannot start TLS") ||
    body.includes("TLS is required") ||
    body.startsWith("TLS is ") ||
    body.startsWith("TLS not available")
  )
    return failure(prefix, body, {}, queueId, body);
  if (body.startsWith("certificate verification failed for ")) {
    const fields: Bag = {};
    const end = putRelay(fields, body, 36);
    const why = end < 0 ? "" : body.slice(end);
    const known =
      /^: (?:untrusted issuer|self-signed certificate|not trusted by local policy|certificate has expired|not designated for use as a \w{1,20} certificate|num=\d{1,5}:[a-z -]{1,80})/i.exec(
        why,
      );
    return failure(
      prefix,
      body,
      fields,
      queueId,
      `certificate verification failed for <>${known ? known[0] : ""}`,
    );
  }
  return readPeer(prefix, body, queueId) ?? readTalk(prefix, body, queueId);
}

/** `[Trust ]TLS connection established|reused from|to H[IP][:port][ to SNI]: V with cipher C (n/m bits)[ key-exchange ...]`. */
function readEstablished(prefix: string, body: string, at: number): Reading | undefined {
  const word0 = at + 15;
  const reused = body.startsWith("reused ", word0);
  if (!reused && !body.startsWith("established ", word0)) return undefined;
  const direction = word0 + (reused ? 7 : 12);
  const inward = body.startsWith("from ", direction);
  const fields: Bag = {};
  if (at > 0) fields["tls_trust"] = body.slice(0, at - 1);
  fields["tls_direction"] = inward ? "in" : "out";
  if (reused) fields["tls_reused"] = 1;
  const start = direction + (inward ? 5 : 3);
  let end = inward ? putClient(fields, body, start) : putRelay(fields, body, start);
  const cipher = end < 0 ? -1 : body.indexOf(" with cipher ", end);
  if (cipher < 0) return { event: "tls_established", fields, shape: prefix + body.slice(0, start) };
  const name = inward ? fields["client_name"] : fields["relay_host"];
  if (body.startsWith(" to ", end)) {
    const colon = body.indexOf(": ", end);
    if (colon > 0 && colon < cipher) {
      fields["tls_sni"] = cap(body.slice(end + 4, colon));
      end = colon;
    }
  }
  fields["tls_version"] = cap(body.slice(end + 2, cipher));
  putCipher(fields, body, cipher + 13);
  const who = name === "" ? "[0]" : hostShape(name);
  return { event: "tls_established", fields, shape: `${prefix}${body.slice(0, start)}${who}` };
}

/** Words before a value after the cipher, and the field of each (Postfix 3.4 and later). */
const CIPHER_KEYS: ReadonlyMap<string, string> = new Map(
  ["key-exchange", "server-signature", "server-digest", "client-signature", "client-digest"].map((key) => [
    key,
    `tls_${key.replace("-", "_")}`,
  ]),
);

/** `C (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256`. */
function putCipher(fields: Bag, body: string, start: number): void {
  let end = body.indexOf(" ", start);
  if (end < 0) end = body.length;
  fields["tls_cipher"] = cap(body.slice(start, end));
  if (body.charCodeAt(end + 1) === 40) {
    let bits = 0;
    for (let i = end + 2; i < end + 8 && isDigit(body.charCodeAt(i)); i++)
      bits = bits * 10 + body.charCodeAt(i) - 48;
    fields["tls_bits"] = bits;
  }
  let at = body.indexOf(") ", end) + 2;
  for (let n = 0; n < 8 && at > 1 && at < body.length; n++) {
    const space = body.indexOf(" ", at);
    const key = space < 0 ? undefined : CIPHER_KEYS.get(body.slice(at, space));
    if (key === undefined) return;
    let stop = body.indexOf(" ", space + 1);
    if (stop < 0) stop = body.length;
    fields[key] = cap(body.slice(space + 1, stop));
    // "(2048 bits)" may follow a value
    at = body.charCodeAt(stop + 1) === 40 ? body.indexOf(") ", stop) + 2 : stop + 1;
  }
}

/**
 * `SSL_accept error from H[IP]: reason`; a number for a reason is OpenSSL's return value. Who hangs up in the handshake tells of no fault of
 * TLS: a client gives up or only looks, like one that is lost after CONNECT, and a server could as well not have answered.
 */
function sslError(
  prefix: string,
  body: string,
  start: number,
  inward: boolean,
  queueId: string | undefined,
): Reading {
  const fields: Bag = {};
  const end = inward ? putClient(fields, body, start) : putRelay(fields, body, start);
  const reason = end < 0 ? "" : body.slice(body.startsWith(": ", end) ? end + 2 : end);
  fields["reason"] = cap(reason);
  const who = end < 0 ? "" : hostShape(inward ? fields["client_name"] : fields["relay_host"]);
  const read = failure(prefix, body, fields, queueId, `${body.slice(0, start)}${who}: ${reason}`);
  return reason === "lost connection" ? { ...read, cause: inward ? undefined : "connect" } : read;
}

/** What OpenSSL's state machine says at higher log levels; alerts and failures are failures, the rest is talk. */
function readState(prefix: string, body: string, queueId: string | undefined): Reading {
  const bad = body.includes(":fatal:") || body.includes("failed in") || body.includes("error");
  if (bad) return failure(prefix, body, {}, queueId, body);
  return { event: "info", fields: { reason: cap(body) }, queueId, shape: prefix + body };
}

const PEER_WORDS = ["Trusted", "Untrusted", "Verified", "Anonymous", "Matched"];

/** `H[IP][:port]: [Trust: ]subject_CN=S, issuer=I, fingerprint=F`. */
function readPeer(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const subject = body.indexOf("subject_CN=");
  if (subject < 0 || subject > 400) return undefined;
  const fields: Bag = {};
  const end = putRelay(fields, body, 0);
  if (end < 0 || end > subject) return undefined;
  const trust = PEER_WORDS.find((name) => body.startsWith(`: ${name}: `, end));
  put(fields, "tls_trust", trust);
  const comma = body.indexOf(", ", subject);
  fields["tls_subject"] = cap(body.slice(subject + 11, comma < 0 ? undefined : comma));
  put(fields, "tls_fingerprint", word(body, "fingerprint=", subject));
  return {
    event: "info",
    fields,
    queueId,
    shape: `${prefix}<>: ${trust === undefined ? "" : `${trust}: `}subject_CN=, issuer=, fingerprint=`,
  };
}

/** Phrases of the TLS library at which nothing is wrong. */
const TALK = [
  "setting up TLS connection",
  "initializing the client-side TLS engine",
  "initializing the server-side TLS engine",
  "TLS SNI ",
  "looking for session ",
  "save session ",
  "reloaded session ",
  "removing session ",
  "TLS cipher list ",
  "using DANE RR",
  "depth=",
  "certificate verification depth=",
  "certificate peer name verification",
  "matched peername",
  "Matched ",
  "re-using session ",
  "TLS protocol trace ",
];

function readTalk(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const early = wordsOf(body);
  for (const phrase of TALK)
    if (early.includes(phrase)) {
      const bad = phrase.endsWith("verification") && early.includes("failed");
      if (bad) return failure(prefix, body, {}, queueId, phrase);
      return { event: "info", fields: { reason: cap(body) }, queueId, shape: `${prefix}${phrase}` };
    }
  const certificate = early.includes("ertificate");
  if (!certificate || early.includes(" said: ")) return undefined;
  const bad =
    /failed|not trusted|not verified|untrusted|expired|mismatch|self-signed|could not be|not match/i.test(
      early,
    );
  if (bad) return failure(prefix, body, {}, queueId, body);
  return { event: "info", fields: { reason: cap(body) }, queueId, shape: prefix + body };
}

function failure(
  prefix: string,
  body: string,
  fields: Bag,
  queueId: string | undefined,
  shape: string,
): Reading {
  fields["reason"] ??= cap(body);
  return { event: "tls_failure", fields, cause: "tls", queueId, shape: prefix + localWords(shape) };
}

/** Fields and cause of a `TLS library problem: error:...` warning: the alert's number and OpenSSL's words. */
export function putAlert(fields: Bag, text: string): void {
  const number = text.indexOf("SSL alert number ");
  if (number >= 0) {
    const value = Number.parseInt(text.slice(number + 17, number + 21), 10);
    if (Number.isFinite(value)) fields["alert"] = value;
  }
  const routines = text.indexOf("SSL routines:");
  if (routines < 0) return;
  const reason = text.slice(routines + 13).split(":", 3)[1];
  if (reason !== undefined && reason !== "") fields["reason_text"] = cap(reason);
}
