"""Checks of the drills about upsampling."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _upsampled(x: Tensor, weight: Tensor, s: int = 1, p: int = 0, q: int = 0, d: int = 1) -> Tensor:
    """Return the output of torch's transposed convolution of one map."""
    output: Tensor = F.conv_transpose2d(x.double()[None, None], weight.double()[None, None], None, s, p, q, 1, d)
    return output[0, 0]


def transposed_conv_size(n: int, f: int, s: int, p: int, q: int, d: int) -> int:
    layer = nn.ConvTranspose2d(1, 1, f, s, p, q, dilation=d, device="meta")
    return int(layer(torch.zeros(1, 1, n, n, device="meta")).shape[2])


def transposed_conv_factor(n: int, f: int, s: int, d: int) -> dict[str, int]:
    x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
    for p in range(d * (f - 1) + 1):
        size = F.conv_transpose1d(x, w, None, s, p, 0, 1, d).shape[2]
        for q in range(2):
            if size + q == n * s:
                layer = nn.ConvTranspose2d(1, 1, f, s, p, q, dilation=d, device="meta")
                return dict(p=p, q=q, o=layer(torch.zeros(1, 1, n, n, device="meta")).shape[2])
    raise ValueError("no padding fits")


def transposed_conv_as_conv(n: int, f: int, s: int, p: int) -> dict[str, int]:
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.rand(1, 1, size, generator=generator).double() for size in (n, f))
    expected = F.conv_transpose1d(x, w, None, s, p)
    # A transposed convolution with a kernel of one weight spreads the inputs and puts zeros in between.
    spread = F.conv_transpose1d(x, torch.ones(1, 1, 1).double(), None, s)
    smallest = max(0, (f - spread.shape[2] + 1) // 2)  # with less padding the kernel would not fit
    for g in range(smallest, 2 * f):
        output = F.conv1d(spread, w.flip(2), None, 1, g)
        if output.shape == expected.shape and torch.allclose(output, expected):
            zeros = int((spread[0, 0, 1:] != 0).nonzero()[0])
            return dict(z=zeros, m=spread.shape[2], g=g, o=output.shape[2])
    raise ValueError("no padding fits")


def transposed_conv_layer(n: int, f: int, s: int, p: int, C_in: int, C_out: int) -> dict[str, int]:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        layer = nn.ConvTranspose2d(C_in, C_out, f, s, p)
        o = layer(torch.zeros(1, C_in, n, n)).shape[2]
    return dict(o=o, P=sum(weights.numel() for weights in layer.parameters()), M=counter.get_total_flops() // 2)


def transposed_conv_code(program: str) -> dict[str, int]:
    printed: list[int] = []
    names: dict[str, Any] = dict(torch=torch, nn=nn, print=printed.append)
    try:
        exec(program, names)  # noqa: S102
    except RuntimeError as error:
        assert "Sizes of tensors must match" in str(error)
    return dict(o=printed[0], r=names["skip"].shape[2] - printed[0])


def decide_checkerboard(pairs: list[list[float]], k: int) -> dict[str, Any]:
    even, ratios = [], []
    for number, (f, s) in enumerate(pairs, 1):
        f, s = int(f), int(s)
        counts = _upsampled(torch.ones(12, 12), torch.ones(f, f), s)[f:-f, f:-f]
        ratios.append(float(counts.max() / counts.min()))
        even += [f"pair{number}"] if ratios[-1] == 1 else []
    return dict(even=even, r=ratios[k - 1])


def transposed_conv_values(X: Tensor, K: Tensor, s: int, p: int) -> list[list[float]]:
    values: list[list[float]] = _upsampled(X, K, s, p).tolist()
    return values


def transposed_conv_row(x: Tensor, w: Tensor, s: int, p: int) -> dict[str, Any]:
    o, c = (
        F.conv_transpose1d(a.double()[None, None], b.double()[None, None], None, s, p)[0, 0]
        for a, b in ((x, w), (torch.ones_like(x), torch.ones_like(w)))
    )
    return dict(o=o, c=c)


def transposed_conv_matrix(y: Tensor, w: Tensor, s: int) -> dict[str, Any]:
    inputs = torch.zeros((len(y) - 1) * s + len(w), dtype=torch.float64)
    C = torch.autograd.functional.jacobian(
        lambda x: F.conv1d(x[None, None], w.double()[None, None], None, s)[0, 0], inputs
    )
    return dict(C=C, o=F.conv_transpose1d(y.double()[None, None], w.double()[None, None], None, s)[0, 0])


def bilinear_kernel(s: int, n: int, i: int, j: int) -> dict[str, Any]:
    # The response of bilinear interpolation to one pixel that is not at the border.
    impulse = F.pad(torch.ones(1, 1, 1, 1).double(), (3, 3, 3, 3))
    response = F.interpolate(impulse, scale_factor=float(s), mode="bilinear", align_corners=False)[0, 0]
    rows = response.sum(1).nonzero()[:, 0]
    first, f = int(rows[0]), len(rows)
    # Pixel 3 begins at 3s; its copy of the kernel begins p cells earlier.
    p = 3 * s - first
    layer = nn.ConvTranspose2d(1, 1, f, s, p, device="meta")
    o = layer(torch.zeros(1, 1, n, n, device="meta")).shape[2]
    return dict(f=f, p=p, W=response[first + i, first + j], o=o)


def max_unpool(X: Tensor, V: Tensor) -> dict[str, Any]:
    _, indices = F.max_pool2d(X.double()[None, None], 2, return_indices=True)
    return dict(I=indices[0, 0], U=F.max_unpool2d(V.double()[None, None], indices, [2, 2])[0, 0])


def unpool_indices(V: Tensor, I: Tensor, H: int, W: int) -> list[list[float]]:
    values: list[list[float]] = F.max_unpool2d(
        V.double()[None, None], I.long()[None, None], [2, 2], output_size=(H, W)
    )[0, 0].tolist()
    return values


def which_upsampling(P1: Tensor, P2: Tensor, P3: Tensor, P4: Tensor) -> dict[str, Any]:
    maps = [P.double() for P in (P1, P2, P3, P4)]
    small = F.max_pool2d(next(P for P in maps if (P == 0).any())[None, None], 2)
    nails = F.conv_transpose2d(small, torch.ones(1, 1, 1, 1).double(), None, 2, 0, 1)
    expected = dict(
        nails=nails,
        nearest=F.interpolate(small, scale_factor=2.0, mode="nearest"),
        bilinear=F.interpolate(small, scale_factor=2.0, mode="bilinear"),
    )
    method = {
        f"P{k}": next((name for name, map_ in expected.items() if torch.equal(map_[0, 0], P)), "unpool")
        for k, P in enumerate(maps, 1)
    }
    return dict(method=method)


def _sample(f00: float, f10: float, f01: float, f11: float, x: Tensor, y: Tensor) -> Tensor:
    """Return a value of torch's grid_sample, whose coordinates run from -1 to 1."""
    pixels = torch.tensor([[f00, f10], [f01, f11]], dtype=torch.float64)
    grid = torch.stack([2 * x - 1, 2 * y - 1]).view(1, 1, 1, 2)
    return F.grid_sample(pixels[None, None], grid, "bilinear", "border", align_corners=True)[0, 0, 0, 0]


def bilinear_value(f00: float, f10: float, f01: float, f11: float, x: float, y: float) -> Tensor:
    return _sample(f00, f10, f01, f11, torch.tensor(x).double(), torch.tensor(y).double())


def bilinear_reverse(f00: float, f10: float, f01: float, f11: float, x: float, y: float) -> Tensor:
    return bilinear_value(f00, f10, f01, f11, x, y)


def bilinear_slope(f00: float, f10: float, f01: float, f11: float, x: float, y: float) -> dict[str, Tensor]:
    place = [torch.tensor(value).double().requires_grad_() for value in (x, y)]
    slopes = torch.autograd.grad(_sample(f00, f10, f01, f11, *place), place)
    return dict(slope_x=slopes[0], slope_y=slopes[1])


def _coordinate(n: int, m: int, i: int) -> Tensor:
    """Return where pixel i of m reads a row of n pixels: a longer row, whose values are its coordinates, shows it."""
    factor = m // n
    row = F.interpolate(torch.arange(-1.0, n + 1).double()[None, None], size=m + 2 * factor, mode="linear")
    return row[0, 0, i + factor].clamp(min=0)


def bilinear_pixel(X: Tensor, H: int, W: int, i: int, j: int) -> dict[str, Tensor]:
    v = F.interpolate(X.double()[None, None], size=(H, W), mode="bilinear", align_corners=False)[0, 0, i, j]
    return dict(y=_coordinate(X.shape[0], H, i), x=_coordinate(X.shape[1], W, j), v=v)


def align_corners(x: Tensor, m: int) -> dict[str, Tensor]:
    u, v = (
        F.interpolate(x.double()[None, None], size=m, mode="linear", align_corners=is_aligned)[0, 0]
        for is_aligned in (True, False)
    )
    return dict(u=u, v=v)


def nearest_value(X: Tensor, H: int, W: int, i: int, j: int) -> dict[str, Any]:
    rows, columns = (torch.arange(float(size)).double() for size in X.shape)
    maps = torch.stack([rows[:, None].expand(X.shape), columns.expand(X.shape), X.double()])
    r, c, v = F.interpolate(maps[None], size=(H, W), mode="nearest")[0, :, i, j]
    return dict(r=int(r), c=int(c), v=v)


def nearest_map(X: Tensor, H: int, W: int) -> list[list[float]]:
    values: list[list[float]] = F.interpolate(X.double()[None, None], size=(H, W), mode="nearest")[0, 0].tolist()
    return values
