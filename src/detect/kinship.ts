import type { Alert, Kind } from "./alert.ts";
import { OF_THIS_MACHINE } from "./attribute.ts";
import type { Candidate } from "./candidate.ts";
import { DEADLY, isFewer, isOfOne, VAGUE } from "./rules.ts";
import { graver, severityOf } from "./severity.ts";

/** Whether a candidate belongs to an open alert by what the two say, however long after it and of whatever family. */

/** Confidence from which on a kind is no guess by what surrounds it. */
const SURE_OF_KIND = 0.7;
/** Where nothing is written or delivered, there is less of everything. */
const SILENCES: ReadonlySet<Kind> = new Set(["log_silence", "service_stopped", "delivery_stopped"]);

/** What shows in many ways, and to one person after the other: slow deliveries, and a damaged index that is met, mended and met again. */
const IN_MANY_WAYS: ReadonlySet<Kind> = new Set(["latency", "mailbox_corruption"]);
/** So long after an alert what names no cause is taken for its consequence; what goes on for days explains not all of them. */
const CONSEQUENCE_MS = 2 * 3_600_000;

type Told = {
  readonly alert: Pick<Alert, "kind" | "kindConfidence" | "severity" | "lines" | "openedAt">;
  readonly family: Candidate["family"];
};

export const isKin = (told: Told, c: Candidate): boolean =>
  isThatAgain(told, c) || isNamedIn(told.alert, c) || isBroughtAboutBy(told.alert, c);

/**
 * Another side of one fault of this machine: such faults fail as a whole, so that at one time there is one of a kind, and what is only named
 * by its surroundings is named by that one. Processes that die are a side of what kills them.
 */
function isThatAgain({ alert, family }: Told, c: Candidate): boolean {
  if (!isSure(alert)) return false;
  if (alert.kind === c.kind && OF_THIS_MACHINE.has(c.kind)) return isNoGraver(alert, c);
  if (!isSure(c)) return false;
  if (alert.kind === c.kind && IN_MANY_WAYS.has(c.kind)) return true;
  if (alert.kind === "crash_loop" && DEADLY.has(c.kind)) return isNoGraver(alert, c);
  const isOurs = family !== "outbound" && c.family !== "outbound"; // our own certificate
  return alert.kind === "tls_failure" && c.kind === "tls_failure" && isOurs && isNoGraver(alert, c);
}

/** The account, host or domain of which the alert's own lines tell, now known by its figures too. */
const isNamedIn = (alert: Told["alert"], c: Candidate): boolean =>
  alert.kind === c.kind &&
  isSure(alert) &&
  isOfOne(c) &&
  c.entities.some(({ value }) => value !== "" && alert.lines.some(({ text }) => text.includes(value)));

/**
 * What names no cause, or slowness, or that a service is stopped by those that asked it, while a fault of this machine goes on; and less than usual of
 * something while nothing is written or delivered.
 */
function isBroughtAboutBy(alert: Told["alert"], c: Candidate): boolean {
  if (!isSure(alert) || c.at - alert.openedAt > CONSEQUENCE_MS) return false;
  const isFault = OF_THIS_MACHINE.has(alert.kind);
  if (c.kind === "service_stopped") return isFault && c.view !== "absence";
  if (!isSymptom(c.kind) || !isNoGraver(alert, c)) return false;
  return isFault || (SILENCES.has(alert.kind) && isFewer(c));
}

/** Whether a candidate names a fault where the alert tells of a symptom: something is unusual, or slow. */
export const saysMore = (alert: Pick<Alert, "kind">, c: Candidate): boolean =>
  isSymptom(alert.kind) && !isSymptom(c.kind) && isSure(c);

const isSymptom = (kind: Kind): boolean => VAGUE.has(kind) || kind === "latency";
export const isSure = ({ kindConfidence }: Pick<Candidate, "kindConfidence">): boolean =>
  kindConfidence >= SURE_OF_KIND;
const isNoGraver = (alert: Told["alert"], c: Candidate): boolean =>
  graver(alert.severity, severityOf(c)) === alert.severity;
