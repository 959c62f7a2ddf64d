import type { Envelope } from "../log/envelope.ts";
import type { MailEvent } from "./event.ts";
import { parseMail } from "./grammar.ts";

/** Distinct templates counted; the rest goes to `otherTemplates`. */
const MAX_TEMPLATES = 20_000;
/** Masked shapes remembered by their raw text: most lines repeat one of a few hundred. */
const MAX_REMEMBERED = 5_000;
/** Longer shapes are masked but not remembered. */
const MAX_REMEMBERED_LENGTH = 400;

/** The parts of the layers to the left that a reader needs, so that it can be tested without them. */
export type LineTools = {
  /** Reads the head of a line; it knows zone and year. */
  readonly envelope: (text: string) => Envelope;
  /** Masks what varies in a shape. */
  readonly mask: (shape: string) => string;
  /** Stable id of a masked text. */
  readonly templateId: (template: string) => string;
};

type Known = { readonly template: string; readonly id: string };
export type Counted = { readonly id: string; readonly text: string; count: number };

/** Turns lines into events and keeps count of what it could not read. Deterministic: no clock, no chance. */
export class EventReader {
  lines = 0;
  unknown = 0;
  badEnvelope = 0;
  otherTemplates = 0;
  readonly byEvent: Map<string, number> = new Map();
  readonly byTemplate: Map<string, Counted> = new Map();
  private readonly remembered = new Map<string, Known>();
  private readonly tools: LineTools;

  constructor(tools: LineTools) {
    this.tools = tools;
  }

  /** One line as an event. file, line and truncated are only carried. */
  read(file: string, line: number, text: string, truncated: boolean): MailEvent {
    const envelope = this.tools.envelope(text);
    const parsed = parseMail(envelope);
    const known = this.template(parsed.daemon, parsed.shape);
    this.count(envelope, parsed.event, known);
    return {
      file,
      line,
      text,
      truncated,
      time: envelope.time,
      host: envelope.host,
      program: envelope.program,
      pid: envelope.pid,
      daemon: parsed.daemon,
      severity: parsed.severity,
      event: parsed.event,
      fields: parsed.fields,
      cause: parsed.cause,
      queueId: parsed.queueId,
      session: parsed.session,
      template: known.template,
      templateId: known.id,
    };
  }

  /** The counts of `parse --stats`: every line is in exactly one of events, unknown, bad_envelope, duplicates. */
  stats(duplicates = 0): {
    lines: number;
    events: Record<string, number>;
    unknown: number;
    bad_envelope: number;
    duplicates: number;
  } {
    return {
      lines: this.lines + duplicates,
      events: Object.fromEntries([...this.byEvent].sort((a, b) => (a[0] < b[0] ? -1 : 1))),
      unknown: this.unknown,
      bad_envelope: this.badEnvelope,
      duplicates,
    };
  }

  private template(daemon: string, shape: string): Known {
    const raw = `${daemon}: ${shape}`;
    const known = this.remembered.get(raw);
    if (known !== undefined) return known;
    const template = `${daemon}: ${this.tools.mask(shape)}`;
    const made = { template, id: this.tools.templateId(template) };
    if (this.remembered.size < MAX_REMEMBERED && raw.length <= MAX_REMEMBERED_LENGTH)
      this.remembered.set(raw, made);
    return made;
  }

  private count(envelope: Envelope, event: string, known: Known): void {
    this.lines++;
    if (envelope.time === null) this.badEnvelope++;
    else if (event === "unknown") this.unknown++;
    else this.byEvent.set(event, (this.byEvent.get(event) ?? 0) + 1);
    const row = this.byTemplate.get(known.id);
    if (row !== undefined) row.count++;
    else if (this.byTemplate.size < MAX_TEMPLATES)
      this.byTemplate.set(known.id, { id: known.id, text: known.template, count: 1 });
    else this.otherTemplates++;
  }
}
