"""Autoencoders that claims train on digits of 8x8 pixels, and what is measured of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn


def build(seed: int, name: str = "autoencoder", **options: object) -> "nn.Module":
    """Return a network of the registry in its mini preset, with initial weights of a seed."""
    import torch

    import models

    torch.manual_seed(seed)
    return models.build(name, "mini", **options)


def fit(
    network: "nn.Module",
    images: "Tensor",
    seed: int,
    *,
    steps: int,
    lr: float = 0.005,
    corrupt: "Callable[[Tensor, Generator], Tensor] | None" = None,
    penalty: "Callable[[Tensor], Tensor] | None" = None,
) -> None:
    """Train an autoencoder by Adam with batches of 64 and a learning rate that falls to 0 along a cosine.

    The loss is half the sum of squares of an image's error.

    Args:
        network: Has `encode` and `decode`.
        images: The targets (N, channels, height, width), which are also the inputs.
        seed: Seed of the batches and of the noise.
        steps: The number of updates.
        lr: The first learning rate.
        corrupt: Makes the inputs of a batch from its targets.
        penalty: Returns a term of the loss for the codes (64, ...) of a batch.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        batch = images[torch.randint(len(images), (64,), generator=generator)]
        optimizer.zero_grad()
        code = network.encode(batch if corrupt is None else corrupt(batch, generator))  # type: ignore[operator]
        error = network.decode(code) - batch  # type: ignore[operator]
        loss = error.square().flatten(1).sum(dim=1).mean() / 2
        torch.autograd.backward(loss if penalty is None else loss + penalty(code))
        optimizer.step()
        schedule.step()


def mse(network: "nn.Module", inputs: "Tensor", targets: "Tensor | None" = None) -> float:
    """Return 1000 times the mean squared error of the reconstruction of inputs (N, ...)."""
    import torch

    targets = inputs if targets is None else targets
    with torch.inference_mode():
        outputs = network.decode(network.encode(inputs))  # type: ignore[operator]
        return 1000 * float((outputs - targets).square().mean())


def codes(network: "nn.Module", images: "Tensor") -> np.ndarray:
    """Return the codes (N, features) of images."""
    import torch

    with torch.inference_mode():
        result: np.ndarray = network.encode(images).flatten(1).numpy()  # type: ignore[operator]
    return result


def probe_accuracy(training: np.ndarray, labels: "Tensor", test: np.ndarray, test_labels: "Tensor") -> float:
    """Return the test accuracy, in points, of a logistic regression on standardized features (N, features)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    classifier.fit(training, labels.numpy())
    return 100 * float(classifier.score(test, test_labels.numpy()))


def pca_error(training: "Tensor", test: "Tensor", components: int, inputs: "Tensor | None" = None) -> float:
    """Return 1000 times the MSE of test images projected onto the first components; of `inputs`, if they are others."""
    from sklearn.decomposition import PCA

    pca = PCA(components).fit(training.flatten(1).double().numpy())
    rows = (test if inputs is None else inputs).flatten(1).double().numpy()
    projected = pca.inverse_transform(pca.transform(rows))
    return 1000 * float(np.square(projected - test.flatten(1).double().numpy()).mean())
