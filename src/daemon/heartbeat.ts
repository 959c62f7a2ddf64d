import { writeFileSync } from "node:fs";
import type { HeartbeatConfig } from "../config/config.ts";

const TIMEOUT_MS = 10_000;

/**
 * Says outside that Logvane lives, so that its silence is noticed: a GET of a URL that raises an alarm when it is not asked for
 * too long (a dead man's switch), and a file whose time another monitor looks at.
 */
export class Heartbeat {
  readonly #config: HeartbeatConfig;
  readonly #failed: (what: string) => void;
  #beatAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  /** failed: told once for each row of failures. */
  constructor(config: HeartbeatConfig, failed: (what: string) => void) {
    this.#config = config;
    this.#failed = failed;
  }

  /** Beats when it is time. Only call while all is well: silence is the message. now: the system's time in ms. monotonic: ms. */
  beat(now: number, monotonic: number): void {
    const { url, file, everyS } = this.#config;
    if (monotonic - this.#beatAt < everyS * 1000) return;
    this.#beatAt = monotonic;
    if (file !== undefined) this.#write(file, now);
    if (url !== undefined && !this.#asking) void this.#ask(url);
  }

  #write(file: string, now: number): void {
    try {
      writeFileSync(file, `${new Date(now).toISOString()}\n`, { mode: 0o644 });
    } catch (error) {
      this.#failed(`cannot write the heartbeat file ${file} (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  async #ask(url: string): Promise<void> {
    this.#asking = true;
    try {
      const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
      await answer.arrayBuffer();
      if (!answer.ok) this.#failed(`the heartbeat URL answers ${answer.status}`);
    } catch (error) {
      const { cause, message } = error as Error;
      this.#failed(
        `the heartbeat URL does not answer (${(cause as { code?: string } | undefined)?.code ?? message})`,
      );
    } finally {
      this.#asking = false;
    }
  }
}
