/**
 * Mail that Logvane itself sends. Its Message-ID is made from what it tells and the server's name, and never changes, so
 * a receiver can tell a second copy, and Logvane its own mail in the log. Anyone can write such an id into a mail of his
 * own; so whoever leaves lines out by it must also ask the outbox whether the notification exists.
 */

/** What an id of a message may hold unquoted beside letters and digits (atext of RFC 5322, a choice). */
const OTHER = /[^a-z0-9.-]+/g;
const PREFIX = "logvane.";
/** Characters of a server's name in an id; a domain has no more. */
const NAME_LENGTH = 180;

/** The right side of our ids: "logvane." and the server's name, as far as a domain can hold it. */
export function ownDomain(server: string): string {
  const name = server
    .toLowerCase()
    .replace(OTHER, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, NAME_LENGTH)
    .replace(/[.-]+$/, "");
  return PREFIX + (name === "" ? "localhost" : name);
}

/** Message-ID of the mail for a notification, with its angle brackets. key: see notificationKey. */
export function ownMessageId(key: string, server: string): string {
  const left = key.replace(/ /g, ".").replace(/[^A-Za-z0-9.-]/g, "_");
  return `<${left}@${ownDomain(server)}>`;
}

/** The key of the notification that a mail with this Message-ID tells of; undefined for other people's mail. */
export function ownMailKey(messageId: string, server: string): string | undefined {
  const [, left, domain] = /^<?([A-Za-z0-9._-]{1,100})@([a-z0-9.-]{1,200})>?$/.exec(messageId) ?? [];
  if (left === undefined || domain !== ownDomain(server)) return undefined;
  const [type, ...rest] = left.split(".");
  return type === "test" ? `test ${rest.join(".").replace(/_/g, ":")}` : [type, ...rest].join(" ");
}
