"""Loading by position takes tensors in order and rejects those of another network."""

import pytest
import torch
from torch import nn

from models.layers.by_position import load_by_position


def network(*channels):
    first, second, third = channels
    return nn.Sequential(nn.Conv2d(first, second, 1), nn.BatchNorm2d(second), nn.Conv2d(second, third, 3))


def test_values_are_copied_in_order():
    theirs, ours = network(3, 4, 5), network(3, 4, 5)
    renamed = {f"other.{k}": value for k, value in enumerate(theirs.state_dict().values())}
    load_by_position(ours, renamed)
    x = torch.rand(2, 3, 6, 6)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_dimensions_of_size_1_may_be_missing():
    dense, ours = nn.Linear(3, 4), nn.Conv2d(3, 4, 1)
    load_by_position(ours, dense.state_dict())
    x = torch.rand(2, 3)
    torch.testing.assert_close(ours(x[..., None, None]).flatten(1), dense(x))


@pytest.mark.parametrize(
    ("theirs", "message"),
    [(network(3, 5, 4), "is \\[5"), (network(3, 4, 5)[:2], "has 9"), (network(4, 3, 5), "is \\[3, 4")],
)
def test_weights_of_another_network_are_rejected_and_change_nothing(theirs, message):
    ours = network(3, 4, 5)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_by_position(ours, theirs.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
