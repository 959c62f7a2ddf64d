/**
 * What the operator sets, checked and with every default filled in. In the file names are in snake_case; times of day are local.
 * docs/configuration.md explains each one.
 */
export type Config = {
  /** The file that was read; undefined where none exists and all is default. */
  readonly path: string | undefined;
  readonly server: ServerConfig;
  readonly log: LogConfig;
  readonly alerts: AlertsConfig;
  /** Where notifications go, in the order of the file: [mail] first. Names are unique. */
  readonly channels: readonly ChannelConfig[];
  readonly report: ReportConfig;
  readonly retrain: RetrainConfig;
  readonly heartbeat: HeartbeatConfig;
  readonly metrics: MetricsConfig;
  readonly web: WebConfig;
  readonly keep: KeepConfig;
};

export type ServerConfig = {
  /** As the reader of a mail knows it: in subjects, List-Id and Message-ID. Default: the system's host name. */
  readonly name: string;
  /** Domains whose mail this server receives. */
  readonly domains: readonly string[];
};

export type LogConfig = {
  /** Files to follow; globs. Rotated copies are found by themselves. */
  readonly paths: readonly string[];
  /** Whether the systemd journal is followed, and the units looked at there; all mail daemons when none is named. */
  readonly journal: boolean;
  readonly units: readonly string[];
  readonly listen: readonly ListenConfig[];
  /** IANA zone of lines without offset, and of days. */
  readonly timezone: string;
};

/** A listener for syslog or OTLP. Loopback unless said otherwise. */
export type ListenConfig = {
  /** udp, tcp, tls: syslog. otlp: logs of OpenTelemetry, over HTTP as JSON. */
  readonly protocol: "udp" | "tcp" | "tls" | "otlp";
  readonly address: string;
  readonly port: number;
  /** PEM files, for tls. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
};

export type AlertsConfig = {
  /** Alerts a day at most, outside the classes that are never held back. The only sensitivity there is. */
  readonly perDay: number;
};

/** What all channels have. */
type ChannelBase = {
  readonly name: string;
  /** `always`; or `fallback`: only what the mail channel can't be trusted with, or has not got rid of in time. */
  readonly when: "always" | "fallback";
  /** Alerts less severe are not sent here. */
  readonly minSeverity: "low" | "medium" | "high" | "critical";
  /** Whether the daily report goes here too. */
  readonly report: boolean;
};

export type ChannelConfig = MailChannel | WebhookChannel | CommandChannel | JournalChannel | FileChannel;

export type MailChannel = ChannelBase & {
  readonly type: "mail";
  readonly to: readonly string[];
  readonly from: string;
  readonly via: SendmailConfig | SmtpConfig;
};
export type SendmailConfig = { readonly by: "sendmail"; readonly program: string };
export type SmtpConfig = {
  readonly by: "smtp";
  readonly host: string;
  readonly port: number;
  /** `starttls` and `tls` refuse to go on without encryption and a certificate that is valid. */
  readonly security: "none" | "starttls" | "tls";
  /** PEM file of authorities beside the system's. */
  readonly authority: string | undefined;
  readonly user: string | undefined;
  /** File that holds the password alone; must not be readable by others. */
  readonly passwordFile: string | undefined;
};

export type WebhookChannel = ChannelBase & {
  readonly type: "webhook";
  readonly url: string;
  readonly format: "json" | "slack" | "ntfy" | "matrix" | "alertmanager";
  /** File that holds a bearer token; must not be readable by others. */
  readonly tokenFile: string | undefined;
};

/** Runs a program without a shell; content goes to its standard input alone. */
export type CommandChannel = ChannelBase & {
  readonly type: "command";
  readonly command: readonly [string, ...string[]];
  readonly timeoutS: number;
};

export type JournalChannel = ChannelBase & { readonly type: "journal" };

/** Appends a JSON line for each notification. */
export type FileChannel = ChannelBase & { readonly type: "file"; readonly path: string };

export type ReportConfig = {
  /** Minutes after local midnight at which the daily report is made. */
  readonly atMinute: number;
  /** Send only when there is something to tell: an incident, something held back, a figure out of its range. */
  readonly onChange: boolean;
};

export type RetrainConfig = {
  /** 0 Sunday to 6 Saturday; undefined: never by itself. */
  readonly weekday: number | undefined;
  readonly atMinute: number;
  /** Days of history that a training reads. */
  readonly days: number;
  /** Whether a new server begins with the messages that come with the program. */
  readonly prior: boolean;
};

/** Says that Logvane lives: silence there means that nobody watches. */
export type HeartbeatConfig = {
  readonly url: string | undefined;
  readonly file: string | undefined;
  readonly everyS: number;
};

export type MetricsConfig = {
  /** File for node_exporter's textfile collector. */
  readonly textfile: string | undefined;
  /** Where GET /metrics is answered; undefined: nowhere. */
  readonly listen: { readonly address: string; readonly port: number } | undefined;
};

/** Pages for people who get mails. */
export type WebConfig = {
  /** Where they are reached from outside; undefined: mails carry no links. */
  readonly url: string | undefined;
};

/** How long things are kept, in days. */
export type KeepConfig = {
  readonly alertsDays: number;
  /** The raw lines of alerts, which name people. */
  readonly linesDays: number;
  readonly notificationsDays: number;
};
