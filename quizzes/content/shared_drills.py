"""Helpers of drills of several chapters."""

from random import Random


def random_points(rng: Random, count: int) -> tuple[list[int], list[int]]:
    """Return integer samples near a line: x in increasing order, and y."""
    x = sorted(rng.sample(range(1, 9), count))
    w, b = rng.choice([-2, -1, 1, 2, 3]), rng.randint(-3, 6)
    return x, [w * v + b + rng.randint(-2, 2) for v in x]
