import { userInfo } from "node:os";
import { cut, terminalSafe } from "../report/escape.ts";
import { hostAt } from "./schedule/host.ts";
import type { ServerFacts } from "./survey.ts";
import type { FoundLog, FoundLogs } from "./survey-logs.ts";

/** Longest list of domains shown. */
const SHOWN = 90;

/** What was found, and what could not be read, with what to do. */
export function foundText(server: ServerFacts, logs: FoundLogs, zone: string): string {
  const { mta, dovecot, domains, unread } = server;
  const rows: (readonly [string, string])[] = [
    [
      "mail system",
      mta === undefined
        ? "none found"
        : mta.name === "another"
          ? "one that has sendmail"
          : `${mta.name} ${mta.version}`,
    ],
    ...(dovecot === undefined ? [] : [["mailboxes", `Dovecot ${dovecot}`] as const]),
    ["name", server.name],
    ["domains", domains.length === 0 ? "none found" : cut(domains.join(", "), SHOWN)],
    ...unread.map((table) => ["", `${table} can't be read here; add its domains to server.domains`] as const),
    ["time zone", zone],
    ...logs.files.map((log) => ["log", `${log.path} (${log.from})`] as const),
    ...(logs.journal === "used" ? [["log", "the systemd journal"] as const] : []),
    ...(logs.files.length === 0 && logs.journal !== "used"
      ? [["log", "none found; set log.paths in the configuration"] as const]
      : []),
  ];
  const text = rows.map(([name, value]) => `${name.padEnd(13)}${terminalSafe(value)}\n`).join("");
  return text + deniedText(logs);
}

function deniedText({ files, journal }: FoundLogs): string {
  const { username } = userInfo();
  const host = hostAt("");
  const lines = files
    .filter((file) => file.state === "denied")
    .map((file) => `cannot read ${file.path}: ${remedyOf(file, host.groupOf(file.gid), username)}`);
  if (journal === "denied")
    lines.push(
      `cannot read the journal: as root, type usermod -aG systemd-journal ${username}, then log in anew`,
    );
  return lines.map((text) => `${terminalSafe(text)}\n`).join("");
}

function remedyOf({ mode }: FoundLog, group: string | undefined, user: string): string {
  if ((mode & 0o040) !== 0 && group !== undefined && group !== "root")
    return `as root, type usermod -aG ${group} ${user}, then log in anew`;
  return "only root reads it: run logvane init as root";
}
