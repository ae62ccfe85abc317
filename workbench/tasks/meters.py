"""Meters: metrics that are accumulated batch by batch, without keeping the outputs of a whole split.

A meter has torchmetrics' `update` and `compute`. Counts stay on the device of the outputs until `compute`, so that a
GPU is not waited for after each batch.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from workbench.data.sources import Batch

MAX_SCORES = 2**22  # numbers that are kept for the area under the ROC curve, which needs all scores


class Meter(Protocol):
    """Accumulates metrics over batches."""

    def update(self, outputs: Any, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        ...

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        ...


class Means:
    """A meter without metrics: for tasks whose losses say everything."""

    def update(self, outputs: Any, batch: Batch) -> None:
        """Take in a batch."""

    def compute(self) -> dict[str, float]:
        """Return no metrics."""
        return {}


class ClassificationMeter:
    """Accuracy, macro F1, top-5 accuracy and the area under the ROC curve.

    F1 is the unweighted mean over the classes that are the target or the prediction of a sample. Top-5 accuracy needs
    more than 5 classes, and the area under the ROC curve at least one sample of each class; for more than two classes,
    it is the unweighted mean over the classes, each against the rest.

    Args:
        classes: The number of classes.
    """

    def __init__(self, classes: int):
        self.classes = classes
        self.counts: Tensor | None = None  # confusion matrix (true, predicted)
        self.top5: Tensor | None = None
        self._logits: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._numbers = 0

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, classes) of a batch."""
        targets = batch["target"]
        predicted = logits.argmax(dim=1)
        counts = torch.bincount(targets * self.classes + predicted, minlength=self.classes**2)
        self.counts = counts if self.counts is None else self.counts + counts
        if self.classes > 5:
            hits = (logits.topk(5, dim=1).indices == targets[:, None]).any(dim=1).sum()
            self.top5 = hits if self.top5 is None else self.top5 + hits
        self._numbers += logits.numel()
        if self._numbers <= MAX_SCORES:
            self._logits.append(logits)
            self._targets.append(targets)

    def confusion(self) -> Tensor:
        """Return how often each class (row) was predicted as each class (column)."""
        counts = self.counts if self.counts is not None else torch.zeros(self.classes**2, dtype=torch.long)
        return counts.view(self.classes, self.classes).cpu()

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        confusion = self.confusion()
        total = max(1, int(confusion.sum()))
        metrics = {"accuracy": int(confusion.diagonal().sum()) / total}
        metrics["f1"] = float(f1_scores(confusion)[confusion.sum(0) + confusion.sum(1) > 0].mean())
        if self.top5 is not None:
            metrics["top5"] = int(self.top5) / total
        return metrics | self._auc()

    def _auc(self) -> dict[str, float]:
        if self._numbers > MAX_SCORES or not self._targets:
            return {}
        # In float64, since in float32 all probabilities of logits above 17 are 1, and would count as ties.
        targets, probabilities = torch.cat(self._targets).cpu(), torch.cat(self._logits).cpu().double().softmax(dim=1)
        if len(targets.unique()) < self.classes or not probabilities.isfinite().all():
            return {}
        ones = range(1, 2) if self.classes == 2 else range(self.classes)
        areas = [roc_auc(probabilities[:, k], targets == k) for k in ones]
        return {"auc": sum(areas) / len(areas)}


def f1_scores(confusion: Tensor) -> Tensor:
    """Return the F1 score of each class, float64: the harmonic mean of precision and recall, 0 if both are 0."""
    hits = confusion.diagonal().double()
    return 2 * hits / (confusion.sum(0) + confusion.sum(1)).clamp(min=1)


def roc_auc(scores: Tensor, positive: Tensor) -> float:
    """Return the probability that a positive sample has a higher score than a negative one; ties count half.

    It is the rank statistic of Mann and Whitney, which equals the area under the ROC curve.

    Args:
        scores: (N,).
        positive: Whether each sample is positive (N,), with at least one of either.
    """
    _, inverse, counts = scores.unique(return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    ranks = (ends - (counts - 1) / 2)[inverse]  # from 1; tied scores share the mean of their ranks
    positives = int(positive.sum())
    negatives = len(scores) - positives
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


class RegressionMeter:
    """Mean squared error, mean absolute error and R², in float64.

    A batch holds the standardized `target`, and the `mean` and `deviation` that bring it back to its own unit.
    """

    def __init__(self) -> None:
        self.count = 0
        self.squared = self.absolute = 0.0
        self.mean = self.variation = 0.0  # of the targets: mean, and sum of squared deviations from it
        self.standardized = 0.0  # sum of squared errors of the standardized target

    def update(self, predictions: Tensor, batch: Batch) -> None:
        """Take in the predictions (N, 1) for a batch."""
        target, deviation = batch["target"].cpu().double(), batch["deviation"].cpu().double()
        error = predictions.cpu().double() - target
        self.squared += float((error * deviation).square().sum())
        self.absolute += float((error * deviation).abs().sum())
        self.standardized += float(error.square().sum())
        # Chan, Golub, LeVeque 1979: the variation of two sets together.
        count, mean = len(target), float(target.mean())
        delta, total = mean - self.mean, self.count + count
        self.variation += float((target - mean).square().sum()) + delta**2 * self.count * count / total
        self.mean += delta * count / total
        self.count = total

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far; R² is 1 if all are predicted, 0 if only their mean is."""
        if self.variation:
            r2 = 1 - self.standardized / self.variation
        else:  # all targets are equal: either predicted or not
            r2 = float(self.standardized == 0)
        return {"mse": self.squared / self.count, "mae": self.absolute / self.count, "r2": r2}


class ErrorMeter:
    """Mean squared and mean absolute error of all predicted numbers, in the unit of the targets, in float64.

    A batch holds the `target` (N, numbers), and its `deviation` (N, 1) if it is standardized.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums: list[Tensor] = []  # of each batch: squared and absolute errors

    def update(self, predictions: Tensor, batch: Batch) -> None:
        """Take in the predictions (N, numbers) for a batch."""
        error = (predictions - batch["target"]).detach().cpu().double()
        if "deviation" in batch:
            error = error * batch["deviation"].cpu().double()
        self._sums.append(torch.stack([error.square().sum(), error.abs().sum()]))
        self.count += error.numel()

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        squared, absolute = (torch.stack(self._sums).sum(dim=0) / self.count).tolist()
        return {"mse": squared, "mae": absolute}
