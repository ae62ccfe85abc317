"""Neuron, layers, deep networks: formulas."""

from typing import Any

from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Shape, Vector

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
