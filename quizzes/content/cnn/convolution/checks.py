"""Convolution: output size, depth, parameters: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def conv_out_size(n: int, f: int, p: int, s: int, d: int) -> int:
    return F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), stride=s, padding=p, dilation=d).shape[-1]


def same_padding(f: int, d: int) -> int:
    n = 200
    output = F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), dilation=d, padding="same")
    assert output.shape[-1] == n
    x, weight = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
    (p,) = (p for p in range(100) if F.conv1d(x, weight, dilation=d, padding=p).shape[-1] == n)
    return p


def same_padding_tensorflow(n: int, f: int, s: int) -> dict[str, Any]:
    o = len(torch.arange(n)[::s])  # a window at every s-th pixel
    x, weight = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
    paddings = (t for t in range(2 * f) if F.conv1d(F.pad(x, (0, t)), weight, stride=s).shape[-1] >= o)
    T = next(paddings)
    b = len(range(T)[::2])
    return dict(o=o, T=T, b=b)


def dilated_kernel(f: int, d: int) -> int:
    x = torch.zeros(1, 1, 400, requires_grad=True)
    y = F.conv1d(x, torch.ones(1, 1, f), dilation=d)
    y[0, 0, 50].backward()
    pixels = x.grad[0, 0].nonzero()  # that the output depends on
    return int(pixels.max() - pixels.min()) + 1


def dilated_layer(n: int, p: int, f: int, d: int, C_in: int, C_out: int) -> dict[str, Any]:
    layer = torch.nn.Conv2d(C_in, C_out, f, dilation=d, padding=p, bias=False, device="meta")
    W = layer.weight.numel()
    o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
    x = torch.zeros(1, 1, n)  # E: the kernel size without dilation that gives the same output size
    E = next(size for size in range(1, n) if F.conv1d(x, torch.zeros(1, 1, size), padding=p).shape[-1] == o)
    return dict(E=E, W=W, o=o)


def conv_params(k: int, C_in: int, C_out: int, g: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv2d(C_in, C_out, k, groups=g).parameters())


def conv_macs_flops(n: int, f: int, s: int, p: int, C_in: int, C_out: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    layer = torch.nn.Conv2d(C_in, C_out, f, stride=s, padding=p, bias=False, device="meta")
    with FlopCounterMode(display=False) as counter:
        o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
    FLOPs = counter.get_total_flops()
    MACs = FLOPs // 2
    return dict(o=o, MACs=MACs, FLOPs=FLOPs)


def grouped_conv(f: int, C_in: int, C_out: int, g: int) -> int:
    return torch.nn.Conv2d(C_in, C_out, f, groups=g, bias=False, device="meta").weight.numel()


def conv3d(f_t: int, f: int, C_in: int, C_out: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv3d(C_in, C_out, (f_t, f, f), device="meta").parameters())


def conv1d(f: int, C_in: int, C_out: int) -> int:
    return sum(p.numel() for p in torch.nn.Conv1d(C_in, C_out, f, device="meta").parameters())


def receptive_field(f1: int, f2: int, f3: int, s1: int, s2: int, s3: int, d1: int, d2: int, d3: int) -> dict[str, Any]:
    x = torch.zeros(1, 1, 600, requires_grad=True)  # pooling covers the same pixels as a kernel of ones
    y = x
    for f, s, d in ((f1, s1, d1), (f2, s2, d2), (f3, s3, d3)):
        y = F.conv1d(y, torch.ones(1, 1, f), stride=s, dilation=d)
    starts, ends = [], []
    for unit in (5, 6):
        (gradient,) = torch.autograd.grad(y[0, 0, unit], x, retain_graph=True)
        starts.append(int(gradient[0, 0].nonzero().min()))
        ends.append(int(gradient[0, 0].nonzero().max()))
    r3, j3 = ends[0] - starts[0] + 1, starts[1] - starts[0]
    return dict(r3=r3, j3=j3)


def conv_stack_shapes(n: int, C: int, layers: Tensor) -> dict[str, Any]:
    shapes, channels, x = [], C, torch.empty(1, C, n, n, device="meta")
    for filters, f, s, p in layers.int().tolist():
        layer = torch.nn.Conv2d(channels, filters, f, s, p, device="meta") if filters else torch.nn.MaxPool2d(f, s, p)
        x = layer(x)
        channels = x.shape[1]
        shapes.append(list(x[0].permute(1, 2, 0).shape))
    S1, S2, S3 = shapes
    return dict(S1=S1, S2=S2, S3=S3)


def conv_value_hand(X: Tensor, K: Tensor, b: float, s: int, p: int) -> Tensor:
    return F.conv2d(X[None, None], K[None, None], torch.tensor([float(b)]), stride=s, padding=p)[0, 0]


def conv_value_channels(X1: Tensor, X2: Tensor, K1: Tensor, K2: Tensor, b: float) -> Tensor:
    return F.conv2d(torch.stack([X1, X2])[None], torch.stack([K1, K2])[None], torch.tensor([float(b)]))[0, 0]
