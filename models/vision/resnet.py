"""ResNet: He, Zhang, Ren, Sun, Deep residual learning for image recognition (arXiv:1512.03385, 2015).

A stack that is deeper should do no worse, since its added layers could just pass on what they get; but plain stacks do
worse even in training. So a block learns only what to add to its input, y = F(x) + x: passing on is then F = 0, and
the sum carries the gradient past every block unchanged.

Table 1 of the paper, for pictures of 3x224x224; every 3x3 and 1x1 is a convolution, normalised and bent by ReLU:

    layer      output     resnet18     resnet34     resnet50          resnet101         resnet152
    conv1      112x112    7x7, 64, stride 2
    maxpool    56x56      3x3, stride 2
    layer1     56x56      3x3, 64      3x3, 64      1x1, 64           1x1, 64           1x1, 64
                          3x3, 64      3x3, 64      3x3, 64           3x3, 64           3x3, 64
                                                    1x1, 256          1x1, 256          1x1, 256
                          x2           x3           x3                x3                x3
    layer2     28x28      128: x2      128: x4      128, 512: x4      128, 512: x4      128, 512: x8
    layer3     14x14      256: x2      256: x6      256, 1024: x6     256, 1024: x23    256, 1024: x36
    layer4     7x7        512: x2      512: x3      512, 2048: x3     512, 2048: x3     512, 2048: x3
    fc         1000       average over the map, then dense
    parameters            11,689,512   21,797,672   25,557,032        44,549,160        60,192,808

Two things differ from the paper, as in everybody's weights since: a bottleneck that halves the map does so in its 3x3
and not in its first 1x1, which then looks at every pixel ("v1.5"); and where the shape changes, x takes a 1x1
convolution of its own on the way (option B). The names of the weights are torchvision's.

The mini is eight channels wide where the paper has 64, and reads 3x64x64. resnet50, 101 and 152 have a quarter of their
blocks there, or they would need minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from math import gcd

from torch import Tensor, nn

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "group": lambda channels: nn.GroupNorm(gcd(32, channels), channels),  # Wu, He 2018: 32 groups, where they fit
    "none": lambda channels: nn.Identity(),
}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, and the input added to what they say.

    Args:
        channels: Channels that come in.
        width: Channels of both convolutions; `width * expansion` go out.
        stride: Of the first convolution: 2 halves the map.
        norm: A name of `NORMS`.
        residual: Whether the input is added.
    """

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int, norm: str, residual: bool):
        super().__init__()
        self.conv1 = convolution(channels, width, 3, stride, norm)
        self.bn1 = NORMS[norm](width)
        self.conv2 = convolution(width, width, 3, 1, norm)
        self.bn2 = NORMS[norm](width)
        self.residual = residual
        self.downsample = shortcut(channels, width, stride, norm) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        y = self.bn1(self.conv1(x)).relu_()
        y = self.bn2(self.conv2(y))
        if self.residual:
            y += x if self.downsample is None else self.downsample(x)
        return y.relu_()


class Bottleneck(nn.Module):
    """A 1x1 convolution narrows the input, a 3x3 looks around, a 1x1 widens again; the input is added.

    Of 256 channels this costs 69,632 weights, and two 3x3 convolutions would cost 1,179,648.

    Args:
        channels: Channels that come in.
        width: Channels within; `width * expansion` go out.
        stride: Of the 3x3 convolution: 2 halves the map.
        norm: A name of `NORMS`.
        residual: Whether the input is added.
    """

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int, norm: str, residual: bool):
        super().__init__()
        wide = width * self.expansion
        self.conv1 = convolution(channels, width, 1, 1, norm)
        self.bn1 = NORMS[norm](width)
        self.conv2 = convolution(width, width, 3, stride, norm)
        self.bn2 = NORMS[norm](width)
        self.conv3 = convolution(width, wide, 1, 1, norm)
        self.bn3 = NORMS[norm](wide)
        self.residual = residual
        self.downsample = shortcut(channels, wide, stride, norm) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, 4*width, h/stride, w/stride)."""
        y = self.bn1(self.conv1(x)).relu_()
        y = self.bn2(self.conv2(y)).relu_()
        y = self.bn3(self.conv3(y))
        if self.residual:
            y += x if self.downsample is None else self.downsample(x)
        return y.relu_()


def convolution(channels: int, width: int, kernel: int, stride: int, norm: str) -> nn.Conv2d:
    """A convolution that keeps the map's side at stride 1; a norm that follows makes a bias pointless."""
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=norm == "none")


def shortcut(channels: int, width: int, stride: int, norm: str) -> nn.Sequential | None:
    """What takes a block's input to the shape of its output; None where the shape is the same."""
    if stride == 1 and channels == width:
        return None
    return nn.Sequential(convolution(channels, width, 1, stride, norm), NORMS[norm](width))


BLOCKS: dict[str, type[BasicBlock] | type[Bottleneck]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


class ResNet(nn.Module):
    """A first convolution, four layers of residual blocks, the mean of the last maps, and a dense layer.

    Args:
        block: `basic` or `bottleneck`.
        depths: Blocks of each of the four layers.
        width: Channels of conv1 and within the blocks of layer1; every later layer doubles them.
        classes: Number of classes.
        side: Pixels of the square input's side.
        norm: `batch`, `group` or `none`.
        residual: Whether the blocks add their inputs; without, it is the paper's plain network.
    """

    def __init__(
        self,
        block: str = "bottleneck",
        depths: Sequence[int] = (3, 4, 6, 3),
        width: int = 64,
        classes: int = 1000,
        side: int = 224,
        norm: str = "batch",
        residual: bool = True,
    ):
        super().__init__()
        for word, name, known in (("block", block, BLOCKS), ("norm", norm, NORMS)):
            if name not in known:
                raise ValueError(f"{word} must be {' or '.join(known)}")
        if len(depths) != 4 or min(depths) < 1:
            raise ValueError("depths must be four numbers of 1 or more")
        self.input_shape = (3, side, side)
        self.conv1 = convolution(3, width, 7, 2, norm)
        self.bn1 = NORMS[norm](width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        channels = width  # that come out of the layer before

        def layer(width: int, depth: int, stride: int) -> nn.Sequential:
            nonlocal channels
            blocks = []
            for k in range(depth):
                blocks.append(BLOCKS[block](channels, width, stride if k == 0 else 1, norm, residual))
                channels = width * BLOCKS[block].expansion
            return nn.Sequential(*blocks)

        self.layer1 = layer(width, depths[0], stride=1)
        self.layer2 = layer(2 * width, depths[1], stride=2)
        self.layer3 = layer(4 * width, depths[2], stride=2)
        self.layer4 = layer(8 * width, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, for a ReLU behind it
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> list[Tensor]:
        """The maps of layer1 to layer4, each half the side of the one before, for pictures (N, 3, side, side)."""
        x = self.maxpool(self.bn1(self.conv1(x)).relu_())
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        return self.fc(self.avgpool(self.features(x)[-1]).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's ResNet of the same depths."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="resnet",
    year=2015,
    paper="arXiv:1512.03385",
    topic="resnet",
    task="shapes",
    idea=(
        "A block learns only what to add to its input, y = F(x) + x, so that the gradient passes every block "
        "unchanged and a hundred layers still train."
    ),
    builds_on=("vgg",),
    network="ResNet",
    names={
        "resnet18": dict(block="basic", depths=(2, 2, 2, 2)),
        "resnet34": dict(block="basic", depths=(3, 4, 6, 3)),
        "resnet50": dict(block="bottleneck", depths=(3, 4, 6, 3)),
        "resnet101": dict(block="bottleneck", depths=(3, 4, 23, 3)),
        "resnet152": dict(block="bottleneck", depths=(3, 8, 36, 3)),
    },
    input=(3, 224, 224),
    output=(1000,),
    params={
        "resnet18": 11_689_512,
        "resnet34": 21_797_672,
        "resnet50": 25_557_032,
        "resnet101": 44_549_160,
        "resnet152": 60_192_808,
    },
    mini=dict(width=8, classes=8, side=64),
    minis={
        "resnet50": dict(depths=(1, 1, 2, 1)),
        "resnet101": dict(depths=(1, 1, 6, 1)),
        "resnet152": dict(depths=(1, 2, 9, 1)),
    },
    reference="torchvision",
)
