import { table } from "../../bench/table.ts";
import { median } from "../accuracy/totals.ts";
import { type Effect, KIND_OF } from "./poison.ts";
import type { Run } from "./run.ts";

/** What came of the attackers, for docs/accuracy.md. */

export type Poisoned = Run & Effect;

const POINTS = 100;
/** What an attacker may cost, in points of recall. */
const ALLOWED = 2;

const found = (rows: Poisoned["earnest"]): number => rows.filter(({ evidenced }) => evidenced).length;
const minutes = (rows: Poisoned["earnest"]): string =>
  String(median(rows.flatMap((row) => row.minutes ?? [])) ?? "-");

function attackRows(poisoned: Poisoned, twin: Poisoned, what: string): string[][] {
  const kind = KIND_OF[poisoned.attacker as "ramp" | "flood"];
  const of = (run: Poisoned, size: string): Poisoned["earnest"] =>
    run.earnest.filter((row) => row.kind === kind && (size === "both" || row.size === size));
  return ["small", "usual", "both"].map((size) => {
    const [own, other] = [of(poisoned, size), of(twin, size)];
    const lost = (POINTS * (found(other) - found(own))) / own.length;
    return [
      what,
      kind,
      size,
      `${found(own)} of ${own.length}`,
      `${found(other)} of ${other.length}`,
      `${minutes(own)}, ${minutes(other)}`,
      size === "both" ? `${lost.toFixed(0)}${lost > ALLOWED ? " (**too many**)" : ""}` : "-",
    ];
  });
}

function story({ attacker, share, toldBefore, retrainings }: Poisoned): string {
  const refused = retrainings.filter(({ promoted }) => !promoted);
  const reasons = refused.map(({ at, reason }) => `${new Date(at).toISOString().slice(0, 10)}: ${reason}`);
  return `- ${attacker}: ${(POINTS * share).toFixed(1)} % of the lines of its last week; told of in ${toldBefore} of its weeks before it was in earnest. ${retrainings.length - refused.length} of ${retrainings.length} models promoted${
    reasons.length > 0 ? `; refused ${reasons.join("; ")}` : ""
  }.`;
}

export function poisonSection(runs: readonly Poisoned[], machine: string): string {
  const twin = runs.find(({ attacker }) => attacker === "nobody")!;
  const attackers = runs.filter(({ attacker }) => attacker !== "nobody");
  const what = {
    ramp: "10 % more each week, eight weeks",
    flood: "one day's flood in the eighth week",
    nobody: "",
  };
  return `## Attackers who want to be learned

Written by \`npm run eval:year -- poison --page\`. ${machine} The server of the year, and eight weeks in which an attacker lets himself be learned: one sends spam without end, 10 % more each week; one floods a day of the eighth
week with guesses at passwords. Then both attack in earnest, each day for two weeks, in two sizes by turns. Their twin is the same log without what came before; both are learned anew each week.

${table([["attacker", "attack", "size", "evidenced", "by the twin", "median minutes of both", "points lost"], ...attackers.flatMap((run) => attackRows(run, twin, what[run.attacker]))])}

${runs.map(story).join("\n")}`;
}
