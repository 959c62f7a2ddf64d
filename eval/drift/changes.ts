// What an administrator changes on a server, done to a composed log: each line is written as the software of before or after would write it.

/** A line as it is without its head: "postfix/smtpd[123]: connect from ...". */
type Rewrite = readonly (readonly [RegExp, string])[];

export type Change = {
  readonly name: string;
  readonly what: string;
  /** How lines were before the change, and are after it, where that is not as recorded. */
  readonly before?: Rewrite;
  readonly after?: Rewrite;
  /** Lines at the change. */
  readonly turn?: readonly string[];
  /** Lines of a new service: behind each line that matches, so written. */
  readonly added?: readonly (readonly [RegExp, string])[];
  /** The head that all lines have from then on, of "Feb  2 00:01:56 host rest". */
  readonly head?: (time: number, host: string, rest: string) => string;
};

/** A line of a composed log, and whether it is a fault's trace. */
export type Line = { readonly time: number; readonly text: string; readonly isFault: boolean };

/** Postfix 3.3 as Postfix 3.8 replaced it, and an old wording of refused connections. */
const POSTFIX_3_3: Rewrite = [
  [/(TLS connection established .*\(\d+\/\d+ bits\)) key-exchange .*$/, "$1"],
  [/\bALLOWLISTED\b/, "WHITELISTED"],
  [/(SASL \w+ authentication failed: )\(reason unavailable\), sasl_username=.*$/, "$1UGFzc3dvcmQ6"],
  [/^(postfix\/\S+: connect to \S+): Connection refused$/, "$1: Connection refused (port 25)"],
];
/** Dovecot 2.2 as 2.3 replaced it. */
const DOVECOT_2_2: Rewrite = [
  [
    /^(dovecot: (?:imap|pop3)\([^)]*\))<\d+><[^>]*>: Disconnected: (Logged out (?:in=\d+ out=\d+|top=.*)).*$/,
    "$1: $2",
  ],
  [
    /^(dovecot: imap\([^)]*\))<\d+><[^>]*>: Disconnected: Connection closed \([^)]*\) (in=\d+ out=\d+).*$/,
    "$1: Connection closed $2",
  ],
  [/^dovecot: lmtp\(([^)]*@[^)]*)\)<(\d+)><([^>]*)>: /, "dovecot: lmtp($2, $1): $3: "],
  [/^(dovecot: lmtp\(\d+\): Disconnect from local: )Logged out.*$/, "$1Successful quit"],
  [
    /^(dovecot: \S+-login: )Disconnected: Connection closed (\(auth failed.*), TLS: Connection closed, /,
    "$1Disconnected $2, TLS: Disconnected, ",
  ],
];
/** A Dovecot that nobody has seen yet. */
const DOVECOT_NEXT: Rewrite = [
  [
    /^(dovecot: \S+-login: )Login: user=<([^>]*)>, method=(\w+), rip=([\d.]+).*$/,
    "$1Session begins for $2 by $3 from $4",
  ],
  [
    /^(dovecot: )(imap|pop3)\(([^)]*)\)<\d+><([^>]*)>: Disconnected: (.*)$/,
    "$1$2: Session $4 of $3 ends ($5)",
  ],
  [/^(dovecot: lmtp)\((\d+)\): Connect from local$/, "$1: Client $2 accepted on local socket"],
  [/^(dovecot: lmtp)\((\d+)\): Disconnect from local.*$/, "$1: Client $2 finished on local socket"],
  [/stored mail into mailbox '([^']*)'$/, "delivered to folder $1"],
];
/** The same of Postfix, where it is not about failures. */
const POSTFIX_NEXT: Rewrite = [
  [/^(postfix\/\S*smtpd\[\d+\]: )connect from (\S+)$/, "$1session opened by client $2"],
  [/^(postfix\/\S*smtpd\[\d+\]: )disconnect from (\S+) (.*)$/, "$1session closed by client $2 after $3"],
  [/^(postfix\/qmgr\[\d+\]: )(\w+): removed$/, "$1$2: completed and unlinked"],
  [
    /^(postfix\/\S*smtpd\[\d+\]: )Anonymous TLS connection established from (\S+): (.*)$/,
    "$1handshake complete, peer $2, no certificate, $3",
  ],
];

const POSTFIX_TURN = [
  "postfix/postfix-script[811]: stopping the Postfix mail system",
  "postfix/master[402]: terminating on signal 15",
  "postfix/postfix-script[955]: starting the Postfix mail system",
];
const DOVECOT_TURN = ["dovecot: master: Warning: Killed with signal 15 (by pid=1 uid=0 code=kill)"];

export const CHANGES: readonly Change[] = [
  { name: "none", what: "nothing changes" },
  {
    name: "postfix",
    what: "Postfix 3.3 becomes 3.8",
    before: POSTFIX_3_3,
    turn: [
      ...POSTFIX_TURN,
      "postfix/master[957]: daemon started -- version 3.8.6, configuration /etc/postfix",
    ],
  },
  {
    name: "dovecot",
    what: "Dovecot 2.2 becomes 2.3",
    before: DOVECOT_2_2,
    turn: [
      ...DOVECOT_TURN,
      "dovecot: master: Dovecot v2.3.21.1 (d492236fa0) starting up for imap, pop3, lmtp",
    ],
  },
  {
    name: "dovecot-next",
    what: "a Dovecot whose wordings no grammar knows",
    after: DOVECOT_NEXT,
    turn: [...DOVECOT_TURN, "dovecot: master: Dovecot v2.9.0 (a11ce0ffee) starting up for imap, pop3, lmtp"],
  },
  {
    name: "postfix-next",
    what: "a Postfix whose wordings no grammar knows",
    after: POSTFIX_NEXT,
    turn: [
      ...POSTFIX_TURN,
      "postfix/master[957]: daemon started -- version 4.1.0, configuration /etc/postfix",
    ],
  },
  {
    name: "service",
    what: "a new filter, of which nothing is known, looks at all mail",
    added: [
      [/^postfix\/cleanup\[\d+\]: (\w+): message-id=/, "mailguard[88]: $1: begin of scan, 3 engines"],
      [
        /^postfix\/qmgr\[\d+\]: (\w+): from=<(.*)>, size=(\d+)/,
        "mailguard[88]: $1: scan of $3 octets complete, verdict clean",
      ],
      [/^postfix\/qmgr\[\d+\]: (\w+): removed/, "mailguard[88]: $1: record archived for 30 d"],
    ],
    turn: ["mailguard[88]: mailguard 1.4.2 ready, 3 engines loaded"],
  },
  {
    name: "head",
    what: "another syslog daemon: RFC 3339 in place of RFC 3164",
    head: (time, host, rest) => `${new Date(time).toISOString().replace("Z", "000+00:00")} ${host} ${rest}`,
  },
  {
    name: "json",
    what: "another syslog daemon: JSON in place of RFC 3164",
    head: (time, host, rest) => {
      const [, tag = "", pid, message = ""] = /^([^\s[:]+)(?:\[(\d+)\])?: (.*)$/.exec(rest) ?? [];
      return JSON.stringify({
        __REALTIME_TIMESTAMP: `${Math.floor(time * 1000)}`,
        _HOSTNAME: host,
        SYSLOG_IDENTIFIER: tag,
        ...(pid && { SYSLOG_PID: pid }),
        MESSAGE: message,
      });
    },
  },
  {
    name: "no-time",
    what: "a head without a time, which nobody can read",
    head: (_, host, rest) => `${host} | ${rest}`,
  },
];

const HEAD = /^(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) (.*)$/;

/** The lines of a log in RFC 3164, as they are when something was changed at a time, in ms. */
export function* changed(lines: Iterable<Line>, change: Change, at: number): Generator<Line> {
  let turned = false;
  for (const line of lines) {
    const { time } = line;
    const [, stamp, host, rest = ""] = HEAD.exec(line.text) ?? [];
    const later = time >= at;
    const write = (text: string, isFault: boolean): Line => ({
      ...{ time, isFault },
      text: later && change.head ? change.head(time, host!, text) : `${stamp} ${host} ${text}`,
    });
    if (later && !turned) {
      turned = true;
      for (const text of change.turn ?? []) yield write(text, false);
    }
    let text = rest;
    for (const [from, to] of (later ? change.after : change.before) ?? []) text = text.replace(from, to);
    yield write(text, line.isFault);
    if (!later) continue;
    for (const [from, to] of change.added ?? []) {
      const found = from.exec(rest);
      if (found)
        yield write(
          to.replace(/\$(\d)/g, (_, n: string) => found[Number(n)] ?? ""),
          false,
        );
    }
  }
}
