"""Initial weights have the distribution of their scheme."""

import math

import pytest
import torch

from workbench.engine import RunSpec
from workbench.engine.training.state import SeedState


def initialized(**options):
    return SeedState(RunSpec.create(**{"model": "mlp", "device": "cpu", **options})).network


@pytest.mark.parametrize(
    ("init", "variance", "bound"),
    [
        ("he", lambda fan_in, fan_out: 2 / fan_in, math.inf),
        ("xavier", lambda fan_in, fan_out: 2 / (fan_in + fan_out), 6**0.5),
        ("normal", lambda fan_in, fan_out: 0.05**2, math.inf),
        ("uniform", lambda fan_in, fan_out: 0.05**2 / 3, 0.05),
    ],
)
def test_initial_weights_have_the_variance_of_their_scheme(init, variance, bound):
    network = initialized(model="lenet5-modern", preset="paper", init=init)
    for layer, fan_in, fan_out in (
        (network.c3, 6 * 25, 16 * 25),
        (network.c5, 16 * 25, 120),
        (network.f6, 120, 84),
    ):
        weight, expected = layer.weight, variance(fan_in, fan_out)
        assert weight.var().item() == pytest.approx(expected, rel=0.1) and not layer.bias.any()
        limit = bound / (fan_in + fan_out) ** 0.5 if init == "xavier" else bound
        assert weight.abs().max() <= limit
        if init in ("he", "normal"):  # the tails of a normal distribution extend beyond those of a uniform one
            assert weight.abs().max() > 2.5 * expected**0.5


def test_another_seed_draws_other_weights_and_the_same_seed_the_same():
    weights = [initialized(init="he", seed=seed).layers[0].weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
