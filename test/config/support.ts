import { type ConfigRead, readConfig } from "../../src/config/read.ts";
import type { Facts } from "../../src/config/secret-file.ts";

/** Secrets are closed, but for /open; /none is not there. */
export const FACTS: Facts = {
  hostName: "mx1.example.org",
  timezone: "UTC",
  modeOf: (path) => (path === "/none" ? "missing" : path === "/open" ? 0o644 : 0o600),
};

export const read = (text: string): ConfigRead => readConfig(text, "/etc/logvane/logvane.toml", FACTS);

/** Every key there is. */
export const FULL = `# All keys.
[server]
name = "mail.example.org"
domains = ["example.org", "example.com"]

[log]
paths = ["/var/log/mail.log", "/var/log/dovecot*.log"]
journal = true
units = ["postfix@-.service", "dovecot.service"]
timezone = "Europe/Berlin"

[[log.listen]]
protocol = "udp"
address = "::1"
port = 5514

[[log.listen]]
protocol = "tls"
address = "0.0.0.0"
port = 6514
certificate = "/etc/ssl/logvane.pem"
key = "/etc/ssl/private/logvane.key"

[alerts]
per_day = 3

[mail]
name = "post"
to = ["root", "ann@example.org"]
from = "logvane@example.org"
via = "smtp"
host = "smtp.example.org"
port = 587
security = "starttls"
authority = "/etc/ssl/own-ca.pem"
user = "logvane"
password_file = "/etc/logvane/password"
when = "always"
min_severity = "medium"
report = true

[[channel]]
name = "chat"
type = "webhook"
url = "https://hooks.example.org/services/T0/B1"
format = "slack"
token_file = "/etc/logvane/token"
when = "fallback"
min_severity = "high"
report = false

[[channel]]
name = "pager"
type = "command"
command = ["/usr/local/bin/page", "--now"]
timeout = "1m"

[[channel]]
name = "log"
type = "journal"

[[channel]]
name = "feed"
type = "file"
path = "/var/lib/logvane/alerts.ndjson"

[[channel]]
name = "second"
type = "mail"
to = "ops@example.com"
program = "/usr/sbin/sendmail"

[report]
at = "07:15"
on_change = true

[retrain]
at = "Sat 02:00"
days = 42
prior = true

[heartbeat]
url = "https://heartbeat.example.org/abc"
file = "/run/logvane/alive"
every = "90s"

[metrics]
textfile = "/var/lib/node-exporter/logvane.prom"
listen = "[::1]:9469"

[web]
url = "https://mx.example.org/logvane"

[keep]
alerts_days = 100
lines_days = 50
notifications_days = 10
`;
