"""Claims about autoencoders: losses and latents."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims import small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import NonInferior
from workbench.claims.evidence import Evidence, near, true

if TYPE_CHECKING:
    from torch import Tensor


def gaussian_likelihood(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F
    from torch.distributions import Normal

    torch.manual_seed(seed)
    x = torch.rand(16, 64, dtype=torch.double)
    first, second = (torch.rand_like(x).requires_grad_() for _ in range(2))

    def nll(output: "Tensor") -> "Tensor":
        negative: Tensor = -Normal(output, 1.0).log_prob(x)
        return negative.mean()

    difference = nll(first) - nll(second)
    halves = (F.mse_loss(first, x) - F.mse_loss(second, x)) / 2
    yield near(
        "difference of two outputs in Gaussian log-likelihood, and half of that in MSE",
        difference.item(),
        halves.item(),
        1e-12,
    )
    (gradient,) = torch.autograd.grad(nll(first), first)
    (mse_gradient,) = torch.autograd.grad(F.mse_loss(first, x), first)
    yield near("gradient of the Gaussian loss, and half of that of MSE", gradient, mse_gradient / 2, 1e-12)
    # Binary cross-entropy is another choice for values from 0 to 1, and is smallest for the same output.
    (bce_gradient,) = torch.autograd.grad(F.binary_cross_entropy(exact := x.clone().requires_grad_(), x), exact)
    yield near("gradient of binary cross-entropy at the output x, and 0", bce_gradient, torch.zeros_like(x), 1e-9)


AE_MSE_RECONSTRUCTION = Exact(
    id="ae-mse-reconstruction",
    statement=(
        "MSE as reconstruction loss is the negative log-likelihood of pixels with Gaussian noise, up to a factor and a "
        "constant."
    ),
    topic="autoencoder",
    evidence=gaussian_likelihood,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 14.4",
    note="One choice among several: binary cross-entropy is used for pixels from 0 to 1, and has the same minimum.",
)


def denoising_error(seed: int, *, latent_size: int) -> float:
    """Return 1000 times the test MSE of a denoising autoencoder on digits.

    It has one hidden layer, its latent, with ReLU, and is trained for 400 steps of Adam to remove Gaussian noise with a
    standard deviation of 0.4. Without a latent (0) it is the identity.
    """
    import torch
    import torch.nn.functional as F
    from torch import nn

    splits = small_networks.digits(seed)
    training, test = splits.training.images.flatten(1), splits.test.images.flatten(1)
    generator = torch.Generator().manual_seed(seed)
    noisy_test = test + 0.4 * torch.randn(test.shape, generator=generator)
    if not latent_size:
        return 1000 * F.mse_loss(noisy_test, test).item()
    network = nn.Sequential(nn.Linear(64, latent_size), nn.ReLU(), nn.Linear(latent_size, 64))
    small_networks.initialize(network, seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003, fused=True)
    for _ in range(400):
        batch = training[torch.randint(len(training), (64,), generator=generator)]
        optimizer.zero_grad()
        F.mse_loss(network(batch + 0.4 * torch.randn(batch.shape, generator=generator)), batch).backward()
        optimizer.step()
    with torch.no_grad():
        return 1000 * F.mse_loss(network(noisy_test), test).item()


AE_LATENT_SMALLER = Empirical(
    id="ae-latent-smaller",
    statement=(
        "An autoencoder learns only to copy unless its latent is smaller than the input: trained to remove noise, one "
        "with 256 latent values for 64 pixels has at most 0.02 less error than a copy."
    ),
    topic="autoencoder",
    arms=dict(overcomplete=trial(denoising_error, latent_size=256), copy=trial(denoising_error, latent_size=0)),
    measure="thousandths of MSE",
    decider=NonInferior(margin=20.0, unit="thousandths of MSE"),
    expected="does_not_hold",
    source="Goodfellow, Bengio, Courville, Deep Learning (2016), sections 14.1 to 14.2",
    note=(
        "Only an undercomplete autoencoder has a smaller latent. Sparse, denoising and contractive ones may have a "
        "larger one, because another term keeps them from copying."
    ),
)


def identity_of_overcomplete(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    x = torch.randn(32, 8, dtype=torch.double)
    encoder, decoder = nn.Linear(8, 16, bias=False).double(), nn.Linear(16, 8, bias=False).double()
    with torch.no_grad():
        encoder.weight.copy_(torch.cat([torch.eye(8), -torch.eye(8)]))
        decoder.weight.copy_(encoder.weight.T)
        yield near(
            "input, and output of an autoencoder with ReLU and twice as many latent values",
            decoder(encoder(x).relu()),
            x,
            1e-12,
        )
        narrow = torch.linalg.svdvals(x)[4:].square().sum() / x.numel()
    yield true("any linear one with 4 latent values loses something", bool(narrow > 1e-3), f"MSE at least {narrow:.3g}")


OVERCOMPLETE_COPIES = Exact(
    id="overcomplete-autoencoder-copies",
    statement=(
        "An autoencoder with ReLU and twice as many latent values as inputs can copy every input exactly, so without "
        "noise or a penalty it need not learn anything."
    ),
    topic="autoencoder",
    evidence=identity_of_overcomplete,
    expected="holds",
    note="Derivation: relu(x) - relu(-x) = x.",
)


def kl_of_gaussians(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.distributions import Normal, kl_divergence

    torch.manual_seed(seed)
    mean, log_variance = torch.randn(4, dtype=torch.double), torch.randn(4, dtype=torch.double)
    formula = -0.5 * (1 + log_variance - mean.square() - log_variance.exp())
    posterior, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(4).double(), 1.0)
    yield near("closed form and torch.distributions", formula, kl_divergence(posterior, prior), 1e-12)
    z = posterior.sample((200_000,))
    estimate = posterior.log_prob(z) - prior.log_prob(z)
    error = float(5 * estimate.std(dim=0).max() / np.sqrt(len(z)))  # five standard errors
    yield near("closed form and the mean over 200,000 samples", formula, estimate.mean(dim=0), error)


VAE_KL_FORMULA = Exact(
    id="vae-kl-formula",
    statement="The KL divergence of N(mu, sigma²) from N(0, 1) is (mu² + sigma² - 1 - ln sigma²)/2 per latent value.",
    topic="vae",
    evidence=kl_of_gaussians,
    expected="holds",
    source="Kingma, Welling, Auto-encoding variational Bayes (2013), appendix B",
)
