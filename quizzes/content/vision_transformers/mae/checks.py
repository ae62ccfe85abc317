"""Checks of the drills about masked autoencoders."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _block_macs(n: int, d: int) -> int:
    """Return the MACs of the products of a block with MLP ratio 4 on n tokens of width d."""
    x = torch.zeros(n, d, device="meta")
    with FlopCounterMode(display=False) as counter:
        for size in (3 * d, d):
            x @ torch.zeros(d, size, device="meta")
        (x @ x.T) @ x
        (x @ torch.zeros(d, 4 * d, device="meta")) @ torch.zeros(4 * d, d, device="meta")
    return int(counter.get_total_flops()) // 2


def mae_visible(image: int, patch: int, r: float) -> dict[str, int]:
    tokens = F.unfold(torch.zeros(1, 1, image, image), patch, stride=patch).transpose(1, 2)
    N = tokens.shape[1]
    visible = torch.rand(N).argsort()[: int(round(N * (1 - r), 6))]
    mask = torch.ones(N)
    mask[visible] = 0
    encoder = torch.cat([torch.zeros(1), torch.zeros(N)[visible]])
    return dict(v=len(visible), m=int(mask.sum()), enc=len(encoder), dec=len(torch.cat([torch.zeros(1), mask])))


def mae_visible_inverse(N: int, r: float) -> dict[str, Any]:
    return dict(v=N - round(N * r), N=N, r=r)


def mae_loss(err: Tensor, mask: Tensor) -> dict[str, Any]:
    return dict(count=int(mask.sum()), L=err[mask.bool()].mean())


def mae_target(x: Tensor, y: Tensor) -> dict[str, Any]:
    mu, var = x.mean(), x.var()
    t = (x - mu) / var.sqrt()
    return dict(mu=mu, var=var, t=t, L=F.mse_loss(y, t))


def mae_shuffle(noise: Tensor, k: int) -> dict[str, Any]:
    order = noise.argsort()
    mask = torch.ones(len(noise))
    mask[:k] = 0
    restore = order.argsort()
    return dict(keep=order[:k], restore=restore, mask=mask.gather(0, restore))


def mae_cost(N: int, r: float, d: int, L: int, d_dec: int, L_dec: int) -> dict[str, Any]:
    v = int(N * (1 - r))
    encoder, decoder = L * _block_macs(v, d), L_dec * _block_macs(N, d_dec)
    return dict(encoder=encoder, decoder=decoder, speedup=L * _block_macs(N, d) / (encoder + decoder))


def mae_params(image: int, patch: int, width: int, width_dec: int, layers_dec: int, channels: int) -> dict[str, int]:
    tokens = F.unfold(torch.zeros(1, channels, image, image, device="meta"), patch, stride=patch)
    with torch.device("meta"):
        embed, head = nn.Linear(width, width_dec), nn.Linear(width_dec, tokens.shape[1])
        block = nn.TransformerEncoderLayer(width_dec, 1, 4 * width_dec)
        mask_token, positions = nn.Embedding(1, width_dec), nn.Embedding(tokens.shape[2] + 1, width_dec)
        norm = nn.LayerNorm(width_dec)
    parts = [embed, mask_token, positions, norm, head]
    return dict(embed=_count(embed), head=_count(head), decoder=sum(map(_count, parts)) + layers_dec * _count(block))


def derive_mae_speedup(N: int, d: int) -> dict[str, Any]:
    # The cost is a quadratic function of the number of tokens, so that shares of N need not be integers.
    a, b = _block_macs(1, d), _block_macs(2, d)
    linear, quadratic = (4 * a - b) / 2, (b - 2 * a) / 2

    def macs(n: float) -> float:
        return linear * n + quadratic * n * n

    ratios = [0.1, 0.25, 0.4, 0.6, 0.75, 0.9]
    speedups = [macs(N) / macs((1 - r) * N) for r in ratios]
    return dict(S=speedups, r=ratios, S_3=_block_macs(N, d) / _block_macs(N // 4, d))


def debug_mae_loss(err: Tensor, mask: Tensor, program: str) -> dict[str, Any]:
    fixed = err[mask.bool()].mean()
    if "1 - mask" in program:
        return dict(line=5, printed=err[~mask.bool()].sum() / mask.sum(), fixed=fixed)
    return dict(line=4, printed=F.mse_loss((err * mask).sqrt(), torch.zeros_like(err)), fixed=fixed)


def decide_mae_ratio(N: int, d: int, L: int, d_dec: int, L_dec: int, budget: float) -> dict[str, Any]:
    decoder = L_dec * _block_macs(N, d_dec)
    costs = [L * _block_macs(round(N * (1 - r)), d) + decoder for r in (0.25, 0.5, 0.75)]
    best = next(k for k, cost in enumerate(costs) if cost <= budget * 1e9)
    return dict(best=best + 1, cost=costs[best] / 1e9, speedup=L * _block_macs(N, d) / costs[best])
