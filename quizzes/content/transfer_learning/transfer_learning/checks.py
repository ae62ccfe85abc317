"""Backbone and head; feature extraction, fine-tuning: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch


def transfer_trainable(K: int, P_bn: int, network: str) -> int:
    from unittest.mock import patch

    import torchvision

    with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes matter
        net = torchvision.models.get_model(network)
        batch_norms = [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
        linear_layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, torch.nn.Linear)]
        head_name, old_head = linear_layers[-1]
        net.requires_grad_(False)
        for layer in batch_norms:
            layer.requires_grad_(P_bn > 0)
        net.set_submodule(head_name, torch.nn.Linear(old_head.in_features, K))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def transfer_table(k: int, C1: int, C2: int, K_old: int, K: int) -> dict[str, Any]:
    from torch import nn

    def block(in_channels, out_channels):
        return nn.Sequential(
            nn.Conv2d(in_channels, out_channels, k, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()
        )

    with torch.device("meta"):
        first, second = block(3, C1), block(C1, C2)
        net = nn.Sequential(first, nn.MaxPool2d(2), second, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C2, K_old))
        net[-1] = nn.Linear(C2, K)

    def num_trainable(*layers):
        net.requires_grad_(False)
        for layer in layers:
            layer.requires_grad_(True)
        return sum(p.numel() for p in net.parameters() if p.requires_grad)

    head = net[-1]
    B = num_trainable(first, second)
    T_head, T_bn = num_trainable(head), num_trainable(head, first[1], second[1])
    T_block, T_all = num_trainable(head, second), num_trainable(net)
    return dict(B=B, T_head=T_head, T_bn=T_bn, T_block=T_block, T_all=T_all)
