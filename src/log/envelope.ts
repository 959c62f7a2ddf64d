/** The head of a log line, read: who wrote it and when. The message is what follows the tag. */
export type Envelope = {
  /** Milliseconds since the Unix epoch, or null when no time could be read (a bad envelope). */
  readonly time: number | null;
  /** As logged; "" when the format carries none. */
  readonly host: string;
  /** The tag without its pid, as logged: "postfix/submission/smtpd", "dovecot", "opendkim". "" when there is none. */
  readonly program: string;
  readonly pid: number | undefined;
  /** What remains of the line after the tag. Hostile: it may hold anything but LF. */
  readonly message: string;
};
