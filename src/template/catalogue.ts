import { agglomerate } from "./agglomerate.ts";
import { MessageKey } from "./key.ts";
import { KeyTable } from "./key-table.ts";
import { maskText, PARAMETER, type Template, templateId } from "./mask.ts";

/** Distinct shapes kept. A busy mail server has some thousands; a flood of random words has any number. */
const MAX_SHAPES = 20_000;
/** When the table is full, new shapes are told apart by so many leading words alone. */
const COARSE_WORDS = 2;
/** Distinct coarse shapes kept; what comes after is one shape, "<*>". */
const MAX_COARSE = 1_000;
/** Message keys remembered with their shapes. A power of two; several keys have one shape. */
const MAX_KEYS = 65_536;

/** All shapes of a log, with counts, and after settle() the groups they form. Bounded; what was bounded is counted. */
export class Catalogue {
  private readonly indexOf = new Map<string, number>();
  private readonly shapes: string[] = [];
  private readonly counts: number[] = [];
  private groups: Template[] = [];
  private coarse = 0;
  private readonly key: MessageKey;
  private readonly keys = new KeyTable<number>(MAX_KEYS);
  /** Messages whose shape came too late for the table and was kept coarsely. */
  bounded = 0;

  /** seed: see MessageKey. It changes no result. */
  constructor(seed: number) {
    this.key = new MessageKey(seed);
  }

  /** Takes the message in bytes[start, end), UTF-8; the number of its shape, for groupOf. */
  addBytes(bytes: Buffer, start: number, end: number): number {
    const key = this.key;
    key.scan(bytes, start, end, 0);
    const known = this.keys.get(key.low, key.high);
    if (known !== undefined && key.whole) {
      this.counts[known]!++;
      if (known >= MAX_SHAPES) this.bounded++; // a coarse one
      return known;
    }
    const shape = this.add(bytes.toString(key.ascii ? "latin1" : "utf8", start, end));
    if (key.whole) this.keys.set(key.low, key.high, shape);
    return shape;
  }

  /** Takes one message; the number of its shape, for groupOf. */
  add(message: string): number {
    const shape = maskText(message);
    const known = this.indexOf.get(shape);
    if (known !== undefined) {
      this.counts[known]!++;
      return known;
    }
    return this.shapes.length < MAX_SHAPES ? this.enter(shape) : this.addCoarse(shape);
  }

  /** Forms the groups over all shapes so far. Call it after the last add(). */
  settle(): void {
    const joined = agglomerate(this.shapes);
    const made = new Map<string, Template>();
    this.groups = this.shapes.map((shape) => {
      const text = joined.get(shape) ?? shape;
      const known = made.get(text);
      if (known !== undefined) return known;
      const template = { id: templateId(text), text };
      made.set(text, template);
      return template;
    });
  }

  /** The text of a shape's number. RangeError for a number that add() did not return. */
  shapeOf(shape: number): string {
    const text = this.shapes[shape];
    if (text === undefined) throw new RangeError(`shape ${shape} of ${this.shapes.length}`);
    return text;
  }

  /** The group of a shape's number. Throws RangeError before settle(). */
  groupOf(shape: number): Template {
    const group = this.groups[shape];
    if (group === undefined) throw new RangeError(`shape ${shape} of ${this.groups.length} settled ones`);
    return group;
  }

  /** Shape id to group id for all shapes that were joined: what a model keeps so that ids stay the same. */
  aliases(): Map<string, string> {
    const out = new Map<string, string>();
    for (const [i, shape] of this.shapes.entries())
      if (this.groupOf(i).text !== shape) out.set(templateId(shape), this.groupOf(i).id);
    return out;
  }

  /** Groups with their numbers of messages, most frequent first, then by text. */
  table(): { template: Template; count: number }[] {
    const counts = new Map<Template, number>();
    for (const [i, count] of this.counts.entries())
      counts.set(this.groupOf(i), (counts.get(this.groupOf(i)) ?? 0) + count);
    return [...counts]
      .map(([template, count]) => ({ template, count }))
      .sort((a, b) => b.count - a.count || (a.template.text < b.template.text ? -1 : 1));
  }

  private enter(shape: string): number {
    this.indexOf.set(shape, this.shapes.length);
    this.counts.push(1);
    return this.shapes.push(shape) - 1;
  }

  /** A shape for which there is no room: by its first words, or as one for all. */
  private addCoarse(shape: string): number {
    this.bounded++;
    const words = `${shape.split(" ", COARSE_WORDS).join(" ")} ${PARAMETER}`;
    for (const coarse of [words, PARAMETER]) {
      const known = this.indexOf.get(coarse);
      if (known !== undefined) {
        this.counts[known]!++;
        return known;
      }
      if (this.coarse < MAX_COARSE || coarse === PARAMETER) {
        this.coarse++;
        return this.enter(coarse);
      }
    }
    throw new RangeError("unreachable: the last coarse shape always has room");
  }
}
