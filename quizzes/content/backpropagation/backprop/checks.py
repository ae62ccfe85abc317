"""Forward and backward pass, chain rule: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def backprop_2layer_scalar(x: float, w1: float, b1: float, w2: float, b2: float, t: float) -> dict[str, Any]:
    w1, b1, w2, b2 = (torch.tensor(float(v), requires_grad=True) for v in (w1, b1, w2, b2))
    z1 = w1 * x + b1
    h = torch.sigmoid(z1)
    z2 = w2 * h + b2
    y = torch.sigmoid(z2)
    loss = F.mse_loss(y, torch.tensor(float(t))) / 2
    g_w1, g_w2, delta1, delta2 = torch.autograd.grad(loss, (w1, w2, z1, z2))
    return dict(h=h, y=y, delta2=delta2, g_w2=g_w2, delta1=delta1, g_w1=g_w1)


def backprop_2layer_softmax(x: Tensor, W1: Tensor, W2: Tensor, t: Tensor) -> dict[str, Any]:
    W1, W2 = W1.requires_grad_(), W2.requires_grad_()
    z1 = W1 @ x
    z2 = W2 @ F.relu(z1)
    p = F.softmax(z2, dim=0)
    G2, G1, delta2, delta1 = torch.autograd.grad(F.cross_entropy(z2, t), (W2, W1, z2, z1))
    return dict(p=p, delta2=delta2, G2=G2, delta1=delta1, G1=G1)


def matmul_grads(X: Tensor, W: Tensor, dY: Tensor) -> dict[str, Any]:
    X, W, b = X.requires_grad_(), W.requires_grad_(), torch.zeros(W.shape[1], requires_grad=True)
    dX, dW, db = torch.autograd.grad(torch.addmm(b, X, W), (X, W, b), grad_outputs=dY)
    return dict(dX=dX, dW=dW, db=db)


def matmul_grad_shapes(N: int, d: int, m: int) -> dict[str, Any]:
    X, W, b = (torch.zeros(*shape, requires_grad=True) for shape in ((N, d), (d, m), (m,)))
    torch.addmm(b, X, W).sum().backward()
    dX, dW, db = (list(tensor.grad.shape) for tensor in (X, W, b))
    return dict(dX=dX, dW=dW, db=db)


def grad_check(a: float, b: float, x: float, h: float) -> dict[str, Any]:
    points = torch.tensor([float(x - h), float(x), float(x + h)], requires_grad=True)
    values = a * points**3 + b * points**2
    n = torch.gradient(values.detach(), spacing=h)[0][1].item()
    g = torch.autograd.grad(values.sum(), points)[0][1].item()
    r = abs(a) * h**2 / max(abs(g), abs(n))  # by Taylor's theorem, n - g is exactly a*h^2 for a cubic
    return dict(n=n, g=g, r=r)


def training_step(x: Tensor, W1: Tensor, b1: Tensor, w2: Tensor, b2: float, t: int, eta: float) -> dict[str, Any]:
    W1, b1, w2 = W1.requires_grad_(), b1.requires_grad_(), w2.requires_grad_()
    b2 = torch.tensor(float(b2), requires_grad=True)
    z1 = F.linear(x, W1, b1)
    h = F.relu(z1)
    z2 = w2 @ h + b2
    y = torch.sigmoid(z2)
    loss = F.binary_cross_entropy_with_logits(z2, torch.tensor(float(t)))
    L = loss.item()
    delta2, delta1, g2, G1 = torch.autograd.grad(loss, (z2, z1, w2, W1), retain_graph=True)
    loss.backward()
    torch.optim.SGD([W1, b1, w2, b2], lr=eta).step()
    W1_new, b1_new, w2_new, b2_new = W1, b1, w2, b2
    return dict(
        h=h,
        y=y,
        L=L,
        delta2=delta2,
        g2=g2,
        delta1=delta1,
        G1=G1,
        w2_new=w2_new,
        b2_new=b2_new,
        W1_new=W1_new,
        b1_new=b1_new,
    )
