"""U-Net: Ronneberger, Fischer, Brox, Convolutional networks for biomedical images (arXiv:1505.04597).

An encoder halves maps and doubles channels; a decoder does the reverse, and at each level it reads the encoder's map
of that level, too, concatenated along channels. So the decoder has both what is in the image and where exactly it is.

For images of 1x572x572. Convolutions are 3x3 with ReLU and without padding, in pairs:

    level   encoder         after pooling   decoder: 2x2 transposed convolution, crop of the skip, pair
    1       64x568x568      64x284x284      64x392x392, crop 88, 64x388x388
    2       128x280x280     128x140x140     128x200x200, crop 40, 128x196x196
    3       256x136x136     256x68x68       256x104x104, crop 16, 256x100x100
    4       512x64x64       512x32x32       512x56x56, crop 4, 512x52x52
    5       1024x28x28
    output  1x1, 2 classes                  2x388x388
    total                                   31,030,658 parameters

The output lacks a margin of 92 pixels, whose context would be outside the image. The paper mirrors the image there. In
`unet-padded` convolutions have padding 1 and batch norm, so that the output has the size of the input: 31,042,434
parameters. Weights start as in the paper, with standard deviation sqrt(2 / fan-in). The minis have two and three
poolings, and read color images of 104x104 and 64x64.
"""

import torch
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions, each with ReLU and perhaps with batch norm before it.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of both convolutions.
        padding: 1, or 0 for an output that is smaller by 4.
        batch_norm: Whether there is batch norm.
    """

    def __init__(self, in_channels: int, out_channels: int, padding: int = 1, batch_norm: bool = True):
        layers: list[nn.Module] = []
        for channels in (in_channels, out_channels):
            layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=padding))
            if batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class UNet(nn.Module):
    """An encoder and a decoder with skip connections at each level.

    Args:
        in_channels: Channels of the image.
        num_classes: Number of classes.
        channels: Channels of the first level; each next level has twice as many.
        levels: Levels above the lowest one: the number of poolings.
        padding: Padding of the 3x3 convolutions: 1, or 0 as published.
        batch_norm: Whether convolutions are followed by batch norm.
        skips: Whether the decoder reads the encoder's maps. Without, it has half the input channels.
        image_size: Height and width of the image.
        dropout: Probability that a channel at the end of the encoder is dropped in a training step.

    Attributes:
        margin: Pixels at each edge of the image for which there are no logits.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 2,
        channels: int = 64,
        levels: int = 4,
        padding: int = 0,
        batch_norm: bool = False,
        skips: bool = True,
        image_size: int = 572,
        dropout: float = 0.5,
    ):
        super().__init__()
        check_size(image_size, levels, padding)
        self.input_shape = (in_channels, image_size, image_size)
        self.margin = 0 if padding else 6 * 2**levels - 4
        self.skips = skips
        widths = [channels * 2**level for level in range(levels + 1)]
        self.encoder = nn.ModuleList(
            DoubleConv(before, after, padding, batch_norm)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool, self.dropout = nn.MaxPool2d(2), nn.Dropout2d(dropout)
        self.upsample, self.decoder = nn.ModuleList(), nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.upsample.append(nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2))
            self.decoder.append(DoubleConv(width * (1 + skips), width, padding, batch_norm))
        self.output = nn.Conv2d(channels, num_classes, kernel_size=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, height - 2 margin, width - 2 margin) for images (N, in_channels, ...)."""
        maps: list[Tensor] = []
        for level, pair in enumerate(self.encoder):
            x = pair(self.pool(x) if level else x)
            maps.append(x)
        x = self.dropout(maps.pop())
        for upsample, pair in zip(self.upsample, self.decoder, strict=True):
            x, skip = upsample(x), maps.pop()
            x = pair(torch.cat([crop_center(skip, x), x], dim=1) if self.skips else x)
        logits: Tensor = self.output(x)
        return logits


def check_size(image_size: int, levels: int, padding: int) -> None:
    """Check that each pooling halves a map of even height and width.

    Raises:
        ValueError: If it doesn't.
    """
    size = image_size
    for _ in range(levels):
        size -= 0 if padding else 4
        if size < 2 or size % 2:
            raise ValueError(
                f"with image_size {image_size}, not each of {levels} poolings reads an even height and width"
            )
        size //= 2
    if not padding and size < 5:
        raise ValueError(f"image_size {image_size} leaves nothing for the convolutions of the lowest level")


def crop_center(maps: Tensor, other: Tensor) -> Tensor:
    """Return the middle of maps (N, channels, height, width), in the size of other ones."""
    top, left = ((size - of_other) // 2 for size, of_other in zip(maps.shape[2:], other.shape[2:], strict=True))
    return maps[:, :, top : top + other.shape[2], left : left + other.shape[3]]


FAMILY = dict(
    family="unet",
    year=2015,
    paper="arXiv:1505.04597",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution=(
        "The decoder reads the encoder's map at every level, so that it can be as wide as the encoder, and a network "
        "learns exact boundaries from a few images."
    ),
    builds_on=("fcn",),
    network="UNet",
    names={
        "unet": dict(),
        "unet-padded": dict(padding=1, batch_norm=True, image_size=256, dropout=0.0),
    },
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, rows, columns]"),
    sizes=dict(classes="num_classes"),
    params={"unet": 31_030_658, "unet-padded": 31_042_434},
    mini=dict(in_channels=3, num_classes=5, channels=8, levels=2, image_size=104, dropout=0.0),
    mini_overrides={"unet-padded": dict(levels=3, image_size=64)},
    recipe=dict(epochs=2, batch_size=16, schedule="one-cycle", lr=0.01),
    reference=None,
)
