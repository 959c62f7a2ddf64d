import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { collidingWords } from "./collide.ts";
import { fed, type Outcome, sized } from "./support.ts";

/** The limit of a reader, and Node's own start. */
const PEAK = 150e6;
const HEAD = "Sep  7 00:03:51 mx1 postfix/smtpd[12]: ";
const CHUNK = 1 << 20;
const STATS = ["parse", "--stats", "--format", "json", "--timezone", "UTC", "-"];
const SUMMARY = ["summary", "--date", "all", "--format", "json", "--timezone", "UTC", "-"];
const TEMPLATES = ["templates", "--format", "json", "-"];

type Stats = {
  readonly lines: number;
  readonly events: Readonly<Record<string, number>>;
  readonly unknown: number;
  readonly bad_envelope: number;
  readonly duplicates: number;
};

/** The counts that `parse --stats` printed, which add up. */
function statsOf({ status, stdout, stderr, peak }: Outcome): Stats & Readonly<Record<string, unknown>> {
  assert.equal(status, 0, stderr);
  assert.ok(peak <= PEAK, `${peak / 1e6} MB`);
  const stats = JSON.parse(stdout) as Stats & Record<string, unknown>;
  const { lines, events, unknown, bad_envelope, duplicates } = stats;
  const named = Object.values(events).reduce((a, b) => a + b, 0);
  assert.equal(named + unknown + bad_envelope + duplicates, lines);
  return stats;
}

/** `lines` lines made one by one, in chunks. */
function* many(lines: number, make: (i: number) => string): Generator<string> {
  let out = "";
  for (let i = 0; i < lines; i++) {
    out += `${make(i)}\n`;
    if (out.length < CHUNK) continue;
    yield out;
    out = "";
  }
  yield out;
}

/** A word of 4 to 11 letters. */
function randomWord(next: (n: number) => number): string {
  let out = "";
  for (let n = 4 + next(8); n > 0; n--) out += String.fromCharCode(97 + next(26));
  return out;
}

/** Lines of twelve words of chance: no two of one template. */
function wordFlood(lines: number): Generator<string> {
  const { int } = createRandom(5);
  return many(lines, () => `${HEAD}${Array.from({ length: 12 }, () => randomWord(int)).join(" ")}`);
}

suite("input that wants to stop the reader", () => {
  test("one line of a gigabyte", async () => {
    const megabytes = sized(64, 1000);
    function* input(): Generator<string | Uint8Array> {
      yield `${HEAD}warning: `;
      const chunk = Buffer.alloc(1e6, "a=1 <b> ");
      for (let i = 0; i < megabytes; i++) yield chunk;
      yield `\n${HEAD}connect from unknown[192.0.2.1]\n`;
    }
    const outcome = await fed(STATS, input());
    const stats = statsOf(outcome);
    assert.equal(stats.lines, 2);
    assert.equal(stats.events["connect"], 1);
    assert.equal(stats["truncated"], 1);
    assert.ok(outcome.cpu < 3 + megabytes / 100, `${outcome.cpu} s`);
  });

  test("a flood of distinct templates, to parse", async () => {
    const lines = sized(50_000, 1_000_000);
    const outcome = await fed(STATS, wordFlood(lines));
    const { lines: read, templates, templates_bounded } = statsOf(outcome);
    assert.equal(read, lines);
    assert.ok(
      Number(templates) < lines && Number(templates_bounded) > 0,
      `${templates}, ${templates_bounded}`,
    );
    assert.ok(outcome.cpu < 3 + lines / 5_000, `${outcome.cpu} s`);
  });

  test("a flood of distinct templates, to templates, which says what it bounded", async () => {
    const lines = sized(50_000, 1_000_000);
    const { status, stdout, stderr, cpu, peak } = await fed(TEMPLATES, wordFlood(lines));
    assert.equal(status, 0, stderr);
    const { templates, bounded } = JSON.parse(stdout) as { templates: { count: number }[]; bounded: number };
    assert.ok(bounded > 0 && bounded < lines, `${bounded}`);
    assert.equal(
      templates.reduce((sum, { count }) => sum + count, 0),
      lines,
    );
    assert.ok(peak <= PEAK, `${peak / 1e6} MB`);
    assert.ok(cpu < 6 + lines / 5_000, `${cpu} s`);
  });

  test("words that collide in FNV-1a cost no more than others", async () => {
    const words = collidingWords(12);
    const { int } = createRandom(6);
    const others = words.map((w) => Array.from(w, () => String.fromCharCode(97 + int(26))).join(""));
    const lines = sized(20_000, 400_000);
    const cost = async (list: readonly string[]): Promise<number> => {
      const line = (i: number): string =>
        `${HEAD}${list[i % list.length]} ${list[(i * 7) % list.length]} ${list[(i * 31) % list.length]}`;
      const outcome = await fed(STATS, many(lines, line));
      assert.equal(statsOf(outcome).lines, lines);
      return outcome.cpu;
    };
    const [colliding, plain] = [await cost(words), await cost(others)];
    assert.ok(colliding < 1 + 2 * plain, `${colliding} s against ${plain} s`);
  });

  test("numbers that collide in the engine's own hash cost no more than others", async () => {
    // Strings of digits below 2^32 are hashed by their value, without the process's secret: a step of 2^16 collides.
    const lines = sized(20_000, 60_000);
    const cost = async (step: number): Promise<number> => {
      const line = (i: number): string =>
        `${HEAD}NOQUEUE: reject: RCPT from ${1000 + i * step}[192.0.2.1]: 554 5.7.1 <${1000 + i * step}>: Relay access denied; from=<${1000 + i * step}> to=<${1000 + i * step}> proto=ESMTP helo=<${1000 + i * step}>`;
      const { status, stderr, cpu, peak } = await fed(SUMMARY, many(lines, line));
      assert.equal(status, 0, stderr);
      assert.ok(peak <= PEAK, `${peak / 1e6} MB`);
      return cpu;
    };
    const [colliding, plain] = [await cost(65_536), await cost(1)];
    assert.ok(colliding < 1 + 2 * plain, `${colliding} s against ${plain} s`);
  });

  test("empty lines without end", async () => {
    const lines = sized(500_000, 10_000_000);
    const stats = statsOf(
      await fed(
        STATS,
        many(lines, () => ""),
      ),
    );
    assert.equal(stats.lines, lines);
    assert.equal(stats.bad_envelope, lines);
  });

  test("only LF, CR and NUL", async () => {
    const pieces = ["\n", "\r", "\0"];
    const { int } = createRandom(8);
    const chunk = Array.from({ length: CHUNK }, () => pieces[int(3)]).join("");
    const count = sized(3, 100);
    const refused = await fed(STATS, [chunk]);
    assert.equal(refused.status, 65, refused.stderr); // no text log
    const begun = `${HEAD}connect from unknown[192.0.2.1]\n`;
    const stats = statsOf(await fed(STATS, [begun, ...Array.from({ length: count }, () => chunk)]));
    const ends = chunk.split("\n").length - 1;
    assert.equal(stats.lines, 1 + count * ends + (chunk.endsWith("\n") ? 0 : 1));
  });

  test("lines about as long as the cap", async () => {
    const lengths = [8191, 8192, 8193];
    const lines = sized(300, 30_000);
    const line = (i: number): string => HEAD.padEnd(lengths[i % 3]!, i % 2 === 0 ? "[" : "a. ");
    const args = ["parse", "--format", "ndjson", "--timezone", "UTC", "-"];
    const { status, stdout, stderr } = await fed(args, many(3, line));
    assert.equal(status, 0, stderr);
    const texts = stdout
      .trim()
      .split("\n")
      .map((record) => (JSON.parse(record) as { text: string }).text);
    assert.deepEqual(
      texts.map((text) => text.length),
      [8191, 8192, 8192],
    );
    assert.equal(statsOf(await fed(STATS, many(lines, line))).lines, lines);
  });

  test("JSON nested as deep as a line allows", async () => {
    const deep = [
      `${'{"a":'.repeat(1600)}1`,
      `${'{"MESSAGE":'.repeat(700)}1${"}".repeat(700)}`,
      `{"MESSAGE":${"[".repeat(4000)}${"]".repeat(4000)}}`,
      `{"log":"${'\\"'.repeat(4000)}"}`,
      `{"__REALTIME_TIMESTAMP":"1757203431000000","MESSAGE":"${"\\u0000".repeat(1300)}"}`,
    ];
    const lines = sized(2_000, 100_000);
    const outcome = await fed(
      STATS,
      many(lines, (i) => deep[i % deep.length]!),
    );
    assert.equal(statsOf(outcome).lines, lines);
    assert.ok(outcome.cpu < 3 + lines / 500, `${outcome.cpu} s`);
  });

  test("senders, clients and recipients of whom no one comes twice, to summary", async () => {
    const lines = sized(40_000, 1_000_000);
    const line = (i: number): string =>
      `${HEAD}NOQUEUE: reject: RCPT from h${i}.example[198.18.${(i >> 8) & 255}.${i & 255}]: 550 5.1.1 <u${i}@x${i}.example>: Recipient address rejected: User unknown in virtual mailbox table; from=<s${i}@y${i}.example> to=<u${i}@x${i}.example> proto=ESMTP helo=<h${i}>`;
    const { status, stdout, stderr, peak } = await fed(SUMMARY, many(lines, line));
    assert.equal(status, 0, stderr);
    assert.equal((JSON.parse(stdout) as { totals: { rejected: number } }).totals.rejected, lines);
    assert.ok(peak <= PEAK, `${peak / 1e6} MB`);
  });
});
