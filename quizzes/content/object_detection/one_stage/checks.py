"""Checks of the drills about one-stage detectors."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _head(C: int, outputs: int, size: int, kernel_size: int = 1) -> tuple[nn.Module, Tensor]:
    """Return a convolution that predicts, and its output for a map, without memory."""
    layer = nn.Conv2d(C, outputs, kernel_size, padding=kernel_size // 2, device="meta")
    return layer, layer(torch.zeros(1, C, size, size, device="meta"))[0]


def yolo_output(S: int, B: int, K: int) -> dict[str, Any]:
    boxes, classes = torch.zeros(S, S, B, 5), torch.zeros(S, S, K)
    output = torch.cat([boxes.flatten(2), classes], dim=2)
    return dict(shape=list(output.shape), n=output.numel(), boxes=boxes[..., 0].numel())


def yolo3_output(size: int, s: int, B: int, K: int) -> dict[str, int]:
    maps = {stride: torch.zeros(size // stride, size // stride, B, 4 + 1 + K) for stride in (32, 16, 8)}
    output = maps[s].flatten(2)
    boxes = sum(values[..., 0].numel() for values in maps.values())
    return dict(m=len(output), c=output.shape[2], n=output.numel(), boxes=boxes)


def yolo_channels(B: int, K: int) -> dict[str, int]:
    offsets, objectness, classes = (torch.zeros(B, count) for count in (4, 1, K))
    return dict(c=torch.cat([offsets, objectness, classes], 1).numel(), B=B, K=K)


def ssd_output(f: list[int], k: list[int], K: int) -> dict[str, int]:
    from torchvision.models.detection.ssd import SSDHead

    with torch.device("meta"):
        head = SSDHead([4 for _ in f], k, K + 1)
        output = head([torch.zeros(1, 4, size, size) for size in f])
    return dict(n=output["bbox_regression"].shape[1], v=sum(values.numel() for values in output.values()))


def ssd_layer(f: int, C: int, k: int, K: int) -> dict[str, int]:
    from torchvision.models.detection.ssd import SSDHead

    with torch.device("meta"):
        head = SSDHead([C], [k], K + 1)
        boxes = head([torch.zeros(1, C, f, f)])["bbox_regression"]
    channels = sum(len(weights) for name, weights in head.named_parameters() if name.endswith("bias"))
    return dict(c=channels, n=boxes.shape[1], P=_count(head))


def _anchors(sizes: list[tuple[int, int]], counts: list[int]) -> int:
    """Return how many anchors torchvision generates on maps of these sizes."""
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.image_list import ImageList

    generator = AnchorGenerator([(8,)] * len(sizes), [tuple(1.0 + r for r in range(count)) for count in counts])
    image = torch.zeros(1, 3, 8 * sizes[0][0], 8 * sizes[0][1])
    maps = [torch.zeros(1, 1, *size) for size in sizes]
    return len(generator(ImageList(image, [tuple(image.shape[2:])]), maps)[0])


def anchor_count(H: list[int], W: list[int], A: list[int]) -> int:
    return _anchors(list(zip(H, W, strict=True)), A)


def anchor_pyramid(W: int, H: int, low: int, high: int, scales: int, ratios: int) -> dict[str, Any]:
    x, sizes = torch.zeros(1, 1, H, W, device="meta"), []
    for level in range(1, high + 1):
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        if level >= low:
            sizes.append((x.shape[2], x.shape[3]))
    k = len(torch.cartesian_prod(torch.arange(scales), torch.arange(ratios)).view(-1, 2))
    counts = [torch.empty(k, *size, device="meta").numel() for size in sizes]
    return dict(k=k, n=sum(counts), share=counts[0] / sum(counts))


def yolo_decode(
    tx: float, ty: float, tw: float, th: float, column: int, row: int, s: int, pw: float, ph: float
) -> dict[str, Any]:
    # The centers are found by interpolating between the edges of the cell, the sizes by the inverse of the logarithm.
    x, y = (
        torch.lerp(torch.tensor(k * s).double(), torch.tensor((k + 1) * s).double(), torch.tensor(t).double().sigmoid())
        for k, t in ((column, tx), (row, ty))
    )
    sizes = (torch.tensor([pw, ph]).double().log() + torch.tensor([tw, th]).double()).exp()
    return dict(x=x, y=y, w=sizes[0], h=sizes[1])


def yolo1_decode(
    tx: float, ty: float, tw: float, th: float, confidence: float, p: float, column: int, row: int, S: int, size: int
) -> dict[str, Any]:
    edges = torch.linspace(0, size, S + 1).double()
    x, y = (torch.lerp(edges[k], edges[k + 1], t) for k, t in ((column, tx), (row, ty)))
    w, h = torch.lerp(torch.zeros(2).double(), torch.full((2,), float(size)).double(), torch.tensor([tw, th]).double())
    # P(class) = P(class | object) P(object)
    joint = torch.outer(torch.tensor([confidence, 1 - confidence]), torch.tensor([p, 1 - p]))
    return dict(x=x, y=y, w=w, h=h, score=joint[0, 0])


def yolo1_target(cx: float, cy: float, w: float, S: int, size: int) -> dict[str, Any]:
    edges = torch.linspace(0, size, S + 1).double()
    column, row = (int(torch.bucketize(torch.tensor(v).double(), edges, right=True)) - 1 for v in (cx, cy))
    tx, ty = ((v - edges[k]) / (edges[k + 1] - edges[k]) for v, k in ((cx, column), (cy, row)))
    return dict(column=column, row=row, tx=tx, ty=ty, rw=torch.tensor(w / size).sqrt())


def ssd_scales(s_min: float, s_max: float, m: int, j: int, a: float) -> dict[str, Any]:
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator

    # torchvision's own scales, of which the last one is its addition; both boxes of the ratio a and 1/a are of j - 1.
    generator = DefaultBoxGenerator([[a] for _ in range(m)], min_ratio=s_min, max_ratio=s_max, clip=False)
    shapes = generator._wh_pairs[j - 1].double()
    return dict(scale=shapes[0, 0], w=shapes[2, 0], h=shapes[2, 1], extra=shapes[1, 0])


def anchor_shape(size: float, r: float, cx: float, cy: float) -> dict[str, Any]:
    from scipy.optimize import fsolve

    w, h = fsolve(lambda v: [v[0] * v[1] - size**2, v[1] - r * v[0]], [size, size], xtol=1e-12)
    corners = torch.tensor([[cx, cy, w, h]]).double()
    from torchvision.ops import box_convert

    x1, y1, x2, y2 = box_convert(corners, "cxcywh", "xyxy")[0]
    return dict(w=float(w), h=float(h), x1=x1, y1=y1, x2=x2, y2=y2)


def kmeans_anchors(boxes: Tensor, anchors: Tensor) -> dict[str, Any]:
    from torchvision.ops import box_iou

    def at_origin(shapes: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(shapes), shapes], dim=1).double()

    nearest = (1 - box_iou(at_origin(boxes), at_origin(anchors))).argmin(1)
    means = torch.stack([boxes.double()[nearest == k].mean(0) for k in range(len(anchors))])
    return dict(clusters=["AB"[k] for k in nearest], means=means)


def chain_yolo_head(
    size: int,
    s: int,
    C: int,
    B: int,
    K: int,
    tx: float,
    ty: float,
    tw: float,
    th: float,
    column: int,
    row: int,
    pw: float,
    ph: float,
    T: Tensor,
    z: float,
) -> dict[str, Any]:
    from torchvision.ops import box_convert, box_iou

    layer, output = _head(C, B * (4 + 1 + K), size // s)
    box = yolo_decode(tx, ty, tw, th, column, row, s, pw, ph)
    corners = box_convert(torch.stack([box[key] for key in ("x", "y", "w", "h")])[None], "cxcywh", "xyxy")
    loss = F.binary_cross_entropy_with_logits(torch.tensor(z).double(), torch.ones(()).double())
    iou = box_iou(corners, T.double()[None])[0, 0]
    n = output.view(B, 5 + K, -1)[:, 0].numel()
    return dict(box, shape=list(output.shape), P=_count(layer), n=n, iou=iou, L=loss)


def chain_ssd_match(
    size: int,
    f: int,
    C: int,
    k: int,
    K: int,
    column: int,
    scale: float,
    a: float,
    x: float,
    bw: float,
    pos: int,
) -> dict[str, Any]:
    from torchvision.models.detection._utils import BoxCoder
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.image_list import ImageList

    layer = ssd_layer(f, C, k, K)
    generator = DefaultBoxGenerator([[a]], scales=[scale, scale], clip=False)
    images = ImageList(torch.zeros(1, 3, size, size), [(size, size)])
    boxes = generator(images, [torch.zeros(1, 1, f, f)])[0].double().view(f, f, 4, 4)
    x1, y1, x2, y2 = boxes[0, column, 2].tolist()
    obj = torch.tensor([[x - bw / 2, y1, x + bw / 2, y2]]).double()
    offsets = BoxCoder((10, 10, 5, 5)).encode_single(obj, boxes[0, column, 2][None])[0]
    is_positive = torch.arange(layer["n"]) < pos
    negatives = int((~is_positive).long().topk(min(3 * pos, layer["n"])).values.sum())
    default_box = dict(cx=(x1 + x2) / 2, w=x2 - x1, h=y2 - y1)
    return dict(default_box, n=layer["n"], P=layer["P"], tx=offsets[0], tw=offsets[2], negatives=negatives)


def _focal_gradients(gamma: float, p0: float, target: float) -> dict[str, Any]:
    from torchvision.ops import sigmoid_focal_loss

    points = [0.1, 0.25, 0.5, 0.7, 0.9]
    z = torch.logit(torch.tensor([*points, p0]).double()).requires_grad_()
    goal = torch.full_like(z, target)
    slopes = torch.autograd.grad(sigmoid_focal_loss(z, goal, alpha=-1, gamma=gamma, reduction="sum"), z)[0]
    plain = torch.autograd.grad(F.binary_cross_entropy_with_logits(z, goal, reduction="sum"), z)[0]
    return dict(g=slopes[:-1], p=points, v=slopes[-1], r=slopes[-1] / plain[-1])


def focal_gradient(gamma: float, p0: float) -> dict[str, Any]:
    return _focal_gradients(gamma, p0, 1)


def focal_gradient_negative(gamma: float, p0: float) -> dict[str, Any]:
    return _focal_gradients(gamma, p0, 0)
