import { deserialize, serialize } from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import type { EventReader, SavedReader } from "../mail/read.ts";
import { Detector } from "../pipeline/detector.ts";
import type { Model, PipelineOptions, Score } from "../pipeline/model.ts";
import { type SavedDetector, StateError } from "../pipeline/saved.ts";

/** Where a watch may go on: a detector and the reader of its lines, in bytes. A model is kept with one from the end of its training. */

/** Far above any real state; bytes that were damaged may not unpack without end. */
const MAX_BYTES = 512 << 20;

type Saved = { readonly detector: SavedDetector; readonly reader: SavedReader };

/** To be asked between two lines. */
export function packWarm(detector: Detector, reader: EventReader): Uint8Array {
  const saved: Saved = { detector: detector.save(), reader: reader.save() };
  return new Uint8Array(gzipSync(serialize(saved)));
}

/**
 * The detector that goes on there, and the reader too, where one is given. Undefined for bytes that are damaged, of another release or of
 * another model: then the watch begins without them.
 */
export function unpackWarm(
  bytes: Uint8Array,
  model: Model,
  options: PipelineOptions,
  reader?: EventReader,
  onScore?: (score: Score) => void,
): Detector | undefined {
  try {
    const saved = unpacked(bytes);
    const detector = Detector.restore(model, saved.detector, options, onScore);
    reader?.load(saved.reader);
    return detector;
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}

/** The bytes with the detector that `change` makes of theirs; undefined for bytes that are damaged. */
export function changeWarm(
  bytes: Uint8Array,
  change: (detector: SavedDetector, reader: SavedReader) => SavedDetector,
): Uint8Array | undefined {
  try {
    const { detector, reader } = unpacked(bytes);
    return new Uint8Array(gzipSync(serialize({ detector: change(detector, reader), reader })));
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}

function unpacked(bytes: Uint8Array): Saved {
  try {
    return deserialize(gunzipSync(bytes, { maxOutputLength: MAX_BYTES })) as Saved;
  } catch (error) {
    throw new StateError(`the state is damaged: ${(error as Error).message}`);
  }
}
