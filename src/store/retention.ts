import { closeSync, fdatasyncSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Database, guarded } from "./db.ts";

const DAY_MS = 86_400_000;

/** How long things are kept, in days. */
export type Retention = { readonly alertsDays: number; readonly linesDays: number };

/** What a pruning took away. */
export type Pruned = { readonly alerts: number; readonly lines: number };

/**
 * Takes away what is older than it may be: alerts, and before them the raw lines that they cite, which name people.
 * now: the system's time in ms.
 */
export function prune(db: Database, path: string, { alertsDays, linesDays }: Retention, now: number): Pruned {
  return guarded(path, () =>
    db
      .transaction(() => {
        const before = (days: number): number => now - days * DAY_MS;
        const alerts = db.prepare("DELETE FROM alerts WHERE opened_at < ?").run(before(alertsDays)).changes;
        const lines = db
          .prepare(
            `UPDATE alerts SET record = json_set(record, '$.lines', json('[]'))
             WHERE opened_at < ? AND json_array_length(record, '$.lines') > 0`,
          )
          .run(before(linesDays)).changes;
        db.prepare("DELETE FROM new_templates WHERE first_at < ?").run(before(alertsDays));
        return { alerts, lines };
      })
      .immediate(),
  );
}

const RESERVE = "reserve";
/** Room for some thousand commits. */
const RESERVE_BYTES = 8 << 20;

/**
 * A file whose only use is to be removed when the disk is full: what it gives back lets the alert about that be written.
 * Does nothing where the disk has no room for it, or the file is there.
 */
export function makeReserve(dir: string): void {
  const path = join(dir, RESERVE);
  if (statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES) return;
  let fd: number | undefined;
  try {
    fd = openSync(path, "w", 0o600);
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 0; at < RESERVE_BYTES; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
    fdatasyncSync(fd);
  } catch {
    if (fd !== undefined) unlinkSync(path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The size of the reserve, in bytes; none where it was spent. */
export const reserveBytes = (dir: string): number =>
  statSync(join(dir, RESERVE), { throwIfNoEntry: false })?.size ?? 0;

/** Gives the reserve back to the disk. Returns whether there was one. */
export function spendReserve(dir: string): boolean {
  try {
    unlinkSync(join(dir, RESERVE));
    return true;
  } catch {
    return false;
  }
}
