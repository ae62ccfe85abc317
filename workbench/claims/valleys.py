"""Quadratic valleys, 1/2 sum_i c_i x_i^2, where the steps of gradient descent and momentum can be counted.

Along each axis an update multiplies x_i by 1 - lr c_i. With curvatures from mu to L, the best constant learning rate is
2 / (L + mu), by which the distance shrinks by (kappa - 1) / (kappa + 1) per step, kappa = L / mu. Momentum is best with
lr = 4 / (sqrt(L) + sqrt(mu))^2 and beta = ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^2 (Polyak 1964).
"""

from collections.abc import Iterator
from math import log10, sqrt
from typing import NamedTuple

import numpy as np

LIMIT = 100_000  # updates


class Rule(NamedTuple):
    """An update rule: v = momentum v + lr gradient, x = x - v."""

    lr: float
    momentum: float = 0.0


def best_descent(low: float, high: float) -> Rule:
    """Return gradient descent with the best learning rate for curvatures from `low` to `high`."""
    return Rule(2 / (low + high))


def best_momentum(low: float, high: float) -> Rule:
    """Return momentum with the best learning rate and momentum for curvatures from `low` to `high`."""
    beta = ((sqrt(high) - sqrt(low)) / (sqrt(high) + sqrt(low))) ** 2
    return Rule(4 / (sqrt(low) + sqrt(high)) ** 2, beta)


def path(curvatures: np.ndarray, start: np.ndarray, rule: Rule) -> Iterator[np.ndarray]:
    """Yield the points after each update, without end."""
    x, velocity = start, np.zeros_like(start)
    while True:
        velocity = rule.momentum * velocity + rule.lr * curvatures * x
        x = x - velocity
        yield x


def path_until(curvatures: np.ndarray, start: np.ndarray, rule: Rule, share: float) -> np.ndarray:
    """Return the points (steps, axes) after each update, until the distance is at most a share of the first one.

    Raises:
        ArithmeticError: If that takes 100,000 updates.
    """
    points, goal = [], share * np.linalg.norm(start)
    for x in path(curvatures, start, rule):
        points.append(x)
        if np.linalg.norm(x) <= goal:
            return np.array(points)
        if len(points) == LIMIT:
            raise ArithmeticError("The updates don't converge.")
    raise AssertionError("The path has no end.")


def start_of(seed: int) -> np.ndarray:
    """Return a random point at distance 1, at least 0.3 along each of two axes."""
    angle = np.random.default_rng(seed).uniform(0.35, 1.2)
    return np.array([np.cos(angle), np.sin(angle)])


def speedup_by_condition(seed: int) -> list[tuple[float, float]]:
    """Return (condition number, steps of gradient descent over those of momentum), each with its best rates."""
    points = []
    for kappa in (10.0, 30.0, 100.0, 300.0, 1000.0):
        curvatures = np.array([1.0, kappa])
        rules = (best_descent(1.0, kappa), best_momentum(1.0, kappa))
        descent, momentum = (len(path_until(curvatures, start_of(seed), rule, 1e-6)) for rule in rules)
        points.append((kappa, descent / momentum))
    return points


def log_sign_changes(seed: int, *, has_momentum: bool, is_tuned: bool, kappa: float) -> float:
    """Return log10(1 + the number of times that the path crosses the bottom of the valley) on the way to 1e-3."""
    curvatures = np.array([1.0, kappa])
    if is_tuned:
        rule = best_momentum(1.0, kappa) if has_momentum else best_descent(1.0, kappa)
    else:
        rule = Rule(1 / kappa, 0.9 if has_momentum else 0.0)
    points = np.vstack([start_of(seed), path_until(curvatures, start_of(seed), rule, 1e-3)])
    return log10(1 + int(np.sum(np.diff(np.sign(points[:, 1])) != 0)))
