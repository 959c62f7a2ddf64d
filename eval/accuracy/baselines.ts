import { type Section, table } from "../../bench/table.ts";
import { readLines } from "../baselines/lines.ts";
import { type BaselineRow, baselineRows, f1, WINDOW_BASELINES } from "../baselines/rows.ts";
import { type Corpus, corpora, missingNote, type Score } from "./corpus.ts";
import { measureAll } from "./runs.ts";

const HEAD = [
  ...["log", "what runs", "evidenced", "alerts", "false alarms", "without evidence", "median minutes", "F1"],
  ...["oracle: evidenced", "oracle: false alarms or without evidence"],
];

function rowOf(corpus: Corpus, { name, score, f1, oracle }: Omit<BaselineRow, "curve">): string[] {
  return [
    corpus.name,
    name,
    `${score.evidenced} of ${score.labels}`,
    ...[score.alerts, score.false_alarms, score.unevidenced, score.median_minutes ?? "-"].map(String),
    f1.toFixed(2),
    ...(oracle ? oracleCells(oracle) : ["-", "-"]),
  ];
}

const oracleCells = ({ evidenced, labels, false_alarms, unevidenced }: Score): string[] => [
  `${evidenced} of ${labels}`,
  String(false_alarms + unevidenced),
];

const PROTOCOL = `Each baseline lives by our rules: it learns without labels from what lies before the end of training, may open 2 alerts a day, and
what exceeds within 30 minutes for the same column is one incident. It sees the lines through our parser: templates, joined as our
detector joins them, counted in windows of 10 minutes that do not overlap, all templates that training lacks in one column. A window
is told at its end and cites the newest five lines of the column that contributes most. One rule draws all lines: the
threshold is the lowest of training's daily maxima that at most a tenth of its days exceed, each day scored by a fit that
did not see it (seven folds). Nothing of it depends on what comes after training.

- *new template*: a line whose template training did not have, told at once; there is no threshold to choose.
- *one-hot line, plain VAE, fixed line*: the detector of blogs. Each line by itself, its template as one bit of many, a VAE with a sigmoid at its end
  (32 hidden, 8 latent; 20,000 lines of training drawn at random), squared error of the reconstruction, alarm above the error that one in a thousand of training's lines
  exceeds. A template that training did not have is all zeros.
- *count above training's largest*: a template came more often in ten minutes than in any window of training, by how many times.
- *z-score by hour of day*: largest |z| of any template's count, by mean and deviation of the hour, which is at least one line.
- *PCA, residual energy*: ln(1 + count), what the components of 95% of the variance (at most 48) leave over.
- *Isolation Forest*: scikit-learn, 200 trees on ln(1 + count). A forest names no column: the most deviant one is cited.
- *nearest training window*: Euclidean distance of ln(1 + count).
- *plain VAE, squared error*: the tutorials' kind, ln(1 + count) as normal numbers without time of day or expectation, scored by squared
  error; our code, 48 hidden and 8 latent units. The row *mean + 3 sd* has the tutorials' threshold on the error of the training rows
  themselves instead of the common rule.

*F1* is the harmonic mean of the share of incidents evidenced and the share of alerts that evidence one. *Oracle* is no result that anybody
could have had: the threshold that proved best by F1 afterwards, labels in hand.`;

/** The usual methods on the same logs by the same protocol, and our detector beside them from the same run. */
export async function baselines(): Promise<Section[]> {
  const outcomes = await measureAll(corpora().map((corpus) => ({ corpus, seed: 1, without: [] })));
  const rows: string[][] = [];
  const judged: { corpus: Corpus; ours: Score; rows: readonly BaselineRow[] }[] = [];
  const missing = new Set<string>();
  for (const corpus of corpora().reverse()) {
    const { score } = outcomes.find((o) => o.run.corpus === corpus)!;
    rows.push(rowOf(corpus, { name: "**ours, seed 1**", score, f1: f1(score), oracle: undefined }));
    const own = baselineRows(corpus, await readLines(corpus), true);
    judged.push({ corpus, ours: score, rows: own });
    for (const row of own) rows.push(rowOf(corpus, row));
    for (const name of Object.keys(WINDOW_BASELINES))
      if (!own.some((row) => row.name === name)) missing.add(name);
  }
  return [
    {
      title: "Baselines",
      text: `${missingNote()}${absent(missing)}${PROTOCOL}\n\n${table([HEAD, ...rows])}\n\n${reading(judged)}`,
    },
  ];
}

const bad = (s: Score): number => s.false_alarms + s.unevidenced;
/** One incident more or less, and one false alarm, are chance. */
const isLevel = (theirs: Score, ours: Score): boolean =>
  theirs.evidenced >= ours.evidenced - 1 && bad(theirs) <= bad(ours) + 1;

/** What the table says, in words that follow from its figures. */
function reading(judged: readonly { corpus: Corpus; ours: Score; rows: readonly BaselineRow[] }[]): string {
  const said = judged.map(({ corpus, ours, rows }) => {
    const level = rows.filter((r) => isLevel(r.score, ours));
    const hindsight = rows.filter((r) => !level.includes(r) && r.oracle && isLevel(r.oracle, ours));
    const lines = level.map(
      ({ name, score }) =>
        `**${name}** (${score.evidenced} incidents and ${bad(score)} ${bad(score) === 1 ? "alert" : "alerts"} without need against ${ours.evidenced} and ${bad(ours)} of ours, after ${score.median_minutes} against ${ours.median_minutes} minutes)`,
    );
    return (
      `- ${corpus.name}: as good as ours, to within one incident and one alert: ${lines.join("; ") || "no baseline"}. ` +
      `With the oracle's threshold also: ${hindsight.map((r) => r.name).join(", ") || "none"}.`
    );
  });
  return `${said.join("\n")}

A baseline gives no kind, names no account or network, and says of a window only which template stood out.`;
}

const absent = (missing: ReadonlySet<string>): string =>
  missing.size === 0
    ? ""
    : `**Not run:** ${[...missing].join(", ")}: scikit-learn is not there (Debian: python3-sklearn).\n\n`;
