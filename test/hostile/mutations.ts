import type { Random } from "../../src/math/random.ts";

/** Longest line that mutations make, somewhat above the cap of a line. */
const LONGEST = 8_500;
/** One mutation in so many makes a line of several KiB: these cost as much as fifty others. */
const LONG_EVERY = 400;
const MAX_MUTATIONS = 4;
const LF = 10;
const SPACE = 32;

/** What is repeated in a flood: brackets, quotes and separators that a grammar looks for, and words of its own. */
const FLOODS = [
  "<",
  ">",
  "[",
  "]",
  "(",
  ")",
  "{",
  "}",
  '"',
  "'",
  "\\",
  "=",
  ",",
  ";",
  ":",
  "/",
  ".",
  "-",
  "@",
  "%",
  "#",
  "|",
  "?",
  " ",
  "\t",
  "\r",
  "<<",
  "<>",
  "><",
  "[[",
  "[]",
  "()",
  '""',
  "a=",
  "a=b,",
  "=,",
  "a,b",
  "::",
  ":1",
  "fe80::",
  "2001:db8::1 ",
  "1.",
  "1.2.3.4 ",
  "127.0.0.1,",
  "a.b",
  "x@",
  "a@b.example ",
  "from=<a@b.example> ",
  "to=<a@b.example>, ",
  " from ",
  " said: ",
  "status=",
  "(host ",
  " (in reply to ",
  "reject: ",
  ": warning: ",
  "a=b ",
  "user=<",
  "[1]: ",
  "postfix/",
  "/smtpd",
  "imap(",
  "><1><",
  "delay=1/2/3/4",
  "550 5.1.1 ",
  "NOQUEUE: ",
  "message-id=<",
  "%s",
  "\\r\\n",
  "\u0000",
  "\u00e9",
  "\ufeff",
  "\u202e",
  "\u{1f4e7}",
  "0",
  "9",
  "a",
  "Z",
  "\u001b[31m",
];

/** Heads of formats that a line may be put behind. */
const HEADS = [
  '{"MESSAGE":"',
  '{"log":"',
  '{"__REALTIME_TIMESTAMP":"1757203431000000","SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":"',
  "2026-09-07T00:03:51.123456+00:00 mx1 ",
  "2026-09-07T00:03:51Z ",
  "<22>Sep  7 00:03:51 mx1 ",
  '<22>1 2026-09-07T00:03:51.003Z mx1 postfix/smtpd 12 - [a@1 b="c"] ',
  "<22>1 - - - - - ",
  "2026-09-07T00:03:51.123456789Z stderr F ",
  "@4000000068bd1f2700000000 ",
  "2026-09-07 00:03:51 ",
  "2026-09-07 00:03:51 1abcde-000000-00 <= ",
  "[07/Sep/2026:00:03:51 +0000] ",
  "1757203431.123 ",
  "250907 000351 ",
  "Sep 07 2026 00:03:51 mx1 ",
  "Sep  7 00:03:51.123 mx1 ",
  "Sep  7 00:03:51 mx1 postfix/smtpd[1]: [ID 197553 mail.info] ",
  "Feb 29 23:59:60 mx1 ",
  "Sep 31 24:00:00 mx1 ",
  "9999-99-99T99:99:99Z ",
  "__REALTIME_TIMESTAMP=1757203431000000 ",
  "\ufeffSep  7 00:03:51 mx1 ",
  "2026-09-07 00:03:51 #12(normal) <abc>; ",
];

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const FLOOD_BYTES = FLOODS.map(bytes);
const HEAD_BYTES = HEADS.map(bytes);
/** Not UTF-8: lone bytes, cut sequences, overlong forms, surrogates, beyond the last code point. */
const INVALID = ["ff", "fe80", "c3", "e282", "f09f98", "c0af", "eda080", "f4908080", "80", "f8888080"].map(
  (hex) => Buffer.from(hex, "hex"),
);
const UNICODE = [
  "\u00e9",
  "\u0416",
  "\u4f60\u597d",
  "\u202etxt.exe",
  "\u0000",
  "\u0085",
  "\u2028",
  "\u200b",
  "\u{1f600}",
  "e\u0301",
  "\ufffd",
  "\uff1a",
].map(bytes);

/** A place between two bytes of a line. */
const place = (line: Buffer, random: Random): number => random.int(line.length + 1);

/** `piece` in place of the bytes from `from` to `to`. */
const put = (line: Buffer, from: number, to: number, piece: Uint8Array): Buffer =>
  Buffer.concat([line.subarray(0, from), piece, line.subarray(to)]);

const insert = (line: Buffer, piece: Uint8Array, random: Random): Buffer => {
  const at = place(line, random);
  return put(line, at, at, piece);
};

function repeated(piece: Buffer, length: number): Buffer {
  return Buffer.alloc(Math.max(0, length), piece.length > 0 ? piece : "x");
}

/** Room that is left, or now and then only a few dozen bytes of it. */
function floodLength(line: Buffer, random: Random): number {
  const room = Math.max(0, LONGEST - line.length);
  return random.int(LONG_EVERY) === 0 ? random.int(room + 1) : Math.min(room, random.int(60));
}

type Mutation = (line: Buffer, random: Random, other: () => Buffer) => Buffer;

/** Each gives a new line; it may be empty or longer than the cap. */
const MUTATIONS: readonly Mutation[] = [
  function flipBit(line, random) {
    const out = Buffer.from(line);
    if (out.length > 0) out[random.int(out.length)]! ^= 1 << random.int(8);
    return out;
  },
  function changeBytes(line, random) {
    const out = Buffer.from(line);
    for (let n = 1 + random.int(6); n > 0 && out.length > 0; n--)
      out[random.int(out.length)] = random.int(256);
    return out;
  },
  function remove(line, random) {
    const from = place(line, random);
    return put(line, from, Math.min(line.length, from + 1 + random.int(20)), Buffer.alloc(0));
  },
  function insertBytes(line, random) {
    return insert(
      line,
      Uint8Array.from({ length: 1 + random.int(8) }, () => random.int(256)),
      random,
    );
  },
  function swapWords(line, random) {
    const words = line.toString("latin1").split(" ");
    const [i, j] = [random.int(words.length), random.int(words.length)];
    [words[i], words[j]] = [words[j]!, words[i]!];
    return Buffer.from(words.join(" "), "latin1");
  },
  function splice(line, random, other) {
    const tail = other();
    return Buffer.concat([line.subarray(0, place(line, random)), tail.subarray(place(tail, random))]);
  },
  function spliceAtWord(line, random, other) {
    const tail = other();
    const cut = line.indexOf(SPACE, place(line, random));
    const from = tail.indexOf(SPACE, place(tail, random));
    return Buffer.concat([line.subarray(0, cut < 0 ? line.length : cut), tail.subarray(Math.max(0, from))]);
  },
  function truncate(line, random) {
    return line.subarray(0, place(line, random));
  },
  function repeatPiece(line, random) {
    const from = place(line, random);
    const piece = line.subarray(from, from + 1 + random.int(30));
    return put(line, from, from, repeated(piece, floodLength(line, random)));
  },
  function flood(line, random) {
    return insert(line, repeated(FLOOD_BYTES[random.int(FLOODS.length)]!, floodLength(line, random)), random);
  },
  function floodMessage(line, random) {
    const at = line.indexOf("]: ") + 3;
    return put(line, at, at, repeated(FLOOD_BYTES[random.int(FLOODS.length)]!, floodLength(line, random)));
  },
  function nest(line, random) {
    const [open, close] = [FLOOD_BYTES[random.int(FLOODS.length)]!, FLOOD_BYTES[random.int(FLOODS.length)]!];
    const half = floodLength(line, random) >> 1;
    const at = place(line, random);
    return put(line, at, at, Buffer.concat([repeated(open, half), repeated(close, half)]));
  },
  function invalidUtf8(line, random) {
    return insert(line, INVALID[random.int(INVALID.length)]!, random);
  },
  function unicode(line, random) {
    return insert(line, UNICODE[random.int(UNICODE.length)]!, random);
  },
  function digits(line, random) {
    return insert(line, repeated(bytes(String(random.int(1e9))), 1 + floodLength(line, random)), random);
  },
  function control(line, random) {
    return insert(line, Uint8Array.of(random.int(32)), random);
  },
  function changeNumber(line, random) {
    const text = line.toString("latin1");
    const numbers = [...text.matchAll(/\d+/g)];
    const number = numbers[random.int(Math.max(1, numbers.length))];
    if (number === undefined) return line;
    const values = ["0", "-1", "99999999999999999999", "1e309", "0x10", "00", "4294967296", "1.5", "", "NaN"];
    const to = number.index + number[0].length;
    return put(line, number.index, to, bytes(values[random.int(values.length)]!));
  },
  function otherHead(line, random) {
    const head = HEAD_BYTES[random.int(HEADS.length)]!;
    const body = line.subarray(random.int(2) * Math.max(0, line.indexOf(" postfix/") + 1));
    const tail = head[0] === 0x7b ? '"}' : "";
    return Buffer.concat([head, body, bytes(tail)]);
  },
];

/** A line that some mutations turned into something else, seeded; no LF in it. */
export function mutated(corpus: readonly Buffer[], random: Random): Buffer {
  const other = (): Buffer => corpus[random.int(corpus.length)]!;
  let line = other();
  for (let n = 1 + random.int(MAX_MUTATIONS); n > 0; n--)
    line = MUTATIONS[random.int(MUTATIONS.length)]!(line, random, other);
  if (line.length > LONGEST) line = line.subarray(0, LONGEST);
  if (!line.includes(LF)) return line;
  const clean = Buffer.from(line);
  for (let at = clean.indexOf(LF); at >= 0; at = clean.indexOf(LF, at)) clean[at] = SPACE;
  return clean;
}

/** The line with each flood in turn, up to the cap: at the message's beginning, and in its middle. */
export function* floods(line: Buffer): Generator<Buffer> {
  const start = Math.max(0, line.indexOf("]: ") + 3);
  for (const piece of FLOOD_BYTES)
    for (const at of [start, (start + line.length) >> 1])
      yield put(line, at, at, repeated(piece, LONGEST - line.length));
}
