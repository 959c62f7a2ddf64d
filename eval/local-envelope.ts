import type { Envelope } from "../src/log/envelope.ts";

/** Heads that the corpora of programs have and that are no part of what their grammars read. */
const HEADS: readonly RegExp[] = [
  // RFC 3164 and BSD syslogd -v, with or without a host
  /^\s?(?:<\d{1,3}>)?[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?:<[\w.]+> )?(?:(?!\S*[[:])(?<host>\S+) )?(?<tag>\[?[\w./()-]+\]?)(?: ?\[(?<pid>\d+)\])?: ?/,
  /^\s?[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?<host>\S+)? ?\[(?<tag>sshd)\] /,
  // RFC 5424
  /^<\d{1,3}>1 \S+ (?<host>\S+) (?<tag>\S+) (?<pid>\S+) \S+ (?:-|(?:\[(?:[^"\]]|"[^"]*")*\])+) ?/,
  // RFC 3339
  /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)? (?<host>\S+) (?<tag>[\w./()-]+)(?: ?\[(?<pid>\d+)\])?: /,
  // host and tag without a time, as journald prints them
  /^(?<host>[\w.-]+) (?<tag>[\w./()-]+)\[(?<pid>\d+)\]: /,
  // a program's name alone
  /^(?<tag>[a-z][\w.-]{2,20})(?:\[(?<pid>\d+)\])?: /,
];

/** Times at the head of a line of an application's own file. */
const TIME =
  /^(?:\[?\d{1,4}[-/.: ]?(?:\w{3}|\d{1,2})[-/.: ]?\d{2,4}[ :T-]+\d{1,2}:\d\d:\d\d[\d.,]*(?: ?[+-]\d{4})?\]?:? |\[[A-Z]{3,4} \w{3} +\d+ [\d:]+\] |[A-Z][a-z]{2}[ -]\d\d[ -](?:\d\d )?[\d:]+ (?:\d{4} )?|\w{3} \w{3} \d\d [\d:]+ \d{4} )/;

/** Dovecot's own file, with its own time or multilog's: the service is the head of the message. */
const DOVECOT =
  /^(?:@[0-9a-f]{24}|(?:[A-Z][a-z]{2} +\d{1,2}|\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d) (?=(?:[a-z0-9]+-login|auth(?:-worker)?|dovecot-auth|imap|pop3|lmtp|master)[(:])/;

/** Reads the head of a line of a corpus; `program` names the writer of files that hold none, or of Exim's own. */
export function corpusEnvelope(text: string, program: string): Envelope {
  const own = DOVECOT.exec(text);
  if (own !== null) return envelope("", "dovecot", undefined, text.slice(own[0].length));
  if (program !== "exim")
    for (const head of HEADS) {
      const m = head.exec(text);
      if (m === null) continue;
      const { host, tag, pid } = m.groups!;
      const name = tag!.replace(/^\[|\]$/g, "");
      const rest = text.slice(m[0].length).replace(/^\[ID \d+ [\w.]+\] /, "");
      return envelope(host ?? "", name, pid, rest);
    }
  if (program === "exim") {
    const syslog = /^(?:\S+ )*?exim\[(?<pid>\d+)\]: /.exec(text);
    const rest = syslog === null ? text : text.slice(syslog[0].length);
    return envelope(
      "",
      "exim",
      syslog === null ? undefined : syslog.groups!["pid"],
      rest.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})? /, ""),
    );
  }
  return envelope("", program, undefined, text.replace(TIME, ""));
}

const envelope = (host: string, program: string, pid: string | undefined, message: string): Envelope => ({
  time: 0,
  host,
  program,
  pid: pid === undefined ? undefined : Number(pid),
  message,
});
