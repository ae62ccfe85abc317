"""Checks of the drills about GPT."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _layer(d: int, f: int, heads: int = 1) -> nn.Module:
    """Return a layer of a GPT: torch's encoder layer, which has the same parameters."""
    return nn.TransformerEncoderLayer(d, heads, f, activation="gelu", norm_first=True, device="meta")


def _gpt(V: int, C: int, d: int, L: int, f: int = 0) -> nn.ModuleDict:
    head, tokens = nn.Linear(d, V, bias=False, device="meta"), nn.Embedding(V, d, device="meta")
    network = nn.ModuleDict(
        dict(
            tokens=tokens,
            positions=nn.Embedding(C, d, device="meta"),
            layers=nn.ModuleList(_layer(d, f or 4 * d) for _ in range(L)),
            norm=nn.LayerNorm(d, device="meta"),
            head=head,
        )
    )
    head.weight = tokens.weight  # tied: parameters() yields it once
    return network


def gpt2_small_params(V: int, C: int, d: int, L: int) -> dict[str, Any]:
    network = _gpt(V, C, d, L)
    embeddings = _count(network["tokens"]) + _count(network["positions"])
    return dict(E=embeddings, B=_count(_layer(d, 4 * d)), P=_count(network))


def gpt_budget(M: int, V: int, C: int, d: int) -> dict[str, Any]:
    L, P, layer = 0, _count(_gpt(V, C, d, 0)), _count(_layer(d, 4 * d))
    while P + layer <= M:
        L, P = L + 1, P + layer
    return dict(L=L, P=P)


def gpt_tying(V: int, C: int, d: int, L: int) -> dict[str, Any]:
    network = _gpt(V, C, d, L)
    tied = _count(network)
    network["head"] = nn.Linear(d, V, bias=False, device="meta")
    return dict(P=tied, U=_count(network), r=100 * _count(network["tokens"]) / tied)


def gpt_swiglu(V: int, d: int, L: int, h: int, g: int, e: int, f: int) -> dict[str, Any]:
    def linear(i: int, o: int) -> nn.Linear:
        return nn.Linear(i, o, bias=False, device="meta")

    attention = nn.ModuleList([linear(d, h * e), linear(d, g * e), linear(d, g * e), linear(h * e, d)])
    feed_forward = nn.ModuleDict(dict(gate=linear(d, f), up=linear(d, f), down=linear(f, d)))
    norm = nn.RMSNorm(d, device="meta")
    A, F_ = _count(attention), _count(feed_forward)
    ends = _count(nn.Embedding(V, d, device="meta")) + _count(linear(d, V)) + _count(norm)
    return dict(A=A, F=F_, P=ends + L * (A + F_ + 2 * _count(norm)))


def transformer_rule(L: int, d: float) -> float:
    layer = _layer(int(d), 4 * int(d))
    return L * sum(p.numel() for p in layer.parameters() if p.dim() == 2) / 1e6


def swiglu_width(m: float, h: int, g: int) -> dict[str, Any]:
    widths, hidden = [], []
    for factor in (1, 2, 5, 12):
        d = 3 * h * factor
        old = _layer(d, round(m * d))
        total = sum(p.numel() for p in old.parameters() if p.dim() == 2)
        size = d // h
        attention = [nn.Linear(d, o, bias=False, device="meta") for o in (d, g * size, g * size, d)]
        per_unit = _count(nn.Linear(d, 3, bias=False, device="meta"))
        widths.append(d)
        hidden.append((total - sum(map(_count, attention))) / per_unit)
    return dict(f=hidden, d=widths)


def _training_flops(N: float, D: float) -> float:
    """Return the FLOPs of training on D tokens, as torch counts those of a linear layer of N weights on one token."""
    from torch.utils.flop_counter import FlopCounterMode

    layer, x = nn.Linear(8, 8, bias=False), torch.ones(1, 8, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        layer(x.to(layer.weight.dtype)).sum().backward()
    return float(counter.get_total_flops()) / layer.weight.numel() * N * D


def train_compute(N: float, D: float) -> float:
    return _training_flops(N, D)


def train_chinchilla(C: float) -> dict[str, Any]:
    low, high = 0.0, 1e6
    for _ in range(90):  # bisection: the compute of a model with 20 tokens per parameter grows with its size
        N = (low + high) / 2
        low, high = (N, high) if 6 * N * 20 * N < C else (low, N)
    return dict(N=N, D=20 * N)


def train_time(N: float, D: float, n: float, F: float, u: float) -> float:
    per_second = n * F * 1e12 * u / 100
    return _training_flops(N * 1e9, D * 1e9) / per_second / 3600 / 24


def train_memory(N: float) -> float:
    weight = nn.Parameter(torch.zeros(10, dtype=torch.float32))
    weight.grad = torch.zeros_like(weight)
    optimizer = torch.optim.Adam([weight])
    optimizer.step()
    moments = sum(value.nbytes for value in optimizer.state[weight].values() if value.dim())
    half = weight.half().nbytes
    return float(N * (weight.nbytes + moments + half + half) / 10)


def decide_compute_optimal(C: float, N: Tensor) -> dict[str, Any]:
    D = C / torch.tensor([_training_flops(float(n), 1) for n in N])
    r = D / N
    return dict(D=D, r=r, best=int((r / 20).log().abs().argmin()) + 1)


def chain_gpt_mini(B: int, T: int, V: int, d: int, h: int, L: int, f: int) -> dict[str, Any]:
    network = _gpt(V, T, d, L, f)
    logits = network["head"](torch.empty(B, T, d, device="meta"))
    cache = torch.empty(2, L, h, T, d // h, dtype=torch.float16, device="meta")
    P = _count(network)
    return dict(
        logits=list(logits.shape),
        P=P,
        N=int(torch.ones(T, T).tril().sum()),
        H=F.cross_entropy(torch.zeros(1, V), torch.tensor([0])),
        M=cache.nbytes,
        K=train_memory(P),
    )


def perplexity(p: Tensor) -> dict[str, Any]:
    # Two classes per token: the correct one and all others.
    losses = F.cross_entropy(torch.stack([p, 1 - p], dim=1).log(), torch.zeros(len(p), dtype=torch.long))
    return dict(H=losses, PP=p.log().mean().neg().exp(), bits=losses / torch.tensor(2.0).log())


def perplexity_of_loss(H: float) -> Tensor:
    return torch.tensor(float(H)).exp()


def decide_tokenizer_ppl(P1: float, t1: float, P2: float, t2: float) -> dict[str, Any]:
    # The loss of 1000 words, divided by their number.
    W = [(torch.tensor(float(P)).log().expand(round(1000 * t)).sum() / 1000).exp() for P, t in ((P1, t1), (P2, t2))]
    return dict(W1=W[0], W2=W[1], better=1 if W[0] < W[1] else 2)


def decoding_fingerprint(a: str, b: str, c: str, H: Tensor, loop: str, noise: str) -> dict[str, Any]:
    from collections import Counter

    words = dict(a=a, b=b, c=c)[loop].split()
    pairs = Counter(words[k] + " " + words[k + 1] for k in range(len(words) - 1))
    ranks = H.argsort().argsort().tolist()
    setting = {name: ("greedy", "nucleus", "hot")[rank] for name, rank in zip("abc", ranks, strict=True)}
    bits = H["abc".index(noise)] / torch.tensor(2.0).log()
    return dict(setting=setting, D=len(pairs) / pairs.total(), PP=torch.pow(2.0, bits))


def gpt_initial_loss(V: int, H: float) -> dict[str, Any]:
    expected = F.cross_entropy(torch.zeros(1, V), torch.tensor([V - 1])).item()
    problem = "leak" if 0.6 * expected > H else "large" if 1.2 * expected < H else "fine"
    return dict(H0=expected, PP=torch.tensor(float(H)).exp(), problem=problem)


def _cache_bytes(L: int, T: int, heads: int, e: int, b: int, B: int = 1) -> int:
    dtype = {1: torch.int8, 2: torch.float16, 4: torch.float32}[b]
    keys, values = (torch.empty(L, B, heads, T, e, dtype=dtype, device="meta") for _ in range(2))
    return keys.nbytes + values.nbytes


def kv_cache(L: int, T: int, g: int, e: int, B: int, b: int) -> float:
    return _cache_bytes(L, T, g, e, b, B) / 2**30


def kv_grouped(L: int, h: int, g: int, e: int, b: int) -> dict[str, Any]:
    m, k, o = (_cache_bytes(L, 1, heads, e, b) / 1024 for heads in (h, g, 1))
    return dict(m=m, k=k, o=o, r=m / k)


def kv_work(n: int, m: int) -> dict[str, Any]:
    length, W, C, cached = n, 0, 0, 0
    for _ in range(m):
        W += length
        C += length - cached
        cached, length = length, length + 1
    return dict(W=W, C=C, r=W / C)


def decide_kv_heads(G: float, W: float, L: int, T: int, e: int, h: int, g: int, k: int) -> dict[str, Any]:
    numbers = []
    for heads in (h, g, 1):
        fits = 0
        while _cache_bytes(L, T, heads, e, 2, fits + 1) <= (G - W) * 2**30:
            fits += 1
        numbers.append(fits)
    return dict(n=numbers, best=next((i for i, count in enumerate(numbers, 1) if count >= k), 4))


def debug_cache_position(n: int, s: int, bug: str, program: str) -> dict[str, Any]:
    embedding = nn.Embedding.from_pretrained(torch.arange(16.0).view(16, 1))

    def run(is_correct: bool) -> Tensor:
        cache = torch.zeros(1, 0, 1)
        for length in [n, *[1] * s]:
            first = 0 if bug == "position" and not is_correct else cache.size(1)
            x = torch.ones(1, length, 1) + embedding(torch.arange(first, first + length))
            cache = x if bug == "cache" and not is_correct else torch.cat([cache, x], dim=1)
        return cache.flatten()

    wrong = {"position": "pos = torch.arange(x.size(1))", "cache": "cache = x"}[bug]
    line = next(k for k, text in enumerate(program.splitlines(), 1) if text.strip() == wrong)
    return dict(line=line, prints=run(False), fixed=run(True))


def sampling_temperature(g: float, T: float) -> Tensor:
    return F.softmax(torch.tensor([float(g), 0.0]) / T, dim=0)[0]


def temperature_for_odds(q: float) -> dict[str, Any]:
    g = torch.tensor([0.7, 1.5, 3.0, 6.5])
    low, high = torch.zeros(4), torch.full((4,), 1e3)
    for _ in range(70):  # bisection: the probability of the less likely token grows with the temperature
        T = (low + high) / 2
        smaller = F.softmax(torch.stack([g, torch.zeros(4)]) / T, dim=0)[1] < q
        low, high = torch.where(smaller, T, low), torch.where(smaller, high, T)
    return dict(T=T, g=g)


def _after_top_k(p: Tensor, k: int) -> Tensor:
    values, indices = p.topk(k)
    return torch.zeros_like(p).scatter(0, indices, values / values.sum())


def _nucleus(p: Tensor, mass: float) -> Tensor:
    values, indices = p.sort(descending=True)
    candidates = values.cumsum(0) - values < mass
    return torch.zeros_like(p, dtype=torch.bool).scatter(0, indices, candidates & (values > 0))


def sampling_topk_topp(z: Tensor, T: float, k: int, c: float) -> dict[str, Any]:
    p = F.softmax(z / T, dim=0)
    return dict(p=p, q=_after_top_k(p, k), nucleus=["ABCDE"[i] for i in _nucleus(p, c).nonzero().flatten().tolist()])


def sampling_chain(z: Tensor, T: float, k: int, p: float, u: float) -> dict[str, Any]:
    s = F.softmax(z / T, dim=0)
    top_k = _after_top_k(s, k)
    candidates = _nucleus(top_k, p)
    q = F.normalize(top_k * candidates, p=1.0, dim=0)
    position = int(torch.searchsorted(q.cumsum(0), torch.tensor([float(u)]), right=True))
    return dict(s=s, q=q, n=int(candidates.sum()), token="ABCDE"[position])
