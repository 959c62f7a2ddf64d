import { loadMaterial } from "../../src/cli/walker.ts";
import { compose } from "../../src/compose/compose.ts";
import type { Fault } from "../../src/compose/plan.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Slots of five minutes, in which lines are counted. */
const SLOT_MS = 300_000;
/** The log is composed to end here, and then moved by whole slots, the last of them cut short: so it holds the same at whatever hour a test runs. */
const END = Date.UTC(2026, 8, 20, 12);

export type ComposedLog = {
  /** Lines of the days to learn from, with their line ends. */
  readonly past: string;
  /** The lines of the day after, each with its end. */
  readonly today: readonly string[];
  /** When the last day begins, in ms. */
  readonly cut: number;
};

const FAULTS = [
  ["sasl_bruteforce_fast", 5],
  ["dns_resolver_down", 13],
] as const;

/** A small server's log that ends at `end` (ms): some days to learn from, and a day with faults that last an hour each. */
export function composedLog(
  end: number,
  pastDays: number,
  mailsPerDay: number,
  faults: readonly (readonly [kind: string, afterHours: number])[] = FAULTS,
): ComposedLog {
  const start = END - (pastDays + 1) * DAY_MS;
  const cut = start + pastDays * DAY_MS;
  const moved = Math.ceil((end - END) / SLOT_MS) * SLOT_MS;
  const plan = {
    seed: 11,
    start: new Date(start).toISOString(),
    days: pastDays + 1 + HOUR_MS / DAY_MS, // towards its very end a composed log thins out
    server: {
      name: "live",
      host: "mx",
      zone: "UTC",
      header: "iso" as const,
      mailsPerDay,
    },
    faults: faults.map(
      ([kind, afterHours]): Fault => ({
        kind,
        start: new Date(cut + afterHours * HOUR_MS).toISOString(),
        minutes: 60,
      }),
    ),
  };
  let past = "";
  const today: string[] = [];
  for (const batch of compose(plan, loadMaterial()))
    for (const { text, time } of batch) {
      if (time + moved > end) continue;
      const stamp = new Date(time + moved).toISOString().slice(0, 19);
      const line = `${stamp}${text.slice(stamp.length)}\n`;
      if (time < cut) past += line;
      else today.push(line);
    }
  return { past, today, cut: cut + moved };
}
