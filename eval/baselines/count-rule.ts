import { crossFitted, type RowScores, type WindowTable } from "./windows.ts";

/** The rule of every monitoring tool: a template came more often within ten minutes than ever in training. By how many times. */
export function countScores(table: WindowTable): RowScores {
  const { C, counts } = table;
  return crossFitted(table, (rows) => {
    const largest = new Float64Array(C);
    for (const t of rows) for (let j = 0; j < C; j++) largest[j] = Math.max(largest[j]!, counts[t * C + j]!);
    return (t) => {
      let value = 0;
      let column = 0;
      for (let j = 0; j < C; j++) {
        const times = (counts[t * C + j]! + 1) / (largest[j]! + 1);
        if (times > value) {
          value = times;
          column = j;
        }
      }
      return { value, column };
    };
  });
}
