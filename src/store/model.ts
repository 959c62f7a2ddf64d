import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { Fault } from "../fault.ts";
import { ArtifactError, decodeVae, encodeVae } from "../model/artifact.ts";
import type { Kernels } from "../model/kernels.ts";
import type { Vae } from "../model/vae.ts";
import type { Learned } from "../pipeline/model.ts";

/** A model as it is stored: gzipped JSON, in which an array of floats and a network stand as base64 (little-endian). */

/** Raised when a stored model means something else than before; models of another version are refused. */
export const FORMAT_VERSION = 3;

/** Far above any real model; a file from elsewhere may not unpack without end. */
const MAX_JSON = 128 << 20;

/** Hexadecimal digits. */
const ID_LENGTH = 12;

/** A model is what it holds and what it came from, so that another one never has its id. */
export const modelId = (blob: Uint8Array, parent = ""): string =>
  createHash("sha256").update(parent).update(blob).digest("hex").slice(0, ID_LENGTH);

const isVae = (value: unknown): value is Vae =>
  typeof value === "object" && value !== null && "heap" in value && "flat" in value;

export function packModel(learned: Learned): Uint8Array {
  const json = JSON.stringify({ version: FORMAT_VERSION, ...learned }, (_key, value: unknown) => {
    if (isVae(value)) return { $vae: Buffer.from(encodeVae(value, {})).toString("base64") };
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
    if (value instanceof Float32Array)
      return { $f32: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
    return value;
  });
  return gzipSync(json);
}

/** Throws a Fault badData for bytes that are no model of this release. where: shown in the message. */
export function unpackModel(bytes: Uint8Array, kernels: Kernels, where: string): Learned {
  try {
    const value = JSON.parse(
      gunzipSync(bytes, { maxOutputLength: MAX_JSON }).toString("utf8"),
      (_key, v: unknown) => revive(v, kernels),
    ) as Learned & { version: number };
    if (value.version === FORMAT_VERSION) return value;
  } catch (error) {
    if (
      !(
        error instanceof SyntaxError ||
        error instanceof ArtifactError ||
        (error as { code?: unknown }).code !== undefined
      )
    )
      throw error;
  }
  throw new Fault(
    "badData",
    "the stored model can't be read by this release",
    where,
    "no line can be scored with it",
    "train again: logvane train FILE...",
  );
}

function revive(value: unknown, kernels: Kernels): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { $f32, $vae, $bytes } = value as { $f32?: unknown; $vae?: unknown; $bytes?: unknown };
  if (typeof $vae === "string") return decodeVae(Buffer.from($vae, "base64"), kernels).vae;
  if (typeof $bytes === "string") return new Uint8Array(Buffer.from($bytes, "base64"));
  if (typeof $f32 !== "string") return value;
  const bytes = Buffer.from($f32, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
