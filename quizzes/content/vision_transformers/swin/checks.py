"""Checks of the drills about Swin."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _attention_macs(groups: int, tokens: int, C: int) -> int:
    """Return the MACs of attention with its projections over groups of tokens."""
    x = torch.zeros(groups, tokens, C, device="meta")
    with FlopCounterMode(display=False) as counter:
        for size in (3 * C, C):
            x @ torch.zeros(groups, C, size, device="meta")
        (x @ x.transpose(1, 2)) @ x
    return int(counter.get_total_flops()) // 2


def _windows(x: Tensor, M: int) -> Tensor:
    """Return the tokens of each window (windows, M*M) of a map (h, w)."""
    return F.unfold(x[None, None].double(), M, stride=M)[0].T


def swin_complexity(h: int, w: int, C: int, M: int) -> dict[str, Any]:
    msa, wmsa = _attention_macs(1, h * w, C), _attention_macs(h * w // M**2, M * M, C)
    return dict(msa=msa, wmsa=wmsa, ratio=msa / wmsa)


def swin_windows(h: int, w: int, M: int) -> dict[str, int]:
    padded = F.pad(torch.ones(h, w), (0, -w % M, 0, -h % M))
    windows = _windows(padded, M)
    return dict(n=len(windows), pad=int((padded == 0).sum()), pairs=(windows[:, :, None] == windows[:, None]).numel())


def swin_square(h: int, M: int) -> dict[str, int]:
    return dict(n=len(_windows(torch.zeros(h, h), M)), h=h, M=M)


def swin_stages(image: int, C: int, k: int) -> dict[str, int]:
    x = nn.Conv2d(3, C, 4, stride=4, device="meta")(torch.zeros(1, 3, image, image, device="meta"))
    for _ in range(k - 1):
        x = nn.Conv2d(x.shape[1], 2 * x.shape[1], 2, stride=2, device="meta")(x)
    return dict(h=x.shape[2], c=x.shape[1], T=x[0, 0].numel())


def patch_merging(h: int, w: int, C: int) -> dict[str, int]:
    from torchvision.models.swin_transformer import PatchMerging

    layer = PatchMerging(C)
    y = layer(torch.zeros(1, h, w, C))
    return dict(T_out=y[0, :, :, 0].numel(), C_in=layer.reduction.in_features, P=_count(layer))


def swin_block(C: int, M: int, heads: int, mlp: int) -> dict[str, int]:
    from torchvision.models.swin_transformer import SwinTransformerBlock

    block = SwinTransformerBlock(C, heads, [M, M], [0, 0], mlp_ratio=mlp)
    biases = block.attn.relative_position_bias_table.numel()
    norms = _count(block.norm1) + _count(block.norm2)
    return dict(biases=biases, dense=_count(block) - biases - norms, P=_count(block))


def swin_shift(h: int, w: int, M: int) -> dict[str, int]:
    original = torch.arange(h * w).view(h, w)
    s = M // 2
    shifted = _windows(original.roll((-s, -s), (0, 1)), M)
    # A window needs no mask if its tokens are a square of the original map.
    joined = sum(
        len({*(window // w).tolist()}) != M or int(window[-1] - window[0]) != (M - 1) * (w + 1) for window in shifted
    )
    padded = F.pad(original, (M - s, s, M - s, s))
    return dict(n=len(shifted), n_padded=len(_windows(padded, M)), masked=joined)


def swin_neighbors(h: int, w: int, M: int, s: int, i: int, j: int) -> dict[str, int]:
    # The regions as the official code numbers them, on the shifted map.
    regions = torch.zeros(h, w)
    slices = (slice(0, -M), slice(-M, -s), slice(-s, None))
    for number, (rows, columns) in enumerate((a, b) for a in slices for b in slices):
        regions[rows, columns] = number
    tokens = _windows(torch.arange(h * w).view(h, w).roll((-s, -s), (0, 1)), M)
    numbers = _windows(regions, M)
    window, position = (int(k) for k in (tokens == i * w + j).nonzero()[0])
    group = tokens[window][numbers[window] == numbers[window, position]]
    return dict(rows=len({*(group // w).tolist()}), columns=len({*(group % w).tolist()}), n=len(group))


def derive_swin_mask(M: int | None = None, s: int | None = None) -> dict[str, Any]:
    sizes = [M or k for k in (6, 7, 8, 9, 10)] if s is None else [s + k for k in (1, 2, 4, 5, 9)]
    shifts = [s or k % (size - 1) + 1 for k, size in enumerate(sizes)]
    edge, corner = [], []
    for size, shift in zip(sizes, shifts, strict=True):
        pieces = torch.arange(size) < shift
        pairs = pieces[:, None] == pieces  # pairs along a side that are of one piece
        whole = torch.ones_like(pairs)
        edge.append(int(torch.kron(pairs.long(), whole.long()).sum()))
        corner.append(int(torch.kron(pairs.long(), pairs.long()).sum()))
    return dict(edge=edge, corner=corner, M=sizes, s=shifts)


def swin_crossover(C: int, M: int, r: int) -> dict[str, Any]:
    counts = [M * M * k for k in (2, 4, 9, 25, 100)]
    ratios = [_attention_macs(1, N, C) / _attention_macs(N // M**2, M * M, C) for N in counts]
    slope = (ratios[-1] - ratios[0]) / (counts[-1] - counts[0])  # the ratio is linear in N
    return dict(ratio=ratios, N=counts, N_r=round(counts[0] + (r - ratios[0]) / slope))


def debug_swin_windows(h: int, M: int, o: int, program: str) -> dict[str, Any]:
    numbers = torch.arange(o, o + h * h).view(h, h)
    fixed = _windows(numbers, M)[0]
    if "permute" not in program:
        line, printed = 4, numbers.flatten()[: M * M]
    else:
        line, printed = 3, _windows(numbers, h // M).flatten()[: M * M]
    return dict(line=line, printed=printed, fixed=fixed)


def chain_swin_stages(image: int, C: int, M: int) -> dict[str, Any]:
    first, second = (swin_stages(image, C, k) for k in (1, 2))
    windows = len(_windows(torch.zeros(first["h"], first["h"]), M))
    W1, W2 = (_attention_macs(stage["T"] // M**2, M * M, stage["c"]) for stage in (first, second))
    return dict(T1=first["T"], windows=windows, W1=W1, T2=second["T"], C2=second["c"], W2=W2)
