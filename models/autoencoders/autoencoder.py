"""The autoencoder: Hinton, Salakhutdinov, Reducing the dimensionality of data with neural networks (2006).

An encoder maps an image to a code of a few numbers, and a decoder maps the code back to an image. Trained to reproduce
its input, the network needs no labels: the small code leaves no room for a copy, so it must describe what images have
in common.

The paper preset, 784-1000-500-250-30 and back:

    part      layers                       parameters
    encoder   784-1000, sigmoid            784*1000 + 1000 =   785,000
              1000-500, sigmoid            1000*500 +  500 =   500,500
              500-250, sigmoid              500*250 +  250 =   125,250
              250-30                         250*30 +   30 =     7,530
    decoder   30-250, sigmoid                30*250 +  250 =     7,750
              250-500, sigmoid              250*500 +  500 =   125,500
              500-1000, sigmoid            500*1000 + 1000 =   501,000
              1000-784, sigmoid            1000*784 +  784 =   784,784
                                                     total   2,837,314

The paper pre-trained each layer as a restricted Boltzmann machine, because gradients from random initial weights hardly
reach the first of four sigmoid layers. The mini, 64-128-64-8 and back for images of 8x8, has GELU instead, which needs
no pre-training. A smaller network that is common today is `hidden_sizes=(128,), code_size=32, activation="relu"`:
784-128-32-128-784, with 209,968 parameters.

The code is linear, so it can be any number. With `activation="identity"`, the whole network is linear: at its best, it
projects images onto the subspace of their first principal components (Baldi, Hornik 1989).
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


def dense(sizes: Sequence[int], activation: type[nn.Module]) -> list[nn.Module]:
    """Return dense layers of these sizes with activations between them; the last one is linear."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return layers[:-1]


class Autoencoder(nn.Module):
    """Dense layers that become smaller down to the code, and the same ones in reverse.

    Args:
        image_size: Height and width of the images.
        hidden_sizes: Neurons of each hidden layer of the encoder; the decoder has them in reverse.
        code_size: Numbers of the code.
        activation: `sigmoid`, `tanh`, `relu` or `gelu`; `identity` makes the whole network linear.
        in_channels: Channels of the images.
    """

    def __init__(
        self,
        image_size: int = 28,
        hidden_sizes: Sequence[int] = (1000, 500, 250),
        code_size: int = 30,
        activation: str = "sigmoid",
        in_channels: int = 1,
    ):
        super().__init__()
        if min(image_size, code_size, in_channels, *hidden_sizes) < 1:
            raise ValueError("image_size, code_size, in_channels and each of hidden_sizes must be 1 or more")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be {', '.join(ACTIVATIONS)}")
        self.input_shape = (in_channels, image_size, image_size)
        self.code_shape = (code_size,)
        sizes = (in_channels * image_size**2, *hidden_sizes, code_size)
        kind = ACTIVATIONS[activation]
        self.encoder = nn.Sequential(nn.Flatten(), *dense(sizes, kind))
        self.decoder = nn.Sequential(
            *dense(sizes[::-1], kind),
            nn.Identity() if activation == "identity" else nn.Sigmoid(),  # pixels are from 0 to 1
            nn.Unflatten(1, self.input_shape),
        )

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (N, code_size) of images (N, in_channels, image_size, image_size)."""
        code: Tensor = self.encoder(x)
        return code

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (N, in_channels, image_size, image_size) of codes (N, code_size)."""
        image: Tensor = self.decoder(z)
        return image

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions of images, in their shape."""
        return self.decode(self.encode(x))


FAMILY = dict(
    family="autoencoder",
    year=2006,
    paper="Hinton, Salakhutdinov, Science 313",
    topic="autoencoder",
    task="reconstruction",
    contribution=(
        "A deep encoder and decoder, fine-tuned together by back-propagation to reproduce the input, compress images "
        "into far fewer numbers, with less error than principal component analysis."
    ),
    builds_on=("mlp",),
    network="Autoencoder",
    names={"autoencoder": dict(image_size=28, hidden_sizes=(1000, 500, 250), code_size=30)},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(reconstruction="float32[in_channels, image_size, image_size]"),
    params={"autoencoder": 2_837_314},
    mini=dict(image_size=8, hidden_sizes=(128, 64), code_size=8, activation="gelu"),
    parts=dict(encoder=("encoder.",), decoder=("decoder.",)),
    recipe=dict(epochs=60, schedule="one-cycle", lr=0.005, batch_size=64),
    reference=None,
)
