"""The L1 and L2 penalties and their gradients."""

import pytest
import torch

from workbench.engine import RunSpec
from workbench.engine.training.penalties import penalty
from workbench.engine.training.state import SeedState


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.1), (0.3, 0.2)])
def test_penalties_and_their_gradients(l1, l2):
    weight = torch.tensor([3.0, -4.0, 0.0], dtype=torch.float64, requires_grad=True)
    value = penalty([weight], l1, l2)
    assert value.item() == pytest.approx(l1 * 7 + l2 * 25)
    value.backward()
    step = 1e-6
    for index in range(2):  # at 0 the absolute value has a corner; its gradient there is 0 by convention
        up, down = weight.detach().clone(), weight.detach().clone()
        up[index] += step
        down[index] -= step
        slope = (penalty([up], l1, l2) - penalty([down], l1, l2)) / (2 * step)
        assert weight.grad[index].item() == pytest.approx(slope.item(), rel=1e-6)
    assert weight.grad[2] == 0


def test_penalties_count_weights_but_no_biases_and_are_reported_apart():
    plain, penalized = (
        SeedState(RunSpec.create("mlp", device="cpu", **more)) for more in ({}, {"l1": 0.01, "l2": 0.02})
    )
    weights = [layer.weight.detach().clone() for layer in penalized.network.layers]
    losses, plain_losses = penalized.update().losses, plain.update().losses
    expected = sum(0.01 * weight.abs().sum() + 0.02 * weight.square().sum() for weight in weights)
    assert losses["penalty"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert losses["loss"] == plain_losses["loss"] and "penalty" not in plain_losses
    for layer, other, weight in zip(penalized.network.layers, plain.network.layers, weights, strict=True):
        torch.testing.assert_close(layer.weight.grad - other.weight.grad, 0.01 * weight.sign() + 0.04 * weight)
        torch.testing.assert_close(layer.bias.grad, other.bias.grad)
