// Runs the compiled tests with node --test. Arguments are filters: `npm test -- vae` runs files whose name holds "vae".
// Files run two at a time, and beside them, one at a time, those in which a real server and a watch race against the clock: they mostly
// wait, and come before the others when they don't.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { dirname, join, sep } from "node:path";
import { text } from "node:stream/consumers";
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

/** The exit status of `node --test` over some files, `concurrency` at a time. stdout: what spawn takes. */
async function run(some, concurrency, niceness, stdout) {
  if (some.length === 0) return { status: 0, output: "" };
  const paths = some.map((file) => join("dist/test", file));
  const reporter = process.stdout.isTTY ? "spec" : "tap";
  const flags = ["--test", `--test-concurrency=${concurrency}`, `--test-reporter=${reporter}`];
  const child = spawn(process.execPath, ["--enable-source-maps", ...flags, ...paths], {
    cwd: ROOT,
    stdio: ["inherit", stdout, "inherit"],
  });
  setPriority(child.pid, niceness); // what it starts inherits it
  const [output, [status]] = await Promise.all([
    child.stdout ? text(child.stdout) : "",
    once(child, "close"),
  ]);
  return { status: status ?? 1, output };
}

const isLive = (file) => file.startsWith(LIVE);
const [racing, others] = [files.filter(isLive), files.filter((file) => !isLive(file))];
const results = await Promise.all([
  run(others, 2, constants.priority.PRIORITY_LOW, "inherit"),
  run(racing, 1, 0, others.length > 0 ? "pipe" : "inherit"), // or both would be printed into one another
]);
process.stdout.write(results[1].output);
process.exit(results.find(({ status }) => status !== 0)?.status ?? 0);
