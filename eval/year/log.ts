import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { compose } from "../../src/compose/compose.ts";
import { Labels } from "../../src/compose/labels.ts";
import type { Material } from "../../src/compose/material.ts";
import { instant, type Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";

/** A long composed log as a server keeps it: a file each week. */

const WEEK_MS = 7 * DAY_MS;

export type WeeklyLog = {
  readonly files: readonly string[];
  readonly labels: string;
  /** Lines before each file, by its path: labels count through all of them. */
  readonly before: ReadonlyMap<string, number>;
  readonly lines: number;
};

const LABELS = "labels.json";
const INDEX = "weeks.json";

/** What was written into a folder before; undefined where nothing whole was. */
export function readWeeks(folder: string): WeeklyLog | undefined {
  if (!existsSync(join(folder, INDEX))) return undefined;
  const { lines, before } = JSON.parse(readFileSync(join(folder, INDEX), "utf8")) as {
    lines: number;
    before: [name: string, lines: number][];
  };
  const paths = before.map(([name, n]): [string, number] => [join(folder, name), n]);
  return { files: paths.map(([path]) => path), labels: join(folder, LABELS), before: new Map(paths), lines };
}

/** Writes a plan's log and labels into a folder. change: what becomes of a line that comes at a time, in ms. */
export function writeWeeks(
  plan: Plan,
  material: Material,
  folder: string,
  change: (text: string, time: number) => string,
): WeeklyLog {
  const labels = new Labels(plan);
  const before = new Map<string, number>();
  const start = instant(plan.start);
  let lines = 0;
  let week: string[] = [];
  const close = (): void => {
    if (week.length === 0) return;
    const path = join(folder, `mail.log-${String(before.size + 1).padStart(2, "0")}.gz`);
    writeFileSync(path, gzipSync(week.join("")));
    before.set(path, lines - week.length);
    week = [];
  };
  let end = start + WEEK_MS;
  for (const piece of compose(plan, material))
    for (const { time, text, fault } of piece) {
      if (time >= end) {
        close();
        end += WEEK_MS;
      }
      labels.add(time, fault);
      week.push(`${change(text, time)}\n`);
      lines++;
    }
  close();
  writeFileSync(join(folder, LABELS), JSON.stringify(labels.done()));
  const names = [...before].map(([path, n]) => [basename(path), n]);
  writeFileSync(join(folder, INDEX), JSON.stringify({ lines, before: names }));
  return readWeeks(folder)!;
}
