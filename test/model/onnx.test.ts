import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createRandom } from "../../src/math/random.ts";
import { encodeOnnx, type OnnxNames } from "../../src/model/onnx.ts";
import { ProtoMessage } from "../../src/model/protobuf.ts";
import { elbo, reconstruct, rowParts } from "../../src/model/score.ts";
import { createVae, dispersion, type Rows, type Vae, type VaeShape } from "../../src/model/vae.ts";
import { runOnnx } from "./onnx-interpreter.ts";
import { readOnnx, type Tensor } from "./onnx-reader.ts";
import { lowRankRows } from "./synthetic.ts";

/** Relative to 1 + |value|: some tens of roundings of float32, of values that add up to a score. */
const TOLERANCE = 2e-5;

function namesOf(shape: VaeShape, text = "column"): OnnxNames {
  const list = (n: number): { name: string; label: string }[] =>
    Array.from({ length: n }, (_, i) => ({ name: `${text} ${i}`, label: text }));
  return {
    network: "test",
    counts: list(shape.counts),
    reals: list(shape.reals),
    conditions: list(shape.conditions),
    release: "1.2.3",
    more: { "logvane.note": text },
  };
}

/** A network with weights, scales and dispersions far from those of a fresh one. */
function randomVae(shape: VaeShape, seed: number): Vae {
  const vae = createVae(shape, seed);
  const random = createRandom(seed + 1);
  for (let i = 0; i < vae.flat.length; i++) vae.flat[i]! += 0.3 * random.normal();
  for (const tensor of [vae.scales.count, vae.scales.real])
    for (let i = 0; i < tensor.length; i++) tensor[i] = Math.exp(random.normal());
  for (let i = 0; i < shape.reals; i++) vae.scales.realMean[i] = 100 + random.normal();
  for (let i = 0; i < shape.counts; i++) vae.weights.logAlpha[i] = -10 + 12 * random.uniform();
  const families = Int32Array.from({ length: shape.counts + shape.reals }, (_, i) => i % 2);
  vae.families = families;
  return vae;
}

/** Rows with what a log may bring: expectations of nothing, floods, values far off, values missing. */
function wildRows(n: number, seed: number, shape: VaeShape): Rows {
  const rows = lowRankRows(n, seed, shape);
  const random = createRandom(seed + 7);
  for (let i = 0; i < rows.counts.length; i++) {
    if (random.uniform() < 0.05) rows.counts[i] = Math.floor(Math.exp(12 * random.uniform()));
    if (random.uniform() < 0.05) rows.offset[i] = random.uniform() < 0.5 ? Number.NEGATIVE_INFINITY : 26;
  }
  for (let i = 0; i < rows.reals.length; i++) if (random.uniform() < 0.05) rows.reals[i]! *= 1e4;
  return rows;
}

function tensorsOf(vae: Vae, rows: Rows, hidden?: number): Record<string, Tensor> {
  const { n } = rows;
  const W = vae.shape.counts + vae.shape.reals;
  const matrix = (data: Float32Array): Tensor => ({
    dims: [n, data.length / n],
    data: Float64Array.from(data),
  });
  return {
    counts: matrix(rows.counts),
    offset: matrix(rows.offset),
    reals: matrix(rows.reals),
    real_weights: matrix(rows.realWeights),
    conditions: matrix(rows.conditions),
    mask: matrix(Float32Array.from({ length: n * W }, (_, i) => (vae.families![i % W] === hidden ? 0 : 1))),
  };
}

function assertClose(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length, name);
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    assert.ok(off < TOLERANCE, `${name}[${i}]: ${actual[i]} for ${expected[i]}`);
  }
}

/** The columns from ... to - 1 of rows of `width`. */
const columns = (values: Float32Array, width: number, from: number, to: number): Float32Array =>
  values.filter((_, i) => i % width >= from && i % width < to);

function assertSameScores(vae: Vae, rows: Rows, hidden?: number): void {
  const { counts: C, reals: G } = vae.shape;
  const out = runOnnx(readOnnx(encodeOnnx(vae, namesOf(vae.shape))), tensorsOf(vae, rows, hidden));
  const { logMean, realMean } = reconstruct(vae, rows, hidden);
  const parts = rowParts(vae, rows, hidden);
  if (C > 0) {
    assertClose("log_mean", out.get("log_mean")!.data, logMean);
    assertClose("dispersion", out.get("dispersion")!.data, dispersion(vae));
    assertClose("count_nll", out.get("count_nll")!.data, columns(parts, C + G, 0, C));
  }
  if (G > 0) {
    assertClose("real_mean", out.get("real_mean")!.data, realMean);
    assertClose("real_nll", out.get("real_nll")!.data, columns(parts, C + G, C, C + G));
    const deviations = vae.weights.logVar.map((v, g) => vae.scales.real[g]! * Math.exp(v / 2));
    assertClose("real_deviation", out.get("real_deviation")!.data, deviations);
  }
  if (hidden === undefined) assertClose("score", out.get("score")!.data, elbo(vae, rows));
}

const shapes = fc
  .record({
    counts: fc.nat(7),
    reals: fc.nat(4),
    conditions: fc.nat(4),
    hidden: fc.integer({ min: 1, max: 9 }),
    latent: fc.integer({ min: 1, max: 4 }),
  })
  .filter(({ counts, reals }) => counts + reals > 0);

suite("a network as an ONNX file, run by the definitions of its operators", () => {
  test("scores any rows as the network does, whatever its shape", () =>
    fc.assert(
      fc.property(shapes, fc.nat(1e6), fc.integer({ min: 1, max: 12 }), (shape, seed, n) =>
        assertSameScores(randomVae(shape, seed), wildRows(n, seed, shape)),
      ),
      { numRuns: 150 },
    ));
  test("expects a hidden family from the others alone, by its mask", () =>
    fc.assert(
      fc.property(shapes, fc.nat(1e6), fc.nat(1), (shape, seed, family) =>
        assertSameScores(randomVae(shape, seed), wildRows(5, seed, shape), family),
      ),
      { numRuns: 40 },
    ));
  test("is of operator set 13, and names its inputs and outputs with shape and meaning", () => {
    const shape = { counts: 3, reals: 2, conditions: 1, hidden: 4, latent: 2 };
    const model = readOnnx(encodeOnnx(randomVae(shape, 3), namesOf(shape)));
    assert.deepEqual([model.ir, model.opset], [7, 13]);
    assert.deepEqual(
      model.inputs.map((p) => `${p.name} ${p.shape}`),
      [
        "counts batch,3",
        "offset batch,3",
        "reals batch,2",
        "real_weights batch,2",
        "conditions batch,1",
        "mask batch,5",
      ],
    );
    assert.deepEqual(
      model.outputs.map((p) => `${p.name} ${p.shape}`),
      [
        "log_mean batch,3",
        "dispersion 3",
        "real_mean batch,2",
        "real_deviation 2",
        "latent_mean batch,2",
        "latent_log_var batch,2",
        "count_nll batch,3",
        "real_nll batch,2",
        "kl batch",
        "score batch",
      ],
    );
    for (const { name, doc } of [...model.inputs, ...model.outputs]) {
      assert.ok(doc.length > 10, name);
      assert.ok(model.doc.includes(`  ${name} (`), name);
    }
  });
  test("has no port for what the network has not", () => {
    const shape = { counts: 2, reals: 0, conditions: 0, hidden: 3, latent: 1 };
    const { inputs, outputs } = readOnnx(encodeOnnx(randomVae(shape, 3), namesOf(shape)));
    assert.deepEqual(
      inputs.map((p) => p.name),
      ["counts", "offset", "mask"],
    );
    assert.equal(
      outputs.some((p) => p.name.startsWith("real")),
      false,
    );
  });
  test("gives the same bytes each time", () => {
    const shape = { counts: 3, reals: 2, conditions: 1, hidden: 4, latent: 2 };
    const bytes = (): Uint8Array => encodeOnnx(randomVae(shape, 5), namesOf(shape));
    assert.deepEqual(bytes(), bytes());
  });
  test("is refused for names that do not fit, and for a network without columns", () => {
    const shape = { counts: 3, reals: 0, conditions: 1, hidden: 4, latent: 2 };
    assert.throws(() => encodeOnnx(randomVae(shape, 1), namesOf({ ...shape, counts: 2 })), RangeError);
    const none = { ...shape, counts: 0 };
    assert.throws(() => encodeOnnx(randomVae(none, 1), namesOf(none)), RangeError);
  });
});

suite("names that a log's writer chose", () => {
  const HOSTILE = [
    '"},{"name":"',
    "\u0000\u001b[2J",
    "../../etc/passwd",
    "\u202e\ud800",
    "score",
    "x".repeat(9000),
  ];
  const shape = { counts: 2, reals: 1, conditions: 1, hidden: 3, latent: 1 };
  const vae = randomVae(shape, 9);
  const plain = readOnnx(encodeOnnx(vae, namesOf(shape)));
  for (const text of HOSTILE)
    test(`stay text in the metadata: ${JSON.stringify(text.slice(0, 20))}`, () => {
      const model = readOnnx(encodeOnnx(vae, namesOf(shape, text)));
      const counts = JSON.parse(model.metadata.get("logvane.counts")!) as Record<string, unknown>[];
      assert.deepEqual(
        counts.map(({ name, label }) => [name, label]),
        [0, 1].map((i) => [`${text} ${i}`, text]),
      );
      assert.equal(counts[0]!["scale"], vae.scales.count[0]);
      assert.deepEqual(
        [model.nodes, model.inputs, model.outputs, model.doc, [...model.metadata.keys()]],
        [plain.nodes, plain.inputs, plain.outputs, plain.doc, [...plain.metadata.keys()]],
      );
      assert.deepEqual(model.constants, plain.constants);
    });
});

suite("the wire format of Protocol Buffers", () => {
  const hex = (message: ProtoMessage): string => Buffer.from(message.finish()).toString("hex");
  test("is that of the examples in its specification", () => {
    assert.equal(hex(new ProtoMessage().int(1, 150)), "089601");
    assert.equal(hex(new ProtoMessage().text(2, "testing")), "120774657374696e67");
    assert.equal(hex(new ProtoMessage().message(3, new ProtoMessage().int(1, 150))), "1a03089601");
  });
  test("holds whole numbers up to 2^53 and none below 0", () => {
    assert.equal(hex(new ProtoMessage().int(1, Number.MAX_SAFE_INTEGER)), "08ffffffffffffff0f");
    assert.throws(() => new ProtoMessage().int(1, -1), RangeError);
    assert.throws(() => new ProtoMessage().int(1, 0.5), RangeError);
  });
});
