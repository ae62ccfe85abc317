"""L1, L2, weight decay, dropout: drills."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.regularization.formulas import (
    CLASSIC_DROPOUT,
    DROPOUT,
    PENALTIES,
    PROXIMAL_STEP,
    RIDGE_LINE,
    RIDGE_SLOPE,
    SOFT_THRESHOLD,
    WEIGHT_DECAY,
)
from quizzes.drill import Inputs, Mistake, drill, one_of


def _step(rng: Random, decays: list[float]) -> dict[str, Any]:
    def signed() -> float:
        return rng.choice([-1, 1]) * rng.randint(2, 40) / 10

    return dict(
        w=signed(), g_w=signed(), b=signed(), g_b=signed(), eta=rng.choice([0.1, 0.2, 0.5]), lam=rng.choice(decays)
    )


def _points(rng: Random) -> dict[str, Any]:
    x = sorted(rng.sample(range(-2, 7), rng.choice([3, 3, 4])))
    while sum(x) == 0:
        x[-1] += 1
    return dict(x=x, y=[rng.randint(-1, 2) + round(k * rng.choice([0.5, 1, 1.5])) for k in x])


def _solve_normal_equations(x: list[Any], y: list[Any], lam: Any, intercept: Any = 0, mixed: Any = 0) -> dict[str, Any]:
    """Return the line from the normal equations with penalties.

    Args:
        x: Inputs.
        y: Targets.
        lam: Added to the sum of squares of x.
        intercept: Added to the number of points.
        mixed: Added to each sum of x.
    """
    n, sx, sxx = len(x) + intercept, sum(x) + mixed, sum(v * v for v in x) + lam
    sy, sxy = sum(y), sum(a * b for a, b in zip(x, y, strict=True))
    determinant = n * sxx - sx * sx
    return {"w": Fraction(n * sxy - sx * sy, determinant), "b": Fraction(sxx * sy - sx * sxy, determinant)}


def penalize_intercept(x: list[Any], y: list[Any], lam: Any) -> dict[str, Any]:
    """Return the line if lambda is added for the intercept too."""
    return _solve_normal_equations(x, y, lam, intercept=lam)


def penalize_everywhere(x: list[Any], y: list[Any], lam: Any) -> dict[str, Any]:
    """Return the line if lambda is added to every entry of X^T X."""
    return _solve_normal_equations(x, y, lam, intercept=lam, mixed=lam)


def _small_and_large(rng: Random, lam: float) -> list[float]:
    """Return weights in tenths: at least one of each sign beyond the threshold, and one within it."""
    edge = round(10 * lam)
    w = [
        rng.randint(edge + 1, edge + 12),
        -rng.randint(edge + 1, edge + 12),
        rng.choice([-1, 1]) * rng.randint(1, edge - 1),
    ]
    w += [rng.choice([-1, 1]) * rng.randint(1, edge + 9)] * rng.randint(0, 1)
    rng.shuffle(w)
    return [k / 10 for k in w]


def _activations(rng: Random, count: int) -> list[float]:
    return [rng.choice([-1, 1, 1]) * rng.randint(1, 12) / 2 for _ in range(count)]


@drill(
    PENALTIES,
    tier=1,
    asks=("L1", "L2", "g1", "g2"),
    visualization="bars w",
    prompt="A layer has the weights w = {w} and the bias b = {b}. The L1 penalty is lambda sum |w_i| and the L2 "
    "penalty is lambda sum w_i^2, with lambda = {lam}.\n"
    "What are the penalties L1 and L2 and their gradients g1 and g2 with respect to w?\n"
    "Conventions: the bias is not penalized; no factor 1/2 or 1/N; the gradient of |w| at w = 0 is 0.",
    hint="Which gradient depends only on the sign of a weight, and which on its size too?",
    mistakes=[
        Mistake(
            "bias-penalised",
            "L1 = lam*(sum(i, abs(w[i])) + abs(b)); L2 = lam*(sum(i, w[i]^2) + b^2)",
            "You penalized the bias. Only the weights are penalized here, so leave the bias out.",
        ),
        Mistake(
            "sign-kept",
            "L1 = lam*sum(i, w[i])",
            "You left out the absolute value. Without it negative weights would be rewarded, so sum |w|.",
        ),
        Mistake(
            "rooted",
            "L2 = lam*sqrt(sum(i, w[i]^2))",
            "You took a square root. The L2 penalty here is the sum of squares, so leave out the root.",
        ),
        Mistake(
            "half",
            "L2 = lam*sum(i, w[i]^2)/2",
            "You added a factor 1/2. The L2 penalty here is lambda times the sum of squares, so leave it out.",
        ),
        Mistake(
            "sign-of-zero",
            "g1[i] = lam*where(w[i] >= 0, 1, -1)",
            "You used 1 as the gradient at w = 0. The convention here is 0.",
        ),
        Mistake(
            "weight-for-sign",
            "g1[i] = lam*w[i]",
            "You used the weight itself. The gradient of |w| is sign(w), so use lambda sign(w).",
        ),
        Mistake(
            "two-left-out", "g2[i] = lam*w[i]", "You left out the factor 2. The gradient of lambda w^2 is 2 lambda w."
        ),
    ],
)
def l1_l2_penalty(rng: Random) -> Inputs:
    """L1 and L2 penalties and their gradients"""
    w = [0] + [rng.choice([-1, 1]) * rng.randint(1, 9) / 2 for _ in range(rng.choice([2, 3]))]
    rng.shuffle(w)
    return dict(w=w, b=rng.choice([-1, 1]) * rng.randint(1, 8) / 2, lam=rng.choice([0.01, 0.02, 0.05, 0.1, 0.2]))


@drill(
    WEIGHT_DECAY,
    tier=1,
    asks=("w_new", "b_new"),
    prompt="SGD minimizes loss + (lambda/2) w^2 with lambda = {lam} and the learning rate eta = {eta}. The weight is "
    "w = {w} and the gradient of the loss with respect to it is {g_w}. The bias is b = {b} and the gradient with "
    "respect to it is {g_b}.\n"
    "What are the new weight w_new and the new bias b_new after one step?\n"
    "Conventions: the penalty has the factor 1/2 and does not include the bias.",
    hint="What is the gradient of (lambda/2) w^2? Add it to the gradient of the loss.",
    mistakes=[
        Mistake(
            "factor-2",
            "w_new = (1 - 2*eta*lam)*w - eta*g_w",
            "You added a factor 2. The 1/2 in (lambda/2) w^2 cancels the 2 of the derivative, so the factor is 1 - "
            "eta lambda.",
        ),
        Mistake(
            "bias-decayed",
            "b_new = (1 - eta*lam)*b - eta*g_b",
            "You decayed the bias. It is not part of the penalty, so subtract only eta times its gradient.",
        ),
        Mistake(
            "lambda-for-its-gradient",
            "w_new = w - eta*(g_w + lam)",
            "You added lambda to the gradient. The gradient of the penalty is lambda w, so add that.",
        ),
        Mistake(
            "eta-left-out",
            "w_new = (1 - lam)*w - eta*g_w",
            "You left out the learning rate. The step multiplies the gradient of the penalty by eta too, so the "
            "factor is 1 - "
            "eta lambda.",
        ),
        Mistake(
            "weights-grow",
            "w_new = (1 + eta*lam)*w - eta*g_w",
            "You added the decay. Weight decay pulls the weight toward 0, so subtract eta lambda w.",
        ),
    ],
)
def weight_decay_sgd(rng: Random) -> Inputs:
    """SGD step with weight decay"""
    return _step(rng, [0.01, 0.05, 0.1, 0.2, 0.5])


@drill(
    WEIGHT_DECAY,
    id="weight-decay-sgd:find-lambda",
    tier=2,
    asks="lam",
    prompt="One step of plain SGD on loss + ({lam}/2) w^2, with the learning rate eta = {eta}, changes the weight "
    "from w = {w} to {w_new}. The gradient of the loss with respect to the weight is {g_w}. The bias changes from {b} "
    "to {b_new}, and the gradient with respect to it is {g_b}.\n"
    "Conventions: the bias is not decayed.",
    hint="Subtract the step of the loss. What is left is a multiple of w.",
    mistakes=[
        Mistake(
            "factor-2",
            "w_new = (1 - 2*eta*lam)*w - eta*g_w",
            "You added a factor 2. With the 1/2 in (lam/2) w^2 the weight is multiplied by 1 - eta lam.",
        ),
        Mistake(
            "eta-left-out",
            "w_new = (1 - lam)*w - eta*g_w",
            "You left out the learning rate. The weight shrinks by the factor 1 - eta lam, so divide by eta too.",
        ),
        Mistake(
            "decay-after-the-step",
            "w_new = (1 - eta*lam)*(w - eta*g_w)",
            "You decayed the weight after the gradient step. Decay and gradient both use the weight before the step.",
        ),
    ],
)
def weight_decay_from_step(rng: Random) -> Inputs:
    """Weight decay from an SGD step"""
    return _step(rng, [k / 100 for k in range(5, 61, 5)])


@drill(
    RIDGE_SLOPE,
    id="ridge-closed:slope",
    tier=1,
    asks=one_of("w", "lam"),
    visualization="scatter x y w b=0",
    prompt="Ridge regression of a line through the origin minimizes the sum of the squared errors plus {lam} times "
    "the square of the slope. The points are x = {x}, y = {y}. The resulting slope is {w}.\n"
    "Conventions: errors are summed, not averaged.",
    hint="Set the derivative to zero. Where does the factor of the penalty appear?",
    mistakes=[
        Mistake(
            "penalty-times-n",
            "w = mean(i, x[i]*y[i])/(mean(i, x[i]^2) + lam)",
            "You averaged the errors. They are summed here, so add the penalty factor to the sum of x^2 once.",
        ),
        Mistake(
            "penalty-subtracted",
            "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) - lam)",
            "You subtracted the penalty factor. The penalty makes the slope smaller, so add the factor to the "
            "denominator.",
        ),
        Mistake(
            "penalty-outside",
            "w = sum(i, x[i]*y[i])/sum(i, x[i]^2) - lam",
            "You subtracted the penalty factor from the slope. It appears in the denominator, so add it to the sum "
            "of x^2.",
        ),
        Mistake(
            "doubled",
            "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) + 2*lam)",
            "You added the penalty factor twice. The derivatives of errors and penalty both have a factor 2, which "
            "cancels.",
        ),
    ],
)
def ridge_slope(rng: Random) -> Inputs:
    """Ridge regression through the origin"""
    return _points(rng) | dict(lam=rng.choice([0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12]))


@drill(
    RIDGE_LINE,
    id="ridge-closed",
    tier=2,
    asks=("w", "b"),
    visualization="scatter x y",
    prompt="Ridge regression of a line y = b + w x minimizes sum (y_i - b - w x_i)^2 + lambda w^2 with lambda = "
    "{lam}. The points are x = {x}, y = {y}.\n"
    "What are the slope w and the intercept b?\n"
    "Conventions: errors are summed, not averaged; the intercept is not penalized.",
    hint="Center x and y. Which problem is left for the slope?",
    mistakes=[
        Mistake(
            "bias-penalised",
            {name: lambda x, y, lam, name=name: penalize_intercept(x, y, lam)[name] for name in ("w", "b")},
            "You penalized the intercept. Only w is penalized here, so add lambda for w only.",
        ),
        Mistake(
            "lambda-everywhere",
            {name: lambda x, y, lam, name=name: penalize_everywhere(x, y, lam)[name] for name in ("w", "b")},
            "You added lambda to every entry of X^T X. Only the diagonal entry of w is penalized, so add lambda there.",
        ),
        Mistake(
            "penalty-times-n",
            "w = mean(i, (x[i] - x_mean)*(y[i] - y_mean))/(mean(i, (x[i] - x_mean)^2) + lam)",
            "You averaged the errors. They are summed here, so add lambda to the sum of squares once.",
        ),
        Mistake(
            "no-penalty",
            "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)",
            "That is the least-squares line. Ridge regression adds lambda to the denominator of the slope.",
        ),
        Mistake(
            "means-for-intercept",
            "b = y_mean",
            "You used the mean of y. The line passes through the point of both means, so subtract w times the mean "
            "of x.",
        ),
    ],
)
def ridge_closed(rng: Random) -> Inputs:
    """Ridge regression of a line"""
    return _points(rng) | dict(lam=rng.choice([1, 2, 3, 4, 5]))


@drill(
    SOFT_THRESHOLD,
    tier=1,
    asks="w_new",
    visualization="number-line w ±lam",
    prompt="The soft threshold with lambda = {lam} is applied to the weights w = {w}. For each weight separately, "
    "w_new minimizes (w_new - w)^2/2 + lambda |w_new|.",
    hint="How far does each weight move toward 0? What happens if it reaches 0?",
    mistakes=[
        Mistake(
            "crosses-zero",
            "w_new[i] = w[i] - lam*sign(w[i])",
            "You moved small weights past 0. If |w| is at most lambda, the weight stops at 0.",
        ),
        Mistake(
            "subtracted-from-negatives",
            "w_new[i] = w[i] - lam",
            "You subtracted lambda from negative weights. They move up toward 0, so subtract lambda from |w| and "
            "restore the "
            "sign.",
        ),
        Mistake(
            "hard-threshold",
            "w_new[i] = where(abs(w[i]) > lam, w[i], 0)",
            "That is the hard threshold. The soft threshold also moves the remaining weights toward 0 by lambda.",
        ),
        Mistake(
            "sign-lost",
            "w_new[i] = max(abs(w[i]) - lam, 0)",
            "You lost the sign. Negative weights stay negative, so restore the sign after shrinking.",
        ),
    ],
)
def soft_threshold(rng: Random) -> Inputs:
    """Soft threshold"""
    lam = rng.choice([0.3, 0.4, 0.5, 0.6, 0.8])
    return dict(w=_small_and_large(rng, lam), lam=lam)


@drill(
    PROXIMAL_STEP,
    id="soft-threshold:proximal-step",
    tier=2,
    asks=("u", "w_new"),
    visualization="table w g",
    prompt="A proximal gradient step on loss + lambda sum |w_i| is a plain gradient step on the loss to u, then the "
    "soft threshold of u with eta lambda. The weights are w = {w}, the gradient of the loss is g = {g}, the learning "
    "rate is eta = {eta}, and lambda = {lam}.\n"
    "What are u and w_new?",
    hint="Take the gradient step first. What is the threshold of the soft threshold?",
    mistakes=[
        Mistake(
            "ascent",
            "u[i] = w[i] + eta*g[i]",
            "You added the gradient. The step is in the opposite direction, so u = w - eta g.",
        ),
        Mistake(
            "subgradient-step",
            "u[i] = w[i] - eta*(g[i] + lam*sign(w[i]))",
            "You included the penalty in the gradient step. The soft threshold handles the penalty, so leave it out "
            "of u.",
        ),
        Mistake(
            "threshold-without-eta",
            "w_new[i] = sign(u[i])*max(abs(u[i]) - lam, 0)",
            "You used lambda as the threshold. It is scaled by the learning rate, so use eta lambda.",
        ),
        Mistake(
            "crosses-zero",
            "w_new[i] = u[i] - eta*lam*sign(u[i])",
            "You moved small weights past 0. If |u| is at most eta lambda, the weight stops at 0.",
        ),
        Mistake(
            "hard-threshold",
            "w_new[i] = where(abs(u[i]) > eta*lam, u[i], 0)",
            "That is the hard threshold. The soft threshold also moves the remaining weights toward 0 by eta lambda.",
        ),
    ],
)
def proximal_step(rng: Random) -> Inputs:
    """Proximal gradient step with an L1 penalty"""
    eta, lam = rng.choice([0.1, 0.2, 0.5]), rng.choice([1, 2, 0.5, 1.5])
    targets = _small_and_large(rng, max(eta * lam, 0.2))
    g = [rng.choice([-1, 1]) * rng.randint(1, 20) / 10 for _ in targets]
    return dict(w=[round(u + eta * gradient, 2) for u, gradient in zip(targets, g, strict=True)], g=g, eta=eta, lam=lam)


@drill(
    DROPOUT,
    id="dropout-scaling",
    tier=1,
    asks=("y", "z"),
    visualization="table x mask",
    prompt="An inverted dropout layer, as in PyTorch, drops each unit with probability p = {p}. The layer receives "
    "the activations x = {x}. In training mode, the mask is {mask} (1: kept, 0: dropped).\n"
    "What are the output y in training mode and the output z in evaluation mode for the same x?",
    hint="The expected output must be x in both modes. In which mode does the layer rescale?",
    mistakes=[
        Mistake(
            "p-as-keep-probability",
            "y[i] = mask[i]*x[i]/p",
            "You divided by p. p is the probability of dropping a unit, so divide by the keep probability 1 - p.",
        ),
        Mistake(
            "not-scaled",
            "y[i] = mask[i]*x[i]",
            "You did not rescale. Without rescaling the expected output is (1 - p) x, so divide the kept units by 1 "
            "- p.",
        ),
        Mistake(
            "multiplied",
            "y[i] = mask[i]*x[i]*(1 - p)",
            "You multiplied by 1 - p. The kept units must make up for the dropped ones, so divide by 1 - p.",
        ),
        Mistake(
            "scaled-in-evaluation-too",
            "z[i] = (1 - p)*x[i]",
            "You rescaled in evaluation mode. Inverted dropout already rescales in training mode, so z = x.",
        ),
        Mistake(
            "dropped-in-evaluation",
            "z[i] = mask[i]*x[i]/(1 - p)",
            "You dropped units in evaluation mode. Dropout is off there, so z = x.",
        ),
    ],
)
def dropout_scaling(rng: Random) -> Inputs:
    """Inverted dropout"""
    count = rng.choice([4, 5])
    mask = [1, 0] + [int(rng.random() < 0.6) for _ in range(count - 2)]
    rng.shuffle(mask)
    return dict(x=_activations(rng, count), mask=mask, p=rng.choice([0.2, 0.25, 0.3, 0.4, 0.5, 0.6]))


@drill(
    CLASSIC_DROPOUT,
    id="dropout-scaling:classic",
    tier=1,
    asks=("K", "z"),
    prompt="Original dropout drops each of {N} units with probability p = {p} in training, without rescaling. At test "
    "time it rescales all activations. Three of the units have the activations x = {x}.\n"
    "How many units are kept per training pass on average (K), and what are the outputs z of the three units at test "
    "time?",
    hint="At test time every unit is active. How large was its output on average in training?",
    mistakes=[
        Mistake(
            "p-as-keep-probability",
            "K = N*p; z[i] = p*x[i]",
            "You used p as the keep probability. p is the probability of dropping a unit, so use 1 - p.",
        ),
        Mistake(
            "inverted-at-test",
            "z[i] = x[i]/(1 - p)",
            "You divided by 1 - p, as inverted dropout does in training. Original dropout multiplies by 1 - p at "
            "test time.",
        ),
        Mistake(
            "not-scaled",
            "z[i] = x[i]",
            "That is inverted dropout. Original dropout does not rescale in training, so multiply by 1 - p at test "
            "time.",
        ),
    ],
)
def dropout_classic(rng: Random) -> Inputs:
    """Original dropout, scaled at test time"""
    N = rng.choice([50, 64, 100, 128, 200, 256, 400, 500, 512, 1000])
    return dict(N=N, p=rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.6]), x=_activations(rng, 3))
