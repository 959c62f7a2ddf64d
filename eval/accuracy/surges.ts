import { type Section, table } from "../../bench/table.ts";
import { SURGE_PRESETS } from "../surge-presets.ts";
import { withComposed } from "./composed.ts";
import type { Score } from "./corpus.ts";
import { measureAll, type Run } from "./runs.ts";
import { type Total, totalOf } from "./totals.ts";

const SEED = 1;
/** Alerts a day; the bar rises with them, so that each is a point of a curve. */
const BUDGETS = [1, 2, 4, 8];
const DEFAULT_BUDGET = 2;
const DETECTORS: readonly { readonly name: string; readonly without: readonly string[] }[] = [
  { name: "whole detector", without: [] },
  { name: "window view alone", without: ["transaction", "entity", "novelty", "absence"] },
];

/** One detector with and without the network, by budget and server. */
type Pair = { readonly network: readonly Score[]; readonly hour: readonly Score[] };

/** The VAE's expectation against that of the time of day, on servers full of harmless surges. */
export async function surges(): Promise<Section[]> {
  const measured = await withComposed(SURGE_PRESETS, false, async (corpus) => {
    const runs = DETECTORS.flatMap(({ without }) =>
      BUDGETS.flatMap((budget) =>
        [false, true].map((timeOnly): Run => ({ corpus, seed: SEED, without, budget, timeOnly })),
      ),
    );
    return (await measureAll(runs)).map((o) => o.score);
  });
  const pair = (detector: number, budget: number): Pair => {
    const at = 2 * (detector * BUDGETS.length + budget);
    return { network: measured.map((m) => m[at]!), hour: measured.map((m) => m[at + 1]!) };
  };
  const text = DETECTORS.map(({ name }, d) => {
    const pairs = BUDGETS.map((_, b) => pair(d, b));
    return `### ${name[0]!.toUpperCase()}${name.slice(1)}\n\n${curve(pairs)}\n\n${equalRecall(pairs)}\n\n${byServer(pairs[BUDGETS.indexOf(DEFAULT_BUDGET)]!)}`;
  });
  return [{ title: "Benign surges", text: [INTRO, ...text].join("\n\n") }];
}

const INTRO = `What the network of the window view is for: ${SURGE_PRESETS.length} composed servers (${SURGE_PRESETS.map((p) => `${p.name}, ${p.what}`).join("; ")}), each with weekly newsletters, also in training, two
much larger ones, two campaigns of two days, three Monday floods and a holiday after it, beside eight faults. *Network* is our detector; *hour alone* is the same with a window view that
expects by the time of day alone. The alert budget moves the bar, and with it both figures; a row is a point of the curve, all servers together, seed ${SEED}.`;

const found = (t: Total): string => `${t.evidenced} of ${t.labels}`;

function curve(pairs: readonly Pair[]): string {
  const rows = pairs.map(({ network, hour }, b) => {
    const cells = [network, hour].flatMap((scores) => {
      const t = totalOf(scores);
      return [found(t), `${t.falseAlarms} (${(t.falseAlarms / t.days).toFixed(2)})`, String(t.unevidenced)];
    });
    return [String(BUDGETS[b]), ...cells];
  });
  const head = ["evidenced", "false alarms (a day)", "without evidence"];
  return table([
    ["alerts a day", ...head.map((h) => `network: ${h}`), ...head.map((h) => `hour alone: ${h}`)],
    ...rows,
  ]);
}

/** The fewest false alarms at which each finds at least so many incidents; the most that both find. */
function equalRecall(pairs: readonly Pair[]): string {
  const totals = { network: pairs.map((p) => totalOf(p.network)), hour: pairs.map((p) => totalOf(p.hour)) };
  const most = (ts: readonly Total[]): number => Math.max(...ts.map((t) => t.evidenced));
  const recall = Math.min(most(totals.network), most(totals.hour));
  const least = (ts: readonly Total[]): number =>
    Math.min(...ts.filter((t) => t.evidenced >= recall).map((t) => t.falseAlarms));
  const network = least(totals.network);
  const hour = least(totals.hour);
  const verdict =
    2 * network <= hour && hour > 0
      ? "the network halves the false alarms"
      : network < hour
        ? "the network saves some false alarms, **not half of them**"
        : "**the network saves no false alarm**";
  return `At the largest recall that both reach, ${recall} of ${totals.network[0]!.labels}, the least false alarms are ${network} with the network and ${hour} by the hour alone: ${verdict}.`;
}

function byServer({ network, hour }: Pair): string {
  const cell = (s: Score): string => `${s.evidenced} of ${s.labels}, ${s.false_alarms} false`;
  return `At ${DEFAULT_BUDGET} a day, by server: ${SURGE_PRESETS.map(({ name }, i) => `${name}: network ${cell(network[i]!)}, hour alone ${cell(hour[i]!)}`).join("; ")}.`;
}
