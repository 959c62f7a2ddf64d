import { closeSync, openSync, writeFileSync } from "node:fs";
import { Fault } from "../fault.ts";
import type { Score } from "../pipeline/model.ts";

/** Characters of rows that are written at once. */
const BLOCK = 1 << 16;

/** Scored rows as NDJSON, written as they come: a long replay has millions. A file that can't be written is told of at the end. */
export class ScoreFile {
  readonly #path: string;
  #file: number | undefined;
  #rows = "";
  #broken: unknown;

  constructor(path: string) {
    this.#path = path;
  }

  add({ time, view, key, score, pValue }: Score): void {
    this.#rows += `${JSON.stringify({ time: new Date(time).toISOString(), view, key, score, p_value: pValue })}\n`;
    if (this.#rows.length >= BLOCK) this.#flush();
  }

  /** Throws a Fault when not all rows could be written. */
  end(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    if (this.#broken === undefined) return;
    throw new Fault(
      "io",
      `cannot write the scores: ${(this.#broken as Error).message}`,
      this.#path,
      "the alerts above are complete, the scores are not",
      "name a file that you may write, or free some space",
    );
  }

  #flush(): void {
    try {
      if (this.#broken === undefined) {
        this.#file ??= openSync(this.#path, "w");
        writeFileSync(this.#file, this.#rows);
      }
    } catch (error) {
      this.#broken = error;
    }
    this.#rows = "";
  }
}
