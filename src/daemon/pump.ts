import type { Deliverer } from "../deliver/deliverer.ts";
import { Fault } from "../fault.ts";
import { pausedFault } from "./paused.ts";

/** Between two looks at the outbox at most: other commands put things there, too. */
const LOOK_MS = 30_000;

/** Delivers what waits in the outbox, beside the reading of lines: at once when woken, else when something is due. */
export class Pump {
  readonly #deliverer: Deliverer;
  readonly #fault: (fault: Fault) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** fault: told of trouble with the state. */
  constructor(deliverer: Deliverer, fault: (fault: Fault) => void) {
    this.#deliverer = deliverer;
    this.#fault = fault;
  }

  /** There may be something to deliver. */
  wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends after what is being sent (see the deliverer's signal). */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    try {
      await this.#deliverer.close();
    } catch (error) {
      if (!(error instanceof Fault)) throw error; // where nothing can be written, the next one sees that this process is gone
    }
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    let nextAt: number | undefined;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        ({ nextAt } = await this.#deliverer.drain());
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#fault(pausedFault(error, "sending pauses until this can be used; nothing is lost"));
      }
    }
    if (this.#stopped) return;
    const wait = nextAt === undefined ? LOOK_MS : Math.max(500, Math.min(LOOK_MS, nextAt - Date.now()));
    this.#timer = setTimeout(() => this.wake(), wait);
    this.#timer.unref();
  }
}
