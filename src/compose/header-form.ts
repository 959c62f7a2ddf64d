import type { HeaderFormat } from "./header.ts";

/** Which of the forms that can be written a log's lines have. */

const STAMP = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`;
const OFFSET = String.raw`(?:Z|[+-]\d\d:\d\d)`;
/** Host and tag. */
const SENDER = String.raw`[^\s:]{1,255} [^\s:]{1,100}: `;
const FORMS: readonly (readonly [HeaderFormat, RegExp])[] = [
  ["rfc3164", new RegExp(String.raw`^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ${SENDER}`)],
  ["rfc3339", new RegExp(String.raw`^${STAMP}\.\d{1,9}${OFFSET} ${SENDER}`)],
  ["iso", new RegExp(`^${STAMP}${OFFSET} ${SENDER}`)],
  ["rfc5424", new RegExp(String.raw`^<\d{1,3}>1 ${STAMP}(?:\.\d{1,9})?${OFFSET} \S{1,255} `)],
  ["journald", /^\{(?=.{0,4000}"__REALTIME_TIMESTAMP")(?=.{0,4000}"MESSAGE")/],
];

/** The form of a line's head; undefined for one that can't be written. */
export const headerFormOf = (line: string): HeaderFormat | undefined =>
  FORMS.find(([, pattern]) => pattern.test(line))?.[0];
