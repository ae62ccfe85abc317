"""The convolutional autoencoder: Masci, Meier, Ciresan, Schmidhuber, Stacked convolutional auto-encoders (2011).

The encoder halves the maps at each stage, and the decoder doubles them. Filters that are the same at every position
keep the layout of the image in the code, with few weights. How maps become smaller and larger is a choice:

    form       stage of the encoder                stage of the decoder
    strided    convolution 3x3, stride 2           transposed convolution 2x2, stride 2
    pooling    convolution 3x3, max pooling 2x2    nearest-neighbor up-sampling, convolution 3x3

The paper uses max pooling. A transposed convolution whose stride doesn't divide its kernel size overlaps unevenly and
draws checkerboards; 2x2 at stride 2 doesn't overlap, and up-sampling avoids the problem.

The paper gives no standard size. The sizes here, channels 1-16-32 for images of 28x28:

    part      layer        output      strided                    pooling
    encoder   stage 1      16x14x14    16*(1*9 + 1)   =   160     16*(1*9 + 1)   =   160
              stage 2      32x7x7      32*(16*9 + 1)  = 4,640     32*(16*9 + 1)  = 4,640
    decoder   stage 1      16x14x14    16*(32*4) + 16 = 2,064     16*(32*9 + 1)  = 4,624
              stage 2      1x28x28     1*(16*4) + 1   =    65     1*(16*9 + 1)   =   145
                                                total   6,929                      9,569

A code of 32x7x7 = 1,568 numbers is larger than the image with its 784 pixels: two stages save weights, not numbers. For
a bottleneck, add stages or end in fewer channels. The mini has three stages, from 1x8x8 to a code of 8x1x1.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

FORMS = ("strided", "pooling")


def downward(in_channels: int, out_channels: int, form: str) -> list[nn.Module]:
    """Return layers that halve the height and the width."""
    if form == "strided":
        return [nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)]
    return [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.MaxPool2d(2)]


def upward(in_channels: int, out_channels: int, form: str) -> list[nn.Module]:
    """Return layers that double the height and the width."""
    if form == "strided":
        return [nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1)]


class ConvAutoencoder(nn.Module):
    """Stages that halve the maps down to the code, and stages that double them, with ReLU between them.

    Args:
        image_size: Height and width of the images; divisible by 2 for each stage.
        channels: Channels after each stage of the encoder; the last are those of the code.
        form: `strided` or `pooling`.
        in_channels: Channels of the images.
    """

    def __init__(
        self, image_size: int = 28, channels: Sequence[int] = (16, 32), form: str = "strided", in_channels: int = 1
    ):
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form must be {' or '.join(FORMS)}")
        if not channels or min(in_channels, *channels) < 1:
            raise ValueError("in_channels and each of channels must be 1 or more, with at least one stage")
        if image_size < 1 or image_size % 2 ** len(channels):
            raise ValueError(f"image_size must be a multiple of {2 ** len(channels)}: each stage halves the maps")
        self.input_shape = (in_channels, image_size, image_size)
        code_size = image_size // 2 ** len(channels)
        self.code_shape = (channels[-1], code_size, code_size)
        stages = list(pairwise((in_channels, *channels)))
        encoder = [layer for size in stages for layer in (*downward(*size, form), nn.ReLU())]
        decoder = [layer for size in stages[::-1] for layer in (*upward(*size[::-1], form), nn.ReLU())]
        self.encoder = nn.Sequential(*encoder[:-1])  # the code is linear, so it can be any number
        self.decoder = nn.Sequential(*decoder[:-1], nn.Sigmoid())  # pixels are from 0 to 1

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (N, *code_shape) of images (N, in_channels, image_size, image_size)."""
        code: Tensor = self.encoder(x)
        return code

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (N, in_channels, image_size, image_size) of codes (N, *code_shape)."""
        image: Tensor = self.decoder(z)
        return image

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions of images, in their shape."""
        return self.decode(self.encode(x))


FAMILY = dict(
    family="conv-autoencoder",
    year=2011,
    paper="Masci, Meier, Ciresan, Schmidhuber, ICANN 2011",
    topic="autoencoder",
    task="reconstruction",
    contribution=(
        "Convolutions and pooling instead of dense layers: features that are the same at every position, and codes "
        "that keep the layout of the image."
    ),
    builds_on=("autoencoder", "lenet5"),
    network="ConvAutoencoder",
    names={
        "conv-autoencoder": dict(image_size=28, channels=(16, 32), form="strided"),
        "conv-autoencoder-pooling": dict(image_size=28, channels=(16, 32), form="pooling"),
    },
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(reconstruction="float32[in_channels, image_size, image_size]"),
    params={"conv-autoencoder": 6_929, "conv-autoencoder-pooling": 9_569},
    mini=dict(image_size=8, channels=(32, 64, 8)),
    parts=dict(encoder=("encoder.",), decoder=("decoder.",)),
    recipe=dict(epochs=60, schedule="one-cycle", lr=0.005, batch_size=64),
    reference=None,
)
