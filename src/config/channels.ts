import type { ChannelConfig, MailChannel, SmtpConfig } from "./config.ts";
import {
  absolutePath,
  duration,
  hostOrAddress,
  plainName,
  port,
  recipient,
  sender,
  someOf,
  text,
  webAddress,
  word,
  yesNo,
} from "./forms.ts";
import type { TableReader } from "./reader.ts";
import { type Facts, secretFile } from "./secret-file.ts";

const TYPES = ["mail", "webhook", "command", "journal", "file"] as const;
type ChannelType = (typeof TYPES)[number];
/** Ports of RFC 5321, 6409 and 8314, for each kind of security. */
const PORTS = { none: 25, starttls: 587, tls: 465 } as const;
const SENDMAIL = "/usr/sbin/sendmail";
const HOUR_S = 3600;
/** Every key that some kind of channel has: used in another kind, it is no slip. */
const MAIL_KEYS = [
  "to",
  "from",
  "via",
  "program",
  "host",
  "port",
  "security",
  "authority",
  "user",
  "password_file",
];
const KEYS = [...MAIL_KEYS, "url", "format", "token_file", "command", "timeout", "path"];

/** The channels of a file, [mail] first. server: its name, for the sender's address. */
export function readChannels(top: TableReader, server: string, facts: Facts): ChannelConfig[] {
  const channels: ChannelConfig[] = [];
  const names = new Set<string>();
  const keep = (reader: TableReader, channel: ChannelConfig | undefined): void => {
    if (channel === undefined) return;
    if (names.has(channel.name))
      reader.complainOf(
        "name",
        `another channel is named "${channel.name}"`,
        "a name of its own for each channel",
      );
    names.add(channel.name);
    channels.push(channel);
  };
  const mailTable = top.has("mail");
  const mail = top.below("mail");
  if (mailTable) {
    keep(mail, mailChannel(mail, server, facts, "mail"));
    mail.end();
  }
  for (const reader of top.tables("channel")) {
    const type = reader.need("type", word(...TYPES), TYPES.map((t) => `"${t}"`).join(" or "));
    if (type !== undefined) keep(reader, readChannel(reader, type, server, facts));
    // Without its type nobody can say which of the keys are wrong, but for those that no channel has.
    else reader.skip(["name", "when", "min_severity", "report", ...KEYS]);
    reader.end();
  }
  return channels;
}

/** What all channels have. name: its default, for [mail]. */
function base(reader: TableReader, type: ChannelType, name: string | undefined) {
  const why = 'a name of your own, such as name = "chat"';
  return {
    name:
      (name === undefined ? reader.need("name", plainName, why) : reader.read("name", plainName, name)) ?? "",
    when: reader.read("when", word("always", "fallback"), "always"),
    minSeverity: reader.read("min_severity", word("low", "medium", "high", "critical"), "low"),
    report: reader.read("report", yesNo, type === "mail"),
  };
}

function readChannel(
  reader: TableReader,
  type: ChannelType,
  server: string,
  facts: Facts,
): ChannelConfig | undefined {
  if (type === "mail") return mailChannel(reader, server, facts, undefined);
  const common = base(reader, type, undefined);
  const channel = otherChannel(reader, type, common, facts);
  for (const key of KEYS)
    if (!reader.asked(key)) reader.refuse(key, `a channel of type ${type} has no ${key}`, reader.keys());
  return common.name === "" ? undefined : channel;
}

function otherChannel(
  reader: TableReader,
  type: Exclude<ChannelType, "mail">,
  common: ReturnType<typeof base>,
  facts: Facts,
): ChannelConfig | undefined {
  switch (type) {
    case "journal":
      return { ...common, type };
    case "file": {
      const path = reader.need("path", absolutePath, "the file to append to");
      return path === undefined ? undefined : { ...common, type, path };
    }
    case "command": {
      const program = someOf(
        text("the program and its arguments, each in quotes"),
        "the program and its arguments",
      );
      const command = reader.need(
        "command",
        program,
        'the program and its arguments, such as ["/usr/local/bin/page"]',
      );
      const timeoutS = reader.read("timeout", duration(1, HOUR_S), "30s");
      if (command !== undefined && !command[0].startsWith("/"))
        reader.complainOf(
          "command",
          "the program is no whole path",
          'a whole path, such as ["/usr/local/bin/page"]',
        );
      return command === undefined ? undefined : { ...common, type, command, timeoutS };
    }
    case "webhook": {
      const url = reader.need("url", webAddress, "the web address to send to", { secret: true });
      const formats = word("json", "slack", "ntfy", "matrix", "alertmanager");
      const format = reader.read("format", formats, "json");
      const tokenFile = secretFile(reader, "token_file", facts);
      return url === undefined ? undefined : { ...common, type, url, format, tokenFile };
    }
  }
}

function mailChannel(
  reader: TableReader,
  server: string,
  facts: Facts,
  name: string | undefined,
): MailChannel | undefined {
  const common = base(reader, "mail", name);
  const to = reader.need(
    "to",
    someOf(recipient, "the recipients"),
    'who gets the mail, such as to = ["root"]',
  );
  const from = reader.read("from", sender, `logvane@${server}`);
  const via = reader.read("via", word("sendmail", "smtp"), "sendmail");
  if (reader.wrong("via")) reader.skip(MAIL_KEYS);
  const how = reader.wrong("via") ? undefined : via === "smtp" ? smtp(reader, facts) : sendmail(reader);
  return to === undefined || how === undefined || common.name === ""
    ? undefined
    : { ...common, type: "mail", to, from, via: how };
}

function sendmail(reader: TableReader): MailChannel["via"] {
  const program = reader.read("program", absolutePath, SENDMAIL);
  for (const key of ["host", "port", "security", "authority", "user", "password_file"])
    reader.refuse(key, `${key} is for via = "smtp" alone`, 'via = "smtp", or leave the key out');
  return { by: "sendmail", program };
}

function smtp(reader: TableReader, facts: Facts): SmtpConfig | undefined {
  reader.refuse("program", 'program is for via = "sendmail" alone', 'via = "sendmail", or leave the key out');
  const host = reader.need("host", hostOrAddress, "the mail server that takes the mail");
  const local = host === "localhost" || host === "::1" || host?.startsWith("127.") === true;
  const security = reader.read("security", word("none", "starttls", "tls"), local ? "none" : "starttls");
  const user = reader.read("user", text("the name to log in with"));
  const passwordFile = secretFile(reader, "password_file", facts);
  if (user !== undefined && !reader.has("password_file"))
    reader.complainOf("user", "there is a user, but no password", "password_file beside user");
  if (user === undefined && passwordFile !== undefined && !reader.has("user"))
    reader.complainOf("password_file", "there is a password, but no user", "user beside password_file");
  if (user !== undefined && security === "none" && !local)
    reader.complainOf(
      reader.has("security") ? "security" : "user",
      "a password would go over the network in the clear",
      'security = "starttls" or "tls"',
    );
  const smtp = {
    by: "smtp" as const,
    port: reader.read("port", port, PORTS[security]),
    security,
    authority: reader.read("authority", absolutePath),
    user,
    passwordFile,
  };
  return host === undefined ? undefined : { ...smtp, host };
}
