"""DenseNet: Huang, Liu, van der Maaten, Weinberger, Densely connected convolutional networks (arXiv:1608.06993, 2016).

Every layer of a block reads the concatenated outputs of all layers before it and adds only k channels of its own.
Features are reused instead of computed again, and every layer has a direct connection to the end of its block, which
gives it a strong gradient.

Table 1 of the paper, for images of 3x224x224 and k = 32. A dense layer is norm, ReLU, 1x1 to 4k channels, norm, ReLU,
3x3 to k channels. A transition is norm, ReLU, 1x1 to half the channels, and 2x2 average pooling:

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
    classifier     1000       norm, ReLU, global average pooling, then dense
    parameters                7,978,856      14,149,480     20,013,928

This is the paper's DenseNet-BC: B stands for the bottleneck, the 1x1 before every 3x3, and C for the compression in
transitions. State-dict keys are torchvision's.

The mini has k = 8 and a quarter of the layers, and reads 3x32x32: denseblock1 then has maps of 8x8, denseblock4 of 1x1.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

BN_SIZE = 4  # channels between the 1x1 and the 3x3 of a layer, as a multiple of the growth rate


class DenseLayer(nn.Module):
    """A 1x1 convolution that reduces the channels, and a 3x3 that computes k new ones.

    Args:
        in_channels: Channels of the input: those of the block's input and of all layers before.
        growth_rate: k, the number of new channels.
    """

    def __init__(self, in_channels: int, growth_rate: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, BN_SIZE * growth_rate, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BN_SIZE * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(BN_SIZE * growth_rate, growth_rate, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, growth_rate, h, w)."""
        x = self.conv1(self.relu1(self.norm1(x)))
        out: Tensor = self.conv2(self.relu2(self.norm2(x)))
        return out


class DenseBlock(nn.Module):
    """Dense layers, each of which reads the block's input and the outputs of all layers before it.

    Args:
        in_channels: Channels of the input.
        depth: Number of layers.
        growth_rate: Channels that each layer adds.
    """

    def __init__(self, in_channels: int, depth: int, growth_rate: int):
        super().__init__()
        for k in range(depth):
            self.add_module(f"denselayer{k + 1}", DenseLayer(in_channels + k * growth_rate, growth_rate))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, in_channels + depth*growth_rate, h, w)."""
        maps = [x]
        for layer in self.children():
            maps.append(layer(torch.cat(maps, dim=1)))
        return torch.cat(maps, dim=1)


class Transition(nn.Module):
    """A 1x1 convolution that halves the channels, and average pooling that halves height and width.

    Args:
        in_channels: Channels of the input.
    """

    def __init__(self, in_channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, in_channels/2, h/2, w/2)."""
        out: Tensor = self.pool(self.conv(self.relu(self.norm(x))))
        return out


class DenseNet(nn.Module):
    """A convolution, four dense blocks with transitions between them, global average pooling, and a dense layer.

    Args:
        block_config: Layers in each of the four dense blocks.
        growth_rate: k, the channels that every layer adds.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 32.
    """

    def __init__(
        self,
        block_config: Sequence[int] = (6, 12, 24, 16),
        growth_rate: int = 32,
        num_classes: int = 1000,
        image_size: int = 224,
    ):
        super().__init__()
        if len(block_config) != 4 or min(block_config) < 1:
            raise ValueError("block_config must be four numbers of 1 or more")
        if image_size < 32:
            raise ValueError("image_size must be 32 or more: five layers halve it")
        self.input_shape = (3, image_size, image_size)
        channels = 2 * growth_rate
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(channels),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
        for k, depth in enumerate(block_config, 1):
            layers[f"denseblock{k}"] = DenseBlock(channels, depth, growth_rate)
            channels += depth * growth_rate
            if k < len(block_config):
                layers[f"transition{k}"] = Transition(channels)
                channels //= 2
        layers["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(layers)
        self.relu = nn.ReLU(inplace=True)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # He et al. 2015, as in the paper
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        x = self.relu(self.features(x))
        logits: Tensor = self.classifier(self.avgpool(x).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's (or timm's) DenseNet with the same blocks."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="densenet",
    year=2016,
    paper="arXiv:1608.06993",
    topic="modern-cnn",
    task="shapes",
    contribution=(
        "Every layer of a block reads the outputs of all layers before it and adds a few channels of its own, so that "
        "features are reused instead of computed again."
    ),
    builds_on=("resnet",),
    network="DenseNet",
    names={
        "densenet121": dict(block_config=(6, 12, 24, 16)),
        "densenet169": dict(block_config=(6, 12, 32, 32)),
        "densenet201": dict(block_config=(6, 12, 48, 32)),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"densenet121": 7_978_856, "densenet169": 14_149_480, "densenet201": 20_013_928},
    mini=dict(growth_rate=8, num_classes=8, image_size=32),
    mini_overrides={
        "densenet121": dict(block_config=(2, 3, 6, 4)),
        "densenet169": dict(block_config=(2, 3, 8, 8)),
        "densenet201": dict(block_config=(2, 3, 12, 8)),
    },
    reference="torchvision",
)
