"""Attention U-Net: Oktay et al., Attention U-Net: learning where to look for the pancreas (arXiv:1804.03999, 2018).

A U-Net whose skips pass a gate. The decoder's map g, coarse but aware of the whole image, says which pixels of the
encoder's map x matter: x is multiplied by a map of attention between 0 and 1,

    alpha = sigmoid(psi(ReLU(W_g g + W_x x)))     W_g, W_x and psi are 1x1 convolutions; alpha has one channel

so that irrelevant regions are suppressed without a network that crops them first.

For images of 3x256x256 and one class. Convolutions of the pairs are 3x3 with batch norm:

    level      encoder          decoder: 2x enlarged, 3x3; gate; pair
    1          64x256x256       64x256x256
    2          128x128x128      128x128x128
    3          256x64x64        256x64x64
    4          512x32x32        512x32x32
    5          1024x16x16
    output     1x1              1x256x256
    total      34,878,573 parameters, of which 351,532 are the gates'

The paper's network is three-dimensional. This is its common form for images, in which the decoder's map is enlarged
before the gate, so that g and x have one size. The mini has three levels above the lowest, and reads 3x64x64.
"""

import torch
from torch import Tensor, nn

from models.segmentation.unet import DoubleConv, check_size


class AttentionGate(nn.Module):
    """A map of attention for the encoder's map, from it and from the decoder's.

    Args:
        channels: Channels of both maps.
        hidden_size: Channels in which they are compared.
    """

    def __init__(self, channels: int, hidden_size: int):
        super().__init__()
        self.of_decoder = nn.Sequential(nn.Conv2d(channels, hidden_size, kernel_size=1), nn.BatchNorm2d(hidden_size))
        self.of_encoder = nn.Sequential(nn.Conv2d(channels, hidden_size, kernel_size=1), nn.BatchNorm2d(hidden_size))
        self.psi = nn.Sequential(nn.Conv2d(hidden_size, 1, kernel_size=1), nn.BatchNorm2d(1))

    def forward(self, decoder_map: Tensor, encoder_map: Tensor) -> Tensor:
        """Return the attention (N, 1, height, width), 0 to 1, for maps (N, channels, height, width)."""
        scores: Tensor = self.psi((self.of_decoder(decoder_map) + self.of_encoder(encoder_map)).relu())
        return scores.sigmoid()


class AttentionUNet(nn.Module):
    """A U-Net with padding, batch norm, and an attention gate in each skip connection.

    Args:
        in_channels: Channels of the image.
        num_classes: Number of output maps.
        channels: Channels of the first level; each next level has twice as many.
        levels: Levels above the lowest one: the number of poolings.
        image_size: Height and width of the image: a multiple of 2 ** levels.
    """

    def __init__(
        self, in_channels: int = 3, num_classes: int = 1, channels: int = 64, levels: int = 4, image_size: int = 256
    ):
        super().__init__()
        check_size(image_size, levels, padding=1)
        self.input_shape = (in_channels, image_size, image_size)
        widths = [channels * 2**level for level in range(levels + 1)]
        self.encoder = nn.ModuleList(
            DoubleConv(before, after) for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.upsample, self.gates, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.upsample.append(
                nn.Sequential(
                    nn.Upsample(scale_factor=2),
                    nn.Conv2d(2 * width, width, kernel_size=3, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                )
            )
            self.gates.append(AttentionGate(width, width // 2))
            self.decoder.append(DoubleConv(2 * width, width))
        self.output = nn.Conv2d(channels, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, image_size, image_size) for images (N, in_channels, ...)."""
        maps: list[Tensor] = []
        for level, pair in enumerate(self.encoder):
            x = pair(self.pool(x) if level else x)
            maps.append(x)
        x = maps.pop()
        for upsample, gate, pair in zip(self.upsample, self.gates, self.decoder, strict=True):
            x, skip = upsample(x), maps.pop()
            x = pair(torch.cat([gate(x, skip) * skip, x], dim=1))
        logits: Tensor = self.output(x)
        return logits


FAMILY = dict(
    family="attention-unet",
    year=2018,
    paper="arXiv:1804.03999",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution="A gate in each skip of U-Net: the decoder's coarse map decides which pixels of the encoder's matter.",
    builds_on=("unet",),
    network="AttentionUNet",
    names={"attention-unet": dict()},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, image_size, image_size]"),
    sizes=dict(classes="num_classes"),
    params={"attention-unet": 34_878_573},
    mini=dict(num_classes=5, channels=8, levels=3, image_size=64),
    recipe=dict(epochs=2, batch_size=16, schedule="one-cycle", lr=0.01),
    reference=None,
)
