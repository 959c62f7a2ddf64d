import { SLOT_MS } from "./clock.ts";
import type { SeenLine } from "./transaction.ts";

/** What lines of one shape share. */
type Shape = Pick<SeenLine, "templateId" | "template" | "family" | "cause">;

/** The lines that a saved state cites, column by column: each line once, and once what it shares with others. */
export type SavedLines = {
  readonly files: readonly string[];
  readonly shapes: readonly Shape[];
  /** Of files, and of shapes. */
  readonly file: Uint32Array;
  readonly shape: Uint32Array;
  readonly line: Float64Array;
  readonly time: Float64Array;
  readonly text: readonly string[];
};

/** In the place of a line that is too old to be cited. */
const FORGOTTEN: SeenLine = {
  file: "",
  line: 0,
  text: "",
  time: Number.NEGATIVE_INFINITY,
  templateId: "",
  template: "",
  family: "total",
  cause: undefined,
};

/** Number of a line that was left out. */
export const LEFT_OUT = -1;

/** Collects the lines of a state that is saved; what holds lines saves their numbers. */
export class LineSaver {
  /** End of the open slot, in ms. */
  readonly #end: number;
  readonly #lines = new Map<SeenLine, number>();
  readonly #files = new Map<string, number>();
  readonly #shapes = new Map<string, { readonly at: number; readonly shape: Shape }>();

  /** slot: the open one. */
  constructor(slot: number) {
    this.#end = (slot + 1) * SLOT_MS;
  }

  /** The number of a line; LEFT_OUT for one that lies before the `slots` newest slots, where nobody asks for it any more. */
  of(line: SeenLine, slots: number = Number.POSITIVE_INFINITY): number {
    if (line.time < this.#end - slots * SLOT_MS) return LEFT_OUT;
    const known = this.#lines.get(line);
    if (known !== undefined) return known;
    this.#lines.set(line, this.#lines.size);
    return this.#lines.size - 1;
  }

  done(): SavedLines {
    const lines = [...this.#lines.keys()];
    return {
      file: Uint32Array.from(lines, (l) => this.#fileOf(l)),
      shape: Uint32Array.from(lines, (l) => this.#shapeOf(l)),
      line: Float64Array.from(lines, (l) => l.line),
      time: Float64Array.from(lines, (l) => l.time),
      text: lines.map((l) => l.text),
      files: [...this.#files.keys()],
      shapes: [...this.#shapes.values()].map(({ shape }) => shape),
    };
  }

  #fileOf({ file }: SeenLine): number {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    this.#files.set(file, this.#files.size);
    return this.#files.size - 1;
  }

  #shapeOf({ templateId, template, family, cause }: SeenLine): number {
    const key = `${templateId} ${family} ${cause}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) return known.at;
    const at = this.#shapes.size;
    this.#shapes.set(key, { at, shape: { templateId, template, family, cause } });
    return at;
  }
}

/** The lines of a saved state, by their numbers. */
export class LineLoader {
  readonly #lines: readonly SeenLine[];

  constructor({ files, shapes, file, shape, line, time, text }: SavedLines) {
    this.#lines = text.map((own, i) => {
      const { templateId, template, family, cause } = shapes[shape[i]!]!;
      const at = { line: line[i]!, text: own, time: time[i]! };
      return { file: files[file[i]!]!, ...at, templateId, template, family, cause };
    });
  }

  of(number: number): SeenLine {
    return this.#lines[number] ?? FORGOTTEN;
  }
}
