"""Vanishing and exploding gradients: drills."""

from fractions import Fraction
from random import Random

from quizzes.content.training_deep_cnns.gradient_issues.formulas import (
    GRAD_CLIP,
    GRADIENT_PROFILE,
    VANISHING_DEPTH,
    VANISHING_GRADIENT,
    VARIANCE,
    VARIANCE_DEPTH,
)
from quizzes.drill import Inputs, Mistake, drill, one_of

INTEGER_NORMS = [(1, 2, 2), (2, 3, 6), (1, 4, 8), (4, 4, 7), (2, 6, 9), (6, 6, 7), (3, 4, 12), (2, 5, 14), (2, 10, 11)]


@drill(
    VANISHING_GRADIENT,
    tier=1,
    asks="B",
    decimals=6,
    prompt="A chain of {layers} layers has one {activation} neuron per layer: h_l = {activation}(w_l h_(l-1) + b_l). "
    "The weights are w = {w}. The biases b_l and the input h_0 can have any value. B is the smallest upper bound on "
    "|dh_{layers}/dh_0| that always holds.",
    hint="The chain rule gives one factor per layer, the weight times the derivative of the activation. How large can "
    "it be?",
    mistakes=[
        Mistake(
            "another-slope",
            "B = prod(l, abs(w[l])/(4*s))",
            "You used an incorrect maximum derivative. It is 1/4 for the sigmoid and 1 for tanh, both at "
            "pre-activation 0.",
        ),
        Mistake(
            "added", "B = sum(l, abs(w[l])*s)", "You added the factors of the layers. The chain rule multiplies them."
        ),
        Mistake(
            "sign-kept",
            "B = prod(l, w[l]*s)",
            "You kept the signs. A bound on an absolute value is not negative, so multiply the absolute values of "
            "the weights.",
        ),
        Mistake(
            "slope-once",
            "B = s*prod(l, abs(w[l]))",
            "You used the derivative of the activation once. Every layer has an activation, so use one factor per "
            "layer.",
        ),
    ],
)
def vanishing_gradient(rng: Random) -> Inputs:
    """Upper bound on a gradient through several layers"""
    layers, activation = rng.choice([3, 4, 5]), rng.choice(["sigmoid", "sigmoid", "sigmoid", "tanh"])
    max_weight = 40 if activation == "sigmoid" else 15  # in tenths
    w = [rng.choice([-1, 1]) * rng.randint(3, max_weight) / 10 for _ in range(layers)]
    return dict(w=w, activation=activation, layers=layers)


@drill(
    VANISHING_DEPTH,
    id="vanishing-gradient:depth",
    tier=2,
    asks=("r", "L"),
    prompt="A chain of sigmoid layers has one neuron per layer. All weights have the absolute value {a}. The gradient "
    "through the chain is bounded by the product over the layers of absolute weight times maximum derivative of the "
    "sigmoid.\n"
    "By how many orders of magnitude (powers of ten) r does each layer shrink this bound, and what is the smallest "
    "number of layers L for which the bound is below 1/10^{k}?",
    hint="By which factor does each layer multiply the bound? Take the base-10 logarithm.",
    mistakes=[
        Mistake(
            "slope-up-to-1",
            "r = -log10(a)",
            "You used a maximum derivative of 1. For the sigmoid it is 1/4, so each layer multiplies the bound by a "
            "quarter "
            "of the weight.",
        ),
        Mistake(
            "natural-log",
            "r = -ln(a/4)",
            "You used the natural logarithm. An order of magnitude is a factor of ten, so use the base-10 logarithm.",
        ),
        Mistake(
            "rounded-down",
            "L = floor(k/r)",
            "You rounded down. With that many layers the bound is not yet below the limit, so add one layer.",
        ),
        Mistake(
            "multiplied",
            "L = floor(k*r) + 1",
            "You multiplied. Divide the required orders of magnitude by those of each layer.",
        ),
    ],
)
def vanishing_depth(rng: Random) -> Inputs:
    """Number of sigmoid layers for a small gradient bound"""
    return dict(a=rng.choice([k for k in range(3, 26) if k != 4]) / 10, k=rng.randint(3, 9))


@drill(
    GRAD_CLIP,
    tier=2,
    asks=("n", "clipped_w", "clipped_b"),
    prompt="The gradients of a layer are g_w = {g_w} for its weights and g_b = {g_b} for its bias. They are clipped "
    "together, by their total Euclidean norm, to the maximum norm c = {c}.\n"
    "What are the total norm n and the clipped gradients clipped_w and clipped_b?\n"
    "Conventions: no epsilon is added to n in the denominator.",
    hint="All gradients are multiplied by the same factor. When is this factor 1?",
    mistakes=[
        Mistake(
            "l1-norm",
            "n = sum(i, abs(g_w[i])) + abs(g_b)",
            "You summed the absolute values. For the Euclidean norm, sum the squares and take the square root.",
        ),
        Mistake(
            "no-root",
            "n = sum(i, g_w[i]^2) + g_b^2",
            "You left out the square root. For the Euclidean norm, take the square root of the summed squares.",
        ),
        Mistake(
            "bias-left-out",
            "n = sqrt(sum(i, g_w[i]^2))",
            "You left out the bias. The total norm includes all parameters, so add the square of g_b.",
        ),
        Mistake(
            "per-element",
            "clipped_w[i] = max(-c, min(c, g_w[i])); clipped_b = max(-c, min(c, g_b))",
            "You clipped each value separately, which changes the direction. Clipping by norm multiplies all "
            "gradients by c/n.",
        ),
        Mistake(
            "each-tensor-alone",
            "clipped_w[i] = g_w[i]*min(1, c/sqrt(sum(k, g_w[k]^2)))",
            "You used the norm of the weights' gradient alone. All gradients are multiplied by the same factor, c/n.",
        ),
        Mistake(
            "condition-reversed",
            "clipped_w[i] = g_w[i]*max(1, c/n); clipped_b = g_b*max(1, c/n)",
            "You reversed the condition. Gradients are scaled only if their norm is above c, so use min(1, c/n).",
        ),
    ],
)
def grad_clip_norm(rng: Random) -> Inputs:
    """Gradient clipping by total norm"""
    unit, components = rng.choice([0.5, 1, 1, 2]), list(rng.choice(INTEGER_NORMS))
    rng.shuffle(components)
    first, second, third = (component * unit * rng.choice([-1, 1]) for component in components)
    norm = unit * sum(component**2 for component in components) ** 0.5
    c = rng.choice([1, 2, 2.5, 5]) if rng.random() < 0.8 else norm + rng.choice([1, 3, 5])
    return dict(g_w=[first, second], g_b=third, c=c)


@drill(
    VARIANCE,
    tier=1,
    asks=one_of("V", "v"),
    prompt="A neuron has n = {n} inputs with mean square E[x^2] = {q} each. Its weights are independent of the inputs "
    "and of each other, with mean 0 and variance {v} each. It has no bias. The variance of its pre-activation is {V}.",
    hint="What is the variance of one term w x? The variances of the terms add up.",
    mistakes=[
        Mistake(
            "n-left-out",
            "V = v*q",
            "You used a single term. The pre-activation is a sum of n terms and their variances add up, so V is "
            "proportional "
            "to n.",
        ),
        Mistake(
            "deviations-added",
            "V = n^2*v*q",
            "You added standard deviations. Variances add up, so V is proportional to n, not to n^2.",
        ),
        Mistake(
            "deviation-for-variance",
            "V = n*sqrt(v)*q",
            "You used the standard deviation of the weights. V is proportional to their variance, so do not take its "
            "square "
            "root.",
        ),
    ],
)
def variance_propagation(rng: Random) -> Inputs:
    """Variance of a pre-activation"""
    n = rng.choice([64, 100, 128, 144, 256, 400, 512])
    return dict(n=n, v=rng.randint(4, 60) / 1000, q=rng.choice([0.25, 0.5, 1, 1.5, 2, 3]))


@drill(
    VARIANCE_DEPTH,
    id="variance-propagation:relu-layers",
    tier=2,
    asks=("V1", "V"),
    decimals=5,
    prompt="A network has L = {L} linear layers of n = {n} neurons, with ReLU between them, and n inputs with mean "
    "square E[x^2] = {q} each. All weights are independent, with mean 0, variance v = {v} and a symmetric "
    "distribution. All biases are 0.\n"
    "What are the variance V1 of the pre-activations in layer 1 and the variance V of those in layer L?",
    hint="By which factor does the first layer multiply E[x^2]? ReLU halves the mean square before each later layer.",
    mistakes=[
        Mistake(
            "relu-at-the-input",
            "V1 = n*v*q/2",
            "You halved the first layer. Its inputs have not passed through a ReLU, so V1 = n v E[x^2].",
        ),
        Mistake(
            "n-left-out",
            "V1 = v*q",
            "You left out n. The pre-activation is a sum of n terms and their variances add up, so multiply by n.",
        ),
        Mistake(
            "relu-not-halved",
            "V = V1*(n*v)^(L - 1)",
            "You left out the ReLU. It halves the mean square of a symmetric distribution, so each later layer gives "
            "n v/2.",
        ),
        Mistake(
            "one-layer-too-many",
            "V = V1*(n*v/2)^L",
            "You used the factor once too often. There are L - 1 layers after layer 1, so the exponent is L - 1.",
        ),
        Mistake(
            "multiplied-by-depth",
            "V = V1*(L - 1)*n*v/2",
            "You multiplied by the number of layers. Each layer multiplies the variance by n v/2, so use a power.",
        ),
    ],
)
def variance_depth(rng: Random) -> Inputs:
    """Variance through ReLU layers"""
    n = rng.choice([50, 100, 200, 250, 400, 500])
    gain = rng.choice([0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5])
    return dict(n=n, v=round(2 * gain / n, 6), q=rng.choice([0.5, 1, 2, 3]), L=rng.randint(3, 9))


@drill(
    GRADIENT_PROFILE,
    tier=2,
    asks=("factor", "first", "problem"),
    digits={"first": 5},
    visualization="line-chart norm=g",
    prompt="The chart shows the gradient norms of the last four layers of a network with L = {L} layers, from the "
    "output backward: {g}. The pattern continues.\n"
    "By which factor does the norm change per layer, from the output backward? What is the norm at the first layer? "
    "Which problem does the network have?",
    hint="How many steps lead from the last layer to the first?",
    mistakes=[
        Mistake(
            "one-layer-too-many",
            "first = g[1]*factor^L",
            "You took one step too many. From the last of L layers to the first are L - 1 steps.",
        ),
        Mistake(
            "read-upside-down",
            "factor = g[1]/g[2]; first = g[1]/factor^(L - 1)",
            "You read the norms in the other direction. They are printed from the output backward.",
        ),
        Mistake(
            "factor-of-the-ends",
            "factor = g[4]/g[1]",
            "That is the change over three layers. Compare two neighbors.",
        ),
        Mistake(
            "steps-from-the-last-print",
            "first = g[4]*factor^(L - 1)",
            "You started at the fourth norm. L - 1 steps start at the first one, at the output.",
        ),
        Mistake("no-cut", {"problem": "cut"}, "A cut graph gives no gradient at all, not a smaller one."),
        Mistake(
            "opposite-problem",
            "problem = where(factor < 1, 2, 1)",
            "It is the opposite. A factor below 1 makes gradients vanish, one above 1 makes them explode.",
        ),
    ],
)
def gradient_norm_profile(rng: Random) -> Inputs:
    """Gradient norms layer by layer"""
    ratio = Fraction(rng.choice(["0.2", "0.25", "0.3", "0.4", "0.5", "0.6", "1.5", "2", "2.5", "3", "4"]))
    start = Fraction(rng.randint(11, 99), 100 if ratio < 1 else 1000)
    return dict(g=[float(start * ratio**k) for k in range(4)], L=rng.randint(8, 30 if ratio < 1 else 15))
