"""The sparse autoencoder: Ng, CS294A lecture notes, Sparse autoencoder (2011).

Few units of the code are active for any one image: a penalty on activations takes the place of a small code. So the
code may be as large as the image, or larger, and each unit stands for a feature that some images have.

    KL   weight * sum_j KL(rho || rho_j),   KL = rho ln(rho/rho_j) + (1 - rho) ln((1 - rho)/(1 - rho_j))
         rho_j is the mean activation of unit j over the batch; the penalty is 0 only if every rho_j is rho
    L1   weight * mean over the batch of sum_j |a_j|, which sets units of ReLU to exactly 0

KL needs activations from 0 to 1, so the units are sigmoids. It makes units rarely active *on average*; a batch should
be large, so that rho_j is not the mean of a few images.

The paper preset, 784-196-784, is that of the UFLDL tutorial's exercise on handwritten digits, with rho = 0.1, weight 3:

    layer      output    parameters
    encoder    196       784*196 + 196 = 153,860
    decoder    784       196*784 + 784 = 154,448
                               total     308,308

The exercise also has weight decay. The mini, 64-100-64 for images of 8x8, has more units than there are pixels.
"""

import torch
from torch import Tensor, nn

PENALTIES = ("kl", "l1")
ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def kl_sparsity(mean_activation: Tensor, rho: float) -> Tensor:
    """Return the sum over units of KL(rho || mean activation), for mean activations (units,) from 0 to 1."""
    q = mean_activation.clamp(1e-6, 1 - 1e-6)  # a unit that is never, or always, active has a finite penalty
    p = torch.full_like(q, rho)
    return (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).sum()


class SparseAutoencoder(nn.Module):
    """One hidden layer, the code, whose activations are penalized.

    Args:
        image_size: Height and width of the images.
        code_size: Units of the code.
        penalty: `kl` or `l1`.
        rho: Target of the mean activation of each unit, between 0 and 1; only of `kl`.
        sparsity_weight: Factor of the penalty; the reconstruction error is half the sum of squares of an image.
        activation: Activation of the code: `sigmoid` or, for `l1`, `relu`.
        in_channels: Channels of the images.
    """

    def __init__(
        self,
        image_size: int = 28,
        code_size: int = 196,
        penalty: str = "kl",
        rho: float = 0.1,
        sparsity_weight: float = 3.0,
        activation: str = "sigmoid",
        in_channels: int = 1,
    ):
        super().__init__()
        if min(image_size, code_size, in_channels) < 1:
            raise ValueError("image_size, code_size and in_channels must be 1 or more")
        if penalty not in PENALTIES:
            raise ValueError(f"penalty must be {' or '.join(PENALTIES)}")
        if activation not in ACTIVATIONS or (penalty == "kl" and activation != "sigmoid"):
            raise ValueError("activation must be sigmoid, or relu with the penalty l1: kl needs values from 0 to 1")
        if not 0 < rho < 1 or sparsity_weight < 0:
            raise ValueError("rho must be between 0 and 1, and sparsity_weight 0 or more")
        self.input_shape = (in_channels, image_size, image_size)
        self.code_shape = (code_size,)
        self.penalty, self.rho, self.sparsity_weight = penalty, rho, sparsity_weight
        pixels = in_channels * image_size**2
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, code_size), ACTIVATIONS[activation]())
        self.decoder = nn.Sequential(nn.Linear(code_size, pixels), nn.Sigmoid(), nn.Unflatten(1, self.input_shape))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (N, code_size), 0 or more, of images (N, in_channels, image_size, image_size)."""
        code: Tensor = self.encoder(x)
        return code

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (N, in_channels, image_size, image_size) of codes (N, code_size)."""
        image: Tensor = self.decoder(z)
        return image

    def sparsity(self, code: Tensor) -> Tensor:
        """Return the weighted penalty of the codes (N, code_size) of a batch."""
        penalty = kl_sparsity(code.mean(dim=0), self.rho) if self.penalty == "kl" else code.abs().sum(dim=1).mean()
        return self.sparsity_weight * penalty

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the `reconstruction` of images, in their shape, and their `code` (N, code_size)."""
        code = self.encode(x)
        return {"reconstruction": self.decode(code), "code": code}


FAMILY = dict(
    family="sparse-autoencoder",
    year=2011,
    paper="Ng, CS294A lecture notes, Stanford",
    topic="sparse-autoencoder",
    task="sparse-coding",
    contribution=(
        "A penalty keeps most units of the code inactive for any one image, so that even a code larger than the image "
        "learns distinct features."
    ),
    builds_on=("autoencoder",),
    network="SparseAutoencoder",
    names={
        "sparse-autoencoder": dict(image_size=28, code_size=196, penalty="kl", rho=0.1, sparsity_weight=3.0),
        "sparse-autoencoder-l1": dict(
            image_size=28, code_size=196, penalty="l1", activation="relu", sparsity_weight=0.1
        ),
    },
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(reconstruction="float32[in_channels, image_size, image_size]", code="float32[code_size]"),
    params={"sparse-autoencoder": 308_308, "sparse-autoencoder-l1": 308_308},
    mini=dict(image_size=8, code_size=100),
    mini_overrides={"sparse-autoencoder": dict(rho=0.05, sparsity_weight=0.1)},
    parts=dict(encoder=("encoder.",), decoder=("decoder.",)),
    recipe=dict(epochs=60, schedule="one-cycle", lr=0.03, batch_size=64),
    reference=None,
)
