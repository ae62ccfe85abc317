"""Checks of the drills about transfer learning."""

from typing import Any

import torch


def transfer_trainable(K: int, P_bn: int, network: str) -> int:
    from unittest.mock import patch

    import torchvision

    with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes are needed
        net = torchvision.models.get_model(network)
        net.requires_grad_(False)
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.requires_grad_(P_bn > 0)
        # The last linear layer is the head.
        *_, (name, head) = ((n, layer) for n, layer in net.named_modules() if isinstance(layer, torch.nn.Linear))
        net.set_submodule(name, torch.nn.Linear(head.in_features, K))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def transfer_table(k: int, C1: int, C2: int, K_old: int, K: int) -> dict[str, Any]:
    from torch import nn

    def block(in_channels: int, out_channels: int) -> nn.Sequential:
        convolution = nn.Conv2d(in_channels, out_channels, k, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())

    with torch.device("meta"):  # only the shapes are needed
        first, second = block(3, C1), block(C1, C2)
        net = nn.Sequential(first, nn.MaxPool2d(2), second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C2, K_old))
        net[-1] = head = nn.Linear(C2, K)

    def num_trainable(*layers: nn.Module) -> int:
        net.requires_grad_(False)
        for layer in layers:
            layer.requires_grad_(True)
        return sum(p.numel() for p in net.parameters() if p.requires_grad)

    return dict(
        B=num_trainable(first, second),
        T_head=num_trainable(head),
        T_bn=num_trainable(head, first[1], second[1]),
        T_block=num_trainable(head, second),
        T_all=num_trainable(net),
    )
