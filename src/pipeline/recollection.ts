import { BAR_PER_BUDGET } from "../detect/budget.ts";
import { conditionalOf } from "../detect/conditional.ts";
import { isRemembered, type Reach } from "../detect/memory.ts";
import { pastRows, type RememberedSlots, remembered } from "../detect/recall.ts";
import { WindowScorer } from "../detect/window.ts";
import { type LocalClock, slotOf } from "../feature/clock.ts";
import { TEMPLATE_KEY } from "../feature/columns.ts";
import { GroupTable } from "../template/groups.ts";
import type { Model } from "./model.ts";

/** Whether a model still knows the rare times that an earlier one remembers: asked again, they should stay quiet. */

/** Slots that follow each other are one time. told: those in which something would be rarer than the bar. */
export type Recollection = { readonly times: number; readonly told: number };

/**
 * What `model` would tell of the times in `memory` that lie before `first`, a time in ms. budget: alerts a day. reach: how far back it need know.
 */
export function recollect(
  memory: RememberedSlots,
  { window, windowVae, groups }: Model,
  {
    clock,
    budget,
    first,
    reach,
  }: {
    readonly clock: LocalClock;
    readonly budget: number;
    readonly first: number;
    readonly reach: Reach;
  },
): Recollection {
  const table = new GroupTable(groups);
  const joined = new Map(
    memory.columns
      .filter(({ level }) => level === "template")
      .map(({ key, label }) => {
        const writer = label.slice(0, label.indexOf(": "));
        const { id } = table.templateOf(writer, label.slice(writer.length + 2));
        return [key.slice(TEMPLATE_KEY.length), id] as const;
      }),
  );
  const past = remembered(memory, joined, slotOf(first), reach);
  const { slots, places, counts } = pastRows(past, { columns: window.columns, full: window }, clock);
  const scorer = new WindowScorer(window, windowVae && conditionalOf(windowVae));
  const C = window.columns.length;
  let times = 0;
  const told = new Set<number>();
  for (const [r, slot] of slots.entries()) {
    if (slots[r - 1] !== slot - 1) {
      scorer.restart();
      times++;
    }
    scorer.push(counts.slice(r * C, r * C + C), places[r]!);
    const { findings } = scorer.score();
    const isTold = findings.some(
      ({ tail, column, rate }) =>
        tail === "upper" && isRemembered(window.columns[column]!) && rate < BAR_PER_BUDGET * budget,
    );
    if (isTold) told.add(times);
  }
  return { times, told: told.size };
}
