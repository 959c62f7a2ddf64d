import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Command } from "commander";
import { templatesCommand } from "../../src/cli/templates.ts";

const ROOT = mkdtempSync(join(tmpdir(), "logvane-templates-"));
after(() => rmSync(ROOT, { recursive: true }));

/** Standard output of `logvane templates` on a file with this text. */
async function run(text: string, ...flags: string[]): Promise<string> {
  const file = join(ROOT, "log");
  writeFileSync(file, text);
  let out = "";
  const program = new Command();
  templatesCommand(program, {
    out: async (part) => {
      out += part;
    },
  });
  await program.parseAsync(["templates", file, ...flags], { from: "user" });
  return out;
}
type Row = { line: number; template_id: string; template: string };
const rows = (out: string): Row[] =>
  out
    .trimEnd()
    .split("\n")
    .map((row) => JSON.parse(row) as Row);

suite("logvane templates", () => {
  test("gives one record for every line, blank ones included, in order", async () => {
    const out = rows(await run("job 1 done\n\njob 2 done\r\nelse", "--raw", "--format", "ndjson"));
    assert.deepEqual(
      out.map((r) => [r.line, r.template]),
      [
        [1, "job <*> done"],
        [2, ""],
        [3, "job <*> done"],
        [4, "else"],
      ],
    );
    assert.equal(out[0]!.template_id, out[2]!.template_id);
    assert.equal(new Set(out.map((r) => r.template_id)).size, 3);
    assert.deepEqual(Object.keys(out[0]!), ["line", "template_id", "template"]);
  });
  test("ids are those after the whole file: the first line has the group that the last ones formed", async () => {
    const words = ["red", "green", "blue", "black", "white"];
    const text = words.map((word) => `the ${word} car stopped\n`).join("");
    assert.equal(
      new Set(rows(await run(text, "--raw", "--format", "ndjson")).map((r) => r.template)).size,
      1,
    );
  });
  test("leaves the envelope out without --raw", async () => {
    const text = "Jan 27 06:36:56 mail a[1]: job 1 done\n2026-01-27T06:36:56Z mail b: job 2 done\n";
    assert.deepEqual(
      rows(await run(text, "--format", "ndjson")).map((r) => r.template),
      ["job <*> done", "job <*> done"],
    );
  });
  test("prints a table that can't steer a terminal", async () => {
    const out = await run("evil \x1b[31m\u009b2J \u202e text\n".repeat(2), "--raw");
    assert.match(out, /^ {9}2 {2}[0-9a-f]{16} {2}"evil /);
    assert.doesNotMatch(out, /[^\x20-\x7e\n]/);
  });
  test("counts groups as JSON", async () =>
    assert.deepEqual(
      JSON.parse(await run("a b\na b\nc d\n", "--raw", "--json")).templates.map(
        (t: { template: string; count: number }) => [t.template, t.count],
      ),
      [
        ["a b", 2],
        ["c d", 1],
      ],
    ));
});
