// Three servers full of harmless surges, in training and after it, beside eight faults each. For the question what the network of the
// window view is for. As with the other presets, no constant of the detector was chosen on them.
import type { Server, Surge } from "../src/compose/plan.ts";
import { at, type Preset, type Short, server } from "./preset-plan.ts";

const FAULTS: readonly Short[] = [
  ["remote_blocklisted", 9.4, 240],
  ["sasl_bruteforce_fast", 22.3, 40],
  ["transport_misconfig", 10.2, 300],
  ["dovecot_auth_down", 13.1, 45],
  ["spam_wave", 15.5, 120],
  ["account_new_networks", 8.6, 300],
  ["latency_degradation", 7.1, 600],
  ["queue_dead_destination", 11.3, 400],
];

const SERVERS: readonly (Server & { readonly start: string; readonly seed: number })[] = [
  {
    ...{ name: "fir", host: "mx", domain: "firbank.example", zone: "Europe/Oslo", header: "rfc3164" },
    ...{ mailsPerDay: 600, weekend: 0.35, start: "2026-04-06T00:00:00Z", seed: 101 },
  },
  {
    ...{ name: "heath", host: "post", domain: "gorsehill.example", zone: "America/New_York", header: "iso" },
    ...{ mailsPerDay: 450, weekend: 0.5, growth: 0.02, start: "2026-08-31T00:00:00Z", seed: 102 },
  },
  {
    ...{ name: "hazel", host: "mail", domain: "hazelford.example", zone: "UTC", header: "rfc5424" },
    ...{ mailsPerDay: 800, weekend: 0.3, growth: 0.01, start: "2026-02-02T00:00:00Z", seed: 103 },
  },
];

/** Days and hours (UTC) differ by server; all of them begin on a Monday. */
function surges(start: string, i: number): Surge[] {
  const newsletter = (day: number, hour: number, minutes: number, intensity: number): Surge => ({
    kind: "newsletter",
    start: at(start, day, hour),
    minutes,
    intensity,
  });
  return [
    ...[2, 9, 16, 23, 30].map((day) => newsletter(day + i, 9 + i, 30, 4)),
    newsletter(19 + i, 13, 60, 12),
    newsletter(26 + i, 11, 60, 15),
    ...[15 + i, 29 + i].map(
      (day): Surge => ({
        ...{ kind: "campaign", start: at(start, day, 8), minutes: 2 * 1440, intensity: 2 },
      }),
    ),
    ...[14, 21, 28].map(
      (day): Surge => ({
        ...{ kind: "monday_flood", start: at(start, day, 7), minutes: 180, intensity: 2.5 },
      }),
    ),
  ];
}

export const SURGE_PRESETS: readonly Preset[] = SERVERS.map(({ start, seed, ...described }, i) => ({
  name: described.name,
  what: `${described.mailsPerDay} mails a day`,
  plan: server(start, seed, described, FAULTS, {
    surges: surges(start, i),
    seasons: [{ from: at(start, 24 + i, 0), to: at(start, 27 + i, 0), level: 0.4 }],
  }),
}));
