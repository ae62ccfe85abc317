"""Weights under other names: taken in order, and refused where they are another network's."""

import pytest
import torch
from torch import nn

from models.layers.by_position import load_by_position


def network(*sizes):
    return nn.Sequential(nn.Conv2d(sizes[0], sizes[1], 1), nn.BatchNorm2d(sizes[1]), nn.Conv2d(sizes[1], sizes[2], 3))


def test_values_go_over_in_order():
    theirs, ours = network(3, 4, 5), network(3, 4, 5)
    renamed = {f"other.{k}": value for k, value in enumerate(theirs.state_dict().values())}
    load_by_position(ours, renamed)
    x = torch.rand(2, 3, 6, 6)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_a_side_of_one_may_be_missing():
    dense, ours = nn.Linear(3, 4), nn.Conv2d(3, 4, 1)
    load_by_position(ours, dense.state_dict())
    x = torch.rand(2, 3)
    torch.testing.assert_close(ours(x[..., None, None]).flatten(1), dense(x))


@pytest.mark.parametrize(
    ("theirs", "said"),
    [(network(3, 5, 4), "is \\[5"), (network(3, 4, 5)[:2], "has 9"), (network(4, 3, 5), "is \\[3, 4")],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(theirs, said):
    ours = network(3, 4, 5)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(ValueError, match=said):
        load_by_position(ours, theirs.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
