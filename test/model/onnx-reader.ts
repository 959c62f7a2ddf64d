import assert from "node:assert/strict";

/** A reader of ONNX files written from the wire format alone, for tests: it shares no line with src/model/protobuf.ts. */

type Field = { readonly number: number; readonly value: bigint | Uint8Array };

/** The fields of a message, in order. Fails on what ends too early or is of an unknown wire type. */
function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      assert.ok(at < bytes.length && shift < 64n, "a varint ends");
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (n: number): Uint8Array => {
    assert.ok(at + n <= bytes.length, `${n} bytes at ${at} of ${bytes.length}`);
    at += n;
    return bytes.subarray(at - n, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag % 8;
    assert.ok(wire === 0 || wire === 2, `wire type ${wire}`);
    found.push({ number: tag >> 3, value: wire === 0 ? varint() : take(Number(varint())) });
  }
  return found;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const all = (of: Field[], n: number): Uint8Array[] =>
  of.filter((f) => f.number === n).map((f) => f.value as Uint8Array);
const one = (of: Field[], n: number): Uint8Array => {
  const found = all(of, n);
  assert.equal(found.length, 1, `field ${n}`);
  return found[0]!;
};
const text = (of: Field[], n: number): string => utf8.decode(one(of, n));
const int = (of: Field[], n: number): number => Number(of.find((f) => f.number === n)?.value as bigint);

/** A tensor as the interpreter knows it: numbers in double, whatever the file's type. */
export type Tensor = { readonly dims: readonly number[]; readonly data: Float64Array };
export type Node = {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: ReadonlyMap<string, number>;
};
export type Port = {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly doc: string;
};
export type OnnxModel = {
  readonly ir: number;
  readonly opset: number;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
};

function tensor(bytes: Uint8Array): [string, Tensor] {
  const of = fields(bytes);
  const dims = of.filter((f) => f.number === 1).map((f) => Number(f.value as bigint));
  const raw = one(of, 9);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const type = int(of, 2);
  const width = type === 1 ? 4 : 8;
  const size = dims.reduce((a, b) => a * b, 1);
  assert.equal(raw.length, width * size);
  const read = (i: number): number =>
    type === 1
      ? view.getFloat32(4 * i, true)
      : type === 11
        ? view.getFloat64(8 * i, true)
        : Number(view.getBigInt64(8 * i, true));
  assert.ok([1, 7, 11].includes(type), `type ${type}`);
  return [text(of, 8), { dims, data: Float64Array.from({ length: size }, (_, i) => read(i)) }];
}

function port(bytes: Uint8Array): Port {
  const of = fields(bytes);
  const type = fields(one(fields(one(of, 2)), 1));
  assert.equal(int(type, 1), 1, "ports are float32");
  const shape = all(fields(one(type, 2)), 1).map((dim) => {
    const d = fields(dim);
    return d[0]!.number === 1 ? int(d, 1) : text(d, 2);
  });
  return { name: text(of, 1), shape, doc: text(of, 3) };
}

function node(bytes: Uint8Array): Node {
  const of = fields(bytes);
  const attributes = all(of, 5).map((attribute): [string, number] => {
    const a = fields(attribute);
    assert.equal(int(a, 20), 2, "attributes are whole numbers");
    return [text(a, 1), int(a, 3)];
  });
  return {
    type: text(of, 4),
    inputs: all(of, 1).map((name) => utf8.decode(name)),
    output: text(of, 2),
    attributes: new Map(attributes),
  };
}

export function readOnnx(bytes: Uint8Array): OnnxModel {
  const of = fields(bytes);
  const graph = fields(one(of, 7));
  const opset = fields(one(of, 8));
  assert.equal(text(opset, 1), "", "standard operators alone");
  return {
    ir: int(of, 1),
    opset: int(opset, 2),
    doc: text(of, 6),
    metadata: new Map(all(of, 14).map((entry) => [text(fields(entry), 1), text(fields(entry), 2)])),
    nodes: all(graph, 1).map(node),
    constants: new Map(all(graph, 5).map(tensor)),
    inputs: all(graph, 11).map(port),
    outputs: all(graph, 12).map(port),
  };
}
