import type { LineBatch } from "../log/lines.ts";

/** Lines of one source that lie one after another. from, to: JSON; where they begin and where reading goes on. */
export type Run = {
  readonly source: string;
  /** As it is cited. */
  readonly file: string;
  readonly lines: LineBatch;
  readonly from: object;
  readonly to: object;
};
