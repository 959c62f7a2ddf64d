import { Mail } from "../../eval/lab/mail.ts";
import { Wire } from "../../eval/lab/wire.ts";
import { DOMAIN, FOUND, PARTNER, PASSWORD, PEOPLE } from "./site.ts";

/** What people do with the server of site.ts. */

const HERE = "127.0.0.1";
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
const someone = (): string => `${pick(PEOPLE.slice(0, 5))}@${DOMAIN}`;
/** Addresses of our people, and of strangers. */
const home = (): string => `198.19.0.${1 + Math.floor(Math.random() * 20)}`;
const stranger = (): string =>
  `198.18.${Math.floor(Math.random() * 20)}.${10 + Math.floor(Math.random() * 3)}`;

const text = (from: string, to: string): string =>
  `From: <${from}>\r\nTo: <${to}>\r\nSubject: minutes\r\nMessage-ID: <${Math.random().toString(36).slice(2)}@${from.split("@")[1]}>\r\n\r\n${"Hello. ".repeat(30)}\r\n`;

/** Hands a mail over on a connection that is open. Returns the last answer. */
async function send(mail: Mail, from: string, to: string): Promise<number> {
  let code = await mail.say(`MAIL FROM:<${from}>`);
  if (code === 250) code = await mail.say(`RCPT TO:<${to}>`);
  if (code === 250) code = await mail.data(text(from, to));
  await mail.quit();
  return code;
}

/** A mail that one of us writes. Returns the last answer. */
export async function submit(to: string, address: string = home()): Promise<number> {
  const from = someone();
  const mail = await Mail.open(address, HERE, 587, "laptop.local");
  const code = await mail.login(from, PASSWORD, "PLAIN");
  if (code !== 235) {
    await mail.quit();
    return code;
  }
  return send(mail, from, to);
}

/** A mail that comes from somewhere else. */
export async function receive(to: string = someone(), address: string = stranger()): Promise<number> {
  const mail = await Mail.open(address, HERE, 25, `out0.${FOUND}`);
  return send(mail, `sales@${FOUND}`, to);
}

/** A try to log in for submission. Returns the answer. */
export async function guess(address: string, user: string, password: string): Promise<number> {
  const mail = await Mail.open(address, HERE, 587, "laptop.local");
  const code = await mail.login(user, password, "PLAIN");
  await mail.quit();
  return code;
}

async function read(password: string = PASSWORD): Promise<void> {
  const wire = await Wire.open(home(), HERE, 143);
  await wire.line();
  for (const command of [`LOGIN ${someone()} ${password}`, "SELECT INBOX", "LOGOUT"]) {
    wire.send(`a ${command}`);
    for (let line = await wire.line(); line !== undefined && !line.startsWith("a "); )
      line = await wire.line();
  }
  wire.end();
}

/** No name leads back to it. */
const NAMELESS = "198.19.42.7";

/** What happens on an ordinary day, as often as it stands here. */
export const ORDINARY: readonly (() => Promise<unknown>)[] = [
  () => submit(someone()),
  () => submit(`amy@${PARTNER}`),
  () => submit(`kim@${FOUND}`),
  () => receive(),
  () => receive(),
  () => read(),
  () => read(),
  () => receive(someone(), NAMELESS),
  () => receive(someone(), HERE),
  () => submit(someone(), NAMELESS),
  () => submit("jo@gone.example"),
  () => receive(`nobody@${DOMAIN}`),
  () => receive(`nobody@${DOMAIN}`, NAMELESS),
  () => guess(NAMELESS, someone(), "wrnog"),
  () => guess(home(), someone(), "wrnog"),
  () => read("wrnog"),
];
