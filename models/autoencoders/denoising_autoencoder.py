"""The denoising autoencoder: Vincent, Larochelle, Bengio, Manzagol, Extracting robust features (2008).

The input is corrupted, the target is clean: the loss compares g(f(x~)) with x, where x~ is x with noise. A copy of the
input is then no solution, so the code may be larger than the image; the network must learn what images look like to
undo the noise. The noise is drawn again in every step.

    noise             x~                                                          level
    gaussian          x + level * N(0, 1)                                         standard deviation
    salt-and-pepper   a share of the pixels is 0 or 1, each with probability 1/2  the share
    masking           a share of the pixels is 0                                  the share

The paper uses masking; Vincent et al. (2010) compare all three. The network is a convolutional autoencoder, strided,
with a code of 32x7x7 = 1,568 numbers for 784 pixels (see `conv_autoencoder.py` for the table):

    1x28x28 -> 16x14x14 -> 32x7x7 -> 16x14x14 -> 1x28x28      6,929 parameters

The mini reads 1x8x8, and has a code of 64x2x2 = 256 numbers.
"""

import torch
from torch import Tensor

from models.autoencoders.conv_autoencoder import ConvAutoencoder

NOISES = ("gaussian", "salt-and-pepper", "masking")


def corrupt(x: Tensor, noise: str, level: float, generator: torch.Generator) -> Tensor:
    """Return images with noise.

    Args:
        x: Images (N, channels, height, width), from 0 to 1.
        noise: `gaussian`, `salt-and-pepper` or `masking`.
        level: Standard deviation of Gaussian noise, or the share of the pixels that are replaced.
        generator: The RNG, on the CPU.
    """
    if noise == "gaussian":
        return x + level * torch.randn(x.shape, generator=generator).to(x)
    uniform = torch.rand(len(x), 1, *x.shape[2:], generator=generator).to(x.device)  # a pixel has one, all channels
    replaced = uniform < level
    if noise == "masking":
        return torch.where(replaced, 0.0, x)
    if noise == "salt-and-pepper":
        return torch.where(replaced, (uniform < level / 2).to(x), x)
    raise ValueError(f"noise must be {', '.join(NOISES)}")


class DenoisingAutoencoder(ConvAutoencoder):
    """A strided convolutional autoencoder; corrupted inputs, in training, make it a denoising one.

    Args:
        image_size: Height and width of the images; divisible by 2 for each stage.
        channels: Channels after each stage of the encoder; the last are those of the code.
        form: `strided` or `pooling`.
        in_channels: Channels of the images.
    """


FAMILY = dict(
    family="denoising-autoencoder",
    year=2008,
    paper="Vincent, Larochelle, Bengio, Manzagol, ICML 2008",
    topic="denoising-autoencoder",
    task="denoising",
    contribution=(
        "The input is corrupted and the target is clean: even a code larger than the input can't just copy it, and "
        "learns features that noise doesn't change."
    ),
    builds_on=("autoencoder",),
    network="DenoisingAutoencoder",
    names={"denoising-autoencoder": dict(image_size=28, channels=(16, 32))},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(reconstruction="float32[in_channels, image_size, image_size]"),
    params={"denoising-autoencoder": 6_929},
    mini=dict(image_size=8, channels=(32, 64)),
    parts=dict(encoder=("encoder.",), decoder=("decoder.",)),
    recipe=dict(epochs=40, schedule="one-cycle", lr=0.005, batch_size=64),
    reference=None,
)
