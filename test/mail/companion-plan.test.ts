import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseMail } from "../../src/mail/grammar.ts";
import { maskText } from "../../src/template/mask.ts";
import { companionSamples } from "./companion-samples.ts";

// A plan is kept by the masked text of a message, so what a line becomes may not hang on what the mask hides.

const read = (program: string, message: string) =>
  parseMail({ time: 0, host: "mx", program, pid: 7, message });

/** Another value of the same kind for each word that the mask hides; reply codes and enhanced codes stay. */
const CHANGES: readonly (readonly [string, (line: string) => string])[] = [
  ["digits", (line) => changed(line, (w) => w.replace(/\d/g, (d) => String((Number(d) * 7 + 3) % 10)))],
  ["hosts", (line) => line.replaceAll(".example", ".exam-ple.test").replaceAll("far.", "n0ar.")],
  ["users", (line) => line.replace(/\b(ann|a|x|y)@/g, "quota.spam7@")],
  [
    "addresses",
    (line) => line.replaceAll("192.0.2.9", "2001:db8:77::9").replaceAll("192.0.2.7", "198.51.100.77"),
  ],
  ["blocklists", (line) => line.replaceAll("our.example", "spamhaus.greylist.denied.example")],
];

function changed(line: string, change: (word: string) => string): string {
  return line.replace(/[^\s<>()[\]"'=,;]+/g, (w) =>
    /^[245]\d\d$|^[245]\.\d{1,3}\.\d{1,3}$/.test(w) ? w : change(w),
  );
}

suite("what a line becomes doesn't hang on what the mask hides", () => {
  for (const sample of companionSamples)
    for (const [name, change] of CHANGES) {
      const line = change(sample.line);
      if (line === sample.line || maskText(line) !== maskText(sample.line)) continue;
      if (read(sample.daemon, sample.line).uncached && read(sample.daemon, line).uncached) continue;
      test(`${name}: ${sample.daemon}: ${line.slice(0, 80)}`, () => {
        const [one, other] = [read(sample.daemon, sample.line), read(sample.daemon, line)];
        assert.equal(other.event, one.event);
        assert.equal(other.cause, one.cause);
        assert.equal(other.severity, one.severity);
        assert.equal(other.daemon, one.daemon);
        assert.equal(maskText(other.shape), maskText(one.shape));
      });
    }
});
