"""Analytical solution: formulas."""

from quizzes.answer_symbols import Choice
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector

NORMAL_EQUATION = Formula(
    "normal-equation",
    """
    A[j, k] = sum(i, X[i, j]*X[i, k])
    c[j] = sum(i, X[i, j]*y[i])
    D = A[1, 1]*A[2, 2] - A[1, 2]^2
    theta1 = (A[2, 2]*c[1] - A[1, 2]*c[2])/D
    theta2 = (A[1, 1]*c[2] - A[1, 2]*c[1])/D
    """,
    statement="θ = (XᵀX)⁻¹ Xᵀy, for any number of columns. For two columns:",
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


NORMAL_OR_GRADIENT = Formula(
    "normal-or-gradient",
    """
    c_ne = n*d^2 + d^3
    c_gd = 2n*d*T
    cheaper = where(c_ne < c_gd, 1, 2)
    T_max = floor(c_ne/(2n*d))
    """,
    title="Cost of the normal equation and of gradient descent",
    source="derivation: X^T X takes n d^2 multiplications and a solution about d^3; a gradient step takes "
    "two products with X: X w, and X^T times the residuals",
    n=Int(1, 10**9, "number of samples"),
    d=Int(1, 10**6, "number of features"),
    T=Int(1, 10**6, "number of gradient steps"),
    c_ne=Int(meaning="multiplications of the normal equation"),
    c_gd=Int(meaning="multiplications of gradient descent"),
    cheaper=Choice(
        meaning="cheaper method",
        options=dict(normal="the normal equation", gradient="gradient descent"),
        supported_by="c_ne c_gd",
    ),
    T_max=Int(meaning="largest number of steps for which gradient descent costs no more"),
)
