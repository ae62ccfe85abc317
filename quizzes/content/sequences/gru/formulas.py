"""GRU: formulas."""

from math import tanh
from typing import Any

from quizzes.content.sequences.shared import BLOCKS, Row, Rows, affine, check_sizes, sigmoid
from quizzes.formula import Formula
from quizzes.symbols import Matrix, Real, Vector, Word
from quizzes.trace import Trace

GRU = "Cho et al., Learning phrase representations using RNN encoder-decoder, 2014 (arXiv:1406.1078), as torch.nn.GRU"

GRU_STEP = Formula(
    "gru-step",
    """
    r = sigmoid(w_x[1]*x + w_h[1]*h_prior + b[1])
    z = sigmoid(w_x[2]*x + w_h[2]*h_prior + b[2])
    n = tanh(w_x[3]*x + b[3] + r*(w_h[3]*h_prior + b_n))
    h = (1 - z)*n + z*h_prior
    """,
    title="One step of a GRU with one unit",
    source=GRU,
    conventions="Weights and biases are in PyTorch's order: reset gate, update gate, candidate. z is the fraction of "
    "the old state that is kept; some books exchange z and 1 - z.",
    x=Real(meaning="input of the step"),
    h_prior=Real(meaning="previous hidden state", default=0),
    w_x=Vector(meaning="input weights of r, z, n"),
    w_h=Vector(meaning="recurrent weights of r, z, n"),
    b=Vector(meaning="biases of r, z, n", default=[0, 0, 0]),
    b_n=Real(meaning="recurrent bias of n, inside the product with r", default=0),
    r=Real(0, 1, "reset gate"),
    z=Real(0, 1, "update gate"),
    n=Real(-1, 1, "candidate"),
    h=Real(meaning="hidden state"),
)


GRU_TWO_STEPS = Trace(GRU_STEP, steps=2, carried={"h": "h_prior"}, fresh="x")


UPDATE: dict[str, Any] = dict(
    z=Real(0, 1, "update gate"),
    n=Real(-1, 1, "candidate"),
    h_prior=Real(meaning="previous hidden state"),
    h=Real(meaning="hidden state"),
)


GRU_UPDATE = Formula(
    "gru-update",
    "h = (1 - z)*n + z*h_prior",
    title="Hidden state of a GRU from its update gate",
    source=GRU,
    conventions="z is the fraction of the old state that is kept, as in PyTorch; some books exchange z and 1 - z.",
    **UPDATE,
)


GRU_RESET = Formula(
    "gru-reset",
    """
    a[i] = tanh(u[i] + r[i]*sum(j, W_h[i, j]*h_prior[j]))
    c[i] = tanh(u[i] + sum(j, W_h[i, j]*r[j]*h_prior[j]))
    """,
    title="Candidate of a GRU with the reset gate after or before the recurrent matrix",
    source="PyTorch documentation, torch.nn.GRU (after), and Cho et al., 2014, arXiv:1406.1078 (before); Keras' GRU "
    "has both, as reset_after=True and False",
    u=Vector(meaning="part of the pre-activation that comes from the input"),
    r=Vector(0, 1, "reset gates"),
    h_prior=Vector(meaning="previous hidden state"),
    W_h=Matrix(meaning="recurrent weights of the candidate"),
    a=Vector(-1, 1, "candidate with the reset gate after the matrix"),
    c=Vector(-1, 1, "candidate with the reset gate before the matrix"),
)


def gru_states(
    X: Rows,
    W_x: Rows,
    W_h: Rows,
    b_x: Row | None = None,
    b_h: Row | None = None,
    h0: Row | None = None,
    reset: str = "after",
) -> dict[str, Any]:
    """Return the hidden states of a GRU layer, and the gates of each step by name.

    Raises:
        UserError: If the arrays don't fit each other.
    """
    size = check_sizes(BLOCKS["GRU"], X=X, W_x=W_x, W_h=W_h, b_x=b_x, b_h=b_h, h0=h0)
    h = list(h0 or [0] * size)
    H: list[Row] = []
    gates: list[dict[str, Row]] = []
    for x in X:
        a, u = affine(W_x, x, b_x), affine(W_h, h, b_h)
        r, z = ([sigmoid(a[j] + u[j]) for j in range(k * size, (k + 1) * size)] for k in (0, 1))
        recurrent = [r[k] * u[2 * size + k] for k in range(size)]
        if reset == "before":
            recurrent = affine(W_h[2 * size :], [r[k] * h[k] for k in range(size)], b_h and b_h[2 * size :])
        n = [tanh(a[2 * size + k] + recurrent[k]) for k in range(size)]
        h = [(1 - z[k]) * n[k] + z[k] * h[k] for k in range(size)]
        H = [*H, h]
        gates.append(dict(r=r, z=z, n=n))
    return {"H": H, "gates": gates}


def _states(**arrays: Any) -> dict[str, Any]:
    return {"H": gru_states(**arrays)["H"]}


GRU_SEQUENCE = Formula(
    "gru-sequence",
    "",
    statement="""
r_t, z_t = σ(W_x x_t + b_x + W_h h_{t-1} + b_h), each with its own rows
n_t = tanh(W_x x_t + b_x + r_t ⊙ (W_h h_{t-1} + b_h)), with its own rows
h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}
""",
    title="GRU over a whole sequence",
    source=GRU,
    conventions="The weights are those of torch.nn.GRU: W_x is weight_ih_l0, W_h weight_hh_l0, b_x bias_ih_l0 and b_h "
    "bias_hh_l0, with the rows of the reset gate first, then those of the update gate and the candidate. z is the "
    "fraction of the old state that is kept.",
    procedure=_states,
    procedure_outputs="H",
    X=Matrix(meaning="inputs, one row per time step"),
    W_x=Matrix(meaning="input weights, the rows of r, z, n"),
    W_h=Matrix(meaning="recurrent weights, the rows of r, z, n"),
    b_x=Vector(meaning="input biases, 0 by default", optional=True),
    b_h=Vector(meaning="recurrent biases, 0 by default", optional=True),
    h0=Vector(meaning="initial hidden state, 0 by default", optional=True),
    reset=Word(
        words=("after", "before"),
        meaning="place of the reset gate: after the recurrent matrix (PyTorch) or before it",
        default="after",
    ),
    H=Matrix(meaning="hidden states, one row per time step"),
)
