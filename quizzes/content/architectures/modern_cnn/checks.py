"""DenseNet, MobileNet v1/v2, EfficientNet, ConvNeXt: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch


def densenet_channels(k0: int, k: int, L: int, l: int, theta: float) -> dict[str, Any]:
    from unittest.mock import patch

    from torchvision.models import DenseNet

    with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes are needed
        # Its transition layers halve the channels, so theta = 0.5.
        net = DenseNet(growth_rate=k, block_config=(L, 1), num_init_features=k0)
    I = net.features.denseblock1[f"denselayer{l}"].norm1.num_features
    B, T = net.features.transition1.conv.in_channels, net.features.transition1.conv.out_channels
    return dict(I=I, B=B, T=T)


def depthwise_separable(n: int, f: int, C_in: int, C_out: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        depthwise = torch.nn.Conv2d(C_in, C_in, f, padding="same", groups=C_in, bias=False)
        pointwise = torch.nn.Conv2d(C_in, C_out, 1, bias=False)
        A = torch.nn.Conv2d(C_in, C_out, f, bias=False).weight.numel()
        with FlopCounterMode(display=False) as counter:
            pointwise(depthwise(torch.empty(1, C_in, n, n)))
    W = depthwise.weight.numel() + pointwise.weight.numel()
    M = counter.get_total_flops() // 2
    q = W / A
    return dict(W=W, A=A, M=M, q=q)


def mobilenetv2_block(C: int, D: int, t: int, s: int) -> dict[str, Any]:
    from torchvision.models.mobilenetv2 import InvertedResidual

    with torch.device("meta"):
        block = InvertedResidual(C, D, stride=s, expand_ratio=t)
    convolutions = [layer for layer in block.modules() if isinstance(layer, torch.nn.Conv2d)]
    E = convolutions[0].out_channels
    W = sum(layer.weight.numel() for layer in convolutions)
    r = int(block.use_res_connect)
    return dict(E=E, W=W, r=r)


def se_block_params(C: int, r: int) -> dict[str, Any]:
    from torchvision.ops import SqueezeExcitation

    block = SqueezeExcitation(C, C // r).to("meta")  # a 1x1 convolution of one pixel is a dense layer
    W = sum(p.numel() for p in block.parameters() if p.dim() > 1)
    P = sum(p.numel() for p in block.parameters())
    return dict(W=W, P=P)


def compound_scaling(phi: int, alpha: float, beta: float, gamma: float) -> dict[str, Any]:
    D, W, R = (torch.cumprod(torch.full((phi,), base), dim=0)[-1] for base in (alpha, beta, gamma))
    M = torch.stack([D, W, W, R, R]).prod()
    return dict(D=D, W=W, R=R, M=M)
