import type { Cause, MailEvent, Severity } from "./event.ts";

/** What all messages of one key have in common: found out once by the grammar, then looked up. */
export type Plan = {
  /** PlanTable's; see PlanMark. */
  number: number;
  readonly event: string;
  readonly daemon: string;
  readonly severity: Severity;
  readonly cause: Cause | undefined;
  readonly template: string;
  readonly templateId: string;
  /** Lines so far: of this event's name, and of this template. */
  readonly named: Count;
  readonly counted: Count;
};

/** A number that several plans share. */
export type Count = { count: number };

/** What the grammar reads from one message and no plan can tell. */
export type Details = Pick<MailEvent, "fields" | "queueId" | "session">;
