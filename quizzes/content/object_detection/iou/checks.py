"""Checks of the drills about intersection over union."""

from typing import Any

import torch
from torch import Tensor


def iou(A: Tensor, B: Tensor) -> dict[str, Any]:
    from torchvision.ops import box_area, box_iou

    iou = box_iou(A[None], B[None])[0, 0]
    # The areas of the boxes add up to U + I = U*(1 + iou).
    U = (box_area(A[None]) + box_area(B[None]))[0] / (1 + iou)
    return dict(I=iou * U, U=U, iou=iou)


def iou_areas(a: int, b: int, I: int) -> dict[str, Any]:
    # Two boxes of height 1 that share I columns.
    from torchvision.ops import box_iou

    boxes = torch.tensor([[0.0, 0, a, 1], [a - I, 0, a - I + b, 1]], dtype=torch.float64)
    return dict(iou=box_iou(boxes[:1], boxes[1:])[0, 0], I=I, a=a)


def giou_diou(A: Tensor, B: Tensor) -> dict[str, Any]:
    from torchvision.ops import box_area, box_iou, distance_box_iou, generalized_box_iou

    a, b = A[None], B[None]
    iou, giou = box_iou(a, b)[0, 0], generalized_box_iou(a, b)[0, 0]
    corners = torch.cat([a, b]).view(4, 2)
    hull = torch.cat([corners.amin(0), corners.amax(0)])[None]
    d2 = torch.cdist((a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2)[0, 0] ** 2
    return dict(iou=iou, C=box_area(hull)[0], giou=giou, d2=d2, diou=distance_box_iou(a, b, eps=0)[0, 0])


def ciou(A: Tensor, B: Tensor) -> dict[str, Any]:
    from torchvision.ops import box_iou, complete_box_iou, distance_box_iou

    a, b = A[None], B[None]
    iou = box_iou(a, b)[0, 0]
    # The last term is alpha*v = v^2/(1 - iou + v), a quadratic equation in v.
    term = (distance_box_iou(a, b, eps=0) - complete_box_iou(a, b, eps=0))[0, 0]
    v = (term + (term**2 + 4 * term * (1 - iou)).sqrt()) / 2
    return dict(v=v, alpha=term / v, ciou=complete_box_iou(a, b, eps=0)[0, 0])


def mask_iou(A: Tensor, B: Tensor) -> dict[str, Any]:
    from sklearn.metrics import jaccard_score

    a, b = A.flatten().bool(), B.flatten().bool()
    return dict(I=int((a & b).sum()), U=int((a | b).sum()), iou=jaccard_score(a.numpy(), b.numpy()))


def giou_slide(loss: str, k: float | None = None) -> dict[str, Any]:
    from torchvision.ops import box_convert, box_iou, distance_box_iou, generalized_box_iou

    sizes = [k] * 5 if k else [1, 1.5, 2, 2.5, 3]
    shifts = [1.1 * k, 1.5 * k, 2 * k, 4 * k, 6 * k] if k else [4, 5, 7, 9, 12]
    giou, slope, diou, slopes = [], [], [], []
    for size, shift in zip(sizes, shifts, strict=True):
        t = torch.tensor(float(shift), dtype=torch.float64, requires_grad=True)
        fixed = torch.tensor([[0.0, 0, size, size]], dtype=torch.float64)
        moving = fixed + torch.stack([t, t * 0, t, t * 0])
        one = generalized_box_iou(fixed, moving)[0, 0]
        giou.append(one.item())
        slope.append(torch.autograd.grad(one, t)[0].item())
        moving = fixed + torch.stack([t, t * 0, t, t * 0])
        diou.append(distance_box_iou(fixed, moving, eps=0)[0, 0].item())
        corners = (moving - fixed).abs().sum()
        centers = (box_convert(moving, "xyxy", "cxcywh") - box_convert(fixed, "xyxy", "cxcywh"))[:, :2].abs().sum()
        value = {
            "1 - IoU": 1 - box_iou(fixed, moving)[0, 0],
            "-ln(IoU + 0.01)": -(box_iou(fixed, moving)[0, 0] + 0.01).log(),
            "1 - GIoU": 1 - generalized_box_iou(fixed, moving)[0, 0],
            "1 - DIoU": 1 - distance_box_iou(fixed, moving, eps=0)[0, 0],
            "the L1 distance of the corners": corners,
            "the L1 distance of the centers": centers,
        }[loss]
        slopes.append(torch.autograd.grad(value, t)[0].item())
    changes = max(slopes) - min(slopes) > 1e-9
    effect = "fading" if changes else "zero" if abs(slopes[0]) < 1e-12 else "constant"
    return dict(giou=giou, slope=slope, diou=diou, effect=effect, t=shifts, k=sizes)


def debug_iou_clamp(a: Tensor, b: Tensor, program: str) -> dict[str, Any]:
    from torchvision.ops import box_area, box_iou

    corners = torch.max(a[:2], b[:, :2]), torch.min(a[2:], b[:, 2:])
    extents, areas = corners[1] - corners[0], box_area(torch.cat([a[None], b]))
    if "clamp" in program:
        return dict(line=6, printed=extents.relu().prod(1) / (areas[0] + areas[1:]), fixed=box_iou(a[None], b)[0])
    inter = extents.prod(1)
    return dict(line=4, printed=inter / (areas[0] + areas[1:] - inter), fixed=box_iou(a[None], b)[0])
