import type { EventName } from "./names.ts";
import {
  type Bag,
  cap,
  isDigit,
  numberAt,
  put,
  putClient,
  type Reading,
  reading,
  type Sample,
  word,
} from "./scan.ts";

/** Lines of our own making, with their daemon. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "anvil",
    line: "statistics: max connection rate 5/60s for (smtpd:192.0.2.9) at Feb 10 00:42:54",
    event: "anvil_statistics",
    fields: {
      measure: "connection rate",
      value: 5,
      seconds: 60,
      service: "smtpd",
      client_address: "192.0.2.9",
    },
  },
  {
    daemon: "anvil",
    line: "statistics: max connection count 3 for (submission:2001:db8::7) at Feb 10 00:42:54",
    event: "anvil_statistics",
    fields: { measure: "connection count", value: 3, service: "submission", client_address: "2001:db8::7" },
  },
  {
    daemon: "anvil",
    line: "statistics: max cache size 4 at Feb 10 00:42:54",
    event: "anvil_statistics",
    fields: { measure: "cache size", value: 4 },
  },
  {
    daemon: "scache",
    line: "statistics: domain lookup hits=179 miss=90 success=66%",
    event: "scache_statistics",
    fields: { measure: "domain lookup", hits: 179, miss: 90, success: 66 },
  },
  { daemon: "scache", line: "statistics: start interval Feb 10 00:42:54", event: "scache_statistics" },
  {
    daemon: "scache",
    line: "statistics: max simultaneous domains=1 addresses=2 connection=2",
    event: "scache_statistics",
    fields: { domains: 1, addresses: 2, connection: 2 },
  },
  {
    daemon: "dnsblog",
    line: "addr 192.0.2.9 listed by domain zen.example as 127.0.0.6",
    event: "dnsblog_listed",
    cause: "rbl",
    fields: { client_address: "192.0.2.9", rbl: "zen.example", result: "127.0.0.6" },
  },
  {
    daemon: "dnsblog",
    line: "addr 192.0.2.9 listed by domain zen.example as 127.255.255.254",
    event: "dnsblog_listed",
    cause: "dns",
  },
  {
    daemon: "dnsblog",
    line: "warning: dnsblog_query: lookup error for DNS query 9.2.0.192.zen.example: Host or domain name not found. Name service error for name=9.2.0.192.zen.example type=A: Host not found, try again",
    event: "dns_failure",
    cause: "dns",
  },
  {
    daemon: "verify",
    line: "cache btree:/var/lib/postfix/verify_cache full cleanup: retained=5 dropped=1 entries",
    event: "cache_cleanup",
    fields: { retained: 5, dropped: 1 },
  },
  {
    daemon: "tlsproxy",
    line: "CONNECT from [192.0.2.9]:3029",
    event: "connect",
    fields: { client_address: "192.0.2.9", client_port: 3029 },
  },
  { daemon: "tlsproxy", line: "DISCONNECT [192.0.2.9]:3029", event: "disconnect" },
  {
    daemon: "tlsproxy",
    line: "Anonymous TLS connection established from [192.0.2.9]:3029: TLSv1.3 with cipher X (256/256 bits)",
    event: "tls_established",
  },
  {
    daemon: "tlsmgr",
    line: "warning: request to update table btree:/etc/postfix/smtpd_scache in non-postfix directory /etc/postfix",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "tlsmgr",
    line: "warning: redirecting the request to postfix-owned data_directory /var/lib/postfix",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "trivial-rewrite",
    line: "warning: do not list domain our.example in BOTH mydestination and virtual_alias_domains",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "proxymap",
    line: "warning: connect to mysql server 127.0.0.1: Can't connect to MySQL server on '127.0.0.1' (111)",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    daemon: "proxymap",
    line: "error: unsupported dictionary type: mysql",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    daemon: "local",
    line: "warning: database /etc/aliases.db is older than source file /etc/aliases",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "local",
    line: "warning: dict_nis_init: NIS domain name not set - NIS lookups disabled",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "flush",
    line: "warning: 4A1B2C3D4E: malformed domain name in queue file",
    event: "queue_error",
    cause: "protocol",
  },
];

/** anvil: `statistics: max connection rate 5/60s for (smtpd:ip) at TIME`. The cache size has no client. */
export function readAnvil(body: string): Reading | undefined {
  if (!body.startsWith("statistics: max ")) return undefined;
  let at = 16;
  while (at < body.length && at < 64 && !isDigit(body.charCodeAt(at))) at++;
  const measure = body.slice(16, at - 1);
  const fields: Bag = { measure };
  const value = numberAt(body, at);
  put(fields, "value", value);
  const slash = body.indexOf("/", at);
  const rate = slash > 0 && slash - at < 12;
  if (rate) put(fields, "seconds", numberAt(body, slash + 1));
  const who = body.indexOf(" for (", at);
  const close = who < 0 ? -1 : body.indexOf(")", who);
  let colon = who < 0 ? -1 : body.indexOf(":", who);
  // a service that master.cf names by address and port holds a colon itself
  if (colon > 0 && body.slice(who + 6, colon).includes(".")) colon = body.indexOf(":", colon + 1);
  const shape = `statistics: max ${measure} 0`;
  if (close < 0 || colon < 0 || colon > close)
    return reading("anvil_statistics", fields, who < 0 ? shape : `${shape} for (0)`);
  const service = body.slice(who + 6, colon);
  fields["service"] = cap(service);
  fields["client_address"] = cap(body.slice(colon + 1, close));
  return reading("anvil_statistics", fields, `${shape} for (${service}:0)`);
}

/** scache: `statistics: domain lookup hits=179 miss=90 success=66%` and its like; `key=number` pairs become fields. */
export function readScache(body: string): Reading | undefined {
  if (!body.startsWith("statistics: ")) return undefined;
  const fields: Bag = {};
  const equals = body.indexOf("=");
  const space = equals < 0 ? -1 : body.lastIndexOf(" ", equals);
  fields["measure"] = cap(space < 12 ? body.slice(12) : body.slice(12, space));
  if (space >= 12) putPairs(fields, body, space);
  return reading("scache_statistics", fields, body);
}

/** `full cleanup: retained=5 dropped=1 entries`, of postscreen, verify and tlsmgr. */
export function readCleanupRun(prefix: string, body: string): Reading | undefined {
  const at = body.indexOf(" cleanup: retained=");
  if (at < 0) return undefined;
  const fields: Bag = {};
  putPairs(fields, body, at + 9);
  return reading("cache_cleanup", fields, prefix + body);
}

/** ` key=12 key=34%` from `start`, at most eight. */
function putPairs(fields: Bag, body: string, start: number): void {
  let at = start;
  for (let n = 0; n < 8; n++) {
    const equals = body.indexOf("=", at);
    if (equals < 0) return;
    const space = body.lastIndexOf(" ", equals);
    const key = body.slice(space + 1, equals);
    if (/^[a-z]{2,16}$/.test(key)) put(fields, key, numberAt(body, equals + 1));
    at = equals + 1;
  }
}

/** `addr IP listed by domain Z as 127.0.0.6`. 127.255.255.x means that the list refuses to answer us. */
export function readDnsblog(body: string): Reading | undefined {
  if (!body.startsWith("addr ")) return undefined;
  const fields: Bag = {};
  put(fields, "client_address", word(body, "addr "));
  put(fields, "rbl", word(body, "by domain "));
  const result = word(body, " as ");
  put(fields, "result", result);
  const refused = result?.startsWith("127.255.255.") === true;
  return reading("dnsblog_listed", fields, "addr 0 listed by domain 0 as 0", refused ? "dns" : "rbl");
}

/** tlsproxy's `CONNECT from [IP]:port` and `DISCONNECT [IP]:port`. */
export function readTlsproxy(body: string): Reading | undefined {
  const connect = body.startsWith("CONNECT ");
  if (!connect && !body.startsWith("DISCONNECT ")) return undefined;
  const event: EventName = connect ? "connect" : "disconnect";
  const fields: Bag = {};
  putClient(fields, body, body.indexOf("["));
  delete fields["client_name"];
  return reading(event, fields, connect ? "CONNECT from [0]:0" : "DISCONNECT [0]:0");
}
