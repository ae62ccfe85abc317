"""Checks of the drills about losses of segmentation."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import harmonic_mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_ce(p: Tensor, v: Tensor) -> dict[str, Any]:
    scores = torch.stack([(1 - p).log(), p.log()], 1)
    targets = torch.where(v > 0, 1, 255)
    return dict(n=int((targets != 255).sum()), L=F.nll_loss(scores, targets, ignore_index=255))


def pixel_ce_logits(Z: Tensor, y: Tensor) -> dict[str, Any]:
    targets = y.long()
    return {
        name: F.cross_entropy(Z, targets, ignore_index=255, reduction=reduction)
        for name, reduction in (("l", "none"), ("L", "mean"))
    }


def pixel_ce_weighted(p: Tensor, y: Tensor, w: Tensor) -> Tensor:
    scores = torch.zeros(len(p), len(w)).scatter(1, y.long()[:, None], p.log()[:, None])
    return F.nll_loss(scores, y.long(), weight=w)


def pixel_ce_uniform(height: int, width: int, K: int | None = None, L: float | None = None) -> dict[str, Any]:
    def loss(classes: int) -> float:
        return F.cross_entropy(torch.zeros(1, classes, 2, 2), torch.ones(1, 2, 2).long()).item()

    K = K or next(k for k in range(2, 1001) if loss(k) > (L or 0) - 5e-4)
    return dict(K=K, L=loss(K))


def pixel_ce_constant(f: float) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, jaccard_score

    truth = (torch.arange(1000) < round(1000 * f)).double()
    p = torch.full_like(truth, f)
    hard = (p > 0.5).double()
    return dict(
        acc=accuracy_score(truth, hard),
        mIoU=jaccard_score(truth, hard, average="macro"),
        L=F.binary_cross_entropy(p, truth),
        D=2 * torch.dot(p, truth) / (p.sum() + truth.sum()),
    )


def class_weights(n: Tensor) -> dict[str, Any]:
    from sklearn.utils.class_weight import compute_class_weight

    labels = torch.arange(len(n)).repeat_interleave(n.long())
    frequency = n / n.sum()
    return dict(
        w=compute_class_weight("balanced", classes=labels.unique().numpy(), y=labels.numpy()).tolist(),
        m=frequency.median() / frequency,
    )


def _masks(TP: int, FP: int, FN: int) -> Iterator[Tensor]:
    """Yield the true and the predicted class of pixels with these counts."""
    counts = torch.tensor([TP, FP, FN])
    for classes in ([1, 0, 1], [1, 1, 0]):
        yield torch.tensor(classes).repeat_interleave(counts)


def _scores(TP: int, FP: int, FN: int) -> tuple[float, float]:
    """Return Dice and Jaccard of pixels with these counts, by scikit-learn."""
    from sklearn.metrics import f1_score, jaccard_score

    true, predicted = _masks(TP, FP, FN)
    return f1_score(true, predicted), jaccard_score(true, predicted)


def dice(a: int, b: int, I: int) -> dict[str, Any]:
    D, J = _scores(I, a - I, b - I)
    return dict(D=D, L=1 - D, J=J)


def dice_jaccard(J: str | None = None, D: str | None = None) -> dict[str, Any]:
    # A predicted mask inside of the true one, which has `size` pixels.
    for size in range(1, 101):
        for inside in range(1, size + 1):
            recall = Fraction(inside, size)  # and the Jaccard index, since the precision is 1
            if (recall if J else harmonic_mean([Fraction(1), recall])) == Fraction(J or D or 0):
                dice, jaccard = _scores(inside, 0, size - inside)
                return dict(D=dice, J=jaccard)
    raise ValueError("no masks of up to 100 px have these values")


def dice_counts(FP: int, TP: int | None = None, FN: int | None = None, D: float | None = None) -> dict[str, Any]:
    def f1(true: int, missed: int) -> float:
        return harmonic_mean([true / (true + FP), true / (true + missed)])

    if TP is None:
        TP = min(range(1, 500), key=lambda count: abs(f1(count, FN or 0) - (D or 0)))
    if FN is None:
        FN = min(range(500), key=lambda count: abs(f1(TP, count) - (D or 0)))
    return dict(TP=TP, FN=FN, D=_scores(TP, FP, FN)[0])


def dice_masks(A: Tensor, B: Tensor) -> dict[str, Any]:
    from sklearn.metrics import f1_score, jaccard_score

    a, b = A.flatten().long(), B.flatten().long()
    return dict(I=int((a & b).sum()), D=f1_score(b, a), J=jaccard_score(b, a))


def dice_soft(p: Tensor, g: Tensor, eps: float) -> dict[str, Any]:
    I, S = torch.dot(p, g), p.norm(1) + g.norm(1)
    return dict(I=I, S=S, L=(S - 2 * I) / (S + eps))


def dice_squared(p: Tensor, g: Tensor) -> dict[str, Any]:
    # The squared distance is S - 2I.
    I, S = torch.dot(p, g), p.norm() ** 2 + g.norm() ** 2
    return dict(I=I, S=S, L=F.mse_loss(p, g, reduction="sum") / S)


def _gradients(p: Tensor, g: Tensor, power: int) -> tuple[Tensor, float, float]:
    """Return the gradient of the soft Dice loss by p, with the intersection and the denominator."""
    p = p.clone().requires_grad_()
    I, S = (p * g).sum(), p.pow(power).sum() + g.pow(power).sum()
    return torch.autograd.grad(1 - 2 * I / S, p)[0], I.item(), S.item()


def _derivatives(power: int) -> dict[str, list[float]]:
    """Return derivatives for a foreground and a background pixel of one probability among others, at five points."""
    points: dict[str, list[float]] = {name: [] for name in ("fg", "bg", "I", "S", "p")}
    for k in range(5):
        generator = torch.Generator().manual_seed(k)
        p, g = torch.rand(6, generator=generator).double(), torch.tensor([1.0, 0, 1, 1, 0, 0]).double()
        p[1] = p[0]
        gradient, I, S = _gradients(p, g, power)
        for name, value in dict(fg=gradient[0].item(), bg=gradient[1].item(), I=I, S=S, p=p[0].item()).items():
            points[name].append(value)
    return points


def dice_gradient(p: Tensor, g: Tensor) -> dict[str, Any]:
    points = _derivatives(1)
    return {name: points[name] for name in ("fg", "bg", "I", "S")} | dict(v=_gradients(p, g, 1)[0])


def dice_gradient_squared(q: Tensor, g: Tensor) -> dict[str, Any]:
    return _derivatives(2) | dict(v=_gradients(q, g, 2)[0])


def ce_dice(p: Tensor, g: Tensor, lam: float) -> dict[str, Any]:
    loss = F.binary_cross_entropy(p, g)
    D = torch.dot(p, g) / torch.cat([p, g]).mean() / len(p)
    return dict(CE=loss, D=D, L=loss + lam - lam * D)


def pixel_focal(m: int, p: float, n: int, q: float, gamma: float) -> dict[str, Any]:
    from torchvision.ops import sigmoid_focal_loss

    logits = torch.tensor([p, q]).logit()
    counts = torch.tensor([m, n])
    shares = []
    for exponent in (0.0, gamma):
        losses = counts * sigmoid_focal_loss(logits, torch.ones(2), alpha=-1, gamma=exponent)
        shares.append(losses[0] / losses.sum())
    return dict(share=shares[0], focal=shares[1])


def tversky(TP: int, FP: int, FN: int, alpha: float, beta: float) -> dict[str, Any]:
    D, J = _scores(TP, FP, FN)
    true, predicted = _masks(TP, FP, FN)
    errors = torch.where(predicted > true, alpha, torch.where(true > predicted, beta, 0.0))
    return dict(T=TP / (TP + errors.sum()), D=D, J=J)


def decide_loss_imbalance(N: int, f: int, r: int, e: float, h: float) -> dict[str, Any]:
    truth = (torch.arange(N) < f).double()
    masks = torch.full((2, N), e)
    masks[1, : f + r] = h

    def losses(w: float) -> list[float]:
        weight = torch.where(truth > 0, w, 1.0)
        return [F.binary_cross_entropy(mask, truth, weight=weight).item() for mask in masks]

    low, high = 1e-6, 1e6
    for _ in range(100):
        middle = (low * high) ** 0.5
        x, y = losses(middle)
        low, high = (low, middle) if y < x else (middle, high)
    (bce_x, bce_y), (d_x, d_y) = losses(1), (2 * masks @ truth / (masks.sum(1) + truth.sum())).tolist()
    names = {(True, True): 1, (False, True): 2, (True, False): 3, (False, False): 4}
    return dict(bce_x=bce_x, bce_y=bce_y, d_x=d_x, d_y=d_y, pick=names[bce_x < bce_y, d_x < d_y], w=low)


def debug_dice_loss(program: str, p: Tensor, g: Tensor) -> dict[str, Any]:
    namespace: dict[str, Any] = {"torch": torch}
    exec(program.rpartition("\nprint")[0], namespace)  # noqa: S102
    logits = p.logit().requires_grad_()
    loss = namespace["dice_loss"](logits, g)
    line = 2 if not loss.requires_grad else 4 if "p * target" in program.split("\n")[3] else 5
    inter, total = (p * g).sum(), (p + g).sum()
    effect = "flows" if loss.requires_grad else "none"
    return dict(line=line, printed=loss.item(), fixed=((total - 2 * inter) / total).item(), effect=effect)
