"""MobileNet: Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, MobileNets (arXiv:1704.04861, 2017).

A convolution filters and combines at once. Here each is two: a depthwise 3x3 filters every channel by itself, and a
pointwise 1x1 combines the channels, which takes 1/C_out + 1/9 of the multiply-accumulates. Two numbers then trade
accuracy for cost: a width multiplier for all channels, and the resolution of the picture.

Table 1 of the paper, for pictures of 3x224x224; every convolution is followed by a norm and ReLU6:

    layer       output     channels       strides
    stem        112x112    32             2          3x3, full
    blocks.0    112x112    64             1          from here on: depthwise 3x3 with this stride, then 1x1
    1-2         56x56      128, 128       2, 1
    3-4         28x28      256, 256       2, 1
    5-10        14x14      512, x6        2, 1 x5
    11-12       7x7        1024, 1024     2, 1
    fc          1000       average over the map, then dense
    parameters  4,231,976; 568,740,352 multiply-accumulates (the paper: 4.2 and 569 millions)

Two things differ from the paper's print, as in everybody's weights: ReLU is cut off at 6, which the text leaves out and
the authors' code has; and the last block has stride 1, since the 2 that Table 1 gives it doesn't lead from 7x7 to 7x7.
Two differ from the authors' code, as in timm, whose weights the network takes: strided convolutions are padded by 1 on
all sides, and not at the right and the bottom alone; and the norms have PyTorch's own eps and momentum.

The mini has width 0.25 and reads 3x64x64.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.divisible import divisible

BLOCKS = (  # channels that go out, and stride
    (64, 1),
    *((128, 2), (128, 1)),
    *((256, 2), (256, 1)),
    *((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)


class DepthwiseSeparable(nn.Module):
    """A depthwise 3x3 convolution filters each channel, a pointwise 1x1 combines them.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        stride: Of the depthwise convolution: 2 halves the map.
    """

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.depthwise = ConvNormActivation(channels, channels, 3, stride, groups=channels, activation=nn.ReLU6)
        self.pointwise = ConvNormActivation(channels, width, activation=nn.ReLU6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Module):
    """A full convolution, thirteen depthwise separable ones, the mean of the last maps, and a dense layer.

    Args:
        width: The paper's alpha: what all numbers of channels are multiplied by.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 32. Over 224 it is the paper's rho.
    """

    def __init__(self, width: float = 1.0, classes: int = 1000, side: int = 224):
        super().__init__()
        if not width > 0:
            raise ValueError("width must be above 0")
        if side < 32:
            raise ValueError("side must be 32 or more: the map is halved five times")
        self.input_shape = (3, side, side)
        channels = divisible(32 * width)
        self.stem = ConvNormActivation(3, channels, 3, stride=2, activation=nn.ReLU6)
        blocks = []
        for wide, stride in BLOCKS:
            blocks.append(DepthwiseSeparable(channels, divisible(wide * width), stride))
            channels = divisible(wide * width)
        self.blocks = nn.Sequential(*blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        return self.fc(self.avgpool(self.blocks(self.stem(x))).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of timm's mobilenetv1_100, or of another width."""
        load_by_position(self, state_dict)


def reference_names() -> list[str]:
    """What timm calls the weights of mobilenetv1_100, in their order: stages of 1, 2, 2, 6 and 2 blocks."""

    def norm(name: str) -> list[str]:
        return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]

    blocks = [f"blocks.{stage}.{k}" for stage, depth in enumerate((1, 2, 2, 6, 2)) for k in range(depth)]
    names = ["conv_stem.weight", *norm("bn1")]
    for block in blocks:
        names += [f"{block}.conv_dw.weight", *norm(f"{block}.bn1"), f"{block}.conv_pw.weight", *norm(f"{block}.bn2")]
    return [*names, "classifier.weight", "classifier.bias"]


def initialise(layer: nn.Module) -> None:
    """First weights as in the authors' code: normal, with standard deviation 0.09, and none beyond twice that."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.trunc_normal_(layer.weight, std=0.09, a=-0.18, b=0.18)
    if isinstance(layer, nn.Linear):
        nn.init.zeros_(layer.bias)


FAMILY = dict(
    family="mobilenet-v1",
    year=2017,
    paper="arXiv:1704.04861",
    topic="modern-cnn",
    task="shapes",
    idea=(
        "A convolution in two steps, a depthwise one that filters each channel and a 1x1 that combines them, at about "
        "a ninth of the work."
    ),
    builds_on=("depthwise-separable",),
    network="MobileNetV1",
    names={"mobilenet-v1": dict(width=1.0)},
    input=(3, 224, 224),
    output=(1000,),
    params={"mobilenet-v1": 4_231_976},
    mini=dict(width=0.25, classes=8, side=64),
    reference="timm",
)
