import { reportText } from "../report/daily-text.ts";
import { reportSubject } from "../report/daily-verdict.ts";
import { terminalSafe } from "../report/escape.ts";
import { noticeText } from "./notice-text.ts";
import type { Delivery, SenderContext } from "./sender.ts";
import { wordsOf } from "./words.ts";

/** What a webhook of format json, a command and a file are given; docs/delivery.md names each field. */
export type DeliveryRecord = {
  readonly version: 1;
  readonly type: string;
  /** The same at every try. */
  readonly key: string;
  readonly server: string;
  readonly release: string;
  /** ISO 8601: when it happened, not when it is sent. */
  readonly at: string;
  /** One line, without active characters. */
  readonly title: string;
  /** All of it for a person to read, without active characters but line ends. */
  readonly text: string;
} & Readonly<Record<string, unknown>>;

/** The record of a delivery: what it says for people, and beside it the data, in which texts stand as in the log. */
export function deliveryRecord(delivery: Delivery, context: SenderContext): DeliveryRecord {
  const { notification, key, at } = delivery;
  const { type, ...data } = notification;
  const { title, text } = said(delivery, context);
  const { server, release } = context;
  return { version: 1, type, key, server, release, at: new Date(at).toISOString(), title, text, ...data };
}

/** Subject and text of any notification, made harmless. */
export function said(
  { notification }: Delivery,
  context: SenderContext,
): { readonly title: string; readonly text: string } {
  if (notification.type === "report") {
    const { report } = notification;
    return { title: terminalSafe(reportSubject(report)), text: reportText(report) };
  }
  const words = wordsOf(notification, context);
  return { title: terminalSafe(words.subject), text: noticeText(words) };
}
