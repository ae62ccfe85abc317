"""Claims about autoencoders that are trained: against PCA, codecs and noise; what codes and errors are good for."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.claims import autoencoders, small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import NonInferior, Paired

if TYPE_CHECKING:
    from torch import Tensor

UNIT = "thousandths of MSE"


def reconstruction_error(seed: int, *, method: str, code_size: int) -> float:
    """Return 1000 times the test MSE at a code size: `pca`, or an autoencoder that is `linear` or `nonlinear`."""
    splits = small_networks.digits(seed)
    training, test = splits.training.images, splits.test.images
    if method == "pca":
        return autoencoders.pca_error(training, test, code_size)
    activation = "identity" if method == "linear" else "gelu"
    network = autoencoders.build(seed, code_size=code_size, activation=activation)
    autoencoders.fit(network, training, seed, steps=2000, lr=0.003)
    return autoencoders.mse(network, test)


PCA = trial(reconstruction_error, method="pca", code_size=8)

LINEAR_AE_IS_PCA = Empirical(
    id="linear-ae-is-pca",
    statement=(
        "Without activations, an autoencoder does not beat PCA at the same code size of 8: its error on digits is "
        "at most 0.002 lower."
    ),
    topic="autoencoder",
    arms=dict(linear=PCA.changed(dict(method="linear")), pca=PCA),
    measure=UNIT,
    decider=NonInferior(margin=2.0, unit=UNIT),
    expected="holds",
    source="Baldi, Hornik, Neural networks and principal component analysis (1989)",
    note="Both are unsupervised. What an autoencoder can gain over PCA comes from its nonlinearity.",
)

LINEAR_AE_REACHES_PCA = Empirical(
    id="linear-ae-reaches-pca",
    statement="An autoencoder without activations reaches PCA: its error on digits is at most 0.002 higher.",
    topic="autoencoder",
    arms=dict(pca=PCA, linear=PCA.changed(dict(method="linear"))),
    measure=UNIT,
    decider=NonInferior(margin=2.0, unit=UNIT),
    expected="holds",
    source="Baldi, Hornik, Neural networks and principal component analysis (1989)",
    note="It finds the subspace of the first components, but any basis of it.",
)

NONLINEAR_AE_BEATS_PCA = Empirical(
    id="nonlinear-ae-beats-pca",
    statement="With GELU and a code of 8 numbers, an autoencoder has at least 0.003 less error on digits than PCA.",
    topic="autoencoder",
    arms=dict(pca=PCA, autoencoder=PCA.changed(dict(method="nonlinear"))),
    measure=UNIT,
    decider=Paired(min_effect=3.0, unit=UNIT),
    expected="holds",
    source="Hinton, Salakhutdinov, Reducing the dimensionality of data with neural networks (2006)",
)


def fine_detail(seed: int, *, channels: tuple[int, ...]) -> float:
    """Return the energy of high frequencies in reconstructions of shapes, in percent of that in the images.

    High frequencies are those above half the Nyquist frequency in either direction.

    Args:
        seed: Seed of the images, the initial weights and the batches.
        channels: Channels after each stage, which halves the images of 16x16; none for the images themselves.
    """
    import torch
    from torch.nn.functional import avg_pool2d

    from workbench.data import shapes

    pixels = shapes.load()[0]
    images = torch.from_numpy(pixels[np.random.default_rng(seed).permutation(len(pixels))[:1100]])
    images = avg_pool2d(images.float().mean(dim=1, keepdim=True) / 255, 4)
    training, test = images[:1000], images[1000:]
    result = test
    if channels:
        network = autoencoders.build(seed, "conv-autoencoder-pooling", image_size=16, channels=channels)
        autoencoders.fit(network, training, seed, steps=200)
        with torch.inference_mode():
            result = network.decode(network.encode(test))  # type: ignore[operator]
    return 100 * high_energy(result) / high_energy(test)


def high_energy(images: "Tensor") -> float:
    """Return the energy of images (N, 1, height, width) above half the Nyquist frequency."""
    import torch

    spectrum = torch.fft.rfft2(images).abs().square()
    rows, columns = torch.fft.fftfreq(images.shape[2]).abs(), torch.fft.rfftfreq(images.shape[3])
    is_high = (rows[:, None] > 0.25) | (columns > 0.25)
    return float(spectrum[..., is_high].sum())


CONV_AE_BLURRY = Empirical(
    id="conv-ae-blurry",
    statement=(
        "The reconstructions of a convolutional autoencoder with a small code are blurred: they have at most half the "
        "energy of high frequencies of images of shapes."
    ),
    topic="autoencoder",
    arms=dict(images=trial(fine_detail, channels=()), reconstructions=trial(fine_detail, channels=(16, 2))),
    measure="percent of the high frequencies",
    decider=Paired(min_effect=50.0, unit="points"),
    expected="holds",
    note=(
        "Derivation: the MSE is smallest for the mean of all images that fit a code, and a mean of edges at different "
        "places is blurred. The network pools and up-samples; transposed convolutions add patterns of their own, which "
        "count as high frequencies."
    ),
)


def anomaly_score(seed: int, *, method: str, held_out: tuple[int, ...]) -> float:
    """Return the AUROC, in points, of the reconstruction error for digits of classes that training hadn't.

    Args:
        seed: Seed of the splits, the initial weights and the batches.
        method: `autoencoder` or `pca`, with codes of 8 numbers; `guess` is a random score.
        held_out: The classes.
    """
    import torch
    from sklearn.decomposition import PCA
    from sklearn.metrics import roc_auc_score

    splits = small_networks.digits(seed)
    classes = torch.tensor(held_out)
    training = splits.training.images[~torch.isin(splits.training.labels, classes)]
    test = splits.test.images
    is_anomaly = torch.isin(splits.test.labels, classes)
    if method == "guess":
        scores = torch.rand(len(test), generator=torch.Generator().manual_seed(seed)).numpy()
    elif method == "pca":
        pca = PCA(8).fit(training.flatten(1).numpy())
        rows = test.flatten(1).numpy()
        scores = np.square(pca.inverse_transform(pca.transform(rows)) - rows).mean(axis=1)
    else:
        network = autoencoders.build(seed, code_size=8)
        autoencoders.fit(network, training, seed, steps=1000)
        with torch.inference_mode():
            errors = network(test) - test
        scores = errors.square().flatten(1).mean(dim=1).numpy()
    return 100 * float(roc_auc_score(is_anomaly.numpy(), scores))


AE_ANOMALY = Empirical(
    id="ae-anomaly",
    statement=(
        "The reconstruction error finds digits 8 and 9 if an autoencoder was trained on the others: its AUROC is at "
        "least 10 points above that of a guess."
    ),
    topic="autoencoder",
    arms=dict(
        autoencoder=trial(anomaly_score, method="autoencoder", held_out=(8, 9)),
        guess=trial(anomaly_score, method="guess", held_out=(8, 9)),
    ),
    measure="AUROC in points",
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    note="A wide code copies anomalies, too, so their errors are as low as those of other images.",
)

AE_ANOMALY_BEATS_PCA = Empirical(
    id="ae-anomaly-beats-pca",
    statement="An autoencoder finds digits 8 and 9 better than PCA does with codes of the same 8 numbers, by 2 points.",
    topic="autoencoder",
    arms=dict(
        autoencoder=trial(anomaly_score, method="autoencoder", held_out=(8, 9)),
        pca=trial(anomaly_score, method="pca", held_out=(8, 9)),
    ),
    measure="AUROC in points",
    decider=Paired(min_effect=2.0, unit="points"),
    expected="inconclusive",
    note="A lower error on all images doesn't mean a larger difference between them.",
)


def compression_error(seed: int, *, method: str, domain: str) -> float:
    """Return 1000 times the MSE of blocks of 8x8 pixels that are stored as 8 numbers.

    Args:
        seed: Seed of the split and the training, and of the places of the blocks.
        method: `autoencoder`, trained on digits, or `dct`: the 8 coefficients of the discrete cosine transform with the
            lowest frequencies, as JPEG orders them.
        domain: `digits`, or `photos`: blocks of the two photos of scikit-learn.
    """
    splits = small_networks.digits(seed)
    blocks = splits.test.images if domain == "digits" else photo_blocks(900, seed)
    if method == "dct":
        return dct_error(blocks[:, 0].numpy(), 8)
    network = autoencoders.build(seed, code_size=8)
    autoencoders.fit(network, splits.training.images, seed, steps=2000, lr=0.003)
    return autoencoders.mse(network, blocks)


def photo_blocks(count: int, seed: int) -> "Tensor":
    """Return gray blocks (count, 1, 8, 8) from random places of the photos of scikit-learn, from 0 to 1."""
    import torch
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(seed)
    photos = [photo.mean(axis=2) / 255 for photo in load_sample_images().images]
    blocks = []
    for k in range(count):
        photo = photos[k % len(photos)]
        row, column = (int(rng.integers(size - 8)) for size in photo.shape)
        blocks.append(photo[row : row + 8, column : column + 8])
    return torch.tensor(np.stack(blocks), dtype=torch.float32)[:, None]


def dct_error(blocks: np.ndarray, count: int) -> float:
    """Return 1000 times the MSE of blocks (N, 8, 8) of which the coefficients with the lowest frequencies are kept."""
    from scipy.fft import dctn, idctn

    row, column = np.indices((8, 8))
    order = np.argsort((row + column).ravel(), kind="stable")
    is_kept = np.zeros(64, bool)
    is_kept[order[:count]] = True
    coefficients = dctn(blocks, axes=(1, 2), norm="ortho") * is_kept.reshape(8, 8)
    return 1000 * float(np.square(idctn(coefficients, axes=(1, 2), norm="ortho") - blocks).mean())


AE_POOR_COMPRESSION = Empirical(
    id="ae-poor-compression",
    statement=(
        "An autoencoder is a poor compressor of other data: trained on digits, it stores blocks of photos with at "
        "least 0.01 more error than 8 coefficients of the discrete cosine transform do."
    ),
    topic="autoencoder",
    arms={name: trial(compression_error, method=name, domain="photos") for name in ("autoencoder", "dct")},
    control=dict(domain="digits"),
    measure=UNIT,
    decider=Paired(min_effect=10.0, unit=UNIT),
    expected="holds",
    note="On digits themselves, the control, the learned code is the better one: it is specific to its data.",
)


def generalization_gap(seed: int, *, train_samples: int) -> float:
    """Return 1000 times the difference of test and training MSE of an autoencoder with a code of 32 numbers."""
    splits = small_networks.digits(seed, train_samples)
    network = autoencoders.build(seed, code_size=32)
    autoencoders.fit(network, splits.training.images, seed, steps=1500)
    return autoencoders.mse(network, splits.test.images) - autoencoders.mse(network, splits.training.images)


AE_OVERFITS = Empirical(
    id="ae-overfits-few-images",
    statement=(
        "An autoencoder overfits few images: trained on 50 digits, its test error exceeds its training error by at "
        "least 0.01 more than when trained on 597."
    ),
    topic="autoencoder",
    arms=dict(few=trial(generalization_gap, train_samples=50), many=trial(generalization_gap, train_samples=597)),
    measure=UNIT,
    decider=Paired(min_effect=10.0, unit=UNIT),
    expected="holds",
    note="Labels are not needed to overfit: the reconstruction of the training images is memorized.",
)


def code_accuracy(seed: int, *, features: str) -> float:
    """Return the accuracy, in points, of a logistic regression on 8 numbers of a digit.

    Args:
        seed: Seed of the split, the training and the choice of pixels.
        features: `code` of an autoencoder, or `pixels`, 8 of those that vary, chosen at random.
    """
    splits = small_networks.digits(seed)
    training, test = splits.training, splits.test
    if features == "code":
        network = autoencoders.build(seed, code_size=8)
        autoencoders.fit(network, training.images, seed, steps=1000)
        inputs = [autoencoders.codes(network, split.images) for split in (training, test)]
    else:
        varied = np.flatnonzero(training.images.flatten(1).numpy().std(axis=0) > 0.1)
        places = np.random.default_rng(seed).permutation(varied)[:8]
        inputs = [split.images.flatten(1).numpy()[:, places] for split in (training, test)]
    return autoencoders.probe_accuracy(inputs[0], training.labels, inputs[1], test.labels)


AE_CODE_CLASSIFIES = Empirical(
    id="ae-code-classifies",
    statement=(
        "The code of an autoencoder that saw no label tells digits apart: a linear classifier is at least 10 points "
        "more accurate on its 8 numbers than on 8 pixels."
    ),
    topic="autoencoder",
    arms=dict(code=trial(code_accuracy, features="code"), pixels=trial(code_accuracy, features="pixels")),
    measure="accuracy in points",
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    note="Derivation: to reconstruct all 64 pixels, the 8 numbers must describe the whole image; 8 pixels don't.",
)
