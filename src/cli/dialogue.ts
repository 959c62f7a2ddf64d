import { createInterface, type Interface } from "node:readline";

/** Tries that a question gets before its default is taken. */
const TRIES = 3;

/** Asks on the terminal, or answers every question with its default. */
export class Dialogue {
  readonly asks: boolean;
  readonly #lines: Interface | undefined;
  /** Typed before it was asked for. */
  readonly #ahead: string[] = [];
  #waiting: ((line: string) => void) | undefined;
  #ended = false;

  constructor(asks: boolean) {
    this.asks = asks;
    if (!asks) return;
    this.#lines = createInterface({ input: process.stdin, output: process.stderr });
    this.#lines.on("line", (line) => {
      if (this.#waiting === undefined) this.#ahead.push(line);
      else this.#give(line);
    });
    this.#lines.on("close", () => {
      this.#ended = true;
      this.#give("");
    });
  }

  /** The answer, once `fits` takes it; `fallback` for an empty one, after three that don't fit, and at the end of the input. */
  async ask(question: string, fallback: string, fits: (text: string) => boolean): Promise<string> {
    if (this.#lines === undefined) return fallback;
    for (let i = 0; i < TRIES; i++) {
      process.stderr.write(`${question} [${fallback}] `);
      const answer = (await this.#next()).trim();
      if (answer === "") return fallback;
      if (fits(answer)) return answer;
      process.stderr.write("That does not fit here.\n");
    }
    return fallback;
  }

  end(): void {
    this.#lines?.close();
  }

  #next(): Promise<string> {
    const line = this.#ahead.shift();
    if (line !== undefined || this.#ended) return Promise.resolve(line ?? "");
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #give(line: string): void {
    this.#waiting?.(line);
    this.#waiting = undefined;
  }
}
