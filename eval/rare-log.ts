// A composed log in which a newsletter, a renewed certificate and a rotation that goes wrong are seen twice, and again a quarter later.
import { compose } from "../src/compose/compose.ts";
import type { Material } from "../src/compose/material.ts";
import type { Server } from "../src/compose/plan.ts";
import { DAY_MS } from "../src/feature/clock.ts";
import type { Line } from "./weeks.ts";

/** A Monday. */
const START = Date.UTC(2026, 3, 6);
/** Days of the log: those on which the rare things happen, the end of the first training, that of the last before the third time. */
export const SEEN: readonly number[] = [8, 36, 127];
export const FIRST = 42;
export const LAST = 126;
/** A fault of an hour and a half comes after the third time. */
export const FAULT_HOUR: number = 130 * 24 + 9;
const DAYS = 132;
const FAULT_MINUTES = 90;
const MAILINGS = 12;
const HOUR_MS = DAY_MS / 24;

/** Log time of an hour of a day, in ms. */
export const at = (day: number, hour = 0): number => START + day * DAY_MS + hour * HOUR_MS;
export const iso = (day: number, hour = 0): string => new Date(at(day, hour)).toISOString();

/** A small server without the monitoring's probes: 400 lines a day. */
export const SMALL: Server = {
  ...{ name: "rare", host: "mx7", domain: "alder.example", zone: "UTC", header: "rfc3339" },
  ...{ mailsPerDay: 20, noisePerDay: 12, mix: { monitor: 0, imap: 0.3 } },
};

export const stamped = (time: number, message: string): Line => ({
  time,
  text: `${new Date(time).toISOString().replace("Z", "000Z")} ${SMALL.host} ${message}`,
});

/** What a rotation leaves in the log when it goes wrong. */
const quirk = (day: number): Line[] =>
  ["mail.log", "mail.err", "mail.warn", "mail.info"].flatMap((file, i) =>
    [
      `stat of /var/log/${file} failed: No such file or directory`,
      `destination /var/log/${file}.1 exists, skipping`,
    ].map((text, k) =>
      stamped(at(day) + 5000 + i * 400 + k * 100, `logrotate[${700 + day}]: error: ${text}`),
    ),
  );

export function rareLog(material: Material, seed: number, server: Server = SMALL): Line[] {
  const plan = {
    ...{ seed, start: iso(0), days: DAYS, server },
    surges: SEEN.map((day) => ({
      ...{ kind: "newsletter" as const, start: iso(day, 10), minutes: 40, intensity: MAILINGS },
    })),
    maintenance: SEEN.map((day) => ({ kind: "certificate" as const, at: iso(day + 1, 3) })),
    faults: [{ kind: "dns_resolver_down", start: iso(0, FAULT_HOUR), minutes: FAULT_MINUTES }],
  };
  const lines: Line[] = SEEN.flatMap(quirk);
  for (const batch of compose(plan, material)) for (const { time, text } of batch) lines.push({ time, text });
  return lines.sort((a, b) => a.time - b.time);
}
