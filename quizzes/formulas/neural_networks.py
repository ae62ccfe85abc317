"""Neural networks: neurons, fully connected layers, and activations."""

import math
from typing import Any

from quizzes.formulas import formula

NEURON = formula(
    "neuron",
    """
    z = sum(i, w[i]*x[i]) + b
    y_relu = max(0, z)
    y_sigmoid = sigmoid(z)
    y_tanh = tanh(z)
    """,
    topic="neuron",
    title="A neuron: weighted sum, bias, activation",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.3",
    w="vector; weights",
    x="vector; inputs",
    b="real = 0; bias",
    z="real; pre-activation, bias included",
    y_relu="real; output with ReLU",
    y_sigmoid="real; output with the sigmoid",
    y_tanh="real; output with tanh",
)

MLP_PARAMS = formula(
    "mlp-params",
    """
    P1 = (n0 + 1)*n1
    P2 = (n1 + 1)*n2
    P3 = (n2 + 1)*n3
    P = P1 + P2 + P3
    """,
    topic="neuron",
    title="Parameters of a network with two hidden layers",
    source="derivation: each neuron has one weight per output of the previous layer, and one bias",
    n0="int 1..100000; number of inputs",
    n1="int 1..100000; size of the first hidden layer",
    n2="int 1..100000; size of the second hidden layer",
    n3="int 1..100000; size of the output layer",
    P1="int; parameters of the first hidden layer",
    P2="int; parameters of the second hidden layer",
    P3="int; parameters of the output layer",
    P="int; number of parameters of the network (weights and biases)",
)

HIDDEN_WIDTH = formula(
    "hidden-width",
    "h = floor((B - c)/(d + c + 1))",
    topic="neuron",
    title="Largest hidden layer within a parameter budget",
    source="derivation: (d + 1)h + (h + 1)c parameters are h(d + c + 1) + c, which must not exceed B",
    B="int 1..; budget: largest number of parameters allowed",
    d="int 1..100000; number of inputs",
    c="int 1..100000; size of the output layer",
    h="int 0..; largest number of hidden neurons",
)


def _linear_shapes(B: int, n_in: int, n_out: int) -> dict[str, Any]:
    return {"weight": [n_out, n_in], "bias": [n_out], "output": [B, n_out]}


LINEAR_SHAPES = formula(
    "linear-shapes",
    "",
    topic="neuron",
    title="Shapes in a PyTorch linear layer",
    source="PyTorch documentation, torch.nn.Linear: y = x A^T + b with a weight of shape (out_features, in_features)",
    procedure=_linear_shapes,
    procedure_outputs="weight bias output",
    B="int 1..100000; batch size",
    n_in="int 1..100000; number of input features",
    n_out="int 1..100000; number of output features",
    weight="shape; shape of the weight",
    bias="shape; shape of the bias",
    output="shape; shape of the output for the batch",
)

PERCEPTRON = formula(
    "perceptron",
    """
    s = sum(i, w[i]*x[i]) + b
    m = 1 - max(0, sign(y*s))
    w_new[i] = w[i] + m*eta*y*x[i]
    b_new = b + m*eta*y
    """,
    topic="neuron",
    title="Perceptron rule for labels -1 and 1",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, section 4.1.7",
    w="vector; weights before the step",
    b="real = 0; bias before the step",
    x="vector; inputs of the sample",
    y="int -1..1; label, -1 or 1",
    eta="real 0.. = 1; learning rate",
    s="real; score",
    m="int; 1 if the sample is misclassified (a score of 0 counts as misclassified), otherwise 0",
    w_new="vector; weights after the step",
    b_new="real; bias after the step",
)

PERCEPTRON_ZERO_ONE = formula(
    "perceptron-zero-one",
    """
    s = sum(i, w[i]*x[i]) + b
    yhat = max(0, sign(s))
    w_new[i] = w[i] + eta*(y - yhat)*x[i]
    b_new = b + eta*(y - yhat)
    """,
    topic="neuron",
    title="Perceptron rule for labels 0 and 1",
    source="derivation: y - yhat is 0 if the prediction is correct; otherwise it is the direction in which the score "
    "must move",
    w="vector; weights before the step",
    b="real = 0; bias before the step",
    x="vector; inputs of the sample",
    y="int 0..1; label, 0 or 1",
    eta="real 0.. = 1; learning rate",
    s="real; score",
    yhat="int; predicted label: 1 if the score is above 0, otherwise 0",
    w_new="vector; weights after the step",
    b_new="real; bias after the step",
)


def _normal(z: Any, **others: Any) -> dict[str, float]:
    return {"Phi": (1 + math.erf(z / math.sqrt(2))) / 2}


ACTIVATION_VALUES = formula(
    "activation-values",
    """
    y_leaky = max(z, a*z)
    y_elu = max(0, z) + alpha*(exp(min(0, z)) - 1)
    y_silu = z*sigmoid(z)
    y_gelu = z*Phi
    y_softplus = softplus(z)
    """,
    topic="activations",
    title="Leaky ReLU, ELU, SiLU, GELU and softplus",
    source="leaky ReLU: Maas, Hannun & Ng, 2013; ELU: Clevert, Unterthiner & Hochreiter, 2016 (arXiv:1511.07289); "
    "GELU: Hendrycks & Gimpel, 2016 (arXiv:1606.08415); SiLU is z sigmoid(z), and softplus is ln(1 + exp(z))",
    procedure=_normal,
    procedure_outputs="Phi",
    z="real; pre-activation",
    a="real 0..1 = 0.01; slope of leaky ReLU for negative z",
    alpha="real 0.. = 1; scale of ELU for negative z",
    Phi="real; standard normal cumulative distribution function at z",
    y_leaky="real; leaky ReLU of z",
    y_elu="real; ELU of z",
    y_silu="real; SiLU of z",
    y_gelu="real; GELU of z, exact form",
    y_softplus="real; softplus of z",
)

ACTIVATION_DERIVATIVES = formula(
    "activation-derivatives",
    """
    dsigmoid = sigmoid(z)*(1 - sigmoid(z))
    dtanh = 1 - tanh(z)^2
    dsoftplus = sigmoid(z)
    dsilu = sigmoid(z)*(1 + z*(1 - sigmoid(z)))
    drelu = max(0, sign(z))
    dleaky = a + (1 - a)*max(0, sign(z))
    """,
    topic="activations",
    title="Derivatives of the activation functions",
    source="derivation: with s = 1/(1 + exp(-z)), s' = exp(-z)/(1 + exp(-z))^2 = s(1 - s); tanh z = 2 s(2z) - 1; "
    "softplus = ln(1 + exp(z)); SiLU = z s, by the product rule; ReLU and leaky ReLU are linear on either side of 0",
    z="real -30..30; pre-activation",
    a="real 0..1 = 0.01; slope of leaky ReLU for negative z",
    dsigmoid="real; derivative of the sigmoid at z",
    dtanh="real; derivative of tanh at z",
    dsoftplus="real; derivative of softplus at z",
    dsilu="real; derivative of SiLU at z",
    drelu="int; derivative of ReLU at z (0 at z = 0, by convention)",
    dleaky="real; derivative of leaky ReLU at z (a at z = 0, by convention)",
)

# The derivative of each smooth activation as text, in terms of z: the right-hand sides of the equations above.
OUTER = {
    eq.name[1:]: eq.text.partition("=")[2].strip()
    for eq in ACTIVATION_DERIVATIVES.equations
    if eq.name not in ("drelu", "dleaky")
}


def _chain_rule(activation: str, a: object, b: object) -> dict[str, str]:
    inner = f"({a}*z + {b})".replace("+ -", "- ")
    return {"df": f"{a}*({OUTER[activation].replace('(z)', inner).replace('z*', f'{inner}*')})"}


SCALED_ACTIVATION = formula(
    "scaled-activation",
    "",
    topic="activations",
    title="Derivative of an activation of az + b",
    source="derivation: chain rule, d/dz f(az + b) = a f'(az + b)",
    procedure=_chain_rule,
    procedure_outputs="df",
    activation="word sigmoid|tanh|softplus|silu; activation",
    a="int -9..9; coefficient of z",
    b="int -9..9; constant term",
    df="expression; derivative df/dz",
)
