import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Label } from "../../src/compose/labels.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { writeLog } from "../compose.ts";
import { loadMaterial, type Site } from "../episodes.ts";
import { type Preset, TRAIN_DAYS } from "../preset-plan.ts";
import type { Corpus } from "./corpus.ts";

export type ComposedCorpus = Corpus & {
  readonly preset: Preset;
  readonly lines: number;
  /** Lines of templates unseen in training that were left out. */
  readonly leftOut: number;
  readonly truth: readonly Label[];
};

const sites = new Map<Site, ReturnType<typeof loadMaterial>>();

/** The episodes of a preset's site, read once, and a word on which they are. */
export function episodesOf({ site = "first" }: Preset): ReturnType<typeof loadMaterial> {
  const loaded = sites.get(site) ?? loadMaterial(site);
  sites.set(site, loaded);
  return loaded;
}

/** Composes each server's log in turn, hands it over with its labels, and removes it. onlyKnown: without templates unseen in training. */
export async function withComposed<T>(
  presets: readonly Preset[],
  onlyKnown: boolean,
  measure: (corpus: ComposedCorpus) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const preset of presets) {
    const folder = mkdtempSync(join(tmpdir(), "logvane-composed-"));
    results.push(await measure(composedIn(folder, preset, onlyKnown)));
    rmSync(folder, { recursive: true });
  }
  return results;
}

function composedIn(folder: string, preset: Preset, onlyKnown: boolean): ComposedCorpus {
  const { plan, name } = preset;
  const start = Date.parse(plan.start);
  const until = start + TRAIN_DAYS * DAY_MS;
  const log = join(folder, `${name}.log`);
  const { labels, lines, leftOut } = writeLog(
    plan,
    episodesOf(preset).material,
    log,
    onlyKnown ? until : undefined,
  );
  const file = join(folder, "labels.json");
  writeFileSync(file, JSON.stringify(labels));
  return {
    name,
    log,
    labels: file,
    trainUntil: new Date(until).toISOString(),
    zone: plan.server.zone,
    year: new Date(start).getUTCFullYear(),
    end: new Date(start + plan.days * DAY_MS).toISOString(),
    preset,
    lines,
    leftOut,
    truth: labels,
  };
}
