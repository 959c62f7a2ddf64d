/** RFC 5424 severities by the words that programs write for them, lower case. */
const SEVERITY = new Map<string, number>([
  ["emerg", 0],
  ["emergency", 0],
  ["panic", 0],
  ["alert", 1],
  ["fatal", 2],
  ["crit", 2],
  ["critical", 2],
  ["severe", 3],
  ["error", 3],
  ["err", 3],
  ["warning", 4],
  ["warn", 4],
  ["notice", 5],
  ["note", 5],
  ["info", 6],
  ["information", 6],
  ["informational", 6],
  ["debug", 7],
  ["trace", 7],
  ["verbose", 7],
]);
/** Longest word above. */
const MAX_LEVEL = 13;

/** 0 (emergency) to 7 (debug), or undefined when the word is no level. Any case. */
export const severityOf = (word: string): number | undefined =>
  word.length <= MAX_LEVEL ? SEVERITY.get(word.toLowerCase()) : undefined;
