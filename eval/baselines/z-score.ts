import { crossFitted, type RowScores, WINDOWS_PER_DAY, type WindowTable } from "./windows.ts";

const HOURS = 24;
/** No deviation is smaller than one line: a template that never varied is not infinitely sure. */
const MIN_SD = 1;

const hourOf = (table: WindowTable, t: number): number =>
  Math.floor((((table.first + t) % WINDOWS_PER_DAY) * HOURS) / WINDOWS_PER_DAY);

/** The largest |z| over all templates, each by mean and deviation of its count in the windows of that hour of day. */
export function zScores(table: WindowTable): RowScores {
  const { C, counts } = table;
  return crossFitted(table, (rows) => {
    const n = new Float64Array(HOURS);
    const mean = new Float64Array(HOURS * C);
    const sd = new Float64Array(HOURS * C);
    for (const t of rows) {
      const h = hourOf(table, t);
      n[h]!++;
      for (let j = 0; j < C; j++) {
        mean[h * C + j]! += counts[t * C + j]!;
        sd[h * C + j]! += counts[t * C + j]! ** 2;
      }
    }
    for (let i = 0; i < HOURS * C; i++) {
      const rowsOfHour = Math.max(1, n[Math.floor(i / C)]!);
      mean[i]! /= rowsOfHour;
      sd[i] = Math.max(MIN_SD, Math.sqrt(Math.max(0, sd[i]! / rowsOfHour - mean[i]! ** 2)));
    }
    return (t) => {
      const h = hourOf(table, t);
      let value = 0;
      let column = 0;
      for (let j = 0; j < C; j++) {
        const z = Math.abs(counts[t * C + j]! - mean[h * C + j]!) / sd[h * C + j]!;
        if (z > value) {
          value = z;
          column = j;
        }
      }
      return { value, column };
    };
  });
}
