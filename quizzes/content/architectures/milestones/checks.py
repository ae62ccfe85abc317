"""Neocognitron to GoogLeNet: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
from torch import Tensor


def inception_bottleneck(n: int, f: int, C_in: int, r: int, C_out: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    def macs(*layers):
        x = torch.empty(1, C_in, n, n, device="meta")
        with FlopCounterMode(display=False) as counter:
            for layer in layers:
                x = layer(x)
        return counter.get_total_flops() // 2

    A = macs(torch.nn.Conv2d(C_in, C_out, f, padding="same", device="meta"))
    B = macs(torch.nn.Conv2d(C_in, r, 1, device="meta"), torch.nn.Conv2d(r, C_out, f, padding="same", device="meta"))
    q = A / B
    return dict(A=A, B=B, q=q)


def inception_concat(C_in: int, n1: int, r3: int, n3: int, r5: int, n5: int, n_p: int) -> dict[str, Any]:
    def conv(in_channels, out_channels, kernel_size):
        return torch.nn.Conv2d(in_channels, out_channels, kernel_size, padding="same", bias=False, device="meta")

    branches = [
        torch.nn.Sequential(conv(C_in, n1, 1)),
        torch.nn.Sequential(conv(C_in, r3, 1), conv(r3, n3, 3)),
        torch.nn.Sequential(conv(C_in, r5, 1), conv(r5, n5, 5)),
        torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), conv(C_in, n_p, 1)),
    ]
    x = torch.empty(1, C_in, 8, 8, device="meta")
    C = torch.cat([branch(x) for branch in branches], dim=1).shape[1]
    W = sum(p.numel() for branch in branches for p in branch.parameters())
    return dict(C=C, W=W)


def trace_architecture(
    n: int, c: int, p: int, f1: int, c1: int, f2: int, c2: int, u1: int, u2: int, K: int
) -> dict[str, Any]:
    layers = [
        torch.nn.Conv2d(c, c1, f1, padding=p),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(c1, c2, f2),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
    ]
    shapes, x = [], torch.zeros(1, c, n, n)
    for layer in layers:
        x = layer(x)
        shapes.append(x.shape)
    n1, m1, m2, v = shapes[0][-1], shapes[2][-1], shapes[5][-1], shapes[6][-1]
    layers += [torch.nn.Linear(v, u1), torch.nn.Linear(u1, u2), torch.nn.Linear(u2, K)]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    P1, P2, P3, P = counts[0], counts[3], counts[7], sum(counts)
    return dict(n1=n1, m1=m1, m2=m2, v=v, P1=P1, P2=P2, P3=P3, P=P)


def layer_table(n: int, c: int, f1: int, s: int, p: int, c1: int, f2: int, P2: int, P3: int) -> dict[str, Any]:
    def count_parameters(layer):
        return sum(p.numel() for p in layer.parameters())

    conv1 = torch.nn.Conv2d(c, c1, f1, s, p)
    c2 = P2 // count_parameters(torch.nn.Conv2d(c1, 1, f2))
    conv2 = torch.nn.Conv2d(c1, c2, f2)
    x, shapes = torch.zeros(1, c, n, n), []
    for layer in (conv1, torch.nn.MaxPool2d(2), conv2, torch.nn.MaxPool2d(2), torch.nn.Flatten()):
        x = layer(x)
        shapes.append(x.shape)
    n1, m1, n2, _, v = (shape[-1] for shape in shapes)
    K = P3 // count_parameters(torch.nn.Linear(v, 1))
    P1, P = count_parameters(conv1), sum(map(count_parameters, (conv1, conv2, torch.nn.Linear(v, K))))
    return dict(n1=n1, P1=P1, m1=m1, n2=n2, c2=c2, v=v, K=K, P=P)


def trace_vgg(n: int, stages: Tensor, stage: int, i: int, widths: list[Any]) -> dict[str, Any]:
    from torchvision.models.vgg import make_layers

    plan = [width for k, width in zip(stages.int().tolist(), widths, strict=True) for width in [width] * k + ["M"]]
    with torch.device("meta"):
        x, layers = torch.empty(1, 3, n, n), make_layers(plan)
    current_stage, number = 1, 0
    for layer in layers:
        x = layer(x)
        if isinstance(layer, torch.nn.MaxPool2d):
            current_stage, number = current_stage + 1, 0
        elif isinstance(layer, torch.nn.Conv2d):
            number += 1
            if (current_stage, number) == (stage, i):
                S, P = x[0].permute(1, 2, 0).shape, sum(p.numel() for p in layer.parameters())
    D = sum(p.numel() for p in torch.nn.Linear(x.flatten(1).shape[1], 4096, device="meta").parameters())
    return dict(S=S, P=P, D=D)
