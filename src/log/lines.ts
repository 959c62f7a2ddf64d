/** A line longer than this many bytes is cut: Postfix and rsyslog themselves stop at 2 KiB and 8 KiB. */
export const LINE_CAP = 8192;

/** Units of a decoded line that can't be more than LINE_CAP bytes: one UTF-16 unit stands for at most three bytes. */
const SURE_UNITS = Math.floor(LINE_CAP / 3);

const LF = 10;
const CR = 13;
const LF_TEXT = "\n";

/** One line as cut from its file. `line` is 1-based as `sed -n Np` counts; `truncated` when more than LINE_CAP bytes were there. */
export type Line = { readonly line: number; readonly text: string; readonly truncated: boolean };

/**
 * A copy of `text` that doesn't keep the chunk alive which it was cut from (V8 cuts strings as views of the whole).
 * For what is held longer than a batch: table keys, cited lines.
 */
export const detached = (text: string): string => ` ${text}`.slice(1);

/**
 * Cuts a stream of byte chunks into lines, whatever the chunk borders. Only LF ends a line; a CR before it is dropped.
 * NUL bytes at a line's head (the hole that copytruncate leaves) are dropped too, invalid UTF-8 becomes U+FFFD.
 * Holds at most LINE_CAP + 1 bytes between two chunks, so a line of a gigabyte costs no memory.
 */
export class LineCutter {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** One byte more than the cap: whether the cut falls inside a UTF-8 sequence shows in the byte after it. */
  private readonly carry = new Uint8Array(LINE_CAP + 1);
  /** Bytes of the unfinished line after its leading NULs; may exceed what `carry` holds. */
  private length = 0;
  private lastByte = 0;
  private open = false;
  private count = 0;

  /** Lines that end within `chunk`, in order. The chunk is not kept. */
  push(chunk: Uint8Array): Line[] {
    const out: Line[] = [];
    const first = chunk.indexOf(LF);
    if (first < 0) {
      this.hold(chunk);
      return out;
    }
    let from = 0;
    if (this.open) {
      this.hold(chunk.subarray(0, first));
      out.push(this.finish());
      from = first + 1;
    }
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > from) this.cutDecoded(chunk.subarray(from, end), out);
    if (end < chunk.length) this.hold(chunk.subarray(end));
    return out;
  }

  /** The last line when no LF ended it. */
  end(): Line[] {
    return this.open ? [this.finish()] : [];
  }

  /** Lines given out so far. */
  get lines(): number {
    return this.count;
  }

  /** Fast way: decodes all whole lines at once, then cuts the text. A long line sends the region the exact way. */
  private cutDecoded(region: Uint8Array, out: Line[]): void {
    const text = this.decoder.decode(region);
    const before = out.length;
    let from = 0;
    for (let end = text.indexOf(LF_TEXT); end >= 0; end = text.indexOf(LF_TEXT, from)) {
      if (end - from > SURE_UNITS) {
        this.count -= out.length - before;
        out.length = before;
        this.cutBytes(region, out);
        return;
      }
      let start = from;
      let stop = end;
      if (stop > start && text.charCodeAt(stop - 1) === CR) stop--;
      while (start < stop && text.charCodeAt(start) === 0) start++;
      out.push({ line: ++this.count, text: text.slice(start, stop), truncated: false });
      from = end + 1;
    }
  }

  /** Exact way: one line at a time, with the cap counted in bytes. */
  private cutBytes(region: Uint8Array, out: Line[]): void {
    let from = 0;
    for (let end = region.indexOf(LF); end >= 0; end = region.indexOf(LF, from)) {
      this.hold(region.subarray(from, end));
      out.push(this.finish());
      from = end + 1;
    }
  }

  /** Adds bytes to the unfinished line, as many as the cap has room for. */
  private hold(bytes: Uint8Array): void {
    this.open = true;
    let from = 0;
    if (this.length === 0) while (from < bytes.length && bytes[from] === 0) from++;
    if (from === bytes.length) return;
    const room = this.carry.length - this.length;
    if (room > 0) this.carry.set(bytes.subarray(from, Math.min(bytes.length, from + room)), this.length);
    this.length += bytes.length - from;
    this.lastByte = bytes[bytes.length - 1]!;
  }

  /** The unfinished line as a line. */
  private finish(): Line {
    const length = this.lastByte === CR && this.length > 0 ? this.length - 1 : this.length;
    const truncated = length > LINE_CAP;
    let end = truncated ? LINE_CAP : length;
    // A cut inside a UTF-8 sequence would add a U+FFFD that the file doesn't have: step back to its first byte.
    if (truncated) for (let i = 0; i < 3 && end > 0 && (this.carry[end]! & 0xc0) === 0x80; i++) end--;
    const text = this.decoder.decode(this.carry.subarray(0, end));
    this.length = 0;
    this.lastByte = 0;
    this.open = false;
    return { line: ++this.count, text, truncated };
  }
}
