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

/** ln Gamma(x + r) - ln Gamma(r) + x ln alpha - ln x!, r = 1/alpha. */
function risingOverFactorial(x: f64, alpha: f64): f64 {
  if (x <= SUMMED_COUNTS && x == Math.floor(x)) {
    let product: f64 = 1; // at most prod of (1 + 31 e^4) / 32!, well inside a double
    for (let i: f64 = 1; i < x; i++) product *= (1 + i * alpha) / (i + 1);
    return Math.log(product);
  }
  const r = 1 / alpha;
  return logGammaOf(x + r) - logGammaOf(r) + x * Math.log(alpha) - logGammaOf(x + 1);
}

/** Its derivative by ln alpha. */
function risingSlope(x: f64, alpha: f64): f64 {
  if (x <= SUMMED_COUNTS && x == Math.floor(x)) {
    let sum: f64 = 0;
    for (let i: f64 = 1; i < x; i++) sum += (i * alpha) / (1 + i * alpha);
    return sum;
  }
  const r = 1 / alpha;
  return x - r * (digammaOf(x + r) - digammaOf(r));
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

/** scratch: room for C + 3 numbers. */
export function countLoss(
  parts: usize, mean: usize, spreads: usize, counts: usize, offset: usize, out: usize, logAlpha: usize,
  B: i32, C: i32, W: i32, scratch: usize,
): void {
  exponentiate(scratch, logAlpha, C);
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
    for (let at: usize = 0; at < <usize>C << 2; at += 4) {
      const count = load<f32>(x + at);
      if (plain(count)) continue;
      const gained = risingOverFactorial(<f64>count, <f64>load<f32>(scratch + at));
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

/** scratch: room for C + 3 numbers. */
export function countLossBack(
  dOut: usize, dLogAlpha: usize, counts: usize, mean: usize, spreads: usize, logAlpha: usize, scale: usize,
  B: i32, C: i32, W: i32, scratch: usize,
): void {
  exponentiate(scratch, logAlpha, C);
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
    for (let at: usize = 0; at < <usize>C << 2; at += 4) {
      const count = load<f32>(x + at);
      if (plain(count)) continue;
      const slope = <f64>s * risingSlope(<f64>count, <f64>load<f32>(scratch + at));
      store<f32>(dLogAlpha + at, <f32>(<f64>load<f32>(dLogAlpha + at) - slope));
    }
  }
}
