import type { MailEvent } from "./event.ts";
import { instanceOf, type Story } from "./story.ts";

/** Stories of one queue id that are told apart at once: hosts and instances of one log. */
const MAX_ALIKE = 8;
/** Stories of one message-id that are looked at: copies made by filters and forwards. A sender may use one for all. */
const MAX_SAME_ID = 16;
/** Names of instances remembered. */
const MAX_INSTANCES = 256;

/**
 * Finds the stories that are still in the tables: by queue id, host and instance, and by message-id.
 *
 * Queue ids are unique in one queue, so a host with several instances has several ids of the same text. Which names
 * are instances shows in who has a queue manager of its own: `postfix-out/qmgr` makes "postfix-out" one, while
 * `submission/smtpd` without a `submission/qmgr` is just a name that a service was given.
 */
export class StoryIndex {
  /** The newest story of each id; the older ones hang on it. */
  readonly #byQueueId = new Map<string, Story>();
  readonly #byMessageId = new Map<string, Story>();
  /** "host name" of each instance. */
  readonly #instances = new Set<string>();

  /** Notes who has a queue manager. */
  see(event: MailEvent): void {
    if (event.event !== "queue_active" && event.event !== "removed") return;
    const name = instanceOf(event);
    if (name !== undefined && this.#instances.size < MAX_INSTANCES)
      this.#instances.add(`${event.host} ${name}`);
  }

  /** Adds a story under its queue id. Returns one that had to go for it, when there are too many alike. */
  add(story: Story): Story | undefined {
    story.olderAlike = this.#byQueueId.get(story.queueId);
    this.#byQueueId.set(story.queueId, story);
    let n = 0;
    let last: Story | undefined;
    for (const other of this.alike(story.queueId)) {
      n++;
      last = other;
    }
    return n > MAX_ALIKE ? last : undefined;
  }

  /** Notes the message-id of a story. Call it once. */
  name(story: Story): void {
    if (story.messageId === undefined || story.messageId === "") return;
    story.olderNamed = this.#byMessageId.get(story.messageId);
    this.#byMessageId.set(story.messageId, story);
    let n = 1;
    for (const other of this.named(story.messageId))
      if (++n > MAX_SAME_ID) {
        other.olderNamed = undefined;
        return;
      }
  }

  /** Takes a story out of both indices. */
  remove(story: Story): void {
    const alike = this.#byQueueId.get(story.queueId);
    if (alike === story) {
      if (story.olderAlike === undefined) this.#byQueueId.delete(story.queueId);
      else this.#byQueueId.set(story.queueId, story.olderAlike);
    } else
      for (let s = alike; s !== undefined; s = s.olderAlike)
        if (s.olderAlike === story) s.olderAlike = story.olderAlike;
    story.olderAlike = undefined;
    const { messageId } = story;
    if (messageId === undefined) return;
    const named = this.#byMessageId.get(messageId);
    if (named === story) {
      if (story.olderNamed === undefined) this.#byMessageId.delete(messageId);
      else this.#byMessageId.set(messageId, story.olderNamed);
    } else
      for (let s = named; s !== undefined; s = s.olderNamed)
        if (s.olderNamed === story) s.olderNamed = story.olderNamed;
    story.olderNamed = undefined;
  }

  /** The stories of a message-id, newest first. */
  *named(messageId: string): Generator<Story> {
    for (let s = this.#byMessageId.get(messageId); s !== undefined; s = s.olderNamed) yield s;
  }

  /** The newest story of a queue id on any host. */
  anywhere(queueId: string): Story | undefined {
    return this.#byQueueId.get(queueId);
  }

  /** All stories of a queue id, newest first. */
  *alike(queueId: string): Generator<Story> {
    for (let s = this.#byQueueId.get(queueId); s !== undefined; s = s.olderAlike) yield s;
  }

  /**
   * The newest story that a line of host and instance can belong to. name: undefined for filters and commands, which
   * serve any instance.
   */
  find(host: string, name: string | undefined, queueId: string): Story | undefined {
    let compatible: Story | undefined;
    for (let s = this.#byQueueId.get(queueId); s !== undefined; s = s.olderAlike) {
      if (s.host !== host) continue;
      if (s.instance === name) return s;
      if (compatible === undefined && this.#compatible(host, s.instance, name)) compatible = s;
    }
    return compatible;
  }

  /** As find, but a message that has no message-id yet comes first: its daemons may go by several names. */
  findUnnamed(host: string, name: string | undefined, queueId: string): Story | undefined {
    for (let s = this.#byQueueId.get(queueId); s !== undefined; s = s.olderAlike) {
      if (s.host !== host || s.messageId !== undefined || s.finished) continue;
      if (s.instance === name || this.#compatible(host, s.instance, name)) return s;
    }
    return this.find(host, name, queueId);
  }

  /** Whether two names may be of one instance: one of them is unknown, or no instance's name. */
  #compatible(host: string, a: string | undefined, b: string | undefined): boolean {
    if (a === undefined || b === undefined) return true;
    return !(this.#instances.has(`${host} ${a}`) && this.#instances.has(`${host} ${b}`));
  }

  /** Whether a name is known to be an instance's. */
  isInstance(host: string, name: string | undefined): boolean {
    return name !== undefined && this.#instances.has(`${host} ${name}`);
  }
}
