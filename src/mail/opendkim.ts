import type { Cause } from "./event.ts";
import { type Bag, between, put, type Reading, word } from "./scan.ts";
import {
  type CompanionSample,
  plainWords,
  putAddress,
  type Rule,
  readRulesOrLife,
  splitId,
} from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: DKIM-Signature field added (s=mail, d=our.example)",
    event: "dkim_signed",
    fields: { domain: "our.example", selector: "mail" },
  },
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: DKIM verification successful",
    event: "dkim_result",
    fields: { result: "pass" },
  },
  {
    daemon: "dkim-filter",
    line: "4A1B2C3D4E: bad signature data",
    event: "dkim_result",
    fields: { result: "fail" },
  },
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: key retrieval failed (s=s1, d=far.example): 's1._domainkey.far.example' query failed",
    event: "dkim_result",
    cause: "dns",
    fields: { domain: "far.example", selector: "s1" },
  },
  {
    daemon: "opendkim",
    line: '4A1B2C3D4E: signature=ta+3gjFz domain=far.example selector=s1 result="signature verification failed"',
    event: "dkim_result",
    fields: { domain: "far.example", result: "signature verification failed" },
  },
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: s=s1 d=far.example SSL error:04091068:rsa routines:INT_RSA_VERIFY:bad signature",
    event: "dkim_result",
    fields: { domain: "far.example", selector: "s1" },
  },
  { daemon: "opendkim", line: "4A1B2C3D4E: no signing table match for 'ann@our.example'", event: "info" },
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: h.example [192.0.2.9] not internal",
    event: "info",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "opendkim",
    line: "can't load key from /etc/dkim/our.private: Permission denied",
    event: "permission_failure",
    cause: "permission",
  },
  { daemon: "opendkim", line: "OpenDKIM Filter v2.11.0 starting (args: -f)", event: "process_start" },
  {
    daemon: "dkimproxy.out",
    line: "DKIM signing - signed; message-id=<1@our.example>, signer=<@our.example>, from=<ann@our.example>",
    event: "dkim_signed",
    fields: { message_id: "1@our.example" },
  },
];

const RULES: readonly Rule[] = [
  [/starting(?:$| \()/i, "process_start"],
  [/smfi_|milter|mi_stop|protocol|negotiat/i, "milter_failure", "milter"],
];

/** opendkim, dkim-filter and dkim-milter: results follow the queue id; anything with no id is the filter's own life. */
export function readOpendkim(message: string): Reading {
  const { queueId, body, prefix } = splitId(message);
  const fields: Bag = {};
  const made = (result: string, shape: string, cause?: Cause): Reading => ({
    event: "dkim_result",
    fields: { ...fields, result },
    cause,
    queueId,
    shape: prefix + shape,
  });
  if (/^DKIM-Signature (?:field|header) added/.test(body)) {
    put(fields, "selector", word(body, "(s="));
    put(fields, "domain", between(body, "d=", ")"));
    return { event: "dkim_signed", fields, queueId, shape: `${prefix}DKIM-Signature field added` };
  }
  if (/^(?:DKIM|ADSP) verification (?:successful|succeeded)/.test(body))
    return made("pass", "DKIM verification successful");
  if (body.startsWith("signature=")) {
    put(fields, "domain", word(body, "domain="));
    put(fields, "selector", word(body, "selector="));
    const words = between(body, 'result="', '"') ?? "";
    return made(words, `signature= domain= selector= result="${words}"`);
  }
  if (body.startsWith("s=") || body.startsWith("d=")) {
    const at = ` ${body}`;
    put(fields, "selector", word(at, " s="));
    put(fields, "domain", word(at, " d="));
    const ssl = body.indexOf("SSL");
    return made(ssl < 0 ? "" : body.slice(ssl), `s= d= ${ssl < 0 ? "" : body.slice(ssl)}`);
  }
  if (body.startsWith("key retrieval failed")) {
    put(fields, "selector", word(body, "(s="));
    put(fields, "domain", between(body, ", d=", ")"));
    const close = body.indexOf("): ");
    const why = close < 0 ? "" : body.slice(close + 3);
    const words = plainWords(why);
    const gone = /not found|nxdomain|revoked|no record/i.test(words);
    return made("key retrieval failed", `key retrieval failed: ${words}`, gone ? undefined : "dns");
  }
  const words = plainWords(body);
  if (
    /bad signature|no signature|verification failed|signature processing failed|invalid|syntax error|expired|unsupported/i.test(
      words,
    ) &&
    queueId !== undefined
  )
    return made("fail", body, /try again|temporar/i.test(words) ? "dns" : undefined);
  if (/\bADSP\b|author domain|signature data|unsigned/i.test(words)) return made(words, words);
  if (
    /no signing table match|no signing (?:keylist|domain) match|not internal|not authenticated|external host|can't determine|no MTA name match|no signing domain|failed to parse|message has|multiple? (?:From|from)|signing disabled|mode select|attempting|not signed|bypass|ignoring/i.test(
      words,
    )
  ) {
    putAddress(fields, /\[([^[\]\s]{1,64})\]/.exec(body)?.[1]);
    return {
      event: "info",
      fields: { ...fields, reason: body },
      queueId,
      shape: prefix + body.replace(/'[^']*'/g, "''").replace(/^\S+ \[[^\]]*\]/, ""),
    };
  }
  return readRulesOrLife(RULES, body, queueId, prefix);
}

/** dkimproxy: `DKIM signing - signed; message-id=<..>, ...`, `DKIM verify - pass; ...`. */
export function readDkimproxy(message: string): Reading {
  const m = /^DKIM (signing|verify) - ([a-z ]{2,30})(?: \(([^()]{0,200})\))?/.exec(message);
  if (m === null) return readRulesOrLife(RULES, message);
  const fields: Bag = {};
  put(fields, "message_id", between(message, "message-id=<", ">"));
  put(fields, "from", between(message, "from=<", ">"));
  fields["result"] = m[2]!;
  put(fields, "reason", m[3]);
  const signed = m[1] === "signing" && m[2]!.startsWith("signed");
  return { event: signed ? "dkim_signed" : "dkim_result", fields, shape: `DKIM ${m[1]} - ${m[2]}` };
}
