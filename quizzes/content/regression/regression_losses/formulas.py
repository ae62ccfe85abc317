"""MSE, MAE, RMSE: formulas."""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.answers.numbers import format_number
from quizzes.formula import Formula
from quizzes.symbols import Expression, Real, Vector, Word
from workbench.errors import UserError

Number = int | Fraction


REGRESSION_LOSSES = Formula(
    "mse-mae-rmse",
    """
    MSE = mean(i, (yhat[i] - y[i])^2)
    MAE = mean(i, abs(yhat[i] - y[i]))
    RMSE = sqrt(MSE)
    """,
    title="MSE, MAE and RMSE",
    source="derivation: by definition, as the names say",
    y=Vector(meaning="targets"),
    yhat=Vector(meaning="predictions"),
    MSE=Real(meaning="mean squared error"),
    MAE=Real(meaning="mean absolute error"),
    RMSE=Real(meaning="root mean squared error"),
)


def _median(y: Sequence[Number]) -> dict[str, Number]:
    if len(y) % 2 == 0:
        raise UserError(f"y must have an odd number of values, not {len(y)}, so that one is in the middle.")
    return {"c_MAE": sorted(y)[len(y) // 2]}


BEST_CONSTANT = Formula(
    "best-constant",
    "c_MSE = mean(i, y[i])",
    statement="c_MAE = median(y)",
    title="Constants that minimize the MSE and the MAE",
    source="derivation: the derivative of sum (c - y)^2 is zero at the mean; that of sum |c - y| is the number of "
    "values below c minus the number above it, which is zero at the median",
    procedure=_median,
    procedure_outputs="c_MAE",
    y=Vector(meaning="targets (an odd number of them)"),
    c_MSE=Real(meaning="constant that minimizes the mean squared error"),
    c_MAE=Real(meaning="constant that minimizes the mean absolute error"),
)


HUBER_SMOOTH_L1 = Formula(
    "huber-smooth-l1",
    """
    huber = where(abs(d) <= beta, d^2/2, beta*(abs(d) - beta/2))
    smooth = huber/beta
    """,
    title="Huber loss and smooth L1",
    source="derivation: d^2/2 near 0, continued by its tangent beta(|d| - beta/2) for |d| > beta; smooth L1 is this "
    "divided by beta; Girshick, Fast R-CNN, 2015 (arXiv:1504.08083) has it for beta = 1",
    d=Real(meaning="residual, prediction minus target"),
    beta=Real(0.001, meaning="threshold, where the parabola ends (delta of the Huber loss)", default=1),
    huber=Real(meaning="Huber loss with delta = beta"),
    smooth=Real(meaning="smooth L1 loss"),
)


# The derivative of each loss with respect to one residual r, before averaging over the samples.
SLOPES = {"MSE": "2*({r})", "MSE/2": "({r})", "MAE": "sign({r})"}


def gradient_text(
    slope: str, factors: Sequence[str], x: Sequence[Number], y: Sequence[Number], mean: bool = True
) -> str:
    """Return the derivative of a loss as text.

    Args:
        slope: The derivative with respect to a residual `{r}`.
        factors: The inner derivative for each sample, as `inputs_as_factors` gives it; empty for 1.
        x: The inputs.
        y: The targets; the residuals are w*x + b - y.
        mean: Whether to average over the samples; a sum if not.
    """
    residuals = [
        f"{format_number(u)}*w + b - {format_number(v)}".replace("- -", "+ ") for u, v in zip(x, y, strict=True)
    ]
    terms = [slope.format(r=r) + factor for r, factor in zip(residuals, factors, strict=True)]
    total = " + ".join(terms)
    return f"({total})/{len(x)}" if mean and len(x) > 1 else total


def inputs_as_factors(x: Sequence[Number]) -> list[str]:
    """Return the inner derivative with respect to w for each sample, as text: times x."""
    return [f"*{format_number(u)}" if u >= 0 else f"*({format_number(u)})" for u in x]


def _loss_gradient(loss: str, by: str, x: Sequence[Number], y: Sequence[Number]) -> dict[str, str]:
    if len(x) != len(y):
        raise UserError(f"x and y must have the same length, not {len(x)} and {len(y)}.")
    return {"dL": gradient_text(SLOPES[loss], inputs_as_factors(x) if by == "w" else [""] * len(x), x, y)}


LOSS_GRADIENT = Formula(
    "loss-gradient",
    "",
    title="Gradient of MSE and MAE for a line",
    source="derivation: chain rule on the mean of (wx + b - y)^2 or |wx + b - y|; |r|' = sign(r)",
    procedure=_loss_gradient,
    procedure_outputs="dL",
    loss=Word(words=("MSE", "MSE/2", "MAE"), meaning="loss"),
    by=Word(words=("w", "b"), meaning="parameter"),
    x=Vector(meaning="inputs"),
    y=Vector(meaning="targets"),
    dL=Expression(meaning="derivative of the loss with respect to the parameter"),
)
