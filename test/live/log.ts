import { loadMaterial } from "../../src/cli/walker.ts";
import { compose } from "../../src/compose/compose.ts";
import type { Fault } from "../../src/compose/plan.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export type ComposedLog = {
  /** Lines of the days to learn from, with their line ends. */
  readonly past: string;
  /** The lines of the day after, each with its end. */
  readonly today: readonly string[];
  /** When the last day begins, in ms. */
  readonly cut: number;
};

/** A small server's log that ends at `end` (ms): some days to learn from, and a day with two faults. */
export function composedLog(end: number, pastDays: number, mailsPerDay: number): ComposedLog {
  const start = Math.floor((end - (pastDays + 1) * DAY_MS) / 1000) * 1000;
  const cut = start + pastDays * DAY_MS;
  const fault = (kind: string, afterHours: number): Fault => ({
    kind,
    start: new Date(cut + afterHours * HOUR_MS).toISOString(),
    minutes: 60,
  });
  const plan = {
    seed: 11,
    start: new Date(start).toISOString(),
    days: pastDays + 1,
    server: {
      name: "live",
      host: "mx",
      zone: "UTC",
      header: "iso" as const,
      mailsPerDay,
    },
    faults: [fault("sasl_bruteforce_fast", 5), fault("dns_resolver_down", 13)],
  };
  let past = "";
  const today: string[] = [];
  for (const batch of compose(plan, loadMaterial()))
    for (const { text, time } of batch)
      if (time < cut) past += `${text}\n`;
      else today.push(`${text}\n`);
  return { past, today, cut };
}
