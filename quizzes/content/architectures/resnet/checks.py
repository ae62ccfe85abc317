"""Checks of the drills about ResNet."""

from typing import Any

import torch
from torch import Tensor

from quizzes.content.architectures.checks import num_parameters


def resnet_shapes(n: int, C_in: int, C_out: int, s: int) -> dict[str, Any]:
    from torchvision.models.resnet import BasicBlock, conv1x1

    is_identity = s == 1 and C_in == C_out
    with torch.device("meta"):  # only the shapes are needed
        projection = conv1x1(C_in, C_out, s)
        shortcut = torch.nn.Sequential(projection, torch.nn.BatchNorm2d(C_out))
        block = BasicBlock(C_in, C_out, s, downsample=None if is_identity else shortcut)
        _, C, H, W = block(torch.empty(1, C_in, n, n)).shape
    return dict(
        S=[H, W, C], P=0 if is_identity else num_parameters(projection), W=num_parameters(block.conv1, block.conv2)
    )


def resnet_bottleneck_params(C: int, c: int) -> dict[str, Any]:
    from torchvision.models.resnet import BasicBlock, Bottleneck

    with torch.device("meta"):  # only the shapes are needed
        # The block has 4*planes output channels, and a bottleneck of planes * base_width/64 channels.
        bottleneck = Bottleneck(C, planes=C // 4, base_width=256 * c // C)
        basic = BasicBlock(C, C)
    assert bottleneck.conv2.in_channels == c
    B = num_parameters(bottleneck.conv1, bottleneck.conv2, bottleneck.conv3)
    A = num_parameters(basic.conv1, basic.conv2)
    return dict(B=B, A=A, q=A / B)


def residual_gradient(x: float, a: float, b: float) -> dict[str, Any]:
    y0 = torch.tensor(float(x), requires_grad=True)
    y1 = y0 + a * y0**2
    y2 = y1 + b * y1**2
    (g,) = torch.autograd.grad(y2, y0)
    return dict(y1=y1, y2=y2, g=g)


def residual_depth(d: Tensor) -> dict[str, Any]:
    x = torch.tensor(1.0, requires_grad=True)
    plain = residual = x
    for derivative in d:  # the layers are linear, F(x) = derivative * x
        plain, residual = derivative * plain, residual + derivative * residual
    Q, R = (torch.autograd.grad(y, x)[0] for y in (plain, residual))
    return dict(Q=Q, R=R)
