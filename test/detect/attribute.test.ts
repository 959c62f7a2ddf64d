import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { kindOfLines } from "../../src/detect/attribute.ts";
import type { Cause } from "../../src/mail/event.ts";

const lines = (...causes: (Cause | undefined)[]): { cause: Cause | undefined }[] =>
  causes.map((cause) => ({ cause }));

suite("the kind that cited lines name", () => {
  test("is that of most lines that complain", () => {
    assert.equal(kindOfLines(lines("dns", "dns", "tls"))?.kind, "dns_failure");
    assert.equal(kindOfLines(lines("quota", undefined, undefined))?.kind, "quota");
  });
  test("is none where few complain, where they disagree, or where all show symptoms", () => {
    assert.equal(kindOfLines(lines("quota", undefined, undefined, undefined)), undefined);
    assert.equal(kindOfLines(lines("dns", "tls", "quota")), undefined);
    assert.equal(kindOfLines(lines("crash", "connect", "other")), undefined);
    assert.equal(kindOfLines([]), undefined);
  });
  test("is surer the more lines say so", () => {
    const [one, all] = [lines("dns", "dns", "tls", "tls"), lines("dns", "dns", "dns")].map(kindOfLines);
    assert.ok(all!.confidence > one!.confidence);
  });
});
