"""ResNet: residual learning: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
from torch import Tensor


def resnet_shapes(n: int, C_in: int, C_out: int, s: int) -> dict[str, Any]:
    from torchvision.models.resnet import BasicBlock, conv1x1

    with torch.device("meta"):
        shortcut = conv1x1(C_in, C_out, s)
        is_identity = s == 1 and C_in == C_out
        norm = torch.nn.BatchNorm2d(C_out)
        block = BasicBlock(C_in, C_out, s, downsample=None if is_identity else torch.nn.Sequential(shortcut, norm))
        S = block(torch.empty(1, C_in, n, n))[0].permute(1, 2, 0).shape
    P = sum(p.numel() for name, p in block.named_parameters() if name == "downsample.0.weight")
    W = block.conv1.weight.numel() + block.conv2.weight.numel()
    return dict(S=S, P=P, W=W)


def resnet_bottleneck_params(C: int, c: int) -> dict[str, Any]:
    from torchvision.models.resnet import BasicBlock, Bottleneck

    with torch.device("meta"):
        bottleneck = Bottleneck(C, C // 4, base_width=256 * c // C)
        basic = BasicBlock(C, C)
    assert bottleneck.conv2.weight.shape[1] == c
    B, A = (sum(p.numel() for p in block.parameters() if p.dim() == 4) for block in (bottleneck, basic))
    q = A / B
    return dict(B=B, A=A, q=q)


def residual_gradient(x: float, a: float, b: float) -> dict[str, Any]:
    x = torch.tensor(float(x), requires_grad=True)
    y1 = x + a * x.square()
    y2 = y1 + b * y1.square()
    (g,) = torch.autograd.grad(y2, x)
    return dict(y1=y1, y2=y2, g=g)


def residual_depth(d: Tensor) -> dict[str, Any]:
    x = torch.tensor(1.0, requires_grad=True)
    plain = residual = x
    for derivative in d.tolist():  # a linear F with this derivative
        plain, residual = derivative * plain, residual + derivative * residual
    Q, R = (torch.autograd.grad(y, x)[0] for y in (plain, residual))
    return dict(Q=Q, R=R)
