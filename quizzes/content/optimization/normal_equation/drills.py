"""Analytical solution: drills."""

from random import Random

from quizzes.content.optimization.normal_equation.formulas import NORMAL_EQUATION
from quizzes.content.shared_drills import random_points
from quizzes.drill import Inputs, Mistake, drill


@drill(
    NORMAL_EQUATION,
    id="normal-equation:matrix",
    tier=3,
    asks=("A", "c", "theta1", "theta2"),
    visualization="matrices X y",
    prompt="Solve the normal equation theta = (X^T X)^-1 X^T y by hand for X = {X} (one row per sample; the column of "
    "ones is for the intercept) and y = {y}.\n"
    "What are A = X^T X, c = X^T y, the intercept theta1, and the slope theta2?",
    hint="A is 2x2 for any number of samples. To invert it, swap the diagonal entries, change the signs of the "
    "off-diagonal entries, and divide by the determinant.",
    mistakes=[
        Mistake(
            "transposed-wrongly",
            "A[j, k] = sum(i, X[j, i]*X[k, i])",
            "That is X X^T, which has one row per sample. X^T X has one row per parameter.",
        ),
        Mistake(
            "averaged",
            "A[j, k] = mean(i, X[i, j]*X[i, k]); c[j] = mean(i, X[i, j]*y[i])",
            "You averaged over the samples. The entries are sums, so do not divide by the number of samples.",
        ),
        Mistake("not-inverted", "theta1 = c[1]; theta2 = c[2]", "That is X^T y. Multiply it by the inverse of A."),
        Mistake(
            "divided-by-diagonal",
            "theta1 = c[1]/A[1, 1]; theta2 = c[2]/A[2, 2]",
            "You divided by the diagonal entries only. A has off-diagonal entries too, so invert the whole matrix.",
        ),
        Mistake(
            "no-determinant",
            "theta1 = A[2, 2]*c[1] - A[1, 2]*c[2]; theta2 = A[1, 1]*c[2] - A[1, 2]*c[1]",
            "You left out the determinant. The inverse of a 2x2 matrix has the factor 1/det(A).",
        ),
        Mistake(
            "signs-not-turned",
            "theta1 = (A[2, 2]*c[1] + A[1, 2]*c[2])/D; theta2 = (A[1, 1]*c[2] + A[1, 2]*c[1])/D",
            "You kept the signs of the off-diagonal entries. The inverse changes their signs.",
        ),
    ],
)
def normal_equation_matrix(rng: Random) -> Inputs:
    """Normal equation with matrices"""
    x, y = random_points(rng, count=rng.choice([3, 3, 4]))
    return dict(X=[[1, v] for v in x], y=y)
