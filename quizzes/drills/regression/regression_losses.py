"""MSE, MAE, RMSE, Huber and smooth L1, and their gradients."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.regression import (
    BEST_CONSTANT,
    HUBER_SMOOTH_L1,
    LOSS_GRADIENT,
    REGRESSION_LOSSES,
    SLOPES,
    gradient_text,
    inputs_as_factors,
)
from quizzes.question import Step


@drill(
    REGRESSION_LOSSES,
    tier=1,
    asks="MSE MAE RMSE",
    visualization="residuals",
    prompt="Targets y = {y}, predictions yhat = {yhat}. What are the mean squared error (1/N, without a factor 1/2), "
    "the mean absolute error and the root mean squared error?",
    hint="Residuals first: square them or take them without their sign, then average; RMSE is the root of MSE.",
)
def mse_mae_rmse(rng: Random) -> dict[str, Any]:
    """MSE, MAE and RMSE"""
    y = [rng.randint(-4, 20) / 2 for _ in range(rng.choice([3, 4, 4, 5]))]
    return dict(y=y, yhat=[v + rng.choice([-3, -2, -1, -0.5, 0, 0.5, 1, 2, 4]) for v in y])


mse_mae_rmse.mistake(
    "no-mean",
    "MSE = sum(i, (yhat[i] - y[i])^2); MAE = sum(i, abs(yhat[i] - y[i])); RMSE = sqrt(sum(i, (yhat[i] - y[i])^2))",
    "The M stands for mean: divide the sum by the number of samples.",
)
mse_mae_rmse.mistake(
    "halved", "MSE = mean(i, (yhat[i] - y[i])^2)/2", "This MSE has no factor 1/2: it is the mean of the squares."
)
mse_mae_rmse.mistake("no-root", "RMSE = MSE", "The R stands for root: take the root of the MSE.")
mse_mae_rmse.mistake(
    "root-before-mean",
    {"RMSE": lambda y, yhat: float(sum((a - b) ** 2 for a, b in zip(yhat, y, strict=True))) ** 0.5 / len(y)},
    "Average first, then take the root: the number of samples stands under it.",
)
mse_mae_rmse.mistake(
    "signs-cancel",
    "MAE = abs(mean(i, yhat[i] - y[i]))",
    "Residuals of opposite sign must not cancel: take each one's absolute value before you average.",
)
mse_mae_rmse.torch(
    """
from sklearn.metrics import root_mean_squared_error

MSE, MAE = F.mse_loss(yhat, y).item(), F.l1_loss(yhat, y).item()
RMSE = float(root_mean_squared_error(y, yhat))
"""
)


def _middle_and_mean(y: list, c_MSE: Any, c_MAE: Any) -> list[Step]:
    total = " + ".join(map(str, y))
    return [
        Step("Squares: 2 sum (c - y) is zero at the mean", [f"c_MSE = ({total})/{len(y)}"]),
        Step(
            "Absolute values: their slope sum sign(c - y) is zero where as many targets lie below c as above it, at "
            f"the one in the middle of {', '.join(map(str, sorted(y)))}",
            [f"c_MAE = {c_MAE}"],
        ),
    ]


@drill(
    BEST_CONSTANT,
    id="mse-mae-rmse:best-constant",
    tier=2,
    asks="c_MSE c_MAE",
    visualization="number-line y",
    prompt="The targets are y = {y}. A model may answer only one constant c for all of them. Which c has the least "
    "mean squared error (c_MSE), and which the least mean absolute error (c_MAE)?",
    hint="Set the derivative to zero: sum (c - y) for the squares; for the absolute values, as many targets below c as "
    "above it.",
    steps=_middle_and_mean,
)
def best_constant(rng: Random) -> dict[str, Any]:
    """Constant predictions and an outlier"""
    low = rng.randint(1, 12)
    y = [*rng.sample(range(low, low + 10), rng.choice([4, 4, 6])), rng.randint(30, 99)]
    rng.shuffle(y)
    return dict(y=y)


best_constant.mistake(
    "swapped",
    {"c_MSE": lambda y: sorted(y)[len(y) // 2], "c_MAE": lambda y: _share(sum(y), len(y))},
    "Squares are least at the mean, absolute values at the median: that is why an outlier drags MSE along and not MAE.",
)
best_constant.mistake(
    "middle-of-the-range",
    {"c_MSE": lambda y: _share(min(y) + max(y), 2), "c_MAE": lambda y: _share(min(y) + max(y), 2)},
    "The middle between the extremes is where the largest error is least, not the mean of the errors.",
)
best_constant.mistake(
    "middle-of-the-list",
    {"c_MAE": lambda y: y[len(y) // 2]},
    "Put the targets in order before you take the one in the middle.",
)


def _share(part: Any, whole: int) -> Any:
    from fractions import Fraction

    return Fraction(part, whole)


best_constant.torch(
    """
from scipy.optimize import minimize_scalar

def loss(c, how):
    return how(torch.full_like(y, float(c)), y).item()

c_MSE = minimize_scalar(loss, args=(F.mse_loss,)).x
c_MAE = min(y.tolist(), key=lambda c: loss(c, F.l1_loss))  # piecewise linear: least at one of its kinks
"""
)


@drill(
    HUBER_SMOOTH_L1,
    tier=2,
    asks="huber smooth",
    visualization="functions: huber smooth-l1 at d",
    prompt="A prediction is off by d = {d}. What are the Huber loss with delta = {beta} and the smooth L1 loss with "
    "beta = {beta}, both as PyTorch defines them (Huber begins as d^2/2, smooth L1 as d^2/(2 beta))?",
    hint="See first on which side of the threshold |d| lies; the two losses differ by a factor.",
)
def huber_smoothl1(rng: Random) -> dict[str, Any]:
    """Huber loss and smooth L1"""
    beta = rng.choice([0.5, 0.8, 1.5, 2, 2.5, 3])
    share = rng.choice([0.2, 0.4, 0.5, 0.6, 1.2, 1.4, 1.6, 2, 2.2, 3])
    return dict(d=round(rng.choice([-1, 1]) * share * beta, 3), beta=beta)


huber_smoothl1.mistake(
    "quadratic-everywhere",
    "huber = d^2/2; smooth = d^2/(2*beta)",
    "Beyond the threshold the loss is a straight line: |d| is larger than it here.",
)
huber_smoothl1.mistake(
    "linear-everywhere",
    "huber = beta*(abs(d) - beta/2); smooth = abs(d) - beta/2",
    "Within the threshold the loss is a parabola: |d| is smaller than it here.",
)
huber_smoothl1.mistake(
    "no-offset",
    "huber = beta*abs(d); smooth = abs(d)",
    "The straight part starts lower, so that it continues the parabola: it is |d| minus half the threshold "
    "(times delta for Huber); within the threshold the parabola holds.",
)
huber_smoothl1.mistake(
    "other-of-the-two",
    "huber = (q^2/2 + beta*(abs(d) - q))/beta; smooth = huber",
    "Huber and smooth L1 were mixed up: smooth L1 is Huber divided by the threshold.",
)
huber_smoothl1.torch(
    """
off, none = torch.tensor(float(d)), torch.tensor(0.0)
huber = F.huber_loss(off, none, delta=beta).item()
smooth = F.smooth_l1_loss(off, none, beta=beta).item()
"""
)

FORMS = {"MSE": "(1/N) sum (yhat - y)^2", "MSE/2": "(1/(2N)) sum (yhat - y)^2", "MAE": "(1/N) sum |yhat - y|"}
OF_ONE = {
    "MSE": "the square of a residual r has the derivative 2r",
    "MSE/2": "half the square of a residual r has the derivative r",
    "MAE": "the absolute value of a residual r has the derivative sign(r)",
}


def _steps(loss: str, by: str, x: list, y: list, dL: str) -> list[Step]:
    inner = "times dr/dw, which is the sample's x" if by == "w" else "times dr/db, which is 1"
    return [
        Step(f"With r = w*x + b - y: {OF_ONE[loss]}"),
        Step(f"Chain rule: {inner}; then the mean over the {len(x)} sample{'s' * (len(x) > 1)}", [dL]),
    ]


@drill(
    LOSS_GRADIENT,
    tier=2,
    asks="dL",
    visualization="scatter x y",
    prompt="The model is yhat = w x + b; the samples are x = {x}, y = {y}. The loss is L = {loss} = {form}. "
    "What is dL/d{by}, as an expression in w and b?\n"
    "sign(u) is 1 for u > 0, -1 for u < 0 and 0 for u = 0. Every form of the right expression counts.",
    hint="Take one sample: the outer derivative at its residual, times the derivative of the residual.",
    steps=_steps,
)
def loss_gradient_symbolic(rng: Random) -> dict[str, Any]:
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
        variables={"w": [-9, 9], "b": [-9, 9]},  # every residual has both signs there
    )


def _otherwise(slopes: dict[str, str] | None = None, factors: str = "right", mean: bool = True) -> Any:
    """The derivative with other slopes, with the factors for w or for b, or with a sum for the mean."""

    def gradient(loss: str, by: str, x: list, y: list) -> str:
        own = {"right": by, "both": "w", "none": "b"}[factors]
        return gradient_text(
            {**SLOPES, **(slopes or {})}[loss], inputs_as_factors(x) if own == "w" else [""] * len(x), x, y, mean
        )

    return {"dL": gradient}


loss_gradient_symbolic.mistake(
    "no-factor-2",
    _otherwise({"MSE": SLOPES["MSE/2"]}),
    "The square's derivative brings a factor 2 down, and no 1/2 in this loss takes it away.",
)
loss_gradient_symbolic.mistake(
    "half-ignored",
    _otherwise({"MSE/2": SLOPES["MSE"]}),
    "The 1/2 in this loss takes the factor 2 of the derivative away.",
)
loss_gradient_symbolic.mistake(
    "no-input",
    _otherwise(factors="none"),
    "The chain rule's second factor is missing: w multiplies x, so each residual comes times its x.",
)
loss_gradient_symbolic.mistake(
    "input-for-intercept",
    _otherwise(factors="both"),
    "That is dL/dw: b stands alone in the model, so its factor is 1 and not x.",
)
loss_gradient_symbolic.mistake(
    "sign",
    _otherwise({"MSE": "(-2)*({r})", "MSE/2": "(-1)*({r})", "MAE": "(-1)*sign({r})"}),
    "The sign is turned: the residual is yhat - y; with y - yhat the chain rule adds a minus.",
)
loss_gradient_symbolic.mistake(
    "no-mean", _otherwise(mean=False), "The loss is a mean, and so is its derivative: divide by the number of samples."
)
loss_gradient_symbolic.mistake(
    "residual-for-sign",
    _otherwise({"MAE": "({r})"}),
    "The slope of an absolute value is 1 or -1, whatever its size: sign(r), not r.",
)
loss_gradient_symbolic.torch(
    """
w = torch.linspace(-1.93, 2.07, 9, requires_grad=True)
b = torch.linspace(1.71, -1.29, 9, requires_grad=True)
yhat = w[:, None] * x + b[:, None]
how = F.l1_loss if loss == "MAE" else F.mse_loss
each = how(yhat, y.expand_as(yhat), reduction="none").mean(dim=1)
dL, = torch.autograd.grad((each / 2 if loss == "MSE/2" else each).sum(), {"w": w, "b": b}[by])
"""
)
