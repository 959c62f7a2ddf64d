// Clients of the server: SMTP, IMAP and POP3, as plain as can be.
import { Wire } from "./wire.ts";

/** The server went away in the midst. */
class Gone extends Error {}

/** One SMTP connection of a client. */
export class Mail {
  private readonly wire: Wire;
  private readonly helo: string;

  private constructor(wire: Wire, helo: string) {
    this.wire = wire;
    this.helo = helo;
  }

  /** Connects and says EHLO. early: speaks before the server does. */
  static async open(from: string, host: string, port: number, helo: string, early = false): Promise<Mail> {
    const wire = await Wire.open(from, host, port);
    const mail = new Mail(wire, helo);
    if (port === 465) await wire.secure();
    if (early) wire.send(`EHLO ${helo}\r\nMAIL FROM:<x@${helo}>`);
    await mail.reply();
    if (early) await mail.reply();
    else await mail.say(`EHLO ${helo}`);
    return mail;
  }

  /** Sends a command; the code of the reply. */
  say(command: string): Promise<number> {
    this.wire.send(command);
    return this.reply();
  }

  /** ca: of a client that looks at the server's certificate, and leaves when it is not good. */
  async startTls(ca?: string): Promise<void> {
    if ((await this.say("STARTTLS")) !== 220) return;
    await this.wire.secure(ca);
    await this.say(`EHLO ${this.helo}`);
  }

  login(user: string, password: string, how: "PLAIN" | "LOGIN"): Promise<number> {
    const coded = (text: string): string => Buffer.from(text).toString("base64");
    if (how === "PLAIN") return this.say(`AUTH PLAIN ${coded(`\0${user}\0${password}`)}`);
    return this.say("AUTH LOGIN")
      .then(() => this.say(coded(user)))
      .then(() => this.say(coded(password)));
  }

  /** Sends a message's text; the code of the reply, or of DATA when that is refused. */
  async data(text: string): Promise<number> {
    const code = await this.say("DATA");
    return code === 354 ? this.say(`${text.replace(/\r\n\./g, "\r\n..")}\r\n.`) : code;
  }

  async quit(): Promise<void> {
    await this.say("QUIT").catch(() => 0);
    this.wire.end();
  }

  drop(): void {
    this.wire.drop();
  }

  private async reply(): Promise<number> {
    for (;;) {
      const line = await this.wire.line();
      if (line === undefined) {
        this.wire.drop();
        throw new Gone("the server went away");
      }
      if (line[3] !== "-") return Number(line.slice(0, 3));
    }
  }
}

/** An IMAP session: log in, look, perhaps fetch, leave. False when the log-in was refused. */
export async function imap(
  from: string,
  host: string,
  user: string,
  password: string,
  fetch: number,
): Promise<boolean> {
  const wire = await Wire.open(from, host, 993);
  await wire.secure();
  let tag = 0;
  const say = async (command: string): Promise<boolean> => {
    const mark = `a${++tag} `;
    wire.send(mark + command);
    for (let line = await wire.line(); line !== undefined; line = await wire.line())
      if (line.startsWith(mark)) return line.startsWith(`${mark}OK`);
    return false;
  };
  await wire.line();
  if (!(await say(`LOGIN ${user} ${password}`))) {
    wire.drop();
    return false;
  }
  await say('LIST "" *');
  await say("SELECT INBOX");
  if (fetch > 0) await say(`FETCH 1:${fetch} (FLAGS BODY.PEEK[])`);
  if (fetch > 1) await say("STORE 1 +FLAGS (\\Seen)");
  if (fetch > 2) await say("COPY 1 Trash");
  if (fetch > 2) await say("STORE 1 +FLAGS (\\Deleted)");
  if (fetch > 2) await say("EXPUNGE");
  if (fetch % 2 === 0) await say("LOGOUT");
  wire.end();
  return true;
}

/** A POP3 session that takes and deletes up to `n` messages. */
export async function pop(
  from: string,
  host: string,
  user: string,
  password: string,
  n: number,
): Promise<void> {
  const wire = await Wire.open(from, host, 995);
  await wire.secure();
  const say = async (command: string, many = false): Promise<boolean> => {
    wire.send(command);
    const line = await wire.line();
    const good = line?.startsWith("+OK") === true;
    if (many && good) for (let l = await wire.line(); l !== undefined && l !== "."; ) l = await wire.line();
    return good;
  };
  await wire.line();
  await say(`USER ${user}`);
  if (await say(`PASS ${password}`)) {
    await say("STAT");
    for (let i = 1; i <= n; i++) if (await say(`RETR ${i}`, true)) await say(`DELE ${i}`);
    await say("QUIT");
  }
  wire.end();
}

/** Connects, and leaves after some words. */
export async function poke(
  from: string,
  host: string,
  port: number,
  words: readonly string[],
): Promise<void> {
  const wire = await Wire.open(from, host, port);
  await wire.line();
  for (const word of words) {
    wire.send(word);
    if ((await wire.line()) === undefined) break;
  }
  wire.end();
}
