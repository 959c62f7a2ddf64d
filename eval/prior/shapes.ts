// The messages of healthy time in our lab's own logs, of which the prior is made.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { loadEpisodes } from "../../src/cli/walker.ts";
import type { Episode } from "../../src/compose/material.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { isGrave } from "../../src/mail/event.ts";
import { EventReader } from "../../src/mail/read.ts";
import type { Prior } from "../../src/pipeline/prior.ts";
import type { Site } from "../episodes.ts";

/** Raised when the file holds something else than before, so that `model show` tells them apart. */
const VERSION = 1;
const SAMPLES = new URL("../../../samples/", import.meta.url);
const SAMPLE = { log: "quickstart.log.gz", labels: "quickstart.labels.json" } as const;
/** Any will do: it sets the keys of a table and changes no result. */
const KEY_SEED = 1;

export type PriorSource = Site | "quickstart";
export const SOURCES: readonly PriorSource[] = ["first", "second", "quickstart"];

/** Work on the server is no fault. */
const isHealthy = ({ state }: Episode): boolean => state === "normal" || state.startsWith("maint_");

function* linesOf(source: PriorSource): Generator<string> {
  if (source === "quickstart") return yield* cleanLines();
  for (const { lines } of [...loadEpisodes(source)].filter(isHealthy))
    for (const [, tag, pid, text] of lines)
      yield `Sep  1 00:00:00 mx ${tag}${pid > 0 ? `[${pid}]` : ""}: ${text}`;
}

/** The bundled log until the day on which its first incident begins. */
function* cleanLines(): Generator<string> {
  const labels = JSON.parse(readFileSync(new URL(SAMPLE.labels, SAMPLES), "utf8")) as { start: string }[];
  const day = new Date(Math.min(...labels.map(({ start }) => Date.parse(start)))).getUTCDate();
  const text = gunzipSync(readFileSync(new URL(SAMPLE.log, SAMPLES))).toString("utf8");
  for (const line of text.split("\n")) {
    if (Number(line.slice(4, 6)) === day) return;
    if (line !== "") yield line;
  }
}

/** Shapes of these sources. A severity of error or worse is news wherever it comes first, so such are left out. */
export function priorOf(sources: readonly PriorSource[]): Prior {
  const shapes = new Map<string, Set<string>>();
  for (const source of sources) {
    const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), KEY_SEED);
    let n = 0;
    for (const text of linesOf(source)) {
      const event = reader.readText(source, ++n, text);
      if (event.time === null || isGrave(event)) continue;
      const own = shapes.get(event.daemon) ?? new Set();
      shapes.set(event.daemon, own.add(event.template.slice(event.daemon.length + 2)));
    }
  }
  const sorted = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
  return { version: VERSION, shapes: Object.fromEntries(sorted.map(([d, own]) => [d, [...own].sort()])) };
}

export const priorText = (prior: Prior): string => `${JSON.stringify(prior, undefined, 1)}\n`;
