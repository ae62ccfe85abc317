"""LSTM: formulas."""

from math import tanh
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.content.sequences.shared import (
    BIAS_VECTORS,
    BLOCKS,
    HIDDEN_SIZE,
    INPUT_SIZE,
    STEPS,
    Row,
    Rows,
    affine,
    check_sizes,
    sigmoid,
)
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape, Vector, Word
from quizzes.trace import Trace

LSTM = (
    "Hochreiter & Schmidhuber, Long short-term memory, 1997, with the forget gate of Gers, Schmidhuber & Cummins, "
    "2000, as torch.nn.LSTM"
)

GATES: dict[str, Any] = dict(
    i=Real(0, 1, "input gate"),
    f=Real(0, 1, "forget gate"),
    g=Real(-1, 1, "candidate"),
    o=Real(0, 1, "output gate"),
)

STATES: dict[str, Any] = dict(
    c=Real(meaning="cell state"),
    h=Real(-1, 1, "hidden state"),
)

LSTM_STEP = Formula(
    "lstm-step",
    """
    i = sigmoid(w_x[1]*x + w_h[1]*h_prior + b[1])
    f = sigmoid(w_x[2]*x + w_h[2]*h_prior + b[2])
    g = tanh(w_x[3]*x + w_h[3]*h_prior + b[3])
    o = sigmoid(w_x[4]*x + w_h[4]*h_prior + b[4])
    c = f*c_prior + i*g
    h = o*tanh(c)
    """,
    title="One step of an LSTM with one unit",
    source=LSTM,
    conventions="Weights and biases are in PyTorch's order: input gate, forget gate, candidate, output gate.",
    x=Real(meaning="input of the step"),
    h_prior=Real(meaning="previous hidden state", default=0),
    c_prior=Real(meaning="previous cell state", default=0),
    w_x=Vector(meaning="input weights of i, f, g, o"),
    w_h=Vector(meaning="recurrent weights of i, f, g, o"),
    b=Vector(meaning="biases of i, f, g, o", default=[0, 0, 0, 0]),
    **GATES,
    **STATES,
)


LSTM_TWO_STEPS = Trace(LSTM_STEP, steps=2, carried={"h": "h_prior", "c": "c_prior"}, fresh="x")


LSTM_STATE = Formula(
    "lstm-state",
    """
    c = f*c_prior + i*g
    h = o*tanh(c)
    """,
    title="Cell state and hidden state of an LSTM from its gates",
    source=LSTM,
    c_prior=Real(meaning="previous cell state"),
    **GATES,
    **STATES,
)


def lstm_states(
    X: Rows,
    W_x: Rows,
    W_h: Rows,
    b_x: Row | None = None,
    b_h: Row | None = None,
    h0: Row | None = None,
    c0: Row | None = None,
) -> dict[str, Any]:
    """Return hidden states and cell states of an LSTM layer, and the gates of each step by name.

    Raises:
        UserError: If the arrays don't fit each other.
    """
    size = check_sizes(BLOCKS["LSTM"], X=X, W_x=W_x, W_h=W_h, b_x=b_x, b_h=b_h, h0=h0, c0=c0)
    h, c = list(h0 or [0] * size), list(c0 or [0] * size)
    H: list[Row] = []
    C: list[Row] = []
    gates: list[dict[str, Row]] = []
    for x in X:
        z = [u + v for u, v in zip(affine(W_x, x, b_x), affine(W_h, h, b_h), strict=True)]
        blocks = [z[k * size : (k + 1) * size] for k in range(BLOCKS["LSTM"])]
        i, f, o = ([sigmoid(value) for value in blocks[k]] for k in (0, 1, 3))
        g = [tanh(value) for value in blocks[2]]
        c = [f[k] * c[k] + i[k] * g[k] for k in range(size)]
        h = [o[k] * tanh(c[k]) for k in range(size)]
        H, C = [*H, h], [*C, c]
        gates.append(dict(i=i, f=f, g=g, o=o))
    return {"H": H, "C": C, "gates": gates}


def _states(**arrays: Any) -> dict[str, Any]:
    result = lstm_states(**arrays)
    return {"H": result["H"], "C": result["C"]}


LSTM_SEQUENCE = Formula(
    "lstm-sequence",
    "",
    statement="""
i_t, f_t, o_t = σ(W_x x_t + b_x + W_h h_{t-1} + b_h), each with its own rows
g_t = tanh(W_x x_t + b_x + W_h h_{t-1} + b_h), with its own rows
c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
h_t = o_t ⊙ tanh(c_t)
""",
    title="LSTM over a whole sequence",
    source=LSTM,
    conventions="The weights are those of torch.nn.LSTM: W_x is weight_ih_l0, W_h weight_hh_l0, b_x bias_ih_l0 and b_h "
    "bias_hh_l0, with the rows of the input gate first, then those of the forget gate, the candidate, and the output "
    "gate.",
    procedure=_states,
    procedure_outputs="H C",
    X=Matrix(meaning="inputs, one row per time step"),
    W_x=Matrix(meaning="input weights, the rows of i, f, g, o"),
    W_h=Matrix(meaning="recurrent weights, the rows of i, f, g, o"),
    b_x=Vector(meaning="input biases, 0 by default", optional=True),
    b_h=Vector(meaning="recurrent biases, 0 by default", optional=True),
    h0=Vector(meaning="initial hidden state, 0 by default", optional=True),
    c0=Vector(meaning="initial cell state, 0 by default", optional=True),
    H=Matrix(meaning="hidden states, one row per time step"),
    C=Matrix(meaning="cell states, one row per time step"),
)


def _blocks(cell: str, **_: Any) -> dict[str, int]:
    return {"m": BLOCKS[cell]}


GATED_PARAMS = Formula(
    "lstm-gru-params",
    "P = m*(h*(i + h) + q*h)",
    title="Parameters of one layer of an LSTM or GRU",
    source="derivation: each block (gates and candidate: 4 in an LSTM, 3 in a GRU) has h x i and h x h weights and q "
    "bias vectors; all time steps share them. PyTorch has q = 2",
    procedure=_blocks,
    procedure_outputs="m",
    cell=Word(words=("GRU", "LSTM", "RNN"), meaning="cell"),
    i=INPUT_SIZE,
    h=HIDDEN_SIZE,
    q=BIAS_VECTORS,
    T=STEPS,
    m=Int(meaning="blocks of weights per cell: LSTM 4, GRU 3"),
    P=Int(1, meaning="number of parameters of the layer"),
)


GATED_INPUT_SIZE = Formula(
    "lstm-gru-input-size",
    "i = P/(m*h) - h - q",
    title="Input size of an LSTM or GRU from its parameters",
    source="derivation: solve P = m (h (i + h) + q h) for i",
    procedure=_blocks,
    procedure_outputs="m",
    cell=Word(words=("GRU", "LSTM", "RNN"), meaning="cell"),
    h=HIDDEN_SIZE,
    q=BIAS_VECTORS,
    P=Int(1, meaning="number of parameters of the layer"),
    m=Int(meaning="blocks of weights per cell: LSTM 4, GRU 3"),
    i=Int(1, meaning="input size, features per time step"),
)


FORGET_FRACTION = Formula(
    "lstm-forget-fraction",
    """
    f = sigmoid(b)
    r = f^n
    """,
    title="Gradient that the cell state of an LSTM keeps over n steps",
    source="derivation: c_t = f c_(t-1) + i g, so along the cell state alone dc_t/dc_(t-1) = f; if the gates depend on "
    "the bias alone, f = sigmoid(b)",
    b=Real(meaning="bias of the forget gate"),
    n=Int(1, 10000, "number of steps"),
    f=Real(0, 1, "forget gate"),
    r=Real(0, 1, "fraction of the gradient after n steps"),
)


CELL_BUDGET = Formula(
    "cell-budget",
    """
    h_rnn = floor((sqrt((i + 2)^2 + 4*B) - i - 2)/2)
    h_gru = floor((sqrt((i + 2)^2 + 4*B/3) - i - 2)/2)
    h_lstm = floor((sqrt((i + 2)^2 + B) - i - 2)/2)
    fraction = max(a_rnn, a_gru, sigmoid(b_f))^n
    cell = where(fraction = a_rnn^n, 1, where(fraction = a_gru^n, 2, 3))
    """,
    title="Largest recurrent cells within a parameter budget, and the gradient that they keep",
    source="derivation: m blocks have m (h^2 + h i + 2h) parameters in PyTorch; solving the quadratic inequality for h "
    "and rounding down gives the largest h",
    i=INPUT_SIZE,
    B=Int(1, 1000000000, "largest number of parameters"),
    a_rnn=Real(0, 1, "factor of the gradient per step in the RNN"),
    a_gru=Real(0, 1, "factor of the gradient per step in the GRU"),
    b_f=Real(meaning="bias of the forget gate of the LSTM"),
    n=Int(1, 10000, "number of steps"),
    h_rnn=Int(meaning="largest hidden size of an RNN"),
    h_gru=Int(meaning="largest hidden size of a GRU"),
    h_lstm=Int(meaning="largest hidden size of an LSTM"),
    fraction=Real(0, 1, "fraction of the gradient that this cell keeps"),
    cell=Choice(
        meaning="cell that keeps enough of the gradient",
        options=dict(rnn="RNN", gru="GRU", lstm="LSTM"),
        supported_by="fraction",
    ),
)


def _layout(B: int, T: int, h: int, N: int, bug: str, **_: Any) -> dict[str, Any]:
    fixed = [N, B, h]
    return {"now": [N, T, h] if bug == "layout" else fixed, "fixed": fixed, "steps": B if bug == "layout" else T}


LSTM_LAYOUT = Formula(
    "lstm-layout",
    "",
    title="An LSTM classifier with a wrong line",
    source="PyTorch documentation, torch.nn.LSTM: the input is (L, N, H_in), time first, unless batch_first=True; h_n "
    "is (D*num_layers, N, H_out) in both cases",
    procedure=_layout,
    procedure_outputs="now fixed steps",
    B=Int(1, 1000, "batch size"),
    T=Int(1, 1000, "number of time steps"),
    h=HIDDEN_SIZE,
    N=Int(1, 10, "number of layers"),
    bug=Word(words=("layout", "first-step"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("nn.LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False)",),
    ),
    now=Shape(meaning="shape of h as the program is"),
    fixed=Shape(meaning="shape of h in the corrected program"),
    steps=Int(meaning="number of time steps that the LSTM takes as the program is"),
)
