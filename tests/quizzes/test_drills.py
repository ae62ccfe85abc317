"""Drills: lookup and seeds; `tests/content` checks each of them."""

import pytest

from quizzes import bank
from workbench.errors import UserError


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_out_of_range_are_rejected(seed):
    with pytest.raises(UserError, match="from 0 to"):
        bank.draw("iou", seed)


def test_unknown_drills_offer_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'iou"):
        bank.draw("iuo", 1)
