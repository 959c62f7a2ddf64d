import type { MailEvent } from "./event.ts";
import { trim } from "./recency.ts";
import { type LinkKind, MAX_LINKS, MAX_THREAD, type Story, type Thread } from "./story.ts";
import { queuedAs } from "./story-facts.ts";
import type { StoryIndex } from "./story-index.ts";

/** Ids whose message has not begun yet: the child of a notification, what a filter sends back. */
const MAX_EXPECTED = 5_000;
/** The message that a line announces begins within seconds; its id may be another's days later. */
const EXPECTED_MS = 10 * 60_000;

type Expected = {
  readonly parent: Story;
  readonly kind: LinkKind;
  readonly note: string | undefined;
  readonly since: number;
};

export type LinkCounts = {
  links: number;
  /** Links beyond the bounds of a message or thread. */
  linksOmitted: number;
};

/** Joins messages that hang together to threads, by what their lines say of each other's ids. */
export class StoryLinks {
  readonly #index: StoryIndex;
  readonly #counts: LinkCounts;
  /** "host id" -> what it will be linked to. */
  readonly #expected = new Map<string, Expected>();

  constructor(index: StoryIndex, counts: LinkCounts) {
    this.#index = index;
    this.#counts = counts;
  }

  /** A message has begun; another may have announced it. now: log time. */
  begun(story: Story, now: number): void {
    const key = `${story.host} ${story.queueId}`;
    const expected = this.#expected.get(key);
    if (expected === undefined) return;
    this.#expected.delete(key);
    if (now - expected.since <= EXPECTED_MS) this.#join(expected.parent, story, expected.kind, expected.note);
  }

  /** The message-id is known now: copies of it on this host may be its parents, and Dovecot may have named it. */
  named(story: Story): void {
    const { messageId } = story;
    if (messageId !== undefined && messageId !== "" && isLocal(story) && story.links.length === 0) {
      for (const parent of this.#index.named(messageId)) {
        if (parent === story || parent.host !== story.host || parent.finished) continue;
        // Two submissions from this host are two messages of one program, unless a reply joins them.
        if (isLocal(parent)) continue;
        this.#join(parent, story, "resubmission", undefined);
        break;
      }
    }
    this.#index.name(story);
  }

  /** Links that the line itself names. */
  add(story: Story, event: MailEvent, now: number): void {
    const { fields } = event;
    const child = typeof fields["new_queue_id"] === "string" ? fields["new_queue_id"] : undefined;
    if (event.event === "bounce_notification" && child !== undefined) {
      this.#expect(story, child, "notification", String(fields["notification"] ?? ""), now);
    }
    const original = fields["orig_queue_id"];
    if (typeof original === "string" && story.links.length < MAX_LINKS) {
      const parent = this.#index.find(story.host, undefined, original) ?? this.#index.anywhere(original);
      if (parent !== undefined && parent !== story)
        this.#join(parent, story, event.event === "pickup" ? "requeue" : "filter", undefined);
      else note(story, "filter", original, story.queueId, undefined, false);
    }
    if (event.event !== "delivery" && event.event !== "filter_result") return;
    if (event.event === "delivery" && child !== undefined && child !== story.queueId) {
      this.#expect(story, child, "forward", undefined, now);
      hand(story, event, child);
    }
    const next = queuedAs(event);
    if (next !== undefined && next !== story.queueId) this.#queuedAs(story, event, next, now);
  }

  /** `queued as ID`: of a filter on this host, of another host in this log, or of a stranger whose ids mean nothing here. */
  #queuedAs(story: Story, event: MailEvent, id: string, now: number): void {
    const near = event.event === "filter_result" || isNear(String(event.fields["relay"] ?? ""));
    const own = this.#index.find(story.host, undefined, id);
    const candidates = [...(own === undefined ? [] : [own]), ...this.#index.alike(id)];
    for (const child of candidates) {
      if (child === story) continue;
      const known = child.messageId !== undefined && story.messageId !== undefined;
      const same = known && child.messageId === story.messageId && child.messageId !== "";
      if (!same && (known || !near)) continue;
      this.#join(story, child, child.host === story.host ? "filter" : "relay", undefined);
      hand(story, event, id);
      return;
    }
    if (near) {
      this.#expect(story, id, "filter", undefined, now);
      hand(story, event, id);
    }
  }

  /** Links to a child that is there, or as soon as it comes. */
  #expect(parent: Story, childId: string, kind: LinkKind, words: string | undefined, now: number): void {
    const child = this.#index.find(parent.host, parent.instance, childId);
    if (child !== undefined && child !== parent) {
      this.#join(parent, child, kind, words);
      return;
    }
    const key = `${parent.host} ${childId}`;
    this.#expected.delete(key);
    this.#expected.set(key, { parent, kind, note: words, since: now });
    trim(this.#expected, MAX_EXPECTED);
    this.#countLink(note(parent, kind, parent.queueId, childId, words, false));
  }

  /** Links two stories that are both here, and makes one thread of theirs. */
  #join(parent: Story, child: Story, kind: LinkKind, words: string | undefined): void {
    const known = parent.links.find((l) => l.child === child.queueId && l.parent === parent.queueId);
    if (known?.known === true) {
      // "queued as" tells more than an equal message-id.
      if (known.kind === "resubmission") {
        known.kind = kind;
        for (const l of child.links) if (l.parent === parent.queueId) l.kind = kind;
      }
      return;
    }
    const joined = this.#merge(parent.thread, child.thread);
    if (known !== undefined) known.known = joined;
    else this.#countLink(note(parent, kind, parent.queueId, child.queueId, words, joined));
    note(child, kind, parent.queueId, child.queueId, words, joined);
  }

  #countLink(kept: boolean): void {
    if (kept) this.#counts.links++;
    else this.#counts.linksOmitted++;
  }

  /** False when both together would be too many, or one is given out already. */
  #merge(a: Thread, b: Thread): boolean {
    if (a === b) return true;
    if (a.open === 0 || b.open === 0 || a.stories.length + b.stories.length > MAX_THREAD) {
      a.linksOmitted++;
      this.#counts.linksOmitted++;
      return false;
    }
    const [into, from] = a.stories.length >= b.stories.length ? [a, b] : [b, a];
    for (const story of from.stories) story.thread = into;
    into.stories.push(...from.stories);
    into.stories.sort((x, y) => x.serial - y.serial);
    into.open += from.open;
    into.linksOmitted += from.linksOmitted;
    return true;
  }
}

/** Notes a link unless it is known or there are too many; whether it is noted. */
function note(
  story: Story,
  kind: LinkKind,
  parent: string,
  child: string,
  words: string | undefined,
  known: boolean,
): boolean {
  const same = story.links.find((l) => l.parent === parent && l.child === child);
  if (same !== undefined) {
    same.known ||= known;
    return true;
  }
  if (story.links.length >= MAX_LINKS) return false;
  story.links = [...story.links, { kind, parent, child, note: words, known }];
  return true;
}

/** Marks the recipient of a delivery as gone on under another id. */
function hand(story: Story, event: MailEvent, id: string): void {
  const { to, orig_to } = event.fields;
  const recipient = story.recipients.get(`${to ?? ""}\n${orig_to ?? ""}`);
  if (recipient !== undefined) recipient.handedTo = id;
}

/** Whether a message came from this machine itself. */
const isLocal = (story: Story): boolean =>
  story.uid !== undefined || isNear(`[${story.clientAddress ?? ""}]`);

/** `127.0.0.1[127.0.0.1]:10024`, `localhost[::1]`, a socket's path, or the name of a pipe. */
const isNear = (relay: string): boolean =>
  /\[(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\/[^\]]{0,200}|private\/[^\]]{0,200})\]/.test(
    relay,
  );
