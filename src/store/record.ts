import { Fault } from "../fault.ts";

/** What alerts and models have in common: records of JSON, and ids of which the beginning may be typed. */

/** JSON that this program saved. Throws Fault badData for anything but an object. */
export function parsed(json: string, path: string, what: string): object {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // told below
  }
  throw new Fault(
    "badData",
    "the state database is damaged: a record in it is no JSON",
    `${path}, ${what}`,
    "it can't be read; nothing was changed",
    "move the file away and train again (logvane train FILE...), or put back a copy from a backup",
  );
}

/** The id that was typed, whole or its beginning. rows: in order, more than one when several fit. */
export function onlyId(
  rows: readonly { readonly id: string }[],
  typed: string,
  what: string,
  lister: string,
): string | undefined {
  const id = (rows.find((r) => r.id === typed) ?? rows[0])?.id;
  if (rows.length > 1 && id !== typed)
    throw new Fault(
      "usage",
      `several ${what} begin with "${typed}"`,
      rows.map((r) => r.id).join(", "),
      "nothing was shown",
      `type more of the id (${lister} lists them)`,
    );
  return id;
}
