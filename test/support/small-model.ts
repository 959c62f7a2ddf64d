import type { Vae } from "../../src/model/vae.ts";
import type { Model } from "../../src/pipeline/model.ts";
import { packModel } from "../../src/store/model.ts";

const SLOTS = 288;
const EMPTY = { location: 0, scale: 1, days: 0, scores: new Float32Array(0), rows: 0 };

/** As much of a model as the verbs of `logvane model` read. columns: events a slot by their key; templates: texts by their id. */
export function smallModel(
  columns: Readonly<Record<string, number>>,
  windowVae?: Vae,
  templates: Readonly<Record<string, string>> = {},
): Uint8Array {
  const keys = Object.keys(columns);
  const season = Float32Array.from(
    { length: keys.length * SLOTS },
    (_, i) => columns[keys[Math.floor(i / SLOTS)]!]!,
  );
  const calibration = {
    ...EMPTY,
    days: 12,
    rows: 100,
    scores: Float32Array.from({ length: 100 }, (_, i) => i / 10),
  };
  const model = {
    window: {
      columns: keys.map((key) => ({ key, label: key, family: "total" })),
      ...{ weekday: season, weekend: season, upper: [calibration], lower: [EMPTY] },
    },
    windowVae,
    novelty: { known: Object.keys(templates) },
    catalogue: Object.entries(templates),
    entity: { features: [] },
    regular: { calibration: EMPTY },
  };
  return packModel({ model: model as unknown as Model, pairs: [] as never });
}
