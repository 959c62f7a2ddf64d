import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A writer and its rotation, as a mail log has them. Keeps by itself what was written, line by line, as the truth to compare with. */
export class RotatingLog {
  readonly path: string;
  /** Every line written, in order; of one that rotation cut in two both parts. */
  readonly lines: string[] = [];
  private readonly folder: string;
  private readonly dated: boolean;
  private fd: number;
  private open = "";
  private count = 0;
  private rotations = 0;

  constructor(folder: string, dated: boolean) {
    this.folder = folder;
    this.dated = dated;
    this.path = join(folder, "mail.log");
    this.fd = openSync(this.path, "a");
  }

  /** Whole lines; the first completes what `begin` left. */
  write(n: number, length = 40): void {
    let text = "";
    for (let i = 0; i < n; i++) {
      const part = this.open === "" ? this.next(length) : " done";
      this.lines.push(this.open + part);
      this.open = "";
      text += `${part}\n`;
    }
    writeSync(this.fd, text);
  }

  /** Part of a line. */
  begin(): void {
    if (this.open !== "") return;
    this.open = this.next(20);
    writeSync(this.fd, this.open);
  }

  /** Moves the files on by a number or day; gives the newest rotated name, which is free. */
  private shift(): string {
    this.rotations++;
    if (this.dated) return `${this.path}-2026${String(1000 + this.rotations)}`;
    const numbers = readdirSync(this.folder).flatMap((name) => /^mail\.log\.(\d+)/.exec(name)?.[1] ?? []);
    for (const n of numbers.map(Number).sort((a, b) => b - a))
      for (const end of ["", ".gz"]) {
        const old = `${this.path}.${n}${end}`;
        if (existsSync(old)) renameSync(old, `${this.path}.${n + 1}${end}`);
      }
    return `${this.path}.1`;
  }

  /** logrotate's default: the writer goes on with the old file for `late` lines, then opens the new one. */
  rename(late: number, create: boolean): void {
    renameSync(this.path, this.shift());
    if (create) writeFileSync(this.path, "");
    if (late > 0 || this.open !== "") this.write(Math.max(1, late));
    closeSync(this.fd);
    this.fd = openSync(this.path, "a");
  }

  /** logrotate's copytruncate. */
  copyTruncate(): void {
    copyFileSync(this.path, this.shift());
    truncateSync(this.path, 0);
    if (this.open === "") return;
    const rest = ` cut ${this.rotations}`; // which becomes the first line; no two files begin alike
    this.lines.push(this.open, rest);
    this.open = "";
    writeSync(this.fd, `${rest}\n`);
  }

  /** Packs what was rotated, all of it or all but the newest. */
  pack(delayed: boolean): void {
    const plain = readdirSync(this.folder)
      .filter((name) => name !== "mail.log" && !name.endsWith(".gz"))
      .sort((a, b) => (this.dated ? (a < b ? 1 : -1) : a.length - b.length || (a < b ? -1 : 1)));
    for (const name of plain.slice(delayed ? 1 : 0)) {
      const path = join(this.folder, name);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
      unlinkSync(path);
    }
  }

  /** Emptied by hand, or by a program that starts anew. */
  empty(): void {
    truncateSync(this.path, 0);
    this.open = "";
  }

  close(): void {
    closeSync(this.fd);
  }

  private next(length: number): string {
    const n = this.count++;
    const time = new Date(Date.UTC(2026, 10, 29) + n * 1000).toISOString().slice(0, 19);
    return `${time}+00:00 mx1 postfix/smtp[7]: line ${n} ${"x".repeat(length)}`;
  }
}
