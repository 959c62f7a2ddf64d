import type { AddressBook } from "./addresses.ts";
import type { Form, Segment } from "./form.ts";
import type { HeaderWriter } from "./header.ts";
import { type Processes, type QueueIds, scramble } from "./ids.ts";
import type { NameBook } from "./names.ts";
import { fillPattern, type Slot } from "./slots.ts";
import type { Stream } from "./stream.ts";

/** First wait before another attempt, and the longest, in seconds; Postfix doubles it (postconf(5): minimal_backoff_time, maximal_backoff_time). */
const FIRST_WAIT = 300;
const WAIT_SPREAD = 320;
const LONGEST_WAIT = 4000;
/** Attempts at one message within a fault. */
const MAX_REPEATS = 40;
/** Share of sessions that a person leaves open, for about two minutes and at most half an hour. */
const LEFT_OPEN = 0.4;
const OPEN_SECONDS = 120;
const OPEN_SPREAD = 1.2;
const OPEN_LIMIT = 1800;
/** Spread of the pace of an episode and of message sizes, as the sigma of a lognormal. */
const PACE_SPREAD = 0.22;
const SIZE_SPREAD = 0.3;
/** Delays in a text: two significant digits, hundredths at most. Source: Postfix, src/global/log_adhoc.c. */
const RESOLUTION = 100;
const SPAM_DOMAINS = 600;

/** How an episode is used. */
export type Use = {
  /** Its start, ms since 1970. */
  readonly at: number;
  /** Factor on all its times, beside the usual spread. */
  readonly pace: number;
  /** Until when attempts fail, in ms; NaN where nothing makes them. */
  readonly failsUntil: number;
  /** A recorded local part that is used in place of all accounts, or of `instead`. */
  readonly account?: string;
  readonly instead?: string;
  /** The address of the client. */
  readonly client?: string;
  /** The fault whose trace all lines are; -1 for none. */
  readonly fault: number;
};

/** A line before its head is written. */
export type LooseLine = {
  readonly time: number;
  readonly tag: string;
  readonly pid: number;
  readonly text: string;
  readonly fault: number;
};

/** What the lines of one server have in common. */
export type Scene = {
  readonly names: NameBook;
  readonly addresses: AddressBook;
  readonly queueIds: QueueIds;
  readonly processes: Processes;
  readonly header: HeaderWriter;
};

/** The waits before each segment, in ms after its recorded time; none for an attempt that is left out, several for one that is repeated. */
export function placements(segments: readonly Segment[], use: Use, random: Stream): number[][] {
  if (segments.length === 1) return [[0]]; // most episodes: nothing waits
  const placed: number[][] = [];
  const attempts: number[] = [];
  const lasts: number[] = [];
  const wait = (attempt: number): number =>
    Math.min(LONGEST_WAIT, (FIRST_WAIT + WAIT_SPREAD * random.uniform()) * 2 ** (attempt - 1)) * 1000;
  for (const [i, { parent, kind, failed, retried }] of segments.entries()) {
    let last = parent < 0 ? 0 : lasts[parent]!;
    let attempt = parent < 0 ? 0 : attempts[parent]!;
    if (kind === "first" || kind === "bounce") placed.push([last]);
    else if (kind === "idle") {
      const open = random.uniform() < LEFT_OPEN;
      const seconds = open ? Math.min(OPEN_LIMIT, OPEN_SECONDS * random.lognormal(OPEN_SPREAD)) : 0;
      placed.push([seconds * 1000]);
    } else if (Number.isNaN(use.failsUntil)) {
      last += wait(++attempt);
      placed.push([last]);
    } else if (failed && retried) {
      const next = last + wait(attempt + 1);
      if (use.at + next < use.failsUntil) {
        attempt++;
        last = next;
        placed.push([next]);
      } else placed.push([]);
    } else {
      // The last attempt: after the fault. Until then the one before is made again and again.
      let next = last + wait(++attempt);
      for (let n = 0; use.at + next < use.failsUntil && n < MAX_REPEATS; n++) {
        if (segments[parent]!.kind === "retry" && placed[parent]!.length > 0) placed[parent]!.push(next);
        next += wait(++attempt);
      }
      last = next;
      placed.push([next]);
    }
    attempts[i] = attempt;
    lasts[i] = last;
  }
  return placed;
}

/** Seconds as Postfix writes them. */
export function formatDelay(seconds: number): string {
  if (seconds >= 10) return String(Math.round(seconds));
  const digits = seconds >= 1 ? RESOLUTION / 10 : RESOLUTION;
  return String(Math.round(Math.max(0, seconds) * digits) / digits);
}

/** Writes an episode's lines at a time, to `put`. */
export function fill(
  scene: Scene,
  form: Form,
  use: Use,
  random: Stream,
  put: (line: LooseLine) => void,
): void {
  const pace = use.pace * random.lognormal(PACE_SPREAD);
  const shifts = placements(form.segments, use, random);
  const timeOf = (line: number): number => {
    const { at, segment } = form.lines[line]!;
    return use.at + at * 1000 * pace + (shifts[segment]!.at(-1) ?? 0);
  };
  const pids = form.processes.map(({ tag, segment, from, to }) => {
    if (segment !== 0) return scene.processes.later(tag);
    return scene.processes.take(tag, use.at + from * 1000 * pace, use.at + to * 1000 * pace);
  });
  const values: string[] = [];
  for (const slot of form.slots) values.push(written(scene, slot, values, timeOf(slot.line), use, random));

  for (const line of form.lines) {
    for (const shift of shifts[line.segment]!) {
      const waited = (shift - (shifts[line.base]!.at(-1) ?? 0)) / 1000;
      let text = "";
      for (const part of line.parts) {
        if (typeof part === "string") text += part;
        else {
          const { kind, text: recorded } = form.slots[part]!;
          if (kind === "delay") text += formatDelay(Number(recorded) * pace + waited);
          else if (kind === "delays") text += delaysOf(recorded, pace, waited);
          else text += values[part];
        }
      }
      const pid = line.process < 0 ? 0 : pids[line.process]!;
      put({ time: use.at + line.at * 1000 * pace + shift, tag: line.tag, pid, text, fault: use.fault });
    }
  }
}

/** "a/b/c/d", of which the first holds what the message waited in the queue. */
function delaysOf(recorded: string, pace: number, waited: number): string {
  return recorded
    .split("/")
    .map((part, i) => formatDelay(Number(part) * pace + (i === 0 ? waited : 0)))
    .join("/");
}

function written(
  { names, addresses, queueIds, processes, header }: Scene,
  slot: Slot,
  values: readonly string[],
  time: number,
  use: Use,
  random: Stream,
): string {
  const { kind, text } = slot;
  switch (kind) {
    case "queue":
      return queueIds.next(time);
    case "process":
      return String(processes.fresh());
    case "digits":
      return header.digits(time);
    case "epoch":
      return String(Math.floor(time / 1000));
    case "wall":
      return header.wallClock(time - random.uniform() * 600_000);
    case "scramble":
      return scramble(text, random);
    case "account":
      return names.ownLocal(
        use.account !== undefined && (use.instead === undefined || use.instead === text) ? use.account : text,
      )!;
    case "correspondent":
      return names.correspondent(text, random);
    case "spam_domain":
      return names.renames
        ? `${names.name("spam", text.replace(/\d+$/, ""), 3)}${random.int(SPAM_DOMAINS)}`
        : text.replace(/\d*$/, String(random.int(60)));
    case "home":
      return use.client ?? addresses.home(text, random);
    case "stranger":
      return use.client ?? addresses.stranger(random);
    case "derived":
      return fillPattern(slot.pattern, values[slot.of]!);
    case "port":
      return String(1024 + random.int(64_000));
    case "size":
      return String(Math.max(1, Math.round(Number(text) * random.lognormal(SIZE_SPREAD))));
    case "delay":
    case "delays":
      return "";
  }
}
