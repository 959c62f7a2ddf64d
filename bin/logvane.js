#!/usr/bin/env node
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

// Collect garbage rather than grow: we run beside the mail. Set before anything is loaded.
setFlagsFromString("--max-old-space-size=384");

const verb = process.argv[2] ?? "";

// V8 lets its young generation grow to 48 MiB, a third of what we want to use in all. It can't be told less after the
// start, but it asks by how much to grow each time: so it may grow to this size and no further. What watches runs for long and
// holds little: 10,000 lines a second cost it the same processor time with less. What trains keeps much of what it makes, which is copied
// once for every collection: with 6 MiB a retraining took 6 CPU-seconds of 70 more. What detects reads fast and keeps a line for five minutes.
const YOUNG_MIB = { watch: 2, detect: 16, backtest: 16, train: 16, retrain: 16 };
const youngBytes = (YOUNG_MIB[verb] ?? 6) << 20;
const watch = setInterval(() => {
  const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  if (young === undefined || young.space_size >= youngBytes) {
    setFlagsFromString("--semi-space-growth-factor=1");
    clearInterval(watch);
  }
}, 10);
watch.unref();

// V8 lets the heap grow fourfold between two collections. Verbs that only read hold little: theirs grows by a quarter. The others get
// somewhat more, so that they don't pay for collections of what training has gathered.
const reads = ["parse", "summary", "templates", "trace"].includes(verb);
setFlagsFromString(`--heap-growing-percent=${reads ? 25 : 40}`);

const { run } = await import("../dist/src/cli/main.js");
process.exitCode = await run(process.argv.slice(2));
