import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Email } from "postal-mime";
import { LineCutter } from "../../src/log/lines.ts";
import { ownMailKey } from "../../src/mail/own.ts";
import { OwnMail } from "../../src/mail/own-mail.ts";
import { openStore } from "../../src/store/queries.ts";
import { parseMail } from "../deliver/support.ts";
import { program } from "../e2e/support.ts";
import { plainReader } from "../mail/support.ts";
import { needsNamespaces } from "../support/need.ts";
import { until } from "./daemon.ts";
import { pastOf } from "./history.ts";
import { DOMAIN, FOUND, OPERATOR, PARTNER } from "./site.ts";
import { SiteProcess } from "./site-process.ts";

/** LOGVANE_LONG=1 for what waits for the end of five minutes, too (npm run e2e:live). */
const LONG = process.env["LOGVANE_LONG"] === "1";
const SERVER = `mx.${DOMAIN}`;
const PAST_DAYS = 4;
/** Between two ordinary deeds on average. */
const GAP_MS = 30_000;
const SLOT_MS = 300_000;
/** What training never saw is told within this; it is about 10 s on an idle machine. */
const AT_ONCE_MS = 90_000;

/** Four days of history are little: news must come about a dozen times to be told alone. */
const REPEATS = 16;

const dir = mkdtempSync(join(tmpdir(), "logvane-live-"));
chmodSync(dir, 0o755); // the daemons' users go through it
const NAMES = ["resolver", "disk", "milter", "refused", ...(LONG ? ["guesses"] : [])] as const;
const sites = new Map<string, SiteProcess>();
const site = (name: (typeof NAMES)[number]): SiteProcess => sites.get(name)!;
const stateOf = ({ root }: SiteProcess): string => join(root, "state");
const toldOf = ({ root }: SiteProcess): string => join(root, "told");

/** Mail through the very server that is watched, and a file beside it. */
function settings({ root }: SiteProcess, via: string): string {
  const path = join(root, "logvane.toml");
  const text = `[server]\nname = "${SERVER}"\n[log]\npaths = ["${root}/log/mail.log", "${root}/log/dovecot.log"]\ntimezone = "UTC"
[mail]\nto = ["${OPERATOR}"]\n${via}
[[channel]]\nname = "told"\ntype = "file"\npath = "${root}/told"\nwhen = "fallback"\n`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
const SMTP = `via = "smtp"\nhost = "127.0.0.1"\n`;

const header = (mail: Email, name: string): string | undefined =>
  mail.headers.find(({ key }) => key === name)?.value;

/** The first mail of an alert of a kind, once it has arrived. at: when, in ms. */
function alertMail(
  where: SiteProcess,
  kind: string,
  ms: number,
): Promise<{ mail: Email; raw: Buffer; at: number }> {
  return until(`a mail of kind ${kind} from ${where.root}`, ms, async () => {
    for (const { raw, at } of where.mails("ops")) {
      const mail = await parseMail(raw);
      if (header(mail, "x-logvane-kind") === kind && header(mail, "x-logvane-event") === "opened")
        return { mail, raw, at };
    }
    return undefined;
  });
}

type Told = {
  readonly key: string;
  readonly at: string;
  readonly alert: { readonly kind: string; readonly id: string };
};

const linesOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];

/** What the file beside the mail holds of an alert of a kind. */
const fileTold = (where: SiteProcess, kind: string, ms: number): Promise<Told> =>
  until(`a line of kind ${kind} in ${toldOf(where)}`, ms, () =>
    linesOf(toldOf(where))
      .map((line) => JSON.parse(line) as Told)
      .find(({ alert }) => alert.kind === kind),
  );

type Stored = {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly lines: readonly { readonly file: string; readonly line: number; readonly text: string }[];
};

function alertsOf(where: SiteProcess): Stored[] {
  const store = openStore(stateOf(where));
  try {
    return store.listAlerts(100) as unknown as Stored[];
  } finally {
    store.close();
  }
}

/** Prints how long it took from the first line that matches (its second) until then. */
function tellDelay(what: string, where: SiteProcess, bad: RegExp, since: number, at: number): void {
  const line = where
    .lines("mail.log")
    .find((l) => bad.test(l) && timeOf(l) >= Math.floor(since / 1000) * 1000);
  assert.ok(line, `a line that matches ${bad}`);
  console.log(`${what}: told ${((at - timeOf(line)) / 1000).toFixed(1)} s after the first bad line`);
}
const timeOf = (line: string): number =>
  Date.parse(`${new Date().getUTCFullYear()} ${line.slice(0, 15)} UTC`);

/** What Postfix says of a machine whose file system has another clock; true of the machine, and none of the test's doing. */
const OF_THE_MACHINE = /file system clock is \d+ seconds ahead|resetting file time stamps/;

/** Ordinary mail, before the fault and beside it, is no reason for an alert. */
const checkAlone = (where: SiteProcess): void =>
  assert.deepEqual(
    alertsOf(where)
      .filter(({ lines }) => !lines.every(({ text }) => OF_THE_MACHINE.test(text)))
      .map(({ title }) => title)
      .slice(1),
    [],
  );

/** What holds of each alert's mail. */
function checkMail(where: SiteProcess, mail: Email, raw: Buffer, words: RegExp): void {
  const alert = alertsOf(where).find(({ id }) => id === header(mail, "x-logvane-id"));
  assert.ok(alert !== undefined);
  assert.match(alert.title, words);
  assert.match(mail.subject ?? "", /^\[mx\.nordhav\.example\] (low|medium|high|critical): /);
  const [, title] = /: (.*?)…?$/.exec(mail.subject!) ?? [];
  assert.ok(alert.title.startsWith(title!), mail.subject); // a long one is cut
  assert.equal(mail.from?.address, `logvane@${SERVER}`);
  assert.deepEqual(
    mail.to?.map(({ address }) => address),
    [OPERATOR],
  );
  assert.equal(header(mail, "auto-submitted"), "auto-generated");
  assert.match(header(mail, "list-id") ?? "", /<logvane\.mx\.nordhav\.example>$/);
  assert.equal(mail.messageId, `<alert.${alert.id}.opened@logvane.${SERVER}>`);
  const types = [...raw.toString("latin1").matchAll(/^Content-Type: (\w+\/\w+)/gm)].map(([, type]) => type);
  assert.deepEqual(types, ["multipart/alternative", "text/plain", "text/html"]);
  assert.ok(alert.lines.length > 0);
  for (const { file, line, text } of alert.lines) {
    assert.equal(linesOf(file)[line - 1], text, `${file}:${line}`);
    const shown = text.replace(/\bhttp(?=s?:)/g, "hxxp").replace(/\bwww\./g, "www[.]"); // no link of a stranger's words
    assert.ok(mail.text?.includes(`${file}:${line}`) && mail.text.includes(shown), shown);
  }
}

suite(
  "a watch beside a real Postfix and Dovecot",
  {
    concurrency: true,
    timeout: 3_000_000,
    ...needsNamespaces("postfix", "dovecot"),
  },
  () => {
    before(async () => {
      for (const name of NAMES) sites.set(name, new SiteProcess(join(dir, name)));
      const all = [...sites.values()];
      await Promise.all(all.map((one) => one.ask("start", one.root)));
      const [first, ...others] = all;
      for (const one of others) await one.ask("flow", GAP_MS);
      const past = pastOf(await first!.ask("record"), Date.now(), PAST_DAYS, GAP_MS);
      await first!.ask("flow", GAP_MS);
      writeFileSync(join(dir, "past.log"), past);
      const trained = await program("bin/logvane.js", [
        ...["train", join(dir, "past.log"), "--timezone", "UTC", "--state", join(dir, "model"), "--quiet"],
      ]);
      assert.equal(trained.status, 0, trained.stderr);
      for (const [name, one] of sites) {
        cpSync(join(dir, "model"), stateOf(one), { recursive: true });
        // A milter of smtpd alone leaves what a program of the machine writes alone.
        const via = name === "milter" ? `program = "${one.root}/sendmail"\n` : SMTP;
        await one.ask("watch", settings(one, via), stateOf(one));
      }
      for (const one of all)
        await until(`${one.root} is watched`, 60_000, () => {
          const store = openStore(stateOf(one));
          try {
            return store.outbox.mark("watch.alive");
          } finally {
            store.close();
          }
        });
    });
    after(async () => {
      await Promise.all([...sites.values()].map((one) => one.stop()));
      rmSync(dir, { recursive: true, force: true });
    });

    test("tells of a name server that doesn't answer, by mail and beside it", async () => {
      const here = site("resolver");
      const since = Date.now();
      await here.ask("killResolver");
      const to = Array.from({ length: REPEATS }, (_, n) => `amy${n}@${FOUND}`);
      await here.ask("submit", ...to);
      const { mail, raw, at } = await alertMail(here, "dns_failure", AT_ONCE_MS);
      checkMail(here, mail, raw, /DNS|name/i);
      checkAlone(here);
      const told = await fileTold(here, "dns_failure", AT_ONCE_MS);
      assert.equal(told.alert.id, header(mail, "x-logvane-id"));
      tellDelay("resolver dead", here, /Host or domain name not found|Name service error/, since, at);
    });

    test("tells of a full queue beside the mail at once, and by mail when there is room", async () => {
      const here = site("disk");
      const since = Date.now();
      await here.ask("fill");
      const codes = await here.ask("receive", ...Array.from({ length: REPEATS }, () => `ann@${DOMAIN}`));
      assert.ok(
        codes.every((code) => code === 452),
        String(codes),
      );
      const told = await fileTold(here, "disk_full", AT_ONCE_MS);
      tellDelay(
        "queue full",
        here,
        /Insufficient system storage|not enough free space/,
        since,
        Date.parse(told.at),
      );
      await until("our mail is refused, too", AT_ONCE_MS, () =>
        here.lines("mail.log").find((line) => line.includes("reject: MAIL from localhost")),
      );
      assert.equal(here.mails("ops").length, 0);
      await here.ask("unfill");
      const { mail, raw } = await alertMail(here, "disk_full", 2 * AT_ONCE_MS);
      checkMail(here, mail, raw, /disk|space|storage/i);
    });

    test("tells of a dead milter by sendmail, which doesn't ask it", async () => {
      const here = site("milter");
      const since = Date.now();
      await here.ask("set", "smtpd_milters=inet:127.0.0.1:8891", "milter_default_action=tempfail");
      await here.ask("receive", ...Array.from({ length: REPEATS }, () => `ann@${DOMAIN}`));
      const { mail, raw, at } = await alertMail(here, "milter_failure", AT_ONCE_MS);
      checkMail(here, mail, raw, /milter/i);
      checkAlone(here);
      await fileTold(here, "milter_failure", AT_ONCE_MS);
      tellDelay("milter dead", here, /connect to Milter service/, since, at);
    });

    test("tells of others that refuse our mail", async () => {
      const here = site("refused");
      const since = Date.now();
      await here.ask(
        "refuse",
        "550 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.10",
      );
      await here.ask("submit", ...Array.from({ length: REPEATS }, (_, n) => `amy${n}@${PARTNER}`));
      const { mail, raw, at } = await alertMail(here, "remote_blocked", AT_ONCE_MS);
      checkMail(here, mail, raw, /refuse/i);
      checkAlone(here);
      await fileTold(here, "remote_blocked", AT_ONCE_MS);
      tellDelay("destination refuses", here, /blocked using/, since, at);
    });

    if (LONG)
      test("tells of many wrong passwords when five minutes are over, by mail alone", async () => {
        const here = site("guesses");
        const left = SLOT_MS - (Date.now() % SLOT_MS);
        await sleep(left > 60_000 ? left - 60_000 : left + 240_000);
        const since = Date.now();
        await here.ask("bruteForce", 120);
        const { mail, raw, at } = await alertMail(here, "bruteforce", SLOT_MS + AT_ONCE_MS);
        checkMail(here, mail, raw, /password|log-?in|guess/i);
        assert.deepEqual(linesOf(toldOf(here)), []);
        tellDelay("wrong passwords", here, /authentication failed/, since, at);
      });

    test("leaves its own mail out, and nothing else", async () => {
      const here = site("refused");
      await alertMail(here, "remote_blocked", 2 * AT_ONCE_MS);
      await sleep(1000);
      const own = new OwnMail((id) => ownMailKey(id, SERVER) !== undefined);
      const reader = plainReader();
      const lines = [...here.lines("mail.log"), ...here.lines("dovecot.log")];
      const found: string[] = [];
      for (const batch of new LineCutter().push(Buffer.from(`${lines.join("\n")}\n`)))
        for (let i = 0; i < batch.count; i++) {
          const event = reader.read("f", batch, i);
          if (own.owns(event)) found.push(event.text);
        }
      assert.deepEqual(found, ownLines(lines));
      assert.ok(found.length >= 4);
    });
  },
);

/** Lines of mails with our Message-ID, from that line on, found without anything of ours. */
function ownLines(lines: readonly string[]): string[] {
  const ids = new Set<string>();
  return lines.filter((line) => {
    const [, id] = /\]: ([0-9A-F]{6,12}): /.exec(line) ?? [];
    const ours = /(?:message-id|msgid)=<alert\.\w+\.\w+@logvane\.mx\.nordhav\.example>/.test(line);
    if (ours && id !== undefined) ids.add(id);
    const own = ours || (id !== undefined && ids.has(id));
    if (id !== undefined && line.endsWith(": removed")) ids.delete(id);
    return own;
  });
}
