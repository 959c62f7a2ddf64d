import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { fnv64 } from "../../src/math/checksum.ts";
import { ArtifactError, decodeVae, encodeVae } from "../../src/model/artifact.ts";
import { elbo, rowParts } from "../../src/model/score.ts";
import { trainVae } from "../../src/model/train.ts";
import { createVae } from "../../src/model/vae.ts";
import { lowRankRows, SHAPE } from "./synthetic.ts";

const FAMILIES = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 2);
const ROWS = lowRankRows(100, 5);
const VAE = createVae(SHAPE, 8);
trainVae(VAE, ROWS, {
  epochs: 2,
  batch: 32,
  learningRate: 1e-2,
  seed: 1,
  klWarmupEpochs: 1,
  beta: 1,
  maskRate: 0.1,
  families: FAMILIES,
  familyMaskRate: 0.1,
});
const BYTES = encodeVae(VAE, { columns: ["sent", "größe"], at: 12 });

const code = (bytes: Uint8Array): string => {
  try {
    decodeVae(bytes);
  } catch (error) {
    assert.ok(error instanceof ArtifactError, String(error));
    return error.code;
  }
  return "none";
};
const changed = (at: number, value: number): Uint8Array => {
  const bytes = BYTES.slice();
  bytes[at] = value;
  return bytes;
};

suite("a network written to bytes and read again", () => {
  const { vae, meta, kernels } = decodeVae(BYTES);
  test("changes no bit of any score", () => assert.deepEqual(elbo(vae, ROWS), elbo(VAE, ROWS)));
  test("keeps families, meta and the name of its kernels", () => {
    assert.deepEqual(rowParts(vae, ROWS, 1), rowParts(VAE, ROWS, 1));
    assert.deepEqual(meta, { columns: ["sent", "größe"], at: 12 });
    assert.equal(kernels, "plain-f32");
  });
  test("gives the same bytes again", () => assert.deepEqual(encodeVae(vae, meta), BYTES));
  test("reads from the middle of a larger buffer", () => {
    const wide = new Uint8Array(BYTES.length + 9);
    wide.set(BYTES, 5);
    assert.deepEqual(decodeVae(wide.subarray(5, 5 + BYTES.length)).vae.flat, VAE.flat);
  });
});

suite("bytes that are no network", () => {
  test("of another kind fail by their magic", () => {
    assert.equal(code(new TextEncoder().encode("SQLite format 3 and more")), "magic");
    assert.equal(code(new Uint8Array(0)), "magic");
  });
  test("of a later version say so", () => assert.equal(code(changed(4, 2)), "version"));
  test("with a flipped weight fail their checksum", () =>
    assert.equal(code(changed(BYTES.length - 100, BYTES[BYTES.length - 100]! ^ 1)), "checksum"));
  test("cut short anywhere are never taken", () => {
    assert.equal(code(BYTES.subarray(0, BYTES.length - 400)), "truncated");
    assert.equal(code(BYTES.subarray(0, 15)), "truncated");
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: BYTES.length - 1 }),
        (n) => code(BYTES.subarray(0, n)) !== "none",
      ),
    );
  });
  test("with any one byte changed are never taken", () =>
    fc.assert(
      fc.property(
        fc.nat(BYTES.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => code(changed(at, BYTES[at]! ^ flip)) !== "none",
      ),
    ));
  test("whose header asks for another shape fail by their header, though their checksum holds", () => {
    const text = new TextDecoder("latin1").decode(BYTES);
    const bytes = changed(text.indexOf('"latent":3') + 9, "2".charCodeAt(0));
    const { low, high } = fnv64(bytes.subarray(0, -8));
    new DataView(bytes.buffer).setUint32(bytes.length - 8, low, true);
    new DataView(bytes.buffer).setUint32(bytes.length - 4, high, true);
    assert.equal(code(bytes), "header");
  });
});

suite("FNV-1a of 64 bits", () => {
  const hex = (text: string): string => {
    const { low, high } = fnv64(new TextEncoder().encode(text));
    return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  };
  test("gives the published values", () => {
    assert.equal(hex(""), "cbf29ce484222325");
    assert.equal(hex("a"), "af63dc4c8601ec8c");
    assert.equal(hex("foobar"), "85944171f73967e8");
  });
});
