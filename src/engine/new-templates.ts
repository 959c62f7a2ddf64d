import type { MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import type { NewTemplate } from "../store/live.ts";

/** New templates told apart between two commits. */
const MAX_NEW = 1000;

/** Counts the lines of templates that training did not know. */
export class NewTemplates {
  readonly #isNew: PlanMemo<boolean>;
  #seen = new Map<string, { -readonly [K in keyof NewTemplate]: NewTemplate[K] }>();

  /** known: template ids of training. */
  constructor(known: readonly string[]) {
    const ids = new Set(known);
    this.#isNew = new PlanMemo(({ templateId }) => !ids.has(templateId));
  }

  /** time: of the line, in ms. */
  see(event: MailEvent, time: number): void {
    if (!this.#isNew.of(event)) return;
    const id = event.templateId;
    const seen = this.#seen.get(id);
    if (seen) seen.lines++;
    else if (this.#seen.size < MAX_NEW)
      this.#seen.set(id, { id, text: event.template, firstAt: time, lines: 1 });
  }

  drain(): NewTemplate[] {
    const seen = [...this.#seen.values()];
    this.#seen = new Map();
    return seen;
  }
}
