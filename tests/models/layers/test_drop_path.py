"""Stochastic depth drops whole samples, with its probability."""

import pytest
import torch

from models.layers.drop_path import DropPath


def test_samples_are_dropped_as_a_whole_and_the_mean_is_unchanged():
    torch.manual_seed(0)
    x = torch.rand(10_000, 3, 2, 2) + 0.5
    y = DropPath(0.2)(x)
    dropped = (y == 0).flatten(1).all(dim=1)
    torch.testing.assert_close(y[~dropped], x[~dropped] / 0.8)
    assert abs(dropped.float().mean() - 0.2) < 5 * (0.2 * 0.8 / 10_000) ** 0.5  # five standard deviations


@pytest.mark.parametrize(("p", "training"), [(0.9, False), (0.0, True)])
def test_nothing_is_dropped_in_evaluation_or_with_probability_0(p, training):
    x = torch.rand(50, 4)
    assert DropPath(p).train(training)(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, 2])
def test_invalid_probabilities_are_rejected(p):
    with pytest.raises(ValueError, match="below 1"):
        DropPath(p)
