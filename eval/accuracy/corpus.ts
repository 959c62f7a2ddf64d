import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the larger corpus lies; it is no part of the clone. */
export const DATA: string = resolve(ROOT, process.env["LOGVANE_DATA"] ?? "../shared/data");

/** A labelled log. Labels are read by the scoring alone. */
export type Corpus = {
  readonly name: string;
  readonly log: string;
  readonly labels: string;
  /** End of training, ISO 8601. */
  readonly trainUntil: string;
  /** IANA zone of its times; UTC when absent. */
  readonly zone?: string;
  /** Of the first line; 2026 when absent. */
  readonly year?: number;
  /** End of the time that is watched, ISO 8601; the last label's or alert's when absent. */
  readonly end?: string;
};

export const zoneOf = ({ zone }: Pick<Corpus, "zone">): string => zone ?? "UTC";
export const yearOf = ({ year }: Pick<Corpus, "year">): number => year ?? 2026;

export const QUICKSTART: Corpus = {
  name: "quickstart",
  log: join(ROOT, "samples/quickstart.log.gz"),
  labels: join(ROOT, "samples/quickstart.labels.json"),
  trainUntil: "2026-09-21T00:00:00Z",
};
export const DEV: Corpus = {
  name: "dev",
  log: join(DATA, "lab/dev/mail.log.gz"),
  labels: join(DATA, "lab/dev/labels.json"),
  trainUntil: "2026-02-16T00:00:00Z",
};

/** The corpora that are there, the larger one first, so that short runs go beside the long ones. */
export const corpora = (): Corpus[] => (existsSync(DEV.log) ? [DEV, QUICKSTART] : [QUICKSTART]);

/** What the page says where the larger corpus is missing; "" where it is there. */
export const missingNote = (): string =>
  existsSync(DEV.log)
    ? ""
    : "**Not run:** dev: `lab/dev/mail.log.gz` is not there; set `LOGVANE_DATA` to the folder that holds it.\n\n";

const incidentsOf = (corpus: Corpus): { readonly start: number; readonly end: number }[] =>
  (JSON.parse(readFileSync(corpus.labels, "utf8")) as { start: string; end: string }[]).map((label) => ({
    ...{ start: Date.parse(label.start), end: Date.parse(label.end) },
  }));

/** Start of the first incident, in ms: until then the days after training are clean. */
export function cleanUntil(corpus: Corpus): number {
  const after = incidentsOf(corpus)
    .map(({ start }) => start)
    .filter((start) => start >= Date.parse(corpus.trainUntil));
  return Math.min(...after);
}

/** Whether a time, in ms, is such that what looks back so long, in ms, from there sees no incident. */
export function isClean(corpus: Corpus, back: number): (time: number) => boolean {
  const incidents = incidentsOf(corpus);
  return (time) => incidents.every(({ start, end }) => end <= time - back || start >= time);
}

export type Brief = {
  readonly opened_at: string;
  readonly severity: string;
  readonly kind: string;
  readonly title: string;
};
export type LabelRow = {
  readonly id: string;
  readonly kind: string;
  readonly hit: boolean;
  readonly evidenced: boolean;
  readonly minutes: number | null;
  readonly named: string | null;
  readonly named_right: boolean | null;
};
/** What eval/score-alerts.mjs --json prints, as far as it is used here. */
export type Score = {
  readonly days: number;
  readonly labels: number;
  readonly evidenced: number;
  readonly alerts: number;
  readonly false_alarms: number;
  readonly unevidenced: number;
  readonly median_minutes: number | null;
  readonly most_alerts_on_one_label: number;
  readonly rows: readonly LabelRow[];
  readonly false: readonly Brief[];
  readonly without_evidence: readonly Brief[];
};

/** Scores a file of alerts. */
export function scored(alerts: string, corpus: Corpus): Score {
  const flags = ["--alerts", alerts, "--labels", corpus.labels, "--from", corpus.trainUntil];
  if (corpus.end !== undefined) flags.push("--to", corpus.end);
  const result = spawnSync(
    process.execPath,
    ["eval/score-alerts.mjs", ...flags, "--kinds", "eval/kinds.json", "--json"],
    { cwd: ROOT, encoding: "utf8", maxBuffer: 64 << 20 },
  );
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Score;
}
