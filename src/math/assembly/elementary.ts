// exp and ln of four float32 at once, and ln Gamma and digamma of one double.

const LOG2E: f32 = 1.44269504088896341;
/** ln 2 in two parts, the first exact in few bits, so that n ln 2 loses none. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
const SQRT_HALF: f32 = 0.707106781186547524;
const MIN_EXPONENT: f32 = -87.0;
const MAX_EXPONENT: f32 = 88.0;
/** From here on the asymptotic series are exact to rounding. */
const ASYMPTOTIC_FROM: f64 = 10;
const HALF_LN_2PI: f64 = 0.9189385332046727;

// @ts-ignore: decorator
@inline
function fold(p: v128, x: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(p, x), f32x4.splat(c));
}

/** exp of four numbers within about 2 ulp; arguments are held within [-87, 88]. Source: Moshier, Cephes, expf.c. */
// @ts-ignore: decorator
@inline
export function expv(v: v128): v128 {
  const x = f32x4.min(f32x4.splat(MAX_EXPONENT), f32x4.max(f32x4.splat(MIN_EXPONENT), v));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2E)));
  const high = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  const r = f32x4.sub(high, f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let p = f32x4.splat(1.9875691500e-4);
  p = fold(p, r, 1.3981999507e-3);
  p = fold(p, r, 8.3334519073e-3);
  p = fold(p, r, 4.1665795894e-2);
  p = fold(p, r, 1.6666665459e-1);
  p = fold(p, r, 5.0000001201e-1);
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** ln of four normal numbers > 0 within about 1 ulp. Source: Moshier, Cephes, logf.c. */
// @ts-ignore: decorator
@inline
export function logv(v: v128): v128 {
  const mantissa = v128.or(v128.and(v, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000)); // in [0.5, 1)
  const small = f32x4.lt(mantissa, f32x4.splat(SQRT_HALF));
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(v, 23), i32x4.splat(126)));
  e = f32x4.sub(e, v128.and(f32x4.splat(1), small));
  const x = f32x4.sub(f32x4.add(mantissa, v128.and(mantissa, small)), f32x4.splat(1));
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(7.0376836292e-2);
  p = fold(p, x, -1.1514610310e-1);
  p = fold(p, x, 1.1676998740e-1);
  p = fold(p, x, -1.2420140846e-1);
  p = fold(p, x, 1.4249322787e-1);
  p = fold(p, x, -1.6668057665e-1);
  p = fold(p, x, 2.0000714765e-1);
  p = fold(p, x, -2.4999993993e-1);
  p = fold(p, x, 3.3333331174e-1);
  p = f32x4.mul(f32x4.mul(p, x), square);
  p = f32x4.add(p, f32x4.mul(e, f32x4.splat(LN2_LOW)));
  p = f32x4.sub(p, f32x4.mul(f32x4.splat(0.5), square));
  return f32x4.add(f32x4.add(x, p), f32x4.mul(e, f32x4.splat(LN2_HIGH)));
}

/** ln(1 + y) of four numbers y >= 0: what 1 + y rounded off is added back. Source: Higham (2002), problem 1.5. */
// @ts-ignore: decorator
@inline
export function log1pv(y: v128): v128 {
  const one = f32x4.splat(1);
  const u = f32x4.add(one, y);
  return f32x4.add(logv(u), f32x4.div(f32x4.sub(y, f32x4.sub(u, one)), u));
}

/** ln Gamma(x), x > 0. Source: Abramowitz & Stegun 6.1.15 (recurrence) and 6.1.41 (Stirling). */
export function logGammaOf(x: f64): f64 {
  let product: f64 = 1;
  let y = x;
  while (y < ASYMPTOTIC_FROM) {
    product *= y;
    y += 1;
  }
  const u = 1 / (y * y);
  const series = (1.0 / 12 - u * (1.0 / 360 - u * (1.0 / 1260 - u * (1.0 / 1680 - u / 1188)))) / y;
  const all = (y - 0.5) * NativeMath.log(y) - y + HALF_LN_2PI + series;
  return product == 1 ? all : all - NativeMath.log(product);
}

/** d ln Gamma(x) / dx, x > 0. Source: Abramowitz & Stegun 6.3.5 and 6.3.18. */
export function digammaOf(x: f64): f64 {
  let shift: f64 = 0;
  let y = x;
  while (y < ASYMPTOTIC_FROM) {
    shift += 1 / y;
    y += 1;
  }
  const u = 1 / (y * y);
  const series = u * (1.0 / 12 - u * (1.0 / 120 - u * (1.0 / 252 - u * (1.0 / 240 - u / 132))));
  return NativeMath.log(y) - 0.5 / y - series - shift;
}
