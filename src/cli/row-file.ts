import { closeSync, openSync, writeFileSync } from "node:fs";
import { Fault } from "../fault.ts";

/** Characters of rows that are written at once. */
const BLOCK = 1 << 16;

/** NDJSON beside the alerts, written as it comes: a long replay scores millions of rows. A file that can't be written is told of at the end. */
export class RowFile {
  readonly #path: string;
  readonly #what: string;
  #file: number | undefined;
  #rows = "";
  #broken: unknown;

  /** what: the rows are, in the plural. */
  constructor(path: string, what: string) {
    this.#path = path;
    this.#what = what;
  }

  add(row: object): void {
    this.#rows += `${JSON.stringify(row)}\n`;
    if (this.#rows.length >= BLOCK) this.#flush();
  }

  /** Throws a Fault when not all rows could be written. */
  end(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    if (this.#broken === undefined) return;
    throw new Fault(
      "io",
      `cannot write the ${this.#what}: ${(this.#broken as Error).message}`,
      this.#path,
      `the alerts above are complete, the ${this.#what} are not`,
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
