import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readLineStamp } from "../../src/log/envelope.ts";
import { yearFromNames, yearOfName } from "../../src/log/rotation.ts";
import { newStamp, type Stamp } from "../../src/log/stamp.ts";
import { YearCounter } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";

function stamp(text: string): Stamp {
  const out = newStamp();
  assert.ok(readLineStamp(`${text} mail a: b`, out));
  return out;
}
const year = (file: string, first: string): number | undefined => yearOfName(file, stamp(first));

suite("the year by a rotated file's name", () => {
  test("is that of the name for lines before it", () => {
    assert.equal(year("/var/log/mail.log-20260105.gz", "Jan  3 00:00:00"), 2026);
    assert.equal(year("mail.log.2026-11-24", "Nov 23 00:00:00"), 2026);
    assert.equal(year("2026/mail-2025-12-31.log", "Dec 31 00:00:01"), 2025);
  });
  test("is the one before for lines that would come after it", () => {
    assert.equal(year("mail.log-20260105.gz", "Dec 29 00:00:00"), 2025);
    assert.equal(year("mail.log-20260105", "Jan  7 00:00:00"), 2025);
  });
  test("has a day of grace, over the turn of the year too", () => {
    assert.equal(year("mail.log-20260105", "Jan  6 00:00:00"), 2026);
    assert.equal(year("mail.log-20251231", "Jan  1 00:00:01"), 2026);
    assert.equal(year("mail.log-20260228", "Mar  1 00:00:01"), 2026);
  });
  test("may be told by hours, a month or seconds", () => {
    assert.equal(year("mail.log-2026010513.gz", "Dec 29 00:00:00"), 2025);
    assert.equal(year("maillog-202601", "Jan 31 00:00:00"), 2026);
    assert.equal(year("maillog-202601", "Dec 31 00:00:00"), 2025);
    assert.equal(year("mail.log-1767571200", "Dec 31 00:00:00"), 2025);
  });
  test("is not told by other numbers, nor by a day that the year lacks", () => {
    for (const name of [
      "mail.log",
      "mail.log.1",
      "mail.log.12.gz",
      "mail-20261345",
      "mail-2026",
      "mail-123456789012345",
    ])
      assert.equal(year(name, "Jan  3 00:00:00"), undefined, name);
    assert.equal(year("mail.log-20260305", "Feb 29 00:00:00"), undefined);
  });
});

suite("the first year by the names of a set", () => {
  const files = (...pairs: [string, string][]): { file: string; first: Stamp }[] =>
    pairs.map(([file, first]) => ({ file, first: stamp(first) }));
  test("is that of the first file with a date, counted back over New Year", () => {
    const set = files(
      ["mail.log.2", "Dec  1 00:00:00"],
      ["mail.log-20260112", "Jan  5 00:00:00"],
      ["mail.log", "Jan 12 00:00:00"],
    );
    assert.equal(yearFromNames(set), 2025);
  });
  test("is unknown when no name has one", () =>
    assert.equal(
      yearFromNames(files(["mail.log.1", "Dec  1 00:00:00"], ["mail.log", "Jan  1 00:00:00"])),
      undefined,
    ));
  test("is not asked of lines that name theirs", () =>
    assert.equal(yearFromNames(files(["mail.log-20260112", "2020-01-01T00:00:00Z"])), undefined));
  test("holds against the clock, but not against a leap day", () => {
    const counter = new YearCounter();
    counter.add(stamp("Feb 28 00:00:00"));
    const utc = new Zone("UTC");
    assert.equal(counter.infer(Date.parse("2026-11-24T00:00:00Z"), utc, 2022), 2022);
    counter.add(stamp("Feb 29 00:00:00"));
    assert.equal(counter.infer(Date.parse("2026-11-24T00:00:00Z"), utc, 2022), 2024);
  });
});
