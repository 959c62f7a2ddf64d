#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// Collect garbage rather than grow: we run beside the mail. Set before anything is loaded.
setFlagsFromString("--max-old-space-size=384");
const { run } = await import("../dist/src/cli/main.js");
process.exitCode = await run(process.argv.slice(2));
