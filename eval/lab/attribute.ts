// Finds to which episode each line belongs, by the source address, queue ids, message ids and Dovecot's sessions.
import type { Episode, RecordedLine } from "../../src/compose/material.ts";
import type { Deed } from "./ledger.ts";

const RAW = /^(\S+?)\.(\d+)\+00:00 ([^\s[:]+)(?:\[(\d+)\])?: ?(.*)$/;
const LONG_ID = "[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,11}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{1,8}";
const OF_QUEUE = new RegExp(`^(${LONG_ID}): `);
const CHILD = new RegExp(`notification: (${LONG_ID})$|\\bqueue-id: <(${LONG_ID})>|forwarded as (${LONG_ID})`);
const MESSAGE = /(?:message-id=|msgid=|id: )<([^>]+)>/;
const CLIENT = /(?:\[|\brip=|client_address=|,)((?:198\.1[89]|192\.0\.2)\.[\d.]+)\b/;
const SMTPD = /^postfix\/(?:submission\/|smtps\/)?smtpd$/;
const SESSION = /session=<([^>]+)>|^(?:imap|pop3)\([^)]*\)<\d+><([^>]+)>|,<([A-Za-z0-9+/]{16})>\)/;
const LMTP = /^lmtp\((?:[^)]*\)<)?(\d+)[)>]/;
/** Addresses of our own that are no client's. */
const NO_CLIENT = /^192\.0\.2\.(?:10|53|66)$/;
/** Lines close together in time make one cluster of the system's own. */
const CLUSTER_GAP = 1;
/** Longer clusters are cut, so that the middle of a fault can be drawn from many. */
const CLUSTER_SECONDS = 6;
/** What postgrey says of its clock, which the lab hurries. */
const HURRIED = /^(?:correcting date for first seen|cleaning up old)/;
const LEFT_OUT = /^(?:rsyslogd|postfix\/postsuper)$/;

export type Raw = {
  readonly time: number;
  readonly tag: string;
  readonly pid: number;
  readonly text: string;
};

/** The lines of rsyslog's file, those of the lab's own doing left out. */
export function readRaw(text: string): Raw[] {
  const lines: Raw[] = [];
  for (const line of text.split("\n")) {
    const found = RAW.exec(line);
    if (found === null || LEFT_OUT.test(found[3]!) || HURRIED.test(found[5]!)) continue;
    const time = Date.parse(`${found[1]}Z`) / 1000 + Number(`0.${found[2]}`);
    lines.push({ time, tag: found[3]!, pid: Number(found[4] ?? 0), text: found[5]! });
  }
  return lines;
}

/** Sets that grow together (union-find). */
class Groups {
  private readonly parents = new Map<string, string>();

  root(key: string): string {
    let at = key;
    for (let up = this.parents.get(at); up !== undefined; up = this.parents.get(at)) at = up;
    return at;
  }

  join(a: string, b: string): void {
    const [from, to] = [this.root(a), this.root(b)];
    if (from !== to) this.parents.set(from, to);
  }
}

/** The keys of each line: what it names, and what the process that wrote it is busy with. */
function keysOf(lines: readonly Raw[], deeds: readonly Deed[]): string[][] {
  const byMessage = new Map<string, number>();
  const byClient = new Map<string, number[]>();
  for (const [i, { mids, client }] of deeds.entries()) {
    for (const mid of mids) byMessage.set(mid, i);
    if (client !== null) byClient.set(client, [...(byClient.get(client) ?? []), i]);
  }
  const segments = new Map<string, number>();
  const segmentOf = (name: string, next: boolean): string => {
    const number = segments.get(name) ?? 0;
    if (next) segments.set(name, number + 1);
    return `segment ${name} ${number}`;
  };
  const waiting = new Map<string, number[]>();
  const all: string[][] = [];
  for (const [i, { time, tag, pid, text }] of lines.entries()) {
    const keys: string[] = [];
    all.push(keys);
    const queueId = OF_QUEUE.exec(text)?.[1];
    const child = CHILD.exec(text);
    for (const id of [queueId, child?.[1], child?.[2], child?.[3]])
      if (id !== undefined) keys.push(`queue ${id}`);
    const mid = MESSAGE.exec(text)?.[1];
    if (mid !== undefined) {
      keys.push(`message ${mid}`);
      const deed = byMessage.get(mid);
      if (deed !== undefined) keys.push(`deed ${deed}`);
    }
    const client = CLIENT.exec(text)?.[1];
    if (client !== undefined && !NO_CLIENT.test(client)) {
      const deed = byClient
        .get(client)
        ?.find((d) => time * 1000 >= deeds[d]!.from - 50 && time * 1000 <= deeds[d]!.to);
      if (deed !== undefined) keys.push(`deed ${deed}`);
    }
    if (SMTPD.test(tag)) keys.push(segmentOf(`${tag} ${pid}`, text.startsWith("disconnect from")));
    else if (tag === "dovecot") {
      const session = SESSION.exec(text);
      if (session !== null) keys.push(`session ${session[1] ?? session[2] ?? session[3]}`);
      const lmtp = LMTP.exec(text)?.[1];
      if (lmtp !== undefined) keys.push(segmentOf(`lmtp ${lmtp}`, text.includes("Disconnect from")));
    } else if (tag.startsWith("rspamd")) {
      const task = /^<(\w+)>; (?:task|proxy|lua|milter)/.exec(text)?.[1];
      if (task !== undefined) keys.push(`task ${task}`);
    } else if (tag.startsWith("postfix/")) {
      // A delivery agent or cleanup speaks of the message that it names next.
      const process = `${tag} ${pid}`;
      if (queueId === undefined && keys.length === 0)
        waiting.set(process, [...(waiting.get(process) ?? []), i]);
      else if (queueId !== undefined) {
        for (const earlier of waiting.get(process) ?? []) all[earlier]!.push(`queue ${queueId}`);
        waiting.delete(process);
      }
    }
  }
  return all;
}

export type Span = {
  readonly state: string;
  readonly part: string;
  readonly from: number;
  readonly to: number;
};

/** The episodes of a recording. spans: which state it was in, in seconds since 1970. */
export function attribute(
  lines: readonly Raw[],
  deeds: readonly Deed[],
  spans: readonly Span[],
): { episodes: Episode[]; lost: number } {
  const keys = keysOf(lines, deeds);
  const groups = new Groups();
  for (const own of keys) for (const key of own.slice(1)) groups.join(own[0]!, key);
  const owners = new Map<string, Set<number>>();
  for (const [i] of deeds.entries()) {
    const root = groups.root(`deed ${i}`);
    owners.set(root, (owners.get(root) ?? new Set()).add(i));
  }
  const found = new Map<number, Raw[]>();
  const own: Raw[] = [];
  let lost = 0;
  for (const [i, line] of lines.entries()) {
    const owner = keys[i]!.length === 0 ? undefined : owners.get(groups.root(keys[i]![0]!));
    if (owner === undefined) own.push(line);
    else if (owner.size > 1) lost++;
    else {
      const [deed] = owner;
      found.set(deed!, [...(found.get(deed!) ?? []), line]);
    }
  }
  const episodes: Episode[] = [];
  for (const [i, ours] of found) {
    const { class: kind, state, client, user, org } = deeds[i]!;
    episodes.push({
      class: kind,
      state,
      client: client ?? undefined,
      user: user ?? undefined,
      org: org ?? undefined,
      part: undefined,
      lines: relative(ours),
    });
  }
  return { episodes: [...episodes, ...clusters(own, spans)], lost };
}

/** The system's own lines, in clusters by time, within the parts of each state. */
function clusters(lines: readonly Raw[], spans: readonly Span[]): Episode[] {
  const made: Episode[] = [];
  for (const { state, part, from, to } of spans) {
    let cluster: Raw[] = [];
    const close = (): void => {
      if (cluster.length > 0)
        made.push({
          class: "sys",
          state,
          client: undefined,
          user: undefined,
          org: undefined,
          part,
          lines: relative(cluster),
        });
      cluster = [];
    };
    for (const line of lines.filter((l) => l.time >= from && l.time < to)) {
      const first = cluster[0];
      if (
        first !== undefined &&
        (line.time - cluster.at(-1)!.time > CLUSTER_GAP ||
          (part === "mid" && line.time - first.time > CLUSTER_SECONDS))
      )
        close();
      cluster.push(line);
    }
    close();
  }
  return made;
}

/** Times from the first line on; the queue id beside each line that names one. */
function relative(lines: readonly Raw[]): RecordedLine[] {
  const start = lines[0]!.time;
  return lines.map(({ time, tag, pid, text }) => [
    Math.round((time - start) * 1e6) / 1e6,
    tag,
    pid,
    text,
    OF_QUEUE.exec(text)?.[1] ?? null,
  ]);
}
