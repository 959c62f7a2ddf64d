import type { AlertRecord } from "./alert.ts";
import { ALL_NEW, type Candidate } from "./candidate.ts";
import { cited, short, templatesOf } from "./candidates.ts";
import type { DriftFinding } from "./drift.ts";
import { duration, KIND_TITLES } from "./explain.ts";
import type { HeadFinding } from "./head-watch.ts";
import { said } from "./said.ts";

/** Changes of software and of the log's format, in an operator's words. They are no faults, so they are told once and calmly. */

/** Such changes come once in years; that nothing can be read any more, still more rarely. */
const CHANGE_RATE = 1e-3;
const UNREAD_RATE = 5e-4;

export const HEAD_KEY = "head";
const DRIFT_KEY = "drift ";

/** Whether an alert that was kept tells of a change: how things are from then on, and so to be learned. */
export function isChange(record: AlertRecord): boolean {
  const [first] = (record["parts"] ?? []) as readonly { readonly key?: unknown }[];
  return typeof first?.key === "string" && (first.key === HEAD_KEY || first.key.startsWith(DRIFT_KEY));
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

export function driftCandidate(f: DriftFinding, at: number): Candidate {
  const minutes = Math.max(1, Math.round((at - f.since) / 60_000));
  const percent = Math.max(1, Math.round((100 * f.lines) / f.all));
  const shapes = `${f.shapes} new kind${f.shapes === 1 ? "" : "s"} of message`;
  const kind = f.what === "new" ? "new_message" : "format_change";
  const name = short(f.suite);
  const began = f.turn === undefined ? "" : `, since its start (${said(f.turn)})`;
  const figures =
    f.what === "new"
      ? `${name} is new in this log: ${plural(f.lines, "line")} of ${shapes} in ${duration(minutes)}`
      : `${percent} % of the lines of ${name} are of ${shapes} for ${duration(minutes)}${began}`;
  const gone = f.missed.length === 0 ? "" : ` No longer seen: ${f.missed.map(short).join("; ")}.`;
  const lines = [...(f.turn ? [f.turn] : []), ...f.examples];
  return {
    at,
    start: f.turn?.time ?? f.since,
    view: "novelty",
    family: "change",
    key: DRIFT_KEY + f.suite,
    rate: CHANGE_RATE,
    pValue: CHANGE_RATE / 288,
    kind,
    kindConfidence: 0.8,
    title: `${KIND_TITLES[kind]}: ${figures}`,
    summary:
      `Software seems to have been ${f.what === "new" ? "added" : "changed"}: the new messages complain of nothing that is not as common as ever` +
      ` (${plural(f.unknown, "line")} of them not understood).${gone}` +
      " Until the next training its new messages are told only where they complain. Normal is learned anew after two days (logvane schedule), or by: logvane retrain",
    measure: {
      name: `new kinds of message, percent of the lines of ${name}`,
      actual: percent,
      typicalLow: 0,
      typicalHigh: 0,
    },
    entities: [{ type: "program", value: f.suite }],
    templates: templatesOf(f.examples),
    lines: cited(lines).slice(0, 5),
    fresh: f.lines,
    more: f.waited,
    shareSince: ALL_NEW,
  };
}

export function headCandidate(f: HeadFinding, at: number): Candidate {
  const { form, known, count, total, before, after } = f;
  const unread = form === "no readable time";
  const rate = unread ? UNREAD_RATE : CHANGE_RATE;
  const share = count === total ? `the last ${count} lines` : `${count} of the last ${total} lines`;
  const figures = unread
    ? `${share} have no time that Logvane can read`
    : `${share} begin as ${form === "another form" ? form : `${form} says`}, no longer as ${known.join(" or ")}`;
  const [first, ...more] = after;
  const lines = [...(first ? [first] : []), ...(before ? [before] : []), ...more];
  return {
    at,
    start: first?.time ?? at,
    view: "novelty",
    family: "change",
    key: HEAD_KEY,
    rate,
    pValue: rate / 288,
    kind: "format_change",
    kindConfidence: 0.9,
    title: `${KIND_TITLES.format_change}: ${figures}`,
    summary:
      (unread
        ? "Nothing of these lines is judged: what goes wrong now is not seen. Has the syslog daemon or its template been changed?"
        : "Detection goes on, since what is known of messages does not depend on how their lines begin. Others that read this log may stumble.") +
      " See what is read of it with: logvane parse --stats --format json FILE",
    measure: { name: "lines of the new form", actual: count, typicalLow: 0, typicalHigh: 0 },
    entities: [{ type: "log", value: "format" }],
    templates: templatesOf(lines),
    lines: cited(lines).slice(0, 5),
    fresh: count,
    shareSince: ALL_NEW,
  };
}
