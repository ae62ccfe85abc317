"""Claims about denoising, sparse and variational autoencoders that are trained."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.claims import autoencoders, small_networks
from workbench.claims.arms import TrialArm, trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired

if TYPE_CHECKING:
    from torch import Tensor, nn

MSE = "thousandths of MSE"
LEVELS = {"gaussian": 0.4, "salt-and-pepper": 0.3, "masking": 0.5}  # as in the tasks of denoising


def denoised_psnr(seed: int, *, method: str, noise: str, level: float) -> float:
    """Return the PSNR in dB of noisy test digits after denoising.

    Args:
        seed: Seed of the split, the training and the noise.
        method: `autoencoder`; `pca`, a projection with the number of components that is best on the validation set;
            `copy`, the noisy image.
        noise: `gaussian`, `salt-and-pepper` or `masking`.
        level: Standard deviation of Gaussian noise, or the share of the pixels that are replaced.
    """
    import torch

    from models.autoencoders.denoising_autoencoder import corrupt

    splits = small_networks.digits(seed)
    training, validation, test = (split.images for split in splits)
    generator = torch.Generator().manual_seed(seed + 1)
    noisy_validation, noisy = (corrupt(images, noise, level, generator) for images in (validation, test))
    if method == "copy":
        error = 1000 * float((noisy - test).square().mean())
    elif method == "pca":
        counts = (2, 4, 8, 16, 32, 64)
        errors = [autoencoders.pca_error(training, validation, count, noisy_validation) for count in counts]
        error = autoencoders.pca_error(training, test, counts[int(np.argmin(errors))], noisy)
    else:
        network = autoencoders.build(seed, "denoising-autoencoder")
        autoencoders.fit(
            network, training, seed, steps=500, corrupt=lambda batch, rng: corrupt(batch, noise, level, rng)
        )
        error = autoencoders.mse(network, noisy, test)
    return -10 * float(np.log10(error / 1000))


def against_copy(noise: str) -> dict[str, TrialArm]:
    """Return a denoising autoencoder and a copy of the noisy image as arms."""
    return {
        name: trial(denoised_psnr, method=name, noise=noise, level=LEVELS[noise]) for name in ("autoencoder", "copy")
    }


DAE_GAUSSIAN = Empirical(
    id="dae-removes-gaussian-noise",
    statement="A denoising autoencoder improves the PSNR of digits with Gaussian noise of deviation 0.4 by 3 dB.",
    source="Vincent et al., Stacked denoising autoencoders (2010)",
    topic="denoising-autoencoder",
    arms=against_copy("gaussian"),
    control=dict(level=0.04),
    measure="PSNR in dB",
    decider=Paired(min_effect=3.0, unit="dB"),
    expected="holds",
)

DAE_SALT_AND_PEPPER = Empirical(
    id="dae-removes-salt-and-pepper-noise",
    statement="A denoising autoencoder improves the PSNR of digits with 30% of salt-and-pepper noise by 3 dB.",
    source="Vincent et al., Stacked denoising autoencoders (2010)",
    topic="denoising-autoencoder",
    arms=against_copy("salt-and-pepper"),
    control=dict(level=0.03),
    measure="PSNR in dB",
    decider=Paired(min_effect=3.0, unit="dB"),
    expected="holds",
)

DAE_MASKING = Empirical(
    id="dae-removes-masking-noise",
    statement="A denoising autoencoder improves the PSNR of digits of which 50% of the pixels are masked by 3 dB.",
    source="Vincent et al., Extracting and composing robust features (2008)",
    topic="denoising-autoencoder",
    arms=against_copy("masking"),
    control=dict(level=0.05),
    measure="PSNR in dB",
    decider=Paired(min_effect=3.0, unit="dB"),
    expected="holds",
)

DAE_REMOVES_NOISE = Empirical(
    id="dae-removes-noise",
    statement=(
        "A denoising autoencoder removes Gaussian noise of deviation 0.4 from digits better than the best projection "
        "of PCA, by at least 0.5 dB."
    ),
    topic="denoising-autoencoder",
    arms={name: trial(denoised_psnr, method=name, noise="gaussian", level=0.4) for name in ("autoencoder", "pca")},
    measure="PSNR in dB",
    decider=Paired(min_effect=0.5, unit="dB"),
    expected="holds",
    source="Vincent et al., Extracting and composing robust features with denoising autoencoders (2008)",
    note="A projection removes the noise outside its subspace only; an autoencoder may depend on the image.",
)


def noisy_accuracy(seed: int, *, is_denoising: bool) -> float:
    """Return the accuracy, in points, on noisy digits of a linear classifier of codes that was fitted on clean ones."""
    import torch

    from models.autoencoders.denoising_autoencoder import corrupt

    splits = small_networks.digits(seed)
    network = autoencoders.build(seed, "denoising-autoencoder")
    noise = (lambda batch, rng: corrupt(batch, "gaussian", 0.4, rng)) if is_denoising else None
    autoencoders.fit(network, splits.training.images, seed, steps=500, corrupt=noise)
    noisy = corrupt(splits.test.images, "gaussian", 0.4, torch.Generator().manual_seed(seed + 1))
    training, test = (autoencoders.codes(network, images) for images in (splits.training.images, noisy))
    return autoencoders.probe_accuracy(training, splits.training.labels, test, splits.test.labels)


DAE_ROBUST_FEATURES = Empirical(
    id="dae-features-resist-noise",
    statement=(
        "The codes of a denoising autoencoder resist noise: a linear classifier of clean codes is at least 5 points "
        "more accurate on noisy digits than with an autoencoder that was trained without noise."
    ),
    topic="denoising-autoencoder",
    arms={name: trial(noisy_accuracy, is_denoising=name == "denoising") for name in ("denoising", "plain")},
    measure="accuracy in points",
    decider=Paired(min_effect=5.0, unit="points"),
    expected="holds",
    source="Vincent et al., Extracting and composing robust features with denoising autoencoders (2008)",
)


def sparse_code(seed: int, *, weight: float, rho: float = 0.05, train_samples: int = 597) -> dict[str, float]:
    """Return what a sparse autoencoder of 100 units has learned of digits.

    Args:
        seed: Seed of the split and the training.
        weight: Factor of the KL penalty; 0 for none.
        rho: Target of the mean activations.
        train_samples: Number of training images.
    """
    from models.autoencoders.sparse_autoencoder import kl_sparsity

    splits = small_networks.digits(seed, train_samples)
    training, test = splits.training, splits.test
    network = autoencoders.build(seed, "sparse-autoencoder")
    autoencoders.fit(
        network,
        training.images,
        seed,
        steps=1500,
        lr=0.01,
        penalty=(lambda code: weight * kl_sparsity(code.mean(dim=0), rho)) if weight else None,
    )
    inputs = [autoencoders.codes(network, split.images) for split in (training, test)]
    gap = autoencoders.mse(network, test.images) - autoencoders.mse(network, training.images)
    return {
        "inactive units in percent": 100 * float((inputs[1] < 0.1).mean()),
        "accuracy in points": autoencoders.probe_accuracy(inputs[0], training.labels, inputs[1], test.labels),
        MSE: gap,
    }


SPARSE = trial(sparse_code, weight=0.1)
DENSE = SPARSE.changed(dict(weight=0.0))

SPARSE_AE_KL = Empirical(
    id="sparse-ae-kl",
    statement="A KL penalty makes codes sparse: at least 20% more of the 100 units are below 0.1 for a digit.",
    topic="sparse-autoencoder",
    arms=dict(penalized=SPARSE, plain=DENSE),
    control=dict(rho=0.5),
    measure="inactive units in percent",
    decider=Paired(min_effect=20.0, unit="points"),
    expected="holds",
    source="Ng, CS294A lecture notes, Sparse autoencoder (2011)",
    note="With a target of 0.5, the control, the same penalty makes units active half of the time.",
)

SPARSE_AE_FEATURES = Empirical(
    id="sparse-ae-better-features",
    statement="A sparse code of 100 units is better for a linear classifier of digits than a dense one, by 1 point.",
    topic="sparse-autoencoder",
    arms=dict(penalized=SPARSE, plain=DENSE),
    measure="accuracy in points",
    decider=Paired(min_effect=1.0, unit="points"),
    expected="inconclusive",
    note="Units that are active for few images are distinct features, but a linear classifier may use others as well.",
)

SPARSE_AE_MEMORIZES_LESS = Empirical(
    id="sparse-ae-memorizes-less",
    statement=(
        "Sparsity limits memorization: with 50 training images, the gap between test and training error is at least "
        "0.005 smaller with the KL penalty."
    ),
    topic="sparse-autoencoder",
    arms=dict(plain=DENSE.changed(dict(train_samples=50)), penalized=SPARSE.changed(dict(train_samples=50))),
    measure=MSE,
    decider=Paired(min_effect=5.0, unit=MSE),
    expected="holds",
    note=(
        "The penalty limits how much of a code is active for an image, not how closely the weights fit 50 images: here "
        "the gap grows with it."
    ),
)


def sample_distance(seed: int, *, kind: str, is_fitted: bool = False) -> float:
    """Return the Fréchet distance of generated digits from test digits, in the space of their first 20 components.

    Args:
        seed: Seed of the split, the training and the samples.
        kind: `vae`, or `autoencoder`, both with a code of 8 numbers; `real` for training digits.
        is_fitted: Whether codes are drawn from a Gaussian that is fitted to the training codes, not from N(0, 1).
    """
    import torch

    splits = small_networks.digits(seed)
    training, test = splits.training.images, splits.test.images
    torch.manual_seed(seed)
    if kind == "real":
        return frechet_distance(training, test, training)
    if kind == "vae":
        network = autoencoders.build(seed, "vae", code_size=8)
        fit_vae(network, training, seed)
        with torch.inference_mode():
            codes = network.encode(training)[0]  # type: ignore[operator]
    else:
        network = autoencoders.build(seed, code_size=8)
        autoencoders.fit(network, training, seed, steps=2000)
        codes = torch.from_numpy(autoencoders.codes(network, training))
    z = torch.randn(900, 8, generator=torch.Generator().manual_seed(seed))
    if is_fitted:
        factor = torch.linalg.cholesky(torch.cov(codes.T.double()) + 1e-6 * torch.eye(8))
        z = (z.double() @ factor.T + codes.double().mean(dim=0)).float()
    with torch.inference_mode():
        samples = network.decode(z)  # type: ignore[operator]
    return frechet_distance(samples, test, training)


def fit_vae(network: "nn.Module", images: "Tensor", seed: int) -> None:
    """Train a VAE for 2,000 updates of Adam on the negative ELBO."""
    import torch
    from torch.nn.functional import binary_cross_entropy

    from models.autoencoders.vae import kl_to_standard_normal

    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2000)
    for _ in range(2000):
        batch = images[torch.randint(len(images), (64,), generator=generator)]
        optimizer.zero_grad()
        outputs = network(batch, torch.randn(64, 8, generator=generator))
        likelihood = binary_cross_entropy(outputs["reconstruction"], batch, reduction="sum") / 64
        loss = likelihood + kl_to_standard_normal(outputs["mean"], outputs["log_variance"]).mean()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()


def frechet_distance(images: "Tensor", others: "Tensor", basis: "Tensor") -> float:
    """Return the squared Fréchet distance of the Gaussians with the moments of two sets of images.

    |m - n|^2 + tr(S + T - 2 (S T)^(1/2)), on the first 20 principal components of the images of `basis`.
    """
    from scipy.linalg import sqrtm
    from sklearn.decomposition import PCA

    pca = PCA(20).fit(basis.flatten(1).numpy())
    first, second = (pca.transform(each.flatten(1).numpy()).astype(np.float64) for each in (images, others))
    s, t = np.cov(first.T), np.cov(second.T)
    distance = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    return float(distance + np.trace(s + t - 2 * np.real(sqrtm(s @ t))))


VAE_SAMPLING = Empirical(
    id="vae-sampling",
    statement=(
        "A VAE can be sampled: decoded codes from N(0, 1) are closer to digits than those of an autoencoder, by a "
        "Fréchet distance of at least 0.5."
    ),
    topic="vae",
    arms={kind: trial(sample_distance, kind=kind) for kind in ("autoencoder", "vae")},
    control=dict(is_fitted=True),
    measure="Fréchet distance",
    decider=Paired(min_effect=0.5),
    expected="holds",
    source="Kingma, Welling, Auto-encoding variational Bayes (2013)",
    note=(
        "Codes of an autoencoder have any mean and scale. With a Gaussian that is fitted to them, the control, its "
        "samples are far better: what it lacks is the prior."
    ),
)
