import { Fault } from "../fault.ts";
import type { DayFigures } from "../mail/summary.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore } from "../store/queries.ts";
import { isQuiet, type Options, stateDir } from "./options.ts";
import { faultText, writeError } from "./out.ts";

/**
 * The daily figures that `train` kept with the model in use. Undefined without a state or a model; a state that can't be read
 * is told on standard error, and the summary goes on without usual ranges.
 */
export function knownDays(options: Options): readonly DayFigures[] | undefined {
  const dir = stateDir(options);
  try {
    if (!hasDatabase(dir)) return undefined;
    const store = openStore(dir);
    try {
      const header = store.champion()?.header as { figures?: unknown } | undefined;
      return Array.isArray(header?.figures) ? header.figures.filter(isDay) : undefined;
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (!isQuiet(options)) writeError(faultText(error));
    return undefined;
  }
}

const isDay = (value: unknown): value is DayFigures =>
  typeof value === "object" &&
  value !== null &&
  /^\d{4}-\d\d-\d\d$/.test(String((value as { day?: unknown }).day)) &&
  typeof (value as { totals?: unknown }).totals === "object" &&
  (value as { totals?: unknown }).totals !== null;
