/** What a daemon holds after garbage was collected, in bytes. */
export type Held = {
  /** In V8's heap: live data, and the code that it compiled with what belongs to that. */
  readonly data: number;
  readonly code: number;
  /** What data holds beside the heap: buffers, and WebAssembly's memory. */
  readonly external: number;
  /** Waits begun so far: what an idle daemon does, it does between two of them. */
  readonly waits: number;
};

/** How much faster than life clocks and timers run, once they are told to. */
export const FASTER = 100;
