"""Residual U-Net: Zhang, Liu, Wang, Road extraction by deep residual U-Net (arXiv:1711.10684, 2018).

A U-Net whose pairs of convolutions are residual units with pre-activation: batch norm and ReLU come before each
convolution, and a 1x1 convolution of the unit's input is added. Strides replace pooling. Both the shortcuts and the
skips carry gradients, so that a quarter of U-Net's parameters suffice.

For images of 3x224x224 and one class; all convolutions of units are 3x3:

    layer       output         stride   parameters
    encoder 1   64x224x224     1        39,104      no norm before its first convolution
    encoder 2   128x112x112    2        230,144
    encoder 3   256x56x56      2        919,040
    bridge      512x28x28      2        3,673,088
    decoder 3   256x56x56               2,558,720   reads 512 + 256 channels
    decoder 2   128x112x112             640,384     reads 256 + 128 channels
    decoder 1   64x224x224              160,448     reads 128 + 64 channels
    output      1x224x224               65          1x1
    total                               8,220,993

The paper says 7.8 million and leaves open what the shortcuts are: here, they are 1x1 convolutions with bias. Maps are
enlarged by repetition, and a single logit stands for two classes by a sigmoid; more classes have a logit each. The mini
reads 3x64x64.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualUnit(nn.Module):
    """Batch norm, ReLU and a 3x3 convolution, twice, and a 1x1 convolution of the input.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: 2 halves the height and the width.
        is_first: Whether its input is the image, which is not normalized.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, is_first: bool = False):
        super().__init__()
        self.norm1 = nn.Identity() if is_first else nn.Sequential(nn.BatchNorm2d(in_channels), nn.ReLU())
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
        self.norm2 = nn.Sequential(nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, out_channels, height / stride, width / stride) for maps (N, in_channels, height, width)."""
        residual, shortcut = self.conv2(self.norm2(self.conv1(self.norm1(x)))), self.shortcut(x)
        total: Tensor = residual + shortcut
        return total


class ResidualUNet(nn.Module):
    """An encoder and a decoder of residual units, with skip connections at each level.

    Args:
        in_channels: Channels of the image.
        num_classes: Number of output maps.
        channels: Channels of the first level; each next level has twice as many.
        levels: Levels above the bridge: halvings of height and width.
        image_size: Height and width of the image: a multiple of 2 ** levels.
    """

    def __init__(
        self, in_channels: int = 3, num_classes: int = 1, channels: int = 64, levels: int = 3, image_size: int = 224
    ):
        super().__init__()
        if image_size % 2**levels:
            raise ValueError(f"image_size must be a multiple of {2**levels}: each of {levels} strides halves it")
        self.input_shape = (in_channels, image_size, image_size)
        widths = [channels * 2**level for level in range(levels + 1)]
        self.encoder = nn.ModuleList([ResidualUnit(in_channels, channels, is_first=True)])
        self.encoder += [ResidualUnit(width // 2, width, stride=2) for width in widths[1:]]
        self.decoder = nn.ModuleList(ResidualUnit(3 * width, width) for width in reversed(widths[:-1]))
        self.output = nn.Conv2d(channels, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, image_size, image_size) for images (N, in_channels, ...)."""
        maps: list[Tensor] = []
        for unit in self.encoder:
            x = unit(x)
            maps.append(x)
        x = maps.pop()
        for unit in self.decoder:
            x = unit(torch.cat([F.interpolate(x, scale_factor=2), maps.pop()], dim=1))
        logits: Tensor = self.output(x)
        return logits


FAMILY = dict(
    family="residual-unet",
    year=2018,
    paper="arXiv:1711.10684",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution="Residual units in U-Net's levels: deep enough with a quarter of the parameters.",
    builds_on=("unet", "resnet"),
    network="ResidualUNet",
    names={"residual-unet": dict()},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, image_size, image_size]"),
    sizes=dict(classes="num_classes"),
    params={"residual-unet": 8_220_993},
    mini=dict(num_classes=5, channels=8, image_size=64),
    recipe=dict(epochs=2, batch_size=16, schedule="one-cycle", lr=0.01),
    reference=None,
)
