"""Regression: linear models, and losses to fit and evaluate them."""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.answers.numbers import format_number
from quizzes.formulas import formula
from workbench.errors import UserError

Number = int | Fraction

LINEAR_PREDICT = formula(
    "linear-predict",
    "y = b + sum(i, w[i]*x[i])",
    topic="linear-regression",
    title="Prediction of a linear model",
    source="derivation: the intercept plus the sum of w_i x_i",
    b="real = 0; intercept",
    w="vector; weights, one per feature",
    x="vector; features, in the order of the weights",
    y="real; prediction",
)

LEAST_SQUARES_LINE = formula(
    "least-squares-line",
    """
    x_mean = mean(i, x[i])
    y_mean = mean(i, y[i])
    w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)
    b = y_mean - w*x_mean
    """,
    topic="linear-regression",
    title="Least-squares line",
    source="derivation: both derivatives of sum (wx + b - y)^2 are zero; the one with respect to b gives "
    "b = y_mean - w x_mean; inserting this into the one with respect to w gives w",
    x="vector; inputs",
    y="vector; targets",
    x_mean="real; mean of x",
    y_mean="real; mean of y",
    w="real; slope",
    b="real; intercept",
)

GD_STEP_LINREG = formula(
    "gd-step-linreg",
    """
    g_w = 2*mean(i, (w0*x[i] + b0 - y[i])*x[i])
    g_b = 2*mean(i, w0*x[i] + b0 - y[i])
    w1 = w0 - eta*g_w
    b1 = b0 - eta*g_b
    """,
    topic="linear-regression",
    title="One step of gradient descent on the MSE of a line",
    source="derivation: chain rule on L = (1/N) sum (wx + b - y)^2",
    x="vector; inputs",
    y="vector; targets",
    w0="real = 0; slope before the step",
    b0="real = 0; intercept before the step",
    eta="real 0..; learning rate",
    g_w="real; gradient dL/dw before the step",
    g_b="real; gradient dL/db before the step",
    w1="real; slope after the step",
    b1="real; intercept after the step",
)

R2_SCORE = formula(
    "r2-score",
    """
    SS_res = sum(i, (y[i] - yhat[i])^2)
    y_mean = mean(i, y[i])
    SS_tot = sum(i, (y[i] - y_mean)^2)
    R2 = 1 - SS_res/SS_tot
    """,
    topic="linear-regression",
    title="Coefficient of determination",
    source="derivation: the fraction of the squared error of the constant prediction y_mean that the model removes",
    y="vector; targets",
    yhat="vector; predictions",
    SS_res="real; sum of the squared residuals",
    y_mean="real; mean of the targets",
    SS_tot="real; sum of the squared deviations of the targets from their mean",
    R2="real; coefficient of determination",
)

REGRESSION_LOSSES = formula(
    "mse-mae-rmse",
    """
    MSE = mean(i, (yhat[i] - y[i])^2)
    MAE = mean(i, abs(yhat[i] - y[i]))
    RMSE = sqrt(MSE)
    """,
    topic="regression-losses",
    title="MSE, MAE and RMSE",
    source="derivation: by definition, as the names say",
    y="vector; targets",
    yhat="vector; predictions",
    MSE="real; mean squared error",
    MAE="real; mean absolute error",
    RMSE="real; root mean squared error",
)


def _median(y: Sequence[Number]) -> dict[str, Number]:
    if len(y) % 2 == 0:
        raise UserError(f"y must have an odd number of values, not {len(y)}, so that one is in the middle.")
    return {"c_MAE": sorted(y)[len(y) // 2]}


BEST_CONSTANT = formula(
    "best-constant",
    "c_MSE = mean(i, y[i])",
    topic="regression-losses",
    title="Constants that minimize the MSE and the MAE",
    source="derivation: the derivative of sum (c - y)^2 is zero at the mean; that of sum |c - y| is the number of "
    "values below c minus the number above it, which is zero at the median",
    procedure=_median,
    procedure_outputs="c_MAE",
    y="vector; targets (an odd number of them)",
    c_MSE="real; constant that minimizes the mean squared error",
    c_MAE="real; constant that minimizes the mean absolute error",
)

HUBER_SMOOTH_L1 = formula(
    "huber-smooth-l1",
    """
    q = min(abs(d), beta)
    huber = q^2/2 + beta*(abs(d) - q)
    smooth = huber/beta
    """,
    topic="regression-losses",
    title="Huber loss and smooth L1",
    source="derivation: d^2/2 near 0, continued by its tangent beta(|d| - beta/2) for |d| > beta; smooth L1 is this "
    "divided by beta; Girshick, Fast R-CNN, 2015 (arXiv:1504.08083) has it for beta = 1",
    d="real; residual, prediction minus target",
    beta="real 0.001.. = 1; threshold, where the parabola ends (delta of the Huber loss)",
    q="real; quadratic part of |d|",
    huber="real; Huber loss with delta = beta",
    smooth="real; smooth L1 loss",
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


LOSS_GRADIENT = formula(
    "loss-gradient",
    "",
    topic="regression-losses",
    title="Gradient of MSE and MAE for a line",
    source="derivation: chain rule on the mean of (wx + b - y)^2 or |wx + b - y|; |r|' = sign(r)",
    procedure=_loss_gradient,
    procedure_outputs="dL",
    loss="word MSE|MSE/2|MAE; loss",
    by="word w|b; parameter",
    x="vector; inputs",
    y="vector; targets",
    dL="expression; derivative of the loss with respect to the parameter",
)
