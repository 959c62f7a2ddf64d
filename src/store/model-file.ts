import { createHash } from "node:crypto";
import { Fault } from "../fault.ts";
import type { StoredModel } from "./registry.ts";

/**
 * A model as a file of its own, to be kept or carried elsewhere:
 *
 *     8 bytes "LOGVANEM", u32 version, u32 length of header, header (JSON, UTF-8), the model's bytes, SHA-256 of all before
 *
 * Integers little-endian. The model's bytes are those of store/model.ts, with a version of their own. A reader refuses a version
 * that it does not know. docs/model-format.md tells it byte by byte.
 */

const MAGIC = "LOGVANEM";
const VERSION = 1;
/** Magic, version, length of the header. */
const PREFIX = 16;
const DIGEST = 32;

/** What the header holds: the registry's entry without the bytes. */
type FileHeader = Pick<StoredModel, "id" | "createdAt" | "header">;

const digest = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export function encodeModelFile({ id, createdAt, header, blob }: StoredModel): Uint8Array {
  const json = Buffer.from(JSON.stringify({ id, createdAt, header } satisfies FileHeader), "utf8");
  const prefix = Buffer.alloc(PREFIX);
  prefix.write(MAGIC, "latin1");
  prefix.writeUInt32LE(VERSION, 8);
  prefix.writeUInt32LE(json.length, 12);
  const body = Buffer.concat([prefix, json, blob]);
  return new Uint8Array(Buffer.concat([body, digest(body)]));
}

/**
 * The model of `encodeModelFile`. where: the file, for the message. Throws Fault: badData (no such file, cut short, or changed),
 * configuration (of a newer release).
 */
export function decodeModelFile(bytes: Uint8Array, where: string): StoredModel {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.toString("latin1", 0, MAGIC.length) !== MAGIC)
    throw unreadable(
      "this is no exported model",
      where,
      "name a file that logvane model export FILE has written",
    );
  const damaged = unreadable("the exported model is damaged or cut short", where, "copy or export it again");
  if (buffer.length < PREFIX + DIGEST) throw damaged;
  const version = buffer.readUInt32LE(8);
  if (version !== VERSION)
    throw new Fault(
      "configuration",
      `the exported model is of another release (format ${version}; this one knows ${VERSION})`,
      where,
      "it can't be read",
      "install the newer release, or export the model with this one",
    );
  const body = PREFIX + buffer.readUInt32LE(12);
  const end = buffer.length - DIGEST;
  if (body > end || !digest(buffer.subarray(0, end)).equals(buffer.subarray(end))) throw damaged;
  const header = readHeader(buffer.toString("utf8", PREFIX, body));
  if (header === undefined) throw damaged;
  return { ...header, blob: new Uint8Array(buffer.subarray(body, end)) };
}

const unreadable = (what: string, where: string, remedy: string): Fault =>
  new Fault("badData", what, where, "it can't be read", remedy);

function readHeader(text: string): FileHeader | undefined {
  try {
    const value = JSON.parse(text) as Partial<FileHeader> | null;
    const { id, createdAt, header } = value ?? {};
    if (typeof id !== "string" || typeof createdAt !== "number") return undefined;
    if (typeof header !== "object" || header === null) return undefined;
    return { id, createdAt, header };
  } catch {
    return undefined;
  }
}
