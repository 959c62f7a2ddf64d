import type { Calibration } from "../detect/calibrate.ts";
import { HORIZONS } from "../detect/entity.ts";
import { SLOW_WIDTHS } from "../detect/slowness.ts";
import { LOWER_WIDTHS, WIDTHS } from "../detect/window.ts";
import { SLOT_MS, SLOTS_PER_DAY } from "../feature/clock.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { Model } from "./model.ts";

/** What a model knows, in lists that two models can be compared by. */

export type Named = { readonly id: string; readonly label: string };
/** Events that a column is expected to have on a day. */
export type Expectation = Named & { readonly weekday: number; readonly weekend: number };
/** Of a view's part, by name. Scores in nats above the ceiling; of transactions in nats. */
export type CalibrationSummary = {
  readonly name: string;
  /** Gumbel location and scale of the daily maximum. */
  readonly location: number;
  readonly scale: number;
  readonly days: number;
  readonly rows: number;
  /** The score that one row in a hundred of training reaches. */
  readonly one_in_100: number;
};

export type Description = {
  readonly columns: readonly Expectation[];
  /** Known shapes of messages; the label is empty where an earlier release did not keep their text. */
  readonly templates: readonly Named[];
  readonly calibration: readonly CalibrationSummary[];
};

const MINUTES = SLOT_MS / 60_000;

export function describe(model: Model): Description {
  return { columns: expectations(model), templates: templates(model), calibration: calibrations(model) };
}

function expectations({ window: { columns, weekday, weekend } }: Model): Expectation[] {
  const day = (season: Float32Array, j: number): number => {
    let sum = 0;
    for (let i = j * SLOTS_PER_DAY; i < (j + 1) * SLOTS_PER_DAY; i++) sum += season[i]!;
    return sum;
  };
  return columns.map(({ key, label }, j) => ({
    ...{ id: key, label, weekday: day(weekday, j), weekend: day(weekend, j) },
  }));
}

function templates({ novelty, catalogue }: Model): Named[] {
  const texts = new Map(catalogue?.map(([id, text]) => [id, text]));
  return novelty.known.map((id) => ({ id, label: texts.get(id) ?? "" }));
}

function calibrations({ window, transaction, slowness, entity, regular }: Model): CalibrationSummary[] {
  const width = (slots: number): string => `${slots * MINUTES} min`;
  const parts: [string, Calibration | undefined][] = [
    ...WIDTHS.map((w, i): [string, Calibration | undefined] => [
      `window, too many in ${width(w)}`,
      window.upper[i],
    ]),
    ...LOWER_WIDTHS.map((w, i): [string, Calibration | undefined] => [
      `window, too few in ${width(w)}`,
      window.lower[i],
    ]),
    ...TRANSACTION_TYPES.map((type, i): [string, Calibration | undefined] => [
      `transaction, ${type}`,
      transaction?.calibration[i],
    ]),
    ...SLOW_WIDTHS.map((w, i): [string, Calibration | undefined] => [
      `slowness in ${width(w)}`,
      slowness?.calibration[i],
    ]),
    ...ENTITY_FEATURES.flatMap(({ name }, f) =>
      HORIZONS.map((h, i): [string, Calibration | undefined] => [
        `entity, ${name} in ${width(h)}`,
        entity.features[f]?.calibration[i],
      ]),
    ),
    ["regulars", regular.calibration],
  ];
  return parts.flatMap(([name, c]) => (c === undefined || c.rows === 0 ? [] : [summary(name, c)]));
}

function summary(name: string, c: Calibration): CalibrationSummary {
  const { location, scale, days, rows, scores } = c;
  return { name, location, scale, days, rows, one_in_100: scores[Math.floor(0.99 * (scores.length - 1))]! };
}
