import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Commands } from "./site-child.ts";

const NAMESPACES = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"];

/** A mail that has arrived. */
export type Arrived = {
  readonly raw: Buffer;
  /** When, in ms since the Unix epoch. */
  readonly at: number;
};

/** A site in namespaces of its own, as a process: when that ends, all its daemons end. Needs root. */
export class SiteProcess {
  readonly root: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { done: (result: unknown) => void; fail: (error: Error) => void }>();
  #asked = 0;

  /** root: a folder that is made. */
  constructor(root: string) {
    this.root = root;
    mkdirSync(root);
    const self = fileURLToPath(new URL("site-child.js", import.meta.url));
    this.#child = spawn("unshare", [...NAMESPACES, process.execPath, self], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.done(result);
      else waiting?.fail(new Error(error));
    });
    this.#child.on("exit", (code) => {
      for (const { fail } of this.#waiting.values()) fail(new Error(`the site ended with ${code}`));
    });
  }

  ask<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): ReturnType<Commands[Name]> {
    const id = ++this.#asked;
    const answer = new Promise((done, fail) => this.#waiting.set(id, { done, fail }));
    this.#child.send({ id, name, args });
    return answer as ReturnType<Commands[Name]>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.disconnect();
    await ended;
  }

  logPath(name: "mail.log" | "dovecot.log"): string {
    return join(this.root, "log", name);
  }

  lines(name: "mail.log" | "dovecot.log"): string[] {
    return readFileSync(this.logPath(name), "utf8").split("\n").slice(0, -1);
  }

  /** What has arrived for somebody, oldest first. */
  mails(name: string): Arrived[] {
    const folder = join(this.root, "mail", name, "new");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map((file) => join(folder, file))
      .map((path) => ({ raw: readFileSync(path), at: statSync(path).mtimeMs }))
      .sort((a, b) => a.at - b.at);
  }
}
