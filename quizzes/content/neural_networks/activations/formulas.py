"""Sigmoid, tanh, ReLU: formulas."""

import math
from typing import Any

from quizzes.answer_symbols import Line, LineNumber
from quizzes.formula import Formula
from quizzes.symbols import Expression, Int, Matrix, Real, Vector, Word


def _normal(z: Any, **others: Any) -> dict[str, float]:
    return {"Phi": (1 + math.erf(z / math.sqrt(2))) / 2}


ACTIVATION_VALUES = Formula(
    "activation-values",
    """
    y_leaky = max(z, a*z)
    y_elu = where(z > 0, z, alpha*(exp(z) - 1))
    y_silu = z*sigmoid(z)
    y_gelu = z*Phi
    y_softplus = softplus(z)
    """,
    title="Leaky ReLU, ELU, SiLU, GELU and softplus",
    source="leaky ReLU: Maas, Hannun & Ng, 2013; ELU: Clevert, Unterthiner & Hochreiter, 2016 (arXiv:1511.07289); "
    "GELU: Hendrycks & Gimpel, 2016 (arXiv:1606.08415); SiLU is z sigmoid(z), and softplus is ln(1 + exp(z))",
    procedure=_normal,
    procedure_outputs="Phi",
    z=Real(meaning="pre-activation"),
    a=Real(0, 1, "slope of leaky ReLU for negative z", default=0.01),
    alpha=Real(0, meaning="scale of ELU for negative z", default=1),
    Phi=Real(meaning="standard normal cumulative distribution function at z"),
    y_leaky=Real(meaning="leaky ReLU of z"),
    y_elu=Real(meaning="ELU of z"),
    y_silu=Real(meaning="SiLU of z"),
    y_gelu=Real(meaning="GELU of z, exact form"),
    y_softplus=Real(meaning="softplus of z"),
)


ACTIVATION_DERIVATIVES = Formula(
    "activation-derivatives",
    """
    dsigmoid = sigmoid(z)*(1 - sigmoid(z))
    dtanh = 1 - tanh(z)^2
    dsoftplus = sigmoid(z)
    dsilu = sigmoid(z)*(1 + z*(1 - sigmoid(z)))
    drelu = where(z > 0, 1, 0)
    dleaky = where(z > 0, 1, a)
    """,
    title="Derivatives of the activation functions",
    source="derivation: with s = 1/(1 + exp(-z)), s' = exp(-z)/(1 + exp(-z))^2 = s(1 - s); tanh z = 2 s(2z) - 1; "
    "softplus = ln(1 + exp(z)); SiLU = z s, by the product rule; ReLU and leaky ReLU are linear on either side of 0",
    z=Real(-30, 30, "pre-activation"),
    a=Real(0, 1, "slope of leaky ReLU for negative z", default=0.01),
    dsigmoid=Real(meaning="derivative of the sigmoid at z"),
    dtanh=Real(meaning="derivative of tanh at z"),
    dsoftplus=Real(meaning="derivative of softplus at z"),
    dsilu=Real(meaning="derivative of SiLU at z"),
    drelu=Int(meaning="derivative of ReLU at z (0 at z = 0, by convention)"),
    dleaky=Real(meaning="derivative of leaky ReLU at z (a at z = 0, by convention)"),
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


SCALED_ACTIVATION = Formula(
    "scaled-activation",
    "",
    title="Derivative of an activation of az + b",
    source="derivation: chain rule, d/dz f(az + b) = a f'(az + b)",
    procedure=_chain_rule,
    procedure_outputs="df",
    activation=Word(words=("sigmoid", "tanh", "softplus", "silu"), meaning="activation"),
    a=Int(-9, 9, "coefficient of z"),
    b=Int(-9, 9, "constant term"),
    df=Expression(meaning="derivative df/dz"),
)


DISCARDED_RELU = Formula(
    "discarded-relu",
    """
    z[i] = sum(j, W1[i, j]*x[j]) + b1[i]
    prints = sum(i, W2[i]*z[i])
    fixed = sum(i, W2[i]*relu(z[i]))
    """,
    title="A ReLU whose result is discarded",
    source="PyTorch documentation, torch.Tensor.relu: it returns a new tensor, and torch.Tensor.relu_ changes its own",
    x=Vector(meaning="inputs"),
    W1=Matrix(meaning="weights of the hidden layer"),
    b1=Vector(meaning="biases of the hidden layer"),
    W2=Vector(meaning="weights of the output"),
    z=Vector(meaning="pre-activations of the hidden layer"),
    line=LineNumber(meaning="number of the line that has no effect"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("F.relu(input, inplace=False)", "nn.ReLU(inplace=False)"),
    ),
    prints=Int(meaning="number that is printed"),
    fixed=Int(meaning="number that the corrected program prints"),
)


ACTIVATION_VARIANTS = Formula(
    "activation-variants",
    """
    y_sigmoid = sigmoid(z)
    y_logsigmoid = -softplus(-z)
    y_softsign = z/(1 + abs(z))
    y_relu6 = min(max(0, z), 6)
    y_hardtanh = min(max(-1, z), 1)
    y_hardsigmoid = min(max(0, z + 3), 6)/6
    y_hardswish = z*min(max(0, z + 3), 6)/6
    y_selu = 1.0507009873554805*where(z > 0, z, 1.6732632423543772*(exp(z) - 1))
    y_mish = z*tanh(softplus(z))
    """,
    title="Sigmoid, log-sigmoid, softsign, ReLU6, hard tanh, hard sigmoid, hard swish, SELU and Mish",
    source="the definitions in PyTorch's documentation of torch.nn: its hard sigmoid has slope 1/6, others have "
    "1/5; SELU's constants: Klambauer et al., Self-normalizing neural networks, 2017 (arXiv:1706.02515)",
    z=Real(meaning="pre-activation"),
    y_sigmoid=Real(meaning="sigmoid of z"),
    y_logsigmoid=Real(meaning="natural logarithm of the sigmoid of z"),
    y_softsign=Real(meaning="softsign of z"),
    y_relu6=Real(meaning="ReLU6 of z, at most 6"),
    y_hardtanh=Real(meaning="hard tanh of z, between -1 and 1"),
    y_hardsigmoid=Real(meaning="hard sigmoid of z, with PyTorch's slope 1/6"),
    y_hardswish=Real(meaning="hard swish of z"),
    y_selu=Real(meaning="SELU of z"),
    y_mish=Real(meaning="Mish of z"),
)
