/** Numbers of a network: float32 in use, float64 where a gradient is checked against finite differences. */
export type Floats = Float32Array | Float64Array;
