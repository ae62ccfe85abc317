"""Checks of the drills about DETR."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _giou(b: Tensor, t: Tensor) -> Tensor:
    from torchvision.ops import box_convert, generalized_box_iou

    first, second = (box_convert(box[None].double(), "cxcywh", "xyxy") for box in (b, t))
    return generalized_box_iou(first, second)[0, 0]


def _matching(cost: Tensor, labels: list[str]) -> tuple[list[str], float]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost.double().numpy())
    return [labels[column] for column in columns], float(cost[rows, columns].sum())


def _count(*modules: nn.Module) -> int:
    return sum(weights.numel() for module in modules for weights in module.parameters())


def detr_matching_cost(p: float, b: Tensor, t: Tensor, w1: float, w2: float) -> dict[str, Any]:
    distance = torch.cdist(b[None].double(), t[None].double(), p=1)[0, 0]
    overlap = _giou(b, t)
    return dict(L1=distance, giou=overlap, cost=w1 * distance - p + w2 * (1 - overlap))


def detr_match(P: Tensor, D: Tensor, G: Tensor, w1: float, w2: float, m: int, labels: list[str]) -> dict[str, Any]:
    cost = torch.einsum("k,kij->ij", torch.tensor([-1.0, w1, -w2], dtype=P.dtype), torch.stack([P, D, G])) + w2
    return dict(cost=cost, match=_matching(cost, labels)[0])


def hungarian_assign(cost: Tensor, labels: list[str]) -> dict[str, Any]:
    match, total = _matching(cost, labels)
    return dict(match=match, total=total)


def matching_count(N: int, m: int) -> dict[str, int]:
    return dict(A=math.perm(N, m), B=math.prod([N] * m))


def detr_shapes(H: int, W: int, N: int, K: int) -> dict[str, Any]:
    with torch.device("meta"):
        x = torch.zeros(1, 1, H, W)
        for _ in range(5):
            x = nn.Conv2d(1, 1, 3, stride=2, padding=1)(x)
        queries = torch.zeros(N, 8)
        logits, boxes = nn.Linear(8, K + 1)(queries), nn.Linear(8, 4)(queries)
    return dict(T=x.flatten(1).shape[1], logits=list(logits.shape), boxes=list(boxes.shape))


def detr_attention(T: int, N: int, L: int, heads: int) -> dict[str, int]:
    with torch.device("meta"):
        attention = nn.MultiheadAttention(8 * heads, heads, batch_first=True)
        tokens, queries = torch.zeros(1, T, 8 * heads), torch.zeros(1, N, 8 * heads)
        E, S, X = (
            attention(query, key, key, average_attn_weights=False)[1][0, 0].numel()
            for query, key in ((tokens, tokens), (queries, queries), (queries, tokens))
        )
    return dict(E=E, S=S, X=X, total=sum(L * heads * count for count in (E, S, X)))


def detr_heads(N: int, d: int, K: int) -> dict[str, int]:
    with torch.device("meta"):
        queries, classes = _count(nn.Embedding(N, d)), _count(nn.Linear(d, K + 1))
        boxes = _count(nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, 4))
    return dict(queries=queries, classes=classes, boxes=boxes, P=queries + classes + boxes)


def detr_no_object(N: int, m: int, e: float) -> dict[str, Any]:
    labels = torch.tensor([1] * m + [0] * (N - m))
    class_weights = torch.tensor([e, 1.0], dtype=torch.double)
    weights = class_weights[labels]
    logit = torch.zeros((), dtype=torch.double, requires_grad=True)  # of "object"
    for _ in range(10):  # Newton's method on the loss
        logits = torch.stack([torch.zeros_like(logit), logit]).expand(N, 2)
        loss = F.cross_entropy(logits, labels, class_weights)
        (slope,) = torch.autograd.grad(loss, logit, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, logit)
        logit = (logit - slope / curvature).detach().requires_grad_()
    share = float(weights[m:].sum() / weights.sum())
    return dict(
        share_1=(labels == 0).double().mean(), share_e=share, q=logit.sigmoid().item(), dominant=1 if share > 0.5 else 2
    )


def detr_set_loss(
    p: Sequence[float], u: Sequence[float], d: Tensor, g: Tensor, e: float, w1: float, w2: float, m: int, k: int
) -> dict[str, Any]:
    own = torch.as_tensor([*p, *u], dtype=torch.double)
    labels = torch.tensor([0] * m + [1] * k)  # 1 is "no object"
    logits = torch.stack([own, 1 - own], dim=1).log()
    logits = torch.where((labels == 0)[:, None], logits, logits.flip(1))
    weights = torch.tensor([1.0, e], dtype=torch.double)
    CE = F.cross_entropy(logits, labels, weights)
    box = (w1 * torch.as_tensor(d) + w2 * (1 - torch.as_tensor(g))).double().mean()
    return dict(weight=weights[labels].sum(), CE=CE, box=box, loss=CE + box)


def detr_log(recall: float, ap: float, p: float, u: float) -> dict[str, Any]:
    # The typical numbers of each problem, in the order of the options; the nearest one is the diagnosis.
    typical = torch.tensor([[0.05, 0.1], [0.6, 0.85], [0.8, 0.1]], dtype=torch.double)
    distances = torch.cdist(torch.tensor([[p, u]], dtype=torch.double), typical)[0]
    return dict(gap=torch.tensor(recall, dtype=torch.double) - ap, problem=int(distances.argmin()) + 1)
