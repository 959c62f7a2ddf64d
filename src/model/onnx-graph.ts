import { ProtoMessage } from "./protobuf.ts";

/**
 * Builds an ONNX graph node by node. A value is known by its name; inputs and constants first, each node after what it reads.
 * Field numbers and types: onnx.proto3 of ONNX 1.8 (IR version 7), of which operator set 13 is the standard one.
 */

const IR_VERSION = 7;
const OPSET = 13;

/** TensorProto.DataType. */
export const FLOAT = 1;
const INT64 = 7;
export const DOUBLE = 11;
/** AttributeProto.AttributeType. */
const ATTRIBUTE_INT = 2;

/** A dimension: a fixed length, or the name of one that a run decides. */
export type Dimension = number | string;

/** What the world outside gives or gets: float32, row-major. */
export type Port = {
  readonly name: string;
  readonly shape: readonly Dimension[];
  /** Meaning and unit. */
  readonly doc: string;
};

/** What stands around a graph. metadata: any text under fixed keys. */
export type OnnxHeader = {
  readonly name: string;
  readonly producer: string;
  readonly producerVersion: string;
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
};

export class OnnxGraph {
  readonly #nodes: ProtoMessage[] = [];
  readonly #constants: ProtoMessage[] = [];
  readonly #inputs: ProtoMessage[] = [];
  readonly #outputs: ProtoMessage[] = [];
  readonly #scalars = new Map<number, string>();

  input(port: Port): string {
    this.#inputs.push(portProto(port));
    return port.name;
  }

  /** Hands `value` out under the port's name. */
  output(port: Port, value: string): void {
    this.op("Identity", [value], port.name);
    this.#outputs.push(portProto(port));
  }

  /** A float32 constant. dims: row-major shape; RangeError unless it holds all values. */
  floats(name: string, values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#constant(name, FLOAT, 4, values, dims, (view, at, x) => view.setFloat32(at, x, true));
  }

  /** A float64 constant. */
  doubles(name: string, values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#constant(name, DOUBLE, 8, values, dims, (view, at, x) => view.setFloat64(at, x, true));
  }

  /** A float64 number as a constant of no dimension, each number once. */
  double(value: number): string {
    const known = this.#scalars.get(value);
    if (known !== undefined) return known;
    const name = this.doubles(`number_${this.#scalars.size}`, [value], []);
    this.#scalars.set(value, name);
    return name;
  }

  /** An int64 constant of one dimension. */
  ints(name: string, values: readonly number[]): string {
    return this.#constant(name, INT64, 8, values, [values.length], (view, at, x) =>
      view.setBigInt64(at, BigInt(x), true),
    );
  }

  #constant(
    name: string,
    type: number,
    width: number,
    values: ArrayLike<number>,
    dims: readonly number[],
    put: (view: DataView, at: number, value: number) => void,
  ): string {
    const size = dims.reduce((product, n) => product * n, 1);
    if (values.length !== size) throw new RangeError(`${name}: ${values.length} numbers for ${dims}`);
    const raw = new Uint8Array(width * size);
    const view = new DataView(raw.buffer);
    for (let i = 0; i < size; i++) put(view, width * i, values[i]!);
    const tensor = new ProtoMessage();
    for (const n of dims) tensor.int(1, n);
    this.#constants.push(tensor.int(2, type).text(8, name).bytes(9, raw));
    return name;
  }

  /** A node of the standard operator `type` with whole-number attributes; returns its output. */
  op(
    type: string,
    inputs: readonly string[],
    output: string = `value_${this.#nodes.length}`,
    attributes: Readonly<Record<string, number>> = {},
  ): string {
    const node = new ProtoMessage();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, `node_${this.#nodes.length}`).text(4, type);
    for (const [name, value] of Object.entries(attributes))
      node.message(5, new ProtoMessage().text(1, name).int(3, value).int(20, ATTRIBUTE_INT));
    this.#nodes.push(node);
    return output;
  }

  /** The model file: ModelProto. */
  finish(header: OnnxHeader): Uint8Array {
    const graph = new ProtoMessage();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, header.name);
    for (const constant of this.#constants) graph.message(5, constant);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const model = new ProtoMessage()
      .int(1, IR_VERSION)
      .text(2, header.producer)
      .text(3, header.producerVersion)
      .int(5, 1)
      .text(6, header.doc)
      .message(7, graph)
      .message(8, new ProtoMessage().text(1, "").int(2, OPSET));
    for (const [key, value] of Object.entries(header.metadata))
      model.message(14, new ProtoMessage().text(1, key).text(2, value));
    return model.finish();
  }
}

/** ValueInfoProto of a float32 tensor. */
function portProto({ name, shape, doc }: Port): ProtoMessage {
  const dims = new ProtoMessage();
  for (const n of shape)
    dims.message(1, typeof n === "number" ? new ProtoMessage().int(1, n) : new ProtoMessage().text(2, n));
  const tensor = new ProtoMessage().int(1, FLOAT).message(2, dims);
  return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, tensor)).text(3, doc);
}
