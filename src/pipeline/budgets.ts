import type { Candidate } from "../detect/candidate.ts";
import { IncidentManager } from "../detect/incident.ts";
import { NO_RULES, type Rules } from "../detect/rules.ts";
import type { LocalClock } from "../feature/clock.ts";

/** What other budgets would have made of the same findings: each has an incident manager of its own, which nothing else hears of. */

export type BudgetCost = {
  /** Alerts a day that the budget allows. */
  readonly perDay: number;
  readonly sent: number;
  readonly held: number;
};

/** Hand it every offer of a detector (PipelineOptions.onOffer). */
export class BudgetTable {
  readonly #managers: readonly { readonly perDay: number; readonly manager: IncidentManager }[];

  /** rules: that all of them obey. */
  constructor(budgets: readonly number[], clock: LocalClock, rules: Rules = NO_RULES) {
    const each = [...new Set(budgets)].sort((a, b) => a - b);
    this.#managers = each.map((perDay) => ({ perDay, manager: new IncidentManager({ perDay, clock }) }));
    for (const { manager } of this.#managers) manager.obey(rules);
  }

  offer(candidates: readonly Candidate[]): void {
    for (const { manager } of this.#managers) manager.offer(candidates);
  }

  get costs(): BudgetCost[] {
    return this.#managers.map(({ perDay, manager }) => ({
      perDay,
      sent: manager.ledger.opened,
      held: manager.ledger.held,
    }));
  }
}
