import { DAY_MS } from "../feature/clock.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import type { SeenLine } from "../feature/transaction.ts";
import { type AbsenceFinding, DELIVERED, WHOLE_LOG } from "./absence.ts";
import type { Kind } from "./alert.ts";
import type { Candidate } from "./candidate.ts";
import { cited, short, TURN_MS, templatesOf } from "./candidates.ts";
import type { ClockFinding } from "./clock-watch.ts";
import { duration, KIND_TITLES, typicalRange, usual } from "./explain.ts";
import type { LineRings } from "./lines.ts";
import type { RegularFinding } from "./regular.ts";

/** What stayed away, and clocks that went back, in an operator's words. */

const HOUR_MS = 3_600_000;

/** What a suite says when it is stopped, not when a process of it dies: "stopping the Postfix mail system", "terminating on signal 15". */
const STOP = /\b(?:stopping|stopped|terminating|terminated|shutting down)\b/i;
/** How long before a silence a stop may lie that nothing followed. */
const STOPPED_MS = DAY_MS;

/** What stopped or started since shortly before a silence, and what had stopped before and did not start again; the newest first. */
function turnsBehind(since: number, rings: LineRings): SeenLine[] {
  const turns = rings.turns(since - STOPPED_MS);
  const followed = turns.findIndex(({ template }) => !STOP.test(template));
  const stops = followed < 0 ? turns.length : followed;
  return turns.filter(({ time }, i) => i < stops || time >= since - TURN_MS);
}

/** put: the newest lines of deliveries that were put off. */
export function absenceCandidate(f: AbsenceFinding, rings: LineRings, put: readonly SeenLine[]): Candidate {
  const whole = f.key === WHOLE_LOG;
  const stopped = f.waiting > 0;
  const turns = [
    ...(stopped ? put.filter(({ time }) => time >= f.since) : []),
    ...turnsBehind(f.since, rings),
  ];
  const kind: Kind = whole ? "log_silence" : stopped ? "delivery_stopped" : "service_stopped";
  const minutes = Math.max(1, Math.round((f.at - f.since) / 60_000));
  const expected = Math.round(f.expectedEvents);
  const mail = f.key === DELIVERED;
  const silent = mail ? "" : `, nothing came from ${f.key}`;
  const figures = stopped
    ? `${f.waiting} messages were taken and none was delivered for ${duration(minutes)}, where ${expected} ${mail ? "deliveries" : "lines"} are usual${silent}`
    : `nothing ${whole ? "was logged" : `came from ${f.key}`} for ${duration(minutes)}, where ${expected} lines are usual`;
  return {
    at: f.at,
    start: f.since,
    view: "absence",
    family: "silence",
    key: `absence ${f.key}`,
    rate: f.rate,
    pValue: Math.min(1, f.rate / 288),
    kind,
    kindConfidence: 0.9,
    title: `${KIND_TITLES[kind]}: ${figures}`,
    summary: stopped
      ? "Mail is still taken in, so it piles up in the queue. See what it waits for: mailq, or postqueue -p; and whether the queue manager runs: postfix status"
      : f.companion === undefined
        ? `The longest such gap in training held ${Math.round(f.longest)} expected lines; this one holds ${expected}.`
        : `Meanwhile ${f.companion} went on, which it never did for so long in training.`,
    templates: templatesOf(turns),
    lines: cited(turns.slice(0, 5)),
    measure: {
      name: whole ? "log lines" : mail ? "deliveries" : `lines of ${f.key}`,
      actual: 0,
      typicalLow: Math.max(1, expected - Math.round(2 * Math.sqrt(expected))),
      typicalHigh: expected + Math.round(2 * Math.sqrt(expected)),
    },
    entities: [
      mail
        ? { type: "mail", value: "all deliveries" }
        : { type: whole ? "log" : "program", value: whole ? "all programs" : f.key },
    ],
    fresh: 0,
    shareSince: (time) => (time < f.since ? 1 : 0),
  };
}

/** at: log time at which it is asked. */
export function regularCandidate(f: RegularFinding, at: number): Candidate {
  const feature = ENTITY_FEATURES[f.feature]!;
  const [low, high] = typicalRange(f.expected, f.alpha);
  const hours = Math.round((at - f.since) / HOUR_MS);
  const figures = `${f.actual === 0 ? "no" : f.actual} ${feature.label} ${short(f.key)} since ${hours} h, ${usual(low, high)} a day`;
  return {
    at,
    start: f.since,
    view: "absence",
    family: feature.family,
    key: `regular ${feature.name} ${f.key}`,
    rate: f.rate,
    pValue: f.pValue,
    kind: "volume_change",
    kindConfidence: 0.8,
    title: `Expected mail stays away: ${figures}`,
    summary: `It came at the same hour on nearly every such day of training: ${figures}.`,
    measure: {
      name: `${feature.label} ${feature.type}`,
      actual: f.actual,
      typicalLow: low,
      typicalHigh: high,
    },
    entities: [{ type: feature.type, value: f.key }],
    templates: [],
    lines: [],
    fresh: 0,
    shareSince: (time) => (time < at ? 1 : 0),
  };
}

/** Clocks that go back by minutes and stay there: once in three years, by a zone that was set wrong. */
const CLOCK_RATE = 1e-3;

export function clockCandidate({ host, backMs, lines }: ClockFinding, at: number): Candidate {
  const minutes = Math.round(backMs / 60_000);
  const figures = `the times of ${short(host)} went back by ${duration(minutes)} and stay there`;
  return {
    at,
    start: lines[0]!.time,
    view: "novelty",
    family: "system",
    key: `clock ${host}`,
    rate: CLOCK_RATE,
    pValue: CLOCK_RATE / 288,
    kind: "clock_fault",
    kindConfidence: 0.9,
    title: `${KIND_TITLES.clock_fault}: ${figures}`,
    summary: `Lines are judged as of the latest time seen, until the clock has caught up: ${figures}.`,
    measure: { name: "minutes behind the latest line", actual: minutes, typicalLow: 0, typicalHigh: 0 },
    entities: [{ type: "host", value: host }],
    templates: templatesOf(lines),
    lines: cited(lines),
    fresh: lines.length,
    shareSince: () => 1,
  };
}
