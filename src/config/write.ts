import type { MailChannel } from "./config.ts";

/** What is known when a first file is written. */
export type Draft = {
  readonly name: string;
  readonly domains: readonly string[];
  readonly paths: readonly string[];
  readonly journal: boolean;
  readonly timezone: string;
  readonly perDay: number;
  /** Whether training begins with the messages that come with the program. */
  readonly prior: boolean;
  /** Undefined: nothing is sent by mail. */
  readonly mail:
    | { readonly to: readonly string[]; readonly from: string; readonly via: MailChannel["via"]["by"] }
    | undefined;
};

/** A value as TOML writes it: of texts without U+007F, JSON's form is also TOML's. */
const toml = (value: string | number | boolean | readonly string[]): string =>
  Array.isArray(value) && value.length > 2
    ? `[\n${value.map((item) => `  ${JSON.stringify(item)},\n`).join("")}]`
    : Array.isArray(value)
      ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]`
      : JSON.stringify(value);

/** A first file, with a comment on each key. What is commented out stands for the default. */
export function configText(draft: Draft): string {
  return `# Logvane's settings. Every key is explained in docs/configuration.md; what is missing has its default.
# logvane config check    tells mistakes, with line and column
# logvane config show     shows what takes effect

[server]
# How this server is called in mails.
name = ${toml(draft.name)}
# Domains whose mail it receives.
domains = ${toml(draft.domains)}

[log]
# Files to follow; rotated copies are found by themselves.
paths = ${toml(draft.paths)}
# Follow the systemd journal (too).
journal = ${toml(draft.journal)}
# Zone of days, and of lines that name none.
timezone = ${toml(draft.timezone)}

[alerts]
# Alerts a day at most. This is the only sensitivity there is.
per_day = ${toml(draft.perDay)}

${mailText(draft)}
# More ways to be told: webhook (Slack, ntfy, Matrix, Alertmanager), command, journal, file.
# when = "fallback" sends there only what the mail itself can't be trusted with.
# [[channel]]
# name = "chat"
# type = "webhook"
# url = "https://hooks.example.org/services/..."
# format = "slack"
# when = "fallback"

[report]
# When the daily report is made.
at = "06:30"
# true: only when there is something to tell.
on_change = false

[retrain]
# When normal is learned anew, or "never"; and from how many days.
at = "Sun 03:30"
days = 35
# true: in the first four weeks, messages that Postfix, Dovecot and their companions write on any healthy server are no news.
prior = ${toml(draft.prior)}

# Silence at one of these means that nobody watches.
# [heartbeat]
# url = "https://heartbeat.example.org/..."
# file = "/run/logvane/alive"
# every = "5m"

# [metrics]
# textfile = "/var/lib/prometheus/node-exporter/logvane.prom"
# listen = "127.0.0.1:9469"

# Mails carry links by which an alert is called harmless, real, or left alone: where metrics.listen is reached from outside.
# [web]
# url = "https://mx.example.org/logvane"

# Days that things are kept; raw lines of alerts name people.
[keep]
alerts_days = 365
lines_days = 90
notifications_days = 30
`;
}

function mailText({ mail, name }: Draft): string {
  const to = toml(mail?.to ?? ["root"]);
  const from = toml(mail?.from ?? `logvane@${name}`);
  const smtp = mail?.via === "smtp";
  const keys = [
    "# Who gets alerts and the daily report.",
    `to = ${to}`,
    `from = ${from}`,
    "# sendmail: this server's own mail system. smtp: another server, or this one over the network.",
    `via = ${toml(mail?.via ?? "sendmail")}`,
    ...(smtp ? ['host = "127.0.0.1"', "port = 25", 'security = "none"'] : []),
    ...(smtp ? [] : ['# host = "smtp.example.org"', '# security = "starttls"']),
    '# user = "logvane"',
    '# password_file = "/etc/logvane/smtp-password"',
  ];
  const off = mail === undefined;
  const lines = off ? keys.map((key) => (key.startsWith("#") ? key : `# ${key}`)) : keys;
  return `${off ? "# [mail]" : "[mail]"}\n${lines.join("\n")}\n`;
}
