"""Checks of the drills about T2T-ViT."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _split(n: int, k: int, s: int, p: int, C: int = 1) -> tuple[int, int]:
    """Return the number of tokens of a soft split, and the number of values of each."""
    tokens = F.unfold(torch.zeros(1, C, n, n, device="meta"), k, stride=s, padding=p)
    return tokens.shape[2], tokens.shape[1]


def t2t_soft_split(n: int, k: int, s: int, p: int, C: int) -> dict[str, int]:
    T, D = _split(n, k, s, p, C)
    return dict(o=round(T**0.5), T=T, D=D)


def soft_split_length(n: int, k: int, s: int, p: int) -> dict[str, int]:
    return dict(o=round(_split(n, k, s, p)[0] ** 0.5), n=n, k=k)


def soft_split_overlap(k: int, s: int) -> dict[str, int]:
    n = 4 * k
    image = torch.ones(1, 1, n, n)
    patches = F.unfold(image, k, stride=s)
    lies_in = F.fold(patches, n, k, stride=s)  # adds up the patches
    first, second = (set(range(start, start + k)) for start in (0, s))
    return dict(v=len(first & second), f=int(lies_in[0, 0, n // 2, n // 2]))


def t2t_module(n: int, c: int) -> dict[str, int]:
    lengths: list[int] = []
    for k, s, p in ((7, 4, 2), (3, 2, 1), (3, 2, 1)):
        T, D = _split(lengths[-1] if lengths else n, k, s, p, c)
        lengths.append(round(T**0.5))
    return dict(o1=lengths[0], o2=lengths[1], T=T + 1, D3=D)


def t2t_attention(n: int) -> dict[str, Any]:
    N, M = _split(n, 7, 4, 2)[0], _split(n, 16, 16, 0)[0]
    weights = torch.zeros(N, N, dtype=torch.float32, device="meta")
    return dict(N=N, ratio=weights.numel() // torch.zeros(M, M, device="meta").numel(), MiB=weights.nbytes / 2**20)


def t2t_block(L: int, d: int, m: int, d_vit: int) -> dict[str, Any]:
    with torch.device("meta"):
        thin, wide = nn.TransformerEncoderLayer(d, 1, m * d), nn.TransformerEncoderLayer(d_vit, 1, 4 * d_vit)
    parameters = _count(thin) - thin.self_attn.in_proj_bias.numel()
    return dict(thin=parameters, B=L * parameters, ratio=12 * _count(wide) / (L * parameters))


def derive_t2t_values(k: int, s: int) -> dict[str, Any]:
    sizes = [k + s * steps for steps in (k, 10, 17, 29)]
    values = []
    for n in sizes:
        T, D = _split(n, k, s, 0)
        values.append(T * D / n**2)
    # Away from the border, each pixel is copied as often as patches contain it: k/s per side on average.
    n = 4 * k * s
    copies = F.fold(F.unfold(torch.ones(1, 1, n, n), k, stride=s), n, k, stride=s)[0, 0]
    return dict(f=values, n=sizes, limit=copies[k : k + s, k : k + s].mean())


def debug_t2t_reshape(s: int, c: int, o: int, program: str) -> dict[str, Any]:
    tok = torch.arange(o, o + s * s).double().view(1, s * s, 1).expand(1, s * s, c)
    correct = tok.transpose(1, 2).unflatten(2, (s, s))
    is_mixed = "transpose" not in program
    image = tok.flatten()[: s * s].view(s, s) if is_mixed else correct[0, 0]
    shape = list(F.unfold(correct, 2, padding=1, stride=1 if is_mixed else 2).shape)
    expected = list(F.unfold(correct, 2, padding=1).shape)
    line = 3 if is_mixed else 5
    return dict(line=line, printed=image, shape=shape, fixed=correct[0, 0], fixed_shape=expected)


def decide_t2t_split(
    n: int,
    C: int,
    goal: int,
    overlap: int,
    k1: int,
    s1: int,
    p1: int,
    k2: int,
    s2: int,
    p2: int,
    k3: int,
    s3: int,
    p3: int,
) -> dict[str, int]:
    for number, (k, s, p) in enumerate(((k1, s1, p1), (k2, s2, p2), (k3, s3, p3)), 1):
        T, D = _split(n, k, s, p, C)
        if goal**2 == T and len(set(range(k)) & set(range(s, s + k))) == overlap:
            return dict(best=number, D=D)
    return dict(best=0, D=0)
