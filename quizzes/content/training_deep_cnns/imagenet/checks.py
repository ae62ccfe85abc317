"""ImageNet and evaluation: the drills' answers computed by PyTorch or another library."""

from typing import Any

from torch import Tensor


def top_k_error(scores: Tensor, y: Tensor, k: int) -> dict[str, Any]:
    from fractions import Fraction

    from sklearn.metrics import top_k_accuracy_score

    def error(k):
        labels = [int(label) - 1 for label in y]
        correct = top_k_accuracy_score(labels, scores.numpy(), k=k, normalize=False, labels=range(scores.shape[1]))
        return str(1 - Fraction(int(correct), len(labels)))

    E1, Ek = error(1), error(k)
    return dict(E1=E1, Ek=Ek)
