import { isDeepStrictEqual } from "node:util";
import { recordOf } from "../../src/cli/parse.ts";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LINE_CAP, type LineBatch, LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { parseMail } from "../../src/mail/grammar.ts";
import { EventReader } from "../../src/mail/read.ts";
import { GroupTable } from "../../src/template/groups.ts";
import { maskText } from "../../src/template/mask.ts";

const YEAR = 2026;
/** Of the keys of messages; a run is to be the same each time. */
const KEY_SEED = 7;
const LF = Uint8Array.of(10);
const CR = 13;
/** A first read that takes longer, in ms, is measured with care: below lies what a busy machine adds. */
const SUSPECT_MS = 5;
/** The worst of so many reads, each by a reader that has seen nothing, is what a line costs. */
const REPEATS = 3;
/** A set of repeats whose worst is above this, in ms, is measured anew, up to so many sets. */
const CALM_MS = 5;
const SETS = 5;

const newClock = (): LogClock => new LogClock(new Zone("UTC"), YEAR);

/** The way of one line through cutting, envelope, event, template and fields: what `parse` does, without files. */
class ReadPath {
  private readonly cutter = new LineCutter();
  readonly reader: EventReader = new EventReader(newClock(), KEY_SEED);

  /** Everything that an event says is looked at, as far as it is made on demand. split: the line comes in two chunks. */
  readLine(line: Buffer, split = false): MailEvent {
    const batch = split ? this.cutSplit(line) : this.cutter.push(Buffer.concat([line, LF]));
    if (batch.length !== 1 || batch[0]!.count !== 1) throw new RangeError("not one line from one");
    const event = this.reader.read("-", batch[0]!, 0);
    if (event.fields === undefined || event.queueId === "") throw new RangeError("no fields or an empty id");
    return event;
  }

  private cutSplit(line: Buffer): LineBatch[] {
    const half = line.length >> 1;
    return [
      this.cutter.push(line.subarray(0, half)),
      this.cutter.push(Buffer.concat([line.subarray(half), LF])),
    ].flat();
  }
}

/** Whether it exists depends on the year, which depends on the lines before. */
const LEAP_DAY = "Feb 29";
const CHECK_CLOCK = newClock();
const NO_GROUPS = new GroupTable([]);

/** What the grammar says of the line by itself, without a plan that another line left behind. */
function readAlone(text: string): Record<string, unknown> {
  const { host, program, pid, ...envelope } = parseEnvelope(text, CHECK_CLOCK);
  const { event, daemon, severity, cause, fields, queueId, session, shape } = parseMail({
    host,
    program,
    pid,
    ...envelope,
  });
  const { id, text: template } = NO_GROUPS.templateOf(daemon, maskText(shape));
  return {
    host,
    program,
    pid,
    event,
    daemon,
    severity,
    cause,
    fields,
    queueId,
    session,
    template,
    templateId: id,
  };
}

/** The same of an event. */
function saidBy(event: MailEvent): Record<string, unknown> {
  const {
    host,
    program,
    pid,
    event: name,
    daemon,
    severity,
    cause,
    fields,
    queueId,
    session,
    template,
    templateId,
  } = event;
  return {
    host,
    program,
    pid,
    event: name,
    daemon,
    severity,
    cause,
    fields,
    queueId,
    session,
    template,
    templateId,
  };
}

/** What a line should be as text: decoded, without leading NULs and a CR at its end; undefined when it is cut. */
function expectedText(line: Buffer): string | undefined {
  let from = 0;
  while (line[from] === 0) from++;
  const to = line.length > from && line[line.length - 1] === CR ? line.length - 1 : line.length;
  if (to - from > LINE_CAP) return undefined;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(line.subarray(from, to));
}

/**
 * Milliseconds that the work took: the lesser of CPU and elapsed time, as the one includes the collector's threads and the
 * other the neighbours of the machine.
 */
function costOf(work: () => void): number {
  const cpu = process.cpuUsage();
  const start = performance.now();
  work();
  const took = performance.now() - start;
  if (took <= CALM_MS) return took;
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(took, (user + system) / 1000);
}

/** The dearest of some reads by fresh readers, in ms. */
function worstOfRepeats(line: Buffer): number {
  let worst = 0;
  for (let i = 0; i < REPEATS; i++) {
    const path = new ReadPath();
    worst = Math.max(
      worst,
      costOf(() => path.readLine(line)),
    );
  }
  return worst;
}

/** Reads lines one by one, measures each, and holds them to what must be true of any line. */
export class Watch {
  private readonly path = new ReadPath();
  private readonly recordEvery: number;
  lines = 0;
  truncated = 0;
  /** Lines of those looked at that were read otherwise than alone: the plan of an earlier line with their key does not fit. */
  planned = 0;
  plannedLine: Buffer = Buffer.alloc(0);
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
    let event: MailEvent | undefined;
    const took = costOf(() => {
      event = this.path.readLine(line, this.lines % 2 === 1);
    });
    this.lines++;
    if (took > SUSPECT_MS) this.suspect(line);
    else if (took > this.worst) this.note(took, line);
    this.check(line, event!);
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
    if (!event.text.includes(LEAP_DAY) && !isDeepStrictEqual(saidBy(event), readAlone(event.text))) {
      this.planned++;
      this.plannedLine = Buffer.from(line);
    }
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
