"""Matching against all permutations, and the golden cases of the course."""

from itertools import permutations

import numpy as np
import pytest
import torch

from models.layers.matching import match


def total(cost):
    return cost[match(cost)].sum().item()


def least_by_brute_force(cost):
    rows, columns = cost.shape
    if rows > columns:
        return least_by_brute_force(cost.T)
    return min(
        sum(cost[row, column] for row, column in enumerate(order)) for order in permutations(range(columns), rows)
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (5, 2), (4, 4), (6, 3), (6, 6)])
def test_the_total_is_the_least_of_all_permutations(shape):
    for seed in range(5):
        cost = torch.from_numpy(np.random.default_rng(seed).normal(size=shape))
        rows, columns = match(cost)
        assert rows.tolist() == sorted(set(rows.tolist())) and len(set(columns.tolist())) == len(columns) == min(shape)
        assert rows.dtype == columns.dtype == torch.int64
        assert total(cost) == pytest.approx(least_by_brute_force(cost.numpy()))


@pytest.mark.parametrize(
    ("cost", "least"),
    [
        ([[4, 1, 3], [2, 0, 5], [3, 2, 2]], 5),
        ([[1, 2, 4], [1, 5, 6], [3, 3, 4]], 7),
        ([[0.2, 0.3], [0.1, 0.9]], 0.4),
    ],
)
def test_golden_cases(cost, least):
    assert total(torch.tensor(cost)) == pytest.approx(least)


def test_no_objects_are_matched_with_nothing():
    rows, columns = match(torch.zeros(5, 0))
    assert rows.shape == columns.shape == (0,) and rows.dtype == torch.int64


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_costs_that_are_not_finite_are_rejected(value):
    with pytest.raises(ValueError, match="every cost must be finite"):
        match(torch.tensor([[1.0, value], [0.0, 1.0]]))


def test_a_cost_with_a_gradient_can_be_matched():
    assert match(torch.zeros(2, 2, requires_grad=True))[0].tolist() == [0, 1]
