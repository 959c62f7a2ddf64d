import { maskText, PARAMETER } from "./mask.ts";

/** So many shapes that differ in one word make that word a parameter. 4 and 6 measured slightly worse (eval/templates.ts). */
const ALIKE = 5;
/** Each pass can find one more parameter of a shape. */
const MAX_PASSES = 4;
/** A group keeps at least so many constant words, or it would say nothing. */
const MIN_WORDS = 2;
/** Positions of a shape that are tried; the words after them are taken as they are. Bounds the work for hostile shapes. */
const MAX_POSITIONS = 48;

/** A shape taken apart: parts at even places are words or parameters, at odd places what separates them. */
type Parts = string[];

/** Words, parameters and the separators between them, so that joining gives the shape back. */
function partsOf(shape: string): Parts {
  return shape.split(/(<\*>|[ =,;:()[\]{}"'`|]+)/).reduce<Parts>((parts, piece, i) => {
    if (i % 2 === 0) parts.push(piece);
    else if (piece === PARAMETER) {
      // A parameter takes the place of the empty words on its sides.
      if (parts.at(-1) === "") parts[parts.length - 1] = PARAMETER;
      else parts.push("", PARAMETER);
      parts.push("");
    } else parts.push(piece);
    return parts;
  }, []);
}

const isWord = (part: string): boolean => part !== "" && part !== PARAMETER;

/** The shape with the part at `at` as parameter, in canonical form. */
function generalised(parts: Parts, at: number): string {
  return maskText(parts.map((part, i) => (i === at ? PARAMETER : part)).join(""));
}

/**
 * For each position of a shape, a number that it shares with the shapes that are equal but for the word there. A sum of
 * the parts' hashes times powers of an odd number, so that leaving one part out costs one product; 53 bits of two lanes.
 */
class PositionKeys {
  private a = 0;
  private b = 0;
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
    for (const [i, part] of parts.entries()) {
      const hash = hash32(part);
      this.a = (this.a + Math.imul(hash, power(BASE_A, i))) | 0;
      this.b = (this.b + Math.imul(hash ^ (hash >>> 15), power(BASE_B, i))) | 0;
    }
  }

  at(i: number): number {
    const hash = hash32(this.parts[i]!);
    const a = (this.a - Math.imul(hash - WILD, power(BASE_A, i))) | 0;
    const b = (this.b - Math.imul((hash ^ (hash >>> 15)) - WILD, power(BASE_B, i))) | 0;
    return (a >>> 0) * 2 ** 21 + (b >>> 11);
  }
}

const BASE_A = 0x01000193;
const BASE_B = 0x85ebca6b;
const WILD = 0x5bd1e995;

/** FNV-1a. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** base to the power n, modulo 2^32. */
function power(base: number, n: number): number {
  let out = 1;
  for (let i = n, square = base; i > 0; i >>>= 1, square = Math.imul(square, square))
    if (i & 1) out = Math.imul(out, square);
  return out;
}

/**
 * Groups shapes: where at least five, otherwise equal, differ in one word, that word becomes a parameter; repeated for
 * what comes out. The result depends on the set of shapes alone, not on their order. Returns each shape that was
 * joined with the shape of its group, and so each form between the two; what isn't in the map is a group of its own.
 * Source: logparser's Brain finds parameters by columns too (Yu et al. 2023); this rule was measured in research.
 */
export function agglomerate(shapes: Iterable<string>): Map<string, string> {
  const group = new Map<string, string>();
  for (const shape of shapes) group.set(shape, shape);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = joinOnce(new Set(group.values()));
    if (next.size === 0) break;
    for (const form of next.values()) if (!group.has(form)) group.set(form, form);
    for (const [shape, current] of group) group.set(shape, next.get(current) ?? current);
  }
  for (const [shape, current] of group) if (shape === current) group.delete(shape);
  return group;
}

/** The shape with a parameter for one of its words, for each word that may become one. */
export function* generalisations(shape: string): Generator<string> {
  const parts = partsOf(shape);
  for (const at of positions(parts)) yield generalised(parts, at);
}

/** One pass: for each shape that has a position where enough shapes differ, the shape with a parameter there. */
function joinOnce(shapes: ReadonlySet<string>): Map<string, string> {
  const alike = new Map<number, number>();
  for (const shape of shapes) {
    const parts = partsOf(shape);
    const keys = new PositionKeys(parts);
    for (const at of positions(parts)) alike.set(keys.at(at), (alike.get(keys.at(at)) ?? 0) + 1);
  }
  const joined = new Map<string, string>();
  for (const shape of shapes) {
    const parts = partsOf(shape); // again, since keeping all of them would cost more memory than all shapes
    const best = mostAlike(parts, positions(parts), alike);
    if (best >= 0) joined.set(shape, generalised(parts, best));
  }
  return joined;
}

/** Positions whose word may become a parameter: none, when too few constant words would stay. */
function positions(parts: Parts): number[] {
  const words: number[] = [];
  for (let i = 0; i < parts.length; i += 2) if (isWord(parts[i]!)) words.push(i);
  return words.length > MIN_WORDS ? words.slice(0, MAX_POSITIONS) : [];
}

/** The position with the most shapes alike, at least ALIKE; the leftmost of equals; -1 when there is none. */
function mostAlike(parts: Parts, places: readonly number[], alike: ReadonlyMap<number, number>): number {
  const keys = new PositionKeys(parts);
  let best = -1;
  let most = ALIKE - 1;
  for (const at of places) {
    const count = alike.get(keys.at(at)) ?? 0;
    if (count > most) {
      most = count;
      best = at;
    }
  }
  return best;
}
