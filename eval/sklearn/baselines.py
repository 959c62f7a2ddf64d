"""PCA and IsolationForest of scikit-learn on count vectors, for eval/public.ts.

Reads JSON on standard input: {"train": [[...]], "held": [[...]], "test": [[...]], "seed": n}, rows of counts; writes
{"pca": {"held": [...], "test": [...]}, "forest": {...}}: scores that rise with strangeness. No label comes in.
"""
import json
import sys

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest


def pca(train, parts):
    """Residual energy outside the components that hold 95 % of the variance, on tf-idf counts (Xu et al. 2009)."""
    idf = np.log(len(train) / np.maximum(1, (train > 0).sum(axis=0)))
    weigh = lambda x: x * idf
    centre = weigh(train).mean(axis=0)
    model = PCA(n_components=0.95, svd_solver="full").fit(weigh(train) - centre)

    def residual(x):
        y = weigh(x) - centre
        return ((y - model.inverse_transform(model.transform(y))) ** 2).sum(axis=1)

    return [residual(x).tolist() for x in parts]


def forest(train, parts, seed):
    model = IsolationForest(n_estimators=100, random_state=seed).fit(train)
    return [(-model.score_samples(x)).tolist() for x in parts]


data = json.load(sys.stdin)
train, held, test = (np.asarray(data[name], dtype=float) for name in ("train", "held", "test"))
out = {}
for name, (h, t) in {"pca": pca(train, (held, test)), "forest": forest(train, (held, test), data["seed"])}.items():
    out[name] = {"held": h, "test": t}
json.dump(out, sys.stdout)
