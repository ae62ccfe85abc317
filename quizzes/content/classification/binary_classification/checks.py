"""Logistic regression and binary cross-entropy: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bce_value(y: Tensor, p: Tensor) -> float:
    return F.binary_cross_entropy(p, y)


def bce_logits(z: float, y: int) -> float:
    return F.binary_cross_entropy_with_logits(torch.tensor(float(z)), torch.tensor(float(y)))


def bce_clipped(p: float, y: int, epsilon: float) -> float:
    return F.binary_cross_entropy(torch.tensor(float(p)).clamp(epsilon, 1 - epsilon), torch.tensor(float(y)))


def logreg_gd_step(x: Tensor, y: Tensor, w: float, b: float, eta: float) -> dict[str, Any]:
    w, b = (torch.tensor(float(value), requires_grad=True) for value in (w, b))
    z = w * x + b
    p = torch.sigmoid(z)
    F.binary_cross_entropy_with_logits(z, y).backward()
    g_w, g_b = w.grad, b.grad
    torch.optim.SGD([w, b], lr=eta).step()
    w_new, b_new = w, b
    return dict(p=p, g_w=g_w, g_b=g_b, w_new=w_new, b_new=b_new)


def focal_loss(p: float, y: int, gamma: float, alpha: float) -> dict[str, Any]:
    from torchvision.ops import sigmoid_focal_loss

    probability, label = torch.tensor(float(p)), torch.tensor(float(y))
    p_t = torch.exp(-F.binary_cross_entropy(probability, label))
    L = sigmoid_focal_loss(torch.logit(probability), label, alpha=alpha, gamma=gamma)
    return dict(p_t=p_t, L=L)


def confusion_metrics(TP: int, FP: int, FN: int, TN: int) -> dict[str, Any]:
    import numpy as np
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    counts = [TN, FP, FN, TP]
    y_true, y_pred = np.repeat([0, 0, 1, 1], counts), np.repeat([0, 1, 0, 1], counts)
    # The specificity is the recall of class 0.
    (_, P), (Spec, R), (_, F1), _ = precision_recall_fscore_support(y_true, y_pred)
    Acc = accuracy_score(y_true, y_pred)
    return dict(P=P, R=R, F1=F1, Acc=Acc, Spec=Spec)


def confusion_counts(N: int, pos: int, P: float, R: float) -> dict[str, Any]:
    matches = [
        (tp, fp)
        for tp in range(1, pos + 1)
        for fp in range(N - pos + 1)
        if abs(tp / pos - R) < 1e-9 and abs(tp / (tp + fp) - P) < 1e-9
    ]
    [(TP, FP)] = matches
    FN, TN = pos - TP, N - pos - FP
    return dict(TP=TP, FN=FN, FP=FP, TN=TN)


def roc_auc_rank(pos: Tensor, neg: Tensor) -> float:
    from sklearn.metrics import roc_auc_score

    return roc_auc_score([1] * len(pos) + [0] * len(neg), pos.tolist() + neg.tolist())
