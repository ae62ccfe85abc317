"""Checks of the drills about ViT."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _block(d: int, m: int) -> int:
    return _count(nn.TransformerEncoderLayer(d, 1, m * d, device="meta"))


def vit_tokens_params(H: int, W: int, P: int, C: int, cls: int) -> dict[str, int]:
    patches = F.unfold(torch.zeros(1, C, H, W, device="meta"), P, stride=P)
    return dict(N=patches.shape[2], T=patches.shape[2] + cls, D=patches.shape[1])


def vit_patches(n: int, P: int) -> int:
    patches = nn.Conv2d(3, 8, P, stride=P, device="meta")(torch.zeros(1, 3, n, n, device="meta"))
    return 1 + int(patches.flatten(2).shape[2])


def vit_embedding(image: int, patch: int, channels: int, width: int) -> dict[str, int]:
    projection = nn.Conv2d(channels, width, patch, stride=patch, device="meta")
    N = projection(torch.zeros(1, channels, image, image, device="meta")).flatten(2).shape[2]
    return dict(N=N, E=_count(projection), positions=_count(nn.Embedding(N + 1, width, device="meta")))


def vit_params(
    image: int, patch: int, width: int, layers: int, mlp: int, channels: int, classes: int, cls: int
) -> dict[str, int]:
    projection = nn.Conv2d(channels, width, patch, stride=patch, device="meta")
    N = projection(torch.zeros(1, channels, image, image, device="meta")).flatten(2).shape[2]
    tokens = _count(nn.Embedding(N + cls, width, device="meta")) + cls * width
    block = _block(width, mlp)
    last = nn.Sequential(nn.LayerNorm(width, device="meta"), nn.Linear(width, classes, device="meta"))
    return dict(block=block, tokens=tokens, P=_count(projection) + tokens + layers * block + _count(last))


def vit_layer_cost(N: int, d: int) -> dict[str, Any]:
    x = torch.zeros(N, d, device="meta")
    with FlopCounterMode(display=False) as linear:
        for size in (3 * d, d):
            x @ torch.zeros(d, size, device="meta")
        (x @ torch.zeros(d, 4 * d, device="meta")) @ torch.zeros(4 * d, d, device="meta")
    with FlopCounterMode(display=False) as attention:
        (x @ x.T) @ x
    a, b = linear.get_total_flops() // 2, attention.get_total_flops() // 2
    return dict(linear=a, attention=b, share=b / (a + b))


def vit_scaling(f: int) -> dict[str, int]:
    small, large = (nn.functional.unfold(torch.zeros(1, 1, 2 * k, 2 * k, device="meta"), 2, stride=2) for k in (1, f))
    t = large.shape[2] // small.shape[2]
    return dict(t=t, a=torch.zeros(t, t, device="meta").numel(), f=f)


def vit_memory(image: int, patch: int, layers: int, heads: int, batch: int, size: int, cls: int) -> dict[str, Any]:
    T = F.unfold(torch.zeros(1, 1, image, image, device="meta"), patch, stride=patch).shape[2] + cls
    dtype = torch.float16 if size == 2 else torch.float32
    weights = torch.zeros(layers, batch, heads, T, T, dtype=dtype, device="meta")
    return dict(T=T, A=weights.numel(), MiB=weights.nbytes / 2**20)


def derive_vit_crossover(m: int | None = None, d: int | None = None) -> dict[str, Any]:
    from scipy.optimize import brentq

    widths = [d] * 6 if d else [16, 100, 333, 768, 1024, 1999]
    ratios = [m] * 6 if m else [1, 2, 3, 4, 6, 8]

    def difference(N: float, d: int, m: int) -> float:
        return 2 * N * N * d - (4 + 2 * m) * N * d * d

    roots = [brentq(difference, 0.5, 100 * w, args=(w, k), xtol=1e-9) for w, k in zip(widths, ratios, strict=True)]
    return dict(N=roots, d=widths, m=ratios)


def diagnose_vit_log(train: float, val: float, shuffled: float) -> dict[str, Any]:
    gap, drop = (float(torch.tensor([a, b]).diff().neg()) for a, b in ((train, val), (val, shuffled)))
    return dict(gap=gap, drop=drop, problem=1 if drop < 5 else 2 if gap > 10 else 3)


def debug_pos_embed(n: int, P: int, d: int, program: str) -> dict[str, Any]:
    tokens = nn.Conv2d(3, d, P, stride=P, device="meta")(torch.zeros(2, 3, n, n, device="meta")).flatten(2)
    cls = torch.zeros(2, 1, d, device="meta")
    lines = program.splitlines()
    number = {
        key: k for k, text in enumerate(lines, 1) for key in ("self.pos =", "flatten", "torch.cat") if key in text
    }
    if "transpose" not in program:
        sizes, line = (tokens.shape[2], cls.shape[2]), number["flatten"]
    else:
        tokens = torch.cat([cls, tokens.transpose(1, 2)], 1)
        sizes, line = (tokens.shape[1], tokens.shape[1] - 1), number["self.pos ="]
    return dict(line=line, raised=number["torch.cat"], a=max(sizes), b=min(sizes))


def decide_patch_size(n: int, d: int, L: int, budget: float, p1: int, p2: int, p3: int, p4: int) -> dict[str, Any]:
    costs = [
        L * sum(vit_layer_cost((n // p) ** 2, d)[part] for part in ("linear", "attention")) for p in (p1, p2, p3, p4)
    ]
    best = next(k for k, cost in enumerate(costs) if cost <= budget * 1e9)
    return dict(best=best + 1, cost=costs[best] / 1e9)


def chain_vit_mini(n: int, P: int, d: int, heads: int, L: int, m: int, K: int, use: str) -> dict[str, Any]:
    from torchvision.models import VisionTransformer

    with torch.device("meta"):
        small, large = (VisionTransformer(size, P, L, heads, d, m * d, num_classes=K) for size in (n, 2 * n))
    tokens = [network.seq_length for network in (small, large)]
    A, A_2 = (heads * count**2 for count in tokens)
    task = "image" if "size" in use else "classes" if "classes" in use else "gray"
    return dict(T=tokens[0], params=_count(small), A=A, A_2=A_2, growth=_count(large) - _count(small), task=task)
