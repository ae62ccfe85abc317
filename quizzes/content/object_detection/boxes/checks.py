"""Checks of the drills about boxes and sliding windows."""

from typing import Any

import torch
from torch import Tensor, nn


def _convert(box: list[float], source: str, target: str) -> list[float]:
    from torchvision.ops import box_convert

    result: list[float] = box_convert(torch.tensor([box], dtype=torch.float64), source, target)[0].tolist()
    return result


def _positions(W: int, H: int, w: int, h: int, s: int) -> tuple[int, int]:
    """Return the columns and rows of a convolution whose kernel is the window."""
    y = nn.Conv2d(1, 1, (h, w), stride=s, device="meta")(torch.zeros(1, 1, H, W, device="meta"))
    return y.shape[3], y.shape[2]


def box_format(x1: float, y1: float, x2: float, y2: float) -> dict[str, float]:
    return dict(zip(("cx", "cy", "w", "h"), _convert([x1, y1, x2, y2], "xyxy", "cxcywh"), strict=True))


def box_corners(cx: float, cy: float, w: float, h: float) -> dict[str, float]:
    return dict(zip(("x1", "y1", "x2", "y2"), _convert([cx, cy, w, h], "cxcywh", "xyxy"), strict=True))


def box_normalized(x: float, y: float, w: float, h: float, W: int, H: int) -> dict[str, Any]:
    center = torch.tensor(_convert([x, y, w, h], "xywh", "cxcywh")) / torch.tensor([W, H, W, H])
    return dict(zip(("cx", "cy", "nw", "nh"), center, strict=True))


def box_letterbox(W: int, H: int, n: int, x: float, y: float, w: float) -> dict[str, Any]:
    # The map of coordinates that takes the image's center to the input's center.
    shrink = torch.tensor([n, n]) / torch.tensor([W, H])
    r = shrink.min()
    corners = torch.tensor([[x, y], [x + w, y]]) - torch.tensor([W, H]) / 2
    corners = corners * r + n / 2
    return dict(r=r, x_new=corners[0, 0], y_new=corners[0, 1], w_new=corners[1, 0] - corners[0, 0])


def sliding_window_count(W: int, H: int, w: int, h: int, s: int) -> dict[str, int]:
    columns, rows = _positions(W, H, w, h, s)
    return dict(columns=columns, rows=rows, n=len([(x, y) for x in range(columns) for y in range(rows)]))


def sliding_square(W: int, w: int, s: int) -> dict[str, int]:
    columns, rows = _positions(W, W, w, w, s)
    return dict(n=columns * rows, W=W, w=w, s=s)


def sliding_scales(W: int, H: int, w: list[int], s: int, ms: float) -> dict[str, Any]:
    starts = [(x, y) for size in w for x in range(0, W, s) for y in range(0, H, s) if x + size <= W and y + size <= H]
    return dict(n=len(starts), t=sum(ms for _ in starts) / 1000)


def sliding_reuse(W: int, H: int, w: int, s: int) -> dict[str, Any]:
    columns, rows = _positions(W, H, w, w, s)

    def windows_over(length: int, count: int) -> Tensor:
        pixels, starts = torch.arange(length), s * torch.arange(count)
        return ((starts[:, None] <= pixels) & (pixels < starts[:, None] + w)).sum(0)

    covered = windows_over(H, rows)[:, None] * windows_over(W, columns)
    return dict(n=columns * rows, R=covered.double().mean())


def localization_head(F: int, K: int) -> dict[str, int]:
    def count(outputs: int) -> int:
        return sum(weights.numel() for weights in nn.Linear(F, outputs, device="meta").parameters())

    return dict(P_class=count(K), P_box=count(4), P_specific=count(4 * K))


def small_object(a: float, W: int, n: int, s: int) -> dict[str, Any]:
    # Both edges of the object on the map, by the interpolation's scale.
    edges = torch.tensor([0.0, a]) * (torch.tensor(n) / W)
    return dict(c=(edges / s).diff()[0], a=a, n=n)
