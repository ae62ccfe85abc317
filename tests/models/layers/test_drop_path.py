"""Stochastic depth leaves out whole samples, and as much as it says."""

import pytest
import torch

from models.layers.drop_path import DropPath


def test_every_sample_goes_whole_or_not_at_all_and_the_mean_stays():
    torch.manual_seed(0)
    x = torch.rand(10_000, 3, 2, 2) + 0.5
    y = DropPath(0.2)(x)
    gone = (y == 0).flatten(1).all(dim=1)
    torch.testing.assert_close(y[~gone], x[~gone] / 0.8)
    assert abs(gone.float().mean() - 0.2) < 5 * (0.2 * 0.8 / 10_000) ** 0.5  # five standard deviations


@pytest.mark.parametrize(("p", "training"), [(0.9, False), (0.0, True)])
def test_in_use_or_at_zero_nothing_is_left_out(p, training):
    x = torch.rand(50, 4)
    assert DropPath(p).train(training)(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, 2])
def test_a_chance_that_is_none_is_refused(p):
    with pytest.raises(ValueError, match="below 1"):
        DropPath(p)
