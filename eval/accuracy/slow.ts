import { table } from "../../bench/table.ts";
import { Zone } from "../../src/log/zone.ts";
import type { Found } from "./servers.ts";

/** Kinds in which nothing new is logged, or only little by little, and what each is. */
const SLOW: Readonly<Record<string, string>> = {
  account_new_networks: "one account from many new networks",
  sasl_bruteforce_slow: "one guess a minute, a day long",
  mailbox_over_quota: "a mailbox over quota",
  delay_growth: "delays growing in four steps",
  latency_degradation: "DNS and remote hosts slower in four steps",
  daemon_silent: "one program stops, the others go on",
  log_silence: "the whole log is silent",
  partner_mail_missing: "a partner's nightly mail does not come",
};
const HEAD = ["what", "server", "begins (local)", "lasts", "strength", "minutes to the alert", "called"];

/** Night for an operator: nobody looks. */
const isNight = (hour: number): boolean => hour < 7 || hour >= 20;
const duration = (minutes: number): string =>
  minutes < 120 ? `${minutes} min` : `${+(minutes / 60).toFixed(1)} h`;

/** A row for each incident of these kinds, with the time to the alert. */
export function slowThings(all: readonly Found[]): string {
  const rows = Object.entries(SLOW).flatMap(([kind, what]) =>
    all.flatMap(({ corpus, ours }) => {
      const zone = new Zone(corpus.preset.plan.server.zone);
      return ours.rows
        .filter((r) => r.kind === kind)
        .map((r) => {
          const start = Date.parse(corpus.truth.find((l) => l.id === r.id)!.start);
          const fault = corpus.preset.plan.faults!.find(
            (f) => f.kind === kind && Math.abs(Date.parse(f.start) - start) < 1000,
          )!;
          const local = new Date(start + zone.offsetAt(start)).toISOString().slice(11, 16);
          return [
            what,
            corpus.name,
            `${local}, ${isNight(Number(local.slice(0, 2))) ? "night" : "day"}`,
            duration(fault.minutes),
            String(fault.intensity ?? 1),
            r.minutes === null ? `**missed**${r.hit ? ", alerts without evidence" : ""}` : String(r.minutes),
            r.named === null ? "-" : `${r.named}${r.named_right === false ? " (wrong)" : ""}`,
          ];
        });
    }),
  );
  if (rows.length === 0) return "None of these servers meets a slow or quiet fault.";
  const found = rows.filter((row) => !row[5]!.startsWith("**")).length;
  return `Faults of the composed servers that write nothing new, or little at a time. Strength 1 is the usual one of the kind; the table of
[composing.md](composing.md) says what it scales. Minutes run from the start of the fault; a silence can be told only when it has lasted, and a nightly mail is missed
at the earliest when its hour has passed.

${table([HEAD, ...rows])}

${found} of ${rows.length} found.`;
}
