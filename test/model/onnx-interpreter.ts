import assert from "node:assert/strict";
import type { Node, OnnxModel, Tensor } from "./onnx-reader.ts";

/** Runs an ONNX graph in double by the definitions of the operators (onnx.ai, operator set 13), for tests. */

const FLOAT = 1;
const DOUBLE = 11;

/** Numpy's rule: shapes are aligned at their ends, and a length of 1 is repeated. */
function broadcast(inputs: readonly Tensor[], f: (...values: number[]) => number): Tensor {
  const rank = Math.max(...inputs.map((t) => t.dims.length));
  const padded = inputs.map((t) => [...new Array<number>(rank - t.dims.length).fill(1), ...t.dims]);
  const dims = Array.from({ length: rank }, (_, d) => Math.max(...padded.map((p) => p[d]!)));
  for (const p of padded)
    for (const [d, n] of p.entries()) assert.ok(n === 1 || n === dims[d], `${p} to ${dims}`);
  const size = dims.reduce((a, b) => a * b, 1);
  const place = (p: readonly number[], i: number): number => {
    let at = 0;
    let step = 1;
    let rest = i;
    for (let d = rank - 1; d >= 0; d--) {
      if (p[d] !== 1) at += (rest % dims[d]!) * step;
      rest = Math.floor(rest / dims[d]!);
      step *= p[d]!;
    }
    return at;
  };
  const data = Float64Array.from({ length: size }, (_, i) =>
    f(...inputs.map((t, k) => t.data[place(padded[k]!, i)]!)),
  );
  return { dims, data };
}

function gemm([a, b, c]: readonly Tensor[]): Tensor {
  const [M, K] = a!.dims as [number, number];
  const [K2, N] = b!.dims as [number, number];
  assert.equal(K, K2);
  assert.deepEqual(c!.dims, [N]);
  const data = new Float64Array(M * N);
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = c!.data[n]!;
      for (let k = 0; k < K; k++) sum += a!.data[m * K + k]! * b!.data[k * N + n]!;
      data[m * N + n] = sum;
    }
  return { dims: [M, N], data };
}

function concat(inputs: readonly Tensor[]): Tensor {
  const rows = inputs[0]!.dims[0]!;
  const width = inputs.reduce((sum, t) => sum + t.dims[1]!, 0);
  const data = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let at = r * width;
    for (const t of inputs) {
      assert.equal(t.dims[0], rows);
      data.set(t.data.subarray(r * t.dims[1]!, (r + 1) * t.dims[1]!), at);
      at += t.dims[1]!;
    }
  }
  return { dims: [rows, width], data };
}

function sumOfRows([t, axes]: readonly Tensor[]): Tensor {
  assert.deepEqual([...axes!.data], [1]);
  const [rows, width] = t!.dims as [number, number];
  const data = new Float64Array(rows);
  for (let i = 0; i < rows * width; i++) data[Math.floor(i / width)]! += t!.data[i]!;
  return { dims: [rows], data };
}

const ELEMENTS: Readonly<Record<string, (...values: number[]) => number>> = {
  Add: (a, b) => a! + b!,
  Sub: (a, b) => a! - b!,
  Mul: (a, b) => a! * b!,
  Div: (a, b) => a! / b!,
  Exp: (a) => Math.exp(a!),
  Log: (a) => Math.log(a!),
  Sqrt: (a) => Math.sqrt(a!),
  Greater: (a, b) => (a! > b! ? 1 : 0),
  Where: (condition, a, b) => (condition ? a! : b!),
  Clip: (a, low, high) => Math.min(high!, Math.max(low!, a!)),
  Identity: (a) => a!,
};

/** The sizes that a run may give its batch are those of its inputs. Fails on any operator but those above. */
export function runOnnx(model: OnnxModel, inputs: Readonly<Record<string, Tensor>>): Map<string, Tensor> {
  const values = new Map(model.constants);
  for (const { name, shape } of model.inputs) {
    const given = inputs[name];
    assert.ok(given, `input ${name}`);
    assert.deepEqual(given.dims.slice(1), shape.slice(1), name);
    assert.equal(shape[0], "batch");
    values.set(name, given);
  }
  for (const node of model.nodes) {
    assert.equal(values.has(node.output), false, `${node.output} is made once`);
    values.set(node.output, runNode(node, values));
  }
  return new Map(model.outputs.map(({ name }) => [name, values.get(name)!]));
}

function runNode({ type, inputs, attributes }: Node, values: ReadonlyMap<string, Tensor>): Tensor {
  const given = inputs.map((name) => {
    const value = values.get(name);
    assert.ok(value, `${name} is made before it is read`);
    return value;
  });
  const element = ELEMENTS[type];
  if (element) return broadcast(given, element);
  if (type === "Gemm") return gemm(given);
  if (type === "Concat" && attributes.get("axis") === 1) return concat(given);
  if (type === "ReduceSum" && attributes.get("keepdims") === 0) return sumOfRows(given);
  if (type === "Cast" && [FLOAT, DOUBLE].includes(attributes.get("to")!)) return given[0]!;
  return assert.fail(`operator ${type}`);
}
