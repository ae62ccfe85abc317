"""Softmax and categorical cross-entropy: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def softmax_values(z: Tensor, T: float) -> Tensor:
    return torch.softmax(z / T, dim=0)


def cce_value(Z: Tensor, Y: Tensor) -> dict[str, Any]:
    l = F.cross_entropy(Z, Y, reduction="none")
    L = F.cross_entropy(Z, Y)
    return dict(l=l, L=L)


def softmax_ce_grad(Z: Tensor, Y: Tensor) -> dict[str, Any]:
    P = F.softmax(Z, dim=1)
    Z = Z.requires_grad_()
    (G,) = torch.autograd.grad(F.cross_entropy(Z, Y), Z)
    return dict(P=P, G=G)


def softmax_jacobian(z: Tensor) -> dict[str, Any]:
    p = F.softmax(z, dim=0)
    J = torch.autograd.functional.jacobian(lambda logits: F.softmax(logits, dim=0), z)
    return dict(p=p, J=J)


def one_hot(K: int, k: int) -> Tensor:
    return F.one_hot(torch.tensor(k), K)


def label_smoothing(z: Tensor, y: Tensor, epsilon: float) -> dict[str, Any]:
    z = z.requires_grad_()
    L = F.cross_entropy(z, y.argmax(), label_smoothing=epsilon)
    (gradient,) = torch.autograd.grad(L, z)
    t = F.softmax(z, dim=0) - gradient
    return dict(t=t, L=L)


def weighted_ce(Z: Tensor, Y: Tensor, w: Tensor) -> dict[str, Any]:
    l = F.cross_entropy(Z, Y.argmax(dim=1), reduction="none")
    L = F.cross_entropy(Z, Y.argmax(dim=1), weight=w)
    return dict(l=l, L=L)


def entropy_kl(p: Tensor, q: Tensor) -> dict[str, Any]:
    from torch.distributions import Categorical, kl_divergence

    H = Categorical(p).entropy()
    D = kl_divergence(Categorical(p), Categorical(q))
    C = F.cross_entropy(q.log(), p)
    return dict(H=H, D=D, C=C)


def hinge_svm_multi(s: Tensor, c: int, Delta: float) -> float:
    # PyTorch divides by the number of classes, so multiply by it.
    return len(s) * F.multi_margin_loss(s.unsqueeze(0), torch.tensor([c - 1]), margin=float(Delta))


def macro_micro_f1(C: Tensor) -> dict[str, Any]:
    import numpy as np
    from sklearn.metrics import f1_score

    counts = C.numpy().astype(int).ravel()
    y_true, y_pred = np.repeat(np.repeat([0, 1, 2], 3), counts), np.repeat(np.tile([0, 1, 2], 3), counts)
    f = f1_score(y_true, y_pred, average=None).tolist()
    macro, micro = (f1_score(y_true, y_pred, average=average) for average in ("macro", "micro"))
    return dict(f=f, macro=macro, micro=micro)
