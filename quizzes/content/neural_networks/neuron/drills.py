"""Neuron, layers, deep networks: drills."""

from collections.abc import Sequence
from random import Random
from typing import Any

from quizzes.content.neural_networks.neuron.formulas import (
    HIDDEN_WIDTH,
    LINEAR_SHAPES,
    MLP_PARAMS,
    NEURON,
    PERCEPTRON,
    PERCEPTRON_ZERO_ONE,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step


def _weights(rng: Random, count: int) -> list[float]:
    """Return weights in steps of 0.1, at least one of them negative."""
    weights = [rng.choice([-1, 1]) * rng.randint(2, 15) / 10 for _ in range(count)]
    return weights if min(weights) < 0 else [-weights[0], *weights[1:]]


def _dot(w: Sequence[float], x: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(w, x, strict=True))


SIGN_DROPPED = "You dropped the sign of a negative weight. Keep it in the product."


def _bias_steps(w: Sequence[float], x: Sequence[float], b: float, z: float, **outputs: float) -> list[Step]:
    return [
        Step("Add the weighted inputs, without the bias.", [f"s = {_dot(w, x):g}"]),
        Step("Solve z = s + b for the bias.", ["b = z - s", f"b = {z:g} - ({_dot(w, x):g})", f"b = {b:g}"]),
    ]


def _linear_steps(B: int, n_in: int, n_out: int, weight: list[int], bias: list[int], output: list[int]) -> list[Step]:
    return [
        Step(f"Find the shape of W. PyTorch stores one row of {n_in} weights per neuron, so W is {n_out}x{n_in}."),
        Step(f"Count the biases. Each neuron has one, so the shape is {n_out}."),
        Step(f"Multiply: X is {B}x{n_in} and W^T is {n_in}x{n_out}, so X W^T + b is {B}x{n_out}."),
    ]


def _sample(rng: Random) -> dict[str, Any]:
    """Return weights, bias, inputs, and learning rate of a perceptron, often with a small score."""
    w = [rng.randint(-4, 4) / 2 for _ in range(2)]
    x = [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2)]
    b = rng.choice([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, -_dot(w, x)])
    return dict(w=w, x=x, b=b, eta=rng.choice([1, 0.5, 0.1]))


@drill(
    NEURON,
    tier=1,
    asks=("z", "y_relu", "y_sigmoid", "y_tanh"),
    visualization="neuron x w b",
    prompt="A neuron has the weights w = {w}, the bias b = {b}, and the inputs x = {x}. What are its pre-activation z "
    "(bias included) and its outputs with ReLU (y_relu), sigmoid (y_sigmoid), and tanh (y_tanh)?",
    hint="Multiply each input by its weight, add the products and the bias, then apply the activation.",
    mistakes=[
        Mistake(
            "no-bias",
            "z = sum(i, w[i]*x[i])",
            "You left out the bias. Add b to the weighted sum before the activation.",
        ),
        Mistake("weight-sign-lost", "z = sum(i, abs(w[i])*x[i]) + b", SIGN_DROPPED),
        Mistake(
            "activation-before-sum",
            "y_relu = sum(i, max(0, w[i]*x[i])) + b; y_sigmoid = sum(i, sigmoid(w[i]*x[i])) + b; "
            "y_tanh = sum(i, tanh(w[i]*x[i])) + b",
            "You applied the activation to each product. Apply it once, to the whole sum including the bias.",
        ),
        Mistake(
            "relu-keeps-negative",
            "y_relu = z",
            "You kept a negative pre-activation. ReLU is max(0, z), so it returns 0 for negative z.",
        ),
        Mistake(
            "exponent-sign",
            "y_sigmoid = sigmoid(-z); y_tanh = tanh(-z)",
            "You used the wrong sign of z. Both functions increase with z, and the sigmoid is 1/(1 + exp(-z)).",
        ),
    ],
)
def neuron_forward(rng: Random) -> Inputs:
    """Output of a neuron"""
    while True:
        count = rng.choice([2, 2, 3])
        w, x = _weights(rng, count), [rng.randint(1, 4) for _ in range(count)]
        b = rng.choice([-1, 1]) * rng.randint(2, 20) / 10
        if abs(_dot(w, x) + b) <= 4:
            return dict(w=w, x=x, b=b)


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
    mistakes=[
        Mistake(
            "bias-subtracted",
            "z = sum(i, w[i]*x[i]) - b",
            "You subtracted the bias. The neuron adds it, so b is z minus the weighted inputs.",
        ),
        Mistake("weight-sign-lost", "z = sum(i, abs(w[i])*x[i]) + b", SIGN_DROPPED),
    ],
)
def neuron_bias(rng: Random) -> Inputs:
    """Bias for a given pre-activation"""
    count = rng.choice([2, 3])
    w, x = _weights(rng, count), [rng.choice([-2, -1, 1, 2, 3, 4]) for _ in range(count)]
    boundary = round(-_dot(w, x), 1)
    return dict(w=w, x=x, b=rng.choice([boundary, rng.choice([-1, 1]) * rng.randint(2, 40) / 10]))


@drill(
    MLP_PARAMS,
    tier=1,
    asks="P",
    visualization="layers n0 n1 n2 n3",
    prompt="A fully connected network has {n0} inputs, hidden layers of {n1} and {n2} neurons, and an output layer of "
    "size {n3}. Every neuron has a bias.",
    hint="Count layer by layer. How many weights and how many biases does each neuron have?",
    mistakes=[
        Mistake(
            "no-biases",
            "P = n0*n1 + n1*n2 + n2*n3",
            "You left out the biases. Every neuron has one in addition to its weights.",
        ),
        Mistake(
            "one-bias-a-layer",
            "P = n0*n1 + n1*n2 + n2*n3 + 3",
            "You counted one bias per layer. Every neuron has its own bias, so count one per neuron.",
        ),
        Mistake(
            "all-multiplied",
            "P = n0*n1*n2*n3",
            "You multiplied all layer sizes. Only adjacent layers are connected, so multiply adjacent sizes and add "
            "up.",
        ),
        Mistake(
            "input-layer-counted",
            "P = n0 + P1 + P2 + P3",
            "You counted biases for the inputs. Inputs are values, not neurons, so they have no biases.",
        ),
    ],
)
def mlp_params(rng: Random) -> Inputs:
    """Parameters of a fully connected network"""
    return dict(
        n0=rng.choice([2, 4, 13, 30, 64, 784, 3072]),
        n1=rng.choice([8, 16, 32, 50, 64, 100, 128, 256]),
        n2=rng.choice([4, 8, 10, 16, 32, 50, 64]),
        n3=rng.choice([1, 2, 3, 5, 10]),
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
    mistakes=[
        Mistake(
            "no-biases",
            "h = floor(B/(d + c))",
            "You left out the biases. Every hidden neuron and every output neuron has one.",
        ),
        Mistake(
            "rounded-up",
            "h = ceil((B - c)/(d + c + 1))",
            "You rounded up. One more neuron would exceed the budget, so round down.",
        ),
        Mistake(
            "first-layer-only",
            "h = floor(B/(d + 1))",
            "You counted the first layer only. Each hidden neuron also has one weight per output neuron.",
        ),
    ],
)
def mlp_params_budget(rng: Random) -> Inputs:
    """Largest hidden layer within a parameter budget"""
    return dict(
        B=rng.choice([1000, 2000, 5000, 10000, 20000, 50000]),
        d=rng.randint(4, 60),
        c=rng.randint(1, 10),
    )


@drill(
    LINEAR_SHAPES,
    tier=1,
    asks=("weight", "bias", "output"),
    visualization="flow: {B} x {n_in} > Linear({n_in}, {n_out}) > ?",
    steps=_linear_steps,
    prompt="In PyTorch, layer = torch.nn.Linear({n_in}, {n_out}) is applied to a batch of {B} samples, a tensor of "
    "shape {B}x{n_in}. What are the shapes of layer.weight (weight), layer.bias (bias), and the output (output)?",
    hints=(
        "The output is X W^T + b. Which shape must W have for this product?",
        "Y = X W^T + b, and W has one row per neuron and one column per input.",
        "First step: write the shape of X and that of W^T side by side. The inner two numbers must be equal.",
    ),
    mistakes=[
        Mistake(
            "in-by-out",
            {"weight": lambda B, n_in, n_out: [n_in, n_out]},
            "You swapped the dimensions. PyTorch stores the weight as (out_features, in_features), one row per neuron.",
        ),
        Mistake(
            "one-bias",
            {"bias": lambda B, n_in, n_out: [1]},
            "You used one bias for the whole layer. Each output feature has its own bias.",
        ),
        Mistake(
            "bias-for-each-input",
            {"bias": lambda B, n_in, n_out: [n_in]},
            "You used one bias per input feature. A bias belongs to a neuron, so there is one per output feature.",
        ),
        Mistake(
            "batch-lost",
            {"output": lambda B, n_in, n_out: [n_out]},
            "You dropped the batch dimension. Each sample has its own row of outputs.",
        ),
    ],
)
def mlp_shapes(rng: Random) -> Inputs:
    """Shapes in a fully connected layer"""
    n_in, n_out = rng.sample([10, 13, 20, 32, 50, 64, 100, 128, 256, 512, 784], 2)
    return dict(B=rng.choice([4, 8, 16, 24, 48, 96]), n_in=n_in, n_out=n_out)


@drill(
    PERCEPTRON,
    tier=2,
    asks=("s", "w_new", "b_new"),
    visualization="boundary w b x",
    decimals=2,
    prompt="A perceptron with labels -1 and 1 has the weights w = {w} and the bias b = {b}. The next sample is x = {x} "
    "with the label y = {y}; the learning rate is eta = {eta}. The sample is misclassified if y*s <= 0, where s is the "
    "score. Only then are w and b updated.\n"
    "What are the score s before the step, and the weights w_new and the bias b_new after it?",
    hint="Compute the score first. Is the sample misclassified?",
    mistakes=[
        Mistake(
            "bias-forgotten",
            "s = sum(i, w[i]*x[i]); b_new = b",
            "You left out the bias. It is part of the score, and an update changes it by eta*y.",
        ),
        Mistake(
            "updates-when-correct",
            "w_new[i] = w[i] + eta*y*x[i]; b_new = b + eta*y",
            "You updated although the sample is classified correctly. Label and score have the same sign, so nothing "
            "changes.",
        ),
        Mistake(
            "mixes-label-conventions",
            "w_new[i] = w[i] + 2*m*eta*y*x[i]; b_new = b + 2*m*eta*y",
            "You used the step for labels 0 and 1, eta*(y - yhat)*x, with the predicted label yhat. With labels -1 "
            "and 1, the "
            "step is eta*y*x, which is half as large.",
        ),
        Mistake(
            "subtracted",
            "w_new[i] = w[i] - m*eta*y*x[i]; b_new = b - m*eta*y",
            "You subtracted the step. Add it, because it moves the score toward the label.",
        ),
        Mistake(
            "zero-counts-as-right",
            "w_new[i] = w[i] + [y*s < 0]*eta*y*x[i]",
            "You made no step at the score 0. Here a score of 0 counts as misclassified, so update.",
        ),
    ],
)
def perceptron_update(rng: Random) -> Inputs:
    """One step of the perceptron rule"""
    sample = _sample(rng)
    score = _dot(sample["w"], sample["x"]) + sample["b"]
    misclassified = -1 if score > 0 else 1
    return sample | dict(y=misclassified if rng.random() < 0.75 else -misclassified)


@drill(
    PERCEPTRON_ZERO_ONE,
    id="perceptron-update:zero-one",
    tier=2,
    asks=("yhat", "w_new", "b_new"),
    visualization="boundary w b x",
    decimals=2,
    prompt="A perceptron with labels 0 and 1 has the weights w = {w} and the bias b = {b}. It predicts yhat = 1 if its "
    "score is above 0, and yhat = 0 otherwise. The next sample is x = {x} with the label y = {y}; the learning rate is "
    "eta = {eta}, and the step has the factor eta*(y - yhat).\n"
    "What are the prediction yhat, and the weights w_new and the bias b_new after the step?",
    hint="The error y - yhat is -1, 0, or 1. Which one is it here?",
    mistakes=[
        Mistake(
            "bias-left-out",
            "s = sum(i, w[i]*x[i]); b_new = b",
            "You left out the bias. It is part of the score, and a step changes it by eta*(y - yhat).",
        ),
        Mistake(
            "mixes-label-conventions",
            "w_new[i] = w[i] + eta*y*x[i]",
            "You used the step for labels -1 and 1, eta*y*x. With labels 0 and 1, the step is eta*(y - yhat)*x, so "
            "that class "
            "0 can move the weights too.",
        ),
        Mistake(
            "score-for-prediction",
            "w_new[i] = w[i] + eta*(y - s)*x[i]; b_new = b + eta*(y - s)",
            "You used the score in the error, as least squares does. The perceptron uses the predicted label: y - "
            "yhat.",
        ),
        Mistake(
            "error-reversed",
            "w_new[i] = w[i] + eta*(yhat - y)*x[i]; b_new = b + eta*(yhat - y)",
            "You reversed the error. It is y - yhat, label minus prediction.",
        ),
    ],
)
def perceptron_update_zero_one(rng: Random) -> Inputs:
    """One step of the perceptron rule, labels 0 and 1"""
    sample = _sample(rng)
    score = _dot(sample["w"], sample["x"]) + sample["b"]
    return sample | dict(y=int(score <= 0) if rng.random() < 0.85 or score == 0 else int(score > 0))
