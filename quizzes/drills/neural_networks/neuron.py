"""Neurons, layers of them, and the perceptron rule."""

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
    """Weights in tenths, one of them at least negative."""
    found = [rng.choice([-1, 1]) * rng.randint(2, 15) / 10 for _ in range(count)]
    return found if min(found) < 0 else [-found[0], *found[1:]]


def _dot(w: Sequence[float], x: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(w, x, strict=True))


@drill(
    NEURON,
    tier=1,
    asks="z y_relu y_sigmoid y_tanh",
    visualization="neuron x w b",
    prompt="A neuron has the weights w = {w} and the bias b = {b}; its inputs are x = {x}. What is its weighted sum z, "
    "bias included, and what does it put out with ReLU (y_relu), with the sigmoid (y_sigmoid) and with tanh (y_tanh)?",
    hint="Multiply each input by its weight, add up, add the bias; only then comes the activation.",
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
    "no-bias", "z = sum(i, w[i]*x[i])", "The bias belongs to the weighted sum: add b before the activation."
)
neuron_forward.mistake(
    "weight-sign-lost",
    "z = sum(i, abs(w[i])*x[i]) + b",
    "A negative weight subtracts: keep its sign in the product.",
)
neuron_forward.mistake(
    "activation-before-sum",
    "y_relu = sum(i, max(0, w[i]*x[i])) + b; y_sigmoid = sum(i, sigmoid(w[i]*x[i])) + b; "
    "y_tanh = sum(i, tanh(w[i]*x[i])) + b",
    "The activation is applied once, to the whole sum with its bias, and not to each product.",
)
neuron_forward.mistake(
    "relu-keeps-negative", "y_relu = z", "ReLU answers 0 where the weighted sum is negative: max(0, z)."
)
neuron_forward.mistake(
    "exponent-sign", "y_sigmoid = sigmoid(-z); y_tanh = tanh(-z)", "Both rise with z: the sigmoid is 1/(1 + exp(-z))."
)
neuron_forward.torch(
    """
z = F.linear(x, w.unsqueeze(0), torch.tensor([float(b)]))[0]
y_relu, y_sigmoid, y_tanh = F.relu(z), F.sigmoid(z), F.tanh(z)
"""
)


def _bias_steps(w: list, x: list, b: float, z: float, **outputs: float) -> list[Step]:
    return [
        Step("Weighted inputs alone", [f"s = {_dot(w, x):g}"]),
        Step("z = s + b, so the bias is what is lacking", ["b = z - s", f"b = {z:g} - ({_dot(w, x):g})", f"b = {b:g}"]),
    ]


@drill(
    NEURON,
    id="neuron-forward:bias",
    steps=_bias_steps,
    tier=1,
    asks="b",
    visualization="neuron x w b z",
    prompt="A neuron has the weights w = {w}. For the inputs x = {x} its weighted sum, bias included, must be z = {z} "
    "(at z = 0 the point x lies on the neuron's decision boundary).",
    hint="The bias is what the weighted inputs still lack.",
    decimals=2,
)
def neuron_bias(rng: Random) -> dict[str, Any]:
    """The bias that a weighted sum needs"""
    count = rng.choice([2, 3])
    w, x = _weights(rng, count), [rng.choice([-2, -1, 1, 2, 3, 4]) for _ in range(count)]
    boundary = round(-_dot(w, x), 1)
    return dict(w=w, x=x, b=rng.choice([boundary, rng.choice([-1, 1]) * rng.randint(2, 40) / 10]))


neuron_bias.mistake(
    "bias-subtracted",
    "z = sum(i, w[i]*x[i]) - b",
    "The bias is added to the sum, so it is z minus the weighted inputs.",
)
neuron_bias.mistake(
    "weight-sign-lost",
    "z = sum(i, abs(w[i])*x[i]) + b",
    "A negative weight subtracts: keep its sign in the product.",
)
neuron_bias.torch(
    """
z = F.linear(x, w.unsqueeze(0), torch.tensor([float(b)]))[0]
y_relu, y_sigmoid, y_tanh = F.relu(z), F.sigmoid(z), F.tanh(z)
"""
)


@drill(
    MLP_PARAMS,
    tier=1,
    asks="P",
    visualization="layers n0 n1 n2 n3",
    prompt="A fully connected network has {n0} inputs, hidden layers of {n1} and {n2} neurons, and {n3} output "
    "neurons. Every neuron has a bias. How many parameters does it have?",
    hint="Count layer by layer: each neuron has one weight for each value that reaches it, and its bias.",
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
    "Every neuron has a bias beside its weights: n1 + n2 + n3 of them in all.",
)
mlp_params.mistake(
    "one-bias-a-layer",
    "P = n0*n1 + n1*n2 + n2*n3 + 3",
    "A layer has one bias for each of its neurons, and not one for all of them.",
)
mlp_params.mistake(
    "all-multiplied",
    "P = n0*n1*n2*n3",
    "Only neighbouring layers are connected: multiply the sizes of neighbours, and add over the layers.",
)
mlp_params.mistake(
    "input-layer-counted",
    "P = n0 + P1 + P2 + P3",
    "The inputs are given values and no neurons: they have no bias of their own.",
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
    prompt="A network with {d} inputs, one hidden layer and {c} output neurons, with a bias for every neuron, may have "
    "at most {B} parameters. How many hidden neurons can it have at most?",
    hint="Write the number of parameters as a function of h, and solve for h.",
)
def mlp_params_budget(rng: Random) -> dict[str, Any]:
    """The widest hidden layer within a budget"""
    return dict(
        B=rng.choice([1000, 2000, 5000, 10000, 20000, 50000]),
        d=rng.randint(4, 60),
        c=rng.randint(1, 10),
    )


mlp_params_budget.mistake(
    "no-biases", "h = floor(B/(d + c))", "The biases count too: one for each hidden neuron, and c at the output."
)
mlp_params_budget.mistake("rounded-up", "h = ceil((B - c)/(d + c + 1))", "Round down: one neuron more is too many.")
mlp_params_budget.mistake(
    "first-layer-only",
    "h = floor(B/(d + 1))",
    "A hidden neuron costs its d weights and its bias, and beside them c weights that lead to the outputs.",
)
mlp_params_budget.torch(
    """
from bisect import bisect_right

def count(width):
    net = torch.nn.Sequential(torch.nn.Linear(d, width, device="meta"), torch.nn.Linear(width, c, device="meta"))
    return sum(p.numel() for p in net.parameters())

h = bisect_right(range(1, B), B, key=count)
"""
)


def _linear_steps(B: int, n_in: int, n_out: int, weight: list, bias: list, output: list) -> list[Step]:
    return [
        Step(f"The layer has {n_out} neurons. PyTorch keeps a row of {n_in} weights for each: {n_out}x{n_in}."),
        Step(f"Each neuron has one bias: {n_out}."),
        Step(f"X is {B}x{n_in}, the weight transposed {n_in}x{n_out}, so X W^T + b is {B}x{n_out}."),
    ]


@drill(
    LINEAR_SHAPES,
    tier=1,
    asks="weight bias output",
    visualization="flow: {B} x {n_in} > Linear({n_in}, {n_out}) > ?",
    steps=_linear_steps,
    prompt="In PyTorch, layer = torch.nn.Linear({n_in}, {n_out}) is applied to a batch of {B} samples, a tensor of "
    "shape {B}x{n_in}. What are the shapes of layer.weight (weight), of layer.bias (bias) and of the output?",
    hint="The output is X W^T + b; the weight is kept the way it must be for W^T to fit.",
)
def mlp_shapes(rng: Random) -> dict[str, Any]:
    """Shapes in a fully connected layer"""
    n_in, n_out = rng.sample([10, 13, 20, 32, 50, 64, 100, 128, 256, 512, 784], 2)
    return dict(B=rng.choice([4, 8, 16, 24, 48, 96]), n_in=n_in, n_out=n_out)


mlp_shapes.mistake(
    "in-by-out",
    {"weight": lambda B, n_in, n_out: [n_in, n_out]},
    "PyTorch keeps the weight as (out, in), a row for each neuron, and transposes it when it multiplies.",
)
mlp_shapes.mistake(
    "one-bias", {"bias": lambda B, n_in, n_out: [1]}, "Each of the outgoing features has a bias of its own."
)
mlp_shapes.mistake(
    "bias-for-each-input",
    {"bias": lambda B, n_in, n_out: [n_in]},
    "A bias belongs to a neuron, so there are as many as features that go out.",
)
mlp_shapes.mistake(
    "batch-lost",
    {"output": lambda B, n_in, n_out: [n_out]},
    "Every sample of the batch has its own row of outputs: the batch dimension stays.",
)
mlp_shapes.torch(
    """
layer = torch.nn.Linear(n_in, n_out, device="meta")
weight, bias = list(layer.weight.shape), list(layer.bias.shape)
output = list(layer(torch.zeros(B, n_in, device="meta")).shape)
"""
)


def _sample(rng: Random) -> dict[str, Any]:
    """Weights, bias and inputs of a perceptron, in halves and whole numbers, often with a small score."""
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
    "with the label {y}; the learning rate is {eta}. A sample is misclassified where label times score is 0 or less, "
    "and only then w and b are updated.\nWhat is the score s before the step, and what are the weights w_new and the "
    "bias b_new after it?",
    hint="First decide by the sign of the score whether there is anything to update.",
)
def perceptron_update(rng: Random) -> dict[str, Any]:
    """One step of the perceptron rule"""
    drawn = _sample(rng)
    score = _dot(drawn["w"], drawn["x"]) + drawn["b"]
    wrong = -1 if score > 0 else 1
    return drawn | dict(y=wrong if rng.random() < 0.75 else -wrong)


perceptron_update.mistake(
    "bias-forgotten",
    "s = sum(i, w[i]*x[i]); b_new = b",
    "The bias is part of the score, and it is updated too: by eta times the label.",
)
perceptron_update.mistake(
    "updates-when-correct",
    "w_new[i] = w[i] + eta*y*x[i]; b_new = b + eta*y",
    "Label and score have the same sign here: the sample is right already, and nothing changes.",
)
perceptron_update.mistake(
    "mixes-label-conventions",
    "w_new[i] = w[i] + 2*m*eta*y*x[i]; b_new = b + 2*m*eta*y",
    "With the labels -1 and 1 the step is eta*y*x. The difference y - yhat is for the labels 0 and 1: here it would be "
    "twice as large.",
)
perceptron_update.mistake(
    "subtracted",
    "w_new[i] = w[i] - m*eta*y*x[i]; b_new = b - m*eta*y",
    "The step is added: it moves the score towards the label.",
)
perceptron_update.mistake(
    "zero-counts-as-right",
    "w_new[i] = w[i] + max(0, -sign(y*s))*eta*y*x[i]",
    "A score of 0 counts as wrong here, so there is a step.",
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
    prompt="A perceptron with labels 0 and 1 has the weights w = {w} and the bias b = {b}. It predicts 1 where its "
    "score is above 0, and 0 otherwise. The next sample is x = {x} with the label y = {y}; the learning rate is "
    "{eta}.\nWhat is the prediction yhat, and what are the weights w_new and the bias b_new after the step by eta*(y - "
    "yhat)?",
    hint="The error y - yhat is -1, 0 or 1.",
)
def perceptron_update_zero_one(rng: Random) -> dict[str, Any]:
    """One step of the perceptron rule, labels 0 and 1"""
    drawn = _sample(rng)
    score = _dot(drawn["w"], drawn["x"]) + drawn["b"]
    return drawn | dict(y=int(score <= 0) if rng.random() < 0.85 or score == 0 else int(score > 0))


perceptron_update_zero_one.mistake(
    "bias-left-out",
    "s = sum(i, w[i]*x[i]); b_new = b",
    "The bias is part of the score, and it is updated too: by eta times the error.",
)
perceptron_update_zero_one.mistake(
    "mixes-label-conventions",
    "w_new[i] = w[i] + eta*y*x[i]",
    "The step eta*y*x belongs to the labels -1 and 1. With the labels 0 and 1 it is eta*(y - yhat)*x, so that class 0 "
    "can move the weights too.",
)
perceptron_update_zero_one.mistake(
    "score-for-prediction",
    "w_new[i] = w[i] + eta*(y - s)*x[i]; b_new = b + eta*(y - s)",
    "The perceptron's error is made with the predicted label, not with the score: y - s belongs to least squares.",
)
perceptron_update_zero_one.mistake(
    "error-reversed",
    "w_new[i] = w[i] + eta*(yhat - y)*x[i]; b_new = b + eta*(yhat - y)",
    "The error is label minus prediction: y - yhat.",
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
