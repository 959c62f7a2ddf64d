import type { AddressBook } from "./addresses.ts";
import type { Episode, RecordedLine } from "./material.ts";
import type { NameBook } from "./names.ts";
import { type Part, type Slot, SlotFinder } from "./slots.ts";

/** Lines of an episode that move together in time. */
export type Segment = {
  /** The segment it follows; -1 for the first, which holds all that happens at once. */
  readonly parent: number;
  /** retry: a new attempt at a deferred message. idle: the end of a session that a person leaves open. */
  readonly kind: "first" | "retry" | "bounce" | "idle";
  /** For a retry: its number from 1, and whether the attempt fails again. */
  readonly attempt: number;
  failed: boolean;
  /** Whether a later segment is a further attempt at the same message. */
  retried: boolean;
};

export type FormLine = {
  /** Seconds since the start, as recorded. */
  readonly at: number;
  readonly tag: string;
  /** Index into `processes`; -1 where none is logged. */
  readonly process: number;
  readonly parts: readonly Part[];
  readonly segment: number;
  /** The segment in which the line's queue id began. */
  readonly base: number;
};

/** A process of an episode, with its first and last line in seconds. */
export type FormProcess = {
  readonly tag: string;
  readonly segment: number;
  readonly from: number;
  to: number;
};

/** An episode taken apart, ready to be written many times. */
export type Form = {
  readonly lines: readonly FormLine[];
  readonly slots: readonly Slot[];
  readonly segments: readonly Segment[];
  readonly processes: readonly FormProcess[];
};

const NOTIFICATION = /notification: ([0-9A-Za-z]{5,30})\b/;
const QUEUE_ACTIVE = "(queue active)";
const DELIVERY_AGENT = /^postfix\/(?:smtp|lmtp|error|local|virtual|pipe)$/;
const LMTP_LINE = /^lmtp\(/;
const LEAVING = /: (?:Disconnected: )?Logged out /;

/** Takes an episode apart for one server. */
export function formOf(episode: Episode, names: NameBook, addresses: AddressBook): Form {
  const { lines } = episode;
  const queueIds = new Set(lines.map((l) => l[4]).filter((id) => id !== null));
  const { segments, of, bases } = segmentsOf(lines);
  const finder = new SlotFinder(names, addresses, queueIds);
  const processes: FormProcess[] = [];
  const known = new Map<string, number>();
  const formed = lines.map(([at, tag, pid, text, queueId], i): FormLine => {
    let process = -1;
    if (pid > 0) {
      const key = `${of[i]} ${tag} ${pid}`;
      process = known.get(key) ?? processes.push({ tag, segment: of[i]!, from: at, to: at }) - 1;
      known.set(key, process);
      processes[process]!.to = at;
    }
    const parts = finder.split(text, i, queueId);
    return { at, tag, process, parts, segment: of[i]!, base: queueId === null ? 0 : bases.get(queueId)! };
  });
  return { lines: formed, slots: finder.slots, segments, processes };
}

/** Which lines belong to a later attempt, to what a later attempt brought about, or to the end of a session. */
function segmentsOf(lines: readonly RecordedLine[]): {
  segments: Segment[];
  of: number[];
  bases: Map<string, number>;
} {
  const segments: Segment[] = [{ parent: -1, kind: "first", attempt: 0, failed: false, retried: false }];
  const parents = new Map<string, string>();
  for (const [, , , text, id] of lines) {
    const child = NOTIFICATION.exec(text)?.[1];
    if (child !== undefined && id !== null) parents.set(child, id);
  }
  const current = new Map<string, number>();
  const bases = new Map<string, number>();
  const active = new Set<string>();
  const of = lines.map(([, tag, , text, id]) => {
    if (id === null) return -1;
    if (!current.has(id)) {
      const base = current.get(parents.get(id) ?? "") ?? 0;
      current.set(id, base);
      bases.set(id, base);
    }
    let segment = current.get(id)!;
    if (tag === "postfix/qmgr" && text.includes(QUEUE_ACTIVE)) {
      if (active.has(id)) {
        const before = segments[segment]!;
        // A first attempt shares its segment with all else, so it counts as one that failed.
        before.retried = true;
        const attempt = before.kind === "retry" ? before.attempt + 1 : 1;
        segment =
          segments.push({ parent: segment, kind: "retry", attempt, failed: false, retried: false }) - 1;
        current.set(id, segment);
      }
      active.add(id);
    }
    if (text.includes("status=deferred")) segments[segment]!.failed = true;
    return segment;
  });
  // Lines without a queue id go with the line of their delivery agent that names it next; all others with the beginning.
  for (let i = 0; i < lines.length; i++) {
    if (of[i] !== -1) continue;
    const [, tag, pid, text] = lines[i]!;
    if (DELIVERY_AGENT.test(tag)) of[i] = segmentOfNext(lines, of, i, (l) => l[1] === tag && l[2] === pid);
    else if (LMTP_LINE.test(text) && !text.includes("Disconnect"))
      of[i] = segmentOfNext(lines, of, i, (l) => l[1] === "postfix/lmtp");
    else if (LMTP_LINE.test(text)) of[i] = segmentOfSession(lines, of, i);
    else if (tag === "dovecot" && i === lines.length - 1 && i > 0 && LEAVING.test(text))
      of[i] = segments.push({ parent: 0, kind: "idle", attempt: 0, failed: false, retried: false }) - 1;
    else of[i] = 0;
  }
  return { segments, of, bases };
}

function segmentOfNext(
  lines: readonly RecordedLine[],
  of: readonly number[],
  from: number,
  wanted: (line: RecordedLine) => boolean,
): number {
  for (let i = from + 1; i < lines.length; i++) if (lines[i]![4] !== null && wanted(lines[i]!)) return of[i]!;
  for (let i = from - 1; i >= 0; i--) if (of[i] !== -1 && wanted(lines[i]!)) return of[i]!;
  return 0;
}

/** The segment of the line before of the same LMTP process, `lmtp(123)`. */
function segmentOfSession(lines: readonly RecordedLine[], of: readonly number[], from: number): number {
  const pid = /\((\d+)\)/.exec(lines[from]![3])?.[1];
  for (let i = from - 1; i >= 0; i--)
    if (
      of[i] !== -1 &&
      LMTP_LINE.test(lines[i]![3]) &&
      pid !== undefined &&
      lines[i]![3].includes(`(${pid})`)
    )
      return of[i]!;
  for (let i = from - 1; i >= 0; i--) if (lines[i]![1] === "postfix/lmtp" && of[i] !== -1) return of[i]!;
  return 0;
}
