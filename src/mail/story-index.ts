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
  readonly #byQueueId = new Map<string, Story[]>();
  readonly #byMessageId = new Map<string, Story[]>();
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
    const alike = this.#byQueueId.get(story.queueId);
    if (alike === undefined) {
      this.#byQueueId.set(story.queueId, [story]);
      return undefined;
    }
    alike.push(story);
    return alike.length > MAX_ALIKE ? alike[0] : undefined;
  }

  /** Notes the message-id of a story. */
  name(story: Story): void {
    if (story.messageId === undefined || story.messageId === "") return;
    const same = this.#byMessageId.get(story.messageId);
    if (same === undefined) this.#byMessageId.set(story.messageId, [story]);
    else if (!same.includes(story)) {
      if (same.length >= MAX_SAME_ID) same.shift();
      same.push(story);
    }
  }

  /** Takes a story out of both indices. */
  remove(story: Story): void {
    drop(this.#byQueueId, story.queueId, story);
    if (story.messageId !== undefined) drop(this.#byMessageId, story.messageId, story);
  }

  /** The stories of a message-id, oldest first. */
  named(messageId: string): readonly Story[] {
    return this.#byMessageId.get(messageId) ?? [];
  }

  /** The newest story of a queue id on any host. */
  anywhere(queueId: string): Story | undefined {
    return this.#byQueueId.get(queueId)?.at(-1);
  }

  /** All stories of a queue id. */
  alike(queueId: string): readonly Story[] {
    return this.#byQueueId.get(queueId) ?? [];
  }

  /**
   * The newest story that a line of host and instance can belong to. name: undefined for filters and commands, which
   * serve any instance.
   */
  find(host: string, name: string | undefined, queueId: string): Story | undefined {
    const alike = this.#byQueueId.get(queueId);
    if (alike === undefined) return undefined;
    let compatible: Story | undefined;
    for (let i = alike.length - 1; i >= 0; i--) {
      const story = alike[i]!;
      if (story.host !== host) continue;
      if (story.instance === name) return story;
      if (compatible === undefined && this.#compatible(host, story.instance, name)) compatible = story;
    }
    return compatible;
  }

  /** As find, but a message that has no message-id yet comes first: its daemons may go by several names. */
  findUnnamed(host: string, name: string | undefined, queueId: string): Story | undefined {
    const alike = this.#byQueueId.get(queueId) ?? [];
    for (let i = alike.length - 1; i >= 0; i--) {
      const story = alike[i]!;
      if (story.host !== host || story.messageId !== undefined || story.finished) continue;
      if (story.instance === name || this.#compatible(host, story.instance, name)) return story;
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

function drop(map: Map<string, Story[]>, key: string, story: Story): void {
  const list = map.get(key);
  const at = list?.indexOf(story) ?? -1;
  if (at < 0) return;
  if (list!.length === 1) map.delete(key);
  else list!.splice(at, 1);
}
