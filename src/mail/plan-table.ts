import { KeyTable } from "../template/key-table.ts";
import type { Plan } from "./plan.ts";

/** Keys whose plans are kept. The busiest log of the lab has 700, real ones some thousands; a power of two. */
const MAX_PLANS = 16_384;
/**
 * Keys of one template whose plans are kept. More are made by values that pass for words, as the letters of a base64 signature do:
 * each would come once and be held for good. In real logs the keys beyond these have fewer than one line in a hundred.
 */
const MAX_OF_TEMPLATE = 64;

/** Plans by the keys of messages. Bounded; only speed depends on what is kept. */
export class PlanTable {
  readonly #plans = new KeyTable<Plan>(MAX_PLANS);
  /** Plans in the table, by template id. */
  readonly #ofTemplate = new Map<string, number>();
  /** Plans numbered so far. */
  #numbered = 0;

  get(low: number, high: number): Plan | undefined {
    return this.#plans.get(low, high);
  }

  /** Keeps the plan of a key that has none, and numbers it, unless its template has many. */
  set(low: number, high: number, plan: Plan): void {
    const { templateId } = plan;
    const count = this.#ofTemplate.get(templateId) ?? 0;
    if (count >= MAX_OF_TEMPLATE) return;
    this.#ofTemplate.set(templateId, count + 1);
    plan.number = this.#numbered++ % MAX_PLANS; // of two with one number, what is known of them is found out in turns
    const overwritten = this.#plans.set(low, high, plan);
    if (overwritten !== undefined) this.#dropped(overwritten);
  }

  #dropped({ templateId }: Plan): void {
    const left = this.#ofTemplate.get(templateId)! - 1;
    if (left > 0) this.#ofTemplate.set(templateId, left);
    else this.#ofTemplate.delete(templateId);
  }
}
