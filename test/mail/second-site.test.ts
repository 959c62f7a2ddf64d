import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { readEpisodes } from "../../src/compose/material.ts";
import { parseEnvelope } from "../../src/log/envelope.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { parseMail } from "../../src/mail/grammar.ts";

const clock = new LogClock(new Zone("UTC"), 2026);
const read = (tag: string, pid: number, text: string) =>
  parseMail(parseEnvelope(`Nov 24 12:00:00 mail ${tag}${pid > 0 ? `[${pid}]` : ""}: ${text}`, clock));

suite("what the daemons of the lab's second site wrote", () => {
  const episodes = [
    ...readEpisodes(gunzipSync(readFileSync("samples/episodes-second.jsonl.gz")).toString("utf8")),
  ];

  test("is known to the grammar, every line", () => {
    const unknown = new Set<string>();
    for (const { lines } of episodes)
      for (const [, tag, pid, text] of lines)
        if (read(tag, pid, text).event === "unknown") unknown.add(`${tag}: ${text}`);
    assert.deepEqual([...unknown], []);
  });

  // The sign of each fault, in the words that tell it: the cause that an operator would be told.
  const CAUSES: Record<string, string> = {
    disk_full: "disk",
    mail_loop: "loop",
    policy_down: "policy",
    milter_down: "milter",
    over_quota: "quota",
    index_corrupt: "mailbox",
    mailbox_permission: "permission",
    greylist_storm: "greylisted",
    connection_flood: "limit",
    postfix_config_broken: "config",
  };
  for (const [state, cause] of Object.entries(CAUSES))
    test(`has the cause ${cause} under ${state} more often than in normal lines`, () => {
      const share = (of: string): number => {
        const lines = episodes.filter((e) => e.state === of).flatMap((e) => e.lines);
        return lines.filter((l) => read(l[1], l[2], l[3]).cause === cause).length / lines.length;
      };
      const [under, normal] = [share(state), share("normal")];
      assert.ok(under > 2 * normal, `${under} under it, ${normal} in normal lines`);
    });
});
