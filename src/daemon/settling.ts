import { setFlagsFromString } from "node:v8";
import { DAY_MS } from "../feature/clock.ts";

/** Log time in which a watch has met nearly all that it will do often. */
const FIRST_MS = DAY_MS;
/** Bytes of bytecode that a function runs between two looks at whether it is worth compiling: 256 times V8's own. */
const SETTLED_BUDGET = 256 * 66 * 1024;

/**
 * Keeps compiled code from growing for months. V8 counts what a function has run since the start and forgets nothing, so week by week ever
 * rarer ones become worth compiling, and what is compiled is kept for good. After the first day only those do that run much at a time,
 * as under a load that was not met before: there the higher budget is soon spent.
 */
export class Settling {
  #from = Number.NaN;
  #settled = false;

  /** time: of the last line, in ms; not finite before the first. */
  at(time: number): void {
    if (this.#settled || !Number.isFinite(time)) return;
    if (Number.isNaN(this.#from)) this.#from = time;
    if (time - this.#from < FIRST_MS) return;
    this.#settled = true;
    setFlagsFromString(`--interrupt-budget=${SETTLED_BUDGET}`);
  }
}
