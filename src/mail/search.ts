import type { Session, Story, Thread } from "./story.ts";

/** Longest needle: a message-id has at most 998 characters by RFC 5322, fields are kept to 512. */
const MAX_NEEDLE = 512;
/** Near misses that are told. */
const MAX_NEAR = 5;

/** What of a message was looked for. */
export type Match = "queue id" | "message-id" | "sender" | "recipient" | "original recipient" | "session";

/** A thread that was found, with the messages in it that match. */
export type Found = { readonly thread: Thread; readonly matches: ReadonlyMap<Story, Match> };

/**
 * Looks through threads for a queue id, message-id, address or Dovecot session, and keeps the newest. Ids are compared
 * exactly, addresses without regard to case; `<` and `>` around the needle mean nothing.
 */
export class StorySearch {
  readonly needle: string;
  /** Messages that match, kept or not. */
  messages = 0;
  /** Threads that match, kept or not. */
  threads = 0;
  /** Ids that differ from the needle in case alone. */
  readonly near: string[] = [];
  readonly #limit: number;
  readonly #lower: string;
  /** Oldest first by the newest message that matches. */
  readonly #found: { found: Found; at: number }[] = [];
  readonly #sessions: Session[] = [];

  /** limit: threads kept, at least 1. */
  constructor(needle: string, limit: number) {
    this.needle = needle
      .trim()
      .replace(/^<(.*)>$/s, "$1")
      .slice(0, MAX_NEEDLE);
    this.#lower = this.needle.toLowerCase();
    this.#limit = limit;
  }

  /** What was found, oldest first. */
  get found(): Found[] {
    return this.#found.map((f) => f.found);
  }

  /** Sessions of that id without a message. */
  get sessions(): readonly Session[] {
    return this.#sessions;
  }

  thread(thread: Thread): void {
    const matches = new Map<Story, Match>();
    let at = Number.NEGATIVE_INFINITY;
    for (const story of thread.stories) {
      const match = this.#match(story);
      if (match === undefined) continue;
      matches.set(story, match);
      at = Math.max(at, story.start);
    }
    if (matches.size === 0) return;
    this.messages += matches.size;
    this.threads++;
    let place = this.#found.length;
    while (place > 0 && this.#found[place - 1]!.at > at) place--;
    this.#found.splice(place, 0, { found: { thread, matches }, at });
    if (this.#found.length > this.#limit) this.#found.shift();
  }

  session(session: Session): void {
    if (session.key !== this.needle || session.kind === "lmtp") return;
    this.#sessions.push(session);
    if (this.#sessions.length > this.#limit) this.#sessions.shift();
  }

  #match(story: Story): Match | undefined {
    const { needle } = this;
    if (story.queueId === needle) return "queue id";
    if (story.messageId === needle) return "message-id";
    if (story.from !== undefined && this.#same(story.from)) return "sender";
    for (const { to, origTo } of story.recipients.values()) {
      if (this.#same(to)) return "recipient";
      if (origTo !== undefined && this.#same(origTo)) return "original recipient";
    }
    if (story.lmtp.includes(needle)) return "session";
    if (this.#same(story.queueId)) this.#nearMiss(story.queueId);
    if (story.messageId !== undefined && this.#same(story.messageId)) this.#nearMiss(story.messageId);
    return undefined;
  }

  #same(text: string): boolean {
    return text.length === this.#lower.length && text.toLowerCase() === this.#lower;
  }

  #nearMiss(id: string): void {
    if (this.near.length < MAX_NEAR && !this.near.includes(id)) this.near.push(id);
  }
}
