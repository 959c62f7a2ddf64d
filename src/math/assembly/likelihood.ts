// Count inputs, likelihood and its gradient: four columns at once, as in ../gather.ts and ../likelihood.ts. What only
// counts above 1 need (products and gamma functions) is added one by one; most counts of a log are 0 or 1.
import { digammaOf, expv, log1pv, logGammaOf } from "./elementary";

const LOG_MEAN_LIMIT: f32 = 25;
const INPUT_LIMIT: f32 = 5;
/** Up to this count, sums and products over 0 ... x - 1 are made term by term; beyond, by the gamma function. */
const SUMMED_COUNTS: f64 = 32;
/** Where the last 1 to 3 columns of a row are laid out as one vector: 8 vectors. */
const edge = memory.data(128, 16);

/** Copies `lanes` numbers to slot i of the edge, the rest `fill`. Returns the slot. */
// @ts-ignore: decorator
@inline
function toEdge(i: i32, from: usize, lanes: i32, fill: f32): usize {
  const slot = edge + (<usize>i << 4);
  v128.store(slot, f32x4.splat(fill));
  memory.copy(slot, from, <usize>lanes << 2);
  return slot;
}

// @ts-ignore: decorator
@inline
function within(x: v128, limit: f32): v128 {
  return f32x4.min(f32x4.splat(limit), f32x4.max(f32x4.splat(-limit), x));
}

// @ts-ignore: decorator
@inline
function input4(to: usize, counts: usize, offset: usize, scale: usize): void {
  const excess = f32x4.sub(log1pv(v128.load(counts)), log1pv(expv(v128.load(offset))));
  v128.store(to, within(f32x4.div(excess, v128.load(scale)), INPUT_LIMIT));
}

export function countInputs(
  input: usize, counts: usize, offset: usize, scale: usize, B: i32, C: i32, W: i32,
): void {
  const whole = C & ~3;
  const lanes = C - whole;
  const last = <usize>whole << 2;
  for (let b = 0; b < B; b++) {
    const x = counts + (<usize>(b * C) << 2);
    const o = offset + (<usize>(b * C) << 2);
    const to = input + (<usize>(b * W) << 2);
    for (let at: usize = 0; at < last; at += 16) input4(to + at, x + at, o + at, scale + at);
    if (lanes == 0) continue;
    input4(edge + 64, toEdge(0, x + last, lanes, 0), toEdge(1, o + last, lanes, 0), toEdge(2, scale + last, lanes, 1));
    memory.copy(to + last, edge + 64, <usize>lanes << 2);
  }
}

/**
 * What is known of each column's alpha while a batch is worked on, in doubles: two terms of r = 1/alpha, then the gamma terms of each
 * count from 2 to SUMMED_COUNTS; NaN until somebody asks. The counts of a batch repeat, and logarithms and quotients are slow.
 */
const KNOWN: i32 = 33;
/** Batches of fewer rows repeat too little to pay for the table. */
const MIN_ROWS: i32 = 8;
/** ln x! by x, 0 until somebody asks; no count that asks has 0. */
const FACTORIALS: i32 = 1024;
const factorials = memory.data(8192, 16);

/** An empty table for C columns behind the C + 3 numbers at scratch; 0 where a batch is too small for one. */
function tableAt(scratch: usize, B: i32, C: i32): usize {
  if (B < MIN_ROWS) return 0;
  const table = (scratch + (<usize>(C + 3) << 2) + 7) & ~7;
  memory.fill(table, 0xff, <usize>(C * KNOWN) << 3); // all bits set: NaN
  return table;
}

function logFactorial(x: f64): f64 {
  if (x >= FACTORIALS || x != Math.floor(x)) return logGammaOf(x + 1);
  const slot = factorials + (<usize>x << 3);
  const known = load<f64>(slot);
  if (known != 0) return known;
  store<f64>(slot, logGammaOf(x + 1));
  return load<f64>(slot);
}

/** Whether the gamma terms of a count are made term by term. */
// @ts-ignore: decorator
@inline
function isSummed(x: f64): bool {
  return x <= SUMMED_COUNTS && x == Math.floor(x);
}

/** ln Gamma(x + r) - ln Gamma(r) + x ln alpha - ln x!, r = 1/alpha. known: the column's row of the table, or 0. */
function risingOverFactorial(x: f64, alpha: f64, known: usize): f64 {
  if (isSummed(x)) {
    const slot = known + (<usize>x << 3);
    const kept = known > 0 && x >= 2;
    if (kept) {
      const value = load<f64>(slot);
      if (value == value) return value;
    }
    let product: f64 = 1; // at most prod of (1 + 31 e^4) / 32!, well inside a double
    for (let i: f64 = 1; i < x; i++) product *= (1 + i * alpha) / (i + 1);
    const sum = Math.log(product);
    if (kept) store<f64>(slot, sum);
    return sum;
  }
  const r = 1 / alpha;
  if (known == 0) return logGammaOf(x + r) - logGammaOf(r) + x * Math.log(alpha) - logFactorial(x);
  if (isNaN(load<f64>(known))) {
    store<f64>(known, logGammaOf(r));
    store<f64>(known, Math.log(alpha), 8);
  }
  return logGammaOf(x + r) - load<f64>(known) + x * load<f64>(known, 8) - logFactorial(x);
}

/** Its derivative by ln alpha. */
function risingSlope(x: f64, alpha: f64, known: usize): f64 {
  if (isSummed(x)) {
    const slot = known + (<usize>x << 3);
    const kept = known > 0 && x >= 2;
    if (kept) {
      const value = load<f64>(slot);
      if (value == value) return value;
    }
    let sum: f64 = 0;
    for (let i: f64 = 1; i < x; i++) sum += (i * alpha) / (1 + i * alpha);
    if (kept) store<f64>(slot, sum);
    return sum;
  }
  const r = 1 / alpha;
  if (known == 0) return x - r * (digammaOf(x + r) - digammaOf(r));
  if (isNaN(load<f64>(known))) store<f64>(known, digammaOf(r));
  return x - r * (digammaOf(x + r) - load<f64>(known));
}

/** True of counts to which the gamma terms add nothing. */
// @ts-ignore: decorator
@inline
function plain(x: f32): bool {
  return x == 0 || x == 1;
}

/** alpha of every column to `to`, padded to whole vectors. */
function exponentiate(to: usize, logAlpha: usize, C: i32): void {
  const whole = C & ~3;
  const last = <usize>whole << 2;
  for (let at: usize = 0; at < last; at += 16) v128.store(to + at, expv(v128.load(logAlpha + at)));
  if (whole < C) v128.store(to + last, expv(v128.load(toEdge(0, logAlpha + last, C - whole, 0))));
}

// @ts-ignore: decorator
@inline
function loss4(
  parts: usize, mean: usize, spreads: usize, counts: usize, offset: usize, out: usize, alpha: usize,
): void {
  const x = v128.load(counts);
  const a = v128.load(alpha);
  const logMean = within(f32x4.add(v128.load(offset), v128.load(out)), LOG_MEAN_LIMIT);
  const mu = expv(logMean);
  const spread = log1pv(f32x4.mul(a, mu));
  v128.store(mean, mu);
  v128.store(spreads, spread);
  v128.store(parts, f32x4.add(f32x4.div(spread, a), f32x4.mul(x, f32x4.sub(spread, logMean))));
}

/** scratch: room for 67 C + 5 numbers. */
export function countLoss(
  parts: usize, mean: usize, spreads: usize, counts: usize, offset: usize, out: usize, logAlpha: usize,
  B: i32, C: i32, W: i32, scratch: usize,
): void {
  exponentiate(scratch, logAlpha, C);
  const table = tableAt(scratch, B, C);
  const step: usize = table > 0 ? <usize>KNOWN << 3 : 0;
  const whole = C & ~3;
  const lanes = C - whole;
  const last = <usize>whole << 2;
  for (let b = 0; b < B; b++) {
    const row = <usize>(b * C) << 2;
    const x = counts + row;
    const o = offset + row;
    const mu = mean + row;
    const spread = spreads + row;
    const from = out + (<usize>(b * W) << 2);
    const to = parts + (<usize>(b * W) << 2);
    for (let at: usize = 0; at < last; at += 16)
      loss4(to + at, mu + at, spread + at, x + at, o + at, from + at, scratch + at);
    if (lanes > 0) {
      const ex = toEdge(0, x + last, lanes, 0);
      const eo = toEdge(1, o + last, lanes, 0);
      loss4(edge + 64, edge + 80, edge + 96, ex, eo, toEdge(2, from + last, lanes, 0), scratch + last);
      memory.copy(to + last, edge + 64, <usize>lanes << 2);
      memory.copy(mu + last, edge + 80, <usize>lanes << 2);
      memory.copy(spread + last, edge + 96, <usize>lanes << 2);
    }
    let known = table;
    for (let at: usize = 0; at < <usize>C << 2; at += 4, known += step) {
      const count = load<f32>(x + at);
      if (plain(count)) continue;
      const gained = risingOverFactorial(<f64>count, <f64>load<f32>(scratch + at), known);
      store<f32>(to + at, <f32>(<f64>load<f32>(to + at) - gained));
    }
  }
}

// @ts-ignore: decorator
@inline
function lossBack4(
  dOut: usize, dLogAlpha: usize, counts: usize, mean: usize, spreads: usize, alpha: usize, scale: v128,
): void {
  const one = f32x4.splat(1);
  const x = v128.load(counts);
  const a = v128.load(alpha);
  const mu = v128.load(mean);
  const share = f32x4.div(one, f32x4.add(one, f32x4.mul(a, mu)));
  v128.store(dOut, f32x4.mul(f32x4.mul(scale, f32x4.sub(mu, x)), share));
  const first = f32x4.mul(f32x4.mul(f32x4.add(f32x4.mul(a, x), one), mu), share);
  const byAlpha = f32x4.sub(first, f32x4.div(v128.load(spreads), a));
  v128.store(dLogAlpha, f32x4.add(v128.load(dLogAlpha), f32x4.mul(scale, byAlpha)));
}

/** scratch: room for 67 C + 5 numbers. */
export function countLossBack(
  dOut: usize, dLogAlpha: usize, counts: usize, mean: usize, spreads: usize, logAlpha: usize, scale: usize,
  B: i32, C: i32, W: i32, scratch: usize,
): void {
  exponentiate(scratch, logAlpha, C);
  const table = tableAt(scratch, B, C);
  const step: usize = table > 0 ? <usize>KNOWN << 3 : 0;
  memory.fill(dLogAlpha, 0, <usize>C << 2);
  const whole = C & ~3;
  const lanes = C - whole;
  const last = <usize>whole << 2;
  for (let b = 0; b < B; b++) {
    const row = <usize>(b * C) << 2;
    const x = counts + row;
    const mu = mean + row;
    const spread = spreads + row;
    const to = dOut + (<usize>(b * W) << 2);
    const s = load<f32>(scale + (<usize>b << 2));
    const weight = f32x4.splat(s);
    for (let at: usize = 0; at < last; at += 16)
      lossBack4(to + at, dLogAlpha + at, x + at, mu + at, spread + at, scratch + at, weight);
    if (lanes > 0) {
      const ex = toEdge(0, x + last, lanes, 0);
      const em = toEdge(1, mu + last, lanes, 0);
      const es = toEdge(2, spread + last, lanes, 0);
      const ed = toEdge(3, dLogAlpha + last, lanes, 0);
      lossBack4(edge + 64, ed, ex, em, es, scratch + last, weight);
      memory.copy(to + last, edge + 64, <usize>lanes << 2);
      memory.copy(dLogAlpha + last, ed, <usize>lanes << 2);
    }
    let known = table;
    for (let at: usize = 0; at < <usize>C << 2; at += 4, known += step) {
      const count = load<f32>(x + at);
      if (plain(count)) continue;
      const slope = <f64>s * risingSlope(<f64>count, <f64>load<f32>(scratch + at), known);
      store<f32>(dLogAlpha + at, <f32>(<f64>load<f32>(dLogAlpha + at) - slope));
    }
  }
}
