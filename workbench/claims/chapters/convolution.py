"""Claims about convolutions."""

from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    pass


PaddingMode = Literal["zeros", "circular"]


def conv_size(n: int, k: int, padding: int, stride: int, dilation: int = 1) -> int:
    """Return the output size of PyTorch's convolution of an nxn image."""
    import torch
    from torch import nn

    with torch.device("meta"):
        layer = nn.Conv2d(1, 1, k, stride, padding, dilation)
        return int(layer(torch.empty(1, 1, n, n)).shape[-1])


def weight_sharing(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    rng = np.random.default_rng(seed)
    in_channels, out_channels = (int(rng.integers(1, 5)) for _ in range(2))
    k, n = int(rng.choice([1, 3, 5])), int(rng.integers(6, 9))
    torch.manual_seed(seed)
    layer = nn.Conv2d(in_channels, out_channels, k, padding=k // 2).double()
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    yield equal("parameters and C_out (C_in k² + 1)", parameters, out_channels * (in_channels * k**2 + 1))
    for size in (n, 2 * n):
        x = torch.zeros(1, in_channels, size, size, dtype=torch.double)
        yield equal(f"the same layer computes maps of {size // n} times the size", layer(x).shape[-1], size)
    # The matrix of the equal dense layer: one row per output value, one column per input value.
    x = torch.randn(1, in_channels, n, n, dtype=torch.double)
    matrix = torch.autograd.functional.jacobian(layer, x).reshape(out_channels * n * n, -1)
    bias = layer.get_parameter("bias").repeat_interleave(n * n)
    yield near(
        "convolution and the product with that matrix",
        layer(x).flatten().detach(),
        (matrix @ x.flatten() + bias).detach(),
        1e-10,
    )
    most = int((matrix != 0).sum(dim=1).max())
    yield true("a row of the matrix has at most C_in k² values that aren't 0", most <= in_channels * k**2, f"{most}")
    values = len(matrix[matrix != 0].unique())
    yield true("the matrix repeats the weights of the kernels", values <= layer.weight.numel(), f"{values} values")


CONV_WEIGHT_SHARING_PARAMS = Exact(
    id="conv-weight-sharing-params",
    statement=(
        "A convolution needs few weights, however large the image is: it equals a dense layer whose matrix is mostly 0 "
        "and repeats the weights of the kernels."
    ),
    topic="convolution",
    evidence=weight_sharing,
    is_structural=True,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 9.2",
)


def shift_error(seed: int, *, layer: str, shift: int) -> float:
    """Return how much the order of a shift and a layer matters: the norm of the difference over that of the output.

    Args:
        seed: Seed of the weights and the image of 16x16 random pixels.
        layer: `circular`, `zero` (padding 1 with zeros), `strided` (stride 2, circular) or `dense`.
        shift: Pixels by which the image is rotated to the right.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, 1, 16, 16, generator=generator)
    torch.manual_seed(seed)
    stride = 2 if layer == "strided" else 1
    if layer == "dense":
        network: nn.Module = nn.Sequential(nn.Flatten(), nn.Linear(256, 256, bias=False), nn.Unflatten(1, (1, 16, 16)))
    else:
        mode: PaddingMode = "zeros" if layer == "zero" else "circular"
        network = nn.Conv2d(1, 8, 3, stride, padding=1, padding_mode=mode, bias=False)
    with torch.no_grad():
        output = network(x)
        before, after = network(x.roll(shift, dims=3)), output.roll(shift // stride, dims=3)
    return float((before - after).norm() / output.norm())


def equivariance(seed: int) -> Iterator[Evidence]:
    for name, layer in {
        "stride 1, circular padding": "circular",
        "stride 1, zero padding": "zero",
        "stride 2, circular padding": "strided",
    }.items():
        yield near(
            f"shift by 1 pixel before and after a convolution, {name}", shift_error(seed, layer=layer, shift=1), 0, 1e-5
        )


TRANSLATION_EQUIVARIANCE = Exact(
    id="translation-equivariance",
    statement="A convolution maps the shifted image to the shifted output, whatever its padding and its stride.",
    topic="convolution",
    evidence=equivariance,
    expected="does_not_hold",
    source="Zhang, Making convolutional networks shift-invariant again (2019), section 3",
    note=(
        "True for stride 1 with circular padding, or away from the borders. Zero padding changes what borders compute, "
        "and stride 2 skips every second position, so a shift by 1 pixel reads other pixels."
    ),
)


def interior_equivariance(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    rng = np.random.default_rng(seed)
    k, shift = int(rng.choice([3, 5])), int(rng.integers(1, 4))
    torch.manual_seed(seed)
    x = torch.randn(1, 2, 20, 20, dtype=torch.double)
    margins: dict[PaddingMode, int] = {"circular": 0, "zeros": k // 2 + shift}
    for mode, margin in margins.items():
        layer = nn.Conv2d(2, 3, k, padding=k // 2, padding_mode=mode, dtype=torch.double)
        before, after = layer(x.roll(shift, dims=3)), layer(x).roll(shift, dims=3)
        columns = slice(margin, 20 - margin)
        where = "everywhere" if mode == "circular" else "away from the borders"
        yield near(
            f"shift before and after a convolution with stride 1, padding {mode}, {where}",
            before[..., columns].detach(),
            after[..., columns].detach(),
            1e-10,
        )


STRIDE_1_EQUIVARIANCE = Exact(
    id="translation-equivariance-stride-1",
    statement=(
        "With stride 1, a convolution maps the shifted image to the shifted output, except near borders with zero "
        "padding."
    ),
    topic="convolution",
    evidence=interior_equivariance,
    expected="holds",
    note=(
        "Derivation: an output is the same weighted sum of the pixels around it at every position where no padding is "
        "read."
    ),
)


PADDING_BREAKS_EQUIVARIANCE = Empirical(
    id="padding-breaks-equivariance",
    statement="Zero padding makes a convolution of a 16x16 image depend on where the image is.",
    topic="convolution",
    arms=dict(zero=trial(shift_error, layer="zero", shift=1), circular=trial(shift_error, layer="circular", shift=1)),
    control=dict(shift=0),
    measure="relative error",
    decider=Paired(min_effect=0.1),
    expected="holds",
    note=(
        "Derivation: 2 of 16 columns read padding, or get what was behind the border. The error shrinks with larger "
        "images."
    ),
)


STRIDE_BREAKS_EQUIVARIANCE = Empirical(
    id="stride-breaks-equivariance",
    statement="A convolution with stride 2 doesn't map an image shifted by 1 pixel to a shifted output.",
    topic="convolution",
    arms=dict(strided=trial(shift_error, layer="strided", shift=1), full=trial(shift_error, layer="circular", shift=1)),
    control=dict(shift=2),
    measure="relative error",
    decider=Paired(min_effect=0.3),
    expected="holds",
    source="Zhang, Making convolutional networks shift-invariant again (2019), section 3",
    note="Under the control, a shift by 2 pixels, it does: the output shifts by 1.",
)


DENSE_LAYER_NOT_EQUIVARIANT = Empirical(
    id="dense-layer-not-equivariant",
    statement="A dense layer doesn't map the shifted image to the shifted output, unlike a convolution.",
    topic="convolution",
    arms=dict(
        dense=trial(shift_error, layer="dense", shift=1), convolution=trial(shift_error, layer="circular", shift=1)
    ),
    control=dict(shift=0),
    measure="relative error",
    decider=Paired(min_effect=0.5),
    expected="holds",
    note="Derivation: its weights at one position have nothing to do with those at the next.",
)


def sizes(seed: int) -> list[tuple[int, int, int, int]]:
    """Return input size, kernel size, padding and stride of 40 convolutions."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    while len(rows) < 40:
        n, k, padding, stride = (int(rng.integers(low, high)) for low, high in ((5, 40), (1, 8), (0, 4), (1, 5)))
        if n + 2 * padding >= k:
            rows.append((n, k, padding, stride))
    return rows


def output_size_without_rounding(seed: int) -> Iterator[Evidence]:
    rows = sizes(seed)
    yield near(
        "output sizes of PyTorch and (n + 2p - k)/s + 1",
        [conv_size(*row) for row in rows],
        [(n + 2 * p - k) / s + 1 for n, k, p, s in rows],
        0,
    )


CONV_OUTPUT_SIZE = Exact(
    id="conv-output-size",
    statement="A convolution of an nxn image has the output size (n + 2p - k)/s + 1.",
    topic="convolution",
    evidence=output_size_without_rounding,
    expected="does_not_hold",
    source="Dumoulin, Visin, A guide to convolution arithmetic for deep learning (2016), relationship 6",
    note="The quotient is rounded down: floor((n + 2p - k)/s) + 1. With dilation d, k becomes d(k - 1) + 1.",
)


def output_size(seed: int) -> Iterator[Evidence]:
    rng = np.random.default_rng(seed)
    for dilation in (1, int(rng.integers(2, 4))):
        rows = [(n, k, p, s) for n, k, p, s in sizes(seed) if n + 2 * p >= dilation * (k - 1) + 1]
        formula = [(n + 2 * p - dilation * (k - 1) - 1) // s + 1 for n, k, p, s in rows]
        name = "with dilation" if dilation > 1 else "without dilation"
        sizes_of_torch = [conv_size(*row, dilation) for row in rows]
        yield near(f"output sizes of PyTorch and by the formula, {name}", sizes_of_torch, formula, 0)
        windows = [len(range(0, n + 2 * p - dilation * (k - 1), s)) for n, k, p, s in rows]
        yield near(f"output sizes by the formula and the windows that fit, {name}", formula, windows, 0)


CONV_OUTPUT_SIZE_ROUNDED = Exact(
    id="conv-output-size-floor",
    statement="A convolution of an nxn image has the output size floor((n + 2p - d(k - 1) - 1)/s) + 1.",
    topic="convolution",
    evidence=output_size,
    expected="holds",
    source="torch.nn.Conv2d documentation, section Shape",
)


def example_222(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layer = nn.Conv2d(3, 32, 3)
    yield equal("shape (channels, height, width)", tuple(layer(torch.randn(1, 3, 224, 224)).shape[1:]), (32, 222, 222))
    yield equal("parameters", sum(parameter.numel() for parameter in layer.parameters()), 896)


CONV_EXAMPLE_222 = Exact(
    id="conv-example-222",
    statement=(
        "32 filters of 3x3, without padding and with stride 1, map a 224x224x3 image to 222x222x32, with 896 "
        "parameters."
    ),
    topic="convolution",
    evidence=example_222,
    is_structural=True,
    expected="holds",
    note="Derivation: 224 - 3 + 1 = 222, and 32 (3 * 3 * 3 + 1) = 896.",
)


def half_padding(seed: int) -> Iterator[Evidence]:
    n = int(np.random.default_rng(seed).integers(8, 40))
    for name, kernels, stride in (
        ("odd kernels", (1, 3, 5, 7), 1),
        ("even kernels", (2, 4, 6), 1),
        ("stride 2", (1, 3, 5, 7), 2),
    ):
        yield equal(
            f"output sizes and the input size, {name}",
            [conv_size(n, k, k // 2, stride) for k in kernels],
            [n] * len(kernels),
        )


SAME_PADDING_HALF = Exact(
    id="same-padding-half",
    statement="Padding of floor(k/2) keeps the size of the image, for every kernel size k and every stride.",
    topic="convolution",
    evidence=half_padding,
    expected="does_not_hold",
    source="torch.nn.Conv2d documentation, section Shape",
    note=(
        "True for odd kernels with stride 1. An even kernel makes the output 1 larger, so it needs 1 pixel less on one "
        "side; stride 2 halves the size."
    ),
)


def odd_same_padding(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    n = int(np.random.default_rng(seed).integers(8, 40))
    kernels = (1, 3, 5, 7, 9, 11)
    yield equal("output sizes and the input size", [conv_size(n, k, (k - 1) // 2, 1) for k in kernels], [n] * 6)
    torch.manual_seed(seed)
    for k in kernels[:4]:
        layer = nn.Conv2d(1, 1, k, padding="same", dtype=torch.double)
        x = torch.randn(1, 1, n, n, dtype=torch.double)
        half = nn.functional.conv2d(x, layer.weight, layer.bias, padding=(k - 1) // 2)
        yield near(f'PyTorch\'s padding="same" and padding (k - 1)/2, k = {k}', layer(x).detach(), half.detach(), 1e-12)


SAME_PADDING_ODD = Exact(
    id="same-padding-odd",
    statement="With an odd kernel size k and stride 1, padding of (k - 1)/2 per side keeps the size of the image.",
    topic="convolution",
    evidence=odd_same_padding,
    expected="holds",
    note="Derivation: n + 2(k - 1)/2 - k + 1 = n.",
)


def windows_of_pixels(n: int, padding: int) -> np.ndarray:
    """Return for every pixel of an nxn image the number of 3x3 windows that contain it."""
    import torch
    import torch.nn.functional as F

    image = torch.zeros(1, 1, n, n, requires_grad=True)
    F.conv2d(image, torch.ones(1, 1, 3, 3), padding=padding).sum().backward()
    assert image.grad is not None
    return image.grad[0, 0].numpy()


def windows_at_edges(seed: int) -> Iterator[Evidence]:
    n = int(np.random.default_rng(seed).integers(6, 20))
    valid, padded = windows_of_pixels(n, 0), windows_of_pixels(n, 1)
    yield equal("windows of the corner pixel without padding, and with padding 1", (valid[0, 0], padded[0, 0]), (1, 4))
    yield equal("windows of the corner pixel and of an inner pixel, padding 1", padded[0, 0], padded[3, 3])
    yield equal("windows of an edge pixel and of an inner pixel, padding 1", padded[0, 3], padded[3, 3])


PADDING_KEEPS_EDGES = Exact(
    id="padding-keeps-edges",
    statement="With 3x3 kernels and padding 1, pixels at the edge are in as many windows as inner pixels.",
    topic="convolution",
    evidence=windows_at_edges,
    is_structural=True,
    expected="does_not_hold",
    note=(
        "Padding reduces the disadvantage of the edge, but doesn't remove it: a corner pixel is in 4 of 9 windows "
        "instead of 1, an edge pixel in 6 instead of 3. Derivation: count the windows."
    ),
)


def log_time_of_stride(seed: int, *, stride: int, image_size: int) -> float:
    """Return log2 of the CPU time of a 3x3 convolution of 32 channels, in ms."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layer, x = nn.Conv2d(32, 32, 3, stride, padding=1), torch.randn(4, 32, image_size, image_size)
    with torch.no_grad():
        return log2(cpu_ms(lambda: layer(x)))


STRIDE_COARSER_FASTER = Empirical(
    id="stride-coarser-faster",
    statement="Stride 2 makes a convolution of a 64x64 map at least twice as fast.",
    topic="convolution",
    arms=dict(
        stride_1=trial(log_time_of_stride, stride=1, image_size=64),
        stride_2=trial(log_time_of_stride, stride=2, image_size=64),
    ),
    control=dict(image_size=1),
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=1.0, unit="(log2)"),
    is_timed=True,
    expected="holds",
    note="It computes a quarter of the outputs, so a quarter of the MACs. A 1x1 map has one output with either stride.",
)


def quarter_of_outputs(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    rng = np.random.default_rng(seed)
    channels, n = int(rng.integers(1, 20)), 2 * int(rng.integers(4, 30))
    k = int(rng.choice([1, 3, 5]))
    x = torch.zeros(1, channels, n, n, device="meta")
    full, strided = (nn.Conv2d(channels, 8, k, stride, padding=k // 2, device="meta") for stride in (1, 2))
    yield equal("outputs of stride 1, and 4 times those of stride 2", full(x).numel(), 4 * strided(x).numel())
    yield equal(
        "MACs of stride 1, and 4 times those of stride 2", trace(full, x).total_macs, 4 * trace(strided, x).total_macs
    )


STRIDE_QUARTER_OF_OUTPUTS = Exact(
    id="stride-quarter-of-outputs",
    statement=(
        "On an image of even size, a convolution with stride 2 and odd kernel has a quarter of the outputs and of the "
        "MACs of one with stride 1."
    ),
    topic="convolution",
    evidence=quarter_of_outputs,
    is_structural=True,
    expected="holds",
    note="Derivation: every second row and every second column remain.",
)


def bias_place(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(seed)
    x = torch.randn(8, 3, 7, 7, dtype=torch.double)
    layer = nn.Conv2d(3, 5, 3, dtype=torch.double)
    bias = layer.get_parameter("bias")
    sums = (layer.weight.flatten(1) @ F.unfold(x, 3)).reshape(8, 5, 5, 5)
    before, after = (sums + bias[:, None, None]).relu(), sums.relu() + bias[:, None, None]
    output = layer(x).relu().detach()
    yield near("ReLU of a convolution, and of weighted sums plus bias", output, before.detach(), 1e-10)
    difference = float((output - after).abs().max())
    yield true(
        "adding the bias after ReLU gives other values", difference > 0.01, f"largest difference {difference:.3g}"
    )
    (nn.BatchNorm2d(5, dtype=torch.double)(layer(x)).relu() * torch.randn_like(output)).sum().backward()
    assert bias.grad is not None
    yield near("gradient of a bias before batch norm, and 0", bias.grad, torch.zeros(5), 1e-9)


BIAS_BEFORE_ACTIVATION = Exact(
    id="bias-before-activation",
    statement=(
        "A convolution adds its bias to the weighted sum, before the activation; before batch norm, a bias has no "
        "effect."
    ),
    topic="convolution",
    evidence=bias_place,
    expected="holds",
    source="Ioffe, Szegedy, Batch normalization (2015), section 3.2, for the bias before batch norm",
)


def filters_and_channels(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    rng = np.random.default_rng(seed)
    in_channels, filters, k = int(rng.integers(1, 9)), int(rng.integers(2, 33)), int(rng.choice([1, 3, 5]))
    torch.manual_seed(seed)
    layer, x = nn.Conv2d(in_channels, filters, k), torch.randn(1, in_channels, 9, 9)
    before = layer(x).detach()
    yield equal("channels of the output and number of filters", before.shape[1], filters)
    index = int(rng.integers(filters))
    with torch.no_grad():
        layer.weight[index] += 1
    changed = (layer(x).detach() != before).flatten(2).any(dim=2)[0].nonzero().flatten().tolist()
    yield equal("maps that another filter changes, and its index", changed, [index])


CHANNELS_EQUAL_FILTERS = Exact(
    id="channels-equal-filters",
    statement="A convolution has one output channel per filter, and each depends on that filter alone.",
    topic="convolution",
    evidence=filters_and_channels,
    is_structural=True,
    expected="holds",
    source="torch.nn.Conv2d documentation, section Shape",
)
