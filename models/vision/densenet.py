"""DenseNet: Huang, Liu, van der Maaten, Weinberger, Densely connected convolutional networks (arXiv:1608.06993, 2016).

A layer needs what the layers before it found, and a chain makes each of them pass it on. Here every layer reads the
maps of all before it, stacked, and adds only k maps of its own: features are used again instead of computed again, and
every layer lies one step from the block's end, so that the gradient reaches it.

Table 1 of the paper, for pictures of 3x224x224 and k = 32. A dense layer is norm, ReLU, 1x1 to 4k, norm, ReLU, 3x3 to
k; a transition is norm, ReLU, 1x1 to half the channels, and 2x2 average pooling:

    layer          output     densenet121    densenet169    densenet201
    conv0          112x112    7x7, 64, stride 2
    pool0          56x56      3x3, stride 2
    denseblock1    56x56      6 layers: 256 channels
    transition1    28x28      128
    denseblock2    28x28      12 layers: 512
    transition2    14x14      256
    denseblock3    14x14      24: 1024       32: 1280       48: 1792
    transition3    7x7        512            640            896
    denseblock4    7x7        16: 1024       32: 1664       32: 1920
    classifier     1000       norm, ReLU, average over the map, then dense
    parameters                7,978,856      14,149,480     20,013,928

This is the paper's DenseNet-BC: the 1x1 before every 3x3 is the B(ottleneck), the halving in transitions the
C(ompression). The names of the weights are torchvision's.

The mini has k = 8 and a quarter of the layers, and reads 3x32x32: denseblock1 then sees 8x8, denseblock4 one point.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

BOTTLENECK = 4  # maps that the 1x1 leaves for the 3x3, in multiples of the growth rate


class DenseLayer(nn.Module):
    """k new maps from all maps so far: a 1x1 convolution narrows them, a 3x3 looks around.

    Args:
        channels: Maps so far.
        growth: k, the new maps.
    """

    def __init__(self, channels: int, growth: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, growth, h, w)."""
        x = self.conv1(self.norm1(x).relu_())
        return self.conv2(self.norm2(x).relu_())


class DenseBlock(nn.Module):
    """Dense layers, each of which reads the block's input and all that was made before it.

    Args:
        channels: Channels that come in.
        depth: Number of layers.
        growth: Maps that each of them adds.
    """

    def __init__(self, channels: int, depth: int, growth: int):
        super().__init__()
        for k in range(depth):
            self.add_module(f"denselayer{k + 1}", DenseLayer(channels + k * growth, growth))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels + depth*growth, h, w)."""
        maps = [x]
        for layer in self.children():
            maps.append(layer(torch.cat(maps, dim=1)))
        return torch.cat(maps, dim=1)


class Transition(nn.Module):
    """Halves the channels by a 1x1 convolution, and the map by average pooling.

    Args:
        channels: Channels that come in.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels/2, h/2, w/2)."""
        return self.pool(self.conv(self.norm(x).relu_()))


class DenseNet(nn.Module):
    """A first convolution, four dense blocks with transitions between them, the mean of the maps, and a dense layer.

    Args:
        depths: Layers of each of the four dense blocks.
        growth: k, the maps that every layer adds.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 32.
    """

    def __init__(self, depths: Sequence[int] = (6, 12, 24, 16), growth: int = 32, classes: int = 1000, side: int = 224):
        super().__init__()
        if len(depths) != 4 or min(depths) < 1:
            raise ValueError("depths must be four numbers of 1 or more")
        if side < 32:
            raise ValueError("side must be 32 or more: the map is halved five times")
        self.input_shape = (3, side, side)
        channels = 2 * growth
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(channels),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
        for k, depth in enumerate(depths, 1):
            layers[f"denseblock{k}"] = DenseBlock(channels, depth, growth)
            channels += depth * growth
            if k < len(depths):
                layers[f"transition{k}"] = Transition(channels)
                channels //= 2
        layers["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # He et al. 2015, as the paper says
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        x = self.features(x).relu_()
        return self.classifier(self.avgpool(x).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's (or timm's) DenseNet of the same depths."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="densenet",
    year=2016,
    paper="arXiv:1608.06993",
    topic="modern-cnn",
    task="shapes",
    idea=(
        "Every layer of a block reads the maps of all layers before it and adds a few of its own, so that features are "
        "used again instead of computed again."
    ),
    builds_on=("resnet",),
    network="DenseNet",
    names={
        "densenet121": dict(depths=(6, 12, 24, 16)),
        "densenet169": dict(depths=(6, 12, 32, 32)),
        "densenet201": dict(depths=(6, 12, 48, 32)),
    },
    input=(3, 224, 224),
    output=(1000,),
    params={"densenet121": 7_978_856, "densenet169": 14_149_480, "densenet201": 20_013_928},
    mini=dict(growth=8, classes=8, side=32),
    minis={
        "densenet121": dict(depths=(2, 3, 6, 4)),
        "densenet169": dict(depths=(2, 3, 8, 8)),
        "densenet201": dict(depths=(2, 3, 12, 8)),
    },
    reference="torchvision",
)
