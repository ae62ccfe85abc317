"""MSE, MAE, RMSE: drills."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

from quizzes.content.regression.regression_losses.formulas import (
    BEST_CONSTANT,
    HUBER_SMOOTH_L1,
    LOSS_GRADIENT,
    REGRESSION_LOSSES,
    SLOPES,
    gradient_text,
    inputs_as_factors,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step


def _best_constant_steps(y: Sequence[int], c_MSE: float, c_MAE: int) -> list[Step]:
    total = " + ".join(map(str, y))
    return [
        Step("Minimize the MSE. The derivative 2 sum (c - y) is zero at the mean.", [f"c_MSE = ({total})/{len(y)}"]),
        Step(
            "Minimize the MAE. The derivative sum sign(c - y) is zero if as many targets are below c as above it, so c "
            f"is the middle value of {', '.join(map(str, sorted(y)))}.",
            [f"c_MAE = {c_MAE}"],
        ),
    ]


FORMS = {"MSE": "(1/N) sum (yhat - y)^2", "MSE/2": "(1/(2N)) sum (yhat - y)^2", "MAE": "(1/N) sum |yhat - y|"}


DERIVATIVES = {
    "MSE": "r^2 has the derivative 2r",
    "MSE/2": "r^2/2 has the derivative r",
    "MAE": "|r| has the derivative sign(r)",
}


def _steps(loss: str, by: str, x: Sequence[float], y: Sequence[float], dL: str) -> list[Step]:
    inner = "dr/dw, which is the sample's x" if by == "w" else "dr/db, which is 1"
    average = f", then average over the {len(x)} samples" if len(x) > 1 else ""
    return [
        Step(f"Differentiate the loss with respect to the residual r = w*x + b - y: {DERIVATIVES[loss]}."),
        Step(f"By the chain rule, multiply by {inner}{average}.", [dL]),
    ]


def _gradient_with(
    slopes: dict[str, str] | None = None, parameter: str = "", mean: bool = True
) -> dict[str, Callable[..., str]]:
    """Return the derivative with some mistake.

    Args:
        slopes: Other derivatives of a loss with respect to a residual, by loss.
        parameter: The parameter whose inner derivative is used; empty for the correct one.
        mean: Whether to average over the samples; a sum if not.
    """

    def gradient(loss: str, by: str, x: Sequence[Fraction], y: Sequence[Fraction]) -> str:
        factors = inputs_as_factors(x) if (parameter or by) == "w" else [""] * len(x)
        return gradient_text((SLOPES | (slopes or {}))[loss], factors, x, y, mean)

    return {"dL": gradient}


@drill(
    REGRESSION_LOSSES,
    tier=1,
    asks=("MSE", "MAE", "RMSE"),
    visualization="residuals",
    prompt="The targets are y = {y}, and the predictions are yhat = {yhat}. What are the mean squared error MSE, the "
    "mean absolute error MAE, and the root mean squared error RMSE?\n"
    "Conventions: the MSE has no factor 1/2.",
    hint="Compute the residuals first. Average their squares for MSE and their absolute values for MAE; RMSE is the "
    "square root of MSE.",
    mistakes=[
        Mistake(
            "no-mean",
            "MSE = sum(i, (yhat[i] - y[i])^2); MAE = sum(i, abs(yhat[i] - y[i])); RMSE = sqrt(sum(i, (yhat[i] - "
            "y[i])^2))",
            "You did not average. Divide the sum by the number of samples.",
        ),
        Mistake(
            "halved",
            "MSE = mean(i, (yhat[i] - y[i])^2)/2",
            "You halved the MSE. Here it is the mean of the squares, without a factor 1/2.",
        ),
        Mistake("no-root", "RMSE = MSE", "That is the MSE. RMSE is its square root."),
        Mistake(
            "root-before-mean",
            {"RMSE": lambda y, yhat: float(sum((a - b) ** 2 for a, b in zip(yhat, y, strict=True))) ** 0.5 / len(y)},
            "You averaged after taking the square root. Average first, so that the number of samples is inside the "
            "root.",
        ),
        Mistake(
            "signs-cancel",
            "MAE = abs(mean(i, yhat[i] - y[i]))",
            "Residuals of opposite sign canceled. Take the absolute value of each one before you average.",
        ),
    ],
)
def mse_mae_rmse(rng: Random) -> Inputs:
    """MSE, MAE and RMSE"""
    y = [rng.randint(-4, 20) / 2 for _ in range(rng.choice([3, 4, 4, 5]))]
    return dict(y=y, yhat=[v + rng.choice([-3, -2, -1, -0.5, 0, 0.5, 1, 2, 4]) for v in y])


@drill(
    BEST_CONSTANT,
    id="mse-mae-rmse:best-constant",
    tier=2,
    asks=("c_MSE", "c_MAE"),
    visualization="number-line y",
    prompt="The targets are y = {y}. A model predicts the same constant c for all of them. Which c minimizes the mean "
    "squared error (c_MSE), and which c minimizes the mean absolute error (c_MAE)?",
    hints=(
        "Set the derivative to zero: sum (c - y) for the squares, and sum sign(c - y) for the absolute values.",
        "The mean of the targets minimizes the MSE. The median, the middle one of the sorted targets, "
        "minimizes the MAE.",
        "First step: add up the targets, and sort them.",
    ),
    steps=_best_constant_steps,
    mistakes=[
        Mistake(
            "swapped",
            {"c_MSE": lambda y: sorted(y)[len(y) // 2], "c_MAE": lambda y: Fraction(sum(y), len(y))},
            "You swapped the two. The mean minimizes the squared error; the median minimizes the absolute error.",
        ),
        Mistake(
            "middle-of-the-range",
            {"c_MSE": lambda y: Fraction(min(y) + max(y), 2), "c_MAE": lambda y: Fraction(min(y) + max(y), 2)},
            "You used the midpoint of the range. It minimizes the largest error, not the mean error.",
        ),
        Mistake(
            "middle-of-the-list",
            {"c_MAE": lambda y: y[len(y) // 2]},
            "You did not sort the targets. Sort them before you take the middle one.",
        ),
    ],
)
def best_constant(rng: Random) -> Inputs:
    """Constant predictions and an outlier"""
    low = rng.randint(1, 12)
    y = [*rng.sample(range(low, low + 10), rng.choice([4, 4, 6])), rng.randint(30, 99)]
    rng.shuffle(y)
    return dict(y=y)


@drill(
    HUBER_SMOOTH_L1,
    tier=2,
    asks=("huber", "smooth"),
    visualization="functions: huber smooth-l1 at d",
    prompt="The residual of a prediction is d = {d}. What are its Huber loss with delta = {beta} (huber) and its "
    "smooth L1 loss with beta = {beta} (smooth)?\n"
    "Conventions: as in PyTorch, near 0 the Huber loss is d^2/2 and smooth L1 is d^2/(2 beta).",
    hint="Is |d| above or below the threshold? The two losses differ by a constant factor.",
    mistakes=[
        Mistake(
            "quadratic-everywhere",
            "huber = d^2/2; smooth = d^2/(2*beta)",
            "You used the parabola. |d| is above the threshold, so the loss is linear here.",
        ),
        Mistake(
            "linear-everywhere",
            "huber = beta*(abs(d) - beta/2); smooth = abs(d) - beta/2",
            "You used the linear part. |d| is below the threshold, so the loss is quadratic here.",
        ),
        Mistake(
            "no-offset",
            "huber = beta*abs(d); smooth = abs(d)",
            "You left out the offset. Above the threshold, use |d| minus half the threshold (times delta for Huber); "
            "below it, "
            "use the parabola.",
        ),
        Mistake(
            "other-of-the-two",
            "huber = where(abs(d) <= beta, d^2/2, beta*(abs(d) - beta/2))/beta; smooth = huber",
            "You swapped the two losses. Smooth L1 is the Huber loss divided by the threshold.",
        ),
    ],
)
def huber_smoothl1(rng: Random) -> Inputs:
    """Huber loss and smooth L1"""
    beta = rng.choice([0.5, 0.8, 1.5, 2, 2.5, 3])
    share = rng.choice([0.2, 0.4, 0.5, 0.6, 1.2, 1.4, 1.6, 2, 2.2, 3])
    return dict(d=round(rng.choice([-1, 1]) * share * beta, 3), beta=beta)


@drill(
    LOSS_GRADIENT,
    tier=2,
    asks="dL",
    visualization="scatter x y",
    prompt="The model is yhat = w x + b, and the training set is x = {x}, y = {y}. The loss is L = {loss} = {form}, "
    "and dL is its derivative dL/d{by}.\n"
    "Answer in terms of w and b. Any equivalent form is accepted. sign(u) is 1 for u > 0, -1 for u < 0, and 0 for "
    "u = 0.",
    hints=(
        "Take one sample. What is the derivative of its loss at the residual, and the derivative of the residual?",
        "The derivative of the mean is the mean of the derivatives. The chain rule for one sample is "
        "dl/dr*dr/dw for the weight and dl/dr*dr/db for the bias, with the residual r = w*x + b - y.",
    ),
    steps=_steps,
    mistakes=[
        Mistake(
            "no-factor-2",
            _gradient_with({"MSE": SLOPES["MSE/2"]}),
            "You left out the factor 2. It comes from differentiating the square, and this loss has no 1/2 to cancel "
            "it.",
        ),
        Mistake(
            "half-ignored",
            _gradient_with({"MSE/2": SLOPES["MSE"]}),
            "You kept the factor 2 of the derivative. The 1/2 in this loss cancels it.",
        ),
        Mistake(
            "no-input",
            _gradient_with(parameter="b"),
            "You left out the inner derivative. w multiplies x, so multiply the term of each sample by its x.",
        ),
        Mistake(
            "input-for-intercept",
            _gradient_with(parameter="w"),
            "That is dL/dw. The model adds b without a factor, so the inner derivative is 1, not x.",
        ),
        Mistake(
            "sign",
            _gradient_with({"MSE": "(-2)*({r})", "MSE/2": "(-1)*({r})", "MAE": "(-1)*sign({r})"}),
            "Your sign is reversed. The residual is yhat - y; with y - yhat, the chain rule adds a minus sign.",
        ),
        Mistake(
            "no-mean",
            _gradient_with(mean=False),
            "You summed over the samples. The loss is a mean, so divide by the number of samples.",
        ),
        Mistake(
            "residual-for-sign",
            _gradient_with({"MAE": "({r})"}),
            "You used the residual r itself. The derivative of |r| is sign(r), for r of any size.",
        ),
    ],
)
def loss_gradient_symbolic(rng: Random) -> Inputs:
    """Gradient of a loss as an expression"""
    loss = rng.choice(list(SLOPES))
    count = rng.choice([1, 3]) if loss == "MSE/2" else rng.choice([1, 2, 2])
    x = rng.sample([-3, -2, 2, 3, 4, 5], count)
    return dict(
        loss=loss,
        by=rng.choice(["w", "w", "b"]),
        x=x,
        y=[rng.randint(-9, 9) + 0.5 for _ in x],
        form=FORMS[loss],
        variables={"w": [-9, 9], "b": [-9, 9]},  # on this domain, every residual takes both signs
    )
