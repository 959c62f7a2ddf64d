import { crossFitted, logged, type RowScores, type WindowTable } from "./windows.ts";

/** Distance of ln(1 + count) to the nearest window of training; the column that lies furthest apart from that window. */
export function nearestScores(table: WindowTable): RowScores {
  const { C } = table;
  const x = logged(table);
  return crossFitted(table, (rows) => (t) => {
    let nearest = rows[0]!;
    let least = Number.POSITIVE_INFINITY;
    for (const r of rows) {
      let sum = 0;
      for (let j = 0; j < C && sum < least; j++) sum += (x[t * C + j]! - x[r * C + j]!) ** 2;
      if (sum < least) {
        least = sum;
        nearest = r;
      }
    }
    let column = 0;
    const apart = (j: number): number => Math.abs(x[t * C + j]! - x[nearest * C + j]!);
    for (let j = 1; j < C; j++) if (apart(j) > apart(column)) column = j;
    return { value: Math.sqrt(least), column };
  });
}
