import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { FAULTS } from "../../src/compose/kinds.ts";
import { Material } from "../../src/compose/material.ts";
import { checkPlan, contamination, type Fault, type Plan } from "../../src/compose/plan.ts";
import { at, labelsOf, linesOf, MATERIAL, MONDAY, planOf, SECOND } from "./support.ts";

const PARTNER = { partner: { hour: 2, mails: 30 } };
/** Kinds that leave nothing: what is missing is the sign. */
const SILENT = new Set(["silence", "clock", "daemon", "partner"]);

/** The site where a kind was recorded. */
const siteOf = (kind: string): Material =>
  FAULTS[kind]!.states.every((state) => MATERIAL.has(state)) ? MATERIAL : SECOND;

/** A day's log with one fault, its label, and the lines that are its trace. */
function oneFault(fault: Fault, more: Partial<Plan> = {}) {
  const plan = planOf({ faults: [fault], ...more }, PARTNER);
  const lines = linesOf(plan, siteOf(fault.kind));
  const label = labelsOf(plan, lines)[0]!;
  const affected = label.affected.flatMap(([first, last]) => lines.slice(first - 1, last));
  return { plan, lines, label, affected };
}

suite("every kind of fault", () => {
  for (const [kind, { way }] of Object.entries(FAULTS))
    test(`${kind} is composed, and its label tells where`, () => {
      const fault = { kind, start: at(0, kind === "partner_mail_missing" ? 1.5 : 9), minutes: 150 };
      const { lines, label, affected } = oneFault(fault);
      assert.equal(label.kind, kind);
      assert.equal(label.affected_count, affected.length);
      assert.equal(affected.length === 0, SILENT.has(way));
      assert.equal(label.last_affected === null, SILENT.has(way));
      const marked = lines.flatMap((line, i) => (line.fault === 0 ? [i + 1] : []));
      assert.deepEqual(
        marked,
        label.affected.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i)),
      );
      for (const [i, [first, last]] of label.affected.entries()) {
        assert.ok(first >= label.lines[0] && last >= first && last <= lines.length);
        if (i > 0) assert.ok(first > label.affected[i - 1]![1] + 1);
      }
      const [start, end] = [Date.parse(label.start), Date.parse(label.end)];
      const within = lines.flatMap(({ time }, i) => (time >= start && time < end ? [i + 1] : []));
      assert.deepEqual(
        label.lines,
        within.length > 0 ? [within[0], within.at(-1)] : [label.lines[0], label.lines[0] - 1],
      );
    });
});

suite("a fault", () => {
  test("of silence leaves no line, and lines before and after", () => {
    const { lines, label } = oneFault({ kind: "log_silence", start: at(0, 10), minutes: 45 });
    const inside = lines.filter(
      ({ time }) => time >= Date.parse(label.start) && time < Date.parse(label.end),
    );
    assert.equal(inside.length, 0);
    assert.equal(label.lines[1], label.lines[0] - 1);
    assert.ok(label.lines[0] > 1000 && label.lines[0] < lines.length - 1000);
  });

  test("that stops Postfix lets it write no more than its farewell, while Dovecot goes on", () => {
    const { lines, label } = oneFault({ kind: "postfix_stopped", start: at(0, 9), minutes: 60 });
    const inside = lines.slice(label.lines[0] - 1, label.lines[1]);
    const postfix = inside.filter(({ text }) => text.includes(" postfix/"));
    assert.ok(postfix.length > 0 && postfix.every(({ fault }) => fault === 0));
    assert.ok(inside.filter(({ text }) => text.includes(" dovecot")).length > 10);
  });

  test("of the clock moves the heads of its lines, and no others", () => {
    const { lines } = oneFault({ kind: "clock_jump", start: at(0, 9), minutes: 60 });
    for (const { time, text } of lines) {
      const off = time >= Date.parse(at(0, 9)) && time < Date.parse(at(0, 10)) ? 65 * 60_000 : 0;
      assert.ok(Math.abs(Date.parse(text.split(" ")[0]!) + off - time) < 2);
    }
  });

  test("of one silent daemon leaves the others' lines", () => {
    const { lines, label } = oneFault({
      kind: "daemon_silent",
      daemon: "opendkim",
      start: at(0, 9),
      minutes: 120,
    });
    const inside = lines.slice(label.lines[0] - 1, label.lines[1]);
    assert.ok(inside.length > 300);
    assert.ok(inside.every(({ text }) => !text.includes(" opendkim[")));
    assert.ok(lines.some(({ text }) => text.includes(" opendkim[")));
  });

  test("of a partner's mail keeps that night's mail away, and no other's", () => {
    const nights = (faults: Fault[]) => {
      const lines = linesOf(planOf({ days: 2, faults }, PARTNER));
      return [0, 1].map(
        (day) =>
          lines.filter(
            (l) =>
              l.time >= Date.parse(at(day, 2)) &&
              l.time < Date.parse(at(day, 2.4)) &&
              l.text.includes("client="),
          ).length,
      );
    };
    const [usual, alsoUsual] = nights([]);
    const [gone, still] = nights([{ kind: "partner_mail_missing", start: at(0, 1), minutes: 120 }]);
    assert.ok(gone! < usual! - 15);
    assert.equal(still, alsoUsual);
  });

  test("of slow guessing is one guess a minute at one account, from ever other addresses", () => {
    const { affected } = oneFault({ kind: "sasl_bruteforce_slow", start: at(0, 6), minutes: 120 });
    const guesses = affected.filter(({ text }) => text.includes("Password mismatch"));
    assert.equal(guesses.length, 120);
    const accounts = new Set(guesses.map(({ text }) => /passwd-file\(([^,]+),/.exec(text)![1]));
    const addresses = new Set(guesses.map(({ text }) => /,([\d.]+)[,)]/.exec(text)![1]));
    assert.equal(accounts.size, 1);
    assert.ok(addresses.size > 110);
  });

  test("of a stolen password shows one account in many networks", () => {
    const { affected } = oneFault({ kind: "account_new_networks", start: at(0, 9), minutes: 240 });
    const users = new Set(affected.map(({ text }) => /user=<([^>]+)>/.exec(text)?.[1]).filter((u) => u));
    const networks = new Set(
      affected.map(({ text }) => /rip=(\d+\.\d+\.\d+)\./.exec(text)?.[1]).filter((n) => n),
    );
    assert.equal(users.size, 1);
    assert.ok(networks.size >= 15, `${networks.size} networks`);
  });

  test("of growing delays brings no new text, but longer delays in each step", () => {
    const { affected, lines } = oneFault({ kind: "delay_growth", start: at(0, 8), minutes: 480 });
    const delays = (from: number, to: number) =>
      affected
        .filter(({ time }) => time >= Date.parse(at(0, from)) && time < Date.parse(at(0, to)))
        .map(({ text }) => Number(/ delay=([\d.]+),.*status=sent/.exec(text)?.[1]))
        .filter((n) => n < 60)
        .sort((a, b) => a - b);
    const median = (v: number[]) => v[v.length >> 1]!;
    assert.ok(median(delays(8, 10)) * 3 < median(delays(14, 16)));
    assert.ok(lines.length > 0);
  });

  test("of a full mailbox says so, and a normal day does not", () => {
    const { affected } = oneFault({ kind: "mailbox_over_quota", start: at(0, 9), minutes: 240 });
    assert.ok(affected.some(({ text }) => text.includes("Quota exceeded (mailbox for user is full)")));
    assert.ok(linesOf(planOf()).every(({ text }) => !text.includes("Quota exceeded")));
  });

  test("of half the strength leaves about half the trace", () => {
    const trace = (intensity: number) =>
      oneFault({ kind: "milter_down", start: at(0, 8), minutes: 480, intensity }).affected.length;
    const ratio = trace(0.5) / trace(1);
    assert.ok(ratio > 0.3 && ratio < 0.7, String(ratio));
  });

  test("without a label happens all the same", () => {
    const faults = contamination(5, MONDAY, 14);
    assert.equal(faults.length, 2);
    assert.ok(faults.every((f) => f.unlabelled));
    const plan = planOf({ days: 14, faults }, { mailsPerDay: 100 });
    const lines = linesOf(plan);
    assert.deepEqual(labelsOf(plan, lines), []);
    for (const i of [0, 1])
      assert.ok(
        lines.some(({ fault }) => fault === i),
        faults[i]!.kind,
      );
  });

  test("is scored by its label: a cited line of its trace is evidence, another is not", () => {
    const { label } = oneFault({ kind: "sasl_bruteforce_fast", start: at(0, 9), minutes: 60 });
    const folder = mkdtempSync(join(tmpdir(), "logvane-test-"));
    const evidenced = (line: number): number => {
      const alert = { id: "a", opened_at: at(0, 9.2), severity: "high", lines: [{ line }] };
      writeFileSync(join(folder, "alerts"), `${JSON.stringify(alert)}\n`);
      writeFileSync(join(folder, "labels"), JSON.stringify([label]));
      const files = ["--alerts", join(folder, "alerts"), "--labels", join(folder, "labels")];
      const result = spawnSync(process.execPath, [
        "eval/score-alerts.mjs",
        ...files,
        "--from",
        MONDAY,
        "--json",
      ]);
      return (JSON.parse(result.stdout.toString()) as { evidenced: number }).evidenced;
    };
    assert.equal(evidenced(label.affected[0]![0]), 1);
    assert.equal(evidenced(label.affected[0]![0] - 1), 0);
    rmSync(folder, { recursive: true });
  });
});

suite("a plan that can't be composed is refused", () => {
  const refused =
    (more: Partial<Plan>, server = {}) =>
    () =>
      checkPlan(planOf(more, server));
  test("with an unknown kind", () =>
    assert.throws(
      refused({ faults: [{ kind: "meteor", start: MONDAY, minutes: 5 }] }),
      /no such fault: meteor/,
    ));
  test("with a time that is none", () => assert.throws(refused({ start: "soon" }), RangeError));
  test("with numbers out of bounds", () => {
    assert.throws(refused({ days: 1e9 }), /days must be/);
    assert.throws(refused({}, { mailsPerDay: -1 }), /mailsPerDay must be/);
    assert.throws(refused({}, { mailsPerDay: Number.NaN }), /mailsPerDay must be/);
  });
  test("with a fault of which nothing was recorded", () =>
    assert.throws(
      () =>
        linesOf(planOf({ faults: [{ kind: "milter_down", start: MONDAY, minutes: 5 }] }), new Material([])),
      /nothing was recorded/,
    ));
  test("with a partner's missing mail and no partner", () =>
    assert.throws(
      () => linesOf(planOf({ faults: [{ kind: "partner_mail_missing", start: MONDAY, minutes: 5 }] })),
      /server.partner/,
    ));
});
