"""Checks of the drills about two-stage detectors."""

from typing import Any

import torch
from torch import Tensor, nn


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def roi_pool(X: Tensor, roi: Tensor, s: int, k: int) -> list[list[float]]:
    from torchvision.ops import roi_pool

    result: list[list[float]] = roi_pool(X.double()[None, None], [roi.double()[None]], k, 1 / s)[0, 0].tolist()
    return result


def roi_bin(n: int, k: int, i: int) -> dict[str, int]:
    # The rows on which an output of adaptive pooling, which divides in the same way, depends.
    rows = torch.arange(1.0, n + 1, requires_grad=True)
    pooled = nn.functional.adaptive_avg_pool1d(rows[None], k)[0, i]
    used = torch.autograd.grad(pooled, rows)[0].nonzero()[:, 0]
    return dict(a=int(used[0]), b=int(used[-1]) + 1, c=len(used))


def fpn_level(w: int, h: int, k0: int, k_min: int, k_max: int) -> dict[str, Any]:
    from torchvision.ops.poolers import LevelMapper

    level = k_min + int(LevelMapper(k_min, k_max, 224, k0)([torch.tensor([[0.0, 0, w, h]])])[0])
    stride = torch.ones(1)
    for _ in range(level):
        stride = stride + stride
    x = k0 + torch.tensor([w, h, 224]).double().log2() @ torch.tensor([0.5, 0.5, -1]).double()
    return dict(x=x, level=level, cells=w / stride[0])


def selective_search(p: Tensor, q: Tensor, a: int, b: int, box: int, N: int) -> dict[str, Any]:
    from scipy.spatial.distance import cityblock

    # The intersection of two distributions is 1 minus half of their L1 distance.
    color = 1 - cityblock(p.numpy(), q.numpy()) / 2
    image = torch.arange(N)
    small = (image >= a + b).double().mean()
    fill = ((image < a + b) | (image >= box)).double().mean()
    return dict(color=color, small=small, fill=fill, S=color + small + fill)


def rpn_output(W: int, H: int, s: int, k: int, o: int) -> dict[str, int]:
    map_ = nn.AvgPool2d(s)(torch.zeros(1, 1, H, W, device="meta"))
    objectness, boxes = (nn.Conv2d(1, c * k, 1, device="meta")(map_) for c in (o, 4))
    return dict(n=boxes.numel() // 4, c_obj=objectness.shape[1], c_box=boxes.shape[1])


def rpn_params(C: int, k: int, o: int) -> dict[str, int]:
    from torchvision.models.detection.rpn import RPNHead

    with torch.device("meta"):
        head = RPNHead(C, k)
        objectness = head.cls_logits if o == 1 else nn.Conv2d(C, o * k, 1)
    parts = [_count(head.conv), _count(objectness), _count(head.bbox_pred)]
    return dict(zip(("P_conv", "P_obj", "P_box", "P"), [*parts, sum(parts)], strict=True))


def _corners(x: float, y: float, w: float, h: float) -> Tensor:
    from torchvision.ops import box_convert

    corners: Tensor = box_convert(torch.tensor([[x, y, w, h]], dtype=torch.float64), "cxcywh", "xyxy")
    return corners


def _offsets(box: Tensor, anchor: Tensor) -> dict[str, Any]:
    from torchvision.models.detection._utils import BoxCoder

    return dict(zip(("tx", "ty", "tw", "th"), BoxCoder((1, 1, 1, 1)).encode_single(box, anchor)[0], strict=True))


def anchor_encode(xa: float, ya: float, wa: float, ha: float, x: float, y: float, w: float, h: float) -> dict[str, Any]:
    return _offsets(_corners(x, y, w, h), _corners(xa, ya, wa, ha))


def anchor_decode(
    xa: float, ya: float, wa: float, ha: float, tx: float, ty: float, tw: float, th: float
) -> dict[str, Any]:
    from torchvision.models.detection._utils import BoxCoder
    from torchvision.ops import box_convert

    offsets = torch.tensor([[tx, ty, tw, th]], dtype=torch.float64)
    box = BoxCoder((1, 1, 1, 1)).decode_single(offsets, _corners(xa, ya, wa, ha))
    return dict(zip(("x", "y", "w", "h"), box_convert(box, "xyxy", "cxcywh")[0], strict=True))


def anchor_corners(A: Tensor, B: Tensor) -> dict[str, Any]:
    return _offsets(B.double()[None], A.double()[None])


def rpn_assign(iou: Tensor, high: float, low: float) -> list[int]:
    from torchvision.models.detection._utils import Matcher

    matches = Matcher(high, low, allow_low_quality_matches=True)(iou.clone()).tolist()
    return [{-1: 0, -2: -1}.get(match, match + 1) for match in matches]


def decide_detector_latency(
    N: int,
    budget: float,
    search: float,
    fast: float,
    each: float,
    backbone: float,
    rpn: float,
    ssd: float,
    yolo: float,
    ap: list[float],
) -> dict[str, Any]:
    times = torch.tensor([search + fast, backbone + rpn, ssd, yolo]).double()
    times += torch.tensor([each, each, 0, 0]).double() * N
    best = int(torch.tensor(ap).double().masked_fill(times > budget, -1).argmax())
    most = 0
    while backbone + rpn + each * (most + 1) <= budget + 1e-9:
        most += 1
    return dict(best=("fast", "faster", "ssd", "yolo")[best], latency=times[best], most=most)


def chain_rpn_roi(
    W: int, H: int, s: int, C: int, k: int, roi: Tensor, g: int, F: int, n_rois: int, D: int, K: int
) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode
    from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
    from torchvision.models.detection.rpn import RPNHead
    from torchvision.ops import roi_align

    with torch.device("meta"):
        rpn, layer, mask = RPNHead(C, k), nn.Linear(C * g * g, F), MaskRCNNPredictor(C, C, K)
        logits, _ = rpn([nn.AvgPool2d(s)(torch.zeros(1, C, H, W))])
        with FlopCounterMode(display=False) as counter:
            layer(torch.zeros(n_rois, C * g * g))
        masks = mask(torch.zeros(D, C, 14, 14))
    # A map whose values are the x of each cell: bilinear sampling returns x itself.
    ramp = torch.arange(W // s + 2.0).expand(1, 1, H // s + 2, -1).double()
    x = roi_align(ramp, [roi.double()[None]], g, 1 / s, sampling_ratio=1, aligned=False)[0, 0, 0]
    return dict(
        n=logits[0].numel(),
        P=_count(rpn),
        bin=x[1] - x[0],
        center=x[0],
        P_fc=_count(layer),
        M_fc=counter.get_total_flops() // 2,
        masks=list(masks.shape),
    )
