import type { Database } from "./db.ts";

/** Which model came into use when, how and why: written once, never changed. */

export type How = "train" | "retrain" | "promote" | "rollback";

/** at: the system's time, in ms. */
export type Switching = { readonly how: How; readonly reason: string; readonly at: number };
export type Switch = Switching & { readonly model: string };

/** Switches that are kept: nineteen years of one a week. */
const MAX_SWITCHES = 1000;

export function writeSwitch(db: Database, model: string, { how, reason, at }: Switching): void {
  db.prepare("INSERT INTO switches (at, model, how, reason) VALUES (?, ?, ?, ?)").run(
    ...[Math.round(at), model, how, reason],
  );
  db.prepare("DELETE FROM switches WHERE seq <= (SELECT max(seq) FROM switches) - ?").run(MAX_SWITCHES);
}

export const readSwitches = (db: Database): Switch[] =>
  db.prepare("SELECT at, model, how, reason FROM switches ORDER BY seq").all() as Switch[];

/**
 * The champion before this one. Models lie on a pile: one that comes into use is put on top, a rollback takes from it, so that a second
 * rollback goes back further. kept: models that are still there.
 */
export function formerOf(
  switches: readonly Switch[],
  kept: ReadonlySet<string>,
  champion: string | undefined,
): string | undefined {
  const pile: string[] = [];
  for (const { model, how } of switches) {
    if (how === "rollback") while (pile.length > 0 && pile.at(-1) !== model) pile.pop();
    if (pile.at(-1) !== model) pile.push(model);
  }
  return pile.findLast((model) => model !== champion && kept.has(model));
}
