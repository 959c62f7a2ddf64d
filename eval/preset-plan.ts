// What the servers of the composed evaluation have in common.
import type { Fault, Maintenance, Plan, Server } from "../src/compose/plan.ts";
import type { Site } from "./episodes.ts";

const DAYS = 35;
/** Days of the training part. */
export const TRAIN_DAYS = 14;

/** A fault by the day (0: the first of the log), the hour in UTC, and its length. */
export const at = (start: string, day: number, hour: number): string =>
  new Date(Date.parse(start) + day * 86_400_000 + hour * 3_600_000).toISOString();

export type Short = readonly [kind: string, hour: number, minutes: number, more?: Partial<Fault>];

/** Spreads faults over the weeks after training, one after the other, each at its hour. */
export function spread(start: string, faults: readonly Short[]): Fault[] {
  const step = ((DAYS - TRAIN_DAYS - 1) * 24) / faults.length;
  return faults.map(([kind, hour, minutes, more], i) => {
    const day = TRAIN_DAYS + Math.floor((i * step) / 24) + 0.5;
    return { kind, start: at(start, Math.floor(day), hour), minutes, ...more };
  });
}

const upkeep = (start: string, hour: number): Maintenance[] => [
  { kind: "reload", at: at(start, 3, 9.4) },
  { kind: "restart", at: at(start, 9, hour) },
  { kind: "certificate", at: at(start, 12, hour - 1) },
  { kind: "reload", at: at(start, 18, 13.2) },
  { kind: "restart", at: at(start, 24, hour) },
  { kind: "certificate", at: at(start, 31, hour - 1) },
];

export function server(
  start: string,
  seed: number,
  described: Server,
  faults: readonly Short[],
  more: Partial<Plan> = {},
): Plan {
  return {
    seed,
    start,
    days: DAYS,
    server: described,
    maintenance: upkeep(start, described.zone.startsWith("America") ? 9.2 : 3.2),
    faults: spread(start, faults),
    ...more,
  };
}

export type Preset = {
  readonly name: string;
  readonly what: string;
  readonly plan: Plan;
  /** The recorded site; the first one where it is absent. */
  readonly site?: Site;
};

export const A = "2026-04-06T00:00:00Z";
export const B = "2026-08-31T00:00:00Z";
export const C = "2026-01-12T00:00:00Z";
export const D = "2026-06-01T00:00:00Z";
