// Servers of the composed evaluation drawn anew, so that a detector is measured on some that nobody has looked at.
import type { Fault } from "../src/compose/plan.ts";
import { DAY_MS } from "../src/feature/clock.ts";
import { createRandom, type Random } from "../src/math/random.ts";
import { at, type Preset, TRAIN_DAYS } from "./preset-plan.ts";

const MINUTE_MS = 60_000;
/** Share of the preset's mails that a drawn server has, at least and at most. */
const SIZE: readonly [number, number] = [0.5, 1.7];
/** From the end of a fault to the beginning of the next. */
const APART_MINUTES = 180;
/** What comes by the hour keeps it. */
const BY_THE_HOUR: ReadonlySet<string> = new Set(["partner_mail_missing"]);

/**
 * The same kind of server with other traffic: another stream of chance and size, and the same faults after training on the same days, in another
 * order and at other hours. draw: 1, 2, 3 ...; the same server for the same draw.
 */
export function drawnAnew(preset: Preset, draw: number): Preset {
  const { plan, name } = preset;
  const seed = draw * 1000 + [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0);
  const random = createRandom(seed);
  const [low, high] = SIZE;
  const mailsPerDay = Math.round(plan.server.mailsPerDay * (low + (high - low) * random.uniform()));
  const isTraining = ({ start }: Fault): boolean => start < at(plan.start, TRAIN_DAYS, 0);
  const all = plan.faults ?? [];
  const faults = [
    ...all.filter(isTraining),
    ...reordered(
      all.filter((fault) => !isTraining(fault)),
      random,
    ),
  ];
  return { ...preset, plan: { ...plan, seed, server: { ...plan.server, mailsPerDay }, faults } };
}

/** On the days on which there are faults, each another one, at an hour of its own; none while another goes on. */
function reordered(faults: readonly Fault[], random: Random): Fault[] {
  const days = faults.map(({ start }) => Math.floor(Date.parse(start) / DAY_MS)).sort((a, b) => a - b);
  const order = Int32Array.from(faults.keys());
  random.shuffle(order);
  let free = Number.NEGATIVE_INFINITY;
  return [...order].map((i, k) => {
    const fault = faults[i]!;
    const byTheHour = BY_THE_HOUR.has(fault.kind);
    const minute = byTheHour
      ? (Date.parse(fault.start) % DAY_MS) / MINUTE_MS
      : Math.floor(random.uniform() * 240) * 6;
    const drawn = days[k]! * DAY_MS + minute * MINUTE_MS;
    const start = byTheHour ? drawn : Math.max(drawn, free);
    free = Math.max(free, start + (fault.minutes + APART_MINUTES) * MINUTE_MS);
    return { ...fault, start: new Date(start).toISOString() };
  });
}
