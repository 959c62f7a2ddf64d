// Builds dist/: TypeScript by tsc, kernels by the AssemblyScript compiler. Does nothing when the sources match
// the stamp of the last build. dist/ is replaced by rename, so that a running command never sees half a build.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCES = [
  "src",
  "test",
  "bench",
  "eval",
  "scripts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.base.json",
];
const KERNELS = "src/math/assembly/index.ts";

/** Every file that a build depends on, in a fixed order. */
function sourceFiles() {
  const files = [];
  for (const name of SOURCES) {
    const path = join(ROOT, name);
    if (!existsSync(path)) continue;
    if (name.includes(".")) files.push(name);
    else
      for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name).slice(ROOT.length + 1);
        if (entry.isFile() && /\.(ts|mjs|json)$/.test(file) && !file.includes("node_modules"))
          files.push(file);
      }
  }
  return files.sort();
}

/** Digest of all sources and of the Node major version that compiles them. */
function stamp() {
  const hash = createHash("sha256").update(process.version.split(".")[0]);
  for (const file of sourceFiles()) hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

const run = (script, args) =>
  execFileSync(process.execPath, [join(ROOT, "node_modules", script), ...args], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });

/** What was compiled of files that are no more: tests among it would still run. */
function prune() {
  for (const entry of readdirSync(join(ROOT, "build"), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const source = join(ROOT, file.slice(join(ROOT, "build").length)).replace(/\.(js|d\.ts)(\.map)?$/, ".ts");
    if (entry.isFile() && source.endsWith(".ts") && !existsSync(source)) rmSync(file);
  }
}

const want = stamp();
const stampFile = join(ROOT, "dist", ".stamp");
const fresh = existsSync(stampFile) && readFileSync(stampFile, "utf8") === want;
if (!fresh || process.argv.includes("--force")) {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  run("typescript/bin/tsc", ["-b"]);
  prune();
  if (existsSync(join(ROOT, KERNELS))) {
    run("assemblyscript/bin/asc.js", [
      KERNELS,
      "--config",
      "src/math/assembly/asconfig.json",
      "--outFile",
      "build/src/math/kernels.wasm",
    ]);
  }
  const next = join(ROOT, `dist.new.${process.pid}`);
  const old = join(ROOT, `dist.old.${process.pid}`);
  cpSync(join(ROOT, "build"), next, { recursive: true });
  writeFileSync(join(next, ".stamp"), want);
  if (existsSync(join(ROOT, "dist"))) renameSync(join(ROOT, "dist"), old);
  renameSync(next, join(ROOT, "dist"));
  rmSync(old, { recursive: true, force: true });
}
