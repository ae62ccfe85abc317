"""Checks of the drills about logistic regression and binary cross-entropy."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quizzes.content.classification.checks import confusion_labels


def bce_value(y: Tensor, p: Tensor) -> Tensor:
    return F.binary_cross_entropy(p, y)


def bce_logits(z: float, y: int) -> Tensor:
    return F.binary_cross_entropy_with_logits(torch.tensor(float(z)), torch.tensor(float(y)))


def bce_clipped(p: float, y: int, epsilon: float) -> Tensor:
    return F.binary_cross_entropy(torch.tensor(float(p)).clamp(epsilon, 1 - epsilon), torch.tensor(float(y)))


def logreg_gd_step(x: Tensor, y: Tensor, w: float, b: float, eta: float) -> dict[str, Any]:
    weight, bias = (torch.tensor(float(value), requires_grad=True) for value in (w, b))
    z = weight * x + bias
    F.binary_cross_entropy_with_logits(z, y).backward()
    torch.optim.SGD([weight, bias], lr=eta).step()  # changes the parameters in place
    return dict(p=torch.sigmoid(z), g_w=weight.grad, g_b=bias.grad, w_new=weight, b_new=bias)


def focal_loss(p: float, y: int, gamma: float, alpha: float) -> dict[str, Any]:
    from torchvision.ops import sigmoid_focal_loss

    probability, label = torch.tensor(float(p)), torch.tensor(float(y))
    p_t = torch.exp(-F.binary_cross_entropy(probability, label))  # because the cross-entropy is -log(p_t)
    L = sigmoid_focal_loss(torch.logit(probability), label, alpha=alpha, gamma=gamma)
    return dict(p_t=p_t, L=L)


def confusion_metrics(TP: int, FP: int, FN: int, TN: int) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    y_true, y_pred = confusion_labels(torch.tensor([[TN, FP], [FN, TP]]))
    # The specificity is the recall of class 0.
    (_, P), (Spec, R), (_, F1), _ = precision_recall_fscore_support(y_true, y_pred)
    return dict(P=P, R=R, F1=F1, Acc=accuracy_score(y_true, y_pred), Spec=Spec)


def confusion_counts(N: int, pos: int, P: float, R: float) -> dict[str, Any]:
    # Brute force: try all counts, because no library computes counts from metrics.
    matches = [
        (tp, fp)
        for tp in range(1, pos + 1)
        for fp in range(N - pos + 1)
        if abs(tp / pos - R) < 1e-9 and abs(tp / (tp + fp) - P) < 1e-9
    ]
    [(TP, FP)] = matches
    return dict(TP=TP, FN=pos - TP, FP=FP, TN=N - pos - FP)


def roc_auc_rank(pos: Tensor, neg: Tensor) -> float:
    from sklearn.metrics import roc_auc_score

    labels = [1] * len(pos) + [0] * len(neg)
    return float(roc_auc_score(labels, torch.cat([pos, neg])))
