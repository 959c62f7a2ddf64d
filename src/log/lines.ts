/** A line longer than this many bytes is cut: Postfix and rsyslog themselves stop at 2 KiB and 8 KiB. */
export const LINE_CAP = 8192;

/** Lines for which a batch first has room; it grows with what comes. */
const FIRST_ROOM = 4096;

const LF = 10;
const CR = 13;

/** One line as cut from its file. `line` is 1-based as `sed -n Np` counts; `truncated` when more than LINE_CAP bytes were there. */
export type Line = { readonly line: number; readonly text: string; readonly truncated: boolean };

/**
 * A copy of `text` that doesn't keep alive what it was cut from: V8 cuts strings as views of the whole, and what is cut from a
 * joined one is such a view too, so the characters go through bytes. For what is held longer than a line: table keys, cited lines.
 */
export function detached(text: string): string {
  const code = /[^\0-\xff]/.test(text) ? "utf16le" : "latin1";
  return Buffer.from(text, code).toString(code);
}

/** The text of bytes[start, end); invalid UTF-8 becomes U+FFFD. */
export const decode = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString("utf8", start, end);

/** The text of bytes[start, end) that are known to be ASCII: half the time of `decode`. */
export const latin1 = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString("latin1", start, end);

/**
 * Lines of one run of bytes, as offsets: nothing is decoded until somebody asks. `bytes` stays valid for as long as it
 * is referenced; `starts` and `ends` are overwritten by the cutter's next push.
 */
export class LineBatch {
  /** Holds the lines, and what separates them. Not to be written to. */
  bytes: Buffer = Buffer.alloc(0);
  /** First byte of each line. */
  starts: Int32Array = new Int32Array(FIRST_ROOM);
  /** After the last byte of each line, without CR and LF, at most LINE_CAP after its start. */
  ends: Int32Array = new Int32Array(FIRST_ROOM);
  count = 0;
  /** Number of the first line, 1-based as `sed -n Np` counts. */
  first = 1;
  /** Indices of the lines that were cut at LINE_CAP. */
  readonly cut: Set<number> = new Set();

  /** Begins anew over other bytes. first: number of the first line. */
  reset(bytes: Buffer, first: number): void {
    this.bytes = bytes;
    this.first = first;
    this.count = 0;
    if (this.cut.size > 0) this.cut.clear();
  }

  /** Adds the line in bytes[from, lf): drops NULs at its head and a CR at its end, and cuts it at LINE_CAP. */
  add(from: number, lf: number): void {
    const { bytes, count } = this;
    let start = from;
    let end = lf;
    if (end > start && bytes[end - 1] === CR) end--;
    while (start < end && bytes[start] === 0) start++;
    if (end - start > LINE_CAP) {
      end = start + LINE_CAP;
      // A cut inside a UTF-8 sequence would add a U+FFFD that the file doesn't have: step back to its first byte.
      for (let i = 0; i < 3 && end > start && (bytes[end]! & 0xc0) === 0x80; i++) end--;
      this.cut.add(count);
    }
    if (count === this.starts.length) this.grow();
    this.starts[count] = start;
    this.ends[count] = end;
    this.count = count + 1;
  }

  /** The text of line i of the batch, decoded. */
  text(i: number): string {
    return decode(this.bytes, this.starts[i]!, this.ends[i]!);
  }

  /** Line i of the batch, decoded. */
  line(i: number): Line {
    return { line: this.first + i, text: this.text(i), truncated: this.cut.has(i) };
  }

  /** All lines, decoded. */
  *[Symbol.iterator](): Generator<Line> {
    for (let i = 0; i < this.count; i++) yield this.line(i);
  }

  private grow(): void {
    const { starts, ends } = this;
    this.starts = new Int32Array(2 * starts.length);
    this.ends = new Int32Array(2 * ends.length);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}

/**
 * Cuts a stream of byte chunks into lines, whatever the chunk borders. Only LF ends a line; a CR before it is dropped.
 * NUL bytes at a line's head (the hole that copytruncate leaves) are dropped too, invalid UTF-8 becomes U+FFFD.
 * Holds at most LINE_CAP + 2 bytes between two chunks, so a line of a gigabyte costs no memory.
 */
export class LineCutter {
  private readonly batch = new LineBatch();
  /** For the one line that began in an earlier chunk. */
  private readonly carried = new LineBatch();
  /** The line that a chunk's end left open. Two bytes more than the cap: what the cut falls into, and a CR, show there. */
  private readonly carry = Buffer.alloc(LINE_CAP + 2);
  /** Bytes of the open line after its leading NULs; may exceed what `carry` holds. */
  private length = 0;
  private open = false;
  private count = 0;

  /** Lines that end within `chunk`, in order, in up to two batches, which are valid until the next push. */
  push(chunk: Uint8Array): LineBatch[] {
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const out: LineBatch[] = [];
    let from = 0;
    if (this.open) {
      const first = bytes.indexOf(LF);
      this.hold(first < 0 ? bytes : bytes.subarray(0, first));
      if (first < 0) return out;
      out.push(this.finish());
      from = first + 1;
    }
    const batch = this.batch;
    batch.reset(bytes, this.count + 1);
    for (let lf = bytes.indexOf(LF, from); lf >= 0; lf = bytes.indexOf(LF, from)) {
      batch.add(from, lf);
      from = lf + 1;
    }
    if (from < bytes.length) this.hold(bytes.subarray(from));
    this.count += batch.count;
    if (batch.count > 0) out.push(batch);
    return out;
  }

  /** The last line when no LF ended it. */
  end(): LineBatch[] {
    return this.open ? [this.finish()] : [];
  }

  /** Lines given out so far. */
  get lines(): number {
    return this.count;
  }

  /** Adds bytes to the open line, as many as the cap has room for. */
  private hold(bytes: Buffer): void {
    this.open = true;
    let from = 0;
    if (this.length === 0) while (from < bytes.length && bytes[from] === 0) from++;
    const room = this.carry.length - this.length;
    if (room > 0) bytes.copy(this.carry, this.length, from, Math.min(bytes.length, from + room));
    this.length += bytes.length - from;
  }

  /** The open line as a batch of its own. */
  private finish(): LineBatch {
    const line = Buffer.from(this.carry.subarray(0, Math.min(this.length, this.carry.length)));
    this.carried.reset(line, ++this.count);
    // What carry has no room for lies behind it: then the last byte there isn't the line's last, and may be any CR.
    this.carried.add(0, this.length > line.length ? line.length + 1 : line.length);
    this.length = 0;
    this.open = false;
    return this.carried;
  }
}
