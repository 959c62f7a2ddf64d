/** What a fault does to the composed log. */
export type FaultKind = {
  /** Where its lines come from: recorded while the fault was there, or composed of normal lines. */
  readonly evidence: "recorded" | "composed";
  /**
   * state: traffic is drawn from what was recorded under these states, in this order over equal parts of the time.
   * attack: recorded episodes on top of normal traffic. The others are composed, see faults.ts.
   */
  readonly way:
    | "state"
    | "attack"
    | "silence"
    | "clock"
    | "daemon"
    | "delay"
    | "partner"
    | "guess"
    | "networks"
    | "quota"
    | "wave";
  readonly states: readonly string[];
  /** Classes that come to nothing while the state lasts, when nothing of them was recorded under it. */
  readonly stops?: "unrecorded";
  /** Programs whose tag begins so write nothing but the fault's own lines: retries and sessions begun before end with it. */
  readonly mutes?: string;
  /** How far the clock in the heads of lines is off while it lasts, in ms. */
  readonly clockMs?: number;
  /** Episodes an hour at intensity 1, for what comes on top of normal traffic. */
  readonly perHour?: number;
  /** Classes of normal episodes that make it up. */
  readonly classes?: readonly string[];
  readonly note: string;
};

const recorded = (states: string[], note: string, stops?: "unrecorded"): FaultKind => ({
  evidence: "recorded",
  way: "state",
  states,
  note,
  ...(stops === undefined ? {} : { stops }),
});

/** Every fault that can be composed from the lab's episodes. With a state, intensity is the share of episodes that meet it (at most 1). */
export const FAULTS: Readonly<Record<string, FaultKind>> = {
  dns_resolver_down: recorded(["dns_down"], "the local resolver is dead", "unrecorded"),
  milter_down: recorded(
    ["milter_down"],
    "a milter is dead: mail flows unsigned, or, on the second site, not at all",
    "unrecorded",
  ),
  transport_misconfig: recorded(["transport_misconfig"], "a wrong route for some domains, at random"),
  remote_blocklisted: recorded(["remote_block"], "three big destinations refuse us"),
  queue_dead_destination: recorded(["dead_dest"], "two big destinations unreachable"),
  tls_cert_expired: recorded(["tls_cert_expired"], "expired certificate on submission and IMAP"),
  dovecot_auth_down: recorded(["auth_down"], "Dovecot dead: no log-ins, no local delivery", "unrecorded"),
  disk_full: recorded(["disk_full"], "the disk of queue and mailboxes is full", "unrecorded"),
  postfix_stopped: {
    ...recorded(["postfix_stopped"], "Postfix stopped, Dovecot alive", "unrecorded"),
    mutes: "postfix/",
  },
  postfix_config_broken: recorded(
    ["postfix_config_broken"],
    "smtpd dies of its configuration at every connection",
    "unrecorded",
  ),
  policy_down: recorded(["policy_down"], "the policy service is dead"),
  quota_too_small: recorded(["over_quota"], "a quota far too small for all; deliveries are put off"),
  mailbox_index_damaged: recorded(["index_corrupt"], "random bytes in Dovecot's index files"),
  mailbox_permission: recorded(["mailbox_permission"], "half of the mailboxes belong to root"),
  greylist_storm: recorded(["greylist_storm"], "all remote servers greylist us"),
  postfix_lookup_table_missing: recorded(["config_fatal"], "a lookup table is gone: 451", "unrecorded"),
  latency_degradation: recorded(
    ["latency1", "latency2", "latency3", "latency4"],
    "DNS and remote hosts slower in four steps",
  ),
  sasl_bruteforce_fast: {
    evidence: "recorded",
    way: "attack",
    states: ["brute_fast"],
    perHour: 400,
    note: "40 addresses guess on port 587",
  },
  compromised_account: {
    evidence: "recorded",
    way: "attack",
    states: ["compromised"],
    perHour: 40,
    note: "one account's password sends to many recipients from many addresses",
  },
  mail_loop: {
    evidence: "recorded",
    way: "attack",
    states: ["mail_loop"],
    perHour: 15,
    note: "mail that comes back from where we send it, and for a domain whose MX we are unawares",
  },
  connection_flood: {
    evidence: "recorded",
    way: "attack",
    states: ["connection_flood"],
    perHour: 300,
    note: "nine addresses, beyond the connection rate limit",
  },
  directory_harvest: {
    evidence: "recorded",
    way: "attack",
    states: ["harvest"],
    perHour: 80,
    note: "strangers try many invented recipients",
  },
  backscatter: {
    evidence: "recorded",
    way: "attack",
    states: ["backscatter"],
    perHour: 150,
    note: "bounces, from everywhere, of mail that we never sent",
  },
  log_silence: { evidence: "composed", way: "silence", states: [], note: "no line at all" },
  daemon_silent: {
    evidence: "composed",
    way: "daemon",
    states: [],
    note: "one program's lines stop, the others go on",
  },
  delay_growth: {
    evidence: "composed",
    way: "delay",
    states: [],
    classes: ["out_user", "out_multi", "out_bounce", "app_mail", "out_lost"],
    note: "outbound mail takes 2, 4, 8 and 16 times as long (intensity stretches further), in four steps; no new text",
  },
  clock_jump: {
    evidence: "composed",
    way: "clock",
    states: [],
    clockMs: -65 * 60_000,
    note: "the times of lines are 65 minutes behind; Dovecot's own complaints are missing",
  },
  partner_mail_missing: {
    evidence: "composed",
    way: "partner",
    states: [],
    note: "the nightly mail does not come",
  },
  sasl_bruteforce_slow: {
    evidence: "composed",
    way: "guess",
    states: [],
    perHour: 60,
    classes: ["sasl_noise"],
    note: "one guess a minute at one account, each time from another address",
  },
  account_new_networks: {
    evidence: "composed",
    way: "networks",
    states: [],
    perHour: 10,
    classes: ["imap"],
    note: "one account logs in from networks never seen",
  },
  mailbox_over_quota: {
    evidence: "composed",
    way: "quota",
    states: [],
    perHour: 12,
    note: "one mailbox is full; mail for it bounces (all recorded deliveries to it are kept for this fault)",
  },
  spam_wave: {
    evidence: "composed",
    way: "wave",
    states: [],
    perHour: 300,
    classes: ["in_spam", "in_hdr", "in_pregreet"],
    note: "many times the usual spam",
  },
  relay_probe: {
    evidence: "composed",
    way: "wave",
    states: [],
    perHour: 60,
    classes: ["in_relay"],
    note: "strangers try to relay through us",
  },
};
