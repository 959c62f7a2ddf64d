import { type Bag, between, put, type Reading } from "./scan.ts";
import { type CompanionSample, putAddress, type Rule, readRulesOrLife, splitId } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "spamd",
    line: "spamd: identified spam (14.2/5.0) for ann:1000 in 1.2 seconds, 3120 bytes.",
    event: "filter_result",
    fields: { verdict: "spam", score: 14.2, required: 5, user: "ann", size: 3120, delay: 1.2 },
  },
  {
    daemon: "spamd",
    line: "spamd: result: . -2 - BAYES_00,DKIM_VALID scantime=0.6,size=3120,user=ann,uid=1000,required_score=5.0,rhost=192.0.2.9,raddr=192.0.2.9,rport=4022,mid=<1@far.example>,autolearn=ham",
    event: "filter_result",
    fields: { verdict: "clean", score: -2, message_id: "1@far.example" },
  },
  {
    daemon: "spamd",
    line: "spamd: connection from localhost [127.0.0.1]:4022 to port 783, fd 5",
    event: "connect",
    fields: { client_address: "127.0.0.1" },
  },
  {
    daemon: "spamd",
    line: "spamd: processing message <1@far.example> for ann:1000",
    event: "info",
    fields: { message_id: "1@far.example" },
  },
  { daemon: "spamd", line: "prefork: child states: II", event: "info" },
  {
    daemon: "spamd",
    line: "spamd: server started on IO::Socket::IP [127.0.0.1]:783 (running version 4.0.0)",
    event: "process_start",
  },
  {
    daemon: "spamd",
    line: "prefork: server reached --max-children setting, consider raising it",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "spamass-milter",
    line: 'Could not retrieve sendmail macro "i"!.  Please add it to confMILTER_MACROS_ENVFROM',
    event: "milter_failure",
    cause: "milter",
  },
];

const RULES: readonly Rule[] = [
  [/max-children|server reached|too many/i, "limit_reached", "limit"],
  [
    /^prefork: child states|^(?:processing|checking) message|^(?:setuid|handle_user|using default|creating default|still running|got connection|copy_config|info|logger|dns: |zoom|rules: |plugin: |config: |netset|util: |spf: |dkim: |bayes: |auto-whitelist|razor2: |pyzor: |check: |async: |rewriting|skipped|creating|cleaned|child \d* ?connection|alert|handled cleanup)|^skipped/i,
    "info",
  ],
  [
    /server started|server (?:starting|is running)|server pid|successfully spawned|child process/i,
    "process_start",
  ],
  [/server killed|hit by|server.{0,20}(?:stopp|exit|terminat)|sigterm|sigint/i, "process_stop"],
  [/sighup|restart/i, "reload"],
  [/timeout|timed out/i, "policy_failure", "policy"],
  [/could not retrieve|milter|smfi/i, "milter_failure", "milter"],
];

/** spamd of SpamAssassin, with and without the `spamd: ` of newer versions, and spamass-milter. */
export function readSpamd(message: string): Reading {
  const { queueId, body, prefix } = splitId(message);
  const text = body.replace(/^(?:spamd|info|warn): /, "").replace(/^spamd: /, "");
  const judged =
    /^(identified spam|clean message) \(([^()\s/]{1,20})(?:\/([^()\s]{1,20}))?\)(?: for (.{0,255}?)(?::\d{1,10})? in (\S{1,20}) seconds, (\S{1,20}) bytes)?/.exec(
      text,
    );
  if (judged) {
    const fields: Bag = {
      verdict: judged[1]!.startsWith("id") ? "spam" : "clean",
      score: Number(judged[2]),
      required: Number(judged[3]),
    };
    put(fields, "user", judged[4]);
    if (judged[5] !== undefined) Object.assign(fields, { delay: Number(judged[5]), size: Number(judged[6]) });
    return { event: "filter_result", fields, queueId, shape: `${prefix}${judged[1]}` };
  }
  const result = /^result: ([Y.]) +(\S{1,20}) - /.exec(text);
  if (result) {
    const fields: Bag = { verdict: result[1] === "Y" ? "spam" : "clean", score: Number(result[2]) };
    put(fields, "user", between(text, ",user=", ","));
    put(fields, "message_id", between(text, "mid=<", ">"));
    putAddress(fields, between(`${text},`, "raddr=", ","));
    const size = between(text, "size=", ",");
    if (size !== undefined) fields["size"] = Number(size);
    return { event: "filter_result", fields, queueId, shape: `${prefix}result: ${result[1]}` };
  }
  const client = /^(?:got )?connection from (?:(\S{1,255}) )?\[([^[\]\s]{1,64})\]/.exec(text);
  if (client) {
    const fields: Bag = {};
    put(fields, "client_name", client[1]);
    putAddress(fields, client[2]);
    return { event: "connect", fields, shape: "connection from <>" };
  }
  const read = readRulesOrLife(RULES, text, queueId, prefix);
  put(read.fields, "message_id", /^(?:processing|checking) message <([^<>]{0,400})>/.exec(text)?.[1]);
  return read;
}
