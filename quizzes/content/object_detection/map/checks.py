"""Checks of the drills about average precision."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def pr_matching(iou: list[list[float]], scores: list[float], tau: float) -> dict[str, Any]:
    from pycocotools.cocoeval import COCOeval

    evaluation = COCOeval(iouType="bbox")
    n = len(iou[0])
    annotations = [dict(id=j + 1, ignore=0, iscrowd=0, area=1) for j in range(n)]
    detections = [dict(id=k + 1, score=score, area=1) for k, score in enumerate(scores)]
    evaluation._gts[1, 1], evaluation._dts[1, 1] = annotations, detections
    evaluation.params.iouThrs = np.array([tau])
    order = np.argsort([-score for score in scores], kind="mergesort")
    evaluation.ious = {(1, 1): np.array(iou)[order]}
    result = evaluation.evaluateImg(1, 1, [0, 1e10], 100)
    hits = (result["dtMatches"][0] > 0).astype(int)
    counts = hits.cumsum()
    return dict(hits=hits.tolist(), P=(counts / np.arange(1, len(hits) + 1)).tolist(), R=(counts / n).tolist())


def ap_allpoint(hits: Tensor, n: int) -> Tensor:
    counts = hits.cumsum(0)
    recall = torch.cat([torch.zeros(1), counts / n])
    precision = counts / torch.arange(1, len(hits) + 1)
    envelope = precision.flip(0).cummax(0).values.flip(0)
    return (recall.diff() * envelope).sum()  # as the area of rectangles, one per rank


def ap_11point(hits: list[int], n: int) -> float:
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    # 10*found >= tenths*n compares recalls without rounding.
    reached = [precision[10 * found >= tenths * n] for tenths in range(11)]
    return float(np.mean([values.max() if len(values) else 0 for values in reached]))


def map_50_95(A: Tensor) -> dict[str, Tensor]:
    thresholds = torch.linspace(0.5, 0.95, 10)
    first, sixth = ((thresholds - threshold).abs().argmin() for threshold in (0.5, 0.75))
    return dict(mAP=A.mean(), AP50=A[:, first].mean(), AP75=A[:, sixth].mean())


def ap_error_types(target: list[int], iou: list[float], n: int, m: float) -> dict[str, Any]:
    def ap(detections: list[tuple[int, float]]) -> float:
        matched: set[int] = set()
        found = []
        for j, value in detections:
            matched |= {j} if value >= m else set()
            found.append(len(matched))
        # For each number of objects, the best precision at which so many are found.
        best = [max((c / k for k, c in enumerate(found, 1) if c >= goal), default=0) for goal in range(1, n + 1)]
        return float(np.mean(best))

    detections = list(zip(target, iou, strict=True))
    kinds = {}
    for k, (j, value) in enumerate(detections):
        is_again = any(other == j and v >= m for other, v in detections[:k])
        kinds[f"d{k + 1}"] = "bg" if value < 0.1 else "loc" if value < m else "dup" if is_again else "tp"
    names = list(kinds.values())
    fixed = {
        fix: ap([pair for pair, kind in zip(detections, names, strict=True) if kind != fix]) for fix in ("dup", "bg")
    }
    fixed["loc"] = ap([(j, 1.0 if kind == "loc" else v) for (j, v), kind in zip(detections, names, strict=True)])
    best = max(fixed, key=lambda fix: fixed[fix])
    return dict(kinds=kinds, AP=ap(detections), AP_fixed=fixed[best], best=best)
