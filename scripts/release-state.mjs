// Writes test/releases/VERSION/: a small state as this release leaves it behind, which every later release must go on with. Needs a
// build. A release is stored once, when it is made; --force writes it anew before that.
//
//   backup.gz      by `logvane export`: a model, a checkpoint, what was read since, alerts, what was sent and what still waits
//   past.log.gz    what the model has learned
//   mail.log.gz    the log that is watched; its first `read` lines were
//   made.json      the folder in which the watch ran, and `read`
//   logvane.toml   the settings
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadMaterial } from "../dist/src/cli/walker.js";
import { compose } from "../dist/src/compose/compose.js";
import { openStore } from "../dist/src/store/queries.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const FOLDER = join(ROOT, "test/releases", version);

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The fewest with which there are networks of windows. */
const PAST_DAYS = 3;
const MAILS = 30;
/** On the last day passwords are guessed for some minutes, in whose midst the checkpoint is. What comes after READ is for later releases. */
const GUESSES_HOURS = 5;
const MINUTES = 15;
const CHECKPOINT_HOURS = 5.2;
const READ_HOURS = 12;
const WAIT_MS = 60_000;

if (existsSync(FOLDER) && !process.argv.includes("--force")) {
  console.error(`test/releases/${version} is there already; --force writes it anew`);
  process.exit(1);
}
const dir = mkdtempSync(join(tmpdir(), "logvane-release-"));
const at = (name) => join(dir, name);
const logvane = (...args) =>
  execFileSync(process.execPath, [join(ROOT, "bin/logvane.js"), ...args, "--quiet"], { cwd: dir });
const flags = ["--config", at("logvane.toml"), "--state", at("state")];

/** Days to learn from, and one in which passwords are guessed and at whose end the disk is full. It ends now, or nothing would be sent. */
function logs() {
  const start = Math.floor((Date.now() - (PAST_DAYS + 1) * DAY_MS) / 1000) * 1000;
  const today = start + PAST_DAYS * DAY_MS;
  const guesses = new Date(today + GUESSES_HOURS * HOUR_MS).toISOString();
  const plan = {
    seed: 3,
    start: new Date(start).toISOString(),
    days: PAST_DAYS + 1,
    server: {
      name: "release",
      host: "mx",
      zone: "UTC",
      header: "iso",
      mailsPerDay: MAILS,
      noisePerDay: 20,
      without: ["postscreen", "opendkim", "opendmarc"],
    },
    faults: [{ kind: "sasl_bruteforce_fast", start: guesses, minutes: MINUTES }],
  };
  const ends = [0, CHECKPOINT_HOURS, READ_HOURS, Number.POSITIVE_INFINITY].map(
    (hours) => today + hours * HOUR_MS,
  );
  const parts = ends.map(() => []);
  for (const batch of compose(plan, loadMaterial()))
    for (const { text, time } of batch) parts[ends.findIndex((end) => time < end)].push(`${text}\n`);
  const at = new Date(start + (PAST_DAYS + 1) * DAY_MS).toISOString().slice(0, 19);
  parts[3].push(...fullDisk(`${at}Z`));
  return parts;
}

const fullDisk = (stamp) =>
  Array.from(
    { length: 30 },
    (_, i) =>
      `${stamp} mx postfix/smtpd[78]: NOQUEUE: reject: MAIL from unknown[192.0.2.${i}]: 452 4.3.1 Insufficient system storage; from=<a@b.example> proto=ESMTP helo=<b.example>\n`,
  );

/** What a state holds of what is asked for. */
function held(ask) {
  const store = openStore(at("state"));
  try {
    return ask(store);
  } finally {
    store.close();
  }
}

async function until(what, ask) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(100)) if (held(ask)) return;
  throw new Error(`not within ${WAIT_MS / 1000} s: ${what}`);
}

const linesOf = (store) => [...store.live.days().values()].reduce((sum, day) => sum + day.lines, 0);

const [past, before, since, after] = logs();
writeFileSync(at("past.log"), past.join(""));
writeFileSync(at("mail.log"), "");
// The second channel can't write yet: what it is to be told waits.
writeFileSync(
  at("logvane.toml"),
  `[server]
name = "mx.example"

[log]
paths = ["${at("mail.log")}"]
timezone = "UTC"

[alerts]
per_day = 20

[keep]
alerts_days = 3650
lines_days = 3650
notifications_days = 3650

[[channel]]
name = "told"
type = "file"
path = "${at("told")}"

[[channel]]
name = "later"
type = "file"
path = "${at("later/told")}"
`,
  { mode: 0o600 },
);
logvane("train", at("past.log"), ...flags);
logvane("watch", "--once", ...flags);
appendFileSync(at("mail.log"), before.join(""));
logvane("watch", "--once", ...flags);
const watch = spawn(process.execPath, [join(ROOT, "bin/logvane.js"), "watch", ...flags], { stdio: "ignore" });
const ended = new Promise((done) => watch.on("exit", done));
appendFileSync(at("mail.log"), since.join(""));
const read = before.length + since.length;
await until("all lines are counted", (store) => linesOf(store) === read);
await until("one channel is served", (store) =>
  store.outbox.counts().some(({ channel, waiting }) => channel === "told" && waiting === 0),
);
watch.kill("SIGKILL"); // so that inputs are left, which come after the checkpoint
await ended;
logvane("export", at("backup.gz"), ...flags);

const next = `${FOLDER}.new`;
mkdirSync(next, { recursive: true });
writeFileSync(join(next, "past.log.gz"), gzipSync(past.join(""), { level: 9 }));
writeFileSync(join(next, "mail.log.gz"), gzipSync([...before, ...since, ...after].join(""), { level: 9 }));
writeFileSync(join(next, "made.json"), `${JSON.stringify({ folder: dir, read })}\n`);
for (const name of ["backup.gz", "logvane.toml"]) writeFileSync(join(next, name), readFileSync(at(name)));
rmSync(FOLDER, { recursive: true, force: true });
renameSync(next, FOLDER);
rmSync(dir, { recursive: true });
