import { createRandom } from "../../src/math/random.ts";

/**
 * Days of log of a server that has done the same ordinary things all along: what was recorded of each, drawn at random and
 * written with other times and queue ids.
 */

const DAY_MS = 86_400_000;
/** As postlogd and Dovecot write it, in UTC. */
const STAMP = /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/;
const QUEUE_ID = /\b[0-9A-F]{6,12}(?=: )/g;

/** episodes: lines of each kind of deed. end: in ms. gapMs: between two deeds on average. */
export function pastOf(
  episodes: readonly (readonly string[])[],
  end: number,
  days: number,
  gapMs: number,
): string {
  const random = createRandom(7);
  const lines: { readonly time: number; readonly text: string }[] = [];
  const start = end - days * DAY_MS;
  for (let time = start; time < end; time += gapMs * -Math.log(1 - random.uniform())) {
    const episode = episodes[random.int(episodes.length)]!.filter((line) => STAMP.test(line));
    const first = Math.min(...episode.map(timeOf));
    const ids = new Map<string, string>();
    const fresh = (old: string): string => {
      const id = ids.get(old) ?? hex(random.int(2 ** 31), old.length);
      ids.set(old, id);
      return id;
    };
    for (const line of episode) {
      const at = time + timeOf(line) - first;
      if (at < end)
        lines.push({ time: at, text: `${stamp(at)}${line.slice(15).replace(QUEUE_ID, fresh)}\n` });
    }
  }
  lines.sort((a, b) => a.time - b.time);
  return lines.map(({ text }) => text).join("");
}

/** Time of a line, of whatever year. */
const timeOf = (line: string): number => Date.parse(`2024 ${line.slice(0, 15)} UTC`);

const hex = (n: number, length: number): string =>
  n.toString(16).toUpperCase().padStart(length, "A").slice(-length);

/** "Nov 29 17:44:03" */
export function stamp(time: number): string {
  const [, day, month, , clock] = new Date(time).toUTCString().split(" ");
  return `${month} ${day!.replace(/^0/, " ")} ${clock}`;
}
