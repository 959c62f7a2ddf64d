import { readFileSync } from "node:fs";
import type { Outbox } from "../store/outbox.ts";

/** Name of the mark that says which process sends. */
const MARK = "deliverer";

/**
 * Whether this process may send from the outbox: one at a time does, or a notification would go out twice. The process that
 * was killed is known by its id and the time at which it started, so that its successor takes over at once. One machine
 * and one namespace of processes use a state folder.
 */
export function holdsLock(outbox: Outbox, pid: number = process.pid): boolean {
  const mine = markOf(pid);
  if (mine === undefined) return true;
  return outbox.transaction(() => {
    const held = outbox.mark(MARK);
    if (held === mine) return true;
    const [other] = held?.split(" ") ?? [];
    if (held !== undefined && held !== "" && markOf(Number(other)) === held) return false;
    outbox.setMark(MARK, mine);
    return true;
  });
}

/** Lets another process send. */
export function releaseLock(outbox: Outbox, pid: number = process.pid): void {
  outbox.transaction(() => {
    if (outbox.mark(MARK) === markOf(pid)) outbox.setMark(MARK, "");
  });
}

/** A process by its id and start, of which one exists at most since the machine started; undefined where it can't be read. */
function markOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]; // field 22 of proc(5)
    return `${pid} ${start} ${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;
  } catch {
    return undefined;
  }
}
