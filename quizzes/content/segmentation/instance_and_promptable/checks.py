"""Checks of the drills about Mask R-CNN, SAM and SAM 2."""

from collections import deque
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def roi_align(x: float, y: float, a: float, b: float, c: float, d: float) -> float:
    cells = torch.tensor([[[[a, b], [c, d]]]]).double()
    grid = 2 * torch.tensor([[[[x, y]]]]) - 1  # from -1 to 1 between the centers of the corner cells
    return F.grid_sample(cells, grid, align_corners=True).item()


def roi_align_bins(X: Tensor, roi: Tensor, s: int, k: int, n: int, aligned: int) -> dict[str, Any]:
    from torchvision.ops import roi_align

    # A map whose values are the columns or the rows gives the coordinates of its sampling points.
    ramp = torch.arange(64.0).expand(64, 64)
    maps = torch.stack([ramp, ramp.T])[None]
    points = roi_align(maps, [roi[None] + 8 * s], k * n, 1 / s, 1, bool(aligned))[0] - 8
    output = roi_align(X[None, None], [roi[None]], k, 1 / s, n, bool(aligned))
    return dict(x=points[0, 0], y=points[1, :, 0], O=output[0, 0])


def roi_align_points(x1: float, x2: float, s: int, k: int, n: int, h: float, i: int, j: int) -> dict[str, Any]:
    from torchvision.ops import roi_align

    ramp = torch.arange(256.0).expand(1, 1, 4, 256)
    boxes = [torch.tensor([[x1, 0, x2, s]]).double()]
    samples = roi_align(ramp, boxes, (1, k * n), 1 / s, 1, aligned=h > 0)[0, 0, 0]
    centers = roi_align(ramp, boxes, (1, k), 1 / s, 1, aligned=h > 0)[0, 0, 0]
    width = centers[1] - centers[0]
    return dict(bin=width, first=centers[0] - width / 2, x=samples[i * n + j])


def roi_align_shift(x1: int, x2: int, s: int, m: int) -> dict[str, Any]:
    from torchvision.ops import roi_pool

    ramp = torch.arange(256.0).expand(1, 1, 4, 256)
    box = [torch.tensor([[x1, 0.0, x1, 0]])]
    cell = roi_pool(ramp, box, 1, 1 / s).item()  # the only cell of a region without extent
    shift = abs(cell * s - x1)
    return dict(exact=x1 / s, cell=cell, shift=shift, mask_shift=shift / ((x2 - x1) / m))


def _mask_head(C: int, K: int, layers: int) -> nn.Sequential:
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

    with torch.device("meta"):
        return nn.Sequential(MaskRCNNHeads(C, [C] * layers, 1), MaskRCNNPredictor(C, C, K))


def maskrcnn_head(N: int, K: int, r: int, C: int) -> dict[str, Any]:
    features = torch.zeros(N, C, r, r, device="meta")
    masks = _mask_head(C, K, 4)(features)
    selected = masks[torch.arange(N), torch.zeros(N).long()]
    shapes = dict(features=list(features.shape), masks=list(masks.shape))
    return dict(logits=masks.numel(), final=selected.numel(), **shapes)


def maskrcnn_head_params(C: int, t: int, K: int) -> dict[str, Any]:
    head = _mask_head(C, K, t)
    sizes = {name: p.numel() for name, p in head.named_parameters()}
    convolutions = sum(size for name, size in sizes.items() if name.startswith("0."))
    up = sum(size for name, size in sizes.items() if "conv5_mask" in name)
    total = sum(sizes.values())
    return dict(P_conv=convolutions, P_up=up, P_out=total - convolutions - up, P=total)


def maskrcnn_head_loss(Z: Tensor, g: Tensor, c: int) -> Tensor:
    return F.binary_cross_entropy_with_logits(Z[c], g)


def mask_ap(iou: list[float], n: int) -> dict[str, Any]:
    def ap(percent: int) -> float:
        counts = np.cumsum([round(100 * value) >= percent for value in iou])
        precision = counts / np.arange(1, len(iou) + 1)
        return float(np.mean([max(precision[counts >= goal], default=0) for goal in range(1, n + 1)]))

    values = [ap(percent) for percent in range(50, 100, 5)]
    return dict(AP50=values[0], AP75=values[5], AP=float(np.mean(values)))


def _upscaling(C: int) -> nn.Sequential:
    with torch.device("meta"):
        return nn.Sequential(nn.ConvTranspose2d(C, C // 4, 2, 2), nn.ConvTranspose2d(C // 4, C // 8, 2, 2))


def sam_shapes(S: int, p: int, masks: str) -> dict[str, Any]:
    with torch.device("meta"):
        tokens = nn.Conv2d(3, 768, p, p)(torch.zeros(1, 3, S, S))
        embedding = nn.Conv2d(768, 256, 1)(tokens)
        vectors = torch.zeros(1, 3 if masks == "several" else 1, 32)
        low = torch.einsum("nmc,nchw->nmhw", vectors, _upscaling(256)(embedding))
    return dict(
        n=tokens.flatten(2).shape[-1],
        embedding=list(embedding.shape[1:]),
        low=list(low.shape[1:]),
        up=S / low.shape[-1],
    )


def sam_shapes_tokens(points: int, box: int, n: int) -> dict[str, Any]:
    clicks = torch.zeros(points + (not box), 256)  # with the padding point of the official code
    prompt = torch.cat([clicks, torch.zeros(2 * box, 256)])
    tokens = torch.cat([torch.zeros(1, 256), torch.zeros(4, 256), prompt])
    return dict(
        sparse=len(prompt), tokens=len(tokens), self_pairs=(tokens @ tokens.T).numel(), image_pairs=len(tokens) * n
    )


def sam_shapes_windows(g: int, w: int) -> dict[str, Any]:
    padding = -g % w
    grid = F.pad(torch.zeros(1, 1, g, g), (0, padding, 0, padding))
    windows = F.unfold(grid, w, stride=w)[0]  # (w*w, windows)
    local = windows.shape[1] * windows.shape[0] ** 2
    whole = (g * g) ** 2
    return dict(padded=grid.shape[-1], windows=windows.shape[1], local=local, whole=whole, ratio=whole / local)


def sam_shapes_mask(C: int, g: int, m: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    layers = _upscaling(C)
    upscaled = layers(torch.zeros(1, C, g, g, device="meta"))
    with FlopCounterMode(display=False) as counter:
        torch.zeros(m, upscaled.shape[1], device="meta") @ upscaled[0].flatten(1)
    P = sum(p.numel() for p in layers.parameters())
    return dict(c=upscaled.shape[1], size=upscaled.shape[2], P=P, M=counter.get_total_flops() // 2)


def sam_loss(f: Tensor, d: Tensor, s: Tensor, u: Tensor) -> dict[str, Any]:
    losses = torch.stack([f, d]).T @ torch.tensor([20.0, 1.0])
    best = int(losses.argmin())
    return dict(t=losses, L=losses[best] + F.mse_loss(s[best], u[best]), pick=int(s.argmax()) + 1)


def sam_ambiguous_click(a: int, b: int, r: float) -> dict[str, Any]:
    logit = torch.zeros((), requires_grad=True)
    targets, weights = torch.tensor([1.0, 0.0]), torch.tensor([r, 1 - r])
    optimizer = torch.optim.LBFGS([logit], lr=1, max_iter=200, tolerance_grad=1e-14, tolerance_change=1e-16)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(logit.expand(2), targets, weights, reduction="sum")
        value.backward()
        return value

    optimizer.step(loss)
    p = torch.ones(b)
    p[a:] = logit.detach().sigmoid()
    part, whole = (torch.arange(b) < area for area in (a, b))
    bce = r * F.binary_cross_entropy(p, whole.double()) + (1 - r) * F.binary_cross_entropy(p, part.double())
    dice = [2 * p[mask].sum() / (p.sum() + mask.sum()) for mask in (part, whole)]
    return dict(p=p[-1], L=bce, d_part=dice[0], d_whole=dice[1], hard=1 if p[-1] > 0.5 else 2)


def sam2_memory(N: int, M: int, q: int, g: int, bytes: int) -> dict[str, Any]:
    kinds = {2: torch.float16, 4: torch.float32}
    with torch.device("meta"):
        frames = torch.zeros(N + M, 64, g, g, dtype=kinds[bytes]).permute(0, 2, 3, 1).reshape(-1, 64)
        pointers = torch.zeros(q, 256, dtype=kinds[bytes]).reshape(-1, 64)
        memory = torch.cat([frames, pointers])
    return dict(n=len(memory), MiB=memory.nbytes / 2**20, pairs=g * g * len(memory))


def sam2_memory_bank(t: int, N: int, prompted: list[int], g: int) -> dict[str, Any]:
    recent: deque[int] = deque(maxlen=N)
    permanent: list[int] = []
    for frame in range(t):
        (permanent if frame in prompted else recent).append(frame)
    frames = sorted([*permanent, *recent])
    return dict(frames=frames, count=len(frames), oldest=recent[0], n=torch.zeros(len(frames), g, g).numel())
