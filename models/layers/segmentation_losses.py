"""Losses of networks that classify every pixel.

    cross-entropy        mean of -log p_t, where p_t is the probability of the pixel's class t
    weighted             sum of -w_t log p_t over the sum of w_t, so that rare classes count as much as frequent ones
    focal                mean of -(1 - p_t)^gamma log p_t: easy pixels, of high p_t, count less
    Dice                 1 - mean over classes of 2 sum(p g) / (sum(p) + sum(g)), where g is 1 at its pixels
    cross-entropy+dice   their sum

Dice on hard counts, as a metric, is not differentiable; the loss uses probabilities instead (Milletari et al.,
arXiv:1606.04797, 2016, whose denominator has squares; without squares as Drozdzal et al., arXiv:1608.04117, 2016). The
focal loss is that of Lin et al. (arXiv:1708.02002, 2017), for several classes. Pixels of the class `VOID` are left out
of every sum; if all are void, the loss is 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

VOID = 255  # class of a pixel that is neither learned nor evaluated: Pascal VOC's value
FOCAL_GAMMA = 2.0  # the paper's best
SMOOTHING = 1.0  # pixels, added to both sides of the Dice ratio, so that it is defined without any


def cross_entropy(logits: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy of the pixels that are not void, weighted by their classes.

    Args:
        logits: (N, classes, height, width).
        target: The class of each pixel (N, height, width), any integer type; `VOID` for none.
        weights: Weight of each class (classes,); all have the same by default.
    """
    classes = target.long()
    total = F.cross_entropy(logits, classes, weights, ignore_index=VOID, reduction="sum")
    is_valid = classes != VOID
    count = is_valid.sum() if weights is None else weights[classes[is_valid]].sum()
    return total / count.clamp(min=torch.finfo(logits.dtype).tiny)


def focal_loss(logits: Tensor, target: Tensor, weights: Tensor | None = None, gamma: float = FOCAL_GAMMA) -> Tensor:
    """Return the mean focal loss of the pixels that are not void; arguments as of `cross_entropy`.

    Args:
        logits: (N, classes, height, width).
        target: (N, height, width).
        weights: Weight of each class (classes,), the paper's alpha.
        gamma: Exponent; 0 is the cross-entropy.
    """
    classes = target.long()
    is_valid = classes != VOID
    each = F.cross_entropy(logits, classes, ignore_index=VOID, reduction="none")[is_valid]
    probability = (-each).exp()
    pixel_weights = torch.ones_like(each) if weights is None else weights[classes[is_valid]]
    total = (pixel_weights * (1 - probability) ** gamma * each).sum()
    return total / pixel_weights.sum().clamp(min=torch.finfo(logits.dtype).tiny)


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return 1 minus the mean soft Dice coefficient of the classes that occur; each is summed over the whole batch.

    Args:
        logits: (N, classes, height, width).
        target: (N, height, width).
    """
    is_valid = target != VOID
    probabilities = logits.softmax(dim=1).movedim(1, -1)[is_valid]  # (pixels, classes)
    truth = F.one_hot(target[is_valid].long(), logits.shape[1]).to(logits.dtype)
    overlap, sizes = (probabilities * truth).sum(dim=0), truth.sum(dim=0)
    coefficients = (2 * overlap + SMOOTHING) / (probabilities.sum(dim=0) + sizes + SMOOTHING)
    occurs = (sizes > 0).to(logits.dtype)
    return ((1 - coefficients) * occurs).sum() / occurs.sum().clamp(min=1)


def pixel_loss(kind: str, logits: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return a loss by its name: `cross-entropy`, `focal`, `dice` or `cross-entropy+dice`.

    The weights are those of classes in cross-entropy and focal loss; in Dice all classes have the same weight anyway.
    """
    if kind == "focal":
        return focal_loss(logits, target, weights)
    if kind == "dice":
        return dice_loss(logits, target)
    own = cross_entropy(logits, target, weights)
    return own + dice_loss(logits, target) if kind == "cross-entropy+dice" else own
