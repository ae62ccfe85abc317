"""Checks of the drills about ImageNet and evaluation."""

from typing import Any

from torch import Tensor


def top_k_error(scores: Tensor, y: Tensor, k: int) -> dict[str, Any]:
    from fractions import Fraction

    from sklearn.metrics import top_k_accuracy_score

    labels = [int(label) - 1 for label in y]

    def error(k: int) -> str:
        correct = top_k_accuracy_score(labels, scores.numpy(), k=k, normalize=False, labels=range(scores.shape[1]))
        return str(1 - Fraction(int(correct), len(labels)))

    return dict(E1=error(1), Ek=error(k))
