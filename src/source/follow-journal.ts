import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Fault } from "../fault.ts";
import { LineBatch } from "../log/lines.ts";
import type { From } from "./begin.ts";
import { Condition } from "./condition.ts";
import { EXPORT_FIELDS, ExportReader } from "./export.ts";
import { journalFault, missingFault } from "./fault.ts";
import { goneFault, journalGoneFault } from "./follow-fault.ts";
import type { Followed, SourceStatus } from "./followed.ts";
import type { JournalPosition, Position, Run } from "./position.ts";
import { FailedProgram, MissingProgram, output } from "./program.ts";

/** The source of the system's journal. */
export const JOURNAL_SOURCE = "journal:";

/** A run holds at most so many entries; so many lie ready before journalctl has to wait. */
const RUN_ENTRIES = 500;
const MAX_READY = 2 * RUN_ENTRIES;
/** A journalctl that ended is started again after so long, doubled each time that it brought nothing. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** What journalctl says on standard error is kept up to here. */
const MAX_COMPLAINT = 500;

/** What is looked at when no unit is set: what is logged as mail, and daemons around it that log otherwise. */
const MAIL = ["SYSLOG_FACILITY=2"].concat(
  ["rspamd", "postgrey", "clamav-daemon", "clamav-milter", "spamd", "saslauthd", "ssh", "sshd"].flatMap(
    (unit) => ["+", `_SYSTEMD_UNIT=${unit}.service`],
  ),
);

type Entry = { readonly line: string; readonly cursor: string };

export type JournalOptions = {
  readonly now: () => number;
  readonly ticks: () => number;
  /** Called when entries have come. */
  readonly wake: () => void;
};

/** The system's journal through `journalctl --follow`: one line of JSON an entry, with the entry's cursor as its position. */
export class JournalSource implements Followed {
  readonly id: string = JOURNAL_SOURCE;
  readonly lane: string = JOURNAL_SOURCE;
  ready: LineBatch | undefined;
  private readonly units: readonly string[];
  private readonly from: From;
  private readonly options: JournalOptions;
  private readonly condition: Condition;
  private known: JournalPosition | undefined;
  private child: ChildProcess | undefined;
  private readonly entries: Entry[] = [];
  private startAt = 0;
  private backoff = FIRST_BACKOFF_MS;

  constructor(
    units: readonly string[],
    position: JournalPosition | undefined,
    from: From,
    options: JournalOptions,
  ) {
    this.units = units;
    this.known = position;
    this.from = from;
    this.options = options;
    this.condition = new Condition(options.now);
  }

  get more(): boolean {
    return this.entries.length > 0;
  }

  isQuiet(): boolean {
    return this.child !== undefined && this.entries.length === 0;
  }

  position(): JournalPosition | undefined {
    return this.known;
  }

  async step(): Promise<void> {
    try {
      if (this.child === undefined && this.options.ticks() >= this.startAt) await this.start();
    } catch (error) {
      this.failed(error);
    }
    if (this.entries.length > 0) this.ready = batchOf(this.entries, this.known!.line + 1);
  }

  take(n: number): Run {
    const from = this.known!;
    const taken = this.entries.splice(0, n);
    const to: JournalPosition = { kind: "journal", cursor: taken.at(-1)!.cursor, line: from.line + n };
    const lines = n < this.ready!.count ? batchOf(taken, from.line + 1) : this.ready!;
    this.known = to;
    this.ready = this.entries.length > 0 ? batchOf(this.entries, to.line + 1) : undefined;
    if (this.entries.length < MAX_READY) this.child?.stdout?.resume();
    return { source: this.id, file: this.id, lines, from, to };
  }

  status(): SourceStatus {
    const { state, since, lost, shown } = this.condition;
    return { source: this.id, state, since, behind: 0, lost, fault: shown };
  }

  news(): Fault[] {
    return this.condition.news();
  }

  async *reread(from: Position, to: Position): AsyncGenerator<Run> {
    if (from.kind !== "journal" || to.kind !== "journal") throw goneFault(this.id);
    let last: JournalPosition = from;
    let batch: Entry[] = [];
    const reader = new ExportReader((line, cursor) => batch.push({ line, cursor }));
    for await (const chunk of output("journalctl", this.args([...after(from.cursor), "--lines=all"]))) {
      reader.push(chunk);
      const end = batch.findIndex((entry) => entry.cursor === to.cursor);
      if (end >= 0) batch = batch.slice(0, end + 1);
      if (batch.length === 0) continue;
      const next: JournalPosition = {
        kind: "journal",
        cursor: batch.at(-1)!.cursor,
        line: last.line + batch.length,
      };
      yield { source: this.id, file: this.id, lines: batchOf(batch, last.line + 1), from: last, to: next };
      if (end >= 0) return;
      last = next;
      batch = [];
    }
    throw goneFault(this.id);
  }

  async close(): Promise<void> {
    this.startAt = Number.POSITIVE_INFINITY;
    this.child?.kill();
    this.child = undefined;
  }

  private args(more: readonly string[]): string[] {
    const fields = `--output-fields=${EXPORT_FIELDS.join(",")}`;
    const which = this.units.length > 0 ? this.units.map((unit) => `--unit=${unit}`) : MAIL;
    return ["--no-pager", "--quiet", "--output=export", fields, ...more, ...which];
  }

  /** Finds out where to begin, and whether the entry read last is still there; then follows. */
  private async start(): Promise<void> {
    this.known ??= await this.beginning();
    const cursor = this.entries.at(-1)?.cursor ?? this.known.cursor;
    // journalctl leaves out one entry after a cursor, also when that one is gone.
    const place = cursor === "" || (await this.isThere(cursor)) ? after(cursor) : [`--cursor=${cursor}`];
    const child = spawn("journalctl", this.args(["--follow", "--lines=all", ...place]), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaint = "";
    child.stderr!.on("data", (text: Buffer) => {
      if (complaint.length < MAX_COMPLAINT) complaint += text.toString().slice(0, MAX_COMPLAINT);
    });
    child.on("close", () => {
      if (this.child !== child) return;
      this.child = undefined;
      this.failed(new FailedProgram(complaint.trim().split("\n")[0]!));
    });
    child.on("error", () => undefined); // "close" follows, or "spawn" doesn't
    try {
      await once(child, "spawn");
    } catch {
      throw new MissingProgram("journalctl");
    }
    this.child = child;
    const reader = new ExportReader((line, entry) => this.entries.push({ line, cursor: entry }));
    child.stdout!.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      if (this.entries.length === 0) return;
      this.condition.ok();
      this.backoff = FIRST_BACKOFF_MS;
      if (this.entries.length >= MAX_READY) child.stdout!.pause();
      this.options.wake();
    });
  }

  private async beginning(): Promise<JournalPosition> {
    const from = this.from;
    if (from === "start") return { kind: "journal", cursor: "", line: 0 };
    const time = typeof from === "object" ? ("time" in from ? from.time : from.born) : undefined;
    // The last entry before the time: what follows it is read.
    const until = time === undefined ? [] : [`--until=@${Math.max(0, (time - 1) / 1000).toFixed(3)}`];
    const last = await this.firstOf(this.args([...until, "--lines=1"]));
    return { kind: "journal", cursor: last?.cursor ?? "", line: 0 };
  }

  /** Whether the entry read last is still there. If not, entries after it may have been removed too (vacuumed), and that is told. */
  private async isThere(cursor: string): Promise<boolean> {
    const args = ["--no-pager", "--quiet", "--output=export", "--output-fields=MESSAGE", "--lines=1"];
    const there = await this.firstOf([...args, `--cursor=${cursor}`]);
    if (there?.cursor === cursor) return true;
    const entries = there === undefined ? 0 : Math.max(0, numberOf(there.cursor) - numberOf(cursor) - 1);
    const same = there !== undefined && idOf(there.cursor) === idOf(cursor);
    this.condition.lose({ lines: same ? entries : 0 }, journalGoneFault(same ? entries : 0));
    return false;
  }

  private async firstOf(args: readonly string[]): Promise<Entry | undefined> {
    let first: Entry | undefined;
    const reader = new ExportReader((line, cursor) => {
      first ??= { line, cursor };
    });
    for await (const chunk of output("journalctl", args)) reader.push(chunk);
    reader.end();
    return first;
  }

  private failed(error: unknown): void {
    const fault =
      error instanceof MissingProgram
        ? missingFault("journalctl", "follow the journal")
        : journalFault(this.id, (error as Error).message);
    const denied = /permission/i.test((error as Error).message);
    this.condition.wrong(denied ? "denied" : "failed", () => fault);
    this.startAt = this.options.ticks() + this.backoff;
    this.backoff = Math.min(MAX_BACKOFF_MS, 2 * this.backoff);
  }
}

const after = (cursor: string): string[] => (cursor === "" ? [] : [`--after-cursor=${cursor}`]);

/** A cursor names the journal's series (`s=`) and the entry's number in it (`i=`, hexadecimal); sd-journal(3). */
const idOf = (cursor: string): string => /(?:^|;)s=([0-9a-f]+)/.exec(cursor)?.[1] ?? "";
const numberOf = (cursor: string): number =>
  Number.parseInt(/(?:^|;)i=([0-9a-f]+)/.exec(cursor)?.[1] ?? "0", 16);

/** Entries as lines. first: number of the first one. */
function batchOf(entries: readonly Entry[], first: number): LineBatch {
  const lines = new LineBatch();
  const part = entries.slice(0, RUN_ENTRIES);
  const bytes = Buffer.from(part.map((entry) => `${entry.line}\n`).join(""));
  lines.reset(bytes, first);
  let from = 0;
  for (let i = 0; i < part.length; i++) {
    const end = bytes.indexOf(10, from);
    lines.add(from, end);
    from = end + 1;
  }
  return lines;
}
