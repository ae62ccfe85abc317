"""The losses since the last report."""

import math

import pytest
import torch

from workbench.engine.training.window import BLOCK, LossWindow

CPU = torch.device("cpu")


@pytest.fixture(params=["as on a CPU", "as on a GPU"])
def window(request):
    """Return an empty window that reads the losses at once, or copies them as it does on a GPU."""
    window = LossWindow({}, CPU)
    window._is_on_cpu = request.param == "as on a CPU"
    return window


@pytest.mark.parametrize("count", [0, 1, BLOCK, 2 * BLOCK + 3])
def test_the_losses_are_those_that_were_added_since_it_was_cleared(window, count):
    for start in (0, 1000):  # memory is used again
        for k in range(count):
            window.add({"loss": torch.tensor(start + k + 0.5), "size": torch.tensor(-1.0 * k)})
        expected = {"loss": [start + k + 0.5 for k in range(count)], "size": [-1.0 * k for k in range(count)]}
        assert window.values() == (expected if count else {})
        window.clear()
        assert window.values() == {}


def test_a_loss_that_is_changed_later_was_copied(window):
    loss = torch.tensor(1.0)
    window.add({"loss": loss})
    loss.add_(5)
    assert window.values() == {"loss": [1.0]}


def test_a_window_goes_on_from_the_values_of_another():
    values = {"loss": [0.1, math.inf, 2.0], "grad_norm": [1.0, 2.0, 3.0]}
    first = LossWindow(values, CPU)
    again = LossWindow(first.values(), CPU)
    again.add({"loss": torch.tensor(7.0), "grad_norm": torch.tensor(4.0)})
    stored = {name: torch.tensor(numbers).tolist() for name, numbers in values.items()}  # in float32
    assert first.values() == stored
    assert again.values() == {"loss": [*stored["loss"], 7.0], "grad_norm": [*stored["grad_norm"], 4.0]}
