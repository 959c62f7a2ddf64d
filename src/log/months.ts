const SPACE = 32;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const LETTER = 65;
/** U+6708, the month's sign in Japanese and Chinese; U+C6D4 in Korean. */
const GETSU = 0x6708;
const WOL = 0xc6d4;
/** Longest name: "september". */
const MAX_NAME = 9;

const threeLetters = (text: string, at: number): number =>
  (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);

const ENGLISH = new Map<number, number>(
  ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map((name, i) => [
    threeLetters(name, 0),
    i,
  ]),
);

/**
 * Abbreviated months as glibc's locales print them (%b), lower case, without the dot that some end in, one line a month: English,
 * German, French, Spanish, Italian, Portuguese, Dutch, Nordic, Polish, Czech, Finnish, Hungarian, Romanian, Catalan,
 * Turkish, Russian, Ukrainian. Languages that give one word to two months (Croatian "lip" is June, Polish July) are left out.
 */
const NAMES: readonly string[] = [
  "jan january januar jän jänner janv janvier ene enero gen gennaio sty led tammi ian oca янв січ",
  "feb february februar febr févr février fev lut úno helmi şub фев лют",
  "mar march mär märz mrz mars marzo març mrt bře maalis márc мар бер",
  "apr april avr avril abr abril kwi dub huhti ápr nis апр кві",
  "may mai mayo mag maggio maio mei maj kvě touko máj maig май мая тра",
  "jun june juni juin junio giu giugno jún cze čvn kesä iun juny haz июн чер",
  "jul july juli juil juillet julio lug luglio júl čvc heinä iul tem июл лип",
  "aug august août aoû ago agosto sie srp elo ağu авг сер",
  "sep sept september septembre settembre set wrz zář syys szept eyl сен вер",
  "oct october okt oktober octobre out ott ottobre paź říj loka eki окт жов",
  "nov november novembre noviembre lis marras noi kas ноя лис",
  "dec december dez dezember déc décembre dic dicembre des gru pro joulu ara дек гру",
];

const LOCAL = new Map<string, number>(
  NAMES.flatMap((names, month) => names.split(" ").map((name): [string, number] => [name, month])),
);

/** 0 to 11 for an English month's first three letters at `at`, else -1. */
export const monthAt = (text: string, at: number): number => ENGLISH.get(threeLetters(text, at)) ?? -1;

/**
 * A month's name in one of the languages above, in any case, or `1月`: 0 to 11 plus 16 times the index after it (and
 * after its dot). -1 when there is none. Looks at most at ten characters.
 */
export function monthWord(text: string, at: number): number {
  let end = at;
  const stop = at + MAX_NAME + 1;
  while (end < stop && isLetter(text.charCodeAt(end))) end++;
  if (end === at) return numberedMonth(text, at);
  const month = end === stop ? undefined : LOCAL.get(text.slice(at, end).toLowerCase());
  if (month === undefined) return -1;
  if (text.charCodeAt(end) === DOT) end++;
  return end * 16 + month;
}

const isLetter = (c: number): boolean => c >= LETTER && ((c | 32) <= 122 ? (c | 32) >= 97 : c >= 192);

function numberedMonth(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE && at < from + 2) at++;
  let month = 0;
  for (let n = 0; n < 2 && text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE; n++)
    month = month * 10 + text.charCodeAt(at++) - ZERO;
  const sign = text.charCodeAt(at);
  return month >= 1 && month <= 12 && (sign === GETSU || sign === WOL) ? (at + 1) * 16 + month - 1 : -1;
}
