import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { foldOf, logged, type RowScores, type WindowTable } from "./windows.ts";

const SCRIPT = fileURLToPath(new URL("../../../eval/baselines/isolation-forest.py", import.meta.url));
/** The first that knows scikit-learn; a distribution's package belongs to the distribution's own Python. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/**
 * Isolation Forest (Liu et al. 2008, scikit-learn) on ln(1 + count). A forest names no column, so the one that lies most
 * deviations from its mean in training is cited. Undefined where scikit-learn is missing.
 */
export function forestScores(table: WindowTable): RowScores | undefined {
  const { C, T, train } = table;
  const python = PYTHONS.find((name) => spawnSync(name, ["-c", "import sklearn"]).status === 0);
  if (python === undefined) return undefined;
  const x = logged(table);
  const folder = mkdtempSync(join(tmpdir(), "logvane-forest-"));
  writeFileSync(join(folder, "values.f32"), bytesOf(x));
  writeFileSync(
    join(folder, "folds.i32"),
    bytesOf(Int32Array.from({ length: T }, (_, t) => foldOf(table, t))),
  );
  const result = spawnSync(python, [SCRIPT, folder, ...[T, C, train].map(String)], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  const raw = readFileSync(join(folder, "scores.f64"));
  rmSync(folder, { recursive: true });
  const values = Float64Array.from({ length: T }, (_, t) => raw.readDoubleLE(8 * t));
  return { values, columns: furthest(x, table) };
}

const bytesOf = (a: Float32Array | Int32Array): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);

/** Deviations smaller than this are taken for this: a column that hardly varied is not infinitely sure. */
const MIN_SD = 0.1;

/** The column of each row that lies most deviations from its mean in training. */
function furthest(x: Float32Array, { C, T, train }: WindowTable): Int32Array {
  const mean = new Float64Array(C);
  const sd = new Float64Array(C);
  for (let t = 0; t < train; t++) for (let j = 0; j < C; j++) mean[j]! += x[t * C + j]! / train;
  for (let t = 0; t < train; t++)
    for (let j = 0; j < C; j++) sd[j]! += (x[t * C + j]! - mean[j]!) ** 2 / train;
  return Int32Array.from({ length: T }, (_, t) => {
    let column = 0;
    let most = -1;
    for (let j = 0; j < C; j++) {
      const z = Math.abs(x[t * C + j]! - mean[j]!) / Math.max(MIN_SD, Math.sqrt(sd[j]!));
      if (z > most) {
        most = z;
        column = j;
      }
    }
    return column;
  });
}
