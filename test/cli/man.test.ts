import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";

suite("the man page", () => {
  test("is what the verbs' help says today", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/man.mjs", "--check"], {
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });
  test("tells every verb and its inner ones, and holds no line that roff takes for a request of its own", () => {
    const page = readFileSync("man/logvane.8", "utf8");
    for (const verb of ["watch", "export \\[file\\]", "model export \\[file\\]", "schedule install"])
      assert.match(page, new RegExp(`^\\.SS "logvane ${verb}"$`, "m"));
    for (const line of page.split("\n"))
      assert.match(line, /^(?:\.(?:\\"|TH|SH|SS|TP|B|I|RI) ?.*|[^.'].*|)$/);
  });
});
