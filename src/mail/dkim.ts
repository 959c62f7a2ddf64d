import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, between, cap, put, queueIdLength, type Reading, type Sample, word } from "./scan.ts";
import { numberAfter } from "./warning.ts";

/** Lines of our own making. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
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
    daemon: "opendkim",
    line: "4A1B2C3D4E: bad signature data",
    event: "dkim_result",
    fields: { result: "fail" },
  },
  {
    daemon: "opendkim",
    line: "4A1B2C3D4E: key retrieval failed (s=s1, d=far.example): 's1._domainkey.far.example' query failed",
    event: "dkim_result",
    cause: "dns",
  },
  {
    daemon: "opendkim",
    line: '4A1B2C3D4E: signature=ta+3gjFz domain=far.example selector=s1 result="signature verification failed"',
    event: "dkim_result",
    fields: { domain: "far.example", result: "signature verification failed" },
  },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: far.example pass",
    event: "dmarc_result",
    fields: { domain: "far.example", result: "pass" },
  },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: SPF(mailfrom): far.example fail",
    event: "spf_result",
    fields: { result: "fail" },
  },
  {
    daemon: "policyd-spf",
    line: "prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.9; helo=h.example; envelope-from=a@b.example; receiver=x@our.example",
    event: "spf_result",
    fields: { result: "softfail", client_address: "192.0.2.9" },
  },
  {
    daemon: "postgrey",
    line: "action=greylist, reason=new, client_name=h.example, client_address=192.0.2.9/32, sender=a@b.example, recipient=x@our.example",
    event: "greylist",
    cause: "greylisted",
    fields: { reason: "new" },
  },
  {
    daemon: "spamd",
    line: "identified spam (14.2/5.0) for ann:1000 in 1.2 seconds, 3120 bytes.",
    event: "filter_result",
    fields: { verdict: "spam", score: 14.2 },
  },
  {
    daemon: "amavis",
    line: "(01234-05) Blocked SPAM {DiscardedInbound}, [192.0.2.9] <a@b.example> -> <x@our.example>, Queue-ID: 4A1B2C3D4E, Hits: 12.3, size: 5120, 310 ms",
    event: "filter_result",
    fields: { verdict: "Blocked SPAM", score: 12.3 },
  },
];

/** opendkim: results follow the queue id; anything with no id is its own. */
export function readOpendkim(message: string): Reading {
  const { queueId, body } = splitId(message);
  const fields: Bag = {};
  const shape = (text: string): string => (queueId === undefined ? text : `${queueId}: ${text}`);
  if (body.startsWith("DKIM-Signature field added")) {
    put(fields, "selector", word(body, "(s="));
    put(fields, "domain", between(body, "d=", ")"));
    return { event: "dkim_signed", fields, queueId, shape: shape("DKIM-Signature field added") };
  }
  if (body.startsWith("DKIM verification successful"))
    return result(fields, "pass", undefined, queueId, shape(body));
  if (body.startsWith("signature=")) {
    put(fields, "domain", word(body, "domain="));
    put(fields, "selector", word(body, "selector="));
    const words = between(body, 'result="', '"') ?? "";
    return result(fields, words, undefined, queueId, shape(`signature= domain= selector= result="${words}"`));
  }
  if (body.startsWith("s=")) {
    put(fields, "selector", word(body, "s="));
    put(fields, "domain", word(body, " d="));
    const ssl = body.indexOf("SSL");
    return result(
      fields,
      ssl < 0 ? "" : cap(body.slice(ssl)),
      undefined,
      queueId,
      shape(`s= d= ${ssl < 0 ? "" : body.slice(ssl)}`),
    );
  }
  if (body.startsWith("key retrieval failed")) {
    put(fields, "domain", between(body, ", d=", ")"));
    const gone = body.includes("record not found") || body.includes("NXDOMAIN") || body.includes("not found");
    const tail = body.lastIndexOf("' ");
    return result(
      fields,
      "key retrieval failed",
      gone ? undefined : "dns",
      queueId,
      shape(`key retrieval failed: ${tail < 0 ? "" : body.slice(tail + 2)}`),
    );
  }
  if (/bad signature|no signature|verification failed|signature processing failed/.test(body))
    return result(fields, "fail", undefined, queueId, shape(body));
  if (
    /no signing table match|not internal|not authenticated|external host|can't determine|no MTA name match/.test(
      body,
    )
  )
    return {
      event: "info",
      fields: { reason: cap(body) },
      queueId,
      shape: shape(body.replace(/for '.*'/, "for ''").replace(/^\S+ \[[^\]]*\]/, "")),
    };
  return readLife(body, queueId);
}

const result = (
  fields: Bag,
  words: string,
  cause: Cause | undefined,
  queueId: string | undefined,
  shape: string,
): Reading => {
  fields["result"] = cap(words);
  return { event: "dkim_result", fields, cause, queueId, shape };
};

/** opendmarc: `ID: domain pass`, `ID: SPF(mailfrom): domain pass`. */
export function readOpendmarc(message: string): Reading {
  const { queueId, body } = splitId(message);
  const spf = /^SPF\(([a-z]+)\): (\S{1,255}) (\S{1,20})$/.exec(body);
  if (spf)
    return {
      event: "spf_result",
      fields: { identity: spf[1]!, domain: spf[2]!, result: spf[3]!.toLowerCase() },
      queueId,
      shape: `SPF(${spf[1]}): <> ${spf[3]}`,
    };
  const dmarc = /^(\S{1,255}) (pass|fail|none|temperror|permerror)$/.exec(body);
  if (dmarc)
    return {
      event: "dmarc_result",
      fields: { domain: dmarc[1]!, result: dmarc[2]! },
      cause: dmarc[2] === "temperror" ? "dns" : undefined,
      queueId,
      shape: `<> ${dmarc[2]}`,
    };
  if (/ignoring|no RFC|RFC5322|unable to parse|implicit/.test(body))
    return {
      event: "info",
      fields: { reason: cap(body) },
      queueId,
      shape: body.replace(/at \d+ from .*/, "at 0 from"),
    };
  return readLife(body, queueId);
}

/** policyd-spf: `prepend Received-SPF: Pass (...)` or an action. */
export function readSpf(message: string): Reading {
  const fields: Bag = {};
  const at = message.indexOf("Received-SPF: ");
  const verdict = /^(?:\S{1,20}: )?(Pass|None|Neutral|Fail|Softfail|Temperror|Permerror)\b/i.exec(
    at < 0 ? message.slice(0, 60) : message.slice(at + 14, at + 40),
  );
  if (!verdict && !message.includes("client-ip=") && !message.includes("SPF"))
    return readLife(message, undefined);
  put(fields, "result", verdict?.[1]?.toLowerCase());
  put(fields, "client_address", between(message, "client-ip=", ";"));
  put(fields, "helo", between(message, "helo=", ";"));
  put(fields, "from", between(message, "envelope-from=", ";"));
  const cause = fields["result"] === "temperror" ? "dns" : undefined;
  return { event: "spf_result", fields, cause, shape: `Received-SPF: ${verdict?.[1] ?? ""}` };
}

/** postgrey: `action=greylist, reason=new, client_name=..`. */
export function readPostgrey(message: string): Reading {
  const at = message.indexOf("action=");
  if (at < 0) return readLife(message, undefined);
  const fields: Bag = {};
  for (const key of ["action", "client_name", "client_address", "sender", "recipient"])
    put(fields, key, word(message, `${key}=`, at));
  put(fields, "reason", between(`${message},`, "reason=", ",", at));
  put(fields, "delay", numberAfter(message, ", delay="));
  const held = fields["action"] === "greylist";
  const reason = String(fields["reason"] ?? "").replace(/\d+/g, "0");
  return {
    event: "greylist",
    fields,
    cause: held ? "greylisted" : undefined,
    shape: `action=${fields["action"]}, reason=${reason}`,
  };
}

/** spamd, rspamd and amavis: the verdict and its score. */
export function readFilter(message: string): Reading {
  const fields: Bag = {};
  const amavis = /^\([0-9A-Za-z-]{3,20}\) (Passed|Blocked) ([A-Z-]{3,20})/.exec(message);
  if (amavis) {
    fields["verdict"] = `${amavis[1]} ${amavis[2]}`;
    put(fields, "score", numberAfter(message, "Hits: "));
    put(fields, "from", between(message, "] <", ">"));
    put(fields, "to", between(message, "-> <", ">"));
    const queueId = word(message, "Queue-ID: ");
    return {
      event: "filter_result",
      fields,
      cause: amavis[2] === "UNCHECKED" || amavis[2] === "MTA-BLOCKED" ? "policy" : undefined,
      queueId,
      shape: `Amavis: ${fields["verdict"]}`,
    };
  }
  const spamd = /^spamd: (.*)$|^(identified spam.*|clean message.*|result: .*)$/s.exec(message);
  const text = spamd?.[1] ?? spamd?.[2] ?? message;
  if (/^(?:identified spam|clean message|result: )/.test(text)) {
    fields["verdict"] = text.startsWith("identified") || text.startsWith("result: Y") ? "spam" : "clean";
    put(fields, "score", numberAfter(text, text.startsWith("result") ? "result: Y " : " ("));
    return { event: "filter_result", fields, shape: `${text.split(/[(\d-]/, 1)[0]}` };
  }
  const rspamd = message.indexOf("rspamd_task_write_log");
  if (rspamd >= 0) {
    const action = /\((?:default|[a-z_-]{1,30}): ([TF]) \(([a-z ]{2,30})\): \[(-?[\d.]{1,10})\//.exec(
      message.slice(rspamd, rspamd + 2000),
    );
    if (action) Object.assign(fields, { verdict: action[2]!, score: Number(action[3]) });
    return {
      event: "filter_result",
      fields,
      queueId: between(message, "qid: <", ">"),
      shape: `rspamd_task_write_log: ${action?.[2] ?? ""}`,
    };
  }
  if (
    /^spamd: |prefork:|processing message|connection from|setuid|handle_user|checking message/.test(message)
  )
    return { event: "info", fields, shape: message };
  return readLife(message, undefined);
}

const LIFE: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/no space left/i, "disk_failure", "disk"],
  [/starting|started|listening|ready/i, "process_start"],
  [/terminat|shutting down|stopping|exiting|caught signal|server killed/i, "process_stop"],
  [/reload|restart/i, "reload"],
  [/permission denied|not owned|can be read or written/i, "permission_failure", "permission"],
  [/timed? ?out|temperror|try again|dns|resolver|ns_/i, "dns_failure", "dns"],
  [/redis|mysql|ldap|database|dict/i, "lookup_failure", "lookup"],
  [/config|unknown parameter/i, "config_warning", "config"],
  [/fail|error|cannot|can't|unable|refused|lost/i, "error", "other"],
];

/** What a milter or filter says of itself. */
export function readLife(body: string, queueId: string | undefined): Reading {
  const early = body.slice(0, 300);
  for (const [pattern, event, cause] of LIFE)
    if (pattern.test(early)) return { event, fields: { reason: cap(body) }, cause, queueId, shape: body };
  return { event: "unknown", fields: {}, queueId, shape: body };
}

function splitId(message: string): { queueId: string | undefined; body: string } {
  const n = queueIdLength(message, 0);
  return n === 0
    ? { queueId: undefined, body: message }
    : { queueId: message.slice(0, n), body: message.slice(n + 2) };
}
