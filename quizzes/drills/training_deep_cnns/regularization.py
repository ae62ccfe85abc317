"""L1, L2, weight decay, ridge, soft threshold, dropout."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.regularization import (
    CLASSIC_DROPOUT,
    DROPOUT,
    PENALTIES,
    PROXIMAL_STEP,
    RIDGE_LINE,
    RIDGE_SLOPE,
    SOFT_THRESHOLD,
    WEIGHT_DECAY,
)


@drill(
    PENALTIES,
    tier=1,
    asks="L1 L2 g1 g2",
    visualization="bars w",
    prompt="A layer has the weights w = {w} and the bias b = {b}. With lambda = {lam}, the L1 penalty is lambda sum "
    "|w_i| "
    "and the L2 penalty is lambda sum w_i^2 (no 1/2, no 1/N); a bias is not penalised.\n"
    "What are the two penalties, L1 and L2, and their gradients with respect to w, g1 and g2? Take 0 for the gradient "
    "of |w| at w = 0.",
    hint="The L1 gradient knows only the sign of a weight, the L2 gradient its size too.",
)
def l1_l2_penalty(rng: Random) -> dict[str, Any]:
    """L1 and L2 penalty and their gradients"""
    w = [0] + [rng.choice([-1, 1]) * rng.randint(1, 9) / 2 for _ in range(rng.choice([2, 3]))]
    rng.shuffle(w)
    return dict(w=w, b=rng.choice([-1, 1]) * rng.randint(1, 8) / 2, lam=rng.choice([0.01, 0.02, 0.05, 0.1, 0.2]))


l1_l2_penalty.mistake(
    "bias-penalised",
    "L1 = lam*(sum(i, abs(w[i])) + abs(b)); L2 = lam*(sum(i, w[i]^2) + b^2)",
    "The bias is left out of the penalty: only the weights are summed.",
)
l1_l2_penalty.mistake(
    "sign-kept", "L1 = lam*sum(i, w[i])", "L1 sums absolute values: without them negative weights would be rewarded."
)
l1_l2_penalty.mistake(
    "rooted", "L2 = lam*sqrt(sum(i, w[i]^2))", "The L2 penalty here is the sum of the squares, without a root."
)
l1_l2_penalty.mistake(
    "half",
    "L2 = lam*sum(i, w[i]^2)/2",
    "The penalty is lambda times the sum of the squares, here without a factor 1/2.",
)
l1_l2_penalty.mistake(
    "sign-of-zero",
    "g1[i] = lam*sign(sign(w[i]) + 1/2)",
    "At w = 0 the gradient of |w| is taken as 0 here, not as 1.",
)
l1_l2_penalty.mistake(
    "weight-for-sign",
    "g1[i] = lam*w[i]",
    "The slope of |w| is its sign, whatever the size of w: lambda sign(w).",
)
l1_l2_penalty.mistake(
    "two-left-out",
    "g2[i] = lam*w[i]",
    "lambda w is the gradient of lambda w^2/2; that of lambda w^2 is 2 lambda w.",
)
l1_l2_penalty.torch(
    """
w.requires_grad_()
L1 = lam * F.l1_loss(w, torch.zeros_like(w), reduction="sum")
L2 = lam * F.mse_loss(w, torch.zeros_like(w), reduction="sum")
g1, = torch.autograd.grad(L1, w)
g2, = torch.autograd.grad(L2, w)
"""
)

SGD = """
weight, bias = (torch.nn.Parameter(torch.tensor(float(value))) for value in (w, b))
weight.grad, bias.grad = torch.tensor(float(g_w)), torch.tensor(float(g_b))
groups = [{"params": [weight], "weight_decay": lam}, {"params": [bias], "weight_decay": 0}]
torch.optim.SGD(groups, lr=eta).step()
w_new, b_new = weight.item(), bias.item()
"""


def _step(rng: Random, decays: list[float]) -> dict[str, Any]:
    def signed() -> float:
        return rng.choice([-1, 1]) * rng.randint(2, 40) / 10

    return dict(
        w=signed(), g_w=signed(), b=signed(), g_b=signed(), eta=rng.choice([0.1, 0.2, 0.5]), lam=rng.choice(decays)
    )


@drill(
    WEIGHT_DECAY,
    tier=1,
    asks="w_new b_new",
    prompt="SGD minimises loss + (lambda/2) w^2 with lambda = {lam} and learning rate eta = {eta}. The penalty, "
    "written "
    "with the 1/2, covers the weight and not the bias.\n"
    "The weight is w = {w} with the gradient {g_w} of the loss alone, the bias b = {b} with the gradient {g_b}. "
    "What are w_new and b_new after one step?",
    hint="The gradient of (lambda/2) w^2 is lambda w: it joins the gradient of the loss before the step.",
)
def weight_decay_sgd(rng: Random) -> dict[str, Any]:
    """A step of SGD with weight decay"""
    return _step(rng, [0.01, 0.05, 0.1, 0.2, 0.5])


weight_decay_sgd.mistake(
    "factor-2",
    "w_new = (1 - 2*eta*lam)*w - eta*g_w",
    "With the 1/2 in (lambda/2) w^2 the 2 of the derivative cancels: the factor is 1 - eta lambda.",
)
weight_decay_sgd.mistake(
    "bias-decayed",
    "b_new = (1 - eta*lam)*b - eta*g_b",
    "The bias is excluded from the decay: only its gradient moves it.",
)
weight_decay_sgd.mistake(
    "lambda-for-its-gradient",
    "w_new = w - eta*(g_w + lam)",
    "The penalty's gradient is lambda w: it is larger for larger weights, and not lambda itself.",
)
weight_decay_sgd.mistake(
    "eta-left-out",
    "w_new = (1 - lam)*w - eta*g_w",
    "The penalty's gradient is multiplied by the learning rate too: the factor is 1 - eta lambda.",
)
weight_decay_sgd.mistake(
    "weights-grow",
    "w_new = (1 + eta*lam)*w - eta*g_w",
    "Decay pulls the weight towards 0: its gradient lambda w is subtracted like any other.",
)
weight_decay_sgd.torch(SGD)


@drill(
    WEIGHT_DECAY,
    id="weight-decay-sgd:find-lambda",
    tier=2,
    asks="lam",
    prompt="One step of plain SGD with learning rate eta = {eta} on loss + ({lam}/2) w^2 took the weight from w = {w} "
    "to "
    "{w_new}, where the loss alone had the gradient {g_w}. The bias, which is not decayed, went from {b} to {b_new} "
    "with "
    "the gradient {g_b}. Which weight decay {lam} was used?",
    hint="Take the step of the loss away; what is left is a multiple of w.",
)
def weight_decay_sought(rng: Random) -> dict[str, Any]:
    """Which weight decay was used"""
    return _step(rng, [k / 100 for k in range(5, 61, 5)])


weight_decay_sought.mistake(
    "factor-2",
    "w_new = (1 - 2*eta*lam)*w - eta*g_w",
    "With the 1/2 in (lam/2) w^2 the weight is multiplied by 1 - eta lam, not by 1 - 2 eta lam.",
)
weight_decay_sought.mistake(
    "eta-left-out",
    "w_new = (1 - lam)*w - eta*g_w",
    "The weight shrank by eta times lam: divide by the learning rate as well.",
)
weight_decay_sought.mistake(
    "decay-after-the-step",
    "w_new = (1 - eta*lam)*(w - eta*g_w)",
    "The decay acts on the weight before the step, not on what the step has made of it.",
)
weight_decay_sought.torch(SGD)


def _points(rng: Random) -> dict[str, Any]:
    x = sorted(rng.sample(range(-2, 7), rng.choice([3, 3, 4])))
    while sum(x) == 0:
        x[-1] += 1
    return dict(x=x, y=[rng.randint(-1, 2) + round(k * rng.choice([0.5, 1, 1.5])) for k in x])


@drill(
    RIDGE_SLOPE,
    id="ridge-closed:slope",
    tier=1,
    asks="w | lam",
    visualization="scatter x y w b=0",
    prompt="Ridge regression of a line through the origin has the slope that minimises, over the points x = {x}, y = "
    "{y},\n"
    "  the sum of the squared errors (not their mean) + {lam} times the square of the slope.\n"
    "The slope comes out as {w}.",
    hint="Set the derivative to zero: the factor of the penalty joins the sum of the squares of x.",
)
def ridge_slope(rng: Random) -> dict[str, Any]:
    """Ridge regression through the origin"""
    return _points(rng) | dict(lam=rng.choice([0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12]))


ridge_slope.mistake(
    "penalty-times-n",
    "w = mean(i, x[i]*y[i])/(mean(i, x[i]^2) + lam)",
    "The errors are summed, not averaged, so the penalty's factor is added to the sum of x^2 as it is, not once for "
    "each point.",
)
ridge_slope.mistake(
    "penalty-subtracted",
    "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) - lam)",
    "The penalty makes the denominator larger and the slope smaller: its factor is added.",
)
ridge_slope.mistake(
    "penalty-outside",
    "w = sum(i, x[i]*y[i])/sum(i, x[i]^2) - lam",
    "The penalty shrinks the slope through the denominator; its factor is not taken away from the slope.",
)
ridge_slope.mistake(
    "doubled",
    "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) + 2*lam)",
    "Errors and penalty are both squares and bring a factor 2 each, which cancels: the factor is added once.",
)
ridge_slope.torch(
    """
from sklearn.linear_model import Ridge

w = Ridge(alpha=lam, fit_intercept=False).fit(x.numpy()[:, None], y.numpy()).coef_[0]
"""
)


def _solved(x: list, y: list, corner: Any, beside: Any, lam: Any) -> dict[str, Any]:
    """The line from the normal equations with something added: to n, to each sum of x, and to the sum of squares."""
    n, sx, sxx = len(x) + corner, sum(x) + beside, sum(v * v for v in x) + lam
    sy, sxy = sum(y), sum(a * b for a, b in zip(x, y, strict=True))
    whole = n * sxx - sx * sx
    return {"w": Fraction(n * sxy - sx * sy, whole), "b": Fraction(sxx * sy - sx * sxy, whole)}


def bias_penalised(x: list, y: list, lam: Any) -> dict[str, Any]:
    """The line where lambda is added for the intercept too."""
    return _solved(x, y, lam, 0, lam)


def lambda_everywhere(x: list, y: list, lam: Any) -> dict[str, Any]:
    """The line where lambda is added to every entry of X^T X."""
    return _solved(x, y, lam, lam, lam)


@drill(
    RIDGE_LINE,
    id="ridge-closed",
    tier=2,
    asks="w b",
    visualization="scatter x y",
    prompt="Ridge regression of a line y = b + w x minimises sum (y_i - b - w x_i)^2 + lambda w^2 with lambda = "
    "{lam}: the "
    "errors are summed, not averaged, and the intercept b is not penalised.\n"
    "The points are x = {x}, y = {y}. What are the slope w and the intercept b?",
    hint="Centre x and y: the free intercept drops out, and the slope is that of ridge through the origin.",
)
def ridge_closed(rng: Random) -> dict[str, Any]:
    """Ridge regression of a line"""
    return _points(rng) | dict(lam=rng.choice([1, 2, 3, 4, 5]))


ridge_closed.mistake(
    "bias-penalised",
    {name: lambda x, y, lam, name=name: bias_penalised(x, y, lam)[name] for name in ("w", "b")},
    "The intercept is free here: lambda is added for w alone, not for b.",
)
ridge_closed.mistake(
    "lambda-everywhere",
    {name: lambda x, y, lam, name=name: lambda_everywhere(x, y, lam)[name] for name in ("w", "b")},
    "lambda I has lambda on the diagonal only: it is not added to every entry of X^T X.",
)
ridge_closed.mistake(
    "penalty-times-n",
    "w = mean(i, (x[i] - x_mean)*(y[i] - y_mean))/(mean(i, (x[i] - x_mean)^2) + lam)",
    "The errors are summed, not averaged: lambda is added as it is, not N times.",
)
ridge_closed.mistake(
    "no-penalty",
    "w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)",
    "That is the least-squares line: ridge adds lambda to the denominator of the slope.",
)
ridge_closed.mistake("means-for-intercept", "b = y_mean", "The line goes through both means: b = y_mean - w x_mean.")
ridge_closed.torch(
    """
from sklearn.linear_model import Ridge

line = Ridge(alpha=lam).fit(x.numpy()[:, None], y.numpy())
w, b = line.coef_[0], line.intercept_
"""
)


def _small_and_large(rng: Random, lam: float) -> list[float]:
    """Weights in tenths: at least one of each sign beyond the threshold, and one within."""
    edge = round(10 * lam)
    w = [
        rng.randint(edge + 1, edge + 12),
        -rng.randint(edge + 1, edge + 12),
        rng.choice([-1, 1]) * rng.randint(1, edge - 1),
    ]
    w += [rng.choice([-1, 1]) * rng.randint(1, edge + 9)] * rng.randint(0, 1)
    rng.shuffle(w)
    return [k / 10 for k in w]


@drill(
    SOFT_THRESHOLD,
    tier=1,
    asks="w_new",
    visualization="number-line w ±lam",
    prompt="The weights w = {w} go through the soft threshold with lambda = {lam}: w_new minimises "
    "(w_new - w)^2/2 + lambda |w_new|, for each weight by itself.",
    hint="Every weight moves by lambda towards 0, and stays there once it has arrived.",
)
def soft_threshold(rng: Random) -> dict[str, Any]:
    """Soft threshold"""
    lam = rng.choice([0.3, 0.4, 0.5, 0.6, 0.8])
    return dict(w=_small_and_large(rng, lam), lam=lam)


soft_threshold.mistake(
    "crosses-zero",
    "w_new[i] = w[i] - lam*sign(w[i])",
    "A weight smaller than lambda stops at 0: it does not come out on the other side.",
)
soft_threshold.mistake(
    "subtracted-from-negatives",
    "w_new[i] = w[i] - lam",
    "A negative weight moves up, towards 0: subtract lambda from the size, then put the sign back.",
)
soft_threshold.mistake(
    "hard-threshold",
    "w_new[i] = w[i]*relu(sign(abs(w[i]) - lam))",
    "That is the hard threshold: in the soft one the weights that survive shrink by lambda too.",
)
soft_threshold.mistake(
    "sign-lost",
    "w_new[i] = max(abs(w[i]) - lam, 0)",
    "The sign comes back after shrinking: negative weights stay negative.",
)
soft_threshold.torch("w_new = F.softshrink(w, lam)")


@drill(
    PROXIMAL_STEP,
    id="soft-threshold:proximal-step",
    tier=2,
    asks="u w_new",
    visualization="table w g",
    prompt="A proximal gradient step on loss + lambda sum |w_i|: first a plain step on the loss to u, then the soft "
    "threshold of u with eta lambda.\n"
    "w = {w}, gradient of the loss alone {g}, learning rate eta = {eta}, lambda = {lam}. What are u and w_new?",
    hint="The penalty acts after the gradient step, and its threshold carries the learning rate too.",
)
def proximal_step(rng: Random) -> dict[str, Any]:
    """A proximal gradient step with an L1 penalty"""
    eta, lam = rng.choice([0.1, 0.2, 0.5]), rng.choice([1, 2, 0.5, 1.5])
    goal = _small_and_large(rng, max(eta * lam, 0.2))
    g = [rng.choice([-1, 1]) * rng.randint(1, 20) / 10 for _ in goal]
    return dict(w=[round(u + eta * slope, 2) for u, slope in zip(goal, g, strict=True)], g=g, eta=eta, lam=lam)


proximal_step.mistake("ascent", "u[i] = w[i] + eta*g[i]", "The step goes against the gradient: w - eta g.")
proximal_step.mistake(
    "subgradient-step",
    "u[i] = w[i] - eta*(g[i] + lam*sign(w[i]))",
    "The penalty's slope is left out of this step: the soft threshold takes care of the penalty.",
)
proximal_step.mistake(
    "threshold-without-eta",
    "w_new[i] = sign(u[i])*max(abs(u[i]) - lam, 0)",
    "The threshold is eta lambda: a smaller step shrinks less.",
)
proximal_step.mistake(
    "crosses-zero",
    "w_new[i] = u[i] - eta*lam*sign(u[i])",
    "A weight within the threshold stops at 0: that is where the exact zeros come from.",
)
proximal_step.mistake(
    "hard-threshold",
    "w_new[i] = u[i]*relu(sign(abs(u[i]) - eta*lam))",
    "That is the hard threshold: in the soft one the weights that survive shrink by eta lambda too.",
)
proximal_step.torch(
    """
weights = torch.nn.Parameter(w.clone())
weights.grad = g
torch.optim.SGD([weights], lr=eta).step()
u = weights.detach()
w_new = F.softshrink(u, eta * lam)
"""
)


def _activations(rng: Random, count: int) -> list[float]:
    return [rng.choice([-1, 1, 1]) * rng.randint(1, 12) / 2 for _ in range(count)]


@drill(
    DROPOUT,
    id="dropout-scaling",
    tier=1,
    asks="y z",
    visualization="table x mask",
    prompt="Inverted dropout, as in PyTorch, drops each unit with probability p = {p}. The activations x = {x} come "
    "in, and "
    "in this training pass the mask is {mask} (1: kept, 0: dropped).\n"
    "What goes out in training (y), and what would go out in evaluation (z) for the same x?",
    hint="The mean of what goes out should be x in both modes, and the scaling is done in training.",
)
def dropout_scaling(rng: Random) -> dict[str, Any]:
    """Inverted dropout"""
    count = rng.choice([4, 5])
    mask = [1, 0] + [int(rng.random() < 0.6) for _ in range(count - 2)]
    rng.shuffle(mask)
    return dict(x=_activations(rng, count), mask=mask, p=rng.choice([0.2, 0.25, 0.3, 0.4, 0.5, 0.6]))


dropout_scaling.mistake(
    "p-as-keep-probability",
    "y[i] = mask[i]*x[i]/p",
    "p is the probability to drop; a unit is kept with 1 - p, and that is what divides.",
)
dropout_scaling.mistake(
    "not-scaled",
    "y[i] = mask[i]*x[i]",
    "Without scaling the mean would fall to 1 - p of x: what is kept is divided by 1 - p in training.",
)
dropout_scaling.mistake(
    "multiplied",
    "y[i] = mask[i]*x[i]*(1 - p)",
    "What is kept is made larger, to stand in for what is dropped: divide by 1 - p.",
)
dropout_scaling.mistake(
    "scaled-in-evaluation-too",
    "z[i] = (1 - p)*x[i]",
    "Training has scaled already: in evaluation inverted dropout does nothing.",
)
dropout_scaling.mistake(
    "dropped-in-evaluation",
    "z[i] = mask[i]*x[i]/(1 - p)",
    "In evaluation no unit is dropped: x goes through as it is.",
)
dropout_scaling.torch(
    """
torch.manual_seed(0)
y = F.dropout(x, p)
while not torch.equal((y != 0).double(), mask):  # until chance drops the units of the mask
    y = F.dropout(x, p)
z = F.dropout(x, p, training=False)
"""
)


@drill(
    CLASSIC_DROPOUT,
    id="dropout-scaling:classic",
    tier=1,
    asks="K z",
    prompt="Dropout as first published drops each of {N} units with probability p = {p} in training, without any "
    "scaling "
    "there, and makes up for it at test time.\n"
    "How many units are kept in a training pass on average (K), and what do three of the units, with the activations "
    "x = {x}, give at test time (z)?",
    hint="At test time every unit is there, so each must give what it gave on average in training.",
)
def dropout_classic(rng: Random) -> dict[str, Any]:
    """Dropout that scales at test time"""
    N = rng.choice([50, 64, 100, 128, 200, 256, 400, 500, 512, 1000])
    return dict(N=N, p=rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.6]), x=_activations(rng, 3))


dropout_classic.mistake(
    "p-as-keep-probability",
    "K = N*p; z[i] = p*x[i]",
    "p is the probability to drop here; 1 - p of the units are kept.",
)
dropout_classic.mistake(
    "inverted-at-test",
    "z[i] = x[i]/(1 - p)",
    "Dividing by 1 - p belongs to training, in inverted dropout; here the test output is multiplied by 1 - p.",
)
dropout_classic.mistake(
    "not-scaled",
    "z[i] = x[i]",
    "That is inverted dropout. Here training did not scale, so at test time the activations shrink to 1 - p of their "
    "size.",
)
dropout_classic.torch(
    """
K = torch.distributions.Binomial(N, torch.tensor(1 - p)).mean
z = x * torch.distributions.Bernoulli(torch.tensor(1 - p)).mean
"""
)
