"""The analytical solution, by matrices."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.drills.regression.linear_regression import points
from quizzes.formulas.descent import NORMAL_EQUATION


@drill(
    NORMAL_EQUATION,
    id="normal-equation:matrix",
    tier=3,
    asks="A c theta1 theta2",
    visualization="matrices X y",
    prompt="Solve the normal equation theta = (X^T X)^-1 X^T y by hand: X = {X} (a row for each sample; the column of "
    "ones is for the intercept), y = {y}.\n"
    "What are A = X^T X, c = X^T y, theta1 (the intercept) and theta2 (the slope)?",
    hint="A is 2 x 2, whatever the number of samples; its inverse swaps the diagonal, turns the other signs, and "
    "divides by the determinant.",
)
def normal_equation_matrix(rng: Random) -> dict[str, Any]:
    """Normal equation by matrices"""
    x, y = points(rng, rng.choice([3, 3, 4]))
    return dict(X=[[1, v] for v in x], y=y)


normal_equation_matrix.mistake(
    "transposed-wrongly",
    "A[j, k] = sum(i, X[j, i]*X[k, i])",
    "That is X X^T, with a row for each sample: X^T X has one for each parameter.",
)
normal_equation_matrix.mistake(
    "averaged",
    "A[j, k] = mean(i, X[i, j]*X[i, k]); c[j] = mean(i, X[i, j]*y[i])",
    "Nothing is averaged here: the entries are sums over the samples, and the first one counts them.",
)
normal_equation_matrix.mistake(
    "not-inverted",
    "theta1 = c[1]; theta2 = c[2]",
    "That is X^T y: the inverse of A has still to multiply it.",
)
normal_equation_matrix.mistake(
    "divided-by-diagonal",
    "theta1 = c[1]/A[1, 1]; theta2 = c[2]/A[2, 2]",
    "An inverse matrix is not made of inverse entries: the two equations hang together through A[1, 2].",
)
normal_equation_matrix.mistake(
    "no-determinant",
    "theta1 = A[2, 2]*c[1] - A[1, 2]*c[2]; theta2 = A[1, 1]*c[2] - A[1, 2]*c[1]",
    "The inverse of a 2 x 2 matrix is divided by the determinant.",
)
normal_equation_matrix.mistake(
    "signs-not-turned",
    "theta1 = (A[2, 2]*c[1] + A[1, 2]*c[2])/D; theta2 = (A[1, 1]*c[2] + A[1, 2]*c[1])/D",
    "The entries off the diagonal change their sign in the inverse.",
)
normal_equation_matrix.torch(
    """
A, c = (X.T @ X).tolist(), (X.T @ y).tolist()
theta1, theta2 = torch.linalg.lstsq(X, y[:, None]).solution.flatten().tolist()
"""
)
