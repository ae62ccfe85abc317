"""Checks of the drills about softmax and categorical cross-entropy."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quizzes.content.classification.checks import confusion_labels


def softmax_values(z: Tensor, T: float) -> Tensor:
    return F.softmax(z / T, dim=0)


def cce_value(Z: Tensor, Y: Tensor) -> dict[str, Any]:
    return dict(l=F.cross_entropy(Z, Y, reduction="none"), L=F.cross_entropy(Z, Y))


def softmax_ce_grad(Z: Tensor, Y: Tensor) -> dict[str, Any]:
    Z.requires_grad_()
    (G,) = torch.autograd.grad(F.cross_entropy(Z, Y), Z)
    return dict(P=F.softmax(Z, dim=1), G=G)


def softmax_jacobian(z: Tensor) -> dict[str, Any]:
    J = torch.func.jacrev(lambda logits: F.softmax(logits, dim=0))(z)
    return dict(p=F.softmax(z, dim=0), J=J)


def one_hot(K: int, k: int) -> Tensor:
    return F.one_hot(torch.tensor(k), K)


def label_smoothing(z: Tensor, y: Tensor, epsilon: float) -> dict[str, Any]:
    z.requires_grad_()
    L = F.cross_entropy(z, y.argmax(), label_smoothing=epsilon)
    (gradient,) = torch.autograd.grad(L, z)
    t = F.softmax(z, dim=0) - gradient  # because the gradient is softmax(z) minus the smoothed label
    return dict(t=t, L=L)


def weighted_ce(Z: Tensor, Y: Tensor, w: Tensor) -> dict[str, Any]:
    labels = Y.argmax(dim=1)
    return dict(l=F.cross_entropy(Z, labels, reduction="none"), L=F.cross_entropy(Z, labels, weight=w))


def entropy_kl(p: Tensor, q: Tensor) -> dict[str, Any]:
    from torch.distributions import Categorical, kl_divergence

    H = Categorical(p).entropy()
    D = kl_divergence(Categorical(p), Categorical(q))
    C = F.cross_entropy(q.log(), p)
    return dict(H=H, D=D, C=C)


def hinge_svm_multi(s: Tensor, c: int, Delta: float) -> Tensor:
    # PyTorch divides by the number of classes, so multiply by it.
    return len(s) * F.multi_margin_loss(s[None], torch.tensor([c - 1]), margin=float(Delta))


def macro_micro_f1(C: Tensor) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    y_true, y_pred = confusion_labels(C)
    f = f1_score(y_true, y_pred, average=None)
    macro, micro = (f1_score(y_true, y_pred, average=average) for average in ("macro", "micro"))
    return dict(f=f, macro=macro, micro=micro)
