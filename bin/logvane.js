#!/usr/bin/env node
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

// Collect garbage rather than grow: we run beside the mail. Set before anything is loaded.
setFlagsFromString("--max-old-space-size=384");

// V8 lets its young generation grow to 48 MiB, a third of what we want to use in all. It can't be told less after the
// start, but it asks by how much to grow each time: so it may grow to this size and no further.
const YOUNG_BYTES = 6 << 20;
const watch = setInterval(() => {
  const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  if (young === undefined || young.space_size >= YOUNG_BYTES) {
    setFlagsFromString("--semi-space-growth-factor=1");
    clearInterval(watch);
  }
}, 10);
watch.unref();

// Verbs that only read hold little: their heap grows by a quarter at a time. Training, which fills and drops large tables, would pay
// a tenth of its CPU time for that.
if (["parse", "summary", "templates", "trace"].includes(process.argv[2] ?? ""))
  setFlagsFromString("--heap-growing-percent=25");

const { run } = await import("../dist/src/cli/main.js");
process.exitCode = await run(process.argv.slice(2));
