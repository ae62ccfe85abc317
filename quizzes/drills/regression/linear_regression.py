"""Linear regression: predict, fit exactly, fit by a step, judge the fit."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.regression import (
    GD_STEP_LINREG,
    LEAST_SQUARES_LINE,
    LINEAR_PREDICT,
    R2_SCORE,
)


@drill(
    LINEAR_PREDICT,
    tier=1,
    asks="y",
    decimals=2,
    prompt="A linear model predicts the price of a flat, in thousands, from its area in m2, its rooms and its age in "
    "years, in this order: weights w = {w}, intercept b = {b}. The advertisement says: {advert}. "
    "What price y does the model predict?",
    hint="Each feature meets its own weight; the intercept comes on top.",
)
def linear_predict(rng: Random) -> dict[str, Any]:
    """Prediction of a linear model"""
    area, rooms, age = rng.randint(4, 14) * 10, rng.randint(1, 6), rng.randint(1, 40)
    w = [rng.randint(10, 40) / 10, rng.randint(10, 60) / 4, -rng.randint(1, 30) / 10]
    advert = f"built {age} year{'s' * (age > 1)} ago, {rooms} room{'s' * (rooms > 1)}, {area} m2"
    return dict(w=w, b=rng.choice([-1, 1]) * rng.randint(10, 80) / 2, x=[area, rooms, age], advert=advert)


linear_predict.mistake("no-intercept", "y = sum(i, w[i]*x[i])", "The intercept is missing: add b.")
linear_predict.mistake(
    "order-mixed",
    {"y": lambda b, w, x: b + sum(p * q for p, q in zip(w, reversed(x), strict=True))},
    "Each weight belongs to one feature: put area, rooms and age into the order of the weights.",
)
linear_predict.mistake(
    "sign-lost",
    "y = b + sum(i, abs(w[i])*x[i])",
    "A negative weight lowers the prediction: keep its sign.",
)
linear_predict.mistake(
    "intercept-for-each",
    "y = sum(i, w[i]*x[i] + b)",
    "The intercept is added once, not once for every feature.",
)
linear_predict.torch("y = F.linear(x, w[None], torch.tensor([float(b)])).item()")


def points(rng: Random, count: int) -> tuple[list[int], list[int]]:
    """So many samples near a line, with whole numbers: their x in order, and their y."""
    x = sorted(rng.sample(range(1, 9), count))
    w, b = rng.choice([-2, -1, 1, 2, 3]), rng.randint(-3, 6)
    return x, [w * v + b + rng.randint(-2, 2) for v in x]


@drill(
    LEAST_SQUARES_LINE,
    id="normal-equation",
    tier=2,
    asks="w b",
    visualization="scatter x y",
    prompt="Fit the line yhat = w x + b by least squares, exactly: x = {x}, y = {y}. What are w and b?",
    hint="The line of least squares goes through the point of the two means; its slope is the shared deviations over "
    "the squared deviations of x.",
)
def normal_equation(rng: Random) -> dict[str, Any]:
    """Line of least squares"""
    x, y = points(rng, rng.choice([3, 3, 4]))
    return dict(x=x, y=y)


normal_equation.mistake(
    "through-the-origin",
    "w = sum(i, x[i]*y[i])/sum(i, x[i]^2)",
    "That is the best line through the origin: with an intercept X has a column of ones, which subtracts both means.",
)
normal_equation.mistake(
    "swapped",
    """w = y_mean - sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)*x_mean;
    b = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)""",
    "Slope and intercept have changed places: w multiplies x, b stands alone.",
)
normal_equation.mistake(
    "not-inverted",
    "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))",
    "The inverse is missing: divide by the sum of the squared deviations of x.",
)
normal_equation.mistake(
    "x-on-y",
    "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (y[i] - y_mean)^2)",
    "That fits x by y: the squared deviations below belong to x, the feature.",
)
normal_equation.mistake(
    "intercept-sign", "b = y_mean + w*x_mean", "The line goes through both means, y_mean = w x_mean + b: subtract."
)
normal_equation.torch(
    """
from sklearn.linear_model import LinearRegression

line = LinearRegression().fit(x[:, None].numpy(), y.numpy())
w, b = line.coef_.item(), line.intercept_.item()
"""
)


@drill(
    GD_STEP_LINREG,
    tier=2,
    asks="g_w g_b w1 b1",
    visualization="scatter x y w=w0 b=b0",
    prompt="The line yhat = w x + b starts at w = {w0}, b = {b0}. The samples are x = {x}, y = {y}; the loss is "
    "L = MSE = (1/N) sum (yhat - y)^2, without a factor 1/2. Do one step of gradient descent with learning rate {eta}, "
    "over all samples.\n"
    "What are the gradients g_w = dL/dw and g_b = dL/db, and the parameters w1 and b1 after the step?",
    hint="Write down the residuals yhat - y first; both gradients are made of them.",
)
def gd_step_linreg(rng: Random) -> dict[str, Any]:
    """Gradient descent step on a line"""
    x, y = points(rng, rng.choice([3, 3, 4]))
    start = rng.choice([(0, 0), (0, 0), (1, 0), (0.5, 1), (-1, 2)])
    curvature = sum(v * v for v in x) / len(x) + 1  # at least half the largest one: the step comes nearer
    eta = rng.choice([rate for rate in (0.1, 0.05, 0.02, 0.01) if rate * curvature < 1])
    return dict(x=x, y=y, w0=start[0], b0=start[1], eta=eta)


gd_step_linreg.mistake(
    "no-factor-2",
    "g_w = mean(i, (w0*x[i] + b0 - y[i])*x[i]); g_b = mean(i, w0*x[i] + b0 - y[i])",
    "The square's derivative brings a factor 2 down, and no 1/2 in this loss takes it away.",
)
gd_step_linreg.mistake(
    "no-mean",
    "g_w = 2*sum(i, (w0*x[i] + b0 - y[i])*x[i]); g_b = 2*sum(i, w0*x[i] + b0 - y[i])",
    "The loss is a mean, and so is its gradient: divide the sum by N.",
)
gd_step_linreg.mistake(
    "target-minus-prediction",
    "g_w = 2*mean(i, (y[i] - w0*x[i] - b0)*x[i]); g_b = 2*mean(i, y[i] - w0*x[i] - b0)",
    "With y - yhat the chain rule adds a minus, as yhat stands with a minus: the gradient is made of yhat - y.",
)
gd_step_linreg.mistake(
    "no-input",
    "g_w = 2*mean(i, w0*x[i] + b0 - y[i])",
    "w multiplies x: every residual in dL/dw is weighted by its x.",
)
gd_step_linreg.mistake(
    "ascent",
    "w1 = w0 + eta*g_w; b1 = b0 + eta*g_b",
    "Descent goes against the gradient: subtract eta times the gradient.",
)
gd_step_linreg.mistake("intercept-kept", "b1 = b0", "The intercept is a parameter too: it takes the same step.")
gd_step_linreg.mistake(
    "no-learning-rate",
    "w1 = w0 - g_w; b1 = b0 - g_b",
    "The step is the learning rate times the gradient, not the whole gradient.",
)
gd_step_linreg.torch(
    """
w, b = (torch.tensor(float(v), requires_grad=True) for v in (w0, b0))
F.mse_loss(w * x + b, y).backward()
g_w, g_b = w.grad.item(), b.grad.item()
torch.optim.SGD([w, b], lr=eta).step()
w1, b1 = w.item(), b.item()
"""
)


@drill(
    R2_SCORE,
    tier=2,
    asks="SS_res SS_tot R2",
    visualization="residuals",
    prompt="Targets y = {y}, predictions yhat = {yhat}. What are SS_res, the sum of the squared residuals, SS_tot, the "
    "sum of the squared deviations of the targets from their mean (both are sums, not means), and the coefficient "
    "of determination R2?",
    hint="R2 compares the model with one that always answers the mean of the targets.",
)
def r2_score(rng: Random) -> dict[str, Any]:
    """Coefficient of determination"""
    y = [rng.randint(-2, 10) for _ in range(rng.choice([4, 4, 5]))]
    return dict(y=y, yhat=[v + rng.choice([-2, -1, -1, -0.5, 0, 0.5, 1, 2]) for v in y])


def _correlation_squared(y: list, yhat: list) -> float:
    from statistics import StatisticsError, correlation

    from quizzes.expressions.tree import UndefinedValue

    try:
        return correlation([float(v) for v in y], [float(v) for v in yhat]) ** 2
    except StatisticsError:
        raise UndefinedValue("a constant has no correlation") from None


r2_score.mistake(
    "prediction-mean",
    "SS_tot = sum(i, (y[i] - mean(j, yhat[j]))^2)",
    "The deviations are taken from the mean of the targets, not of the predictions.",
)
r2_score.mistake(
    "spread-of-predictions",
    "SS_tot = sum(i, (yhat[i] - y_mean)^2)",
    "SS_tot is the spread of the targets; the predictions have no part in it.",
)
r2_score.mistake(
    "correlation-squared",
    {"R2": _correlation_squared},
    "The squared correlation ignores a bias and a wrong scale: it equals R2 only for a least-squares fit with "
    "intercept, on its own training data.",
)
r2_score.mistake(
    "one-sum-averaged",
    "R2 = 1 - mean(i, (y[i] - yhat[i])^2)/SS_tot",
    "Divide both sums by N or neither: a mean over a sum makes the model look better than it is.",
)
r2_score.mistake("share-left", "R2 = SS_res/SS_tot", "That is the share which is left unexplained: R2 is 1 minus it.")
r2_score.mistake("inverted", "R2 = 1 - SS_tot/SS_res", "The residuals stand above, the spread of the targets below.")
r2_score.torch(
    """
from sklearn.metrics import r2_score

SS_res = F.mse_loss(yhat, y, reduction="sum").item()
SS_tot = F.mse_loss(y.mean().expand_as(y), y, reduction="sum").item()
R2 = float(r2_score(y, yhat))
"""
)
