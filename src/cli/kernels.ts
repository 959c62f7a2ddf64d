import { type Kernels, PLAIN } from "../model/kernels.ts";

/** The fastest kernels that run here. */
export function loadKernels(): Kernels {
  return PLAIN;
}
