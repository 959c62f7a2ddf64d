// Runs a site inside its namespaces and does what the test asks for, a message each: see site-process.ts.
import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Site } from "./site.ts";
import { guess, ORDINARY, receive, submit } from "./traffic.ts";

/** One deed at a time, when they are recorded: until its last line. */
const SETTLE_MS = 1200;

let site: Site;
let watch: ChildProcess | undefined;
let flow: NodeJS.Timeout | undefined;

const COMMANDS = {
  async start(root: string): Promise<void> {
    site = await Site.start(root);
    await site.ready();
  },

  /** Lines of each kind of ordinary deed, done once alone. */
  async record(): Promise<string[][]> {
    const episodes: string[][] = [];
    await sleep(SETTLE_MS);
    for (const deed of ORDINARY) {
      const before = site.log().split("\n");
      await deed();
      await sleep(SETTLE_MS);
      const known = new Map<string, number>();
      for (const line of before) known.set(line, (known.get(line) ?? 0) + 1);
      episodes.push(
        site
          .log()
          .split("\n")
          .filter((line) => {
            const left = known.get(line) ?? 0;
            known.set(line, left - 1);
            return left <= 0;
          }),
      );
    }
    return episodes;
  },

  /** Ordinary deeds from now on, with that many ms between two on average. */
  async flow(gapMs: number): Promise<void> {
    clearTimeout(flow);
    const next = (): void => {
      const deed = ORDINARY[Math.floor(Math.random() * ORDINARY.length)]!;
      void deed().catch(() => undefined); // a broken server refuses people
      flow = setTimeout(next, gapMs * (0.5 + Math.random()));
    };
    next();
  },

  /** Starts the daemon in the site, or ends it; what it says goes to watch.err. */
  async watch(config: string, state: string): Promise<void> {
    const args = ["bin/logvane.js", "watch", "--config", config, "--state", state];
    const said = openSync(join(site.root, "watch.err"), "a");
    watch = spawn(process.execPath, args, { stdio: ["ignore", "ignore", said] });
  },
  async end(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => watch!.once("exit", done));
    watch!.kill("SIGTERM");
    return ended;
  },

  /** Many log-ins with wrong passwords, from twenty networks without names. */
  async bruteForce(tries: number): Promise<void> {
    for (let n = 0; n < tries; n++)
      await guess(`198.19.${42 + 3 * (n % 20)}.9`, "ann@nordhav.example", `pass${n}`).catch(() => 0);
  },
  async killResolver(): Promise<void> {
    site.killResolver();
  },
  async fill(): Promise<void> {
    site.fill();
  },
  async unfill(): Promise<void> {
    site.unfill();
  },
  async set(...settings: string[]): Promise<void> {
    site.set(...settings);
  },
  /** The world answers so to each recipient. */
  async refuse(answer: string): Promise<void> {
    site.elsewhere.behaviour = { rcpt: () => answer };
  },
  /** Mails to the addresses, one after the other; the last answers to each. */
  async submit(...to: string[]): Promise<number[]> {
    const codes: number[] = [];
    for (const one of to) codes.push(await submit(one).catch(() => 0));
    return codes;
  },
  async receive(...to: string[]): Promise<number[]> {
    const codes: number[] = [];
    for (const one of to) codes.push(await receive(one).catch(() => 0));
    return codes;
  },
};

export type Commands = typeof COMMANDS;

type Asked = { readonly id: number; readonly name: keyof Commands; readonly args: never[] };

process.on("message", ({ id, name, args }: Asked) => {
  const command = COMMANDS[name] as (...args: never[]) => Promise<unknown>;
  command(...args).then(
    (result) => process.send!({ id, result }),
    (error) => process.send!({ id, error: String((error as Error).stack) }),
  );
});
process.on("disconnect", () => process.exit(0));
