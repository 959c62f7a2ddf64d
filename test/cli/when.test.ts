import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { instant } from "../../src/cli/when.ts";
import { Fault } from "../../src/fault.ts";

suite("a point in time on the command line", () => {
  for (const [text, utc] of [
    ["2026-09-21", "2026-09-21T00:00:00.000Z"],
    ["2026-09-21T00:00:00Z", "2026-09-21T00:00:00.000Z"],
    ["2026-09-21T23:05+02:00", "2026-09-21T21:05:00.000Z"],
    ["2026-09-21T23:05:09.25-0530", "2026-09-22T04:35:09.250Z"],
    ["2026-09-21 23:05", "2026-09-21T23:05:00.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ] as const)
    test(`${text} is ${utc}`, () => assert.equal(new Date(instant(text, "--since")).toISOString(), utc));
  test("without offset is UTC in every zone of the machine", () => {
    const before = process.env["TZ"];
    process.env["TZ"] = "America/New_York";
    try {
      assert.equal(new Date(2026, 8, 21).toISOString(), "2026-09-21T04:00:00.000Z"); // the zone is in force
      assert.equal(instant("2026-09-21T10:00", "--train-until"), Date.UTC(2026, 8, 21, 10));
    } finally {
      if (before === undefined) delete process.env["TZ"];
      else process.env["TZ"] = before;
    }
  });
  for (const text of ["2026-02-30", "2026-13-01", "2026-09-21garbage", "2026-09-21T25:00Z", "yesterday", ""])
    test(`"${text}" is a mistake`, () =>
      assert.throws(
        () => instant(text, "--train-until"),
        (e) => e instanceof Fault && e.exit === "usage" && e.where === "--train-until",
      ));
});
