"""Neural networks: neurons and their activations."""

from quizzes import unknown
from quizzes.formulas import formula

ACTIVATION_DERIVATIVES = formula(
    "activation-derivatives",
    """
    dsigmoid = sigmoid(z)*(1 - sigmoid(z))
    dtanh = 1 - tanh(z)^2
    dsoftplus = sigmoid(z)
    dsilu = sigmoid(z)*(1 + z*(1 - sigmoid(z)))
    """,
    topic="activations",
    title="Derivatives of sigmoid, tanh, softplus and SiLU",
    source="derivation: with s = 1/(1 + exp(-z)), s' = exp(-z)/(1 + exp(-z))^2 = s(1 - s); tanh z = 2 s(2z) - 1; "
    "softplus = ln(1 + exp(z)); SiLU = z s, by the product rule",
    z="real -30..30; weighted sum that enters the activation",
    dsigmoid="real; derivative of the sigmoid at z",
    dtanh="real; derivative of tanh at z",
    dsoftplus="real; derivative of softplus at z",
    dsilu="real; derivative of SiLU at z",
)

# The outer derivative of each activation f at u, as a text: the equations above, read at u = az + b.
OUTER = {eq.name[1:]: eq.text.partition("=")[2].strip() for eq in ACTIVATION_DERIVATIVES.equations}


def _chain_rule(activation: str, a: object, b: object) -> dict[str, str]:
    if activation not in OUTER:
        raise unknown("activation", activation, list(OUTER))
    inner = f"({a}*z + {b})".replace("+ -", "- ")
    return {"df": f"{a}*({OUTER[activation].replace('(z)', inner).replace('z*', f'{inner}*')})"}


SCALED_ACTIVATION = formula(
    "scaled-activation",
    "",
    topic="activations",
    title="Derivative of an activation of az + b",
    source="derivation: chain rule, d/dz f(az + b) = a f'(az + b)",
    procedure=_chain_rule,
    counts="df",
    activation="text; sigmoid, tanh, softplus or silu",
    a="int -9..9; factor of z",
    b="int -9..9; constant that is added",
    df="expression; derivative with respect to z",
)
