"""Checks of the drills about intersection over union."""

from typing import Any

from torch import Tensor


def iou(A: Tensor, B: Tensor) -> dict[str, Any]:
    from torchvision.ops import box_area, box_iou

    iou = box_iou(A[None], B[None])[0, 0]
    # The areas of the boxes add up to U + I = U*(1 + iou).
    U = (box_area(A[None]) + box_area(B[None]))[0] / (1 + iou)
    return dict(I=iou * U, U=U, iou=iou)
