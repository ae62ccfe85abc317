"""Neurons, fully connected layers, and the perceptron rule."""

from collections.abc import Sequence
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.neural_networks import (
    HIDDEN_WIDTH,
    LINEAR_SHAPES,
    MLP_PARAMS,
    NEURON,
    PERCEPTRON,
    PERCEPTRON_ZERO_ONE,
)
from quizzes.question import Step


def _weights(rng: Random, count: int) -> list[float]:
    """Return weights in steps of 0.1, at least one of them negative."""
    weights = [rng.choice([-1, 1]) * rng.randint(2, 15) / 10 for _ in range(count)]
    return weights if min(weights) < 0 else [-weights[0], *weights[1:]]


def _dot(w: Sequence[float], x: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(w, x, strict=True))


FORWARD = """
z = F.linear(x, w.unsqueeze(0), torch.tensor([float(b)]))[0]
y_relu, y_sigmoid, y_tanh = F.relu(z), F.sigmoid(z), F.tanh(z)
"""
SIGN_DROPPED = "You dropped the sign of a negative weight. Keep it in the product."


@drill(
    NEURON,
    tier=1,
    asks="z y_relu y_sigmoid y_tanh",
    visualization="neuron x w b",
    prompt="A neuron has the weights w = {w}, the bias b = {b}, and the inputs x = {x}. What are its pre-activation z "
    "(bias included) and its outputs with ReLU (y_relu), sigmoid (y_sigmoid), and tanh (y_tanh)?",
    hint="Multiply each input by its weight, add the products and the bias, then apply the activation.",
)
def neuron_forward(rng: Random) -> dict[str, Any]:
    """Output of a neuron"""
    while True:
        count = rng.choice([2, 2, 3])
        w, x = _weights(rng, count), [rng.randint(1, 4) for _ in range(count)]
        b = rng.choice([-1, 1]) * rng.randint(2, 20) / 10
        if abs(_dot(w, x) + b) <= 4:
            return dict(w=w, x=x, b=b)


neuron_forward.mistake(
    "no-bias", "z = sum(i, w[i]*x[i])", "You left out the bias. Add b to the weighted sum before the activation."
)
neuron_forward.mistake(
    "weight-sign-lost",
    "z = sum(i, abs(w[i])*x[i]) + b",
    SIGN_DROPPED,
)
neuron_forward.mistake(
    "activation-before-sum",
    "y_relu = sum(i, max(0, w[i]*x[i])) + b; y_sigmoid = sum(i, sigmoid(w[i]*x[i])) + b; "
    "y_tanh = sum(i, tanh(w[i]*x[i])) + b",
    "You applied the activation to each product. Apply it once, to the whole sum including the bias.",
)
neuron_forward.mistake(
    "relu-keeps-negative",
    "y_relu = z",
    "You kept a negative pre-activation. ReLU is max(0, z), so it returns 0 for negative z.",
)
neuron_forward.mistake(
    "exponent-sign",
    "y_sigmoid = sigmoid(-z); y_tanh = tanh(-z)",
    "You used the wrong sign of z. Both functions increase with z, and the sigmoid is 1/(1 + exp(-z)).",
)
neuron_forward.torch(FORWARD)


def _bias_steps(w: Sequence[float], x: Sequence[float], b: float, z: float, **outputs: float) -> list[Step]:
    return [
        Step("Add the weighted inputs, without the bias.", [f"s = {_dot(w, x):g}"]),
        Step("Solve z = s + b for the bias.", ["b = z - s", f"b = {z:g} - ({_dot(w, x):g})", f"b = {b:g}"]),
    ]


@drill(
    NEURON,
    id="neuron-forward:bias",
    steps=_bias_steps,
    tier=1,
    asks="b",
    visualization="neuron x w b z",
    prompt="A neuron has the weights w = {w}. For the inputs x = {x}, its pre-activation (bias included) must be "
    "z = {z}. At z = 0, the point x lies on the neuron's decision boundary.",
    hint="How far are the weighted inputs, without the bias, from z?",
    decimals=2,
)
def neuron_bias(rng: Random) -> dict[str, Any]:
    """Bias for a given pre-activation"""
    count = rng.choice([2, 3])
    w, x = _weights(rng, count), [rng.choice([-2, -1, 1, 2, 3, 4]) for _ in range(count)]
    boundary = round(-_dot(w, x), 1)
    return dict(w=w, x=x, b=rng.choice([boundary, rng.choice([-1, 1]) * rng.randint(2, 40) / 10]))


neuron_bias.mistake(
    "bias-subtracted",
    "z = sum(i, w[i]*x[i]) - b",
    "You subtracted the bias. The neuron adds it, so b is z minus the weighted inputs.",
)
neuron_bias.mistake(
    "weight-sign-lost",
    "z = sum(i, abs(w[i])*x[i]) + b",
    SIGN_DROPPED,
)
neuron_bias.torch(FORWARD)


@drill(
    MLP_PARAMS,
    tier=1,
    asks="P",
    visualization="layers n0 n1 n2 n3",
    prompt="A fully connected network has {n0} inputs, hidden layers of {n1} and {n2} neurons, and an output layer of "
    "size {n3}. Every neuron has a bias.",
    hint="Count layer by layer. How many weights and how many biases does each neuron have?",
)
def mlp_params(rng: Random) -> dict[str, Any]:
    """Parameters of a fully connected network"""
    return dict(
        n0=rng.choice([2, 4, 13, 30, 64, 784, 3072]),
        n1=rng.choice([8, 16, 32, 50, 64, 100, 128, 256]),
        n2=rng.choice([4, 8, 10, 16, 32, 50, 64]),
        n3=rng.choice([1, 2, 3, 5, 10]),
    )


mlp_params.mistake(
    "no-biases",
    "P = n0*n1 + n1*n2 + n2*n3",
    "You left out the biases. Every neuron has one in addition to its weights.",
)
mlp_params.mistake(
    "one-bias-a-layer",
    "P = n0*n1 + n1*n2 + n2*n3 + 3",
    "You counted one bias per layer. Every neuron has its own bias, so count one per neuron.",
)
mlp_params.mistake(
    "all-multiplied",
    "P = n0*n1*n2*n3",
    "You multiplied all layer sizes. Only adjacent layers are connected, so multiply adjacent sizes and add up.",
)
mlp_params.mistake(
    "input-layer-counted",
    "P = n0 + P1 + P2 + P3",
    "You counted biases for the inputs. Inputs are values, not neurons, so they have no biases.",
)
mlp_params.torch(
    """
sizes = [n0, n1, n2, n3]
layers = [torch.nn.Linear(a, b, device="meta") for a, b in zip(sizes, sizes[1:])]
P = sum(p.numel() for layer in layers for p in layer.parameters())
"""
)


@drill(
    HIDDEN_WIDTH,
    id="mlp-params:budget",
    tier=2,
    asks="h",
    visualization="layers d h c",
    prompt="A network with {d} inputs, one hidden layer, and an output layer of size {c} may have at most {B} "
    "parameters. Every neuron has a bias.",
    hint="Write the number of parameters as a function of h. For which h does it stay within the budget?",
)
def mlp_params_budget(rng: Random) -> dict[str, Any]:
    """Largest hidden layer within a parameter budget"""
    return dict(
        B=rng.choice([1000, 2000, 5000, 10000, 20000, 50000]),
        d=rng.randint(4, 60),
        c=rng.randint(1, 10),
    )


mlp_params_budget.mistake(
    "no-biases", "h = floor(B/(d + c))", "You left out the biases. Every hidden neuron and every output neuron has one."
)
mlp_params_budget.mistake(
    "rounded-up",
    "h = ceil((B - c)/(d + c + 1))",
    "You rounded up. One more neuron would exceed the budget, so round down.",
)
mlp_params_budget.mistake(
    "first-layer-only",
    "h = floor(B/(d + 1))",
    "You counted the first layer only. Each hidden neuron also has one weight per output neuron.",
)
mlp_params_budget.torch(
    """
from bisect import bisect_right

def num_parameters(width):
    net = torch.nn.Sequential(torch.nn.Linear(d, width, device="meta"), torch.nn.Linear(width, c, device="meta"))
    return sum(p.numel() for p in net.parameters())

h = bisect_right(range(1, B), B, key=num_parameters)  # the number of widths within the budget
"""
)


def _linear_steps(B: int, n_in: int, n_out: int, weight: list[int], bias: list[int], output: list[int]) -> list[Step]:
    return [
        Step(f"Find the shape of W. PyTorch stores one row of {n_in} weights per neuron, so W is {n_out}x{n_in}."),
        Step(f"Count the biases. Each neuron has one, so the shape is {n_out}."),
        Step(f"Multiply: X is {B}x{n_in} and W^T is {n_in}x{n_out}, so X W^T + b is {B}x{n_out}."),
    ]


@drill(
    LINEAR_SHAPES,
    tier=1,
    asks="weight bias output",
    visualization="flow: {B} x {n_in} > Linear({n_in}, {n_out}) > ?",
    steps=_linear_steps,
    prompt="In PyTorch, layer = torch.nn.Linear({n_in}, {n_out}) is applied to a batch of {B} samples, a tensor of "
    "shape {B}x{n_in}. What are the shapes of layer.weight (weight), layer.bias (bias), and the output (output)?",
    hint="The output is X W^T + b. Which shape must W have for this product?",
)
def mlp_shapes(rng: Random) -> dict[str, Any]:
    """Shapes in a fully connected layer"""
    n_in, n_out = rng.sample([10, 13, 20, 32, 50, 64, 100, 128, 256, 512, 784], 2)
    return dict(B=rng.choice([4, 8, 16, 24, 48, 96]), n_in=n_in, n_out=n_out)


mlp_shapes.mistake(
    "in-by-out",
    {"weight": lambda B, n_in, n_out: [n_in, n_out]},
    "You swapped the dimensions. PyTorch stores the weight as (out_features, in_features), one row per neuron.",
)
mlp_shapes.mistake(
    "one-bias",
    {"bias": lambda B, n_in, n_out: [1]},
    "You used one bias for the whole layer. Each output feature has its own bias.",
)
mlp_shapes.mistake(
    "bias-for-each-input",
    {"bias": lambda B, n_in, n_out: [n_in]},
    "You used one bias per input feature. A bias belongs to a neuron, so there is one per output feature.",
)
mlp_shapes.mistake(
    "batch-lost",
    {"output": lambda B, n_in, n_out: [n_out]},
    "You dropped the batch dimension. Each sample has its own row of outputs.",
)
mlp_shapes.torch(
    """
layer = torch.nn.Linear(n_in, n_out, device="meta")
weight, bias = list(layer.weight.shape), list(layer.bias.shape)
output = list(layer(torch.zeros(B, n_in, device="meta")).shape)
"""
)


def _sample(rng: Random) -> dict[str, Any]:
    """Return weights, bias, inputs, and learning rate of a perceptron, often with a small score."""
    w = [rng.randint(-4, 4) / 2 for _ in range(2)]
    x = [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2)]
    b = rng.choice([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, -_dot(w, x)])
    return dict(w=w, x=x, b=b, eta=rng.choice([1, 0.5, 0.1]))


@drill(
    PERCEPTRON,
    tier=2,
    asks="s w_new b_new",
    visualization="boundary w b x",
    decimals=2,
    prompt="A perceptron with labels -1 and 1 has the weights w = {w} and the bias b = {b}. The next sample is x = {x} "
    "with the label y = {y}; the learning rate is eta = {eta}. The sample is misclassified if y*s <= 0, where s is the "
    "score. Only then are w and b updated.\n"
    "What are the score s before the step, and the weights w_new and the bias b_new after it?",
    hint="Compute the score first. Is the sample misclassified?",
)
def perceptron_update(rng: Random) -> dict[str, Any]:
    """One step of the perceptron rule"""
    sample = _sample(rng)
    score = _dot(sample["w"], sample["x"]) + sample["b"]
    misclassified = -1 if score > 0 else 1
    return sample | dict(y=misclassified if rng.random() < 0.75 else -misclassified)


perceptron_update.mistake(
    "bias-forgotten",
    "s = sum(i, w[i]*x[i]); b_new = b",
    "You left out the bias. It is part of the score, and an update changes it by eta*y.",
)
perceptron_update.mistake(
    "updates-when-correct",
    "w_new[i] = w[i] + eta*y*x[i]; b_new = b + eta*y",
    "You updated although the sample is classified correctly. Label and score have the same sign, so nothing changes.",
)
perceptron_update.mistake(
    "mixes-label-conventions",
    "w_new[i] = w[i] + 2*m*eta*y*x[i]; b_new = b + 2*m*eta*y",
    "You used the step for labels 0 and 1, eta*(y - yhat)*x, with the predicted label yhat. With labels -1 and 1, the "
    "step is eta*y*x, which is half as large.",
)
perceptron_update.mistake(
    "subtracted",
    "w_new[i] = w[i] - m*eta*y*x[i]; b_new = b - m*eta*y",
    "You subtracted the step. Add it, because it moves the score toward the label.",
)
perceptron_update.mistake(
    "zero-counts-as-right",
    "w_new[i] = w[i] + max(0, -sign(y*s))*eta*y*x[i]",
    "You made no step at the score 0. Here a score of 0 counts as misclassified, so update.",
)
perceptron_update.torch(
    """
from sklearn.linear_model import Perceptron

s = F.linear(x, w) + b
model = Perceptron(eta0=eta, shuffle=False).partial_fit(torch.zeros(1, len(x)).numpy(), [-1], classes=[-1, 1])
model.coef_, model.intercept_ = w.clone().numpy().reshape(1, -1), torch.tensor([float(b)]).numpy()
model.partial_fit(x.numpy().reshape(1, -1), [y])
w_new, b_new = model.coef_[0].tolist(), model.intercept_[0].item()
"""
)


@drill(
    PERCEPTRON_ZERO_ONE,
    id="perceptron-update:zero-one",
    tier=2,
    asks="yhat w_new b_new",
    visualization="boundary w b x",
    decimals=2,
    prompt="A perceptron with labels 0 and 1 has the weights w = {w} and the bias b = {b}. It predicts yhat = 1 if its "
    "score is above 0, and yhat = 0 otherwise. The next sample is x = {x} with the label y = {y}; the learning rate is "
    "eta = {eta}, and the step has the factor eta*(y - yhat).\n"
    "What are the prediction yhat, and the weights w_new and the bias b_new after the step?",
    hint="The error y - yhat is -1, 0, or 1. Which one is it here?",
)
def perceptron_update_zero_one(rng: Random) -> dict[str, Any]:
    """One step of the perceptron rule, labels 0 and 1"""
    sample = _sample(rng)
    score = _dot(sample["w"], sample["x"]) + sample["b"]
    return sample | dict(y=int(score <= 0) if rng.random() < 0.85 or score == 0 else int(score > 0))


perceptron_update_zero_one.mistake(
    "bias-left-out",
    "s = sum(i, w[i]*x[i]); b_new = b",
    "You left out the bias. It is part of the score, and a step changes it by eta*(y - yhat).",
)
perceptron_update_zero_one.mistake(
    "mixes-label-conventions",
    "w_new[i] = w[i] + eta*y*x[i]",
    "You used the step for labels -1 and 1, eta*y*x. With labels 0 and 1, the step is eta*(y - yhat)*x, so that class "
    "0 can move the weights too.",
)
perceptron_update_zero_one.mistake(
    "score-for-prediction",
    "w_new[i] = w[i] + eta*(y - s)*x[i]; b_new = b + eta*(y - s)",
    "You used the score in the error, as least squares does. The perceptron uses the predicted label: y - yhat.",
)
perceptron_update_zero_one.mistake(
    "error-reversed",
    "w_new[i] = w[i] + eta*(yhat - y)*x[i]; b_new = b + eta*(yhat - y)",
    "You reversed the error. It is y - yhat, label minus prediction.",
)
perceptron_update_zero_one.torch(
    """
from sklearn.linear_model import Perceptron

model = Perceptron(eta0=eta, shuffle=False).partial_fit(torch.zeros(1, len(x)).numpy(), [0], classes=[0, 1])
model.coef_, model.intercept_ = w.clone().numpy().reshape(1, -1), torch.tensor([float(b)]).numpy()
yhat = int(model.predict(x.numpy().reshape(1, -1))[0])
model.partial_fit(x.numpy().reshape(1, -1), [y])
w_new, b_new = model.coef_[0].tolist(), model.intercept_[0].item()
"""
)
