"""Checks of the drills about model complexity."""

from typing import Any

import torch
from torch import nn


def network_params_flops(layers: str, input: list[int]) -> dict[str, int]:
    from torch.utils.flop_counter import FlopCounterMode

    modules: list[nn.Module] = []
    for layer in layers.split(", "):
        if layer.startswith("conv"):
            size, filters = layer.removeprefix("conv").split()[0].split("-")
            stride = 2 if "/2" in layer else 1
            padding = int(size) // 2 if "p" in layer else 0
            modules.append(nn.LazyConv2d(int(filters), int(size), stride, padding))
        elif layer.startswith("fc"):
            modules.append(nn.LazyLinear(int(layer.removeprefix("fc"))))
        elif layer == "gap":
            modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        else:
            modules.append({"relu": nn.ReLU(), "pool2": nn.MaxPool2d(2), "flatten": nn.Flatten()}[layer])
    height, width, channels = input
    network, image = nn.Sequential(*modules), torch.zeros(1, channels, height, width)
    network(image)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    flops = int(counter.get_total_flops())
    return dict(P=sum(weights.numel() for weights in network.parameters()), MACs=flops // 2, FLOPs=flops)


def memory_bytes(P: int, b: int) -> dict[str, float]:
    dtype = {1: torch.int8, 2: torch.float16, 4: torch.float32}[b]
    size = torch.empty(P, dtype=dtype, device="meta").nbytes
    weights = nn.Parameter(torch.zeros(10))
    optimizer = torch.optim.Adam([weights])
    weights.grad = torch.ones(10)
    optimizer.step()
    state = [value for value in optimizer.state[weights].values() if value.dim()]
    numbers = sum(value.numel() for value in (weights, weights.grad, *state)) // 10  # per parameter
    train = numbers * torch.empty(P, dtype=torch.float32, device="meta").nbytes
    return dict(MB=size / 1e6, MiB=size / 1024**2, train=train / 1e9)


def activation_memory(N: int, C: int, H: int, W: int, b: int) -> dict[str, float]:
    size = torch.empty(N, C, H, W, dtype={2: torch.float16, 4: torch.float32}[b], device="meta").nbytes
    return dict(A=size, MiB=size / 1024**2)


def activation_memory_batch(P: int, C: int, n: int, b: int, M: int) -> dict[str, Any]:
    def size(batch: int) -> int:
        maps = [torch.empty(batch, C * 2**k, n // 2**k, n // 2**k, dtype=dtype, device="meta") for k in range(3)]
        return sum(feature_map.nbytes for feature_map in maps)

    dtype = {2: torch.float16, 4: torch.float32}[b]
    fixed = 4 * torch.empty(P, dtype=torch.float32, device="meta").nbytes
    batch = 0
    while size(batch + 1) + fixed <= M * 1024**2:
        batch += 1
    return dict(S=size(1), G=fixed, N=batch)
