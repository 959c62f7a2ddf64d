import { writeFileSync } from "node:fs";
import { join } from "node:path";
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
  const file = join(folder, "labels.json");
  writeFileSync(file, JSON.stringify(labels.done()));
  return { files: [...before.keys()], labels: file, before, lines };
}
