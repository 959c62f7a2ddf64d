import { LINE_CAP } from "../log/lines.ts";

/**
 * The journal export format (systemd: "Journal Export Formats"; journalctl -o export, systemd-journal-upload) as lines of
 * JSON like those of `journalctl -o json`, one an entry, so that `line` counts entries. An entry is a group of fields ended by
 * an empty line; a field is `NAME=text LF`, or `NAME LF`, a 64-bit little-endian length, that many bytes and an LF.
 */

/** The fields that an envelope is read from; others are dropped. */
export const EXPORT_FIELDS = [
  "__REALTIME_TIMESTAMP",
  "_SOURCE_REALTIME_TIMESTAMP",
  "_HOSTNAME",
  "SYSLOG_IDENTIFIER",
  "_COMM",
  "SYSLOG_PID",
  "_PID",
  "PRIORITY",
  "MESSAGE",
] as const;
const MESSAGE = "MESSAGE";
const CURSOR = "__CURSOR";
const KNOWN = new Set<string>(EXPORT_FIELDS);

/** Bytes kept of a message, and of any other field (hosts and programs; escaped they leave room for a message). */
const MESSAGE_CAP = LINE_CAP;
const FIELD_CAP = 128;
/** A cursor has some 150 characters. */
const CURSOR_CAP = 512;
/** A field's name has at most 64 characters; what is longer is none that we know. */
const NAME_CAP = 64;
/** Lines of JSON gathered before they are given out. */
const BATCH = 64 * 1024;

const LF = 10;
const EQUALS = 61;

/** Whether a head is that of a journal export: its entries begin with their address fields. */
export const looksLikeExport = (head: Uint8Array): boolean =>
  /^__(CURSOR|REALTIME_TIMESTAMP|SEQNUM|MONOTONIC_TIMESTAMP)=/.test(
    Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 32)).toString("latin1"),
  );

/** Export in, lines of JSON out. Holds at most one entry of known fields, each cut at its cap. */
export async function* readExport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let out = "";
  const reader = new ExportReader((line) => {
    out += `${line}\n`;
  });
  const taken = (): Uint8Array => {
    const lines = Buffer.from(out);
    out = "";
    return lines;
  };
  for await (const chunk of bytes) {
    reader.push(chunk);
    if (out.length >= BATCH) yield taken();
  }
  reader.end();
  if (out !== "") yield taken();
}

/** What the next bytes are. */
type State = "text" | "length" | "data" | "end of data";

/** Export in, entries out: each as a line of JSON, with its cursor ("" when it has none). */
export class ExportReader {
  private readonly onEntry: (line: string, cursor: string) => void;
  private cursor = "";
  private state: State = "text";
  private readonly fields = new Map<string, string>();
  /** The unfinished field or length. */
  private readonly held = new Uint8Array(NAME_CAP + 1 + MESSAGE_CAP);
  private length = 0;
  /** Name of the binary field, and its bytes to come. A length is not trusted: they are counted, not reserved. */
  private name = "";
  private left = 0;

  constructor(onEntry: (line: string, cursor: string) => void) {
    this.onEntry = onEntry;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.state === "text") at = this.text(chunk, at);
      else if (this.state === "length") at = this.lengthBytes(chunk, at);
      else if (this.state === "data") at = this.data(chunk, at);
      else {
        this.state = "text"; // the LF after binary data
        if (chunk[at] === LF) at++;
      }
    }
  }

  /** An entry that the stream's end cut off is given with what came of it. */
  end(): void {
    if (this.state === "data") this.keep(this.name, this.held.subarray(0, this.length));
    else if (this.state === "text" && this.length > 0) this.field(this.held.subarray(0, this.length));
    this.entry();
  }

  private hold(bytes: Uint8Array): void {
    const room = this.held.length - this.length;
    if (bytes.length > room) this.held.set(bytes.subarray(0, room), this.length);
    else this.held.set(bytes, this.length);
    this.length += Math.min(bytes.length, room);
  }

  private text(chunk: Uint8Array, at: number): number {
    const end = chunk.indexOf(LF, at);
    if (end < 0) {
      this.hold(chunk.subarray(at));
      return chunk.length;
    }
    if (this.length === 0) this.field(chunk.subarray(at, end));
    else {
      this.hold(chunk.subarray(at, end));
      this.field(this.held.subarray(0, this.length));
    }
    this.length = 0;
    return end + 1;
  }

  /** A line: empty at the end of an entry, a text field, or the name of a binary one. */
  private field(line: Uint8Array): void {
    if (line.length === 0) {
      this.entry();
      return;
    }
    const equals = line.subarray(0, NAME_CAP + 1).indexOf(EQUALS);
    if (equals >= 0) this.keep(latin1(line.subarray(0, equals)), line.subarray(equals + 1));
    else if (line.length <= NAME_CAP) {
      this.name = latin1(line);
      this.state = "length";
    }
  }

  private lengthBytes(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + 8 - this.length);
    this.hold(chunk.subarray(at, end));
    if (this.length === 8) {
      const view = new DataView(this.held.buffer);
      this.left = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
      this.length = 0;
      this.state = "data";
      if (this.left === 0) this.dataEnd();
    }
    return end;
  }

  private data(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.left);
    this.hold(chunk.subarray(at, end));
    this.left -= end - at;
    if (this.left === 0) this.dataEnd();
    return end;
  }

  private dataEnd(): void {
    this.keep(this.name, this.held.subarray(0, this.length));
    this.length = 0;
    this.state = "end of data";
  }

  private keep(name: string, value: Uint8Array): void {
    if (name === CURSOR) this.cursor = latin1(value.subarray(0, CURSOR_CAP));
    if (!KNOWN.has(name)) return;
    const cap = name === MESSAGE ? MESSAGE_CAP : FIELD_CAP;
    this.fields.set(
      name,
      Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, cap)).toString(),
    );
  }

  private entry(): void {
    const cursor = this.cursor;
    this.cursor = "";
    if (this.fields.size === 0) return;
    const message = this.fields.get(MESSAGE);
    this.fields.delete(MESSAGE);
    const line = jsonLine(JSON.stringify(Object.fromEntries(this.fields)), message);
    this.fields.clear();
    this.onEntry(line, cursor);
  }
}

/** The line, with the message cut so that the whole stays within LINE_CAP bytes: a line cut later would be no JSON. */
function jsonLine(head: string, message: string | undefined): string {
  if (message === undefined) return head;
  const room = LINE_CAP - Buffer.byteLength(head) - `,"${MESSAGE}":`.length;
  let text = JSON.stringify(message);
  for (let cut = message; Buffer.byteLength(text) > room; text = JSON.stringify(cut)) {
    const keep = Math.floor((cut.length * room) / Buffer.byteLength(text)) - 1;
    cut = cut.slice(0, Math.max(0, keep));
  }
  const open = head === "{}" ? "{" : `${head.slice(0, -1)},`;
  return `${open}"${MESSAGE}":${text}}`;
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
