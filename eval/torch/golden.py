"""Losses and gradients of the network of src/model by PyTorch's automatic differentiation, in double.

    /usr/bin/python3 eval/torch/golden.py > test/model/golden/torch.json

Written from the formulas in src/math/likelihood.ts and src/model/network.ts, not from their code: densities come
from torch.distributions. test/model/torch.test.ts compares every tensor. Made with PyTorch 1.13.
"""
import json
import torch
from torch.distributions import NegativeBinomial, Normal, kl_divergence

C, G, S, H, Z, B, BATCHES = 4, 2, 2, 6, 2, 5, 20
TENSORS = ["encoder", "encoderBias", "head", "headBias", "decoder", "decoderBias", "output", "outputBias",
            "logAlpha", "logVar"]
SHAPES = [(C + G + S, H), (H,), (H, 2 * Z), (2 * Z,), (Z + S, H), (H,), (H, C + G), (C + G,), (C,), (G,)]
torch.manual_seed(20261124)
torch.set_default_dtype(torch.float64)


def rounded(t):
    """Few digits, so that JSON is small and both sides read the very same float32."""
    return (t * 1e4).round().div(1e4).float().double()


def squash(x):
    return x / torch.sqrt(1 + x * x)


def loss(w, row, scales, beta):
    excess = (torch.log1p(row["counts"]) - torch.log1p(row["offset"].exp())) / scales["count"]
    seen = row["realWeights"] > 0
    reals = torch.where(seen, (row["reals"] - scales["realMean"]) / scales["real"], torch.zeros(()))
    x = torch.cat([excess.clamp(-5, 5), reals.clamp(-5, 5)], 1) * row["mask"]
    h = squash(torch.cat([x, row["conditions"]], 1) @ w["encoder"] + w["encoderBias"])
    mu, log_var = (h @ w["head"] + w["headBias"]).split(Z, 1)
    posterior = Normal(mu, (0.5 * log_var).exp())
    z = mu + row["noise"] * posterior.scale
    d = squash(torch.cat([z, row["conditions"]], 1) @ w["decoder"] + w["decoderBias"])
    out = d @ w["output"] + w["outputBias"]
    # torch: total_count r, logits = ln(mu / r); so logits = ln mu + ln alpha
    counts = NegativeBinomial((-w["logAlpha"]).exp(), logits=row["offset"] + out[:, :C] + w["logAlpha"])
    numbers = Normal(out[:, C:], (0.5 * w["logVar"]).exp())
    parts = -counts.log_prob(row["counts"]).sum(1) - (row["realWeights"] * numbers.log_prob(reals)).sum(1)
    kl = kl_divergence(posterior, Normal(torch.zeros(Z), torch.ones(Z))).sum(1)
    return (row["scale"] * (parts + beta * kl)).sum()


def batch():
    counts = torch.poisson(torch.exp(2 * torch.randn(B, C)))  # from none to hundreds
    weights = (torch.rand(B, G) < 0.8).double() * rounded(0.5 + 0.5 * torch.rand(B, G))
    return {
        "counts": counts.clamp(max=5000), "reals": rounded(10 + 3 * torch.randn(B, G)), "realWeights": weights,
        "offset": rounded(torch.randn(B, C)), "conditions": rounded(torch.randn(B, S)),
        "noise": rounded(torch.randn(B, Z)), "mask": (torch.rand(B, C + G) < 0.8).double(),
        "scale": rounded(0.1 + torch.rand(B)),
    }


def main():
    w = {n: rounded(0.5 * torch.randn(*s)).requires_grad_() for n, s in zip(TENSORS, SHAPES)}
    scales = {"count": rounded(0.5 + torch.rand(C)), "realMean": rounded(10 + torch.randn(G)),
              "real": rounded(2 + torch.rand(G))}
    flat = lambda t: [float("%.9g" % v) for v in t.detach().flatten().tolist()]
    cases = []
    for i in range(BATCHES):
        row, beta = batch(), i / 10
        for t in w.values():
            t.grad = None
        value = loss(w, row, scales, beta)
        value.backward()
        cases.append({"beta": beta, "rows": {n: flat(t) for n, t in row.items()}, "loss": value.item(),
                      "gradient": {n: flat(t.grad) for n, t in w.items()}})
    shape = {"counts": C, "reals": G, "conditions": S, "hidden": H, "latent": Z}
    lines = ",\n".join(json.dumps(c) for c in cases)
    print('{"shape": %s, "batch": %d,\n"weights": %s,\n"scales": %s,\n"cases": [\n%s\n]}' % (
        json.dumps(shape), B, json.dumps({n: flat(t) for n, t in w.items()}),
        json.dumps({n: flat(t) for n, t in scales.items()}), lines))


main()
