import {
  DOT,
  HEX_WORD,
  HEXTET,
  HIGH,
  KIND,
  LONGEST_IPV6,
  MARKED,
  MAX_INPUT,
  NOT_HEX,
  ODD,
  OTHER_LETTER,
  SEPARATOR,
  VOWEL,
  VOWELLESS,
} from "./mask.ts";
import { isQueueId } from "./queue-id.ts";

/** Kinds of all bytes: those of ASCII, and HIGH for what stands in a longer UTF-8 sequence. */
const KINDS = new Uint8Array(256).fill(HIGH);
KINDS.set(KIND);

const SPACE = 32;
const OPEN = 40; // (
const MINUS = 45;
const POINT = 46;
const SLASH = 47;
const ZERO = 48;
const ONE = 49;
const FIVE = 53;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;

const PRIME = 0x01000193; // FNV-1a
const MIX = 0x85ebca6b; // MurmurHash3's finaliser
const LETTERS = VOWEL | OTHER_LETTER;
/** Most words have both, and then are no identifier. */
const WORD = VOWEL | NOT_HEX;
/** What stands for a parameter, by what it may be mistaken for. */
const PARAMETER = 0x9e3779b1;
const DIGITS_ALONE = 1;
const LETTERS_AND_DIGITS = 2;
const MIXED = 3;
const WITH_QUERY = 4;
const QUEUE_ID = 5;
const EXIM_ID = 6;
const FOREIGN = 7;
/** A queue id or a service stands among the first tokens: there, parameters of different make count as different. */
const HEAD_TOKENS = 2;
/** At the head, words with digits up to this length are names ("pop3-login"), longer ones are ids. */
const LONGEST_NAME = 12;
/** "127.255.255.": a block list that answers so refuses us (research: mail grammar). */
const REFUSAL = [49, 50, 55, 46, 50, 53, 53, 46, 50, 53, 53, 46];

/**
 * The key of a message: 64 bits over its words and punctuation, with each parameter as one mark. Two messages of equal
 * key have equal shapes (maskText), and differ in the values of parameters alone; so all that a grammar finds out
 * without looking at values holds for both. Finer than the shape: a key also holds reply codes (550, 421-), enhanced
 * codes (4.7.1), 127.255.255.x, and whether a parameter at the message's head can be a queue id.
 *
 * The parameters' rules are maskText's, over bytes; a test compares the two. Two lanes of 32 bits, seeded, so that
 * nobody who writes into the log can choose messages of equal key. One pass, work bounded by the message's length.
 */
export class MessageKey {
  low = 0;
  high = 0;
  /** Whether all bytes are ASCII. */
  ascii = true;
  /** Whether the message is short enough for its shape to depend on the key alone. */
  whole = true;
  private readonly seed: number;
  private readonly basis: number;

  /** seed: 32 bits; not to be guessed from outside. */
  constructor(seed: number) {
    this.seed = seed | 0;
    this.basis = Math.imul(seed ^ 0x811c9dc5, MIX) | 0;
  }

  /** Computes the key of bytes[start, end). program: a number that tells the writers of messages apart. */
  scan(bytes: Buffer, start: number, end: number, program: number): void {
    const kindOf = KINDS;
    const basis = this.basis;
    let a = Math.imul(this.seed ^ program, MIX);
    let b = (basis + program) | 0;
    let all = 0;
    let tokens = 0;
    let separator = 0; // the last one
    let at = start;
    while (at < end) {
      let c = bytes[at]!;
      let kind = kindOf[c]!;
      if (kind === SEPARATOR) {
        a = Math.imul(a ^ c, PRIME);
        separator = c;
        at++;
        continue;
      }
      const from = at;
      const first = c;
      let kinds = kind;
      let hash = basis ^ c;
      for (at++; at < end; at++) {
        c = bytes[at]!;
        kind = kindOf[c]!;
        if (kind === SEPARATOR) break;
        kinds |= kind;
        hash = (Math.imul(hash, PRIME) + c) | 0;
      }
      all |= kinds;
      if ((kinds & MARKED) !== 0) {
        hash =
          tokens < HEAD_TOKENS || first === SLASH || mayBeCode(bytes, from, at, first)
            ? markOf(bytes, from, at, kinds, hash, tokens, start, end)
            : PARAMETER;
      } else if ((kinds & WORD) !== WORD || separator === LESS || (kinds & DOT) !== 0) {
        hash = wordMark(bytes, from, at, kinds, hash, tokens, start, end);
      }
      if (first === SLASH && c === EQUALS) {
        at = queryEnd(bytes, from, at, end);
        all |= HIGH; // what the query holds wasn't looked at
      }
      tokens++;
      separator = 0;
      a = Math.imul(a ^ hash, MIX);
      a ^= a >>> 13;
      b = (Math.imul(b, PRIME) + (hash ^ (hash >>> 15))) | 0;
    }
    b = Math.imul(b ^ (b >>> 16), MIX);
    this.low = a ^ (a >>> 16);
    this.high = b ^ (b >>> 13);
    this.ascii = (all & HIGH) === 0;
    this.whole = end - start <= MAX_INPUT;
  }
}

/** A quick look: false for most tokens with a digit, which no code can be. */
function mayBeCode(bytes: Buffer, from: number, to: number, first: number): boolean {
  if (first < ONE || first > FIVE) return false;
  const length = to - from;
  if (first === ONE) return length > REFUSAL.length;
  return length === 3 || (length > 3 && (bytes[from + 1] === POINT || bytes[from + 3] === MINUS));
}

/**
 * What stands for a token without digit or @: a mark for a path, a name with an inner dot, what stands alone in <>, and
 * letters that are an identifier; else its own hash.
 */
function wordMark(
  bytes: Buffer,
  from: number,
  to: number,
  kinds: number,
  hash: number,
  tokens: number,
  start: number,
  end: number,
): number {
  const mark = tokens < HEAD_TOKENS ? PARAMETER + MIXED : PARAMETER;
  if (bytes[from] === SLASH)
    return to - from > 1 ? (hasQuery(bytes, from, to) ? PARAMETER + WITH_QUERY : mark) : hash;
  if ((kinds & DOT) !== 0) return innerDot(bytes, from, to) ? mark : hash;
  if (from > start && bytes[from - 1] === LESS && to < end && bytes[to] === GREATER) return PARAMETER; // a shape shows no word of it
  if ((kinds & (ODD | HIGH)) !== 0 || !isIdentifier(bytes, from, to, kinds, start, end)) return hash;
  if (tokens >= HEAD_TOKENS) return PARAMETER;
  return PARAMETER + (isQueueId(bytes, from, to) ? QUEUE_ID : LETTERS_AND_DIGITS);
}

/** What stands for a token with a digit or an @: a mark; its own hash when it is a code. */
function markOf(
  bytes: Buffer,
  from: number,
  to: number,
  kinds: number,
  hash: number,
  tokens: number,
  start: number,
  end: number,
): number {
  const first = bytes[from]!;
  if (first > ONE && first <= FIVE) {
    if (isEnhancedCode(bytes, from, to)) return hash;
    if (isReplyCode(bytes, from, to, start, end)) return codeHash(bytes, from, to);
  } else if (first === ONE && to - from > REFUSAL.length && isRefusal(bytes, from)) return hash;
  if (first === SLASH && hasQuery(bytes, from, to)) return PARAMETER + WITH_QUERY;
  return tokens >= HEAD_TOKENS ? PARAMETER : headMark(bytes, from, to, kinds, hash, end);
}

/** What stands for a token with a digit or an @ at the head of a message: by its make, or its own hash for a short name. */
function headMark(bytes: Buffer, from: number, to: number, kinds: number, hash: number, end: number): number {
  if (to < end && bytes[to] === COLON && isQueueId(bytes, from, to)) return PARAMETER + QUEUE_ID;
  if ((kinds & HIGH) !== 0) return PARAMETER + FOREIGN;
  if ((kinds & ~MARKED) === 0) return PARAMETER + (hasAt(bytes, from, to) ? MIXED : DIGITS_ALONE);
  if ((kinds & DOT) !== 0 || bytes[from] === SLASH || hasAt(bytes, from, to)) return PARAMETER + MIXED;
  if ((kinds & LETTERS) === 0) return PARAMETER + DIGITS_ALONE; // 01234-05
  if (isEximId(bytes, from, to)) return PARAMETER + EXIM_ID;
  if (to - from <= LONGEST_NAME) return hash;
  return PARAMETER + ((kinds & ODD) !== 0 ? MIXED : LETTERS_AND_DIGITS);
}

/** `1abcDE-000123-45` and the longer ids of Exim 4.97. */
function isEximId(bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if ((length !== 16 && length !== 23) || bytes[from + 6] !== MINUS) return false;
  return bytes[to - (length === 16 ? 3 : 5)] === MINUS;
}

/** `5.7.1`, `4.2.12`: RFC 3463. */
function isEnhancedCode(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < 5 || to - from > 9 || bytes[from + 1] !== POINT || bytes[to - 1] === POINT) return false;
  let dots = 0;
  for (let i = from + 2; i < to; i++) {
    if (bytes[i] === POINT) dots++;
    else if (!isDigit(bytes[i])) return false;
  }
  return dots === 1;
}

/** `550`, `421-4.7.0` behind ": " or "(", as replies stand in a log. */
function isReplyCode(bytes: Buffer, from: number, to: number, start: number, end: number): boolean {
  if (to - from < 3 || !isDigit(bytes[from + 1]) || !isDigit(bytes[from + 2])) return false;
  if (to - from > 3 ? bytes[from + 3] !== MINUS : to < end && bytes[to] !== SPACE) return false;
  if (from === start) return true;
  const before = bytes[from - 1];
  return before === OPEN || (before === SPACE && from - 2 >= start && bytes[from - 2] === COLON);
}

/** The code, and the enhanced code that a - joins to it; what else is joined counts as one mark. */
function codeHash(bytes: Buffer, from: number, to: number): number {
  let hash = PRIME;
  const joined = from + 4 < to && isEnhancedCode(bytes, from + 4, to);
  const stop = joined ? to : from + 3;
  for (let i = from; i < stop; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME);
  return to > stop ? hash ^ PARAMETER : hash;
}

function isRefusal(bytes: Buffer, from: number): boolean {
  for (let i = 0; i < REFUSAL.length; i++) if (bytes[from + i] !== REFUSAL[i]) return false;
  return true;
}

function hasAt(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === 64) return true;
  return false;
}

/** Whether letters alone are an identifier: long and without vowels, long and hexadecimal, or part of an IPv6 address. */
function isIdentifier(
  bytes: Buffer,
  from: number,
  to: number,
  kinds: number,
  start: number,
  end: number,
): boolean {
  const length = to - from;
  if (length >= VOWELLESS && (kinds & VOWEL) === 0) return true;
  if ((kinds & NOT_HEX) !== 0) return false;
  if (length >= HEX_WORD) return true;
  return length <= HEXTET && inColonHex(bytes, from, to, start, end);
}

/** mask.ts has the same over text. */
function inColonHex(bytes: Buffer, from: number, to: number, start: number, end: number): boolean {
  if ((to >= end || bytes[to] !== COLON) && (from === start || bytes[from - 1] !== COLON)) return false;
  let colons = 0;
  for (let i = from - 1; i >= start && i >= from - LONGEST_IPV6 && isHexOrColon(bytes[i]!); i--)
    if (bytes[i] === COLON) colons++;
  for (let i = to; i < end && i < to + LONGEST_IPV6 && isHexOrColon(bytes[i]!); i++)
    if (bytes[i] === COLON) colons++;
  return colons >= 2;
}

const isHexOrColon = (c: number): boolean =>
  (c >= ZERO && c <= COLON) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);

function innerDot(bytes: Buffer, from: number, to: number): boolean {
  let first = from;
  let last = to - 1;
  while (first < to && bytes[first] === POINT) first++;
  while (last > first && bytes[last] === POINT) last--;
  for (let i = first; i < last; i++) if (bytes[i] === POINT) return true;
  return false;
}

function hasQuery(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === QUESTION) return true;
  return false;
}

/** Where the path bytes[from, at) ends: where its query does, if it has one, to which = belongs. */
function queryEnd(bytes: Buffer, from: number, at: number, end: number): number {
  if (!hasQuery(bytes, from, at)) return at;
  let i = at;
  while (i < end && (bytes[i] === EQUALS || KINDS[bytes[i]!] !== SEPARATOR)) i++;
  return i;
}

const isDigit = (c: number | undefined): boolean => c !== undefined && c >= ZERO && c <= NINE;
