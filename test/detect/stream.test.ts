import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Newcomers, UNSETTLED } from "../../src/detect/newcomer.ts";
import { type Feedback, type StreamScore, StreamScorer } from "../../src/detect/stream.ts";

/** Scores windows with labels told after each or after each five. */
function run(windows: readonly string[], labels: readonly boolean[], feedback: Feedback): StreamScore[] {
  const scorer = new StreamScorer(feedback);
  const out: StreamScore[] = [];
  let waiting: (() => void)[] = [];
  windows.forEach((window, i) => {
    const { score, token } = scorer.add(new Set(window.split(" ")));
    out.push(score);
    if (feedback === "none") return;
    waiting.push(() => scorer.label(token, labels[i]!));
    if (feedback === "chunk" && (i + 1) % 5 !== 0) return;
    for (const tell of waiting) tell();
    waiting = [];
  });
  return out;
}

const stream = (): fc.Arbitrary<{ windows: string[]; labels: boolean[]; cut: number; other: boolean[] }> =>
  fc.integer({ min: 1, max: 40 }).chain((n) =>
    fc.record({
      windows: fc.array(fc.constantFrom("a", "b", "a b", "c", "b d", "e a", "f"), {
        minLength: n,
        maxLength: n,
      }),
      labels: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
      cut: fc.integer({ min: 0, max: n - 1 }),
      other: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
    }),
  );

suite("a stream of windows", () => {
  for (const feedback of ["none", "window", "chunk"] as const)
    test(`with feedback ${feedback}: a row depends on no label from its own on, and on no later window`, () =>
      fc.assert(
        fc.property(stream(), ({ windows, labels, cut, other }) => {
          const changed = labels.map((label, i) => (i < cut ? label : other[i]!));
          const rows = run(windows, labels, feedback);
          assert.deepEqual(run(windows, changed, feedback).slice(0, cut + 1), rows.slice(0, cut + 1));
          assert.deepEqual(run(windows.slice(0, cut + 1), labels, feedback), rows.slice(0, cut + 1));
        }),
      ));
  test("scores and p-values lie from 0 to 1", () =>
    fc.assert(
      fc.property(stream(), ({ windows, labels }) => {
        for (const { score, pValue } of run(windows, labels, "window"))
          assert.ok(score >= 0 && score <= 1 && pValue > 0 && pValue <= 1, `${score} ${pValue}`);
      }),
    ));

  // Event x makes its windows strange; it comes in bursts of three among ordinary windows.
  const windows = Array.from({ length: 400 }, (_, i) =>
    i % 20 < 3 && i > 30 ? `a x b${i % 3}` : `a b${i % 3}`,
  );
  const labels = windows.map((window) => window.includes("x"));
  const wrong = (feedback: Feedback): number =>
    run(windows, labels, feedback).filter(({ strange }, i) => strange !== labels[i]).length;
  test("with labels after each window is wrong only until an event is known", () =>
    assert.ok(wrong("window") <= 8, `${wrong("window")} wrong`));
  test("with labels after each chunk does better than without", () =>
    assert.ok(wrong("chunk") < wrong("none"), `${wrong("chunk")}, ${wrong("none")}`));
  test("notices that feedback changes what is said", () =>
    assert.notDeepEqual(
      run(windows, labels, "window"),
      run(
        windows,
        labels.map((l) => !l),
        "window",
      ),
    ));
});

suite("a newcomer among events", () => {
  const strangeness = (sightings: readonly boolean[]): number[] => {
    const newcomers = new Newcomers();
    return sightings.map((seen) => {
      const window = new Set(seen ? ["x"] : ["other"]);
      const before = newcomers.judge(new Set(["x"])).strangeness;
      newcomers.learn(window);
      return before;
    });
  };
  test("is as strange as can be at first", () => assert.equal(strangeness([true])[0], 1));
  test("stays strange while its first burst lasts", () =>
    assert.ok(strangeness(new Array(20).fill(true)).every((s) => s > UNSETTLED)));
  test("has settled in after a pause or two", () => {
    const seen = [true, true, true, false, false, true, false, false, true];
    assert.ok(strangeness(seen).at(-1)! < UNSETTLED);
  });
  test("has settled in when it never pauses", () =>
    assert.ok(strangeness(new Array(60).fill(true)).at(-1)! < UNSETTLED));
});
