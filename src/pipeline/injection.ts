import { compose } from "../compose/compose.ts";
import { FAULTS } from "../compose/kinds.ts";
import type { Material } from "../compose/material.ts";
import type { Plan } from "../compose/plan.ts";
import { stream } from "../compose/stream.ts";
import { DAY_MS } from "../feature/clock.ts";
import { asWritten, type Sketch } from "./sketch.ts";
import type { Judged } from "./trial.ts";

/**
 * Faults that are put into the recorded days of a server, to ask whether a model would tell of them. Their lines are composed of recorded
 * episodes (src/compose) with this server's names and number of mails (sketch.ts), and stand only in memory.
 */

/** The name of the file by which an alert shows that it cites a line that was put in. */
export const INJECTED = "(put in)";

/** How long each fault lasts, and how long one waits afterwards for what tells of it. */
const FAULT_MS = 50 * 60_000;
const AFTER_MS = 25 * 60_000;
/** From one fault to the next. */
const APART_MS = 110 * 60_000;
/** A fault's lines are composed from so long before it, of which nothing is kept. */
const LEAD_MS = 10 * 60_000;

/** One of each family that the shipped episodes hold: attacks, deliveries, services, settings, silence. */
const KINDS = [
  "sasl_bruteforce_fast",
  "dns_resolver_down",
  "compromised_account",
  "remote_blocklisted",
  "dovecot_auth_down",
  "log_silence",
  "queue_dead_destination",
  "postfix_lookup_table_missing",
  "tls_cert_expired",
  "transport_misconfig",
  "account_new_networks",
  "spam_wave",
] as const;

export type Injection = {
  readonly kind: string;
  /** Log time, in ms; `until`: when nobody waits for an alert any more. */
  readonly start: number;
  readonly end: number;
  readonly until: number;
  /** Daemons that begin so write nothing of their own while it lasts: "" for all of them, undefined for none. */
  readonly mutes: string | undefined;
  /** What is added, in order of time; composed when it is first asked for, and once for all models. */
  readonly lines: () => { readonly time: number; readonly text: string }[];
};

/** One fault of each kind, as far as there is clean time for them on one of these days (their beginnings in ms): that with most of it. */
export function planInjections(
  days: readonly number[],
  clean: Judged,
  sketch: Sketch,
  load: () => Material,
  seed: number,
): Injection[] {
  const random = stream(seed, "injection");
  const first = random.int(KINDS.length);
  const offset = random.uniform();
  const places = days
    .map((day) => placesOf(day, clean, offset))
    .reduce((best, some) => (some.length >= best.length ? some : best), [])
    .slice(0, KINDS.length);
  if (places.length === 0) return [];
  const material = load();
  return places.map((start, i): Injection => {
    const kind = KINDS[(first + i) % KINDS.length]!;
    return injectionOf(
      { kind, start, faultMs: FAULT_MS, afterMs: AFTER_MS, seed: seed + i },
      sketch,
      material,
    );
  });
}

/** What is asked of one fault: its kind and strength (compose/kinds.ts), log time in ms, length, and how long an alert is waited for. */
export type Wanted = {
  readonly kind: string;
  /** 1 when absent. */
  readonly intensity?: number;
  readonly start: number;
  readonly faultMs: number;
  readonly afterMs: number;
  readonly seed: number;
};

export function injectionOf(wanted: Wanted, sketch: Sketch, material: Material): Injection {
  const { kind, start } = wanted;
  const end = start + wanted.faultMs;
  const { way, mutes } = FAULTS[kind]!;
  const muted = way === "silence" ? "" : way === "daemon" ? sketch.busiest : mutes;
  const adds = way !== "silence" && way !== "daemon";
  let composed: { time: number; text: string }[] | undefined;
  const lines = (): { time: number; text: string }[] => {
    composed ??= adds ? linesOf(wanted, sketch, material) : [];
    return composed;
  };
  return { kind, start, end, until: end + wanted.afterMs, mutes: muted, lines };
}

/** Beginnings of faults on a day. */
function placesOf(day: number, clean: Judged, offset: number): number[] {
  const places: number[] = [];
  const last = DAY_MS - FAULT_MS - AFTER_MS;
  for (let at = Math.floor(offset * 20) * 60_000; at < last; at += APART_MS) {
    const start = day + at;
    const times = [start, start + FAULT_MS / 2, start + FAULT_MS, start + FAULT_MS + AFTER_MS];
    if (times.every(clean)) places.push(start);
  }
  return places;
}

function linesOf(wanted: Wanted, sketch: Sketch, material: Material): { time: number; text: string }[] {
  const { kind, intensity, start, faultMs, afterMs, seed } = wanted;
  const { host, domain, zone, mailsPerDay, header, own, without } = sketch;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const plan: Plan = {
    seed,
    start: iso(start - LEAD_MS),
    days: (LEAD_MS + faultMs + afterMs) / DAY_MS,
    server: {
      ...{ name: "trial", host, zone, header, mailsPerDay, own, without },
      ...(domain === undefined ? {} : { domain }),
    },
    faults: [
      { kind, start: iso(start), minutes: faultMs / 60_000, ...(intensity !== undefined && { intensity }) },
    ],
  };
  const lines: { time: number; text: string }[] = [];
  for (const piece of compose(plan, material))
    for (const { time, text, fault } of piece)
      if (fault >= 0) lines.push({ time, text: asWritten(text, sketch) });
  return lines;
}
