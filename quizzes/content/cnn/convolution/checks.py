"""Checks of the drills about convolution: its output size, depth, parameters and values."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quizzes.content.cnn.checks import receptive_range


def conv_out_size(n: int, f: int, p: int, s: int, d: int) -> int:
    return F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), stride=s, padding=p, dilation=d).shape[-1]


def same_padding(f: int, d: int) -> int:
    # PyTorch does not report the padding that it computes for "same". So try all, until the output size agrees.
    x, weight = torch.zeros(1, 1, 200), torch.zeros(1, 1, f)
    same = F.conv1d(x, weight, dilation=d, padding="same").shape
    return next(p for p in range(100) if F.conv1d(x, weight, dilation=d, padding=p).shape == same)


def same_padding_tensorflow(n: int, f: int, s: int) -> dict[str, Any]:
    x, weight = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
    o = x[0, 0, ::s].numel()  # a window starts at every s-th pixel
    # Brute force: the least padding that is enough for all windows. PyTorch has no "same" with a stride.
    T = next(t for t in range(2 * f) if F.conv1d(F.pad(x, (0, t)), weight, stride=s).shape[-1] >= o)
    b = torch.zeros(T).tensor_split(2)[0].numel()  # of two parts, the first is the larger one
    return dict(o=o, T=T, b=b)


def dilated_kernel(f: int, d: int) -> int:
    x = torch.zeros(1, 1, 400, requires_grad=True)
    y = F.conv1d(x, torch.ones(1, 1, f), dilation=d)
    first, last = receptive_range(y[0, 0, 50], x)
    return last - first + 1


def dilated_layer(n: int, p: int, f: int, d: int, C_in: int, C_out: int) -> dict[str, Any]:
    layer = torch.nn.Conv2d(C_in, C_out, f, dilation=d, padding=p, bias=False, device="meta")
    o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
    # Brute force: E is the size of the kernel without dilation that gives the same output size.
    x = torch.zeros(1, 1, n)
    E = next(size for size in range(1, n) if F.conv1d(x, torch.zeros(1, 1, size), padding=p).shape[-1] == o)
    return dict(E=E, W=layer.weight.numel(), o=o)


def conv_params(k: int, C_in: int, C_out: int, g: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv2d(C_in, C_out, k, groups=g, device="meta").parameters())


def conv_macs_flops(n: int, f: int, s: int, p: int, C_in: int, C_out: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    layer = torch.nn.Conv2d(C_in, C_out, f, stride=s, padding=p, bias=False, device="meta")
    with FlopCounterMode(display=False) as counter:
        o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
    FLOPs = counter.get_total_flops()
    return dict(o=o, MACs=FLOPs // 2, FLOPs=FLOPs)


def grouped_conv(f: int, C_in: int, C_out: int, g: int) -> int:
    return torch.nn.Conv2d(C_in, C_out, f, groups=g, bias=False, device="meta").weight.numel()


def conv3d(f_t: int, f: int, C_in: int, C_out: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv3d(C_in, C_out, (f_t, f, f), device="meta").parameters())


def conv1d(f: int, C_in: int, C_out: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv1d(C_in, C_out, f, device="meta").parameters())


def receptive_field(f1: int, f2: int, f3: int, s1: int, s2: int, s3: int, d1: int, d2: int, d3: int) -> dict[str, Any]:
    x = torch.zeros(1, 1, 600, requires_grad=True)
    y = x
    for f, s, d in ((f1, s1, d1), (f2, s2, d2), (f3, s3, d3)):
        y = F.conv1d(y, torch.ones(1, 1, f), stride=s, dilation=d)  # pooling covers the same pixels
    # Two neighbors in the middle: the size of one range is r3, the distance between the ranges j3.
    first, last = receptive_range(y[0, 0, 5], x)
    next_first, _ = receptive_range(y[0, 0, 6], x)
    return dict(r3=last - first + 1, j3=next_first - first)


def conv_stack_shapes(n: int, C: int, layers: Tensor) -> dict[str, Any]:
    x, shapes = torch.empty(1, C, n, n, device="meta"), []
    for filters, f, s, p in layers.int().tolist():
        if filters:
            x = torch.nn.Conv2d(x.shape[1], filters, f, stride=s, padding=p, device="meta")(x)
        else:
            x = F.max_pool2d(x, f, stride=s, padding=p)
        _, channels, height, width = x.shape
        shapes.append([height, width, channels])
    S1, S2, S3 = shapes
    return dict(S1=S1, S2=S2, S3=S3)


def conv_value_hand(X: Tensor, K: Tensor, b: float, s: int, p: int) -> Tensor:
    return F.conv2d(X[None, None], K[None, None], torch.tensor([float(b)]), stride=s, padding=p)[0, 0]


def conv_value_channels(X1: Tensor, X2: Tensor, K1: Tensor, K2: Tensor, b: float) -> Tensor:
    return F.conv2d(torch.stack([X1, X2])[None], torch.stack([K1, K2])[None], torch.tensor([float(b)]))[0, 0]


def small_cnn_audit(
    n0: int, k1: int, p1: int, C0: int, C1: int, k2: int, s2: int, p2: int, C2: int, K: int, B: int
) -> dict[str, Any]:
    with torch.device("meta"):  # shapes and counts without numbers
        conv1, conv2, head = nn.Conv2d(C0, C1, k1, padding=p1), nn.Conv2d(C1, C2, k2, s2, p2), nn.Linear(C2, K)
        first = conv1(torch.empty(B, C0, n0, n0))
        second = conv2(F.max_pool2d(first, 2))
    products = [(conv1.weight, first[0, 0]), (conv2.weight, second[0, 0]), (head.weight, torch.empty(1))]
    # In one dimension, with positive weights and the mean in place of the maximum, no path to the input is cut.
    line = torch.zeros(1, 1, 64, requires_grad=True)
    pooled = F.avg_pool1d(F.conv1d(line, torch.ones(1, 1, k1), padding=p1), 2)
    out = F.conv1d(pooled, torch.ones(1, 1, k2), stride=s2)
    (support,) = torch.autograd.grad(out[0, 0, out.shape[2] // 2], line)
    return dict(
        n1=first.shape[-1],
        n3=second.shape[-1],
        params=sum(p.numel() for layer in (conv1, conv2, head) for p in layer.parameters()),
        MACs=sum(weight.numel() * positions.numel() for weight, positions in products),
        field=int((support != 0).sum()),
        bytes=first.float().nbytes,
    )
