// Streams made of public logs: windows of lines in time order, strange when one of their lines is.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { maskText } from "../src/template/mask.ts";
import { linesOf } from "./command.ts";
import { qualityOf } from "./metrics.ts";

export type StreamRow = {
  readonly stream: string;
  readonly windows: number;
  readonly share: number;
  /** F1 of each way. */
  readonly f1: Readonly<Record<"none" | "chunk" | "window" | "newTemplate" | "lastLabel", number>>;
};
type Line = { readonly event: string; readonly strange: boolean };

const CHUNKS = 10;
/** Fields of a BGL line before its message: label, times, node, and where it comes from. */
const BGL_HEAD = 9;

/** BGL: the first field is the label; templates by our own masks. */
function bgl(data: string): Line[] {
  return [...linesOf(join(data, "loghub-2k/BGL/BGL_2k.log"))].map((line) => ({
    event: maskText(line.split(" ").slice(BGL_HEAD).join(" ")),
    strange: !line.startsWith("- "),
  }));
}

/** HDFS: a line is strange when its block's session is. */
function hdfs(data: string): Line[] {
  const labels = [...linesOf(join(data, "hdfs-a/labels.csv"))].map((line) => line.split(","));
  const strange = new Set(labels.filter(([, label]) => label === "Anomaly").map(([id]) => id!));
  return [...linesOf(join(data, "hdfs-a/HDFS.log.gz"))].map((line) => ({
    event: maskText(line.split(" ").slice(3).join(" ")),
    strange: (line.match(/blk_-?\d+/g) ?? []).some((id) => strange.has(id)),
  }));
}

/** Each stream by each way, our ways by the command itself. root: of the project. */
export function streamRows(data: string, root: string, folder: string): StreamRow[] {
  const logs = [
    { name: "BGL 2k", lines: bgl(data), sizes: [1, 5, 10, 20] },
    { name: "HDFS", lines: hdfs(data), sizes: [5, 20, 100] },
  ];
  return logs.flatMap(({ name, lines, sizes }) =>
    sizes.map((size) => oneStream(`${name}, ${size} lines`, lines, size, root, folder)),
  );
}

function oneStream(
  stream: string,
  lines: readonly Line[],
  size: number,
  root: string,
  folder: string,
): StreamRow {
  const numbers = new Map<string, number>();
  const windows: number[][] = [];
  const truth: boolean[] = [];
  lines.forEach(({ event, strange }, i) => {
    if (i % size === 0) {
      windows.push([]);
      truth.push(false);
    }
    if (!numbers.has(event)) numbers.set(event, numbers.size);
    windows.at(-1)!.push(numbers.get(event)!);
    if (strange) truth[truth.length - 1] = true;
  });
  const file = (name: string): string => join(folder, name);
  writeFileSync(file("windows"), windows.map((w) => `${w.join(" ")}\n`).join(""));
  writeFileSync(file("labels"), truth.map((t) => `${t ? 1 : 0}\n`).join(""));
  const flags = [
    "--windows",
    file("windows"),
    "--labels",
    file("labels"),
    "--chunks",
    String(CHUNKS),
    "--out",
    file("scores"),
  ];
  const own = (feedback: string): number => {
    const run = spawnSync(process.execPath, ["dist/eval/stream.js", ...flags, "--feedback", feedback], {
      cwd: root,
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(run.stderr);
    const rows = [...linesOf(file("scores"))].map((line) => line.split("\t"));
    return qualityOf(
      rows.map((r) => Number(r[1])),
      rows.map((r) => r[3] === "1"),
      truth,
    ).f1;
  };
  const f1 = (said: readonly boolean[]): number => qualityOf(said.map(Number), said, truth).f1;
  const met = new Set<number>();
  const newTemplate = windows.map((window) => {
    const fresh = window.some((event) => !met.has(event));
    for (const event of window) met.add(event);
    return fresh;
  });
  process.stderr.write(`${stream}: ${windows.length} windows\n`);
  return {
    stream,
    windows: windows.length,
    share: truth.filter(Boolean).length / truth.length,
    f1: {
      none: own("none"),
      chunk: own("chunk"),
      window: own("window"),
      newTemplate: f1(newTemplate),
      lastLabel: f1(truth.map((_, i) => i > 0 && truth[i - 1]!)),
    },
  };
}
