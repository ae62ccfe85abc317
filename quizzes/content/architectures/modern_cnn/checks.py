"""Checks of the drills about DenseNet, MobileNet, EfficientNet and ConvNeXt."""

from typing import Any

import torch

from quizzes.content.architectures.checks import num_macs, num_parameters


def densenet_channels(k0: int, k: int, L: int, l: int, theta: float) -> dict[str, Any]:
    from unittest.mock import patch

    from torchvision.models import DenseNet

    with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes are needed
        # Its transition layers halve the channels, so theta = 0.5.
        net = DenseNet(growth_rate=k, block_config=(L, 1), num_init_features=k0)
    I = net.features.denseblock1[f"denselayer{l}"].norm1.num_features
    transition = net.features.transition1.conv
    return dict(I=I, B=transition.in_channels, T=transition.out_channels)


def depthwise_separable(n: int, f: int, C_in: int, C_out: int) -> dict[str, Any]:
    with torch.device("meta"):  # only the shapes are needed
        depthwise = torch.nn.Conv2d(C_in, C_in, f, padding="same", groups=C_in, bias=False)
        pointwise = torch.nn.Conv2d(C_in, C_out, 1, bias=False)
        standard = torch.nn.Conv2d(C_in, C_out, f, bias=False)
        M = num_macs([depthwise, pointwise], torch.empty(1, C_in, n, n))
    W, A = num_parameters(depthwise, pointwise), num_parameters(standard)
    return dict(W=W, A=A, M=M, q=W / A)


def mobilenetv2_block(C: int, D: int, t: int, s: int) -> dict[str, Any]:
    from torchvision.models.mobilenetv2 import InvertedResidual

    with torch.device("meta"):  # only the shapes are needed
        block = InvertedResidual(C, D, stride=s, expand_ratio=t)
    convolutions = [layer for layer in block.modules() if isinstance(layer, torch.nn.Conv2d)]
    return dict(E=convolutions[0].out_channels, W=num_parameters(*convolutions), r=int(block.use_res_connect))


def se_block_params(C: int, r: int) -> dict[str, Any]:
    from torchvision.ops import SqueezeExcitation

    block = SqueezeExcitation(C, C // r)  # its 1x1 convolutions see a single pixel, so they are dense layers
    W = block.fc1.weight.numel() + block.fc2.weight.numel()
    return dict(W=W, P=num_parameters(block))


def compound_scaling(phi: int, alpha: float, beta: float, gamma: float) -> dict[str, Any]:
    # Repeated multiplication, independent of the powers in the formula.
    D, W, R = (torch.full((phi,), float(base)).prod() for base in (alpha, beta, gamma))
    return dict(D=D, W=W, R=R, M=D * W * W * R * R)
