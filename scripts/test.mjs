// Runs the compiled tests with node --test. Arguments are filters: `npm test -- vae` runs files whose name holds "vae".
// Files run two at a time; those in which a real server and a watch race against the clock, one at a time after the others.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const LIVE = `live${sep}`;
const filters = process.argv.slice(2);
const files = readdirSync(join(ROOT, "dist/test"), { recursive: true, encoding: "utf8" })
  .filter(
    (file) => file.endsWith(".test.js") && (filters.length === 0 || filters.some((f) => file.includes(f))),
  )
  .sort();
// Without files, node --test would look for some by itself and run them all.
if (files.length === 0) {
  console.error(`no compiled test file has "${filters.join('" or "')}" in its name`);
  process.exit(1);
}

/** The exit status of `node --test` over some files. */
function run(some, concurrency) {
  if (some.length === 0) return 0;
  const paths = some.map((file) => join("dist/test", file));
  const flags = ["--enable-source-maps", "--test", `--test-concurrency=${concurrency}`];
  return spawnSync(process.execPath, [...flags, ...paths], { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

const isLive = (file) => file.startsWith(LIVE);
const together = run(
  files.filter((file) => !isLive(file)),
  2,
);
const alone = run(files.filter(isLive), 1);
process.exit(together || alone);
