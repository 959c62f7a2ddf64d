// Records the lab's second site anew, with real daemons in namespaces of their own that no packet leaves: npm run eval:lab -- --out FILE [--only STATE,...: into FILE] [--raw FILE]
// As root on Debian, with postfix, dovecot-imapd, -pop3d, -lmtpd, rspamd, postgrey, rsyslog, faketime, iproute2 and openssl installed and none of them running. Takes about ten minutes.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { Command, Option } from "commander";
import { readEpisodes } from "../../src/compose/material.ts";
import { commandLine } from "../command.ts";
import { attribute, readRaw, type Span } from "./attribute.ts";
import { PHASES, type Phase, sh } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { startRemotes } from "./remote.ts";
import { type Acts, acts, PASSWORD, PEOPLE } from "./traffic.ts";
import { pause } from "./wire.ts";
import { startNames } from "./world.ts";

const SITE = fileURLToPath(new URL("../../../eval/lab/site", import.meta.url));
/** Episodes at a time: more would make two processors slow, and the delays with them. */
const AT_ONCE = 6;
/** The queue empties after a repair, or what is left is thrown away. */
const DRAIN_TRIES = 25;
const NAMESPACES = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"];

/** Starts everything. lab: an empty folder, which becomes the server's. */
async function build(lab: string): Promise<void> {
  // Not spawnSync: what starts asks our name server, which answers from this process.
  const run = async (script: string, ...args: string[]): Promise<void> => {
    const child = spawn("bash", [join(SITE, script), ...args], { stdio: ["ignore", "ignore", "inherit"] });
    const status = await new Promise((resolve) => child.once("close", resolve));
    if (status !== 0) throw new Error(`${script} ended with ${status}: ${sh(`tail -5 ${lab}/log/raw`)}`);
  };
  await run("prepare.sh", SITE, lab);
  sh(
    `sed -i 's#LAB/#${lab}/#' /etc/postfix/main.cf /etc/dovecot/dovecot.conf; cp /etc/postfix/main.cf ${lab}/`,
  );
  const home = (user: string): string => user.replace(/(.*)@(.*)/, "$2/$1");
  writeFileSync("/etc/postfix/vmailbox", PEOPLE.map((user) => `${user} ${home(user)}/\n`).join(""));
  const quota = (user: string): string => (user.startsWith("full@") ? "userdb_quota_rule=*:storage=1K" : "");
  writeFileSync(
    "/etc/dovecot/users",
    PEOPLE.map(
      (user) => `${user}:{PLAIN}${PASSWORD}:5000:5000::/var/vmail/${home(user)}::${quota(user)}\n`,
    ).join(""),
  );
  sh("mkdir -p /var/vmail/havnkontor.example /var/vmail/nordhav.example; chown -R 5000:5000 /var/vmail");
  await startNames();
  const file = (name: string): string => readFileSync(join(lab, name), "utf8");
  await startRemotes(file("key.pem"), file("cert.pem"), file("own.pem"));
  await run("start.sh", lab);
}

/** Does a phase's traffic, a few episodes at a time, in random order. */
async function busy({ mix, meanwhile }: Phase, what: Acts): Promise<void> {
  const todo = mix.flatMap(([kind, n]) => Array.from({ length: n }, () => kind));
  for (let i = todo.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [todo[i], todo[j]] = [todo[j]!, todo[i]!];
  }
  const timer = meanwhile === undefined ? undefined : setInterval(meanwhile, 2500);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let kind = todo.pop(); kind !== undefined; kind = todo.pop()) await what[kind]!();
    }),
  );
  clearInterval(timer);
}

async function drain(): Promise<void> {
  for (let n = 0; n < DRAIN_TRIES; n++) {
    if (sh("find /var/spool/postfix/{active,deferred,incoming,maildrop} -type f | head -1").trim() === "")
      return;
    await pause(3000);
    sh("postqueue -f");
  }
  sh("postsuper -d ALL");
}

/** Inside the namespace: records the phases and writes the episodes. */
async function record(out: string, only: readonly string[], rawOut: string | undefined): Promise<void> {
  const lab = mkdtempSync(join(tmpdir(), "lab-"));
  await build(lab);
  const ledger = new Ledger();
  const what = acts(ledger, join(lab, "ca.pem"));
  const spans: Span[] = [];
  for (const phase of PHASES(lab)) {
    if (only.length > 0 && !only.includes(phase.state)) continue;
    const marks = [Date.now() / 1000];
    ledger.state = phase.state;
    await phase.break?.();
    await pause(1500);
    marks.push(Date.now() / 1000);
    await busy(phase, what);
    marks.push(Date.now() / 1000);
    await phase.repair?.();
    await drain();
    await pause(1500);
    marks.push(Date.now() / 1000);
    for (const [i, part] of ["on", "mid", "rec"].entries())
      spans.push({ state: phase.state, part, from: marks[i]!, to: marks[i + 1]! });
    process.stderr.write(`${phase.state}: ${(marks[3]! - marks[0]!).toFixed(0)} s\n`);
  }
  const raw = readFileSync(join(lab, "log/raw"), "utf8");
  if (rawOut !== undefined) writeFileSync(rawOut, raw);
  const lines = readRaw(raw);
  const { episodes, lost } = attribute(lines, ledger.deeds, spans);
  // States recorded anew take the place of those in the file.
  const kept =
    only.length > 0 && existsSync(out)
      ? [...readEpisodes(gunzipSync(readFileSync(out)).toString("utf8"))].filter(
          (e) => !only.includes(e.state),
        )
      : [];
  writeFileSync(
    out,
    gzipSync(`${[...kept, ...episodes].map((e) => JSON.stringify(e)).join("\n")}\n`, { level: 9 }),
  );
  process.stderr.write(
    `${episodes.length} episodes, ${lines.length} lines, ${lost} of two episodes and left out\n`,
  );
}

const program = new Command("eval:lab")
  .requiredOption("--out <file>", "where the episodes go")
  .option("--only <states>", "these alone, with commas between, into the file that is there")
  .option("--raw <file>", "where the raw log goes")
  .addOption(new Option("--inside", "within the namespaces").default(false).hideHelp());
const { flags } = commandLine<{
  readonly out: string;
  readonly only?: string;
  readonly raw?: string;
  readonly inside: boolean;
}>(program);
if (flags.inside) {
  await record(resolve(flags.out), flags.only?.split(",") ?? [], flags.raw);
  process.exit(0);
} else {
  const self = fileURLToPath(import.meta.url);
  const { status } = spawnSync(
    "unshare",
    [...NAMESPACES, process.execPath, self, ...process.argv.slice(2), "--inside"],
    { stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
}
