"""The variational autoencoder: Kingma, Welling, Auto-encoding variational Bayes (2013).

The encoder returns a distribution of codes for an image, N(mean, variance), and the loss draws it toward the prior
N(0, 1): codes drawn from the prior then decode to new images. A sampled code is written as

    z = mean + exp(log_variance / 2) * epsilon,   epsilon ~ N(0, 1)

so that gradients pass through the mean and the variance, and only epsilon is random (reparametrization). The evidence
lower bound (ELBO), in nats per image, is maximized:

    log p(x) >= E[log p(x | z)] - KL(N(mean, variance) || N(0, 1))
    KL = -1/2 sum_j (1 + log_variance_j - mean_j^2 - exp(log_variance_j))

The reconstruction term is a sum over pixels, not a mean: averaged, it would be too small next to KL, and the codes
would carry nothing. `beta` is the factor of KL (Higgins et al. 2017); only 1 is the ELBO.

The paper preset, 784-400-20, with the sizes of PyTorch's example (the paper has 500 hidden units for digits):

    layer            output    parameters
    hidden           400       784*400 + 400 = 314,000
    mean             20        400*20  +  20 =   8,020
    log_variance     20        400*20  +  20 =   8,020
    decoder.0        400       20*400  + 400 =   8,400
    decoder.2        784       400*784 + 784 = 314,384
                                       total   652,824

The mini, 64-128-2 for images of 8x8, has a code of two numbers: a plane, in which one can walk.
"""

import torch
from torch import Tensor, nn


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, exp(log_variance)) || N(0, 1)) of each sample (N,), in nats, for codes (N, code_size)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)


def reparametrize(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    """Return codes of N(mean, exp(log_variance)) as a function of epsilon, a sample of N(0, 1); all (N, code_size)."""
    return mean + (log_variance / 2).exp() * epsilon


class VAE(nn.Module):
    """A dense encoder to the mean and the logarithm of the variance of the code, and a dense decoder.

    Args:
        image_size: Height and width of the images.
        hidden_size: Neurons of the hidden layers.
        code_size: Numbers of the code.
        beta: Factor of the KL divergence in the loss.
        in_channels: Channels of the images.
    """

    def __init__(
        self,
        image_size: int = 28,
        hidden_size: int = 400,
        code_size: int = 20,
        beta: float = 1.0,
        in_channels: int = 1,
    ):
        super().__init__()
        if min(image_size, hidden_size, code_size, in_channels) < 1 or beta < 0:
            raise ValueError("image_size, hidden_size, code_size and in_channels must be 1 or more, beta 0 or more")
        self.input_shape = (in_channels, image_size, image_size)
        self.code_shape = (code_size,)
        self.beta = beta
        pixels = in_channels * image_size**2
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden_size), nn.ReLU())
        self.mean = nn.Linear(hidden_size, code_size)
        self.log_variance = nn.Linear(hidden_size, code_size)
        self.decoder = nn.Sequential(
            nn.Linear(code_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, pixels),
            nn.Sigmoid(),
            nn.Unflatten(1, self.input_shape),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the logarithm of the variance of the codes (N, code_size) of images."""
        hidden = self.hidden(x)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (N, in_channels, image_size, image_size) of codes (N, code_size).

        A pixel is the probability that it is 1.
        """
        image: Tensor = self.decoder(z)
        return image

    def forward(self, x: Tensor, epsilon: Tensor | None = None) -> dict[str, Tensor]:
        """Return the `reconstruction` of images, and the `mean` and `log_variance` of their codes.

        Args:
            x: Images (N, in_channels, image_size, image_size).
            epsilon: A sample of N(0, 1) (N, code_size). By default, it is drawn in training, and 0 in evaluation.
        """
        mean, log_variance = self.encode(x)
        if epsilon is None:
            epsilon = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        z = reparametrize(mean, log_variance, epsilon)
        return {"reconstruction": self.decode(z), "mean": mean, "log_variance": log_variance}


FAMILY = dict(
    family="vae",
    year=2013,
    paper="Kingma, Welling, arXiv:1312.6114",
    topic="vae",
    task="generation",
    contribution=(
        "The encoder returns a distribution of codes that is drawn toward a prior, so that codes from the prior decode "
        "to new images; reparametrization lets gradients pass through the sampling."
    ),
    builds_on=("autoencoder",),
    network="VAE",
    names={"vae": dict(image_size=28, hidden_size=400, code_size=20)},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(
        reconstruction="float32[in_channels, image_size, image_size]",
        mean="float32[code_size]",
        log_variance="float32[code_size]",
    ),
    params={"vae": 652_824},
    mini=dict(image_size=8, hidden_size=128, code_size=2),
    parts=dict(encoder=("hidden.", "mean.", "log_variance."), decoder=("decoder.",)),
    recipe=dict(epochs=80, schedule="one-cycle", lr=0.01, batch_size=64),
    reference=None,
)
