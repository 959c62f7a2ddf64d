import { readFileSync } from "node:fs";
import { type Kernels, PLAIN, wasmKernels } from "../model/kernels.ts";

/** Beside the compiled sources, see scripts/build.mjs. */
const WASM = new URL("../math/kernels.wasm", import.meta.url);

/** The SIMD kernels; the plain ones where the file is missing or the machine knows no SIMD. */
export function loadKernels(): Kernels {
  try {
    return wasmKernels(readFileSync(WASM));
  } catch {
    return PLAIN;
  }
}
