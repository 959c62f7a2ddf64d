import { Fault } from "../fault.ts";
import { databasePath } from "../store/db.ts";

/** A stored model's place, for messages. dir: the state folder. */
export const placeOfModel = (dir: string, id: string): string => `${databasePath(dir)}, model ${id}`;

/** No training has left a model in the state folder `dir`. effect: what does not work for want of it. */
export function noModel(dir: string, effect: string): Fault {
  return new Fault(
    "configuration",
    "there is no model yet",
    `state folder ${dir}`,
    effect,
    "learn one first: logvane train FILE... (two weeks of log or more)",
  );
}
