"""Batches: the bytes that the backward pass needs, counted by hand; the noise and the order of batches."""

import pytest

from workbench.claims.batches import bytes_for_backward, loss_by_order, noise_by_batch_size
from workbench.claims.noisy_objectives import moving_minimum, share_in_flat_well


def test_bytes_are_those_of_the_activations():
    # per sample: 64 inputs, two hidden layers of 256, 10 log-probabilities (float32), a class (int64)
    per_sample = 4 * (64 + 256 + 256 + 10) + 8
    for size, count in bytes_for_backward(0):
        assert count == pytest.approx(per_sample * size, abs=64), size  # and a few numbers for all samples


def test_a_batch_of_one_has_the_variance_of_the_samples():
    (_, one), *_, (size, many) = noise_by_batch_size(0)
    assert one / many == pytest.approx(size, rel=0.3)


def test_full_batches_have_no_order():
    orders = [loss_by_order(0, order=order, batch_size=576) for order in ("reshuffled", "fixed", "sorted")]
    # the initial weights and the samples are the same, and so are their mean gradients
    assert max(orders) - min(orders) < 1e-3


def test_without_noise_nothing_leaves_the_sharp_well():
    assert share_in_flat_well(0, batch_size=1, noise=0.0) == share_in_flat_well(0, batch_size=64, noise=6.0) == 0


def test_updates_that_diverge_count_the_largest_distance():
    distance = moving_minimum(0, name="sgd", lr=3.0, factor=1.0)
    assert distance["distance"] == pytest.approx(6, abs=0.1) and distance["score"] == -distance["distance"]
