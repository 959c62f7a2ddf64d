import type { MailEvent } from "./event.ts";
import type { LineKeeper } from "./line-keeper.ts";
import { trim } from "./recency.ts";
import { type LineRef, MAX_LINKS, MAX_MAILBOXES, MAX_STORY_LINES, type Story } from "./story.ts";
import { savedBy } from "./story-facts.ts";
import type { StoryIndex } from "./story-index.ts";

/** Dovecot sessions that saved a message which no line has named yet. */
const MAX_PENDING_LMTP = 2_000;
/** Lines of such a session. */
const MAX_PENDING_LINES = 8;

/** Brings the lines of Dovecot's LMTP and LDA to the messages that they saved. */
export class SavedMail {
  /** Lines that were joined to a message. */
  lines = 0;
  readonly #index: StoryIndex;
  readonly #lines: LineKeeper;
  readonly #pendingLmtp = new Map<string, LineRef[]>();
  /** Dovecot session -> story. */
  readonly #lmtp = new Map<string, Story>();

  constructor(index: StoryIndex, lines: LineKeeper) {
    this.#index = index;
    this.#lines = lines;
  }

  /** A line of Dovecot's LMTP or LDA: of the message whose id it names, or of the one whose reply will name the session. */
  line(event: MailEvent, ref: LineRef): void {
    const { session } = event;
    const id = event.fields["message_id"];
    let story = session === undefined ? undefined : this.#lmtp.get(session);
    if (typeof id === "string" && id !== "") {
      const same = [...this.#index.named(id)];
      story = same.find((s) => s.host === event.host && !s.finished) ?? same[0] ?? story;
    }
    if (story !== undefined && story.thread.open > 0) {
      this.#keepSaved(story, ref);
      if (session !== undefined) this.#bind(story, session);
      putMailbox(story, event);
    } else if (session !== undefined) {
      const pending = this.#pendingLmtp.get(session) ?? [];
      if (pending.length < MAX_PENDING_LINES) pending.push(ref);
      this.#pendingLmtp.set(session, pending);
      trim(this.#pendingLmtp, MAX_PENDING_LMTP);
    }
  }

  /** A delivery that names the Dovecot session which saved it. */
  delivered(story: Story, event: MailEvent): void {
    const session = savedBy(event);
    if (session === undefined) return;
    for (const ref of this.#pendingLmtp.get(session) ?? []) this.#keepSaved(story, ref);
    this.#pendingLmtp.delete(session);
    this.#bind(story, session);
  }

  #keepSaved(story: Story, ref: LineRef): void {
    this.#lines.keep(story, ref, MAX_STORY_LINES);
    this.lines++;
  }

  #bind(story: Story, session: string): void {
    this.#lmtp.set(session, story);
    trim(this.#lmtp, MAX_PENDING_LMTP);
    if (story.lmtp.length < MAX_LINKS && !story.lmtp.includes(session)) story.lmtp = [...story.lmtp, session];
  }
}

/** Notes the mailbox of a `mail_saved` line, which comes before the delivery that tells the recipient. */
function putMailbox(story: Story, event: MailEvent): void {
  const { user, mailbox } = event.fields;
  if (event.event !== "mail_saved" || typeof user !== "string") return;
  story.mailboxes ??= new Map();
  if (story.mailboxes.size < MAX_MAILBOXES)
    story.mailboxes.set(user.toLowerCase(), typeof mailbox === "string" ? mailbox : "INBOX");
}
