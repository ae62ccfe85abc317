"""Checks of the drills about DeepLab."""

from functools import cache
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


@cache
def _spatial_layers(c: int) -> list[tuple[int, ...]]:
    """Return kernel size, stride, padding and dilation of torchvision's ResNet-50 with its last c stages dilated."""
    from torchvision.models import resnet50

    with torch.device("meta"):
        network = resnet50(replace_stride_with_dilation=[stage >= 3 - c for stage in range(3)])
    first, pool = network.conv1, network.maxpool
    blocks = [block.conv2 for k in range(1, 5) for block in getattr(network, f"layer{k}")]
    convolutions = [(m.kernel_size[0], m.stride[0], m.padding[0], m.dilation[0]) for m in (first, *blocks)]
    return [convolutions[0], (pool.kernel_size, pool.stride, pool.padding, pool.dilation), *convolutions[1:]]


def _last_size(n: int, c: int) -> int:
    x, weight = torch.zeros(1, 1, n), {k: torch.zeros(1, 1, k) for k in (3, 7)}
    for kernel_size, stride, padding, dilation in _spatial_layers(c):
        x = F.conv1d(x, weight[kernel_size], None, stride, padding, dilation)
    return x.shape[2]


def output_stride(n: int, c: int) -> dict[str, int]:
    dilated, plain = _last_size(512, c), _last_size(512, 0)
    return dict(S=512 // dilated, o=_last_size(n, c), rate=_spatial_layers(c)[-1][3], A=(dilated // plain) ** 2)


def output_stride_rates(n: int, s: list[float], c: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, 1, n, generator=generator).double()
    weights = [torch.rand(1, 1, 3, generator=generator).double() for _ in s]
    strides = [int(value) for value in s]
    strided = x
    for weight, stride in zip(weights, strides, strict=True):
        strided = F.conv1d(strided, weight, None, stride, 1)
    dense, rates = list(strides), [1] * len(strides)
    for position in [k for k, stride in enumerate(strides) if stride > 1][-c:]:
        dense[position] = 1
        for later in range(position + 1, len(rates)):
            rates[later] *= strides[position]
    output = x
    for weight, stride, rate in zip(weights, dense, rates, strict=True):
        output = F.conv1d(output, weight, None, stride, rate, rate)
    # The dilated network computes the outputs of the strided one, and those in between.
    step = prod(strides) // prod(dense)
    torch.testing.assert_close(output[..., ::step][..., : strided.shape[2]], strided)
    return dict(S=prod(dense), d=rates, o=output.shape[2])


def gridding(f: int, d: list[float]) -> dict[str, Any]:
    size = 2 * sum(int(rate) * f for rate in d) + 1
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    y = x
    for rate in d:
        y = F.conv1d(y, torch.ones(1, 1, f, dtype=torch.float64), dilation=int(rate))
    used = torch.autograd.grad(y[0, 0, 0], x)[0].flatten().nonzero()[:, 0]
    r = int(used.max() - used.min()) + 1
    return dict(r=r, u=len(used), dense="all" if len(used) == r else "gaps")


def _field(f: int, b: int, n: int) -> int:
    """Return the extent of the gradient of one output in one dimension."""
    x = torch.zeros(1, 1, f * b**n + 1, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in range(n):
        y = F.conv1d(y, torch.ones(1, 1, f, dtype=torch.float64), dilation=b**layer)
    return int(torch.autograd.grad(y[0, 0, 0], x)[0].flatten().nonzero().max()) + 1


def atrous_field(f: int, b: int, m: int) -> dict[str, Any]:
    depths = [2, 3, 4, 5]
    return dict(r=[_field(f, b, n) for n in depths], v=_field(f, b, m), n=depths)


def dilated_block_code(program: str) -> dict[str, int]:
    printed: list[int] = []
    names: dict[str, Any] = dict(torch=torch, nn=nn, print=printed.append)
    try:
        exec(program, names)  # noqa: S102
    except RuntimeError as error:
        assert "must match the size" in str(error)
    layer = next(value for value in names.values() if isinstance(value, nn.Conv2d))
    f, d = layer.kernel_size[0], layer.dilation[0]
    x = torch.zeros(1, 1, 100)
    padding = next(p for p in range(100) if F.conv1d(x, x[..., :f], None, 1, p, d).shape[2] == 100)
    return dict(o=printed[0], g=padding)


def aspp_branch(f: int, d: int, S: int, n: int, i: int, j: int) -> dict[str, int]:
    weight = torch.ones(1, 1, f, f, dtype=torch.float64)
    counts = F.conv2d(torch.ones(1, 1, n, n, dtype=torch.float64), weight, padding=d, dilation=d)[0, 0]
    image = torch.zeros(1, 1, f * d, dtype=torch.float64, requires_grad=True)
    used = torch.autograd.grad(F.conv1d(image, weight[0, :, :1], dilation=d)[0, 0, 0], image)[0].nonzero()[:, 2]
    extent = int(used.max() - used.min())
    return dict(E=extent + 1, D=sum([S] * extent), T=int(counts[i, j]))


def aspp_params(C_in: int, C: int, m: int) -> dict[str, int]:
    from torchvision.models.segmentation.deeplabv3 import ASPP

    with torch.device("meta"):
        module = ASPP(C_in, [6 * (k + 1) for k in range(m)], C)
    return dict(
        P_1=_count(module.convs[0]), P_a=_count(module.convs[1]), P_out=_count(module.project), P=_count(module)
    )


def deeplab_decoder(n: int, S: int, C_a: int, C_l: int) -> dict[str, int]:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        low, high = nn.AvgPool2d(4)(torch.zeros(1, C_l, n, n)), nn.AvgPool2d(S)(torch.zeros(1, C_a, n, n))
        h, u = high.shape[2], low.shape[2] // high.shape[2]
        joined = torch.cat([F.interpolate(high, scale_factor=float(u), mode="bilinear"), low], 1)
        layer = nn.Conv2d(joined.shape[1], C_a, 3, padding=1, bias=False)
        with FlopCounterMode(display=False) as counter:
            layer(joined)
    return dict(h=h, u=u, C=joined.shape[1], P=_count(layer), M=counter.get_total_flops() // 2)


def crf_kernel(t: float, g: float, w1: float, w2: float, alpha: float, beta: float, gamma: float) -> dict[str, Any]:
    from torch.distributions import Normal

    def bell(x: float, width: float) -> Tensor:
        """Return the density of a normal distribution, divided by that at its mean."""
        normal = Normal(torch.zeros(1).double(), torch.tensor([width]).double())
        logarithm: Tensor = normal.log_prob(torch.tensor([x]).double()) - normal.log_prob(torch.zeros(1).double())
        return logarithm.exp()[0]

    A, B = w1 * bell(t, alpha) * bell(g, beta), w2 * bell(t, gamma)
    return dict(A=A, B=B, k=A + B)


def crf_mean_field(p1: float, p2: float, k: float) -> dict[str, Any]:
    p = torch.tensor([[p1, 1 - p1], [p2, 1 - p2]]).double()
    # Adding the same cost to both labels changes nothing, so agreement may be rewarded instead.
    logits = p.log() + k * p.flip(0)
    return dict(q1=logits.softmax(1)[0, 0], q2=logits.softmax(1)[1, 0])


def crf_flip(p1: float, p2: float) -> dict[str, Any]:
    from scipy.optimize import brentq

    def logit(k: float) -> float:
        return float(torch.logit(crf_mean_field(p1, p2, k)["q1"]))

    return dict(x1=logit(0), m=logit(1) - logit(0), k_min=brentq(logit, 0, 100, xtol=1e-13))
