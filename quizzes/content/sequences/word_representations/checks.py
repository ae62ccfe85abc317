"""Checks of the drills about word vectors."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def embedding_params(V: int, d: int) -> int:
    return nn.Embedding(V, d, device="meta").weight.numel()


def word2vec_size(V: int, d: int) -> dict[str, Any]:
    tables = [nn.Embedding(V, d, device="meta", dtype=torch.float32).weight for _ in range(2)]
    return dict(P=sum(t.numel() for t in tables), M=sum(t.nbytes for t in tables) / 1e6)


def cosine_analogy(u: Tensor, v: Tensor) -> Tensor:
    return F.cosine_similarity(u, v, dim=0)


def cosine_norms(u: Tensor, v: Tensor) -> dict[str, Any]:
    norms = dict(n_u=torch.linalg.vector_norm(u), n_v=torch.linalg.vector_norm(v))
    return dict(p=torch.dot(u, v), **norms, c=F.cosine_similarity(u, v, dim=0))


def word_analogy(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> dict[str, Any]:
    target = b - a + c
    cosines = F.cosine_similarity(torch.stack([d, e, f]), target[None])
    return dict(t=target, word="def"[int(cosines.argmax())], s=cosines.max())


def debug_padded_mean(ids: list[list[int]], program: str) -> dict[str, Any]:
    embedding = nn.Embedding.from_pretrained(torch.arange(10.0)[:, None], padding_idx=0)
    vectors = embedding(torch.tensor(ids))
    mask = (torch.tensor(ids) != 0)[..., None]
    prints = vectors.mean(1) if ".mean(1)" in program else vectors.sum(1) / mask.sum()
    words = [[id for id in row if id] for row in ids]
    fixed = torch.stack([embedding(torch.tensor(row)).mean(0) for row in words])  # without the padding
    lines = program.splitlines()
    line = next(k for k, text in enumerate(lines, 1) if ".mean(1)" in text or "mask.sum()" in text)
    return dict(line=line, prints=prints[:, 0], fixed=fixed[:, 0])


def skipgram_pairs(T: int, c: int) -> int:
    positions = torch.arange(T)
    distances = (positions[:, None] - positions).abs()
    return int(((distances > 0) & (distances <= c)).sum())


def skipgram_context(sentence: str, c: int, center: str) -> dict[str, Any]:
    words = sentence.split()
    positions = torch.arange(len(words))
    in_window = ((positions[:, None] - positions).abs() <= c).fill_diagonal_(False)
    context = [words[k] for k in in_window[words.index(center)].nonzero()[:, 0]]
    return dict(context=context, N=int(in_window.sum()), B=int(in_window.any(1).sum()))


def neg_sampling_loss(s: float, n: Tensor) -> Tensor:
    scores = torch.cat([torch.tensor([float(s)]), n])
    targets = torch.cat([torch.ones(1), torch.zeros(len(n))])
    return F.binary_cross_entropy_with_logits(scores, targets, reduction="sum")


def neg_sampling_gradient(v: Tensor, u: Tensor, U: Tensor) -> dict[str, Any]:
    v.requires_grad_()
    scores = F.linear(v, torch.cat([u[None], U]))
    targets = torch.zeros(len(scores)).index_fill(0, torch.tensor([0]), 1)
    loss = F.binary_cross_entropy_with_logits(scores, targets, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, v)
    return dict(s=scores[0], n=scores[1:], L=loss, g=gradient)


def unigram_075(f: Tensor) -> Tensor:
    return torch.softmax(0.75 * f.log(), dim=0)


def unigram_ratio(r: float) -> Tensor:
    probabilities = torch.softmax(0.75 * torch.tensor([float(r), 1.0]).log(), dim=0)
    return probabilities[0] / probabilities[1]


def subsampling(t: float, f: float, N: int) -> dict[str, Any]:
    remains = torch.rsqrt(torch.tensor(f / t)).clamp(max=1)
    return dict(p=1 - remains, m=torch.distributions.Binomial(N, remains).mean)


def subsampling_frequency(t: float, f: float, N: int) -> dict[str, Any]:
    remains = torch.rsqrt(torch.tensor(f / t)).clamp(max=1)
    return dict(p=1 - remains, m=torch.distributions.Binomial(N, remains).mean)


def sgns_optimum(N: int, k: int) -> dict[str, Any]:
    n, a, c = torch.linspace(1, 60, 7), torch.linspace(900, 50, 7), torch.linspace(60, 700, 7)
    s = torch.zeros(7, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [s], max_iter=200, tolerance_grad=1e-14, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -(n * F.logsigmoid(s) + k * a * c / N * F.logsigmoid(-s)).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return dict(s=s, n=n, a=a, c=c)


def sgns_count(N: int, k: int) -> dict[str, Any]:
    s, a, c = torch.linspace(-1.5, 3, 7, requires_grad=True), torch.linspace(900, 50, 7), torch.linspace(60, 700, 7)
    # The derivative of the loss is linear in n: two values of n give its zero.
    slopes = []
    for n in (0.0, 1.0):
        loss = -(n * F.logsigmoid(s) + k * a * c / N * F.logsigmoid(-s)).sum()
        slopes.append(torch.autograd.grad(loss, s)[0])
    return dict(n=slopes[0] / (slopes[0] - slopes[1]), s=s, a=a, c=c)


def decide_softmax_approx(V: int, d: int, k: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    def products(scores: int) -> int:
        with FlopCounterMode(display=False) as counter:
            torch.zeros(scores, d, device="meta") @ torch.zeros(d, 1, device="meta")
        flops: int = counter.get_total_flops()  # a product and an addition each
        return flops // 2

    depth = 0
    while 2**depth < V:
        depth += 1
    costs = dict(full=products(V), neg=products(k + 1), tree=products(depth))
    return dict(**costs, best=[*costs].index(min(costs, key=lambda name: costs[name])) + 1)


def glove_weight(X: float, X_max: float) -> Tensor:
    return torch.tensor(X / X_max).clamp(max=1).pow(0.75)


def glove_term(X: float, X_max: float, s: float, b1: float, b2: float) -> dict[str, Any]:
    weight = torch.tensor(X / X_max).clamp(max=1).pow(0.75)
    prediction, target = torch.tensor(s + b1 + b2), torch.tensor(float(X)).log()
    return dict(w=weight, e=prediction - target, J=weight * F.mse_loss(prediction, target))


def glove_optimum(b1: float) -> dict[str, Any]:
    X, b2 = torch.linspace(1.5, 200, 7), torch.linspace(2, -2, 7)
    s = torch.zeros(7, requires_grad=True)
    loss = F.mse_loss(s + b1 + b2, X.log(), reduction="sum")
    (slope,) = torch.autograd.grad(loss, s)
    return dict(s=-slope / 2, X=X, b2=b2)  # one Newton step from 0: the loss is quadratic, with second derivative 2


def glove_ratio(A: Tensor, B: Tensor, S_A: int, S_B: int) -> dict[str, Any]:
    near_a, near_b = A / S_A, B / S_B
    r1, r2, r3 = torch.exp(near_a.log() - near_b.log())
    probe = int(torch.stack([r1, r2, r3]).log().abs().argmax()) + 1
    return dict(p1=near_a[0], r1=r1, r2=r2, r3=r3, probe=probe)
