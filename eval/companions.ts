// Share of lines that a grammar names, for the corpora of programs beside Postfix and Dovecot: node dist/eval/companions.js [PROGRAM]
// With a program, prints the plain words of what stays unknown there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseMail } from "../src/mail/grammar.ts";
import { maskText } from "../src/template/mask.ts";
import { corpusEnvelope } from "./local-envelope.ts";

/** Folders whose files hold one program's own format. */
const PROGRAM: Readonly<Record<string, string>> = {
  "exim-testsuite": "exim",
  "rspamd-docs": "rspamd",
  "amavis-messages.log": "amavis",
  "exim.log": "exim",
};

type Row = { lines: number; named: number; info: number; unknown: Map<string, number> };

/** A line as program and message: journald JSON, or a head as corpusEnvelope knows it. */
function read(text: string, program: string) {
  if (!text.startsWith("{")) return parseMail(corpusEnvelope(text, program));
  const record = JSON.parse(text) as Record<string, unknown>;
  const name = String(record["SYSLOG_IDENTIFIER"] ?? record["_COMM"] ?? "");
  const message = record["MESSAGE"];
  return parseMail({
    time: 0,
    host: "",
    program: name,
    pid: undefined,
    message: typeof message === "string" ? message : "",
  });
}

function evaluate(root: string, wanted: string | undefined): void {
  const rows = new Map<string, Row>();
  for (const folder of [
    "exim-testsuite",
    "logwatch",
    "ossec",
    "wazuh",
    "rspamd-docs",
    "loghub",
    "ait-journald",
    "lightmeter",
    "issues",
    "fail2ban",
  ])
    for (const file of readdirSync(join(root, folder))) {
      if (!/\.(?:log|jsonl|\d)$/.test(file) || file.includes(".truth.") || file.includes(".sources."))
        continue;
      const program = PROGRAM[folder] ?? PROGRAM[file] ?? "";
      for (const text of readFileSync(join(root, folder, file), "utf8").split("\n")) {
        if (text.trim() === "") continue;
        const parsed = read(text, program);
        if (parsed.daemon.startsWith("postfix") || parsed.daemon.startsWith("dovecot")) continue;
        const key = `${folder}/${parsed.daemon.toLowerCase()}`;
        const row = rows.get(key) ?? { lines: 0, named: 0, info: 0, unknown: new Map() };
        rows.set(key, row);
        row.lines++;
        if (parsed.event !== "unknown") row.named++;
        if (parsed.event === "info" || parsed.event === "system") row.info++;
        if (parsed.event === "unknown" || wanted?.startsWith("+")) {
          const shape = `${parsed.event === "unknown" ? "" : `${parsed.event} `}${maskText(parsed.shape).slice(0, 150)}`;
          row.unknown.set(shape, (row.unknown.get(shape) ?? 0) + 1);
        }
      }
    }
  process.stdout.write("corpus/program                                 lines   named  info+system\n");
  for (const [key, row] of [...rows].sort((a, b) => b[1].lines - a[1].lines)) {
    const share = (n: number): string => `${((100 * n) / row.lines).toFixed(1)} %`.padStart(8);
    if (row.lines >= 5)
      process.stdout.write(
        `${key.padEnd(45)}${String(row.lines).padStart(7)} ${share(row.named)} ${share(row.info)}\n`,
      );
    if (wanted !== undefined && key.includes(wanted.replace("+", "")))
      for (const [shape, n] of [...row.unknown].sort((a, b) => b[1] - a[1]).slice(0, 120))
        process.stdout.write(`    ${String(n).padStart(5)}  ${JSON.stringify(shape)}\n`);
  }
}

const root = join(process.env.LOGVANE_DATA ?? "../shared/data", "maillogs");
if (existsSync(root)) evaluate(root, process.argv[2]);
else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
