"""Isolation Forest on windows, for eval/baselines/isolation-forest.ts: python3 isolation-forest.py FOLDER ROWS COLUMNS TRAIN

FOLDER/values.f32 holds (ROWS, COLUMNS) float32, FOLDER/folds.i32 the fold of each row. Writes FOLDER/scores.f64: rows of training
scored by a forest that did not see their fold, later ones by a forest of all of training. Scores rise with strangeness.
"""

import sys

import numpy as np
from sklearn.ensemble import IsolationForest

folder, rows, columns, train = sys.argv[1], *map(int, sys.argv[2:5])
x = np.fromfile(f"{folder}/values.f32", dtype="<f4").reshape(rows, columns)
fold = np.fromfile(f"{folder}/folds.i32", dtype="<i4")
index = np.arange(rows)
scores = np.zeros(rows)


def score(learned, scored):
    forest = IsolationForest(n_estimators=200, random_state=1, n_jobs=1).fit(x[learned])
    scores[scored] = -forest.score_samples(x[scored])


for f in np.unique(fold[:train]):
    score((index < train) & (fold != f), (index < train) & (fold == f))
if rows > train:
    score(index < train, index >= train)
scores.astype("<f8").tofile(f"{folder}/scores.f64")
