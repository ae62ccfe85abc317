"""Checks of the drills about non-maximum suppression."""

from typing import Any

import torch
from torch import Tensor


def nms_trace(boxes: Tensor, scores: Tensor, tau: float, labels: list[str]) -> list[str]:
    from torchvision.ops import nms

    return [labels[k] for k in nms(boxes, scores, tau)]


def soft_nms_decay(s: float, u: float, N_t: float, sigma: float) -> dict[str, Tensor]:
    from torchvision.ops import box_iou

    picked, other = torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[0.0, 0, u, 1]])
    iou = box_iou(picked, other)[0, 0]
    return dict(linear=s - s * iou * (iou >= N_t), gaussian=s * torch.exp(-iou.square() / sigma))


def soft_nms(boxes: Tensor, scores: Tensor, N_t: float) -> Tensor:
    from torchvision.ops import box_iou

    iou, waiting = box_iou(boxes, boxes), torch.ones(len(boxes), dtype=torch.bool)
    for _ in boxes:
        best = int(torch.where(waiting, scores, -1).argmax())
        waiting[best] = False
        scores = scores - scores * iou[best] * (waiting & (iou[best] >= N_t))
    return scores


def soft_nms_gaussian(boxes: Tensor, scores: Tensor, sigma: float) -> Tensor:
    from torchvision.ops import box_iou

    exponents, waiting = -box_iou(boxes, boxes).square() / sigma, torch.ones(len(boxes), dtype=torch.bool)
    for _ in boxes:
        best = int(torch.where(waiting, scores, -1).argmax())
        waiting[best] = False
        scores = scores * torch.exp(exponents[best] * waiting)
    return scores


def adaptive_nms(boxes: Tensor, scores: Tensor, density: Tensor, N_t: float, labels: list[str]) -> list[str]:
    from torchvision.ops import box_iou

    # A box is suppressed if the IoU is above the threshold in the row of any better box that is kept.
    suppresses = box_iou(boxes, boxes) > density.clamp(min=N_t)[:, None] + 1e-12
    order = scores.argsort(descending=True).tolist()
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    for k in order:
        keep[k] = not (suppresses[:, k] & keep).any()
    return [labels[k] for k in order if keep[k]]


def adaptive_nms_per_class(
    boxes: Tensor, scores: Tensor, classes: Tensor, taus: list[float], labels: list[str]
) -> list[str]:
    from torchvision.ops import nms

    keep = []
    for label, tau in enumerate(taus):
        own = (classes == label).nonzero()[:, 0]
        keep += own[nms(boxes[own], scores[own], tau)].tolist()
    return [labels[k] for k in sorted(keep, key=lambda k: -float(scores[k]))]


def nms_crowd_window(w: int, h: int, x: int, s: int, t: int, m: float, tau: float) -> dict[str, Any]:
    from torchvision.ops import box_iou, nms

    def people(lefts: list[int]) -> Tensor:
        return torch.tensor([[left, 0, left + w, h] for left in lefts]).double()

    def ap(threshold: float) -> float:
        keep = nms(boxes, scores, threshold)
        iou, taken, hits = box_iou(boxes[keep], people([0, x])), set(), []
        for row in iou:
            free = [j for j in range(2) if j not in taken and row[j] >= m]
            taken |= set(free[:1])
            hits.append(bool(free))
        precision = [sum(hits[: k + 1]) / (k + 1) for k in range(len(hits))]
        return sum(max(precision[k:]) for k, hit in enumerate(hits) if hit) / 2

    boxes, scores = people([0, s, t]), torch.tensor([0.95, 0.9, 0.85])
    iou = box_iou(boxes, boxes).flatten().unique().tolist()  # what is kept changes at these thresholds only
    window = [value for value in iou if nms(boxes, scores, value).tolist() == [0, 2]]
    after = [value for value in iou if value > max(window)]
    if max(map(ap, iou)) < 1:
        cause = 3  # no threshold helps
    else:
        cause = 1 if tau < min(window) else 2
    return dict(low=min(window), high=min(after), AP=ap(tau), cause=cause)


def debug_class_offset_nms(
    boxes: list[list[int]], scores: list[float], labels: list[int], tau: float, program: str
) -> dict[str, Any]:
    from torchvision.ops import batched_nms, nms

    result: dict[str, Any] = {"line": 2 if "labels[:, None]" not in program else 3, "raised": 3}
    try:
        exec(program, {"torch": torch, "nms": nms})  # noqa: S102
    except RuntimeError as error:  # "The size of tensor a (4) must match the size of tensor b (6) ..."
        numbers = [int(word.strip("()")) for word in str(error).split() if word.strip("()").isdigit()]
        result |= {"columns": numbers[0], "rows": numbers[1]}
    corners = torch.tensor(boxes, dtype=torch.float64)
    result["fixed"] = batched_nms(corners, torch.tensor(scores), torch.tensor(labels), tau)
    return result


def debug_class_offset_nms_silent(
    boxes: list[list[int]], scores: list[float], labels: list[int], tau: float, program: str
) -> dict[str, Any]:
    from torchvision.ops import batched_nms, nms

    printed: list[list[int]] = []
    exec(program, {"torch": torch, "nms": nms, "print": printed.append})  # noqa: S102
    corners = torch.tensor(boxes, dtype=torch.float64)
    fixed = batched_nms(corners, torch.tensor(scores), torch.tensor(labels), tau)
    return dict(line=2 if "nms(boxes + offset," in program else 3, printed=printed[0], fixed=fixed)


def decide_nms_variant(
    objects: Tensor, boxes: Tensor, scores: Tensor, tau: float, low: float, m: float
) -> dict[str, Any]:
    from torchvision.ops import box_iou, nms

    iou, waiting, final = box_iou(boxes, boxes), torch.ones(len(boxes), dtype=torch.bool), scores
    for _ in boxes:
        best = int(torch.where(waiting, final, -1).argmax())
        waiting[best] = False
        final = final - final * iou[best] * (waiting & (iou[best] >= tau))
    soft = [int(k) for k in final.argsort(descending=True) if final[k] >= low]
    matches = box_iou(boxes, objects) >= m
    result = []
    for ranking in (scores.argsort(descending=True).tolist(), nms(boxes, scores, tau).tolist(), soft):
        free, found = [True] * len(objects), [0]
        for k in ranking:
            own = [j for j in range(len(objects)) if free[j] and matches[k, j]]
            own.sort(key=lambda j: -float(box_iou(boxes[k : k + 1], objects[j : j + 1])))
            for j in own[:1]:
                free[j] = False
            found.append(found[-1] + bool(own))
        # The area under the envelope: for each number of objects, the best precision at which so many are found.
        precision = [
            max((found[n] / n for n in range(1, len(found)) if found[n] >= count), default=0)
            for count in range(1, len(objects) + 1)
        ]
        result.append(sum(precision) / len(objects))
    return dict(final=final, AP=result, best=["none", "hard", "soft"][result.index(max(result))])
