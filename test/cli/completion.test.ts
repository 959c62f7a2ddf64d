import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { logvane } from "../faults/support.ts";
import { needs } from "../support/need.ts";

const script = logvane(["completion", "bash"]).stdout;

/** What bash offers for the words typed so far; the last one is being typed. */
function offered(...words: readonly string[]): string[] {
  const typed = ["logvane", ...words].map((word) => `'${word}'`).join(" ");
  const { stdout, stderr } = spawnSync(
    "bash",
    [
      "-c",
      `${script}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _logvane; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: "utf8" },
  );
  assert.equal(stderr, "");
  return stdout.split("\n").filter((word) => word !== "");
}

suite("completion in bash", needs("bash"), () => {
  test("offers verbs, inner verbs, and the flags of either", () => {
    assert.deepEqual(offered("sch"), ["schedule"]);
    assert.deepEqual(offered("schedule", ""), ["install", "show", "remove"]);
    assert.deepEqual(offered("schedule", "install", "--dr"), ["--dry-run"]);
    assert.deepEqual(offered("schedule", "show", "--dr"), []);
    assert.deepEqual(offered("backtest", "--al"), ["--alert-budget"]);
    assert.deepEqual(offered("backtest", "mail.log", "--al"), ["--alert-budget"]);
  });
  test("leaves files to the shell, and keeps hidden flags to itself", () => {
    assert.deepEqual(offered("backtest", "mail"), []);
    assert.deepEqual(offered("schedule", "install", "--ro"), []);
  });
  test("of another shell ends with 64", () => {
    const { status, stderr } = logvane(["completion", "tcsh"]);
    assert.equal(status, 64);
    assert.match(stderr, /Allowed choices are bash, fish/);
  });
});

suite("completion in fish", () => {
  const { stdout } = logvane(["completion", "fish"]);
  const has = (line: RegExp): void => assert.match(stdout, line);
  test("offers verbs, inner verbs, and the flags of either", () => {
    has(/^complete -c logvane -n '__fish_use_subcommand' -f -a backtest -d 'learn from /m);
    has(
      /^complete -c logvane -n '__fish_seen_subcommand_from model; and not __fish_seen_subcommand_from list show export diff promote rollback prune' -f -a show -d /m,
    );
    has(/from schedule; and __fish_seen_subcommand_from install' -l dry-run -d /);
    assert.doesNotMatch(stdout, /from install' -l root/);
  });
  test("is one command a line, with quotes that close", () => {
    for (const line of stdout.trimEnd().split("\n").slice(1))
      assert.match(line, /^complete -c logvane -n '[^']*' (-f -a|-l) [a-z-]+ -d '(?:[^'\\]|\\['\\])*'$/);
  });
});
