"""Mean field inference in a fully connected CRF, by hand."""

from collections.abc import Iterator, Sequence
from math import exp
from typing import NamedTuple

from quizzes.expressions.tree import Value
from workbench.errors import UserError

Rows = Sequence[Sequence[Value]]

MAX_PIXELS, MAX_STEPS = 36, 50


class Widths(NamedTuple):
    """The weights and the widths of the kernels.

    Attributes:
        w1: Weight of the appearance kernel.
        w2: Weight of the smoothness kernel.
        alpha: Width of the appearance kernel in positions.
        beta: Its width in intensities.
        gamma: Width of the smoothness kernel.
    """

    w1: float
    w2: float
    alpha: float
    beta: float
    gamma: float


def pixel_kernel(first: Sequence[Value], second: Sequence[Value], difference: float, widths: Widths) -> float:
    """Return how strongly two pixels are connected, from their positions and the difference of their intensities."""
    distance = sum(float(a - b) ** 2 for a, b in zip(first, second, strict=True))
    appearance = exp(-distance / (2 * widths.alpha**2) - difference**2 / (2 * widths.beta**2))
    return widths.w1 * appearance + widths.w2 * exp(-distance / (2 * widths.gamma**2))


def kernel_matrix(positions: Rows, intensities: Sequence[Value], widths: Widths) -> list[list[float]]:
    """Return the kernel of each pair of pixels; a pixel is not connected with itself."""
    return [
        [
            0.0 if i == j else pixel_kernel(p, q, float(intensities[i] - intensities[j]), widths)
            for j, q in enumerate(positions)
        ]
        for i, p in enumerate(positions)
    ]


def normalize(costs: Sequence[float]) -> list[float]:
    """Return probabilities that are proportional to exp(-cost)."""
    low = min(costs)
    terms = [exp(low - cost) for cost in costs]
    return [term / sum(terms) for term in terms]


def update(U: Rows, K: Rows, Q: Rows) -> tuple[list[list[float]], list[list[float]]]:
    """Return the penalties and the new marginals of each pixel: a mean field update of all pixels at once.

    Args:
        U: Unary costs of each pixel and label.
        K: Kernel of each pair of pixels.
        Q: Marginals before the update. A label is penalized by the probabilities of the other labels of all others
            (Potts model).
    """
    labels = range(len(U[0]))
    penalties = [[sum(k * (1 - q[label]) for k, q in zip(row, Q, strict=True)) for label in labels] for row in K]
    return penalties, [
        normalize([float(u) + m for u, m in zip(costs, row, strict=True)])
        for costs, row in zip(U, penalties, strict=True)
    ]


def infer(U: Rows, K: Rows, steps: int) -> Iterator[tuple[list[list[float]], list[list[float]]]]:
    """Yield the penalties and the marginals before the first update, with penalties of 0, and after each one."""
    Q = [normalize([float(u) for u in costs]) for costs in U]
    yield [[0.0] * len(costs) for costs in U], Q
    for _ in range(steps):
        penalties, Q = update(U, K, Q)
        yield penalties, Q


def best_labels(Q: Rows) -> list[int]:
    """Return the most probable label of each pixel, from 1; of equal ones, the first."""
    return [list(row).index(max(row)) + 1 for row in Q]


def check_pixels(U: Rows, positions: Rows, intensities: Sequence[Value], steps: int) -> None:
    """Check that the inputs of a CRF fit each other, and are few enough for a computation by hand.

    Raises:
        UserError: If they don't.
    """
    if not len(U) == len(positions) == len(intensities):
        raise UserError(
            f"U, P and I must have one row or number per pixel, not {len(U)}, {len(positions)} and {len(intensities)}."
        )
    if len(U) > MAX_PIXELS or steps > MAX_STEPS:
        raise UserError(f"Use at most {MAX_PIXELS} pixels and {MAX_STEPS} steps.")
