import { LINE_CAP } from "../log/lines.ts";

/** Digits of a message's length at most: no message of a megabyte is waited for. */
const MAX_DIGITS = 6;

const LF = 10;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const LESS = 60;

/**
 * Messages out of a TCP stream (RFC 6587): counted (`LENGTH SP MSG`, section 3.4.1), or ended by LF (3.4.2), told apart message by
 * message. Holds one message at most, cut at LINE_CAP; the rest of a longer one is passed over.
 */
export class Deframer {
  /** Messages that were cut. */
  cut = 0;
  private readonly onMessage: (message: Uint8Array) => void;
  private readonly held = Buffer.alloc(LINE_CAP);
  private length = 0;
  /** What came of the message, beyond what is held too. */
  private whole = 0;
  /** Bytes of a counted message still to come; undefined for one that ends with LF. */
  private left: number | undefined;

  constructor(onMessage: (message: Uint8Array) => void) {
    this.onMessage = onMessage;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.left !== undefined) {
        const end = Math.min(chunk.length, at + this.left);
        this.hold(chunk.subarray(at, end));
        this.left -= end - at;
        at = end;
        if (this.left === 0) this.emit();
        continue;
      }
      // A count shows only when the byte after its blank is there.
      if (this.whole <= MAX_DIGITS + 1) {
        this.hold(chunk.subarray(at, at + 1));
        at++;
        if (chunk[at - 1] === LF) this.emitLine();
        else this.lookForCount();
        continue;
      }
      const found = chunk.indexOf(LF, at);
      const end = found < 0 ? chunk.length : found + 1;
      this.hold(chunk.subarray(at, end));
      at = end;
      if (found >= 0) this.emitLine();
    }
  }

  /** The stream has ended: what is left is a message. */
  end(): void {
    if (this.whole > 0) this.emit();
  }

  private hold(bytes: Uint8Array): void {
    const room = this.held.length - this.length;
    this.held.set(bytes.subarray(0, room), this.length);
    this.length += Math.min(bytes.length, room);
    this.whole += bytes.length;
  }

  /** `123 <` at the head: what follows the blank is a message of that length, `<` being its first byte. */
  private lookForCount(): void {
    const { held, length } = this;
    if (held[length - 1] !== LESS || held[length - 2] !== SPACE || length < 3) return;
    let count = 0;
    for (let i = 0; i < length - 2; i++) {
      if (held[i]! < ZERO || held[i]! > NINE) return;
      count = count * 10 + held[i]! - ZERO;
    }
    if (count < 1) return;
    held[0] = LESS;
    this.length = 1;
    this.whole = 1;
    this.left = count - 1;
    if (this.left === 0) this.emit();
  }

  private emitLine(): void {
    // Some senders of counted messages add an LF that they don't count.
    if (this.whole > 1) this.emit();
    else this.clear();
  }

  private emit(): void {
    if (this.whole > this.length) this.cut++;
    this.onMessage(this.held.subarray(0, this.length));
    this.clear();
  }

  private clear(): void {
    this.length = 0;
    this.whole = 0;
    this.left = undefined;
  }
}
