// Runs the compiled tests with node --test. Arguments are filters: `npm test -- vae` runs files whose name holds "vae".
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const filters = process.argv.slice(2);
const files = readdirSync(join(ROOT, "dist/test"), { recursive: true, encoding: "utf8" })
  .filter(
    (file) => file.endsWith(".test.js") && (filters.length === 0 || filters.some((f) => file.includes(f))),
  )
  .sort()
  .map((file) => join("dist/test", file));
// Without files, node --test would look for some by itself and run them all.
if (files.length === 0) {
  console.error(`no compiled test file has "${filters.join('" or "')}" in its name`);
  process.exit(1);
}
const result = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], {
  cwd: ROOT,
  stdio: "inherit",
});
process.exit(result.status ?? 1);
