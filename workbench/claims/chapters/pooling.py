"""Claims about pooling, shifts, and dense layers in place of convolutions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims import small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Interaction, NonInferior, Paired
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    from torch import nn


SHIFTED = 300  # test digits that are shifted in four directions


def pooling_3x3(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    x = torch.randn(1, 1, 3, 3)
    output = nn.MaxPool2d(2, stride=2)(x)
    yield equal("shape of the output", tuple(output.shape[2:]), (1, 1))
    yield near(
        "the output and the largest of the first 2x2 pixels", output.flatten(), x[..., :2, :2].max().reshape(1), 0
    )
    yield equal(
        "shape of the output in ceil mode", tuple(nn.MaxPool2d(2, stride=2, ceil_mode=True)(x).shape[2:]), (2, 2)
    )


MAXPOOL_EXAMPLE_3X3 = Exact(
    id="maxpool-example-3x3",
    statement="2x2 max pooling with stride 2 maps a 3x3 map to 1x1 and ignores its last row and column.",
    topic="pooling",
    evidence=pooling_3x3,
    is_structural=True,
    expected="holds",
    source="torch.nn.MaxPool2d documentation, section Shape",
    note="Rounding up (ceil mode) would give 2x2.",
)


def stability(seed: int, *, pooling: str, shift: int = 1) -> float:
    """Return how much of a pooled map is left unchanged by a shift of the image: 100 (1 - relative change).

    The maps are those of a random 3x3 convolution and ReLU for 100 digits, enlarged to 32x32 and shifted circularly.

    Args:
        seed: Seed of the filters and the digits.
        pooling: `2x2` or `global` max pooling.
        shift: Pixels.
    """
    import torch
    import torch.nn.functional as F
    from torch import nn

    images = small_networks.digits(seed).training.images[:100]
    images = F.interpolate(images, size=32, mode="bilinear")
    torch.manual_seed(seed)
    pool = nn.MaxPool2d(2) if pooling == "2x2" else nn.AdaptiveMaxPool2d(1)
    network = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, padding_mode="circular"), nn.ReLU(), pool)
    with torch.no_grad():
        output, shifted = network(images), network(images.roll(shift, dims=3))
    return 100 * (1 - float((shifted - output).norm() / output.norm()))


MAXPOOL_TRANSLATION_INVARIANCE = Empirical(
    id="maxpool-translation-invariance",
    statement="When a 32x32 image shifts by 1 pixel, a map after 2x2 max pooling changes by at most 5%.",
    topic="pooling",
    arms=dict(pooled=trial(stability, pooling="2x2"), global_pooling=trial(stability, pooling="global")),
    measure="unchanged share in %",
    decider=NonInferior(margin=5.0, unit="%"),
    expected="does_not_hold",
    source="Zhang, Making convolutional networks shift-invariant again (2019), section 3",
    note=(
        "A window hides a shift only while its maximum stays inside. Global pooling after a convolution with stride 1 "
        "and circular padding is exactly invariant."
    ),
)


def shift_network(name: str) -> "nn.Module":
    """Return a classifier of 12x12 images: `mlp`, `flatten`, `pooled` or `stride_1`.

    `flatten` and `pooled` max pool their maps twice; `pooled` and `stride_1` end in global max pooling. Padding is
    circular, so that a shift has no other effect at the borders.
    """
    from torch import nn

    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 10))
    layers: list[nn.Module] = []
    for in_channels, out_channels in ((1, 8), (8, 16), (16, 32)):
        layers += [nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="circular"), nn.ReLU()]
        if name != "stride_1" and out_channels < 32:
            layers.append(nn.MaxPool2d(2))
    if name == "flatten":
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(288, 10))
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def points_lost(seed: int, *, network: str, shift: int, is_trained_on_shifts: bool = False) -> float:
    """Return the test accuracy that a shift of the images costs, in points, as a mean over the four directions.

    The network is trained for 100 steps of Adam with a learning rate of 0.003.

    Args:
        seed: The seed.
        network: See `shift_network`.
        shift: Pixels.
        is_trained_on_shifts: Whether the training digits are anywhere in 12x12 pixels, instead of in the middle.
    """
    import torch
    import torch.nn.functional as F

    splits = small_networks.digits(seed)
    training, test = (F.pad(split.images, (2, 2, 2, 2)) for split in (splits.training, splits.test))
    if is_trained_on_shifts:
        offsets = np.random.default_rng(seed).integers(-2, 3, size=(len(training), 2)).tolist()
        shifted = [image.roll(offset, dims=(1, 2)) for image, offset in zip(training, offsets, strict=True)]
        training = torch.stack(shifted)
    classifier = shift_network(network)
    small_networks.initialize(classifier, seed)
    small_networks.train(classifier, small_networks.Split(training, splits.training.labels), seed, steps=100, lr=0.003)

    def accuracy(rows: int, columns: int) -> float:
        images, labels = test[:SHIFTED].roll((rows, columns), dims=(2, 3)), splits.test.labels[:SHIFTED]
        return small_networks.accuracy(classifier, small_networks.Split(images, labels))

    directions = ((shift, 0), (-shift, 0), (0, shift), (0, -shift))
    return accuracy(0, 0) - sum(accuracy(*offset) for offset in directions) / 4


POOLING_SHIFT_BY_ONE = Empirical(
    id="pooling-shift-by-one",
    statement=(
        "A CNN that max pools by 2 twice and ends in global max pooling loses accuracy when images shift by 1 pixel, "
        "and the same without the inner pooling doesn't."
    ),
    topic="pooling",
    arms=dict(
        pooled=trial(points_lost, network="pooled", shift=1), stride_1=trial(points_lost, network="stride_1", shift=1)
    ),
    control=dict(shift=4),
    measure="points of accuracy lost",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    source=(
        "Azulay, Weiss, Why do deep convolutional networks generalize so poorly to small image transformations? (2019)"
    ),
    note=(
        "Under the control the shift is a multiple of 4, the product of the strides: pooling then shifts with the "
        "image."
    ),
)


GLOBAL_POOLING_SHIFT_ROBUST = Empirical(
    id="global-pooling-shift-robust",
    statement=(
        "Global max pooling at stride 1 makes a CNN robust to shifts by 2 pixels of 12, and flattening its maps "
        "doesn't."
    ),
    topic="pooling",
    arms=dict(
        flatten=trial(points_lost, network="flatten", shift=2),
        global_pooling=trial(points_lost, network="stride_1", shift=2),
    ),
    control=dict(is_trained_on_shifts=True),
    measure="points of accuracy lost",
    decider=Paired(min_effect=20.0, unit="points of accuracy"),
    expected="holds",
    note=(
        "A dense layer after flattening has weights of its own for every position. The maximum of a map has no "
        "position."
    ),
)


CNN_MORE_SHIFT_ROBUST_THAN_MLP = Empirical(
    id="cnn-more-shift-robust-than-mlp",
    statement="When digits shift by 2 pixels of 12, a CNN loses less accuracy than a network of dense layers.",
    topic="fc-vs-cnn",
    arms=dict(mlp=trial(points_lost, network="mlp", shift=2), cnn=trial(points_lost, network="flatten", shift=2)),
    control=dict(is_trained_on_shifts=True),
    measure="points of accuracy lost",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    note="Both lose much. What makes a CNN robust is global pooling: see global-pooling-shift-robust.",
)


def layout_accuracy(seed: int, *, network: str, is_shuffled: bool, lr: float, steps: int = 200) -> dict[str, float]:
    """Return test and validation accuracy on digits whose pixels are in order, or in one random order for all."""
    import torch
    from torch import nn

    splits = small_networks.digits(seed, train_samples=200)
    if is_shuffled:
        order = torch.as_tensor(np.random.default_rng(seed).permutation(64))
        splits = small_networks.Splits(
            *(split._replace(images=split.images.flatten(1)[:, order].reshape(-1, 1, 8, 8)) for split in splits)
        )
    if network == "mlp":
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    else:  # without a dense layer of all positions
        maps = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
        classifier = nn.Sequential(*maps, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    small_networks.initialize(classifier, seed)
    small_networks.train(classifier, splits.training, seed, steps=steps, lr=lr)
    names = ("validation", "test")
    return {name: small_networks.accuracy(classifier, getattr(splits, name)) for name in names}


FC_IGNORES_LAYOUT = Empirical(
    id="fc-ignores-layout",
    statement=(
        "Shuffling the pixels of all images in the same way costs a CNN accuracy, but not a network of dense layers."
    ),
    topic="fc-vs-cnn",
    arms={
        f"{network} {order}": trial(layout_accuracy, network=network, is_shuffled=order == "shuffled", lr=0.003)
        for network in ("cnn", "mlp")
        for order in ("in order", "shuffled")
    },
    tune=dict(lr=(0.001, 0.003, 0.01)),
    tuned_by="validation",
    measure="test",
    decider=Interaction(min_effect=2.0, unit="points of accuracy"),
    expected="holds",
    note=(
        "A dense layer treats its inputs alike, so their order doesn't matter to it: it learns the same function of "
        "the shuffled pixels."
    ),
)


def dense_and_convolution(seed: int) -> Iterator[Evidence]:
    from torch import nn

    rng = np.random.default_rng(seed)
    for n, channels, filters in (
        (32, 3, 32),
        tuple(int(rng.integers(*bounds)) for bounds in ((8, 40), (1, 5), (4, 40))),
    ):
        dense = nn.Linear(n * n * channels, n * n * filters, device="meta")
        convolution = nn.Conv2d(channels, filters, 3, padding=1, device="meta")
        counts = [sum(parameter.numel() for parameter in layer.parameters()) for layer in (dense, convolution)]
        formula = [(n * n * channels + 1) * n * n * filters, (9 * channels + 1) * filters]
        name = "32x32x3 to 32 maps" if (n, channels) == (32, 3) else "random sizes"
        yield equal(f"parameters of a dense layer and of a 3x3 convolution, {name}", counts, formula)
        if n == 32:
            yield true(
                "the dense layer has more than 100,000 times as many",
                counts[0] > 100_000 * counts[1],
                f"{counts[0]:,} and {counts[1]:,}",
            )


FC_PARAMETER_HEAVY = Exact(
    id="fc-parameter-heavy",
    statement=(
        "From a 32x32x3 image to 32 maps of 32x32, a dense layer has more than 100,000 times the parameters of a 3x3 "
        "convolution."
    ),
    topic="fc-vs-cnn",
    evidence=dense_and_convolution,
    is_structural=True,
    expected="holds",
    note="Derivation: (3072 + 1) 32768 = 100,696,064 against (27 + 1) 32 = 896.",
)
