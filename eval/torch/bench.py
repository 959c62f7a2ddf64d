"""Trains and scores the network of src/model in PyTorch, one thread, float32; bench/vae.bench.ts runs it.

    /usr/bin/python3 eval/torch/bench.py FOLDER N C G S H Z BATCH EPOCHS RATE

FOLDER holds counts, reals, offset and conditions as raw little-endian float32. Prints JSON: CPU seconds (user + system)
of the training and of scoring all rows, microseconds of one row (median), and the mean bound after training, in nats.
"""
import json
import sys
import time
import numpy as np
import torch

torch.set_num_threads(1)
torch.manual_seed(1)
folder = sys.argv[1]
N, C, G, S, H, Z, BATCH, EPOCHS = map(int, sys.argv[2:10])
RATE = float(sys.argv[10])


def read(name, width):
    return torch.from_numpy(np.fromfile(f"{folder}/{name}", dtype="<f4").reshape(N, width))


counts, reals, offset, conditions = read("counts", C), read("reals", G), read("offset", C), read("conditions", S)
reals = (reals - reals.mean(0)) / reals.std(0)
excess = torch.log1p(counts) - torch.log1p(offset.exp())
inputs = torch.cat([(excess / excess.square().mean(0).sqrt()).clamp(-5, 5), reals.clamp(-5, 5)], 1)


def weight(rows, cols, share=1.0):
    return (share * torch.randn(rows, cols) / rows ** 0.5).requires_grad_()


encoder, head = weight(C + G + S, H), weight(H, 2 * Z)
decoder, output = weight(Z + S, H), weight(H, C + G, 0.1)
biases = [torch.zeros(n, requires_grad=True) for n in (H, 2 * Z, H, C + G)]
mean = offset.exp()
surplus = ((counts - mean).square() - mean).sum(0) / mean.square().sum(0)
log_alpha = surplus.clamp(0.002, 10).log().requires_grad_()  # by moments, as ours
log_var = torch.zeros(G, requires_grad=True)
parameters = [encoder, head, decoder, output, *biases, log_alpha, log_var]


def squash(x):
    return x * torch.rsqrt(1 + x * x)


def bound(x, cond, y, off, real, noise, beta):
    h = squash(torch.addmm(biases[0], torch.cat([x, cond], 1), encoder))
    mu, lv = torch.addmm(biases[1], h, head).split(Z, 1)
    z = mu if noise is None else mu + noise * (0.5 * lv).exp()
    out = torch.addmm(biases[3], squash(torch.addmm(biases[2], torch.cat([z, cond], 1), decoder)), output)
    log_mean, r = off + out[:, :C], (-log_alpha).exp()
    spread = torch.log1p((log_mean + log_alpha).exp())
    nll = (y + r) * spread - y * (log_mean + log_alpha) - torch.lgamma(y + r) + torch.lgamma(r) + torch.lgamma(y + 1)
    rest = (real - out[:, C:]).square() * (-log_var).exp() + log_var + 1.8378770664093453
    kl = 0.5 * (mu.square() + torch.expm1(lv) - lv).sum(1)
    return nll.sum(1) + 0.5 * rest.sum(1) + beta * kl


def train():
    adam = torch.optim.Adam(parameters, lr=RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(N)
        for i in range(0, N, BATCH):
            j = order[i:i + BATCH]
            x = inputs[j] * (torch.rand(len(j), C + G) >= 0.1)
            loss = bound(x, conditions[j], counts[j], offset[j], reals[j], torch.randn(len(j), Z), 1.0).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()


def score(i, j):
    with torch.inference_mode():
        return bound(inputs[i:j], conditions[i:j], counts[i:j], offset[i:j], reals[i:j], None, 1.0)


def spent(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def single():
    times = []
    for i in range(500):
        start = time.perf_counter()
        score(i, i + 1)
        times.append(time.perf_counter() - start)
    return sorted(times)[250] * 1e6


trained, _ = spent(train)
scored, values = spent(lambda: torch.cat([score(i, i + 256) for i in range(0, N, 256)]))
print(json.dumps({"train": trained, "score": scored, "single": single(), "bound": values.mean().item(),
                  "version": torch.__version__}))
