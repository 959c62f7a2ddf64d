import { logGamma } from "./negative-binomial.ts";

/** Counts with their logarithms at hand; nearly all counts of a log's window are smaller. */
const TABLE_SIZE = 1024;
const LOG1P = Float64Array.from({ length: TABLE_SIZE }, (_, x) => Math.log1p(x));
const LOG_FACTORIAL = Float64Array.from({ length: TABLE_SIZE }, (_, x) => logGamma(x + 1));

const isSmall = (x: number): boolean => x >= 0 && x < TABLE_SIZE && x === Math.floor(x);

/** ln(1 + x) of a count: the very number of Math.log1p, from a table where x is small and whole. */
export const logOnePlus = (x: number): number => (isSmall(x) ? LOG1P[x] : Math.log1p(x));

/** ln x! of a count: the very number of logGamma(x + 1). */
export const logFactorial = (x: number): number => (isSmall(x) ? LOG_FACTORIAL[x] : logGamma(x + 1));
