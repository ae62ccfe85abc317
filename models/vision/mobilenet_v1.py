"""MobileNet: Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, MobileNets (arXiv:1704.04861, 2017).

A convolution filters and combines channels in one step. MobileNet uses two: a depthwise 3x3 filters each channel on its
own, and a pointwise 1x1 combines the channels, with 1/C_out + 1/9 of the multiply-accumulates. Two hyperparameters
trade accuracy for cost: a width multiplier for all numbers of channels, and the resolution of the image.

Table 1 of the paper, for images of 3x224x224; every convolution is followed by batch norm and ReLU6:

    layer       output     channels       strides
    stem        112x112    32             2          3x3, full
    blocks.0    112x112    64             1          from here on: depthwise 3x3 with this stride, then 1x1
    1-2         56x56      128, 128       2, 1
    3-4         28x28      256, 256       2, 1
    5-10        14x14      512, x6        2, 1 x5
    11-12       7x7        1024, 1024     2, 1
    fc          1000       global average pooling, then dense
    parameters  4,231,976; 568,740,352 MACs (the paper: 4.2 and 569 million)

Two things differ from the paper, as in all published weights: the activation is ReLU6, as in the authors' code, where
the text says ReLU; and the last block has stride 1, because the stride of 2 in Table 1 would not keep 7x7. Two things
differ from the authors' code, as in timm, whose weights this network loads: strided convolutions have padding 1 on all
sides, not only at the right and the bottom; and norms have PyTorch's default eps and momentum.

The mini has a width multiplier of 0.25 and reads 3x64x64.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.make_divisible import make_divisible

BLOCKS = (  # output channels and stride
    (64, 1),
    *((128, 2), (128, 1)),
    *((256, 2), (256, 1)),
    *((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)
LAST_BLOCKS = (2, 4, 10, 12)  # with strides 4, 8, 16 and 32


class DepthwiseSeparable(nn.Module):
    """A depthwise 3x3 convolution that filters each channel, and a pointwise 1x1 that combines them.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the depthwise convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.depthwise = ConvNormActivation(
            in_channels, in_channels, 3, stride, groups=in_channels, activation_layer=nn.ReLU6
        )
        self.pointwise = ConvNormActivation(in_channels, out_channels, activation_layer=nn.ReLU6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/stride, w/stride)."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


class MobileNetV1(nn.Module):
    """A full convolution, thirteen depthwise separable ones, global average pooling, and a dense layer.

    Args:
        width_mult: The paper's alpha, a factor for all numbers of channels.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 32. Divided by 224, it is the paper's rho.
    """

    def __init__(self, width_mult: float = 1.0, num_classes: int = 1000, image_size: int = 224):
        super().__init__()
        if not width_mult > 0:
            raise ValueError("width_mult must be above 0")
        if image_size < 32:
            raise ValueError("image_size must be 32 or more: five layers halve it")
        self.input_shape = (3, image_size, image_size)
        in_channels = make_divisible(32 * width_mult)
        self.stem = ConvNormActivation(3, in_channels, 3, stride=2, activation_layer=nn.ReLU6)
        blocks = []
        for channels, stride in BLOCKS:
            out_channels = make_divisible(channels * width_mult)
            blocks.append(DepthwiseSeparable(in_channels, out_channels, stride))
            in_channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.feature_channels = tuple(make_divisible(BLOCKS[k][0] * width_mult) for k in LAST_BLOCKS)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, num_classes)
        self.apply(initialize_weights)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the last maps at strides 4, 8, 16 and 32 for images (N, 3, h, w).

        `feature_channels` has their channels.
        """
        x, maps = self.stem(x), []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in LAST_BLOCKS:
                maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.fc(self.avgpool(self.blocks(self.stem(x))).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of timm's mobilenetv1_100, or of another width."""
        load_by_position(self, state_dict)


def reference_names() -> list[str]:
    """Return the state-dict keys of timm's mobilenetv1_100, in order: stages of 1, 2, 2, 6 and 2 blocks."""

    def norm(name: str) -> list[str]:
        return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]

    blocks = [f"blocks.{stage}.{k}" for stage, depth in enumerate((1, 2, 2, 6, 2)) for k in range(depth)]
    names = ["conv_stem.weight", *norm("bn1")]
    for block in blocks:
        names += [f"{block}.conv_dw.weight", *norm(f"{block}.bn1"), f"{block}.conv_pw.weight", *norm(f"{block}.bn2")]
    return [*names, "classifier.weight", "classifier.bias"]


def initialize_weights(layer: nn.Module) -> None:
    """Draw a layer's weights as in the authors' code: normal with standard deviation 0.09, truncated at twice that."""
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
    contribution=(
        "A convolution in two steps, a depthwise one that filters each channel and a 1x1 that combines them, at about "
        "a ninth of the cost."
    ),
    builds_on=("depthwise-separable",),
    network="MobileNetV1",
    names={"mobilenet-v1": dict(width_mult=1.0)},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"mobilenet-v1": 4_231_976},
    mini=dict(width_mult=0.25, num_classes=8, image_size=64),
    reference="timm",
)
