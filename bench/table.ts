/** One subject's part of docs/benchmarks.md, in Markdown. */
export type Section = { readonly title: string; readonly text: string };

/** Middle, least and greatest of a few measurements. */
export type Spread = { readonly median: number; readonly low: number; readonly high: number };

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, low: sorted[0]!, high: sorted[sorted.length - 1]! };
}

/** "304k", "1234" or "0.123". */
export const digits = (x: number): string =>
  x >= 10_000 ? `${Math.round(x / 100) / 10}k` : x >= 1000 ? `${Math.round(x)}` : x.toPrecision(3);

/** "304k [267k-306k]". */
export const show = ({ median, low, high }: Spread): string =>
  `${digits(median)} [${digits(low)}-${digits(high)}]`;

/** Rows of cells as a Markdown table; the first row is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), line(head!.map(() => "---")), ...body.map(line)].join("\n");
}
