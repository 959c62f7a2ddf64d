/** How often a terminal's bar is drawn again, in milliseconds. */
const DRAW_MS = 100;
/** How often a line is written where there is no terminal: a log of the run, not a flood. */
const LINE_MS = 5000;
/** Characters of the bar. */
const BAR = 24;

export type Progress = {
  /** done: units so far, never less than before. */
  update(done: number): void;
  /** Ends the bar or writes the last line. */
  end(): void;
};

export type ProgressOptions = {
  readonly quiet: boolean;
  /** What `done` and `total` count; "lines" unless told. */
  readonly unit?: string;
  /** Where it is written; standard error unless told. */
  readonly stream?: { readonly isTTY?: boolean; write(text: string): unknown };
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

/** Lines between two updates: a look at the clock for each line would cost more than the bar is worth. */
export const PROGRESS_LINES = 4096;

/** A bar with a rate on a terminal, a plain line every few seconds elsewhere. total: 0 when it is not known. */
export function createProgress(label: string, total: number, options: ProgressOptions): Progress {
  if (options.quiet) return { update() {}, end() {} };
  const stream = options.stream ?? process.stderr;
  const now = options.now ?? (() => performance.now());
  const tty = stream.isTTY === true;
  const start = now();
  let last = start - (tty ? DRAW_MS : 0);
  let done = 0;
  const text = (): string => state(label, done, total, now() - start, options.unit ?? "lines", tty);
  return {
    update(count) {
      done = count;
      if (now() - last < (tty ? DRAW_MS : LINE_MS)) return;
      last = now();
      stream.write(tty ? `\r\u001b[2K${text()}` : `${text()}\n`);
    },
    end() {
      stream.write(tty ? `\r\u001b[2K${text()}\n` : `${text()}\n`);
    },
  };
}

function state(label: string, done: number, total: number, ms: number, unit: string, bar: boolean): string {
  const share = total > 0 ? Math.min(1, done / total) : undefined;
  const rate = ms > 0 ? `, ${grouped((done * 1000) / ms)}/s` : "";
  const percent = share === undefined ? "" : ` ${String(Math.floor(share * 100)).padStart(3)} %`;
  const full = Math.round((share ?? 0) * BAR);
  const drawn = bar && share !== undefined ? ` ${"█".repeat(full)}${"░".repeat(BAR - full)}` : "";
  return `${label}${drawn}${percent}  ${grouped(done)} ${unit}${rate}`;
}

const grouped = (n: number): string => Math.round(n).toLocaleString("en-US");
