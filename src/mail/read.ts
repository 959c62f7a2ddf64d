import { type Envelope, parseEnvelope } from "../log/envelope.ts";
import { HeadReader } from "../log/fast-head.ts";
import { decode, LineBatch, latin1 } from "../log/lines.ts";
import type { LogClock, SavedClock } from "../log/year.ts";
import { GroupTable, type TemplateGroups } from "../template/groups.ts";
import { MessageKey } from "../template/key.ts";
import { maskText } from "../template/mask.ts";
import type { Cause, Fields, MailEvent, Severity } from "./event.ts";
import { parseMail } from "./grammar.ts";
import type { Count, Details, Plan } from "./plan.ts";
import { PlanTable } from "./plan-table.ts";

/** Distinct templates counted; the rest goes to `otherTemplates`. */
const MAX_TEMPLATES = 20_000;
/** Messages that nobody understands are listed up to this many templates. */
const LISTED = 50;

export type TemplateCount = Count & { readonly id: string; readonly text: string; readonly unknown: boolean };

/** What `parse --stats` prints. events + unknown + bad_envelope + duplicates = lines. */
export type Stats = {
  readonly lines: number;
  readonly events: Readonly<Record<string, number>>;
  readonly unknown: number;
  readonly bad_envelope: number;
  readonly duplicates: number;
  readonly truncated: number;
  /** The templates of unknown lines, most frequent first. */
  readonly unknown_templates: readonly { template_id: string; template: string; count: number }[];
  /** Distinct templates, and lines of templates that came after the table was full. */
  readonly templates: number;
  readonly templates_bounded: number;
};

/** What goes on in a later reader: the clock, and what was counted. */
export type SavedReader = {
  readonly clock: SavedClock;
  readonly lines: number;
  readonly badEnvelope: number;
  readonly truncated: number;
  readonly otherTemplates: number;
  readonly byTemplate: ReadonlyMap<string, TemplateCount>;
  readonly byEvent: ReadonlyMap<string, Count>;
};

/**
 * Turns lines into events and keeps count of what it could not read. The first message of a key goes through the
 * grammar, which says what all messages of that key are (a Plan); those after it cost a look at the table, and the
 * grammar reads their fields when somebody asks. Deterministic, as plans depend on keys alone: no clock, no chance.
 */
export class EventReader {
  lines = 0;
  badEnvelope = 0;
  truncated = 0;
  /** Lines of templates that found no room in the table. */
  readonly otherTemplates: Count = { count: 0 };
  readonly byTemplate: Map<string, TemplateCount> = new Map();
  private readonly byEvent = new Map<string, Count>();
  private readonly clock: LogClock;
  private readonly head: HeadReader;
  private readonly key: MessageKey;
  private plans = new PlanTable();
  private groups = new GroupTable([]);
  private readonly single = new LineBatch();

  /** clock: settles year and zone. seed: of the keys; 32 bits that writers of logs can't know. It changes no result. */
  constructor(clock: LogClock, seed: number) {
    this.clock = clock;
    this.head = new HeadReader(clock);
    this.key = new MessageKey(seed);
  }

  /** Line i of a batch as an event. file: as it is to be cited. */
  read(file: string, batch: LineBatch, i: number): MailEvent {
    const truncated = this.begin(batch, i);
    if (!this.head.read(batch.bytes, batch.starts[i]!, batch.ends[i]!))
      return this.readSlowly(file, batch, i, truncated);
    return this.eventOf(file, batch, i, truncated, this.planned(batch, i));
  }

  /** Counts line i of a batch, as `read` does, for those who want nothing but the counts. */
  count(file: string, batch: LineBatch, i: number): void {
    const truncated = this.begin(batch, i);
    if (!this.head.read(batch.bytes, batch.starts[i]!, batch.ends[i]!))
      this.readSlowly(file, batch, i, truncated);
    else {
      const plan = this.planned(batch, i);
      if (plan === undefined) this.eventOf(file, batch, i, truncated, undefined);
      else this.tally(plan, true);
    }
  }

  /** Returns whether the line was cut. */
  private begin(batch: LineBatch, i: number): boolean {
    const truncated = batch.cut.size > 0 && batch.cut.has(i);
    this.lines++;
    if (truncated) this.truncated++;
    return truncated;
  }

  /** The plan of the line whose head was just read, where one is known. Scans its key. */
  private planned(batch: LineBatch, i: number): Plan | undefined {
    this.key.scan(batch.bytes, this.head.messageAt, batch.ends[i]!, this.writer());
    return this.known(this.writer());
  }

  /** Programs with and without a pid, by number. */
  private writer(): number {
    return 2 * this.head.program.id + (this.head.pid < 0 ? 1 : 0);
  }

  /** The plan of the key just scanned. writer: 0 when the program has no number. */
  private known(writer: number): Plan | undefined {
    const { key } = this;
    return writer > 0 && key.whole ? this.plans.get(key.low, key.high) : undefined;
  }

  /** The event of the line whose head and key were just read. known: its plan; made when undefined. */
  private eventOf(
    file: string,
    batch: LineBatch,
    i: number,
    truncated: boolean,
    known: Plan | undefined,
  ): MailEvent {
    const { time, host, program, messageAt } = this.head;
    const pid = this.head.pid < 0 ? undefined : this.head.pid;
    const event = new LineEvent(
      file,
      batch.first + i,
      truncated,
      time,
      host,
      program.text,
      pid,
      batch.bytes,
      batch.starts[i]!,
      batch.ends[i]!,
    );
    event.messageAt = messageAt;
    event.ascii = this.key.ascii;
    this.take(event, known, this.writer());
    return event;
  }

  /** From now on, shapes that training joined have their group's template. groups: of the model that is to judge. */
  adopt(groups: TemplateGroups): void {
    this.groups = new GroupTable(groups);
    this.plans = new PlanTable();
  }

  /** Keys and plans are found anew, whatever the seed of the later reader. */
  save(): SavedReader {
    const { lines, badEnvelope, truncated, byTemplate, byEvent } = this;
    const otherTemplates = this.otherTemplates.count;
    return { clock: this.clock.save(), lines, badEnvelope, truncated, otherTemplates, byTemplate, byEvent };
  }

  /** The clock that this reader was made with goes on, too. */
  load({ clock, lines, badEnvelope, truncated, otherTemplates, byTemplate, byEvent }: SavedReader): void {
    this.clock.load(clock);
    this.head.forget();
    this.lines = lines;
    this.badEnvelope = badEnvelope;
    this.truncated = truncated;
    this.otherTemplates.count = otherTemplates;
    for (const [id, count] of byTemplate) this.byTemplate.set(id, count);
    for (const [event, count] of byEvent) this.byEvent.set(event, count);
    this.plans = new PlanTable(); // whose counts are others
  }

  /** One line given as text. */
  readText(file: string, line: number, text: string): MailEvent {
    const bytes = Buffer.from(text);
    this.single.reset(bytes, line);
    this.single.add(0, bytes.length);
    return this.read(file, this.single, 0);
  }

  /** Lines with a time whose text nobody understood. */
  get unknown(): number {
    return this.byEvent.get("unknown")?.count ?? 0;
  }

  /** duplicates: lines that were left out before they came here. */
  stats(duplicates = 0): Stats {
    const events: Record<string, number> = {};
    for (const [name, { count }] of [...this.byEvent].sort((a, b) => (a[0] < b[0] ? -1 : 1)))
      if (name !== "unknown" && count > 0) events[name] = count;
    const unknown = [...this.byTemplate.values()]
      .filter((t) => t.unknown && t.count > 0)
      .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
      .slice(0, LISTED);
    return {
      lines: this.lines + duplicates,
      events,
      unknown: this.unknown,
      bad_envelope: this.badEnvelope,
      duplicates,
      truncated: this.truncated,
      unknown_templates: unknown.map(({ id, text, count }) => ({ template_id: id, template: text, count })),
      templates: this.byTemplate.size,
      templates_bounded: this.otherTemplates.count,
    };
  }

  /** A line whose head is of another form than the two that HeadReader takes. */
  private readSlowly(file: string, batch: LineBatch, i: number, truncated: boolean): MailEvent {
    const { bytes } = batch;
    const start = batch.starts[i]!;
    const end = batch.ends[i]!;
    const text = decode(bytes, start, end);
    const envelope = parseEnvelope(text, this.clock);
    this.head.forget();
    const { time, host, program: name, pid } = envelope;
    const line = batch.first + i;
    const event = new LineEvent(file, line, truncated, time, host, name, pid, bytes, start, end);
    event.envelope = envelope;
    const message = Buffer.from(envelope.message);
    const program = this.head.programId(envelope.program);
    const writer = program === 0 ? 0 : 2 * program + (envelope.pid === undefined ? 1 : 0);
    this.key.scan(message, 0, message.length, writer);
    event.ascii = this.key.ascii;
    this.take(event, this.known(writer), writer);
    if (envelope.time === null) this.badEnvelope++;
    return event;
  }

  /** Gives an event its plan, made where none is known, and counts its line. */
  private take(event: LineEvent, known: Plan | undefined, writer: number): void {
    event.plan = known ?? this.makePlan(event, writer);
    this.tally(event.plan, event.time !== null);
  }

  private tally(plan: Plan, timed: boolean): void {
    plan.counted.count++;
    if (timed) plan.named.count++;
  }

  /** By the grammar, and kept under the key just scanned when it holds for all messages of that. */
  private makePlan(event: LineEvent, writer: number): Plan {
    const parsed = parseMail(event.envelopeOf());
    event.details = parsed;
    const { id, text } = this.groups.templateOf(parsed.daemon, maskText(parsed.shape));
    const plan = {
      number: -1,
      event: parsed.event,
      daemon: parsed.daemon,
      severity: parsed.severity,
      cause: parsed.cause,
      template: text,
      templateId: id,
      named: this.countOf(parsed.event),
      counted: this.countTemplate(id, text, parsed.event === "unknown"),
    };
    const { key } = this;
    if (writer > 0 && key.whole && !parsed.uncached) this.plans.set(key.low, key.high, plan);
    return plan;
  }

  private countOf(event: string): Count {
    let count = this.byEvent.get(event);
    if (count === undefined) {
      count = { count: 0 };
      this.byEvent.set(event, count);
    }
    return count;
  }

  private countTemplate(id: string, text: string, unknown: boolean): Count {
    const known = this.byTemplate.get(id);
    if (known !== undefined) return known;
    if (this.byTemplate.size >= MAX_TEMPLATES) return this.otherTemplates;
    const made = { id, text, unknown, count: 0 };
    this.byTemplate.set(id, made);
    return made;
  }
}

const NO_PLAN: Plan = {
  number: -1,
  event: "unknown",
  daemon: "unknown",
  severity: "info",
  cause: undefined,
  template: "",
  templateId: "",
  named: { count: 0 },
  counted: { count: 0 },
};

/** One line: its plan, its place in the bytes, and what is read from it when somebody asks. Keeps the bytes alive until then. */
class LineEvent implements MailEvent {
  readonly file: string;
  readonly line: number;
  readonly truncated: boolean;
  readonly time: number | null;
  readonly host: string;
  readonly program: string;
  readonly pid: number | undefined;
  private readonly bytes: Buffer;
  private readonly start: number;
  private readonly end: number;
  plan: Plan = NO_PLAN;
  details: Details | undefined = undefined;
  /** Set where the fast way did not read the head. */
  envelope: Envelope | undefined = undefined;
  /** Where the message begins in the bytes, and whether it is ASCII, where the fast way did, which takes no head that is not. */
  messageAt = 0;
  ascii = false;
  /** What `text` and `message` returned: several readers ask for them. */
  private whole: string | undefined = undefined;
  private words: string | undefined = undefined;

  constructor(
    file: string,
    line: number,
    truncated: boolean,
    time: number | null,
    host: string,
    program: string,
    pid: number | undefined,
    bytes: Buffer,
    start: number,
    end: number,
  ) {
    this.file = file;
    this.line = line;
    this.truncated = truncated;
    this.time = time;
    this.host = host;
    this.program = program;
    this.pid = pid;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get event(): string {
    return this.plan.event;
  }
  get daemon(): string {
    return this.plan.daemon;
  }
  get severity(): Severity {
    return this.plan.severity;
  }
  get cause(): Cause | undefined {
    return this.plan.cause;
  }
  get template(): string {
    return this.plan.template;
  }
  get templateId(): string {
    return this.plan.templateId;
  }
  get text(): string {
    const read = this.ascii && this.envelope === undefined ? latin1 : decode;
    this.whole ??= read(this.bytes, this.start, this.end);
    return this.whole;
  }
  get message(): string {
    if (this.envelope !== undefined) return this.envelope.message;
    if (!this.ascii) return decode(this.bytes, this.messageAt, this.end);
    this.words ??=
      this.whole?.slice(this.messageAt - this.start) ?? latin1(this.bytes, this.messageAt, this.end);
    return this.words;
  }
  get plainHead(): boolean {
    return this.envelope === undefined;
  }
  get fields(): Fields {
    return this.read().fields;
  }
  get queueId(): string | undefined {
    return this.read().queueId;
  }
  get session(): string | undefined {
    return this.read().session;
  }

  /** The head of the line, as parseEnvelope gives it. */
  envelopeOf(): Envelope {
    if (this.envelope !== undefined) return this.envelope;
    const { time, host, program, pid, message } = this;
    return { time, host, program, pid, message };
  }

  private read(): Details {
    this.details ??= parseMail(this.envelopeOf());
    return this.details;
  }
}
