import { createInterface, type Interface } from "node:readline/promises";

/** Tries that a question gets before its default is taken. */
const TRIES = 3;

/** Asks on the terminal, or answers every question with its default. */
export class Dialogue {
  readonly asks: boolean;
  readonly #lines: Interface | undefined;
  #ended = false;

  constructor(asks: boolean) {
    this.asks = asks;
    if (!asks) return;
    this.#lines = createInterface({ input: process.stdin, output: process.stderr });
    this.#lines.once("close", () => {
      this.#ended = true;
    });
  }

  /** The answer, once `fits` takes it; `fallback` for an empty one, after three that don't fit, and at the end of the input. */
  async ask(question: string, fallback: string, fits: (text: string) => boolean): Promise<string> {
    for (let i = 0; i < TRIES && this.#lines !== undefined && !this.#ended; i++) {
      const closed = new Promise<string>((resolve) => this.#lines?.once("close", () => resolve("")));
      const prompt = `${question} [${fallback}] `;
      const answer = (await Promise.race([this.#lines.question(prompt), closed])).trim();
      if (answer === "") return fallback;
      if (fits(answer)) return answer;
      process.stderr.write("That does not fit here.\n");
    }
    return fallback;
  }

  end(): void {
    this.#lines?.close();
  }
}
