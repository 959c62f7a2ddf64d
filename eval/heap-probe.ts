// Loaded into a daemon by eval/idle.ts: on SIGUSR2 it writes what its heap holds to the file named in LOGVANE_HEAP, as JSON.
import { renameSync, writeFileSync } from "node:fs";

const path = process.env["LOGVANE_HEAP"];
if (path !== undefined)
  process.on("SIGUSR2", () => {
    writeFileSync(`${path}.new`, JSON.stringify(process.memoryUsage()));
    renameSync(`${path}.new`, path);
  });
