import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Command } from "commander";
import {
  addCommonOptions,
  addInputOptions,
  firstYear,
  outputFormat,
  stateDir,
  timeZone,
} from "../../src/cli/options.ts";
import { Fault } from "../../src/fault.ts";

function parsed(...args: string[]): Record<string, unknown> {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  return addInputOptions(addCommonOptions(command)).parse(args, { from: "user" }).opts();
}

suite("common flags", () => {
  test("may be added to a verb that has its own of the name", () => {
    const command = new Command().option("--format <f>", "own", "ndjson");
    assert.equal(addCommonOptions(addCommonOptions(command)).opts()["format"], "ndjson");
  });
  test("name a zone and a year, or none", () => {
    assert.equal(timeZone(parsed("--timezone", "Asia/Tokyo")), "Asia/Tokyo");
    assert.equal(firstYear(parsed("--year", "2026")), 2026);
    assert.equal(firstYear(parsed()), undefined);
  });
  for (const args of [
    ["--timezone", "Mars/Base"],
    ["--year", "26"],
    ["--year", "20x6"],
    ["--year", "0000"],
  ])
    test(`refuse ${args.join(" ")}`, () => assert.throws(() => parsed(...args), /It is no/));
  test("choose the format, the verb's first by default", () => {
    assert.equal(outputFormat(parsed(), ["text", "json"]), "text");
    assert.equal(outputFormat(parsed("--json"), ["text", "json"]), "json");
    assert.throws(() => outputFormat(parsed("--format", "xml"), ["text"]), Fault);
  });
  test("name the state folder", () => assert.equal(stateDir({ state: "/x/../y" }), "/y"));
});
