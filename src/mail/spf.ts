import type { Cause } from "./event.ts";
import { type Bag, between, put, type Reading, word } from "./scan.ts";
import { type CompanionSample, putAddress, type Rule, readRulesOrLife, splitId } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "policyd-spf",
    line: "prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.9; helo=h.example; envelope-from=a@b.example; receiver=x@our.example",
    event: "spf_result",
    fields: {
      result: "softfail",
      client_address: "192.0.2.9",
      helo: "h.example",
      from: "a@b.example",
      to: "x@our.example",
      identity: "mailfrom",
    },
  },
  {
    daemon: "policyd-spf",
    line: "Pass; identity=helo; client-ip=192.0.2.9; helo=h.example; envelope-from=<>; receiver=x@our.example ",
    event: "spf_result",
    fields: { result: "pass", client_address: "192.0.2.9" },
  },
  {
    daemon: "policyd-spf",
    line: "550 5.7.23 Message rejected due to: SPF fail - not authorized. Please see http://spf.example/Why?s=mfrom;id=a@b.example;ip=192.0.2.9;r=<UNKNOWN>",
    event: "reject",
    cause: "spam",
    fields: { from: "a@b.example", client_address: "192.0.2.9" },
  },
  {
    daemon: "postfix-policyd-spf-perl",
    line: 'Policy action=PREPEND Received-SPF: none (b.example: No applicable sender policy available) receiver=mx.our.example; identity=mailfrom; envelope-from="a@b.example"; helo=h.example; client-ip=192.0.2.9',
    event: "spf_result",
    fields: { result: "none", from: "a@b.example" },
  },
  {
    daemon: "postfix-policyd-spf-perl",
    line: ": SPF fail (Mechanism -all matched): Envelope-from: a@b.example",
    event: "spf_result",
    fields: { result: "fail", from: "a@b.example" },
  },
  {
    daemon: "policyd-spf",
    line: "None; identity=no SPF record; client-ip=192.0.2.9; receiver=x@our.example",
    event: "spf_result",
    fields: { result: "none" },
  },
];

const RESULT = "(pass|none|neutral|fail|softfail|temperror|permerror|unknown|error)";
const AT_HEAD = new RegExp(
  `^(?:\\S{1,20}: |prepend |Policy action=\\S{1,20} )*(?:Received-SPF: ?|:? ?SPF )?${RESULT}\\b(?!ed)`,
  "i",
);
const IN_HEADER = new RegExp(`^${RESULT}\\b`, "i");

const RULES: readonly Rule[] = [
  [
    /^(?:action=|policy action=|handler|spf (?:skipped|check)|skip|whitelist|ignor|address|config:|read line|data|testing|no (?:address|parameters)|starting|normal exit|found the end|cached)/i,
    "info",
  ],
  [/authentication-results/i, "spf_result"],
];

/** pypolicyd-spf and postfix-policyd-spf-perl: the header that they prepend, a verdict, or a refusal. */
export function readSpf(message: string): Reading {
  const { queueId, body, prefix } = splitId(message.trimStart());
  const fields: Bag = {};
  const header = body.indexOf("Received-SPF: ");
  const verdict =
    header >= 0 ? IN_HEADER.exec(body.slice(header + 14, header + 40)) : AT_HEAD.exec(body.slice(0, 120));
  const semicolon = `${body};`;
  putAddress(fields, between(semicolon, "client-ip=", ";") ?? between(semicolon, ";ip=", ";"));
  put(fields, "helo", between(semicolon, "helo=", ";"));
  put(fields, "identity", between(semicolon, "identity=", ";"));
  put(
    fields,
    "from",
    unquote(
      between(semicolon, "envelope-from=", ";") ??
        between(semicolon, ";id=", ";") ??
        between(`${body},`, "Envelope-from: ", ","),
    ),
  );
  put(
    fields,
    "to",
    /@/.test(between(semicolon, "receiver=", ";") ?? "")
      ? between(semicolon, "receiver=", ";")?.trim()
      : undefined,
  );
  put(fields, "action", word(body, "action="));
  const code = /^([45]\d\d) (?:([45]\.\d{1,3}\.\d{1,3}) )?/.exec(body);
  if (code || /^(?:Message )?rejected\b|^reject /i.test(body)) {
    if (code) fields["reply_code"] = Number(code[1]);
    put(fields, "dsn", code?.[2]);
    fields["reason"] = body;
    const cause: Cause = code?.[1]?.startsWith("4") === true ? "dns" : "spam";
    return {
      event: "reject",
      fields,
      cause,
      queueId,
      shape: `${prefix}${code?.[0] ?? ""}rejected due to SPF`,
    };
  }
  if (verdict) {
    const result = verdict[1]!.toLowerCase();
    fields["result"] = result;
    return {
      event: "spf_result",
      fields,
      cause: result === "temperror" ? "dns" : undefined,
      queueId,
      shape: `${prefix}Received-SPF: ${result}`,
    };
  }
  if (/client-ip=|Received-SPF|\bSPF [a-z]{4,9}\b/.test(body.slice(0, 400)))
    return { event: "spf_result", fields, queueId, shape: `${prefix}Received-SPF:` };
  return readRulesOrLife(RULES, body, queueId, prefix);
}

const unquote = (text: string | undefined): string | undefined => text?.replace(/^["<](.*)[">]$/, "$1");
