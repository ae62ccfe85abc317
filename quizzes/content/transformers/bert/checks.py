"""Checks of the drills about BERT."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def _embeddings(V: int, C: int, d: int) -> nn.ModuleList:
    tables = [nn.Embedding(size, d, device="meta") for size in (V, C, 2)]
    return nn.ModuleList([*tables, nn.LayerNorm(d, device="meta")])


def bert_base_params(V: int, C: int, d: int, L: int) -> dict[str, Any]:
    embeddings, pooler = _embeddings(V, C, d), nn.Linear(d, d, device="meta")
    layer = nn.TransformerEncoderLayer(d, 1, 4 * d, activation="gelu", device="meta")
    encoder = nn.TransformerEncoder(layer, L, enable_nested_tensor=False)
    return dict(E=_count(embeddings), B=_count(layer), P=_count(embeddings, encoder, pooler))


def bert_vocabulary(M: int, C: int, d: int) -> dict[str, Any]:
    low, high = 1, M
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _count(_embeddings(middle, C, d)) <= M else (low, middle - 1)
    network = _embeddings(low, C, d)
    return dict(V=low, s=100 * _count(network[0]) / _count(network))


def bert_heads(V: int, d: int) -> dict[str, Any]:
    table = nn.Embedding(V, d, device="meta")
    dense, norm, output = nn.Linear(d, d, device="meta"), nn.LayerNorm(d, device="meta"), nn.Linear(d, V, device="meta")
    output.weight = table.weight
    M, N = _count(dense, norm, output) - _count(table), _count(nn.Linear(d, 2, device="meta"))
    return dict(M=M, N=N, r=M + N)


def bert_classifier(d: float, K: float) -> int:
    return _count(nn.Linear(round(d), round(K), device="meta"))


def mlm_counts(T: int, s: float) -> dict[str, Any]:
    # A token of each kind has its expected share of T tokens.
    shares = torch.tensor([0.8, 0.1, 0.1])
    n = torch.full((T,), s / 100).sum()
    m, r, k = (n * shares).tolist()
    return dict(n=n, m=m, r=r, k=k)


def mlm_tokens(T: float, s: float) -> Tensor:
    selection = torch.distributions.Binomial(torch.tensor(float(T)), torch.tensor(s / 100)).mean
    return torch.distributions.Binomial(selection, torch.tensor(0.8)).mean


def mlm_loss(T: int, p: Tensor, n: float) -> dict[str, Any]:
    # Every position has a target, and -100 is ignored; class 0 is the correct token, class 1 all others.
    logits = torch.zeros(T, 2)
    logits[: len(p)] = torch.stack([p, 1 - p], dim=1).log()
    labels = torch.full((T,), -100)
    labels[: len(p)] = 0
    L = F.cross_entropy(logits, labels)
    return dict(L=L, PP=L.exp(), S=L + F.nll_loss(torch.tensor([[float(n), 1 - n]]).log(), torch.tensor([0])))


def mlm_posterior(a: float) -> dict[str, Any]:
    s = torch.tensor([0.1, 0.15, 0.4, 0.8])
    # The joint distribution: chosen and masked, chosen and not masked, not chosen.
    joint = torch.stack([s * a, s - s * a, 1 - s])
    joint[0] = 0
    return dict(q=F.normalize(joint, p=1.0, dim=0)[1], s=s)


def debug_mlm_labels(ids: Tensor, at: Tensor, g: float, V: int, program: str) -> dict[str, Any]:
    tokens, positions = ids.long(), at.long()
    mask = torch.zeros(len(tokens), dtype=torch.bool).index_fill(0, positions, True)
    logits = g * F.one_hot(tokens.masked_fill(mask, 1), V).to(ids.dtype)
    labels = tokens.masked_fill(~mask, -100)
    line = next(k for k, text in enumerate(program.splitlines(), 1) if text.startswith("labels ="))
    return dict(
        line=line,
        count=int((labels == -100).sum()),
        printed=F.cross_entropy(logits, tokens),
        fixed=F.cross_entropy(logits, labels),
    )


def padding_leak(A: Tensor, n: int) -> dict[str, Any]:
    real, padding = A[:, :n], A[:, n:]
    # What a softmax over the keys that a mask leaves would have given.
    if padding.count_nonzero() == 0:
        bug = "late"
    else:
        bug = "inverted" if real.count_nonzero() == 0 else "missing"
    return dict(v=real.sum(dim=1), w=padding[:n].sum(), bug=bug)


def decide_cloze(x1: int, x2: int, y1: int, y2: int) -> dict[str, Any]:
    counts = torch.tensor([[float(x1), float(x2)], [float(y1), float(y2)]])
    left = F.cross_entropy(counts.sum(dim=1).log()[None], torch.tensor([0]))
    both = F.cross_entropy(counts[:, 0].log()[None], torch.tensor([0]))
    return dict(pl=(-left).exp(), pb=(-both).exp(), gain=left - both, better=1 if both < left else 2)


def bert_input(a: int, b: int, C: int) -> dict[str, Any]:
    kinds = ["[CLS]", *["A"] * a, "[SEP]", *["B"] * b, "[SEP]"]
    first = kinds.index("[SEP]")
    segments = torch.tensor([int(k > first) for k in range(len(kinds))])
    pad = (0, C - len(kinds))
    return dict(n=len(kinds), seg=F.pad(segments, pad), mask=F.pad(torch.ones(len(kinds)), pad))


def chain_bert_pretrain(a: int, b: int, C: int, p: Tensor, q: float, V: int, d: int) -> dict[str, Any]:
    inputs = bert_input(a, b, C)
    losses = mlm_loss(C, p, q)
    mask = inputs["mask"]
    heads = (nn.Linear(d, d, device="meta"), nn.Linear(d, 2, device="meta"))
    return dict(
        n=inputs["n"],
        n1=int(inputs["seg"].sum()),
        N=int(torch.outer(mask, mask).sum()),
        L=losses["L"],
        S=losses["S"],
        E=_count(_embeddings(V, C, d)),
        H=_count(*heads),
    )
