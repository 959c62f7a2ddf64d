/** A bounded table of counts and sums. What no longer fits is counted under `others`. */
export class Tally {
  private readonly rows = new Map<string, { count: number; bytes: number }>();
  private readonly limit: number;
  others = 0;

  /** limit: distinct keys kept. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.rows.size;
  }

  get full(): boolean {
    return this.others > 0;
  }

  add(key: string, count = 1, bytes = 0): void {
    const row = this.rows.get(key);
    if (row !== undefined) {
      row.count += count;
      row.bytes += bytes;
    } else if (this.rows.size < this.limit) this.rows.set(key, { count, bytes });
    else this.others += count;
  }

  /** The n largest rows; a key of several parts is split at its tabs into `names`. Equal counts stand in the order of their keys. */
  top(n: number, names: readonly string[]): Record<string, string | number>[] {
    return [...this.rows]
      .sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1))
      .slice(0, n)
      .map(([key, row]) => {
        const parts = key.split("\t");
        const out: Record<string, string | number> = {};
        names.forEach((name, i) => {
          out[name] = i === names.length - 1 ? parts.slice(i).join(" ") : (parts[i] ?? "");
        });
        out["count"] = row.count;
        if (row.bytes > 0) out["bytes"] = row.bytes;
        return out;
      });
  }
}
