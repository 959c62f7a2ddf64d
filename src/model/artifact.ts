import { fnv64 } from "../math/checksum.ts";
import type { Floats } from "../math/floats.ts";
import { type Kernels, PLAIN } from "./kernels.ts";
import { createVae, type Vae, type VaeShape, weightCount } from "./vae.ts";

/** "LVAE" in ASCII, read little-endian. */
const MAGIC = 0x4541564c;
const VERSION = 1;
/** Magic, version, length of the header, each 4 bytes. */
const PREFIX = 12;
const CHECKSUM = 8;
/** Far above any real network; a length beyond it is a broken or hostile file, not a reason to take gigabytes. */
const MAX_WIDTH = 100_000;
const MAX_WEIGHTS = 50_000_000;

type ArtifactCode = "magic" | "version" | "checksum" | "truncated" | "header";

/** Bytes that are no network of ours; `code` tells which check they failed. */
export class ArtifactError extends Error {
  readonly code: ArtifactCode;
  constructor(code: ArtifactCode, message: string) {
    super(message);
    this.name = "ArtifactError";
    this.code = code;
  }
}

/** What a decoded artifact holds: the network and what its maker wrote beside it. */
export type Artifact = { readonly vae: Vae; readonly meta: unknown; readonly kernels: string };

type Header = {
  readonly shape: VaeShape;
  readonly families: readonly number[] | null;
  readonly fitted: boolean;
  /** Kernel build that trained the weights; low bits of scores depend on it. */
  readonly kernels: string;
  readonly meta: unknown;
};

/** The tensors of an artifact in their order: scales first, then all weights. */
const tensors = (vae: Vae): Floats[] => [vae.scales.count, vae.scales.realMean, vae.scales.real, vae.flat];

/**
 * A network as bytes:
 *
 *     u32 magic, u32 version, u32 length of header, header (JSON, UTF-8, padded with spaces to 4 bytes),
 *     float32 scales and weights, u64 FNV-1a of all before; all little-endian
 *
 * `meta` is kept as JSON beside the network: columns, calibration, dates; whatever its maker needs to read it again.
 */
export function encodeVae(vae: Vae, meta: unknown): Uint8Array {
  const header: Header = {
    shape: vae.shape,
    families: vae.families ? [...vae.families] : null,
    fitted: vae.fitted,
    kernels: vae.kernels,
    meta: meta ?? null,
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 4) * 4;
  const floats = tensors(vae).reduce((sum, t) => sum + t.length, 0);
  const bytes = new Uint8Array(PREFIX + headerLength + 4 * floats + CHECKSUM);
  const view = new DataView(bytes.buffer);
  [MAGIC, VERSION, headerLength].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  bytes.fill(0x20, PREFIX, PREFIX + headerLength);
  bytes.set(json, PREFIX);
  let at = PREFIX + headerLength;
  for (const tensor of tensors(vae))
    for (const value of tensor) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  const { low, high } = fnv64(bytes.subarray(0, at));
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  return bytes;
}

/** The network of `encodeVae`, scoring bit for bit as before under the same kernels. ArtifactError for anything else. */
export function decodeVae(bytes: Uint8Array, kernels: Kernels = PLAIN): Artifact {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint32(0, true) !== MAGIC)
    throw new ArtifactError("magic", "not a network of Logvane");
  if (bytes.length < PREFIX + CHECKSUM) throw new ArtifactError("truncated", `only ${bytes.length} bytes`);
  const version = view.getUint32(4, true);
  if (version !== VERSION)
    throw new ArtifactError("version", `version ${version}, this program reads ${VERSION}`);
  const body = PREFIX + view.getUint32(8, true);
  const end = bytes.length - CHECKSUM;
  if (body > end) throw new ArtifactError("truncated", `header ends at byte ${body} of ${bytes.length}`);
  const { low, high } = fnv64(bytes.subarray(0, end));
  const intact = view.getUint32(end, true) === low && view.getUint32(end + 4, true) === high;
  const header = intact
    ? readHeader(bytes.subarray(PREFIX, body))
    : guessHeader(bytes.subarray(PREFIX, body));
  if (header !== undefined) checkLength(header.shape, end - body);
  if (!intact || header === undefined)
    throw new ArtifactError("checksum", "the bytes do not match their checksum");
  return { vae: build(header, view, body, kernels), meta: header.meta, kernels: header.kernels };
}

function build(header: Header, view: DataView, body: number, kernels: Kernels): Vae {
  const vae = createVae(header.shape, 0, kernels);
  let at = body;
  for (const tensor of tensors(vae))
    for (let i = 0; i < tensor.length; i++, at += 4) tensor[i] = view.getFloat32(at, true);
  vae.families = header.families ? Int32Array.from(header.families) : undefined;
  vae.fitted = header.fitted;
  return vae;
}

/** A file cut short also fails its checksum; "truncated" helps an operator more, so lengths are compared first. */
function checkLength(shape: VaeShape, length: number): void {
  const want = 4 * (shape.counts + 2 * shape.reals + weightCount(shape));
  if (length < want) throw new ArtifactError("truncated", `${length} bytes of weights, ${want} expected`);
  if (length > want) throw new ArtifactError("header", `${length} bytes of weights, ${want} expected`);
}

/** The header of bytes that fail their checksum, if it can still be read. */
function guessHeader(bytes: Uint8Array): Header | undefined {
  try {
    return readHeader(bytes);
  } catch {
    return undefined;
  }
}

function readHeader(bytes: Uint8Array): Header {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ArtifactError("header", "the header is no JSON");
  }
  const header = value as Partial<Header> | null;
  const shape = header?.shape;
  if (shape === undefined || !isShape(shape)) throw new ArtifactError("header", "the header has no shape");
  const { families, fitted, kernels, meta } = header as Header;
  const named = families === null || (Array.isArray(families) && families.every(Number.isInteger));
  if (!named || (families && families.length !== shape.counts + shape.reals))
    throw new ArtifactError("header", "families do not match the columns");
  if (typeof fitted !== "boolean" || typeof kernels !== "string")
    throw new ArtifactError("header", "the header lacks fields");
  return { shape, families, fitted, kernels, meta };
}

function isShape(shape: unknown): shape is VaeShape {
  if (typeof shape !== "object" || shape === null) return false;
  const { counts, reals, conditions, hidden, latent } = shape as Record<string, unknown>;
  const whole = [counts, reals, conditions, hidden, latent].every(
    (n) => typeof n === "number" && Number.isInteger(n) && n >= 0 && n <= MAX_WIDTH,
  );
  return (
    whole &&
    (hidden as number) >= 1 &&
    (latent as number) >= 1 &&
    weightCount(shape as VaeShape) <= MAX_WEIGHTS
  );
}
