import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type ComposedLine, compose } from "../../src/compose/compose.ts";
import { type Label, Labels } from "../../src/compose/labels.ts";
import { Material, readEpisodes } from "../../src/compose/material.ts";
import type { Plan, Server } from "../../src/compose/plan.ts";

const materialOf = (path: string): Material =>
  new Material(readEpisodes(gunzipSync(readFileSync(path)).toString("utf8")));
/** The excerpt of the lab's episodes that is part of the clone. */
export const MATERIAL: Material = materialOf("samples/episodes.jsonl.gz");
/** The episodes of the lab's second site. */
export const SECOND: Material = materialOf("samples/episodes-second.jsonl.gz");

/** A Monday. */
export const MONDAY = "2026-04-06T00:00:00Z";

export const SERVER: Server = {
  name: "test",
  host: "mx7",
  domain: "alder.example",
  zone: "UTC",
  header: "rfc3339",
  mailsPerDay: 400,
};

export function planOf(more: Partial<Plan> = {}, server: Partial<Server> = {}): Plan {
  return { seed: 1, start: MONDAY, days: 1, server: { ...SERVER, ...server }, ...more };
}

export function linesOf(plan: Plan, material: Material = MATERIAL): ComposedLine[] {
  const lines: ComposedLine[] = [];
  for (const batch of compose(plan, material)) lines.push(...batch);
  return lines;
}

export function labelsOf(plan: Plan, lines: readonly ComposedLine[]): Label[] {
  const labels = new Labels(plan);
  for (const { time, fault } of lines) labels.add(time, fault);
  return labels.done();
}

/** Writes what a plan makes before a time, in ms. */
export function writeUntil(file: string, plan: Plan, until: number, material: Material = MATERIAL): void {
  const lines = linesOf(plan, material).filter(({ time }) => time < until);
  writeFileSync(file, `${textOf(lines)}\n`);
}

export const textOf = (lines: readonly ComposedLine[]): string => lines.map(({ text }) => text).join("\n");
/** The hour `hour` of day `day` of the log, ISO 8601. */
export const at = (day: number, hour: number): string =>
  new Date(Date.parse(MONDAY) + day * 86_400_000 + hour * 3_600_000).toISOString();
