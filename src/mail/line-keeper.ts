import type { LineRef } from "./story.ts";

/** Characters of line text held where the input can't be read twice. */
const MAX_TEXT = 64 << 20;

/** What lines are kept of. */
export type LineOwner = { readonly lines: LineRef[]; lineCount: number };

/** Keeps the refs of lines with their owners, and counts the text that they hold. */
export class LineKeeper {
  /** Lines whose text was dropped to bound memory. */
  dropped = 0;
  #held = 0;

  /** Adds a line to its owner, which keeps the first half of `limit` and the newest. */
  keep(owner: LineOwner, ref: LineRef, limit: number): void {
    owner.lineCount++;
    if (owner.lines.length >= limit) this.#held -= owner.lines.splice(limit >> 1, 1)[0]?.text?.length ?? 0;
    owner.lines.push(ref);
    this.#held += ref.text?.length ?? 0;
  }

  /** The owner is given out; its text is somebody else's now. */
  release(owner: LineOwner): void {
    for (const { text } of owner.lines) this.#held -= text?.length ?? 0;
  }

  /** Where there is too much text: drops that of the owners, longest unseen first, until a tenth is free. */
  shrink(owners: Iterable<LineOwner>): void {
    if (this.#held <= MAX_TEXT) return;
    for (const { lines } of owners) {
      if (this.#held <= MAX_TEXT * 0.9) return;
      for (const ref of lines) {
        if (ref.text === undefined) continue;
        this.#held -= ref.text.length;
        this.dropped++;
        ref.text = undefined;
      }
    }
  }
}
