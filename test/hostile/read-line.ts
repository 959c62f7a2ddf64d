import { recordOf } from "../../src/cli/parse.ts";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LINE_CAP, LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { EventReader } from "../../src/mail/read.ts";
import { maskText, templateId } from "../../src/template/mask.ts";

const YEAR = 2026;
const LF = Uint8Array.of(10);
const CR = 13;
/** A first read that takes longer, in ms, is measured with care: below lies what a busy machine adds. */
const SUSPECT_MS = 2;
/** The worst of so many reads, each by a reader that has seen nothing, is what a line costs. */
const REPEATS = 3;
/** A set of repeats whose worst is above this, in ms, is measured anew, up to so many sets. */
const CALM_MS = 4;
const SETS = 5;

/** The way of one line through cutting, envelope, event, template and fields: what `parse` does, without files. */
class ReadPath {
  private readonly cutter = new LineCutter();
  readonly reader: EventReader;

  constructor() {
    const clock = new LogClock(new Zone("UTC"), YEAR);
    this.reader = new EventReader({
      envelope: (text) => parseEnvelope(text, clock),
      mask: maskText,
      templateId,
    });
  }

  /** Everything that an event says is looked at, as far as it is made on demand. */
  readLine(line: Uint8Array): MailEvent {
    const cut = [...this.cutter.push(line), ...this.cutter.push(LF)];
    if (cut.length !== 1) throw new RangeError(`${cut.length} lines from one`);
    const event = this.reader.read("-", cut[0]!.line, cut[0]!.text, cut[0]!.truncated);
    if (event.fields === undefined || event.queueId === "") throw new RangeError("no fields or an empty id");
    return event;
  }
}

/** What a line should be as text: decoded, without leading NULs and a CR at its end; undefined when it is cut. */
function expectedText(line: Buffer): string | undefined {
  let from = 0;
  while (line[from] === 0) from++;
  const to = line.length > from && line[line.length - 1] === CR ? line.length - 1 : line.length;
  if (to - from > LINE_CAP) return undefined;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(line.subarray(from, to));
}

/** The dearest of some reads by fresh readers, in ms. */
function worstOfRepeats(line: Buffer): number {
  let worst = 0;
  for (let i = 0; i < REPEATS; i++) {
    const path = new ReadPath();
    const cpu = process.cpuUsage();
    const start = performance.now();
    path.readLine(line);
    const took = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    // The lesser of the two: CPU time includes the collector's threads, elapsed time the neighbours of the machine.
    worst = Math.max(worst, Math.min(took, (user + system) / 1000));
  }
  return worst;
}

/** Reads lines one by one, measures each, and holds them to what must be true of any line. */
export class Watch {
  private readonly path = new ReadPath();
  private readonly recordEvery: number;
  lines = 0;
  truncated = 0;
  suspects = 0;
  /** Milliseconds, see REPEATS; of lines that were no suspects, the first read. */
  worst = 0;
  worstLine: Buffer = Buffer.alloc(0);

  /** recordEvery: one line in so many is also printed and read back as JSON. */
  constructor(recordEvery: number) {
    this.recordEvery = recordEvery;
  }

  /** Throws RangeError when the line breaks an invariant. */
  read(line: Buffer): void {
    const start = performance.now();
    const event = this.path.readLine(line);
    const took = performance.now() - start;
    this.lines++;
    if (took > SUSPECT_MS) this.suspect(line);
    else if (took > this.worst) this.note(took, line);
    this.check(line, event);
  }

  /** The counts of all lines add up. */
  settle(): void {
    const { lines, events, unknown, bad_envelope, duplicates } = this.path.reader.stats();
    const named = Object.values(events).reduce((a, b) => a + b, 0);
    if (lines !== this.lines || named + unknown + bad_envelope + duplicates !== lines)
      throw new RangeError(`${named} + ${unknown} + ${bad_envelope} + ${duplicates} of ${this.lines} lines`);
  }

  private check(line: Buffer, event: MailEvent): void {
    if (event.line !== this.lines) throw new RangeError(`line ${event.line}, not ${this.lines}`);
    const text = expectedText(line);
    if (event.truncated !== (text === undefined)) throw new RangeError(`truncated: ${event.truncated}`);
    if (text === undefined) this.truncated++;
    else if (event.text !== text) throw new RangeError(`text ${JSON.stringify(event.text)}`);
    if (this.lines % this.recordEvery !== 0) return;
    const record = JSON.stringify(recordOf(event));
    const back = JSON.parse(record) as Record<string, unknown>;
    if (back["text"] !== event.text || record.includes("\n")) throw new RangeError(`record ${record}`);
  }

  /** Measures again while a set of repeats comes out dear: a busy machine disturbs one set, a dear line all of them. */
  private suspect(line: Buffer): void {
    this.suspects++;
    let least = Number.POSITIVE_INFINITY;
    for (let set = 0; set < SETS && least > CALM_MS; set++) least = Math.min(least, worstOfRepeats(line));
    if (least > this.worst) this.note(least, line);
  }

  private note(cost: number, line: Buffer): void {
    this.worst = cost;
    this.worstLine = Buffer.from(line);
  }
}
