"""Quadratic valleys: paths against closed forms, and rates that are best."""

from itertools import islice

import numpy as np
import pytest
import torch

from workbench.claims.valleys import Rule, best_descent, best_momentum, path, path_until, start_of


def test_gradient_descent_multiplies_each_axis_by_its_factor():
    curvatures, start = np.array([1.0, 4.0, 9.0]), np.array([3.0, -2.0, 1.0])
    points = np.array(list(islice(path(curvatures, start, Rule(0.15)), 12)))
    factors = (1 - 0.15 * curvatures) ** np.arange(1, 13)[:, None]
    np.testing.assert_allclose(points, start * factors, atol=1e-12)


def test_momentum_takes_the_steps_of_torch():
    curvatures, start = np.array([1.0, 4.0]), np.array([3.0, -2.0])
    weights = torch.tensor(start)
    optimizer = torch.optim.SGD([weights], lr=0.2, momentum=0.7)
    for point in islice(path(curvatures, start, Rule(0.2, 0.7)), 20):
        weights.grad = torch.tensor(curvatures) * weights
        optimizer.step()
        np.testing.assert_allclose(point, weights.numpy(), atol=1e-12)


@pytest.mark.parametrize("kappa", [10.0, 100.0])
@pytest.mark.parametrize("best", [best_descent, best_momentum])
def test_no_other_rate_arrives_sooner(best, kappa):
    curvatures, start = np.array([1.0, kappa]), np.array([1.0, 1.0])
    rule = best(1.0, kappa)
    steps = len(path_until(curvatures, start, rule, 1e-9))
    for factor in (0.8, 0.9, 1.005):
        other = len(path_until(curvatures, start, Rule(rule.lr * factor, rule.momentum), 1e-9))
        assert other > steps, factor


def test_updates_that_do_not_converge_are_an_error(monkeypatch):
    monkeypatch.setattr("workbench.claims.valleys.LIMIT", 100)
    with pytest.raises(ArithmeticError, match="converge"):
        path_until(np.array([1.0]), np.array([1.0]), Rule(2.0), 1e-3)


def test_the_start_is_seeded_and_has_a_share_of_both_axes():
    starts = np.array([start_of(seed) for seed in range(50)])
    np.testing.assert_allclose(np.linalg.norm(starts, axis=1), 1)
    assert starts.min() > 0.3
    assert len(np.unique(starts, axis=0)) == 50
    assert (start_of(3) == starts[3]).all()
