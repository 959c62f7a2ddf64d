import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { suite, test } from "node:test";

/** Layers from left to right; each may import those before it. `fault` is for all from `pipeline` on. */
const ORDER = [
  "math",
  "log",
  "template",
  "mail",
  "feature",
  "model",
  "detect",
  "compose",
  "pipeline",
  "config",
  "store",
  "source",
  "engine",
  "report",
  "deliver",
  "daemon",
  "cli",
];
const PURE = new Set(ORDER.slice(0, ORDER.indexOf("store")));
const TOML_PARSER = "toml-eslint-parser";
const SRC = join(process.cwd(), "src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
  (f) => f.endsWith(".ts") && !f.includes("assembly"),
);

/** `import|export ... from "x"` at the head of a line, `import "x"` and `import("x")`; not the word in a string of a grammar. */
const IMPORTS = /^(?:import|export)\s[^"'`;()=]*\bfrom\s+"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/gm;

const layerOf = (file: string): string => file.split("/")[0]!.replace(/\.ts$/, "");

suite("layers", () => {
  for (const file of files) {
    const text = readFileSync(join(SRC, file), "utf8");
    const from = layerOf(file);
    test(`${file} imports only layers to its left`, () => {
      for (const [, named, bare] of text.matchAll(IMPORTS)) {
        const spec = named ?? bare;
        if (spec!.startsWith(".")) {
          const to = layerOf(relative(SRC, join(SRC, dirname(file), spec!)));
          if (to === "fault")
            assert.ok(from === "fault" || !PURE.has(from) || from === "pipeline", `${file} imports ${spec}`);
          else if (from !== "fault")
            assert.ok(
              ORDER.indexOf(to) >= 0 && ORDER.indexOf(to) <= ORDER.indexOf(from),
              `${file} imports ${spec}: layer "${from}" knows only what is left of it`,
            );
        } else if (spec === TOML_PARSER)
          assert.equal(file, "config/toml.ts", "only config/toml.ts knows the TOML parser, which is pure");
        else if (PURE.has(from)) assert.fail(`${file} imports ${spec}: layer "${from}" is pure`);
        if (spec === "better-sqlite3")
          assert.equal(file, "store/db.ts", "only store/db.ts knows the SQLite binding");
      }
    });
    if (PURE.has(from))
      test(`${file} reads no clock, no chance and no environment`, () => {
        assert.doesNotMatch(text, /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\./);
      });
  }
});

test("tests compose from the clone's own episodes, whatever lies beside it", () => {
  const folder = join(process.cwd(), "test");
  const importers = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) =>
      file.endsWith(".ts") &&
      /from "[^"]*\beval\/episodes\.ts"/.test(readFileSync(join(folder, file), "utf8")),
  );
  assert.deepEqual(importers, []);
});
