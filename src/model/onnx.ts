import { OnnxGraph, type Port } from "./onnx-graph.ts";
import { OnnxNetwork } from "./onnx-network.ts";
import type { Vae } from "./vae.ts";

/**
 * A network as an ONNX file that any runtime scores with: inputs as they are counted, outputs as our own scoring has them. Standard
 * operators alone.
 */

/** Raised when an input or output of the file means something else than before. */
export const ONNX_FORMAT = 1;

/** What a column is called. Text of any kind: it only ever stands in JSON. */
export type OnnxColumn = { readonly name: string; readonly label: string; readonly family?: string };

/** What the file says beside the numbers. Each list as long as the network's shape asks. */
export type OnnxNames = {
  /** "window", "transaction": what the network is for. */
  readonly network: string;
  readonly counts: readonly OnnxColumn[];
  readonly reals: readonly OnnxColumn[];
  readonly conditions: readonly OnnxColumn[];
  /** Release that writes the file. */
  readonly release: string;
  /** More metadata, such as offsets; keys are ours, values any text. */
  readonly more: Readonly<Record<string, string>>;
};

/** The inputs of a network's file in their order; those of no width are left out. */
function inputPorts({ counts: C, reals: G, conditions: S }: Vae["shape"]): Port[] {
  const ports: Port[] = [
    { name: "counts", shape: ["batch", C], doc: "counts, whole numbers from 0" },
    {
      name: "offset",
      shape: ["batch", C],
      doc: "natural log of the expected mean of each count; -infinity counts as -15",
    },
    {
      name: "reals",
      shape: ["batch", G],
      doc: "numbers in the unit of their column; unread where real_weights is 0",
    },
    { name: "real_weights", shape: ["batch", G], doc: "1 for a known number, 0 for a missing one" },
    {
      name: "conditions",
      shape: ["batch", S],
      doc: "what the row is conditioned on, as logvane.conditions tells",
    },
    {
      name: "mask",
      shape: ["batch", C + G],
      doc: "1 where the encoder sees the value, 0 where it is hidden from it; all 1 for scoring",
    },
  ];
  return ports.filter(({ shape }) => shape[1] !== 0);
}

/** The outputs in their order; those of no width are left out. */
function outputPorts({ counts: C, reals: G, latent: Z }: Vae["shape"]): Port[] {
  const ports: Port[] = [
    {
      name: "log_mean",
      shape: ["batch", C],
      doc: "natural log of the mean that the network expects of each count",
    },
    {
      name: "dispersion",
      shape: [C],
      doc: "overdispersion alpha of each count: variance = mean + alpha mean^2",
    },
    { name: "real_mean", shape: ["batch", G], doc: "mean expected of each number, in its unit" },
    {
      name: "real_deviation",
      shape: [G],
      doc: "standard deviation of each number about its mean, in its unit",
    },
    { name: "latent_mean", shape: ["batch", Z], doc: "mean of the latent" },
    { name: "latent_log_var", shape: ["batch", Z], doc: "natural log of the variance of the latent" },
    { name: "count_nll", shape: ["batch", C], doc: "negative log-likelihood of each count, in nats" },
    {
      name: "real_nll",
      shape: ["batch", G],
      doc: "negative log-likelihood of each standardised number, in nats",
    },
    { name: "kl", shape: ["batch"], doc: "KL divergence of the latent from the unit Gaussian, in nats" },
    {
      name: "score",
      shape: ["batch"],
      doc: "negative evidence lower bound, in nats: the sum of all nll and kl",
    },
  ];
  return ports.filter(({ shape }) => shape.at(-1) !== 0);
}

/**
 * The network as an ONNX model (operator set 13, IR version 7), latents at their posterior mean; batch of any size from 1. RangeError
 * for names that do not fit the shape, and for a network without columns, which has nothing to score.
 */
export function encodeOnnx(vae: Vae, names: OnnxNames): Uint8Array {
  checkNames(vae, names);
  const graph = new OnnxGraph();
  const inputs = inputPorts(vae.shape);
  for (const port of inputs) graph.input(port);
  const values = new OnnxNetwork(graph, vae).outputs();
  const outputs = outputPorts(vae.shape);
  for (const port of outputs) graph.output(port, values[port.name]!);
  return graph.finish({
    name: `logvane ${names.network}`,
    producer: "logvane",
    producerVersion: names.release,
    doc: documentation(names.network, inputs, outputs),
    metadata: metadata(vae, names, inputs, outputs),
  });
}

function checkNames(vae: Vae, names: OnnxNames): void {
  const { counts, reals, conditions } = vae.shape;
  if (counts + reals === 0) throw new RangeError("a network without columns");
  const lengths = [names.counts.length, names.reals.length, names.conditions.length];
  if (`${lengths}` !== `${[counts, reals, conditions]}`)
    throw new RangeError(`${lengths} names for ${[counts, reals, conditions]} columns`);
}

const portText = ({ name, shape, doc }: Port): string => `  ${name} (${shape.join(", ")}): ${doc}`;

const documentation = (network: string, inputs: readonly Port[], outputs: readonly Port[]): string =>
  [
    `The ${network} network of a model of Logvane: a variational autoencoder of counts and numbers. All values are float32.`,
    "inputs",
    ...inputs.map(portText),
    "outputs",
    ...outputs.map(portText),
    "Names, families and scales of the columns stand in the metadata as JSON; docs/model-format.md of Logvane tells all.",
  ].join("\n");

function metadata(
  vae: Vae,
  names: OnnxNames,
  inputs: readonly Port[],
  outputs: readonly Port[],
): Record<string, string> {
  const { scales } = vae;
  return {
    "logvane.format": String(ONNX_FORMAT),
    "logvane.network": names.network,
    "logvane.shape": JSON.stringify(vae.shape),
    "logvane.kernels": vae.kernels,
    "logvane.inputs": JSON.stringify(inputs),
    "logvane.outputs": JSON.stringify(outputs),
    "logvane.counts": JSON.stringify(names.counts.map((c, i) => ({ ...c, scale: scales.count[i] }))),
    "logvane.reals": JSON.stringify(
      names.reals.map((c, i) => ({ ...c, mean: scales.realMean[i], scale: scales.real[i] })),
    ),
    "logvane.conditions": JSON.stringify(names.conditions),
    ...names.more,
  };
}
