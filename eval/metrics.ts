/** What a scoring of labelled rows is worth. */
export type Quality = {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly roc: number;
  readonly pr: number;
};

/**
 * scores rise with strangeness; flags: what was called strange; truth: what is. Areas go row by row of equal scores: ROC by
 * ranks (ties count half), PR as average precision (scikit-learn's definition).
 */
export function qualityOf(
  scores: readonly number[],
  flags: readonly boolean[],
  truth: readonly boolean[],
): Quality {
  const strange = truth.filter(Boolean).length;
  const hits = flags.filter((flag, i) => flag && truth[i]).length;
  const flagged = flags.filter(Boolean).length;
  const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  let area = 0;
  let average = 0;
  let right = 0;
  let wrong = 0;
  for (let i = 0; i < order.length; ) {
    let newRight = 0;
    let newWrong = 0;
    for (const level = scores[order[i]!]; i < order.length && scores[order[i]!] === level; i++) {
      if (truth[order[i]!]) newRight++;
      else newWrong++;
    }
    area += newWrong * (right + newRight / 2);
    right += newRight;
    wrong += newWrong;
    average += (newRight / strange) * (right / (right + wrong));
  }
  return {
    precision: flagged === 0 ? 0 : hits / flagged,
    recall: strange === 0 ? 0 : hits / strange,
    f1: flagged + strange === 0 ? 0 : (2 * hits) / (flagged + strange),
    roc: area / (strange * (truth.length - strange)),
    pr: average,
  };
}

/** Mean and standard deviation (n - 1) as `mean ± sd`, or the one value. */
export function spread(values: readonly number[], digits: number): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length < 2) return mean.toFixed(digits);
  const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
  return `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`;
}
