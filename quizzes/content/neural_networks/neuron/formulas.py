"""Neuron, layers, deep networks: formulas."""

from math import comb, log10
from typing import Any

from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape, Vector, Word
from workbench.errors import UserError

MAX_POWER = 1000  # digits of a number of regions

NEURON = Formula(
    "neuron",
    """
    z = sum(i, w[i]*x[i]) + b
    y_relu = max(0, z)
    y_sigmoid = sigmoid(z)
    y_tanh = tanh(z)
    """,
    title="A neuron: weighted sum, bias, activation",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.3",
    w=Vector(meaning="weights"),
    x=Vector(meaning="inputs"),
    b=Real(meaning="bias", default=0),
    z=Real(meaning="pre-activation, bias included"),
    y_relu=Real(meaning="output with ReLU"),
    y_sigmoid=Real(meaning="output with the sigmoid"),
    y_tanh=Real(meaning="output with tanh"),
)


MLP_PARAMS = Formula(
    "mlp-params",
    """
    P1 = (n0 + 1)*n1
    P2 = (n1 + 1)*n2
    P3 = (n2 + 1)*n3
    P = P1 + P2 + P3
    """,
    title="Parameters of a network with two hidden layers",
    source="derivation: each neuron has one weight per output of the previous layer, and one bias",
    n0=Int(1, 100000, "number of inputs"),
    n1=Int(1, 100000, "size of the first hidden layer"),
    n2=Int(1, 100000, "size of the second hidden layer"),
    n3=Int(1, 100000, "size of the output layer"),
    P1=Int(meaning="parameters of the first hidden layer"),
    P2=Int(meaning="parameters of the second hidden layer"),
    P3=Int(meaning="parameters of the output layer"),
    P=Int(meaning="number of parameters of the network (weights and biases)"),
)


HIDDEN_WIDTH = Formula(
    "hidden-width",
    "h = floor((B - c)/(d + c + 1))",
    title="Largest hidden layer within a parameter budget",
    source="derivation: (d + 1)h + (h + 1)c parameters are h(d + c + 1) + c, which must not exceed B",
    B=Int(1, meaning="budget: largest number of parameters allowed"),
    d=Int(1, 100000, "number of inputs"),
    c=Int(1, 100000, "size of the output layer"),
    h=Int(0, meaning="largest number of hidden neurons"),
)


def _linear_shapes(B: int, n_in: int, n_out: int) -> dict[str, Any]:
    return {"weight": [n_out, n_in], "bias": [n_out], "output": [B, n_out]}


LINEAR_SHAPES = Formula(
    "linear-shapes",
    "",
    title="Shapes in a PyTorch linear layer",
    source="PyTorch documentation, torch.nn.Linear: y = x A^T + b with a weight of shape (out_features, in_features)",
    procedure=_linear_shapes,
    procedure_outputs="weight bias output",
    B=Int(1, 100000, "batch size"),
    n_in=Int(1, 100000, "number of input features"),
    n_out=Int(1, 100000, "number of output features"),
    weight=Shape(meaning="shape of the weight"),
    bias=Shape(meaning="shape of the bias"),
    output=Shape(meaning="shape of the output for the batch"),
)


PERCEPTRON = Formula(
    "perceptron",
    """
    s = sum(i, w[i]*x[i]) + b
    m = where(y*s <= 0, 1, 0)
    w_new[i] = w[i] + m*eta*y*x[i]
    b_new = b + m*eta*y
    """,
    title="Perceptron rule for labels -1 and 1",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, section 4.1.7",
    w=Vector(meaning="weights before the step"),
    b=Real(meaning="bias before the step", default=0),
    x=Vector(meaning="inputs of the sample"),
    y=Int(-1, 1, "label, -1 or 1"),
    eta=Real(0, meaning="learning rate", default=1),
    s=Real(meaning="score"),
    m=Int(meaning="1 if the sample is misclassified (a score of 0 counts as misclassified), otherwise 0"),
    w_new=Vector(meaning="weights after the step"),
    b_new=Real(meaning="bias after the step"),
)


PERCEPTRON_ZERO_ONE = Formula(
    "perceptron-zero-one",
    """
    s = sum(i, w[i]*x[i]) + b
    yhat = where(s > 0, 1, 0)
    w_new[i] = w[i] + eta*(y - yhat)*x[i]
    b_new = b + eta*(y - yhat)
    """,
    title="Perceptron rule for labels 0 and 1",
    source="derivation: y - yhat is 0 if the prediction is correct; otherwise it is the direction in which the score "
    "must move",
    w=Vector(meaning="weights before the step"),
    b=Real(meaning="bias before the step", default=0),
    x=Vector(meaning="inputs of the sample"),
    y=Int(0, 1, "label, 0 or 1"),
    eta=Real(0, meaning="learning rate", default=1),
    s=Real(meaning="score"),
    yhat=Int(meaning="predicted label: 1 if the score is above 0, otherwise 0"),
    w_new=Vector(meaning="weights after the step"),
    b_new=Real(meaning="bias after the step"),
)


def _relu_regions(n: int, D: int, K: int, m: int) -> dict[str, int]:
    if K > 1 and n > D:
        raise UserError("With several hidden layers, D (units of each hidden layer) must be n (inputs) or more.")
    if n * (K - 1) * log10(D // n or 1) > MAX_POWER:
        raise UserError(f"R would have more than {MAX_POWER} digits. Take fewer layers or fewer units.")
    shallow = sum(comb(D, j) for j in range(n + 1))
    params = (n + 1) * D + (K - 1) * (D + 1) * D + (D + 1) * m
    return {"R": (D // n) ** (n * (K - 1)) * shallow, "P": params}


def _perceptron_passes(
    X: list[list[Any]], y: list[Any], passes: int, eta: Any, at_zero: str, b: Any, w: list[Any] | None = None
) -> dict[str, Any]:
    if len(X) != len(y):
        raise UserError(f"X has {len(X)} samples and y {len(y)} labels: both must have the same number.")
    if any(label not in (-1, 1) for label in y):
        raise UserError("y (labels) must be -1 or 1 each.")
    weights = list(w or [0] * len(X[0]))
    if len(weights) != len(X[0]):
        raise UserError(f"w has {len(weights)} weights and a sample {len(X[0])} inputs: both must have as many.")
    mistakes = epochs = 0
    before = -1
    while mistakes > before and epochs < passes:
        before, epochs = mistakes, epochs + 1
        for inputs, label in zip(X, y, strict=True):
            score = sum(weight * value for weight, value in zip(weights, inputs, strict=True)) + b
            is_mistake = label * score < 0 or (score == 0 and (at_zero == "mistake" or label == -1))
            if is_mistake:
                weights = [weight + eta * label * value for weight, value in zip(weights, inputs, strict=True)]
                b += eta * label
                mistakes += 1
    return {"w_new": weights, "b_new": b, "mistakes": mistakes, "epochs": epochs}


RELU_REGIONS = Formula(
    "relu-regions",
    "",
    title="Linear regions and parameters of a ReLU network",
    source="Zaslavsky, Facing up to arrangements, 1975, for one hidden layer; Montufar et al., On the number of linear "
    "regions of deep neural networks, 2014 (arXiv:1402.1869), theorem 4, for more: a lower bound of the largest number",
    conventions="""
All K hidden layers have D units. With one hidden layer, R is the largest number
of linear regions, the sum of D choose j for j = 0 to n. With more, R is the
number that a network of that size can reach at least:
floor(D/n)^(n (K - 1)) times that sum; D must be n or more.
""",
    procedure=_relu_regions,
    procedure_outputs="R P",
    n=Int(1, 100, "number of inputs"),
    D=Int(1, 10000, "units of each hidden layer"),
    K=Int(1, 100, "number of hidden layers", default=1),
    m=Int(1, 100000, "number of outputs", default=1),
    R=Int(meaning="linear regions: the largest number for one hidden layer, a number that can be reached for more"),
    P=Int(meaning="number of parameters of the network (weights and biases)"),
)


PERCEPTRON_PASSES = Formula(
    "perceptron-passes",
    "",
    title="Perceptron over passes through the samples",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, section 4.1.7; bound on the mistakes: Novikoff, On "
    "convergence proofs on perceptrons, 1962",
    conventions="""
The samples are taken in their order, passes times; training stops after a pass
without a mistake. A score of 0 counts as a mistake if at_zero is mistake; if it
is positive, the prediction there is 1. Weights and bias start at 0 unless w and
b say otherwise.
""",
    procedure=_perceptron_passes,
    procedure_outputs="w_new b_new mistakes epochs",
    X=Matrix(meaning="inputs, a row per sample"),
    y=Vector(-1, 1, "labels, -1 or 1"),
    passes=Int(1, 1000, "largest number of passes", default=100),
    eta=Real(0, meaning="learning rate", default=1),
    at_zero=Word(words=("mistake", "positive"), meaning="what a score of 0 counts as", default="mistake"),
    w=Vector(meaning="weights at the start", optional=True),
    b=Real(meaning="bias at the start", default=0),
    w_new=Vector(meaning="weights at the end"),
    b_new=Real(meaning="bias at the end"),
    mistakes=Int(meaning="updates in all"),
    epochs=Int(meaning="passes, the last one without a mistake included"),
)


PERCEPTRON_BOUND = Formula(
    "perceptron-bound",
    "k = floor((R/gamma)^2)",
    title="Bound on the mistakes of the perceptron",
    source="Novikoff, On convergence proofs on perceptrons, 1962: for weights that start at 0, without a bias",
    R=Real(0, meaning="largest length of an input"),
    gamma=Real(0, meaning="margin: smallest y w.x over the samples, for some w of length 1"),
    k=Int(meaning="largest number of mistakes"),
)
