import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type HeadFinding, HeadWatch } from "../../src/detect/head-watch.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";
import { type HeadForm, headForm } from "../../src/log/head-form.ts";

const line = (n: number): SeenLine => ({
  ...{ file: "mail.log", line: n, text: `line ${n}`, time: n },
  ...{ templateId: "t", template: "postfix/smtpd: connect", family: "inbound", cause: undefined },
});

/** Shows lines of these forms one after the other; returns what was found, with the number of the line. */
function shown(forms: readonly HeadForm[]): (HeadFinding & { readonly at: number })[] {
  const watch = new HeadWatch();
  return forms.flatMap((form, i) => {
    const found = watch.see(form, line(i + 1));
    return found ? [{ ...found, at: i + 1 }] : [];
  });
}
const times = (n: number, ...forms: readonly HeadForm[]): HeadForm[] =>
  Array.from({ length: n }, () => forms).flat();

suite("the form of heads", () => {
  test("is told by the first characters", () => {
    assert.equal(headForm("Mar 16 09:30:00 mx1 postfix/smtpd[1]: x"), "RFC 3164");
    assert.equal(headForm("<22>Mar 16 09:30:00 mx1 postfix/smtpd[1]: x"), "RFC 3164");
    assert.equal(headForm("2026-03-16T09:30:00.1+01:00 mx1 postfix/smtpd[1]: x"), "RFC 3339");
    assert.equal(headForm("<22>1 2026-03-16T09:30:00Z mx1 postfix/smtpd 1 - - x"), "RFC 5424");
    assert.equal(headForm('{"MESSAGE":"x"}'), "JSON");
    assert.equal(headForm("@4000000065f5 x"), "another form");
    assert.equal(headForm(""), "another form");
  });

  test("that becomes another is told at the twentieth line, with the last line before, once", () => {
    const found = shown([...times(600, "RFC 3164"), ...times(1000, "RFC 3339")]);
    assert.equal(found.length, 1);
    const [{ at, form, known, before, after }] = found as [(typeof found)[0]];
    assert.deepEqual([at, form, known], [620, "RFC 3339", ["RFC 3164"]]);
    assert.equal(before?.line, 600);
    assert.deepEqual(
      after.map((l) => l.line),
      [601, 602, 603],
    );
  });

  test("is none of its own where it was there from the beginning, or comes in single lines", () => {
    assert.deepEqual(shown(times(900, "RFC 3164", "JSON")), []);
    const rare = [...times(600, "RFC 3164"), ...times(30, ...times(99, "RFC 3164"), "no readable time")];
    assert.deepEqual(shown(rare as HeadForm[]), []);
  });

  test("is told of a part of the lines after five hundred", () => {
    const found = shown([
      ...times(600, "RFC 3164"),
      ...times(400, "RFC 3164", "RFC 3164", "no readable time"),
    ]);
    assert.deepEqual(
      found.map(({ at, count, total }) => [at, count, total]),
      [[1102, 167, 500]],
    );
  });

  test("can be read no more while the new one has no time", () => {
    const watch = new HeadWatch();
    for (let n = 0; n < 600; n++) watch.see("RFC 3164", line(n));
    for (let n = 0; n < 21; n++) watch.see("no readable time", line(600 + n));
    assert.equal(watch.isBlind, true);
    watch.see("RFC 3164", line(700));
    assert.equal(watch.isBlind, false);
  });
});
