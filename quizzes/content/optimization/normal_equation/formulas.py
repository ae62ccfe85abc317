"""Analytical solution: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Matrix, Real, Vector

NORMAL_EQUATION = Formula(
    "normal-equation",
    """
    A[j, k] = sum(i, X[i, j]*X[i, k])
    c[j] = sum(i, X[i, j]*y[i])
    D = A[1, 1]*A[2, 2] - A[1, 2]^2
    theta1 = (A[2, 2]*c[1] - A[1, 2]*c[2])/D
    theta2 = (A[1, 1]*c[2] - A[1, 2]*c[1])/D
    """,
    title="Normal equation for two columns",
    source="derivation: the gradient 2 X^T (X theta - y) is zero if X^T X theta = X^T y; a symmetric 2x2 matrix "
    "[[p, q], [q, r]] has the inverse [[r, -q], [-q, p]]/(pr - q^2)",
    shapes="X[i, 2]",
    X=Matrix(meaning="one row per sample, two columns"),
    y=Vector(meaning="targets"),
    A=Matrix(meaning="X^T X"),
    c=Vector(meaning="X^T y"),
    D=Real(meaning="determinant of A"),
    theta1=Real(meaning="parameter of the first column"),
    theta2=Real(meaning="parameter of the second column"),
)
