import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { priorOf, priorText, SOURCES } from "../../eval/prior/shapes.ts";

suite("what a new server may begin with", () => {
  const shipped = readFileSync("samples/prior.json", "utf8");

  test("is what npm run prior makes of the lab's logs in samples, and small", () => {
    assert.equal(shipped, priorText(priorOf(SOURCES)));
    assert.ok(shipped.length < 300_000, `${shipped.length} bytes`);
  });

  test("holds ordinary messages, and none of an error or a fault", () => {
    const { shapes } = JSON.parse(shipped) as { shapes: Record<string, string[]> };
    assert.ok(shapes["postfix/smtpd"]!.includes("connect from <*>"));
    assert.ok(shapes["dovecot/auth"]!.includes("passwd-file(<*>): Password mismatch"));
    const all = Object.values(shapes).flat().join("\n");
    assert.doesNotMatch(all, /No space left|fatal: |panic: |Error: |certificate has expired/);
  });
});
