import type { MailEvent } from "./event.ts";
import { LineKeeper } from "./line-keeper.ts";
import { Recency } from "./recency.ts";
import { SessionTracker } from "./session.ts";
import {
  instanceOf,
  type LineRef,
  MAX_STORY_LINES,
  newStory,
  noteMessage,
  type Session,
  type Story,
  type Thread,
  type Unfinished,
} from "./story.ts";
import { learn, queueAction } from "./story-facts.ts";
import { StoryIndex } from "./story-index.ts";
import { type LinkCounts, StoryLinks } from "./story-links.ts";
import { SavedMail } from "./story-saved.ts";

/** Messages held at once, those counted in that only wait for one they are linked to. About 2 KiB each. */
const MAX_STORIES = 30_000;
/**
 * A queue id without a line for so long is a new message's when it comes again: Postfix returns mail after five days
 * (maximal_queue_lifetime) and tries it at least every 4000 seconds until then (maximal_backoff_time).
 */
const IDLE_MS = 5 * 86_400_000;
/** Lines may still come after the one that ends a message: a filter's verdict, or lines that syslog swapped. */
const LINGER_MS = 2 * 60_000;

/** Events that no message and no session has: nothing more is read of their lines. */
export const ALONE: ReadonlySet<string> = new Set([
  "anvil_statistics",
  "scache_statistics",
  "dnsblog_listed",
  "system",
  "kernel_oom",
  "command",
  "ban",
]);

export type TrackerOptions = {
  /** Keeps the text of lines, for input that can't be read twice. */
  readonly keepText?: boolean;
  /** Called once with each thread when none of its messages is open any more. */
  readonly onThread: (thread: Thread) => void;
  /** Called once with each connection or session that ended. */
  readonly onSession?: (session: Session) => void;
  /** Messages held at once; smaller in tests. */
  readonly maxStories?: number;
};

export type TrackerCounts = LinkCounts & {
  /** Lines with the queue id of a message. */
  lines: number;
  stories: number;
  finished: number;
  startNotSeen: number;
  logEnds: number;
  reused: number;
  timedOut: number;
  evicted: number;
};

/**
 * Follows messages through a log, in one pass and bounded memory: the lines of a queue id from its beginning to
 * `removed`, its recipients' tries, and the links to the messages it became. Deterministic; lines come in log order.
 */
export class MessageTracker {
  readonly counts: TrackerCounts = {
    lines: 0,
    stories: 0,
    finished: 0,
    startNotSeen: 0,
    logEnds: 0,
    reused: 0,
    timedOut: 0,
    evicted: 0,
    links: 0,
    linksOmitted: 0,
  };
  readonly sessions: SessionTracker;
  readonly #index = new StoryIndex();
  readonly #open = new Recency<Story>();
  /** Ended stories for which a late line may come, by when they ended. */
  readonly #lingering = new Recency<Story>();
  readonly #options: TrackerOptions;
  readonly #maxStories: number;
  #seq = 0;
  #now = Number.NEGATIVE_INFINITY;
  /** Stories not given out yet, in the tables or waiting for their thread. */
  #held = 0;
  readonly #lines = new LineKeeper();
  readonly #links = new StoryLinks(this.#index, this.counts);
  readonly #saved = new SavedMail(this.#index, this.#lines);

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#maxStories = options.maxStories ?? MAX_STORIES;
    this.sessions = new SessionTracker(this.#lines, options.onSession);
  }

  /** Messages in memory. */
  get size(): number {
    return this.#held;
  }

  /** Lines of Dovecot's LMTP and LDA that were joined to a message. */
  get linesSaved(): number {
    return this.#saved.lines;
  }

  /** Lines whose text was dropped to bound memory. */
  get textsDropped(): number {
    return this.#lines.dropped;
  }

  /** Adds the next line of the log. One without a time says nothing of a message and is left out. */
  add(event: MailEvent): void {
    if (event.time === null) return;
    if (event.time > this.#now) this.#now = event.time;
    this.#expire();
    if (ALONE.has(event.event)) return;
    const { queueId, session } = event;
    if (queueId === undefined && session === undefined && !isPolicy(event)) return;
    const text = this.#options.keepText === true ? event.text : undefined;
    const ref: LineRef = { seq: this.#seq++, file: event.file, line: event.line, time: event.time, text };
    let joined: Session | undefined;
    if (queueId === undefined) {
      const key = session ?? this.#policySession(event);
      if (key !== undefined) joined = this.sessions.add(event, key, ref, this.#now);
      if (event.daemon === "dovecot/lmtp" || event.daemon === "dovecot/lda") this.#saved.line(event, ref);
      if (joined?.finished === true) this.#abandoned(joined);
      return;
    }
    if (session !== undefined) joined = this.sessions.get(session);
    this.#message(event, queueId, ref, joined);
    if (text !== undefined) {
      this.#lines.shrink(this.#members());
      this.#lines.shrink(this.sessions.open());
    }
  }

  /** The log ends: gives out all that is left, what is open as unfinished. */
  end(): void {
    for (const story of this.#lingering) this.#giveOut(story);
    for (const story of this.#open) this.#close(story, "log ends");
    this.sessions.end();
  }

  #message(event: MailEvent, queueId: string, ref: LineRef, session: Session | undefined): void {
    this.#index.see(event);
    let story =
      event.event === "message_id"
        ? this.#index.findUnnamed(event.host, instanceOf(event), queueId)
        : this.#index.find(event.host, instanceOf(event), queueId);
    if (story !== undefined && this.#isOver(story, event)) story = undefined;
    // A milter may write to a machine of its own.
    if (story === undefined && !beginsNew(event) && instanceOf(event) === undefined)
      story = this.#index.anywhere(queueId);
    story ??= this.#begin(event, queueId, session);
    this.counts.lines++;
    if (this.#lingering.has(story) && event.event !== "removed") this.#mayReopen(story, event);
    else if (this.#open.has(story)) this.#open.touch(story, this.#now);
    this.#lines.keep(story, ref, MAX_STORY_LINES);
    story.end = Math.max(story.end, ref.time);
    const name = instanceOf(event);
    if (story.instance === undefined || this.#index.isInstance(event.host, name))
      story.instance = name ?? story.instance;
    const unnamed = story.messageId === undefined;
    learn(story, event);
    if (unnamed && story.messageId !== undefined) this.#links.named(story);
    this.#links.add(story, event, this.#now);
    if (event.event === "delivery") this.#saved.delivered(story, event);
    else if (event.event === "bounce_notification") this.#eximBounce(story, event);
    this.#act(story, event);
    if (this.#held > this.#maxStories) this.#evict();
  }

  /** Whether a line with a story's id is of another message: the id began anew, or the story is over. */
  #isOver(story: Story, event: MailEvent): boolean {
    const removed = this.#lingering.has(story) && story.fate === "removed";
    if (removed && event.event === "queue_active") return this.#reuse(story);
    switch (event.event) {
      case "client":
      case "pickup":
        // Another instance's message of the same id is none of ours.
        if (!this.#sameInstance(story, event)) return true;
        // The same line twice: two log targets of one daemon.
        if (story.lineCount === 1 && story.startSeen && story.start === event.time) return false;
        return this.#reuse(story);
      case "message_id":
        if (removed) return this.#reuse(story);
        // cleanup also logs Resent-Message-Id; both come before the queue manager sees the message.
        if (story.messageId === undefined || (story.activations === 0 && story.recipients.size === 0))
          return false;
        return this.#reuse(story);
      default:
        return false;
    }
  }

  #sameInstance(story: Story, event: MailEvent): boolean {
    const name = instanceOf(event);
    return story.instance === undefined || name === undefined || story.instance === name;
  }

  /** The id is in use by a new message: the old story is given out. Returns true. */
  #reuse(story: Story): true {
    if (this.#lingering.has(story)) this.#giveOut(story);
    else if (this.#open.has(story)) {
      this.counts.reused++;
      this.#close(story, "id reused");
    }
    return true;
  }

  #begin(event: MailEvent, queueId: string, session: Session | undefined, begins = beginsNew(event)): Story {
    const story = newStory(this.counts.stories++, event, queueId, begins);
    if (!begins) this.counts.startNotSeen++;
    this.#held++;
    this.#open.touch(story, this.#now);
    const crowded = this.#index.add(story);
    if (crowded !== undefined) this.#reuse(crowded);
    if (session !== undefined && event.event === "client") {
      story.session = session;
      noteMessage(session, queueId);
    }
    this.#links.begun(story, this.#now);
    return story;
  }

  /** A line that comes after the end and shows that it was none. */
  #mayReopen(story: Story, event: MailEvent): void {
    if (event.event !== "queue_active" || story.fate === "removed") return;
    this.#lingering.delete(story);
    this.counts.finished--;
    story.finished = false;
    story.fate = undefined;
    this.#open.touch(story, this.#now);
  }

  /** Exim has one line for both: `CHILD <= <> R=PARENT`. It is the parent's by its id, and begins the child. */
  #eximBounce(parent: Story, event: MailEvent): void {
    const childId = event.fields["new_queue_id"];
    if (!event.daemon.startsWith("exim") || typeof childId !== "string" || childId === parent.queueId) return;
    if (this.#index.find(event.host, instanceOf(event), childId) !== undefined) return;
    const child = this.#begin(event, childId, undefined, true);
    child.from = "";
    const { message_id, size } = event.fields;
    if (typeof size === "number") child.size = size;
    if (typeof message_id === "string") {
      child.messageId = message_id;
      this.#links.named(child);
    }
  }

  /** What a line does to the life of its message. */
  #act(story: Story, event: MailEvent): void {
    switch (queueAction(event)) {
      case "deleted":
        story.fate = "deleted";
        break;
      case "requeued":
        story.fate = "requeued";
        break;
      case "held":
        story.held = true;
        return;
      case "released":
        story.held = false;
        return;
      case "expired":
        story.expired = true;
        return;
      case undefined:
        if (event.event === "removed") story.fate = "removed";
    }
    if (story.fate === undefined || this.#lingering.has(story) || !this.#open.delete(story)) return;
    story.finished = true;
    this.counts.finished++;
    this.#lingering.touch(story, this.#now);
  }

  /** The client left: its last message, if cleanup never saw an id of it, will not come. */
  #abandoned(session: Session): void {
    const id = session.kind === "smtpd" ? session.messages.at(-1) : undefined;
    const story =
      id === undefined ? undefined : [...this.#index.alike(id)].find((s) => s.session === session);
    if (
      story === undefined ||
      story.messageId !== undefined ||
      story.activations > 0 ||
      !this.#open.delete(story)
    )
      return;
    story.fate = "aborted";
    story.finished = true;
    this.counts.finished++;
    this.#lingering.touch(story, this.#now);
  }

  /** A policy service knows just the client: its line belongs to the open connection from there. */
  #policySession(event: MailEvent): string | undefined {
    const address = String(event.fields["client_address"] ?? "").replace(/\/\d{1,3}$/, "");
    return address === "" ? undefined : this.sessions.from(event.host, address)?.key;
  }

  #expire(): void {
    const lingering = this.#now - LINGER_MS;
    for (let s = this.#lingering.idle(lingering); s !== undefined; s = this.#lingering.idle(lingering))
      this.#giveOut(s);
    const idle = this.#now - IDLE_MS;
    for (let s = this.#open.idle(idle); s !== undefined; s = this.#open.idle(idle)) {
      this.counts.timedOut++;
      this.#close(s, "timed out");
    }
  }

  /** All messages in memory, threads longest unseen first. */
  *#members(): Generator<Story> {
    for (const story of this.#open) yield* story.thread.stories;
  }

  /** Too many messages: the ones that ended go first, then those longest unseen, until there is room. */
  #evict(): void {
    while (this.#held > this.#maxStories) {
      const ended = this.#lingering.oldest();
      if (ended !== undefined) {
        this.#giveOut(ended);
        continue;
      }
      const oldest = this.#open.oldest();
      if (oldest === undefined) return;
      this.counts.evicted++;
      this.#close(oldest, "evicted");
    }
  }

  #close(story: Story, why: Unfinished): void {
    story.why = why;
    if (why === "log ends") this.counts.logEnds++;
    this.#giveOut(story);
  }

  /** Takes a story out of the tables, and gives out its thread when it was the last one open. */
  #giveOut(story: Story): void {
    this.#open.delete(story);
    this.#lingering.delete(story);
    this.#index.remove(story);
    const { thread } = story;
    if (--thread.open > 0) return;
    this.#held -= thread.stories.length;
    for (const member of thread.stories) this.#lines.release(member);
    this.#options.onThread(thread);
  }
}

/** Lines with which a message begins. */
const beginsNew = ({ event }: MailEvent): boolean =>
  event === "client" || event === "pickup" || event === "message_id";

const isPolicy = (event: MailEvent): boolean =>
  event.event === "spf_result" || event.event === "greylist" || event.event === "policy";
