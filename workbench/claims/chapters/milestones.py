"""Claims about the milestones of CNNs, and about 1x1 convolutions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims import small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, within
from workbench.claims.zoo import zoo

if TYPE_CHECKING:
    from torch import nn


def inception_reduction(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    n = int(np.random.default_rng(seed).integers(7, 57))
    x = torch.zeros(1, 192, n, n, device="meta")
    with torch.device("meta"):
        direct = nn.Conv2d(192, 32, 5, padding=2)
        reduced = nn.Sequential(nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 5, padding=2))
    macs = [trace(network, x).total_macs for network in (direct, reduced)]
    formula = [192 * 25 * 32 * n * n, (192 * 16 + 16 * 25 * 32) * n * n]
    yield equal("MACs of 5x5 on 192 channels, and of 1x1 to 16 and 5x5", macs, formula)
    yield within("ratio of the MACs", [macs[0] / macs[1]], 9, 11)
    branch: Any = zoo("googlenet").get_submodule("inception3a.branch3")
    yield equal("MACs of GoogLeNet's branch in inception 3a", trace(branch, x).total_macs, macs[1])


INCEPTION_1X1_REDUCES = Exact(
    id="inception-1x1-reduces",
    statement="A 1x1 convolution from 192 to 16 channels before a 5x5 to 32 channels cuts the MACs to about a tenth.",
    topic="milestones",
    evidence=inception_reduction,
    is_structural=True,
    expected="holds",
    source="Szegedy et al., Going deeper with convolutions (2014), table 1, inception (3a)",
    note="Derivation: 192 * 25 * 32 = 153,600 against 192 * 16 + 16 * 25 * 32 = 15,872 per position, 9.7 times.",
)


def plain_cnn(depth: int, has_auxiliary: bool) -> "nn.Module":
    """Return a CNN of digits without norms or shortcuts; optionally, it trains a second classifier in the middle."""
    from torch import Tensor, nn

    class PlainCNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(1 if k == 0 else 8, 8, 3, padding=1) for k in range(depth))
            self.head, self.auxiliary = (nn.Sequential(nn.Flatten(), nn.Linear(512, 10)) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
            for k, conv in enumerate(self.convs):
                x = conv(x).relu()
                if k == (depth - 1) // 2:
                    middle = x
            logits: Tensor = self.head(x)
            return (logits, self.auxiliary(middle)) if has_auxiliary and self.training else logits

    return PlainCNN()


def auxiliary_accuracy(seed: int, *, has_auxiliary: bool, depth: int, lr: float) -> dict[str, float]:
    """Return test and validation accuracy of a plain CNN after 120 steps on digits, in points."""
    splits = small_networks.digits(seed)
    network = plain_cnn(depth, has_auxiliary)
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=120, lr=lr)
    names = ("validation", "test")
    return {name: small_networks.accuracy(network, getattr(splits, name)) for name in names}


INCEPTION_AUX_CLASSIFIERS = Empirical(
    id="inception-aux-classifiers",
    statement="An auxiliary classifier in the middle of a plain CNN of 15 layers raises its accuracy after 120 steps.",
    topic="milestones",
    arms={
        name: trial(auxiliary_accuracy, has_auxiliary=name == "auxiliary", depth=15, lr=0.001)
        for name in ("auxiliary", "plain")
    },
    control=dict(depth=2),
    tune=dict(lr=(0.001, 0.003)),
    tuned_by="validation",
    measure="test",
    decider=Paired(min_effect=1.0, unit="points of accuracy"),
    expected="inconclusive",
    source="Szegedy et al., Rethinking the Inception architecture (2015), section 4",
    note="Their authors later saw no gain early in training, only near its end, and take them for a regularizer.",
)


YEARS = {
    **{"neocognitron": 1980, "lenet5": 1998, "alexnet": 2012, "vgg16": 2014, "googlenet": 2014, "yolo-v1": 2015},
    **{"resnet50": 2015, "densenet121": 2016, "mobilenet-v1": 2017, "mobilenet-v2": 2018, "efficientnet-b0": 2019},
    "convnext-tiny": 2022,
}


def years(seed: int) -> Iterator[Evidence]:
    import models

    del seed  # nothing is random
    for name, year in YEARS.items():
        info = models.info(name)
        yield equal(f"year of {name}", info.year, year)
        if info.paper.startswith("arXiv:"):  # the number begins with the year and the month
            yield equal(f"year in the arXiv number of {name}", 2000 + int(info.paper[6:8]), year)


DATES = Exact(
    id="dates",
    statement=(
        "Neocognitron is from 1980, LeNet-5 from 1998, AlexNet from 2012, VGG and GoogLeNet from 2014, ResNet and YOLO "
        "from 2015, DenseNet from 2016, MobileNet from 2017, its v2 from 2018."
    ),
    topic="milestones",
    evidence=years,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="the papers, by the year of their first version",
    note="Also EfficientNet 2019 and ConvNeXt 2022. Conferences often print a paper a year later: ResNet, 2016.",
)


def shapes_network() -> "nn.Sequential":
    """Return a CNN of four convolutions for shapes of 16x16 pixels."""
    from torch import nn

    def unit(in_channels: int, out_channels: int) -> list["nn.Module"]:
        return [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU()]

    maps = [*unit(3, 8), *unit(8, 16), nn.MaxPool2d(2), *unit(16, 32), nn.MaxPool2d(2), *unit(32, 32)]
    return nn.Sequential(*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 8))


DEPTHS = {"first": 2, "last": 10}  # the number of layers that compute the maps


def train_on_shapes(seed: int, steps: int) -> "tuple[nn.Sequential, small_networks.Splits]":
    """Return a network trained on shapes, averaged from 64x64 to 16x16 pixels, and the splits."""
    from workbench.data.shapes import load

    images, labels = (array[:2000] for array in load())
    small = images.reshape(-1, 3, 16, 4, 16, 4).mean(axis=(3, 5), dtype=np.float32) / 255 - 0.5
    splits = small_networks.shuffle_and_split(small, labels, seed, validation=0, test=1000)
    network = shapes_network()
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=steps, lr=0.003)
    return network.eval(), splits


def class_probe(seed: int, *, layer: str, steps: int) -> float:
    """Return the test accuracy of a linear classifier on the mean of each map of a layer, in points."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    network, splits = train_on_shapes(seed, steps)
    with torch.no_grad():
        train_x, test_x = (
            network[: DEPTHS[layer]](split.images[:1000]).mean(dim=(2, 3)).numpy()
            for split in (splits.training, splits.test)
        )
    scaler = StandardScaler().fit(train_x)
    probe = LogisticRegression(max_iter=300).fit(scaler.transform(train_x), splits.training.labels[:1000])
    return 100 * float(probe.score(scaler.transform(test_x), splits.test.labels))


HIERARCHY_OF_FEATURES = Empirical(
    id="hierarchy-of-features",
    statement=(
        "In a CNN trained on shapes, a linear classifier recognizes the shape from the last maps at least 10 points "
        "better than from the first ones."
    ),
    topic="convolution",
    arms={layer: trial(class_probe, layer=layer, steps=150) for layer in ("last", "first")},
    control=dict(steps=0),
    measure="accuracy",
    decider=Paired(min_effect=10.0, unit="points of accuracy"),
    expected="holds",
    source="Zeiler, Fergus, Visualizing and understanding convolutional networks (2013), section 4",
    note=(
        "A small form of the statement that low layers see edges and high layers objects; faces and parts of objects "
        "need large networks and photographs."
    ),
)


def edge_probe(seed: int, *, layer: str) -> float:
    """Return the share of the variance of the brightness gradient that a layer's maps explain, by a linear model."""
    import torch
    import torch.nn.functional as F

    network, splits = train_on_shapes(seed, steps=150)
    images = splits.test.images[:200]
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    gray = F.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    edges = F.conv2d(gray, torch.stack([sobel, sobel.T])[:, None])
    with torch.no_grad():
        maps = F.interpolate(network[: DEPTHS[layer]](images), size=16)
    x, y = (maps.transpose(0, 1).flatten(1).T, edges.transpose(0, 1).flatten(1).T)
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    half = len(x) // 2
    weights = torch.linalg.lstsq(x[:half], y[:half].double(), driver="gelsd").solution
    error = (x[half:] @ weights - y[half:]).square().sum()
    return float(1 - error / (y[half:] - y[half:].mean(dim=0)).square().sum())


EARLY_LAYERS_SEE_EDGES = Empirical(
    id="early-layers-see-edges",
    statement=(
        "In a CNN trained on shapes, the first maps explain where edges are, and in which direction, better than the "
        "last maps."
    ),
    topic="convolution",
    arms={layer: trial(edge_probe, layer=layer) for layer in ("first", "last")},
    measure="share of variance explained",
    decider=Paired(min_effect=0.2),
    expected="holds",
    source="Zeiler, Fergus, Visualizing and understanding convolutional networks (2013), section 4",
    note="The last maps have 4x4 positions: where exactly an edge is has been pooled.",
)
