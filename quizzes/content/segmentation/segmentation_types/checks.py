"""Checks of the drills about the kinds of segmentation and their metrics."""

from fractions import Fraction
from statistics import harmonic_mean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from quizzes.content.classification.checks import confusion_labels


def miou(C: Tensor) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, jaccard_score

    true, predicted = confusion_labels(C)
    return dict(
        iou=jaccard_score(true, predicted, average=None).tolist(),
        mIoU=jaccard_score(true, predicted, average="macro"),
        acc=accuracy_score(true, predicted),
    )


def miou_three_classes(C: Tensor) -> dict[str, Any]:
    from sklearn.metrics import balanced_accuracy_score, jaccard_score

    true, predicted = confusion_labels(C)
    means = {
        name: jaccard_score(true, predicted, average=average)
        for name, average in (("mIoU", "macro"), ("fw", "weighted"))
    }
    return dict(
        acc=float(np.mean(np.equal(true, predicted))), mean_acc=balanced_accuracy_score(true, predicted), **means
    )


def miou_masks(P: Tensor, T: Tensor, K: int) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, jaccard_score

    valid = T != 255
    true, predicted = T[valid].long(), P[valid].long()
    labels = torch.cat([true, predicted]).unique()
    return dict(
        n=len(true),
        mIoU=jaccard_score(true, predicted, labels=labels, average="macro"),
        acc=accuracy_score(true, predicted),
    )


def _jaccard(P: Fraction, R: Fraction) -> float:
    """Return the IoU of pixels with this precision and recall, by scikit-learn."""
    from sklearn.metrics import jaccard_score

    shared = P.numerator * R.numerator
    counts = torch.tensor([int(count) for count in (shared, shared / P - shared, shared / R - shared)])
    true, predicted = (torch.tensor(labels).repeat_interleave(counts) for labels in ([1, 0, 1], [1, 1, 0]))
    return float(jaccard_score(true, predicted))


def miou_rates(P: str | None = None, R: str | None = None, iou: str | None = None) -> dict[str, Any]:
    rates = {Fraction(a, b) for b in range(1, 11) for a in range(1, b + 1)}
    pairs = ((p, r) for p in ([Fraction(P)] if P else rates) for r in ([Fraction(R)] if R else rates))
    precision, recall = next((p, r) for p, r in pairs if not iou or abs(_jaccard(p, r) - Fraction(iou)) < 1e-9)
    return dict(P=float(precision), R=float(recall), iou=_jaccard(precision, recall))


def miou_dataset(TP1: int, FP1: int, FN1: int, TP2: int, FP2: int, FN2: int) -> dict[str, Any]:
    from sklearn.metrics import jaccard_score

    images = []
    for counts in ((TP1, FP1, FN1), (TP2, FP2, FN2)):
        repeats = torch.tensor(counts)
        images.append([torch.tensor(labels).repeat_interleave(repeats) for labels in ([1, 0, 1], [1, 1, 0])])
    first, second = (jaccard_score(*image) for image in images)
    pooled = jaccard_score(*(torch.cat(labels) for labels in zip(*images, strict=True)))
    mean = (first + second) / 2
    return dict(first=first, second=second, mean_iou=mean, pooled=pooled, higher=1 if pooled > mean else 2)


def panoptic_quality(q: Tensor, FP: int, FN: int) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    matched, quality = len(q), q.mean()
    true, predicted = [1] * (matched + FN) + [0] * FP, [1] * matched + [0] * FN + [1] * FP
    recognition = f1_score(true, predicted)
    return dict(TP=matched, SQ=quality, RQ=recognition, PQ=quality * recognition)


def panoptic_quality_counts(
    TP: int, FP: int, SQ: str | None = None, FN: int | None = None, PQ: str | None = None
) -> dict[str, Any]:
    def recognition(missed: int) -> Fraction:
        return Fraction(harmonic_mean([Fraction(TP, TP + FP), Fraction(TP, TP + missed)]))

    if FN is None:
        FN = next(count for count in range(1000) if recognition(count) * Fraction(SQ or 0) == Fraction(PQ or 0))
    quality = Fraction(SQ) if SQ else Fraction(PQ or 0) / recognition(FN)
    return dict(FN=FN, SQ=float(quality), PQ=float(quality * recognition(FN)))


def panoptic_quality_classes(t: Tensor, s: Tensor) -> dict[str, Any]:
    return dict(PQ_th=t.mean(), PQ_st=s.mean(), PQ=torch.cat([t, s]).mean())


def _match(predicted: Tensor, true: Tensor) -> dict[str, Any]:
    """Match segments of two lists of labels by brute force; the true label 0 is void, -1 another class."""
    ious, matched = [], set()
    for t in true[true > 0].unique().tolist():
        for p in predicted[predicted > 0].unique().tolist():
            a, b = (predicted == p) & (true != 0), true == t
            iou = ((a & b).sum() / (a | b).sum()).item()
            if iou > 0.5:
                ious.append(iou)
                matched.add(p)
    segments = set(predicted[predicted > 0].tolist())
    mostly_void = {p for p in segments if (true[predicted == p] == 0).double().mean() > 0.5}
    TP, FP, FN = len(ious), len(segments - matched - mostly_void), len(set(true[true > 0].tolist())) - len(ious)
    quality = sum(ious) / TP
    return dict(TP=TP, FP=FP, FN=FN, SQ=quality, PQ=quality * TP / (TP + (FP + FN) / 2))


def panoptic_quality_void(M: Tensor, a: Tensor, v: Tensor, b: Tensor) -> dict[str, Any]:
    pairs = []
    for i, row in enumerate(M.long().tolist()):
        counts = [(j + 1, shared) for j, shared in enumerate(row)]
        counts += [(0, int(v[i])), (-1, int(a[i] - v[i]) - sum(row))]
        pairs += [(i + 1, t) for t, count in counts for _ in range(count)]
    for j, area in enumerate(b.long().tolist()):
        pairs += [(0, j + 1)] * (area - int(M[:, j].sum()))
    predicted, true = torch.tensor(pairs).T
    return _match(predicted, true)


def pq_merged_instances(M: Tensor, b: Tensor) -> dict[str, Any]:
    from sklearn.metrics import jaccard_score

    pairs = [(i + 1, j + 1) for i, row in enumerate(M.long().tolist()) for j, n in enumerate(row) for _ in range(n)]
    pairs += [(0, j + 1) for j, area in enumerate(b.long().tolist()) for _ in range(area - int(M[:, j].sum()))]
    predicted, true = torch.tensor(pairs).T
    values = _match(predicted, true)
    merged = any(len(true[predicted == p].unique()) > 1 for p in predicted[predicted > 0].unique())
    split = any(len(predicted[(true == t) & (predicted > 0)].unique()) > 1 for t in true.unique())
    error = "merged" if merged else "split" if split else "missed"
    fg = jaccard_score(true > 0, predicted > 0)
    return dict(fg=fg, RQ=values["PQ"] / values["SQ"], error=error, **values)


def _square(size: int, margin: int) -> Tensor:
    mask = torch.zeros(1, size, size)
    mask[:, margin : size - margin, margin : size - margin] = 1
    return mask


def boundary_error(k: int, e: int, tau: float) -> dict[str, Any]:
    from sklearn.metrics import f1_score, jaccard_score

    def masks(size: int) -> tuple[Tensor, Tensor]:
        return _square(size, 0).flatten(), _square(size, e).flatten()

    true, predicted = masks(k)
    smallest = next(size for size in range(2 * e + 1, 2000) if masks(size)[1].mean() >= tau - 1e-12)
    return dict(
        n=int((true - predicted).sum()),
        iou=jaccard_score(true, predicted),
        D=f1_score(true, predicted),
        smallest=smallest,
    )


def boundary_iou(k: int, e: int, d: int) -> dict[str, Any]:
    masks = [_square(k + 2, 1 + margin) for margin in (0, e)]
    bands = [mask - (1 - F.max_pool2d(1 - mask, 2 * d + 1, 1, d)) for mask in masks]
    both, either = bands[0] * bands[1], torch.maximum(*bands)
    iou = masks[1].sum() / masks[0].sum()
    return dict(g=int(bands[0].sum()), p=int(bands[1].sum()), biou=both.sum() / either.sum(), iou=iou)


def segmentation_outputs(n: list[int], s: int) -> dict[str, Any]:
    # One pixel per segment: its class, and the number of the object (0 for stuff).
    things = [(c, k + 1) for c, count in enumerate(n) for k in range(count)]
    segments = torch.tensor(things + [(len(n) + j, 0) for j in range(s)])
    return dict(
        semantic=len(segments[:, 0].unique()),
        instance=len(segments[segments[:, 1] > 0].unique(dim=0)),
        panoptic=len(segments.unique(dim=0)),
    )


def segmentation_kinds(a: int, b: int, c: int, n: list[int], s: int) -> dict[str, Any]:
    counts = segmentation_outputs(n, s)
    names = {count: kind for kind, count in counts.items()}
    return dict(kinds=dict(a=names[a], b=names[b], c=names[c]))


def debug_miou(program: str, C: Tensor) -> dict[str, Any]:
    from sklearn.metrics import jaccard_score

    printed: list[Tensor] = []
    exec(program, {"torch": torch, "print": printed.append})  # noqa: S102
    fixed = jaccard_score(*confusion_labels(C), average="macro")
    lines = program.split("\n")
    line = 3 if "- inter" not in lines[2] else 5 if "mean" not in lines[4] else 4
    return dict(line=line, printed=printed[0].item(), fixed=fixed)
