import { existsSync, readFileSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** What is known of the machine that a schedule is for. Paths are those on that machine; `root` stands before them here. */

export type Account = { readonly name: string; readonly id: number };

export type Host = {
  /** "" for this machine, else the folder that holds the other one's /. */
  readonly root: string;
  readonly user: (name: string) => Account | undefined;
  readonly group: (name: string) => Account | undefined;
  readonly groupOf: (id: number) => string | undefined;
};

export function hostAt(root: string): Host {
  const users = accounts(join(root, "/etc/passwd"));
  const groups = accounts(join(root, "/etc/group"));
  return {
    root,
    user: (name) => users.find((account) => account.name === name),
    group: (name) => groups.find((account) => account.name === name),
    groupOf: (id) => groups.find((account) => account.id === id)?.name,
  };
}

/** Names and numbers of /etc/passwd or /etc/group. */
function accounts(file: string): Account[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .filter((fields) => fields.length > 2 && /^\d+$/.test(fields[2]!))
      .map((fields) => ({ name: fields[0]!, id: Number(fields[2]) }));
  } catch {
    return [];
  }
}

/** Whether systemd is installed there: it need not be running. */
export const hasSystemd = ({ root }: Host): boolean =>
  ["/run/systemd/system", "/usr/lib/systemd/systemd", "/lib/systemd/systemd"].some((path) =>
    existsSync(join(root, path)),
  );

/** Whether systemd runs here and may be asked. */
export const systemdRuns = ({ root }: Host): boolean => root === "" && existsSync("/run/systemd/system");

/** Undefined for what is not there, or may not be looked at. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** How the service's user comes to read the logs. */
export type LogAccess = {
  /** Groups that own logs, beside adm and systemd-journal where they exist. */
  readonly groups: readonly string[];
  /** Logs that only their owner reads, so that a capability is needed. */
  readonly closed: readonly string[];
};

const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;
/** Members of adm read the logs of Debian, of systemd-journal the journal. */
const READERS = ["adm", "systemd-journal"];

/** files: logs that are there now. */
export function logAccess(host: Host, files: readonly string[]): LogAccess {
  const groups = new Set(READERS.filter((name) => host.group(name) !== undefined));
  const closed: string[] = [];
  for (const file of files)
    for (const path of [file, dirname(file)]) {
      const stat = statOf(join(host.root, path));
      if (stat === undefined || (stat.mode & OTHERS_READ) !== 0) continue;
      const group = host.groupOf(stat.gid);
      if ((stat.mode & GROUP_READ) !== 0 && group !== undefined && group !== "root") groups.add(group);
      else closed.push(path);
    }
  return { groups: [...groups].sort(), closed };
}

/** Whether every folder on the way to a program, and itself, is open to all users. */
export function openToAll(host: Host, path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    const stat = statOf(join(host.root, at));
    if (stat !== undefined && (stat.mode & 0o001) === 0 && (stat.isDirectory() || stat.mode & 0o111))
      return false;
  }
  return true;
}

/** Whether an account, or its group of the same name, may read a file; a file that can't be looked at is taken to be readable. */
export function mayRead(host: Host, user: string, path: string): boolean {
  const stat = statOf(join(host.root, path));
  if (stat === undefined || (stat.mode & OTHERS_READ) !== 0) return true;
  if (stat.uid === host.user(user)?.id) return true;
  return (stat.mode & GROUP_READ) !== 0 && stat.gid === host.group(user)?.id;
}
