"""Gradients that vanish or explode, their clipping, and the variance that goes through a network."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.training_deep_cnns import (
    GRAD_CLIP,
    VANISHING_DEPTH,
    VANISHING_GRADIENT,
    VARIANCE,
    VARIANCE_DEPTH,
)


@drill(
    VANISHING_GRADIENT,
    tier=1,
    asks="B",
    decimals=6,
    prompt="{layers} {activation} layers in a row, each one neuron wide: h_l = {activation}(w_l h_(l-1) + b_l), with "
    "the "
    "weights w = {w} and biases that are not known. What is the smallest upper bound B on |dh_{layers}/dh_0| that "
    "holds "
    "for every choice of biases and input?",
    hint="Each layer gives a factor: its weight times the activation's slope, and that slope has a largest value.",
)
def vanishing_gradient(rng: Random) -> dict[str, Any]:
    """Bound on a gradient through several layers"""
    layers, activation = rng.choice([3, 4, 5]), rng.choice(["sigmoid", "sigmoid", "sigmoid", "tanh"])
    largest = 40 if activation == "sigmoid" else 15
    w = [rng.choice([-1, 1]) * rng.randint(3, largest) / 10 for _ in range(layers)]
    return dict(w=w, activation=activation, layers=layers)


vanishing_gradient.mistake(
    "another-slope",
    "B = prod(l, abs(w[l])/(4*s))",
    "The largest slope is 1/4 for the sigmoid and 1 for tanh, both at a weighted sum of 0.",
)
vanishing_gradient.mistake(
    "added", "B = sum(l, abs(w[l])*s)", "The chain rule multiplies the factors of the layers; it does not add them."
)
vanishing_gradient.mistake(
    "sign-kept",
    "B = prod(l, w[l]*s)",
    "A bound on a size is not negative: multiply the absolute values of the weights.",
)
vanishing_gradient.mistake(
    "slope-once",
    "B = s*prod(l, abs(w[l]))",
    "Every layer has its own activation, so the slope enters once for each of them.",
)
vanishing_gradient.torch(
    """
h = first = torch.tensor(0.3, requires_grad=True)
for weight in w:
    z = weight * h
    h = getattr(torch, activation)(z - z.detach())  # the bias that puts the sum to 0, where the slope is largest
B = torch.autograd.grad(h, first)[0].abs()
"""
)


@drill(
    VANISHING_DEPTH,
    id="vanishing-gradient:depth",
    tier=2,
    asks="r L",
    prompt="A chain of sigmoid layers, each one neuron wide, all weights of size {a}. The gradient that comes through "
    "is "
    "bounded by the product of each layer's weight and largest slope.\n"
    "By how many decades (powers of ten) r does each layer shrink this bound, and how many layers L must there be at "
    "least for the bound to be below 1/10^{k}?",
    hint="Each layer multiplies the bound by the weight times 1/4: take the logarithm to base 10.",
)
def vanishing_depth(rng: Random) -> dict[str, Any]:
    """Depth at which a gradient is surely small"""
    return dict(a=rng.choice([k for k in range(3, 26) if k != 4]) / 10, k=rng.randint(3, 9))


vanishing_depth.mistake(
    "slope-up-to-1",
    "r = -log10(a)",
    "The sigmoid's slope is at most 1/4, not 1: each layer multiplies the bound by a/4.",
)
vanishing_depth.mistake(
    "natural-log", "r = -ln(a/4)", "A decade is a factor of ten: take the logarithm to base 10, not the natural one."
)
vanishing_depth.mistake(
    "rounded-down",
    "L = floor(k/r)",
    "With that many layers the bound is not yet below the limit: one more is needed.",
)
vanishing_depth.mistake(
    "multiplied", "L = floor(k*r) + 1", "Divide: the decades that are wanted over the decades that each layer gives."
)
vanishing_depth.torch(
    """
h = first = torch.tensor(0.3, requires_grad=True)
bound, sizes = 1.0, []
while bound >= 10.0**-k:
    z = a * h
    h = torch.sigmoid(z - z.detach())
    bound = torch.autograd.grad(h, first, retain_graph=True)[0].item()
    sizes.append(bound)
L = len(sizes)
r = -torch.tensor(sizes[0]).log10()
"""
)

NORMS = [(1, 2, 2), (2, 3, 6), (1, 4, 8), (4, 4, 7), (2, 6, 9), (6, 6, 7), (3, 4, 12), (2, 5, 14), (2, 10, 11)]


@drill(
    GRAD_CLIP,
    tier=2,
    asks="n clipped_w clipped_b",
    prompt="The gradients of a layer are g_w = {g_w} for its weights and g_b = {g_b} for its bias. They are clipped by "
    "their joint Euclidean norm, with the largest norm c = {c}.\n"
    "What is the norm n of all the gradients together, and what are the gradients after clipping? Nothing is added to "
    "n "
    "in the denominator.",
    hint="All gradients are multiplied by one and the same factor, which is never larger than 1.",
)
def grad_clip_norm(rng: Random) -> dict[str, Any]:
    """Clipping gradients by their norm"""
    unit, sides = rng.choice([0.5, 1, 1, 2]), list(rng.choice(NORMS))
    rng.shuffle(sides)
    first, second, third = (side * unit * rng.choice([-1, 1]) for side in sides)
    norm = unit * sum(side**2 for side in sides) ** 0.5
    c = rng.choice([1, 2, 2.5, 5]) if rng.random() < 0.8 else norm + rng.choice([1, 3, 5])
    return dict(g_w=[first, second], g_b=third, c=c)


grad_clip_norm.mistake(
    "l1-norm",
    "n = sum(i, abs(g_w[i])) + abs(g_b)",
    "The Euclidean norm is asked: the root of the sum of the squares, not the sum of the absolute values.",
)
grad_clip_norm.mistake("no-root", "n = sum(i, g_w[i]^2) + g_b^2", "The norm is the root of the sum of the squares.")
grad_clip_norm.mistake(
    "bias-left-out", "n = sqrt(sum(i, g_w[i]^2))", "The norm is taken over all parameters jointly, the bias among them."
)
grad_clip_norm.mistake(
    "per-element",
    "clipped_w[i] = max(-c, min(c, g_w[i])); clipped_b = max(-c, min(c, g_b))",
    "That clips each value by itself and turns the gradient: clipping by norm scales all of them by c/n.",
)
grad_clip_norm.mistake(
    "each-tensor-alone",
    "clipped_w[i] = g_w[i]*min(1, c/sqrt(sum(k, g_w[k]^2)))",
    "One factor serves all gradients, c over their joint norm; the weights' own norm is not used.",
)
grad_clip_norm.mistake(
    "condition-reversed",
    "clipped_w[i] = g_w[i]*max(1, c/n); clipped_b = g_b*max(1, c/n)",
    "Gradients are scaled where their norm is above c, and left as they are where it is not: the factor is min(1, "
    "c/n).",
)
grad_clip_norm.torch(
    """
weight, bias = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(()))
weight.grad, bias.grad = g_w.clone(), torch.tensor(float(g_b))
n = torch.nn.utils.clip_grad_norm_([weight, bias], c)  # divides by n + 1e-6
clipped_w, clipped_b = weight.grad, bias.grad
"""
)


@drill(
    VARIANCE,
    tier=1,
    asks="V | v",
    prompt="A neuron adds up {n} inputs, each of mean square E[x^2] = {q}. Its weights are independent of the inputs "
    "and of one another, each of mean 0 and variance {v}; there is no bias. Its weighted sum has the variance {V}.",
    hint="The variances of the terms add up; that of one term is the weight's variance times the input's mean square.",
)
def variance_propagation(rng: Random) -> dict[str, Any]:
    """Variance of a weighted sum"""
    n = rng.choice([64, 100, 128, 144, 256, 400, 512])
    return dict(n=n, v=rng.randint(4, 60) / 1000, q=rng.choice([0.25, 0.5, 1, 1.5, 2, 3]))


variance_propagation.mistake(
    "n-left-out", "V = v*q", "That is for one term alone: the sum has one for each input, and their variances add up."
)
variance_propagation.mistake(
    "deviations-added",
    "V = n^2*v*q",
    "It is the variances that add up, not the standard deviations: the factor is the number of inputs, not its square.",
)
variance_propagation.mistake(
    "deviation-for-variance",
    "V = n*sqrt(v)*q",
    "The variance of the weights enters as it is; their standard deviation, its root, does not.",
)
variance_propagation.torch(
    """
inputs = torch.full((n,), float(q)).sqrt()
cov = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(n), torch.full((n,), float(v)).sqrt()), 1)
V = F.linear(inputs**2, cov.variance[None])[0]
"""
)


@drill(
    VARIANCE_DEPTH,
    id="variance-propagation:relu-layers",
    tier=2,
    asks="V1 V",
    decimals=5,
    prompt="A network of {L} linear layers, each {n} wide and with ReLU between them, gets {n} inputs of mean square "
    "E[x^2] = {q}. All weights are independent, with mean 0, variance {v} and a symmetric distribution; all biases "
    "are 0.\n"
    "What is the variance V1 of the weighted sums of the first layer, and V of those of layer {L}, the last?",
    hint="The first layer multiplies by n v; each later one by n v/2, since ReLU leaves half of the mean square.",
)
def variance_depth(rng: Random) -> dict[str, Any]:
    """Variance through ReLU layers"""
    n = rng.choice([50, 100, 200, 250, 400, 500])
    gain = rng.choice([0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5])
    return dict(n=n, v=round(2 * gain / n, 6), q=rng.choice([0.5, 1, 2, 3]), L=rng.randint(3, 9))


variance_depth.mistake(
    "relu-at-the-input",
    "V1 = n*v*q/2",
    "The inputs have not gone through a ReLU: E[x^2] is given, and nothing is halved in the first layer.",
)
variance_depth.mistake("n-left-out", "V1 = v*q", "The weighted sum has n terms, and their variances add up: times n.")
variance_depth.mistake(
    "relu-not-halved",
    "V = V1*(n*v)^(L - 1)",
    "A ReLU passes half of a symmetric distribution: E[x^2] is half the variance before it, so each layer gives n v/2.",
)
variance_depth.mistake(
    "one-layer-too-many",
    "V = V1*(n*v/2)^L",
    "Between layer 1 and layer L there are L - 1 further layers, so the factor enters L - 1 times.",
)
variance_depth.mistake(
    "multiplied-by-depth", "V = V1*(L - 1)*n*v/2", "Each layer multiplies the variance anew: a power of n v/2."
)
variance_depth.torch(
    """
def passed(variance):
    z = torch.linspace(-14, 14, 20001) * variance**0.5
    density = torch.distributions.Normal(0.0, variance**0.5).log_prob(z).exp()
    return torch.trapezoid(F.relu(z) ** 2 * density, z)

row = torch.full((1, n), float(v))
V1 = V = F.linear(torch.full((n,), float(q)), row)[0]
for _ in range(L - 1):
    V = F.linear(passed(V).expand(n), row)[0]
"""
)
