"""Analytical solution: drills."""

from random import Random

from quizzes.content.optimization.normal_equation.formulas import NORMAL_EQUATION, NORMAL_OR_GRADIENT
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


@drill(
    NORMAL_OR_GRADIENT,
    tier=2,
    asks=("c_ne", "c_gd", "cheaper", "T_max"),
    prompt="A linear regression has n = {n} samples and d = {d} features. The normal equation takes n*d^2 + d^3 "
    "multiplications, one step of gradient descent 2*n*d.\n"
    "How many multiplications does the normal equation take (c_ne), and how many do {T} steps of gradient descent "
    "(c_gd)? Which method is cheaper? Up to how many steps does gradient descent cost no more than the normal equation "
    "(T_max)?",
    hint="How often is X multiplied in one gradient step?",
    mistakes=[
        Mistake(
            "solve-forgotten",
            "c_ne = n*d^2; T_max = floor(d/2)",
            "You left out d^3, the cost of solving the system.",
        ),
        Mistake(
            "one-product-per-step",
            "c_gd = n*d*T; T_max = floor(c_ne/(n*d))",
            "You counted one product per step. A step computes X w and X^T times the residuals, so count two.",
        ),
        Mistake(
            "samples-forgotten",
            "c_gd = 2d*T",
            "You left out n. Each step uses all samples.",
        ),
        Mistake(
            "rounded-up",
            "T_max = ceil(c_ne/(2n*d))",
            "You rounded up. One step more would already cost more than the normal equation.",
        ),
        Mistake(
            "always-normal",
            {"cheaper": "normal"},
            "Compare the two numbers. A closed form is not always cheaper.",
        ),
        Mistake(
            "always-gradient",
            {"cheaper": "gradient"},
            "Compare the two numbers. Many steps cost more than a closed form.",
        ),
    ],
)
def normal_or_gd(rng: Random) -> Inputs:
    """Normal equation or gradient descent"""
    n, d = rng.choice([2000, 5000, 10000, 20000, 50000]), rng.choice([50, 100, 150, 200, 300, 400])
    even = (n * d * d + d**3) / (2 * n * d)
    return dict(n=n, d=d, T=max(2, round(even * rng.choice([0.2, 0.4, 0.7, 1.5, 3, 5]))))
