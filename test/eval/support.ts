import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Ran = { readonly status: number | null; readonly stderr: string; readonly rows: string[][] };

/** Runs an evaluation command; rows are those of its --out file, cut at the TABs. */
export function evaluate(name: string, out: string, ...args: readonly string[]): Ran {
  const script = join(process.cwd(), "dist/eval", `${name}.js`);
  const { status, stderr } = spawnSync(process.execPath, [script, ...args, "--out", out], {
    encoding: "utf8",
  });
  const text = status === 0 ? readFileSync(out, "utf8").trimEnd() : "";
  return { status, stderr, rows: text === "" ? [] : text.split("\n").map((line) => line.split("\t")) };
}
