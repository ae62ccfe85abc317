"""The fully connected CRF against plain loops over all pairs of pixels."""

from math import exp, log, sqrt

import pytest
import torch

from models.layers import dense_crf
from models.layers.dense_crf import DenseCRF

OPTIONS = dict(w_appearance=1.7, theta_alpha=2.5, theta_beta=40.0, w_smoothness=0.6, theta_gamma=1.2)


def energy_kernels(image, options):
    """Return both kernels without their weights, as {(i, j): value}, for an image of rows of colors."""
    pixels = [(y, x) for y in range(len(image)) for x in range(len(image[0]))]
    appearance, smoothness = {}, {}
    for y, x in pixels:
        for v, u in pixels:
            place = (y - v) ** 2 + (x - u) ** 2
            color = sum((a - b) ** 2 for a, b in zip(image[y][x], image[v][u], strict=True))
            pair = (y, x), (v, u)
            appearance[pair] = exp(
                -place / (2 * options["theta_alpha"] ** 2) - color / (2 * options["theta_beta"] ** 2)
            )
            smoothness[pair] = exp(-place / (2 * options["theta_gamma"] ** 2))
    return pixels, appearance, smoothness


def mean_field(probabilities, image, options, iterations, normalize):
    """Return Q after some updates, as {pixel: [values]}, by the paper's formula with the Potts model's penalties."""
    pixels, *kernels = energy_kernels(image, options)
    if normalize:
        for kernel in kernels:
            sums = {i: sum(kernel[i, j] for j in pixels) for i in pixels}
            for i, j in list(kernel):
                kernel[i, j] /= sqrt(sums[i] * sums[j])
    weights = (options["w_appearance"], options["w_smoothness"])
    q = {(y, x): [float(p) for p in probabilities[:, y, x]] for y, x in pixels}
    labels = range(len(probabilities))
    for _ in range(iterations):
        updated = {}
        for y, x in pixels:
            scores = []
            for label in labels:
                penalty = sum(
                    weight * kernel[(y, x), j] * q[j][other]
                    for weight, kernel in zip(weights, kernels, strict=True)
                    for j in pixels
                    for other in labels
                    if j != (y, x) and other != label
                )
                scores.append(exp(log(float(probabilities[label, y, x])) - penalty))
            updated[y, x] = [score / sum(scores) for score in scores]
        q = updated
    return q


def random_case(seed, height=3, width=4, classes=3):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(classes, height, width, generator=generator, dtype=torch.double)
    image = 255 * torch.rand(3, height, width, generator=generator, dtype=torch.double)
    return logits, image


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("iterations", [1, 3])
def test_updates_are_those_of_plain_loops(normalize, iterations, monkeypatch):
    monkeypatch.setattr(dense_crf, "CHUNK", 30)  # two rows of the kernel at once
    logits, image = random_case(iterations)
    crf = DenseCRF(**OPTIONS, iterations=iterations, normalize=normalize)
    expected = mean_field(logits.softmax(dim=0), image.permute(1, 2, 0).tolist(), OPTIONS, iterations, normalize)
    [q] = crf(logits[None], image[None])
    assert (q - logits.softmax(dim=0)).abs().max() > 1e-2
    for (y, x), values in expected.items():
        torch.testing.assert_close(q[:, y, x], torch.tensor(values, dtype=torch.double), rtol=0, atol=1e-12)


def test_after_many_updates_the_distributions_are_a_fixed_point():
    logits, image = random_case(seed=5)
    options = OPTIONS | dict(w_appearance=0.3, w_smoothness=0.2)
    [q] = DenseCRF(**options, iterations=200, normalize=False)(logits[None], image[None])
    # One more update by the loops, from Q on, whose unary term is still that of the network.
    pixels, appearance, smoothness = energy_kernels(image.permute(1, 2, 0).tolist(), options)
    log_p = logits.log_softmax(dim=0)
    for i in pixels:
        total = log_p[(slice(None), *i)].clone()
        for j in pixels:
            if i != j:
                total += (0.3 * appearance[i, j] + 0.2 * smoothness[i, j]) * q[(slice(None), *j)]
        torch.testing.assert_close(total.softmax(dim=0), q[(slice(None), *i)], rtol=0, atol=1e-10)


def test_kernels_that_are_not_stored_give_the_same(monkeypatch):
    logits, image = random_case(seed=1, height=9, width=7)
    crf = DenseCRF()
    expected = crf(logits[None], image[None])
    monkeypatch.setattr(dense_crf, "STORED", 0)
    monkeypatch.setattr(dense_crf, "CHUNK", 200)
    torch.testing.assert_close(crf(logits[None], image[None]), expected)


def test_images_of_a_batch_are_independent():
    cases = [random_case(seed) for seed in (1, 2)]
    logits, images = (torch.stack(column) for column in zip(*cases, strict=True))
    crf = DenseCRF(**OPTIONS)
    together = crf(logits, images)
    for k, (one, image) in enumerate(cases):
        torch.testing.assert_close(together[k], crf(one[None], image[None])[0])


def test_labels_move_to_where_the_color_changes():
    # Two halves, dark and light; the network's boundary is two columns too far to the right, and it is not certain.
    image = torch.full((3, 16, 16), 40.0)
    image[:, :, 8:] = 200.0
    logits = torch.zeros(2, 16, 16)
    logits[0, :, :10], logits[1, :, 10:] = 2.0, 2.0
    q = DenseCRF()(logits[None], image[None])[0]
    assert (logits.argmax(dim=0)[:, 8:10] == 0).all()
    assert (q.argmax(dim=0)[:, :8] == 0).all() and (q.argmax(dim=0)[:, 8:] == 1).all()


def test_without_updates_or_weights_the_network_decides():
    logits, image = random_case(seed=3)
    probabilities = logits.softmax(dim=0)[None]
    torch.testing.assert_close(DenseCRF(iterations=0)(logits[None], image[None]), probabilities)
    without_weights = DenseCRF(w_appearance=0, w_smoothness=0)
    torch.testing.assert_close(without_weights(logits[None], image[None]), probabilities)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(theta_beta=0), "theta_beta and theta_gamma must be larger than 0"),
        (dict(w_smoothness=-1), "w_appearance and w_smoothness must be 0 or more"),
        (dict(iterations=-1), "iterations must be 0 or more"),
    ],
)
def test_options_without_meaning_are_rejected(options, message):
    with pytest.raises(ValueError, match=message):
        DenseCRF(**options)


def test_images_of_another_size_are_rejected():
    with pytest.raises(ValueError, match="must have the same size, not 4x4 and 5x4"):
        DenseCRF()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 5, 4))
