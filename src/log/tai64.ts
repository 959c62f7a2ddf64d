import { stampOf } from "./instant.ts";
import type { Stamp } from "./stamp.ts";

/** 2^62 in the high 32 bits: a TAI64 label counts from 1970 TAI. https://cr.yp.to/libtai/tai64.html */
const EPOCH_HIGH = 0x40000000;
/** What daemontools and Dovecot's multilog add to a Unix time for TAI, whatever leap seconds came later. */
const TAI_MINUS_UTC = 10;
const NS_PER_MS = 1e6;

/** Hexadecimal digits from `at` to `end` as a number; NaN when one is none. */
function hex(text: string, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i++) {
    const c = text.charCodeAt(i);
    const lower = c | 32;
    const digit = c >= 48 && c <= 57 ? c - 48 : lower >= 97 && lower <= 102 ? lower - 87 : Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}

/** `@400000004c91b044077a9e94` (TAI64N) and `@400000004c91b044` (TAI64) at `at`, with what follows a blank. */
export function readTai64(text: string, at: number, out: Stamp): boolean {
  const seconds =
    (hex(text, at + 1, at + 9) - EPOCH_HIGH) * 2 ** 32 + hex(text, at + 9, at + 17) - TAI_MINUS_UTC;
  if (Number.isNaN(seconds)) return false;
  const ns = hex(text, at + 17, at + 25);
  const end = Number.isNaN(ns) ? at + 17 : at + 25;
  const next = text.charCodeAt(end);
  if (next !== 32 && next !== 9 && end !== text.length) return false;
  if (!Number.isNaN(ns) && ns >= 1e9) return false;
  return stampOf(seconds * 1000 + (Number.isNaN(ns) ? 0 : Math.floor(ns / NS_PER_MS)), end, out);
}
