"""Simple and multiple linear regression: drills."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from statistics import StatisticsError, correlation

from quizzes.content.regression.linear_regression.formulas import (
    GD_STEP_LINREG,
    LEAST_SQUARES_LINE,
    LINEAR_PREDICT,
    R2_SCORE,
)
from quizzes.content.shared_drills import random_points
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue


def _correlation_squared(y: Sequence[Fraction], yhat: Sequence[Fraction]) -> float:
    try:
        return correlation([float(v) for v in y], [float(v) for v in yhat]) ** 2
    except StatisticsError:
        raise UndefinedValue("the correlation of a constant is undefined") from None


@drill(
    LINEAR_PREDICT,
    tier=1,
    asks="y",
    decimals=2,
    prompt="A linear model predicts the price of an apartment, in thousands, from its area in m2, its number of rooms, "
    "and its age in years, in this order. The weights are w = {w}, and the intercept is b = {b}. "
    "The listing says: {advert}.",
    hint="In which order do the weights expect the features? Multiply, add up, then add the intercept.",
    mistakes=[
        Mistake("no-intercept", "y = sum(i, w[i]*x[i])", "You left out the intercept. Add b."),
        Mistake(
            "order-mixed",
            {"y": lambda b, w, x: b + sum(p * q for p, q in zip(w, reversed(x), strict=True))},
            "You multiplied weights by the wrong features. Put area, rooms, and age into the order of the weights.",
        ),
        Mistake(
            "sign-lost",
            "y = b + sum(i, abs(w[i])*x[i])",
            "You dropped the sign of a negative weight. It lowers the prediction.",
        ),
        Mistake(
            "intercept-for-each",
            "y = sum(i, w[i]*x[i] + b)",
            "You added the intercept once per feature. Add it only once.",
        ),
    ],
)
def linear_predict(rng: Random) -> Inputs:
    """Prediction of a linear model"""
    area, rooms, age = rng.randint(4, 14) * 10, rng.randint(1, 6), rng.randint(1, 40)
    w = [rng.randint(10, 40) / 10, rng.randint(10, 60) / 4, -rng.randint(1, 30) / 10]
    advert = f"built {age} year{'s' * (age > 1)} ago, {rooms} room{'s' * (rooms > 1)}, {area} m2"
    return dict(w=w, b=rng.choice([-1, 1]) * rng.randint(10, 80) / 2, x=[area, rooms, age], advert=advert)


@drill(
    LEAST_SQUARES_LINE,
    id="normal-equation",
    tier=2,
    asks=("w", "b"),
    visualization="scatter x y",
    prompt="Fit the least-squares line yhat = w x + b to the samples x = {x}, y = {y}. "
    "What are the slope w and the intercept b?",
    hint="The least-squares line passes through the mean of x and y. Its slope is the sum of the products of the "
    "deviations from these means, divided by the sum of the squared deviations of x.",
    mistakes=[
        Mistake(
            "through-the-origin",
            "w = sum(i, x[i]*y[i])/sum(i, x[i]^2)",
            "That is the best line through the origin. For a line with an intercept, subtract the means of x and y "
            "first.",
        ),
        Mistake(
            "swapped",
            """w = y_mean - sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)*x_mean;
    b = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)""",
            "You swapped slope and intercept. w is the coefficient of x, and b is the constant term.",
        ),
        Mistake(
            "not-inverted",
            "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))",
            "You left out the division. Divide by the sum of the squared deviations of x.",
        ),
        Mistake(
            "x-on-y",
            "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (y[i] - y_mean)^2)",
            "You divided by the deviations of y, which fits x to y. Divide by the squared deviations of x.",
        ),
        Mistake(
            "intercept-sign",
            "b = y_mean + w*x_mean",
            "You added w times the mean of x. The line passes through both means, so subtract it from the mean of y.",
        ),
    ],
)
def normal_equation(rng: Random) -> Inputs:
    """Least-squares line"""
    x, y = random_points(rng, rng.choice([3, 3, 4]))
    return dict(x=x, y=y)


@drill(
    GD_STEP_LINREG,
    tier=2,
    asks=("g_w", "g_b", "w1", "b1"),
    visualization="scatter x y w=w0 b=b0",
    prompt="The line yhat = w x + b starts at w = {w0}, b = {b0}. The samples are x = {x}, y = {y}, and the loss is "
    "the mean squared error L = (1/N) sum (yhat - y)^2, without a factor 1/2.\n"
    "Do one step of gradient descent on all samples with learning rate eta = {eta}. What are the gradients "
    "g_w = dL/dw and g_b = dL/db, and the parameters w1 and b1 after the step?",
    hint="Compute the residuals yhat - y first. How does each gradient depend on them?",
    mistakes=[
        Mistake(
            "no-factor-2",
            "g_w = mean(i, (w0*x[i] + b0 - y[i])*x[i]); g_b = mean(i, w0*x[i] + b0 - y[i])",
            "You left out the factor 2. It comes from differentiating the square, and this loss has no 1/2 to cancel "
            "it.",
        ),
        Mistake(
            "no-mean",
            "g_w = 2*sum(i, (w0*x[i] + b0 - y[i])*x[i]); g_b = 2*sum(i, w0*x[i] + b0 - y[i])",
            "You summed over the samples. The loss is a mean, so divide the gradient by N.",
        ),
        Mistake(
            "target-minus-prediction",
            "g_w = 2*mean(i, (y[i] - w0*x[i] - b0)*x[i]); g_b = 2*mean(i, y[i] - w0*x[i] - b0)",
            "You used y - yhat. Its derivative with respect to yhat is -1, so the gradient contains yhat - y.",
        ),
        Mistake(
            "no-input",
            "g_w = 2*mean(i, w0*x[i] + b0 - y[i])",
            "You left out the inputs. w multiplies x, so multiply each residual in dL/dw by its x.",
        ),
        Mistake(
            "ascent",
            "w1 = w0 + eta*g_w; b1 = b0 + eta*g_b",
            "You added the step. Descent goes against the gradient, so subtract eta times the gradient.",
        ),
        Mistake(
            "intercept-kept",
            "b1 = b0",
            "You did not update the intercept. It is a parameter too, so subtract eta times its gradient.",
        ),
        Mistake(
            "no-learning-rate",
            "w1 = w0 - g_w; b1 = b0 - g_b",
            "You left out the learning rate. The step is eta times the gradient.",
        ),
    ],
)
def gd_step_linreg(rng: Random) -> Inputs:
    """Gradient descent step for a line"""
    x, y = random_points(rng, rng.choice([3, 3, 4]))
    start = rng.choice([(0, 0), (0, 0), (1, 0), (0.5, 1), (-1, 2)])
    # At least half the largest curvature of the loss, so that a step with lr * curvature < 1 lowers the loss.
    curvature = sum(v * v for v in x) / len(x) + 1
    eta = rng.choice([lr for lr in (0.1, 0.05, 0.02, 0.01) if lr * curvature < 1])
    return dict(x=x, y=y, w0=start[0], b0=start[1], eta=eta)


@drill(
    R2_SCORE,
    tier=2,
    asks=("SS_res", "SS_tot", "R2"),
    visualization="residuals",
    prompt="The targets are y = {y}, and the predictions are yhat = {yhat}. What are the sum of the squared residuals "
    "SS_res, the sum of the squared deviations of the targets from their mean SS_tot, and the coefficient of "
    "determination R2?\n"
    "Conventions: SS_res and SS_tot are sums, not means.",
    hint="R2 compares the model with a baseline that always predicts the mean of the targets.",
    mistakes=[
        Mistake(
            "prediction-mean",
            "SS_tot = sum(i, (y[i] - mean(j, yhat[j]))^2)",
            "You used the mean of the predictions. The deviations are from the mean of the targets.",
        ),
        Mistake(
            "spread-of-predictions",
            "SS_tot = sum(i, (yhat[i] - y_mean)^2)",
            "You used the deviations of the predictions. SS_tot depends only on the targets.",
        ),
        Mistake(
            "correlation-squared",
            {"R2": _correlation_squared},
            "That is the squared correlation, which ignores offset and scale. It equals R2 only for a least-squares "
            "fit with "
            "an intercept, on its training data.",
        ),
        Mistake(
            "one-sum-averaged",
            "R2 = 1 - mean(i, (y[i] - yhat[i])^2)/SS_tot",
            "You averaged only one of the sums. Divide both by the number of samples, or neither.",
        ),
        Mistake("share-left", "R2 = SS_res/SS_tot", "That is the unexplained fraction. R2 is 1 minus it."),
        Mistake(
            "inverted",
            "R2 = 1 - SS_tot/SS_res",
            "You inverted the fraction. SS_res is the numerator, and SS_tot is the denominator.",
        ),
    ],
)
def r2_score(rng: Random) -> Inputs:
    """Coefficient of determination"""
    y = [rng.randint(-2, 10) for _ in range(rng.choice([4, 4, 5]))]
    return dict(y=y, yhat=[v + rng.choice([-2, -1, -1, -0.5, 0, 0.5, 1, 2]) for v in y])
