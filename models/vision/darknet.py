"""Darknet-19 and Darknet-53: the classifiers that YOLO v2 and YOLO v3 begin with.

Redmon, Farhadi, YOLO9000: better, faster, stronger (arXiv:1612.08242, 2016); Redmon, Farhadi, YOLOv3: an incremental
improvement (arXiv:1804.02767, 2018). A detector needs a backbone that is fast at the resolution of detection. Both are
stacks of 3x3 convolutions with 1x1 convolutions in between that halve the channels, as in VGG and Network in Network,
and end with global average pooling. Every convolution is followed by batch norm and a leaky ReLU (x if x > 0, else
0.1 x).

Table 6 of YOLO9000, for images of 3x224x224:

    darknet19   3x3, 32                                  224x224
                2x2 max pooling; 3x3, 64                 112x112
                pool; 3x3, 128; 1x1, 64; 3x3, 128        56x56
                pool; 3x3, 256; 1x1, 128; 3x3, 256       28x28
                pool; (3x3, 512; 1x1, 256) x2; 3x3, 512  14x14
                pool; (3x3, 1024; 1x1, 512) x2; 3x3, 1024  7x7
                1x1, 1000 with a bias and neither norm nor activation; global average pooling
    parameters  20,842,376; 2,790,989,824 MACs (3,645,374,464 for images of 256x256)

Table 1 of YOLOv3, for images of 3x256x256. It has shortcuts as ResNet has, and strided convolutions instead of pooling;
a block is a 1x1 convolution that halves the channels and a 3x3 that doubles them, added to the block's input:

    darknet53   stem      3x3, 32                        256x256
                stage 0   3x3, 64, stride 2; 1 block     128x128
                stage 1   3x3, 128, stride 2; 2 blocks   64x64
                stage 2   3x3, 256, stride 2; 8 blocks   32x32
                stage 3   3x3, 512, stride 2; 8 blocks   16x16
                stage 4   3x3, 1024, stride 2; 4 blocks  8x8
                global average pooling; dense, 1000
    parameters  41,609,928; 9,285,115,904 MACs

Initial weights are those of He et al. (2015), for a leaky ReLU. timm's darknet53, whose weights this network loads, has
a slope of 0.01: set `slope` for it. The minis have fewer channels and blocks and read 3x64x64; that of Darknet-19 has
four poolings.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation

Layer = Sequence[int]  # kernel size and channels of a convolution; () is a max pooling
SLOPE = 0.1  # of the leaky ReLU


class Convolution(ConvNormActivation):
    """A convolution with "same" padding, batch norm, and a leaky ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; odd.
        stride: 2 halves the height and the width.
        slope: Slope of the leaky ReLU below 0.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, slope: float = SLOPE):
        activation = partial(nn.LeakyReLU, slope)
        super().__init__(in_channels, out_channels, kernel_size, stride, activation_layer=activation)


def initialize(network: nn.Module) -> None:
    """Draw the weights of convolutions and dense layers by He's normal initialization; biases are 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class Backbone19(nn.Module):
    """The convolutions of Darknet-19 but the last.

    Args:
        layers: (kernel size, channels) is a convolution, () a 2x2 max pooling.

    Attributes:
        channels: Channels of the two maps.
        stride: Stride of the last map.
    """

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        last_pool = max((k for k, layer in enumerate(layers) if not layer), default=0)
        if not 0 < last_pool < len(layers) - 1:
            raise ValueError("layers must have a max pooling, (), between two convolutions")
        self.fine, self.coarse = nn.Sequential(), nn.Sequential()
        channels, convolutions, pools = [3], 0, 0
        for index, layer in enumerate(layers):
            stage = self.fine if index < last_pool else self.coarse
            if layer:
                convolutions += 1
                kernel_size, out_channels = layer
                stage.add_module(f"conv{convolutions}", Convolution(channels[-1], out_channels, kernel_size))
                channels.append(out_channels)
            else:
                pools += 1
                stage.add_module(f"pool{pools}", nn.MaxPool2d(2))
        self.channels = (channels[sum(len(layer) > 0 for layer in layers[:last_pool])], channels[-1])
        self.stride = 2**pools

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map before the last pooling and the last map for images (N, 3, h, w)."""
        fine = self.fine(x)
        return fine, self.coarse(fine)


class Darknet19(nn.Module):
    """18 convolutions with max pooling, a 1x1 convolution to the classes, and global average pooling.

    Args:
        layers: Layers of the backbone: (kernel size, channels) is a convolution, () a 2x2 max pooling.
        num_classes: Number of classes.
        image_size: Height and width of the image; a multiple of the backbone's stride, which is 32 in the paper.
    """

    def __init__(self, layers: Sequence[Layer], num_classes: int = 1000, image_size: int = 224):
        super().__init__()
        self.backbone = Backbone19(layers)
        check_size(image_size, self.backbone.stride)
        self.input_shape = (3, image_size, image_size)
        self.head = nn.Conv2d(self.backbone.channels[1], num_classes, kernel_size=1)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        _, coarse = self.backbone(x)
        logits: Tensor = self.avgpool(self.head(coarse)).flatten(1)
        return logits


class Block(nn.Module):
    """A 1x1 convolution that halves the channels, and a 3x3 that doubles them, around which the input is added.

    Args:
        channels: Channels of the input and the output.
        slope: Slope of the leaky ReLU below 0.
    """

    def __init__(self, channels: int, slope: float):
        super().__init__()
        self.conv1 = Convolution(channels, channels // 2, 1, slope=slope)
        self.conv2 = Convolution(channels // 2, channels, 3, slope=slope)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        residual: Tensor = self.conv2(self.conv1(x))
        return residual + x


class Backbone53(nn.Module):
    """The convolutions of Darknet-53: five stages, each of a strided convolution and blocks.

    Args:
        depths: Blocks in each stage.
        channels: Channels of the first convolution; each stage doubles them.
        slope: Slope of the leaky ReLU below 0.

    Attributes:
        feature_channels: Channels of the maps at strides 4, 8, 16 and 32.
    """

    def __init__(self, depths: Sequence[int], channels: int, slope: float = SLOPE):
        super().__init__()
        if len(depths) != 5 or min(depths) < 1:
            raise ValueError("depths must be five numbers of 1 or more, such as 1, 2, 8, 8, 4")
        self.stem = Convolution(3, channels, 3, slope=slope)
        self.stages = nn.ModuleList()
        for depth in depths:
            down = Convolution(channels, 2 * channels, 3, stride=2, slope=slope)
            channels *= 2
            self.stages.append(nn.Sequential(down, *(Block(channels, slope) for _ in range(depth))))
        self.feature_channels = (channels // 8, channels // 4, channels // 2, channels)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the last four stages, with strides 4, 8, 16 and 32, for images (N, 3, h, w)."""
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[2:]


class Darknet53(nn.Module):
    """Five stages of residual blocks, global average pooling, and a dense layer.

    Args:
        depths: Blocks in each stage.
        channels: Channels of the first convolution; each stage doubles them.
        slope: Slope of the leaky ReLU below 0.
        num_classes: Number of classes.
        image_size: Height and width of the image; a multiple of 32.
    """

    def __init__(
        self,
        depths: Sequence[int] = (1, 2, 8, 8, 4),
        channels: int = 32,
        slope: float = SLOPE,
        num_classes: int = 1000,
        image_size: int = 256,
    ):
        super().__init__()
        check_size(image_size, 32)
        self.input_shape = (3, image_size, image_size)
        self.backbone = Backbone53(depths, channels, slope)
        self.feature_channels = self.backbone.feature_channels
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.feature_channels[-1], num_classes)
        initialize(self)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the maps at strides 4, 8, 16 and 32 for images (N, 3, h, w); `feature_channels` has their channels."""
        maps: list[Tensor] = self.backbone(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.fc(self.avgpool(self.backbone(x)[-1]).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of timm's darknet53."""
        load_by_position(self, state_dict)


def reference_names() -> list[str]:
    """Return the state-dict keys of timm's darknet53, in order."""
    with torch.device("meta"):
        keys = list(Darknet53().state_dict())
    names = []
    for key in keys:
        name = key.removeprefix("backbone.").replace(".norm.", ".bn.").replace("stem.", "stem.conv1.")
        if name.startswith("stages."):
            _, stage, number, rest = name.split(".", 3)
            name = f"stages.{stage}." + (f"blocks.{int(number) - 1}.{rest}" if number != "0" else f"conv_down.{rest}")
        names.append(name.replace("fc.", "head.fc."))
    return names


def check_size(image_size: int, stride: int) -> None:
    """Check that an image consists of whole cells.

    Raises:
        ValueError: If it doesn't.
    """
    if image_size < stride or image_size % stride:
        raise ValueError(f"image_size must be a multiple of {stride}, not {image_size}")


# fmt: off
FAMILIES = dict(
    darknet19=dict(
        family="darknet19",
        year=2016,
        paper="arXiv:1612.08242",
        topic="one-stage",
        task="shapes",
        contribution=(
            "A backbone for fast detection: 3x3 filters with 1x1 filters in between that halve the channels, batch "
            "norm, and global average pooling instead of dense layers."
        ),
        builds_on=("vgg", "googlenet"),
        network="Darknet19",
        names={"darknet19": dict(layers=(
            (3, 32), (), (3, 64), (), (3, 128), (1, 64), (3, 128), (), (3, 256), (1, 128), (3, 256), (),
            (3, 512), (1, 256), (3, 512), (1, 256), (3, 512), (),
            (3, 1024), (1, 512), (3, 1024), (1, 512), (3, 1024),
        ))},
        inputs=dict(image="float32[3, image_size, image_size]"),
        outputs=dict(logits="float32[num_classes]"),
        sizes=dict(classes="num_classes"),
        parts=dict(backbone=("backbone.",)),
        params={"darknet19": 20_842_376},
        mini=dict(
            layers=(
                (3, 4), (), (3, 12), (), (3, 24), (1, 12), (3, 24), (), (3, 48), (1, 24), (3, 48), (),
                (3, 96), (1, 48), (3, 96),
            ),
            num_classes=8,
            image_size=64,
        ),
        reference=None,
    ),
    darknet53=dict(
        family="darknet53",
        year=2018,
        paper="arXiv:1804.02767",
        topic="one-stage",
        task="shapes",
        contribution=(
            "Darknet-19 with ResNet's shortcuts and strided convolutions instead of pooling: as accurate as ResNet-152 "
            "and twice as fast in the authors' test."
        ),
        builds_on=("darknet19", "resnet"),
        network="Darknet53",
        names={"darknet53": dict(depths=(1, 2, 8, 8, 4), channels=32)},
        inputs=dict(image="float32[3, image_size, image_size]"),
        outputs=dict(logits="float32[num_classes]"),
        sizes=dict(classes="num_classes"),
        parts=dict(backbone=("backbone.",)),
        params={"darknet53": 41_609_928},
        mini=dict(depths=(1, 1, 1, 1, 1), channels=6, num_classes=8, image_size=64),
        reference="timm",
    ),
)
# fmt: on
