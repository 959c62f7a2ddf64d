import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "../e2e/support.ts";
import { counted, Daemon, until, waiting, writeSettings } from "./daemon.ts";
import { composedLog } from "./log.ts";

/** What suites share that watch a day of log with a model of the four days before it. A test file is a process of its own. */

export const WAIT_MS = 120_000;

export const dir: string = mkdtempSync(join(tmpdir(), "logvane-watched-"));
const daemons: Daemon[] = [];
export let today: readonly string[] = [];

/** Before all tests. */
export async function learn(): Promise<void> {
  const log = composedLog(Date.now(), 4, 500);
  ({ today } = log);
  writeFileSync(join(dir, "past.log"), log.past);
  const trained = await program("bin/logvane.js", [
    ...["train", join(dir, "past.log"), "--timezone", "UTC", "--state", join(dir, "model"), "--quiet"],
  ]);
  assert.equal(trained.status, 0, trained.stderr);
}

/** After all tests. unmount: what is mounted below the folder by then. */
export async function tidy(unmount: () => void = () => undefined): Promise<void> {
  for (const daemon of daemons) if (daemon.running) await daemon.end("SIGKILL");
  unmount();
  rmSync(dir, { recursive: true, force: true });
}

/** A log, a state with the model, and the daemon that watches it. */
export class Watched {
  readonly log: string;
  readonly state: string;
  readonly told: string;
  readonly config: string;
  /** Lines that stand in the log. */
  written = 0;

  /** state: a folder that is there, or a new one when absent. */
  constructor(name: string, state?: string) {
    const root = join(dir, name);
    mkdirSync(root);
    this.log = join(root, "mail.log");
    this.told = join(root, "told");
    this.state = state ?? join(root, "state");
    cpSync(join(dir, "model"), this.state, { recursive: true });
    this.config = writeSettings(join(root, "logvane.toml"), this.log, this.told);
    this.write(today);
  }

  start(): Daemon {
    const daemon = new Daemon(this.config, this.state);
    daemons.push(daemon);
    return daemon;
  }

  write(lines: readonly string[]): void {
    appendFileSync(this.log, lines.join(""));
    this.written += lines.length;
  }

  /** Waits until all lines are counted. */
  async read(): Promise<void> {
    await until(`${this.written} lines are counted`, WAIT_MS, () =>
      counted(this.state) >= this.written ? true : undefined,
    );
    assert.equal(counted(this.state), this.written);
  }

  /** Waits until all lines are counted and all that is told has arrived; the keys of that. */
  async settled(): Promise<string[]> {
    await this.read();
    await until("nothing waits", WAIT_MS, () => (waiting(this.state) === 0 ? true : undefined));
    return this.keys();
  }

  /** kind: of the alerts asked for; all when absent. */
  keys(kind?: string): string[] {
    const text = existsSync(this.told) ? readFileSync(this.told, "utf8") : "";
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { key: string; alert?: { kind: string } })
      .filter(({ alert }) => kind === undefined || alert?.kind === kind)
      .map(({ key }) => key);
  }
}

/** Lines of now. */
const lines = (n: number, text: (i: number) => string): string[] =>
  Array.from({ length: n }, (_, i) => `${new Date().toISOString().slice(0, 19)}Z mx ${text(i)}\n`);
export const someLines = (n: number): string[] =>
  lines(n, (i) => `postfix/smtpd[77]: connect from unknown[192.0.2.${i % 250}]`);
export const fullLines = (n: number): string[] =>
  lines(
    n,
    (i) =>
      `postfix/smtpd[78]: NOQUEUE: reject: MAIL from unknown[192.0.2.${i % 250}]: 452 4.3.1 Insufficient system storage; from=<a@b.example> proto=ESMTP helo=<b.example>`,
  );

/** A message of a Fault in its four parts. */
export const fourParts = (what: RegExp): RegExp =>
  new RegExp(`^error +.*${what.source}.*\\nwhere +.+\\neffect +.+\\ndo +.+$`, "m");
