// What the world does with the server: the classes of episodes that the composer knows, done by plain clients.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Ledger } from "./ledger.ts";
import { imap, Mail, poke, pop } from "./mail.ts";
import { pause } from "./wire.ts";
import { ORGS, SERVER, senderOf } from "./world.ts";

const NORDHAV =
  "finn.olsen nora.grande lars.eide tove.wold erik.ulven jonas.berg carla.dahl astrid.moen ivar.brekke sanna.lie georg.aas full".split(
    " ",
  );
/** The domain that Postfix delivers itself. */
const HAVNKONTOR = "viktor.krogh hanna.ruud mats.berge frida.lund".split(" ");
export const PEOPLE: readonly string[] = [
  ...NORDHAV.map((name) => `${name}@nordhav.example`),
  ...HAVNKONTOR.map((name) => `${name}@havnkontor.example`),
];
export const PASSWORD = "larkspur7";
const OTHERS =
  "anna.holm peter.voss mia.lang tom.berger elin.nygaard karl.dorn ida.falk jan.meer rosa.quist olga.tangen sven.holt bo.dam".split(
    " ",
  );
const GUESSED = "office scan test admin mail user contact service backup hr".split(" ");

export const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
export const below = (n: number): number => Math.floor(Math.random() * n);
export const stranger = (): string => {
  for (;;) {
    const third = 42 + below(210);
    if (third % 2 === 0 || Math.random() < 0.5) return `198.19.${third}.${1 + below(254)}`;
  }
};
const home = (): string => `198.19.${10 + below(14)}.${1 + below(254)}`;
/** An organisation of those whose servers do what they should; the first ones more often. */
const org = (): number => Math.floor(23 * Math.random() ** 1.8);
const plain = (): number => any([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22]);
const other = (n: number): string => `${any(OTHERS)}@${ORGS[n]}`;
const letters = (n: number): string =>
  Array.from({ length: n }, () => any([..."bcdfglmnprst"]) + any([..."aeiou"])).join("");
/** People who have mailboxes with room in them. */
const person = (): string => any(PEOPLE.filter((p) => !p.startsWith("full@")));

/** A message of some hundred to some thousand bytes. */
export function message(
  id: string,
  from: string,
  to: string,
  subject: string = letters(4),
  size: number = 200 + 6000 * Math.random() ** 3,
): string {
  const body = `${letters(30)}\r\n`.repeat(Math.ceil(size / 62));
  return `From: <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\nMessage-ID: <${id}>\r\nDate: ${new Date().toUTCString()}\r\n\r\n${body}`;
}

type Letter = {
  readonly from: string;
  readonly to: readonly string[];
  readonly tls?: boolean;
  readonly size?: number;
  readonly headerFrom?: string;
};
/** Gives a message to the server as another server does. The code of the last reply. */
async function deliver(client: string, helo: string, id: string, letter: Letter): Promise<number> {
  const mail = await Mail.open(client, SERVER, 25, helo);
  if (letter.tls === true) await mail.startTls();
  let code = await mail.say(`MAIL FROM:<${letter.from}>`);
  let taken = 0;
  for (const to of letter.to) {
    if (code >= 400 && taken === 0 && to !== letter.to[0]) break;
    code = await mail.say(`RCPT TO:<${to}>`);
    if (code < 300) taken++;
  }
  if (taken > 0)
    code = await mail.data(
      message(id, letter.headerFrom ?? letter.from, letter.to[0]!, undefined, letter.size),
    );
  await mail.quit();
  return code;
}

export type Acts = Readonly<Record<string, () => Promise<void>>>;

/** All classes. ca: the certificate by which careful clients check ours; read anew, since it may expire. */
export function acts(ledger: Ledger, ca: string): Acts {
  const inbound = async (kind: string, to: readonly string[], more: Partial<Letter> = {}): Promise<void> => {
    const n = org();
    const client = senderOf(n, below(2));
    const from = more.from ?? other(n);
    const letter: Letter = { from, to, tls: n % 4 !== 3, ...more };
    let code = 0;
    const id = (make: (host: string) => string): string => make(ORGS[n]!);
    await ledger.run(kind, { client, org: ORGS[n]! }, async (make) => {
      code = await deliver(client, `out.${ORGS[n]}`, id(make), letter);
    });
    // Greylisted: the sender comes back. Each visit is an episode of its own; what came first is told by its lines.
    for (let again = 0; code === 450 && ledger.state === "normal" && again < 2; again++) {
      await pause(3200);
      await ledger.run(kind, { client, org: ORGS[n]! }, async (make) => {
        code = await deliver(client, `out.${ORGS[n]}`, id(make), letter);
      });
    }
  };
  const submit = async (
    kind: string,
    to: (n: number) => readonly string[],
    subject?: string,
    at = plain(),
  ): Promise<void> => {
    const client = home();
    const user = person();
    await ledger.run(kind, { client, user, org: ORGS[at]! }, async (make) => {
      const port = any([587, 465]);
      const mail = await Mail.open(client, SERVER, port, "laptop.local");
      if (port === 587) await mail.startTls(Math.random() < 0.6 ? readFileSync(ca, "utf8") : undefined);
      if ((await mail.login(user, PASSWORD, any(["PLAIN", "LOGIN"]))) === 235) {
        if ((await mail.say(`MAIL FROM:<${user}>`)) < 300) {
          const list = to(at);
          for (const one of list) await mail.say(`RCPT TO:<${one}>`);
          await mail.data(message(make("laptop.local"), user, list[0]!, subject));
        }
      }
      await mail.quit();
    });
  };
  const application = (kind: string, client: string, to: () => readonly string[]): Promise<void> =>
    ledger.run(kind, { client }, async (make) => {
      const host = client.endsWith("20") ? "app.nordhav.example" : "erp.nordhav.example";
      const mail = await Mail.open(client, SERVER, 25, host);
      for (const one of to()) {
        if ((await mail.say("MAIL FROM:<noreply@nordhav.example>")) >= 300) break;
        await mail.say(`RCPT TO:<${one}>`);
        await mail.data(message(make(host), "noreply@nordhav.example", one));
      }
      await mail.quit();
    });
  const spam = async (kind: string, helo: string, from: string, to: string): Promise<void> => {
    const client = stranger();
    await ledger.run(kind, { client }, (make) =>
      deliver(client, helo, make(`${letters(3)}.local`), { from, to: [to], tls: Math.random() < 0.4 }),
    );
  };
  const reader = (kind: string, client: string, user: string, act: () => Promise<unknown>): Promise<void> =>
    ledger.run(kind, { client, user }, act);

  return {
    in_ham: () => inbound("in_ham", [person()]),
    in_bulk: () => inbound("in_bulk", [person()], { from: `bounce+${letters(4)}@${ORGS[1]}`, size: 9000 }),
    in_multi: () =>
      inbound(
        "in_multi",
        [person(), person(), person()].filter((p, i, all) => all.indexOf(p) === i),
      ),
    in_alias: () => inbound("in_alias", ["info@nordhav.example"]),
    in_null: () => inbound("in_null", [person()], { from: "", headerFrom: "postmaster@nordhav.example" }),
    in_typo: () => inbound("in_typo", [person().replace("@", "x@").replace(/.x@/, "@")]),
    in_full: () => inbound("in_full", ["full@nordhav.example"], { size: 20_000 }),
    in_spam: () =>
      spam(
        "in_spam",
        `${letters(3)}.example`,
        `${letters(4)}@win-prize${below(60)}.example`,
        Math.random() < 0.6 ? person() : `${letters(3)}@nordhav.example`,
      ),
    in_hdr: () =>
      spam("in_hdr", any(["[127.0.0.1", "-bad-", "user"]), `promo@pharma-deal${below(60)}.example`, person()),
    in_pregreet: () => {
      const client = stranger();
      return ledger.run("in_pregreet", { client }, async () =>
        (await Mail.open(client, SERVER, 25, "User", true)).drop(),
      );
    },
    in_scan: () => {
      const client = Math.random() < 0.4 ? `198.19.40.${1 + below(30)}` : stranger();
      const words = any([
        ["EHLO probe", "QUIT"],
        ["GET / HTTP/1.1"],
        ["EHLO probe", "VRFY root"],
        ["EHLO x", "AUTH LOGIN"],
        [],
        ["EHLO x", "HELP", "QUIT"],
      ]);
      return ledger.run("in_scan", { client }, () => poke(client, SERVER, any([25, 25, 587]), words));
    },
    in_relay: () => spam("in_relay", letters(3), `test@${ORGS[2]}`, `${letters(4)}@relaytest.example`),
    sasl_noise: () => {
      const client = stranger();
      return ledger.run("sasl_noise", { client }, async () => {
        const mail = await Mail.open(client, SERVER, 587, "User");
        await mail.startTls();
        await mail.login(
          Math.random() < 0.4 ? person() : `${any(GUESSED)}@nordhav.example`,
          letters(3),
          "LOGIN",
        );
        await mail.quit();
      });
    },
    imap_scan: () => {
      const client = stranger();
      return ledger.run("imap_scan", { client }, () => imap(client, SERVER, any(GUESSED), letters(3), 0));
    },
    out_user: () => submit("out_user", (n) => [other(n)]),
    out_multi: () => submit("out_multi", (n) => [other(n), other(plain()), person()]),
    out_local: () => submit("out_local", () => [person()]),
    out_bounce: () => submit("out_bounce", (n) => [`gone.${letters(2)}@${ORGS[n]}`]),
    out_grey: () => submit("out_grey", (n) => [other(n)], undefined, any([5, 11])),
    out_full: () => submit("out_full", (n) => [`full.${letters(2)}@${ORGS[n]}`]),
    out_nx: () => submit("out_nx", () => [`kim@${ORGS[3]!.replace(".", "x.")}`]),
    out_odd: () => submit("out_odd", (n) => [other(n)], undefined, 23),
    out_lost: () => submit("out_lost", (n) => [other(n)], undefined, 17),
    out_spamrej: () => submit("out_spamrej", (n) => [other(n)], "casino"),
    out_loop: () => submit("out_loop", () => [any(["sales@oldbrand.example", "info@oldbrand.example"])]),
    out_forward: () => submit("out_forward", () => ["forward@nordhav.example"], undefined, 1),
    app_mail: () =>
      application("app_mail", any(["192.0.2.20", "192.0.2.21"]), () => [any([other(plain()), person()])]),
    newsletter: () =>
      application("newsletter", "192.0.2.20", () => Array.from({ length: 25 }, () => other(plain()))),
    monitor: () =>
      ledger.run("monitor", { client: "192.0.2.30" }, async () => {
        await poke("192.0.2.30", SERVER, 25, ["EHLO monitor", "QUIT"]);
      }),
    cron: () =>
      ledger.run("cron", { client: null }, (make) => {
        const child = spawn("/usr/sbin/sendmail", ["-oi", "-f", "root@nordhav.example", "root"], {
          stdio: ["pipe", "ignore", "ignore"],
        });
        child.stdin.end(
          message(make("mail.nordhav.example"), "root@nordhav.example", "root", "Cron").replaceAll(
            "\r\n",
            "\n",
          ),
        );
        return new Promise((resolve) => child.once("close", resolve));
      }),
    imap: () => {
      const [client, user] = [home(), person()];
      return reader("imap", client, user, () => imap(client, SERVER, user, PASSWORD, below(5)));
    },
    pop: () => {
      const [client, user] = [home(), person()];
      return reader("pop", client, user, () => pop(client, SERVER, user, PASSWORD, below(3)));
    },
    imap_bad: () => {
      const [client, user] = [home(), person()];
      return reader("imap_bad", client, user, () => imap(client, SERVER, user, letters(3), 0));
    },
    out_badpw: () => {
      const [client, user] = [home(), person()];
      return reader("out_badpw", client, user, async () => {
        const mail = await Mail.open(client, SERVER, 465, "laptop.local");
        await mail.login(user, letters(3), "PLAIN");
        await mail.quit();
      });
    },
    harvest: () => {
      const client = stranger();
      return ledger.run("harvest", { client }, async () => {
        const mail = await Mail.open(client, SERVER, 25, letters(3));
        await mail.say(`MAIL FROM:<${letters(3)}@${ORGS[below(20)]}>`);
        for (let n = 3 + below(22); n > 0; n--)
          await mail.say(
            `RCPT TO:<${any(OTHERS).split(".")[0]}${any(["", ".", "_"])}${letters(2)}@nordhav.example>`,
          );
        await mail.quit();
      });
    },
    backscatter: () => {
      const to = Math.random() < 0.5 ? person() : `${letters(4)}@nordhav.example`;
      return inbound("backscatter", [to], { from: "", headerFrom: `mailer-daemon@${ORGS[below(20)]}` });
    },
    flood: () => {
      const client = `198.19.${any([77, 143, 201])}.${1 + below(3)}`;
      return ledger.run("flood", { client }, async () => {
        for (let n = 0; n < 8; n++)
          await poke(client, SERVER, 25, any([["EHLO a"], ["EHLO a", "QUIT"], []])).catch(() => undefined);
      });
    },
  };
}
