"""Checks of the drills about the milestones from the Neocognitron to GoogLeNet."""

from typing import Any

import torch
from torch import Tensor

from quizzes.content.architectures.checks import layer_shapes, num_macs, num_parameters


def inception_bottleneck(n: int, f: int, C_in: int, r: int, C_out: int) -> dict[str, Any]:
    with torch.device("meta"):  # only the shapes are needed
        x = torch.empty(1, C_in, n, n)
        direct = [torch.nn.Conv2d(C_in, C_out, f, padding="same")]
        bottleneck = [torch.nn.Conv2d(C_in, r, 1), torch.nn.Conv2d(r, C_out, f, padding="same")]
    A, B = num_macs(direct, x), num_macs(bottleneck, x)
    return dict(A=A, B=B, q=A / B)


def inception_concat(C_in: int, n1: int, r3: int, n3: int, r5: int, n5: int, n_p: int) -> dict[str, Any]:
    def conv(in_channels: int, out_channels: int, kernel_size: int) -> torch.nn.Conv2d:
        return torch.nn.Conv2d(in_channels, out_channels, kernel_size, padding="same", bias=False)

    with torch.device("meta"):  # only the shapes are needed
        x = torch.empty(1, C_in, 8, 8)
        branches = [
            torch.nn.Sequential(conv(C_in, n1, 1)),
            torch.nn.Sequential(conv(C_in, r3, 1), conv(r3, n3, 3)),
            torch.nn.Sequential(conv(C_in, r5, 1), conv(r5, n5, 5)),
            torch.nn.Sequential(torch.nn.MaxPool2d(3, stride=1, padding=1), conv(C_in, n_p, 1)),
        ]
    C = torch.cat([branch(x) for branch in branches], dim=1).shape[1]
    return dict(C=C, W=num_parameters(*branches))


def trace_architecture(
    n: int, c: int, p: int, f1: int, c1: int, f2: int, c2: int, u1: int, u2: int, K: int
) -> dict[str, Any]:
    with torch.device("meta"):  # only the shapes are needed
        x = torch.empty(1, c, n, n)
        conv1, conv2 = torch.nn.Conv2d(c, c1, f1, padding=p), torch.nn.Conv2d(c1, c2, f2)
        pool, flatten = torch.nn.MaxPool2d(2), torch.nn.Flatten()
        shape1, shape2, _, shape4, shape5 = layer_shapes([conv1, pool, conv2, pool, flatten], x)
        n1, m1, m2, v = shape1[-1], shape2[-1], shape4[-1], shape5[-1]
        dense = torch.nn.Linear(v, u1), torch.nn.Linear(u1, u2), torch.nn.Linear(u2, K)
    P1, P2, P3 = num_parameters(conv1), num_parameters(conv2), num_parameters(dense[0])
    return dict(n1=n1, m1=m1, m2=m2, v=v, P1=P1, P2=P2, P3=P3, P=num_parameters(conv1, conv2, *dense))


def layer_table(n: int, c: int, f1: int, s: int, p: int, c1: int, f2: int, P2: int, P3: int) -> dict[str, Any]:
    with torch.device("meta"):  # only the shapes are needed
        x = torch.empty(1, c, n, n)
        conv1 = torch.nn.Conv2d(c, c1, f1, stride=s, padding=p)
        c2 = P2 // num_parameters(torch.nn.Conv2d(c1, 1, f2))  # every filter has the parameters of a single one
        conv2 = torch.nn.Conv2d(c1, c2, f2)
        pool, flatten = torch.nn.MaxPool2d(2), torch.nn.Flatten()
        n1, m1, n2, _, v = (shape[-1] for shape in layer_shapes([conv1, pool, conv2, pool, flatten], x))
        K = P3 // num_parameters(torch.nn.Linear(v, 1))  # every output has the parameters of a single one
        P = num_parameters(conv1, conv2, torch.nn.Linear(v, K))
    return dict(n1=n1, P1=num_parameters(conv1), m1=m1, n2=n2, c2=c2, v=v, K=K, P=P)


def trace_vgg(n: int, stages: Tensor, stage: int, i: int, widths: list[int]) -> dict[str, Any]:
    from torchvision.models.vgg import make_layers

    config: list[int | str] = []
    for depth, width in zip(stages.int().tolist(), widths, strict=True):
        config += [*[width] * depth, "M"]
    with torch.device("meta"):  # only the shapes are needed
        x, layers = torch.empty(1, 3, n, n), make_layers(config)
        shapes = layer_shapes(layers, x)
        D = num_parameters(torch.nn.Linear(shapes[-1][1:].numel(), 4096))
    convolutions = [k for k, layer in enumerate(layers) if isinstance(layer, torch.nn.Conv2d)]
    index = convolutions[int(stages[: stage - 1].sum()) + i - 1]  # of convolution i of the stage
    _, C, H, W = shapes[index]
    return dict(S=[H, W, C], P=num_parameters(layers[index]), D=D)
