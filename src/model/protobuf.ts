/**
 * Writes messages in the wire format of Protocol Buffers: fields as tag (number << 3 | wire type) and value, in the order of
 * the calls. Only what our ONNX files need: varints, and bytes with their length.
 * Source: protobuf.dev, "Encoding".
 */

const VARINT = 0;
const LENGTH = 2;

/** One message under construction. */
export class ProtoMessage {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  #tag(field: number, wire: number): void {
    this.#push(varint(field * 8 + wire));
  }

  /** A whole number from 0 to 2^53 - 1; RangeError for anything else. */
  int(field: number, value: number): this {
    this.#tag(field, VARINT);
    this.#push(varint(value));
    return this;
  }

  /** Text as UTF-8; what is no character (half a surrogate pair) becomes U+FFFD. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** The bytes are not copied: the caller leaves them alone until finish(). */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, LENGTH);
    this.#push(varint(value.length));
    this.#push(value);
    return this;
  }

  message(field: number, value: ProtoMessage): this {
    return this.bytes(field, value.finish());
  }

  /** The message as bytes. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

/** Seven bits a byte, the least first; all bytes but the last have their highest bit set. */
function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`varint of ${value}`);
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
