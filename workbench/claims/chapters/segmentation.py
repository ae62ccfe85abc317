"""Claims about segmentation: dilation, upsampling, Dice, panoptic quality."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    from torch import nn


def random_segments(rng: np.random.Generator, size: int = 24) -> np.ndarray:
    """Return a map of segment ids, (size, size): the nearest of 6 random centers."""
    centers = rng.uniform(0, size, size=(6, 2))
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), axis=-1)[:, :, None]
    ids: np.ndarray = ((grid - centers) ** 2).sum(axis=-1).argmin(axis=-1)
    return ids


def panoptic_matches(seed: int) -> Iterator[Evidence]:
    rng = np.random.default_rng(seed)
    target = random_segments(rng)
    predicted = np.where(rng.random(target.shape) < 0.2, random_segments(rng), target)
    predicted = np.roll(predicted, 1, axis=0)
    a, b = (np.stack([ids == k for k in np.unique(ids)]) for ids in (predicted, target))
    overlap = np.einsum("ahw,bhw->ab", a.astype(int), b.astype(int))
    iou = overlap / (a.sum(axis=(1, 2))[:, None] + b.sum(axis=(1, 2)) - overlap)
    is_match = iou > 0.5
    most = max(is_match.sum(axis=0).max(), is_match.sum(axis=1).max())
    yield true("a segment matches at most one other with an IoU above 0.5", most <= 1, f"at most {most}")
    hits = int(is_match.sum())
    errors = len(a) + len(b) - 2 * hits  # false positives and false negatives
    quality = iou[is_match].sum() / (hits + errors / 2)
    segmentation, f1 = iou[is_match].mean(), 2 * hits / (2 * hits + errors)
    yield near("PQ, and the mean IoU of matches times the F1 of detection", quality, segmentation * f1, 1e-12)


PANOPTIC_EVERY_PIXEL_INSTANCE = Exact(
    id="panoptic-every-pixel-instance",
    statement=(
        "Panoptic segments don't overlap, because each pixel has one class and one instance id; so at an IoU above 0.5 "
        "a segment has at most one match."
    ),
    topic="segmentation-types",
    evidence=panoptic_matches,
    is_structural=True,
    expected="holds",
    source="Kirillov et al., Panoptic segmentation (2018), sections 3.1 and 4.1",
    note="For stuff, such as sky, the instance id has no meaning: all its pixels are one segment.",
)


def any_size(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn
    from torchvision.models import get_model
    from torchvision.models.segmentation import fcn_resnet50

    with torch.device("meta"):
        network = fcn_resnet50(weights=None, weights_backbone=None, num_classes=5).eval()
        dense = get_model("vgg11", weights=None).eval()
        fixed = nn.Sequential(dense.features, nn.Flatten(), dense.classifier)
    dense_layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    yield equal("dense layers of FCN", dense_layers, [])
    for size in np.random.default_rng(seed).integers(48, 97, size=3).tolist():
        images = torch.zeros(1, 3, size, size, device="meta")
        yield equal(
            "FCN's output for an image of a random size", tuple(network(images)["out"].shape), (1, 5, size, size)
        )
        try:
            fixed(images)
            accepts = True
        except RuntimeError:
            accepts = False
        yield true("VGG's dense layers reject that image", not accepts)


FCN_ANY_SIZE = Exact(
    id="fcn-any-size",
    statement="An FCN has no dense layers, so it takes images of any size; a network with dense layers takes one size.",
    topic="encoder-decoder-segmentation",
    evidence=any_size,
    is_structural=True,
    expected="holds",
    source="Long, Shelhamer, Darrell, Fully convolutional networks (2014), section 3",
)


def unet_sizes(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    del seed  # nothing is random
    with torch.device("meta"):
        convs, pool, up = (
            nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)),
            nn.MaxPool2d(2),
            nn.ConvTranspose2d(1, 1, 2, 2),
        )
        x = torch.empty(1, 1, 572, 572)
        encoder, decoder = [], []
        for _ in range(4):
            x = convs(x)
            encoder.append(x.shape[-1])
            x = pool(x)
        x = convs(x)
        for _ in range(4):
            x = up(x)
            decoder.append(x.shape[-1])
            x = convs(x)
    yield equal("sizes of the encoder's maps", encoder, [568, 280, 136, 64])
    yield equal("sizes of the decoder's maps, after upsampling", decoder, [56, 104, 200, 392])
    yield equal("size of the output", x.shape[-1], 388)


UNET_SYMMETRIC = Exact(
    id="unet-symmetric",
    statement=(
        "U-Net has as many levels up as down, with a skip at each; in the paper, whose convolutions have no padding, "
        "572 pixels become 388, and the maps of the encoder are larger and must be cropped."
    ),
    topic="encoder-decoder-segmentation",
    evidence=unet_sizes,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="Ronneberger, Fischer, Brox, U-Net (2015), figure 1",
    note="Most U-Nets today have padding, and equal sizes on both sides.",
)


def support(layers: "nn.Module", n: int = 41) -> int:
    """Return the width of the pixels that the middle output depends on, by its gradient."""
    import torch

    x = torch.randn(1, 1, n, n, dtype=torch.double, requires_grad=True)
    output = layers.double()(x)
    output[0, 0, n // 2, n // 2].backward()
    assert x.grad is not None
    columns = (x.grad[0, 0] != 0).any(dim=0).nonzero().flatten()
    return int(columns[-1] - columns[0]) + 1


def dilated_support(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    for k in (3, 5):
        dilation = int(rng.integers(2, 7))
        layer = nn.Conv2d(1, 1, k, padding=dilation * (k // 2), dilation=dilation)
        yield equal(
            f"receptive field of a dilated {k}x{k} kernel, and d(k - 1) + 1", support(layer), dilation * (k - 1) + 1
        )
        yield equal(f"weights of a dilated {k}x{k} kernel", layer.weight.numel(), k * k)
    dilated, plain = (
        nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=d, dilation=d) for d in dilations))
        for dilations in ((1, 2, 4), (1, 1, 1))
    )
    yield equal(
        "receptive fields of three 3x3 with dilations 1, 2, 4, and without", (support(dilated), support(plain)), (15, 7)
    )


DILATED_RECEPTIVE_FIELD = Exact(
    id="dilated-receptive-field",
    statement=(
        "Dilation d makes a kxk kernel span d(k - 1) + 1 pixels with the same number of weights; three 3x3 with "
        "dilations 1, 2 and 4 span 15."
    ),
    topic="deeplab",
    evidence=dilated_support,
    expected="holds",
    source="Yu, Koltun, Multi-scale context aggregation by dilated convolutions (2015), section 2",
)


def unpooling(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    x = torch.rand(2, 3, 8, 8) + 0.1
    maxima, indices = pool(x)
    restored = unpool(maxima, indices)
    yield equal("parameters of unpooling", len(list(unpool.parameters())), 0)
    yield equal("values that aren't 0, and windows", int((restored != 0).sum()), maxima.numel())
    is_maximum = restored != 0
    yield near("restored values, and the input where they are", restored[is_maximum], x[is_maximum], 0)
    yield near("pooling after unpooling, and pooling", pool(restored)[0], maxima, 0)
    other, _ = pool(x.flip(3))
    moved = unpool(other.flip(3), indices)
    yield near(
        "with the indices of an image, the maxima of its mirror image have the same places",
        (moved != 0).float(),
        is_maximum.float(),
        0,
    )


UNPOOLING_INDICES = Exact(
    id="unpooling-indices",
    statement=(
        "Unpooling puts each maximum back where pooling found it, by the pooling's indices, and 0 elsewhere; it has no "
        "parameters."
    ),
    topic="upsampling",
    evidence=unpooling,
    expected="holds",
    source="torch.nn.MaxUnpool2d documentation; Badrinarayanan, Kendall, Cipolla, SegNet (2015)",
)


def transposed_rows(seed: int, has_options: bool) -> Iterator[tuple[dict[str, int], int]]:
    """Yield the options and the input size of 40 transposed convolutions; dilation and output padding are options."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        n, k, s, p = (int(rng.integers(low, high)) for low, high in ((3, 20), (2, 8), (1, 5), (0, 2)))
        options = dict(kernel_size=k, stride=s, padding=p, output_padding=0, dilation=1)
        if has_options:
            options |= dict(output_padding=int(rng.integers(0, s)), dilation=int(rng.integers(1, 4)))
        yield options, n


def transposed_size(options: dict[str, int], n: int) -> int:
    """Return the output size of PyTorch's transposed convolution."""
    import torch
    from torch import nn

    with torch.device("meta"):
        return int(nn.ConvTranspose2d(1, 1, **options)(torch.empty(1, 1, n, n)).shape[-1])  # type: ignore[arg-type]


def short_transposed_formula(seed: int) -> Iterator[Evidence]:
    for has_options in (False, True):
        rows = list(transposed_rows(seed, has_options))
        sizes = [transposed_size(*row) for row in rows]
        formula = [(n - 1) * o["stride"] - 2 * o["padding"] + o["kernel_size"] for o, n in rows]
        name = "any dilation and output padding" if has_options else "dilation 1, no output padding"
        yield near(f"output sizes of PyTorch, and (n - 1)s - 2p + k, {name}", sizes, formula, 0)


TRANSPOSED_CONV_SIZE = Exact(
    id="transposed-conv-size",
    statement="A transposed convolution has the output size (n - 1)s - 2p + k, whatever its options.",
    topic="upsampling",
    evidence=short_transposed_formula,
    expected="does_not_hold",
    source="torch.nn.ConvTranspose2d documentation, section Shape",
    note="True for dilation 1 without output padding. In general (n - 1)s - 2p + d(k - 1) + output padding + 1.",
)


def full_transposed_formula(seed: int) -> Iterator[Evidence]:
    rows = list(transposed_rows(seed, has_options=True))
    formula = [
        (n - 1) * o["stride"] - 2 * o["padding"] + o["dilation"] * (o["kernel_size"] - 1) + o["output_padding"] + 1
        for o, n in rows
    ]
    sizes = [transposed_size(*row) for row in rows]
    yield near("output sizes of PyTorch, and by the general formula", sizes, formula, 0)


TRANSPOSED_CONV_SIZE_GENERAL = Exact(
    id="transposed-conv-size-general",
    statement="A transposed convolution has the output size (n - 1)s - 2p + d(k - 1) + output padding + 1.",
    topic="upsampling",
    evidence=full_transposed_formula,
    expected="holds",
    source="torch.nn.ConvTranspose2d documentation, section Shape",
)


def adjoint(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    k, s, p = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 2))
    n = s * int(rng.integers(3, 8)) + k - 2 * p  # no row of pixels is left over
    weight, x = torch.randn(4, 2, k, k, dtype=torch.double), torch.randn(1, 2, n, n, dtype=torch.double)
    forward = F.conv2d(x, weight, stride=s, padding=p)
    y = torch.randn_like(forward)
    backward = F.conv_transpose2d(y, weight, stride=s, padding=p)
    yield near("<conv(x), y> and <x, transposed conv(y)>", (forward * y).sum(), (x * backward).sum(), 1e-9)
    pixels = x.clone().requires_grad_()
    F.conv2d(pixels, weight, stride=s, padding=p).backward(y)
    yield near("transposed convolution, and the gradient of the convolution", backward, pixels.grad, 1e-10)
    error = (F.conv_transpose2d(forward, weight, stride=s, padding=p) - x).norm() / x.norm()
    yield true(
        "it is not the inverse: applied to conv(x) it doesn't give x", bool(error > 0.1), f"relative error {error:.3g}"
    )


TRANSPOSED_CONV_ADJOINT = Exact(
    id="transposed-conv-adjoint",
    statement=(
        "A transposed convolution multiplies by the transpose of the convolution's matrix; it restores the size, not "
        "the values."
    ),
    topic="upsampling",
    evidence=adjoint,
    expected="holds",
    source="Dumoulin, Visin, A guide to convolution arithmetic for deep learning (2016), section 4",
)


def checkerboard_energy(seed: int, *, upsampling: str) -> float:
    """Return the share of an output's energy at the highest frequency, in either direction, at initialization.

    Two layers that double the size, with 8 channels and PyTorch's initial weights, read a smooth image of 16x16.

    Args:
        seed: Seed of the weights and the image.
        upsampling: `transposed` (kernel 3, stride 2), `bilinear` (and a 3x3 convolution), or `none` (3x3 alone).
    """
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(seed)
    smooth = F.interpolate(torch.randn(1, 8, 4, 4), size=16, mode="bicubic")
    layers: list[nn.Module] = []
    for _ in range(2):
        if upsampling == "transposed":
            layers.append(nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1))
        else:
            scale = nn.Upsample(scale_factor=2, mode="bilinear") if upsampling == "bilinear" else nn.Identity()
            layers.append(nn.Sequential(scale, nn.Conv2d(8, 8, 3, padding=1)))
    with torch.no_grad():
        output = nn.Sequential(*layers)(smooth)[..., 4:-4, 4:-4]
    spectrum = torch.fft.fft2(output - output.mean(dim=(2, 3), keepdim=True)).abs().square()
    rows, columns = spectrum.shape[2] // 2, spectrum.shape[3] // 2
    is_highest = torch.zeros(spectrum.shape[2:], dtype=torch.bool)
    is_highest[rows], is_highest[:, columns] = True, True
    return float(spectrum[..., is_highest].sum() / spectrum.sum())


CHECKERBOARD = Empirical(
    id="checkerboard",
    statement=(
        "At initialization, the output of transposed 3x3 convolutions with stride 2 has a checkerboard pattern, and "
        "that of bilinear upsampling with convolutions doesn't."
    ),
    topic="upsampling",
    arms={name: trial(checkerboard_energy, upsampling=name) for name in ("transposed", "bilinear")},
    measure="share of the energy at the highest frequency",
    decider=Paired(min_effect=0.1),
    expected="holds",
    source="Odena, Dumoulin, Olah, Deconvolution and checkerboard artifacts, Distill (2016)",
    note=(
        "Neighboring outputs are sums of different weights: of 4, 2 or 1 of a 3x3 kernel. A kernel size that the "
        "stride divides makes their number equal, but not the random weights. Training reduces the pattern."
    ),
)


def dice_and_f1(seed: int) -> Iterator[Evidence]:
    import torch
    from sklearn.metrics import f1_score

    generator = torch.Generator().manual_seed(seed)
    target = (torch.rand(400, generator=generator) < 0.3).double()
    logits = torch.randn(400, generator=generator, dtype=torch.double).requires_grad_()
    predicted = (logits > 0).double()
    hits = (predicted * target).sum()
    dice = 2 * hits / (predicted.sum() + target.sum())
    yield near("Dice and scikit-learn's F1", dice.detach(), f1_score(target, predicted), 1e-12)
    yield true("Dice of hard predictions has no gradient", not dice.requires_grad)
    probabilities = logits.sigmoid()
    soft = 1 - 2 * (probabilities * target).sum() / (probabilities.sum() + target.sum())
    soft.backward()
    assert logits.grad is not None
    yield true("Dice of probabilities has a gradient for every pixel", bool((logits.grad != 0).all()))
    raised = logits.grad[target == 1].max() < 0 < logits.grad[target == 0].min()
    yield true("a step against it raises the foreground and lowers the background", bool(raised))


DICE_FORMULA = Exact(
    id="dice-formula",
    statement=(
        "Dice is 2 TP/(2 TP + FP + FN), the F1 score; with hard predictions it has no gradient, so networks are "
        "trained with the Dice of probabilities."
    ),
    topic="segmentation-losses",
    evidence=dice_and_f1,
    expected="holds",
    source="Milletari, Navab, Ahmadi, V-Net (2016), section 3",
)
