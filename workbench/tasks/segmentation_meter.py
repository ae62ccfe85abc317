"""Metrics of semantic segmentation, from the confusion matrix of all pixels.

    miou              mean over classes of TP / (TP + FP + FN), the intersection over union (Jaccard index)
    dice              mean over classes of 2TP / (2TP + FP + FN), the F1 score of the pixels of a class
    pixel_accuracy    share of correctly classified pixels
    boundary_error    share of incorrectly classified pixels in the trimap

Counts are those of the whole dataset, as in Pascal VOC, not means of images. Means are over the classes that are the
true or the predicted class of a pixel. The trimap (Kohli, Ladicky, Torr, Robust higher order potentials for enforcing
label consistency, IJCV 2009) is the narrow band around true boundaries: here, all pixels for which the square of
5x5 pixels around them has a pixel of another class, or a void one. Void pixels are counted in no metric.
"""

import torch
from torch import Tensor

from models.layers.segmentation_losses import VOID
from workbench.data.sources import Batch
from workbench.tasks.meters import f1_scores

BOUNDARY_RADIUS = 2  # pixels in each direction


class SegmentationMeter:
    """Accumulates the confusion matrix of all pixels, and the errors near true boundaries.

    Args:
        classes: The number of classes.
    """

    def __init__(self, classes: int):
        self.classes = classes
        self.counts: Tensor | None = None  # confusion matrix (true, predicted), flat
        self.near_boundary: Tensor | None = None  # errors, pixels

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, classes, height, width) of a batch with the `target` (N, height, width)."""
        self.update_classes(logits.argmax(dim=1), batch["target"])

    def update_classes(self, predicted: Tensor, target: Tensor) -> None:
        """Take in predicted and true classes of pixels (N, height, width)."""
        counts = confusion_matrix(predicted, target, self.classes).flatten()
        is_near = near_boundary(target)
        near = torch.stack([((predicted != target) & is_near).sum(), is_near.sum()])
        self.counts = counts if self.counts is None else self.counts + counts
        self.near_boundary = near if self.near_boundary is None else self.near_boundary + near

    def confusion(self) -> Tensor:
        """Return how many pixels of each class (row) were predicted as each class (column)."""
        counts = self.counts if self.counts is not None else torch.zeros(self.classes**2, dtype=torch.long)
        return counts.view(self.classes, self.classes).cpu()

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far; 0 without any pixel."""
        confusion = self.confusion()
        occurs = confusion.sum(0) + confusion.sum(1) > 0
        if not occurs.any():
            return {"miou": 0.0, "pixel_accuracy": 0.0, "dice": 0.0, "boundary_error": 0.0}
        errors, pixels = self.near_boundary.tolist() if self.near_boundary is not None else (0, 0)
        return {
            "miou": float(class_ious(confusion)[occurs].mean()),
            "pixel_accuracy": int(confusion.diagonal().sum()) / int(confusion.sum()),
            "dice": float(f1_scores(confusion)[occurs].mean()),
            "boundary_error": errors / max(1, pixels),
        }


def confusion_matrix(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
    """Return how many pixels of each class (row) were predicted as each class (column), (classes, classes), int64.

    Args:
        predicted: Predicted classes, any shape.
        target: True classes, of the same shape; `VOID` for pixels that are left out.
        classes: The number of classes.
    """
    rows = torch.where(target == VOID, classes, target.long())  # void ones in a row of their own
    counts = torch.bincount((rows * classes + predicted.long()).flatten(), minlength=(classes + 1) * classes)
    return counts.view(classes + 1, classes)[:classes]


def class_ious(confusion: Tensor) -> Tensor:
    """Return the intersection over union of each class, float64; 0 for a class that doesn't occur."""
    hits = confusion.diagonal().double()
    return hits / (confusion.sum(0) + confusion.sum(1) - hits).clamp(min=1)


def near_boundary(target: Tensor, radius: int = BOUNDARY_RADIUS) -> Tensor:
    """Return which pixels (N, height, width) have a pixel of another class, or a void one, within a radius.

    Void pixels themselves are left out. Distances are the larger of those of rows and of columns.
    """
    is_near = torch.zeros_like(target, dtype=torch.bool)
    for extreme in (torch.maximum, torch.minimum):
        reached = target
        for dim in (1, 2):
            values, size = reached, target.shape[dim]
            reached = values.clone()
            for step in range(1, min(radius, size - 1) + 1):
                one, other = values.narrow(dim, 0, size - step), values.narrow(dim, step, size - step)
                for start, neighbors in ((step, one), (0, other)):
                    place = reached.narrow(dim, start, size - step)
                    place.copy_(extreme(place, neighbors))
        is_near |= reached != target
    return is_near & (target != VOID)
