import { type Bag, put, type Reading } from "./scan.ts";
import { type CompanionSample, plainWords, type Rule, readRulesOrLife, splitId } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: far.example pass",
    event: "dmarc_result",
    fields: { domain: "far.example", result: "pass" },
  },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: SPF(mailfrom): ann@far.example fail",
    event: "spf_result",
    fields: { result: "fail", domain: "ann@far.example", identity: "mailfrom" },
  },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: ignoring Authentication-Results at 1 from mx.far.example",
    event: "info",
  },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: RFC5322 requirement error: missing From field; rejecting",
    event: "reject",
    cause: "protocol",
  },
  { daemon: "opendmarc", line: "OpenDMARC Filter v1.4.2 starting (args: -f)", event: "process_start" },
  {
    daemon: "opendmarc",
    line: "4A1B2C3D4E: opendmarc_policy_query_dmarc(far.example) returned status 15",
    event: "dns_failure",
    cause: "dns",
  },
];

const RULES: readonly Rule[] = [
  [/rejected by DMARC|rejecting/i, "reject", "protocol"],
  [/quarantin/i, "hold", "spam"],
  [
    /ignoring|no RFC|unable to parse|implicit|no Authentication|skipping|trusted|ignored|unparseable|requirement|can't determine/i,
    "info",
  ],
  [/starting(?:$| \()/i, "process_start"],
  [/opendmarc_policy_query|SPF.{0,40}(?:temp|error)|policy query/i, "dns_failure", "dns"],
  [/history|report/i, "error", "other"],
  [/smfi_|milter|mi_stop/i, "milter_failure", "milter"],
];

/** opendmarc: `ID: domain pass`, `ID: SPF(mailfrom): domain pass`, and its own life. */
export function readOpendmarc(message: string): Reading {
  const { queueId, body, prefix } = splitId(message);
  const spf = /^SPF\((\w{1,20})\):? (?:(\S{1,255}) )?(\w{1,20})$/.exec(body);
  if (spf) {
    const result = spf[3]!.toLowerCase();
    const fields: Bag = { identity: spf[1]!, result };
    put(fields, "domain", spf[2]);
    return {
      event: "spf_result",
      fields,
      cause: result === "temperror" ? "dns" : undefined,
      queueId,
      shape: `${prefix}SPF(${spf[1]}): <> ${spf[3]}`,
    };
  }
  const dmarc =
    /^(?:(\S{1,255}) )?(pass|fail|none|temperror|permerror|bestguesspass|accept|reject|quarantine)$/i.exec(
      body,
    );
  if (dmarc) {
    const result = dmarc[2]!.toLowerCase();
    const fields: Bag = { result };
    put(fields, "domain", dmarc[1]);
    return {
      event: "dmarc_result",
      fields,
      cause: result === "temperror" ? "dns" : undefined,
      queueId,
      shape: `${prefix}<> ${dmarc[2]}`,
    };
  }
  const rejected = /^rejected by DMARC policy for (\S{1,255})/.exec(body);
  if (rejected)
    return {
      event: "reject",
      fields: { domain: rejected[1]!, reason: body, stage: "DATA" },
      cause: "spam",
      queueId,
      shape: `${prefix}rejected by DMARC policy for <>`,
    };
  const read = readRulesOrLife(RULES, body, queueId, prefix);
  return read.event === "info" ? { ...read, shape: prefix + plainWords(body) } : read;
}
