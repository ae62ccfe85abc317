"""Vanilla RNN and BPTT: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.content.sequences.shared import (
    BIAS_VECTORS,
    BLOCKS,
    HIDDEN_SIZE,
    INPUT_SIZE,
    STEPS,
    Number,
    Row,
    Rows,
    affine,
    apply_tanh,
    check_sizes,
)
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape, Table, Vector, Word
from quizzes.trace import Trace

ELMAN = "Elman, Finding structure in time, Cognitive Science 1990, with tanh, as torch.nn.RNNCell"
WERBOS = "Werbos, Backpropagation through time: what it does and how to do it, Proceedings of the IEEE 1990"

RNN_STEP = Formula(
    "rnn-step",
    "h = tanh(w_x*x + w_h*h_prior + b)",
    title="One step of an RNN with one hidden unit",
    source=ELMAN,
    x=Real(meaning="input of the step"),
    h_prior=Real(meaning="previous hidden state", default=0),
    w_x=Real(meaning="input weight"),
    w_h=Real(meaning="recurrent weight"),
    b=Real(meaning="bias", default=0),
    h=Real(-1, 1, "hidden state"),
)


RNN_TWO_STEPS = Trace(RNN_STEP, steps=2, carried={"h": "h_prior"}, fresh="x")


RNN_VECTOR_STEP = Formula(
    "rnn-vector-step",
    """
    h[i] = tanh(sum(j, W_x[i, j]*x[j]) + sum(k, W_h[i, k]*h_prior[k]) + b[i])
    z[m] = sum(i, W_y[m, i]*h[i])
    p[m] = exp(z[m])/sum(n, exp(z[n]))
    """,
    title="One step of an RNN, with a softmax output",
    source=ELMAN,
    x=Vector(meaning="input of the step"),
    h_prior=Vector(meaning="previous hidden state"),
    W_x=Matrix(meaning="input weights, one row per hidden unit"),
    W_h=Matrix(meaning="recurrent weights, one row per hidden unit"),
    b=Vector(meaning="biases of the hidden units"),
    W_y=Matrix(meaning="output weights, one row per class"),
    h=Vector(-1, 1, "hidden state"),
    z=Vector(meaning="logits"),
    p=Vector(0, 1, "output probabilities"),
)


def rnn_states(
    X: Rows, W_x: Rows, W_h: Rows, b_x: Row | None = None, b_h: Row | None = None, h0: Row | None = None
) -> dict[str, Any]:
    """Return the hidden state after each step of an RNN layer.

    Raises:
        UserError: If the arrays don't fit each other.
    """
    hidden = check_sizes(1, X=X, W_x=W_x, W_h=W_h, b_x=b_x, b_h=b_h, h0=h0)
    h: Row = h0 or [0] * hidden
    H = []
    for x in X:
        h = apply_tanh([u + v for u, v in zip(affine(W_x, x, b_x), affine(W_h, h, b_h), strict=True)])
        H.append(h)
    return {"H": H}


RNN_SEQUENCE = Formula(
    "rnn-sequence",
    "",
    statement="h_t = tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)",
    title="RNN over a whole sequence",
    source=ELMAN,
    conventions="The weights are those of torch.nn.RNN: W_x is weight_ih_l0, W_h weight_hh_l0, b_x bias_ih_l0 and b_h "
    "bias_hh_l0.",
    procedure=rnn_states,
    procedure_outputs="H",
    X=Matrix(meaning="inputs, one row per time step"),
    W_x=Matrix(meaning="input weights, one row per hidden unit"),
    W_h=Matrix(meaning="recurrent weights, one row per hidden unit"),
    b_x=Vector(meaning="input biases, 0 by default", optional=True),
    b_h=Vector(meaning="recurrent biases, 0 by default", optional=True),
    h0=Vector(meaning="initial hidden state, 0 by default", optional=True),
    H=Matrix(meaning="hidden states, one row per time step"),
)


RNN_PARAMS = Formula(
    "rnn-params",
    """
    P = h*(i + h) + q*h
    P_y = o*(h + 1)
    """,
    title="Parameters of an RNN layer and of a linear output layer",
    source="derivation: h x i input weights, h x h recurrent weights, and q bias vectors of h values; all time steps "
    "share them. PyTorch's nn.RNN has q = 2, bias_ih and bias_hh",
    i=INPUT_SIZE,
    h=HIDDEN_SIZE,
    q=BIAS_VECTORS,
    o=Int(1, 1000000, "number of outputs", default=1),
    T=STEPS,
    P=Int(1, meaning="number of parameters of the RNN layer"),
    P_y=Int(1, meaning="number of parameters of the output layer"),
)


BPTT_PRODUCT = Formula(
    "bptt-product",
    "g = prod(t = k + 1..len(h), w_h*(1 - h[t]^2))",
    title="Derivative of the last hidden state with respect to an earlier one",
    source=f"{WERBOS}; derivation: h_t = tanh(a_t) has dh_t/dh_(t-1) = (1 - h_t^2) w_h",
    w_h=Real(meaning="recurrent weight"),
    h=Vector(-1, 1, "hidden states h_1 to h_T"),
    k=Int(1, 1000, "step of the earlier hidden state"),
    g=Real(meaning="derivative dh_T/dh_k"),
)


BPTT_JACOBIAN = Formula(
    "bptt-jacobian",
    "J[i, j] = sum(k, (1 - h3[i]^2)*W_h[i, k]*(1 - h2[k]^2)*W_h[k, j])",
    title="Jacobian of a hidden state with respect to that of two steps before",
    source=f"{WERBOS}; derivation: dh_3/dh_1 = diag(1 - h_3^2) W_h diag(1 - h_2^2) W_h, the later step on the left",
    W_h=Matrix(meaning="recurrent weights"),
    h2=Vector(-1, 1, "hidden state after step 2"),
    h3=Vector(-1, 1, "hidden state after step 3"),
    J=Matrix(meaning="Jacobian dh_3/dh_1, one row per unit of h_3"),
)


BPTT_BOUND = Formula(
    "bptt-bound",
    "B = (abs(w_h)*s)^n",
    title="Upper bound on the gradient over n steps of an RNN",
    source="Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks, 2013 "
    "(arXiv:1211.5063), for one hidden unit",
    w_h=Real(meaning="recurrent weight"),
    s=Real(0, 1, "maximum derivative of the activation: 1 for tanh, 1/4 for the sigmoid", default=1),
    n=Int(1, 10000, "number of steps back in time"),
    B=Real(0, meaning="upper bound on the absolute derivative"),
)


BPTT_WEIGHTS = Formula(
    "bptt-weights",
    """
    h1 = tanh(w_x*x1 + w_h*h0 + b)
    h2 = tanh(w_x*x2 + w_h*h1 + b)
    delta2 = (h2 - y)*(1 - h2^2)
    delta1 = delta2*w_h*(1 - h1^2)
    g_h = delta2*h1 + delta1*h0
    g_x = delta2*x2 + delta1*x1
    """,
    title="Gradients of the weights of an RNN by BPTT over two steps",
    source=f"{WERBOS}; derivation: chain rule on L = (h_2 - y)^2/2; both steps use the same weights, so their "
    "gradients add up",
    x1=Real(meaning="input of step 1"),
    x2=Real(meaning="input of step 2"),
    h0=Real(meaning="initial hidden state", default=0),
    w_x=Real(meaning="input weight"),
    w_h=Real(meaning="recurrent weight"),
    b=Real(meaning="bias", default=0),
    y=Real(meaning="target"),
    h1=Real(meaning="hidden state after step 1"),
    h2=Real(meaning="hidden state after step 2"),
    delta2=Real(meaning="gradient at the pre-activation of step 2"),
    delta1=Real(meaning="gradient at the pre-activation of step 1"),
    g_h=Real(meaning="gradient dL/dw_h"),
    g_x=Real(meaning="gradient dL/dw_x"),
)


def backpropagate(x: Row, w_x: Number, w_h: Number, b: Number, h0: Number, y: Number) -> dict[str, Any]:
    """Return the states of a scalar RNN, the gradient at each pre-activation, and the gradients of its parameters."""
    states = [h0]
    for value in x:
        states += apply_tanh([w_x * value + w_h * states[-1] + b])
    h = states[1:]
    deltas: list[Number] = []
    gradient: Number = h[-1] - y
    for state in reversed(h):
        deltas.insert(0, gradient * (1 - state**2))
        gradient = deltas[0] * w_h
    return {
        "h": h,
        "delta": deltas,
        "L": (h[-1] - y) ** 2 / 2,
        "g_x": sum(d * v for d, v in zip(deltas, x, strict=True)),
        "g_h": sum(d * v for d, v in zip(deltas, states, strict=False)),
        "g_b": sum(deltas),
        "g_h0": gradient,
    }


BPTT_GRADIENT = Formula(
    "bptt-gradient",
    "",
    statement="""
h_t = tanh(w_x x_t + w_h h_{t-1} + b)
δ_T = (h_T - y)(1 - h_T²); δ_t = δ_{t+1} w_h (1 - h_t²)
g_x = Σ_t δ_t x_t; g_h = Σ_t δ_t h_{t-1}; g_b = Σ_t δ_t; g_h0 = δ_1 w_h
""",
    title="BPTT of an RNN with one hidden unit over a whole sequence",
    source=f"{WERBOS}, for L = (h_T - y)^2/2",
    procedure=backpropagate,
    procedure_outputs="h delta L g_x g_h g_b g_h0",
    x=Vector(meaning="inputs, one per time step"),
    w_x=Real(meaning="input weight"),
    w_h=Real(meaning="recurrent weight"),
    b=Real(meaning="bias", default=0),
    h0=Real(meaning="initial hidden state", default=0),
    y=Real(meaning="target of the last hidden state"),
    h=Vector(meaning="hidden states"),
    delta=Vector(meaning="gradient at the pre-activation of each step"),
    L=Real(meaning="loss (h_T - y)^2/2"),
    g_x=Real(meaning="gradient dL/dw_x"),
    g_h=Real(meaning="gradient dL/dw_h"),
    g_b=Real(meaning="gradient dL/db"),
    g_h0=Real(meaning="gradient dL/dh_0"),
)


def _blocks(cell: str, **_: Any) -> dict[str, int]:
    return {"m": BLOCKS[cell]}


STACKED_PARAMS = Formula(
    "birnn-stacked-params",
    """
    P1 = D*m*(h*(i + h) + 2*h)
    P2 = D*m*(h*(D*h + h) + 2*h)
    P = P1 + (L - 1)*P2
    """,
    title="Parameters of a stacked RNN, GRU or LSTM, as in PyTorch",
    source="PyTorch documentation, torch.nn.LSTM: every later layer reads D*hidden_size features, and each block has "
    "two bias vectors",
    procedure=_blocks,
    procedure_outputs="m",
    cell=Word(words=("RNN", "GRU", "LSTM"), meaning="cell"),
    i=INPUT_SIZE,
    h=HIDDEN_SIZE,
    L=Int(1, 1000, "number of layers", default=1),
    D=Int(1, 2, "number of directions, 2 if bidirectional", default=1),
    m=Int(meaning="blocks of weights per cell: RNN 1, GRU 3, LSTM 4"),
    P1=Int(1, meaning="number of parameters of the first layer"),
    P2=Int(1, meaning="number of parameters of each later layer"),
    P=Int(1, meaning="number of parameters of all layers"),
)


def _shapes(B: int, T: int, h: int, L: int, D: int, **_: Any) -> dict[str, list[int]]:
    return {"output": [B, T, D * h], "h_n": [D * L, B, h]}


STACKED_SHAPES = Formula(
    "birnn-stacked-shapes",
    "",
    title="Shapes that a stacked recurrent layer returns, as in PyTorch",
    source="PyTorch documentation, torch.nn.GRU with batch_first=True: output is (N, L, D*H_out), and h_n is "
    "(D*num_layers, N, H_out)",
    procedure=_shapes,
    procedure_outputs="output h_n",
    B=Int(1, 100000, "batch size"),
    T=Int(1, 100000, "number of time steps"),
    i=INPUT_SIZE,
    h=HIDDEN_SIZE,
    L=Int(1, 1000, "number of layers", default=1),
    D=Int(1, 2, "number of directions, 2 if bidirectional", default=1),
    output=Shape(meaning="shape of the outputs, batch first"),
    h_n=Shape(meaning="shape of the last hidden states"),
)


FRAMEWORKS = ("pytorch", "keras", "textbook")


def _recurrent_size(
    cell: str, framework: str, i: int, h: int, L: int, D: int, B: int, T: int, **_: Any
) -> dict[str, Any]:
    # Keras has one bias vector, but two in a GRU with reset_after=True, its default.
    biases = 2 if framework == "pytorch" or (framework, cell) == ("keras", "GRU") else 1
    sizes = [i] + [D * h] * (L - 1)
    table = [
        dict(
            layer=k,
            input=size,
            weights=D * BLOCKS[cell] * h * (size + h),
            biases=D * BLOCKS[cell] * biases * h,
            params=D * BLOCKS[cell] * (h * (size + h) + biases * h),
        )
        for k, size in enumerate(sizes, 1)
    ]
    return {"table": table, "P": sum(row["params"] for row in table)} | _shapes(B, T, h, L, D)


RECURRENT_SIZE = Formula(
    "recurrent-size",
    "",
    title="Parameters and shapes of a recurrent layer, as PyTorch, Keras or textbooks count",
    source="PyTorch documentation, torch.nn.RNN, GRU and LSTM (two bias vectors per block); Keras documentation, "
    "SimpleRNN and LSTM (one bias vector), GRU (two with reset_after=True, its default)",
    procedure=_recurrent_size,
    procedure_outputs="table P output h_n",
    cell=Word(words=("RNN", "GRU", "LSTM"), meaning="cell", default="LSTM"),
    framework=Word(words=FRAMEWORKS, meaning="way of counting biases", default="pytorch"),
    i=INPUT_SIZE,
    h=HIDDEN_SIZE,
    L=Int(1, 1000, "number of layers", default=1),
    D=Int(1, 2, "number of directions, 2 if bidirectional", default=1),
    B=Int(1, 100000, "batch size", default=1),
    T=Int(1, 100000, "number of time steps", default=1),
    table=Table(meaning="parameters of each layer"),
    P=Int(meaning="number of parameters"),
    output=Shape(meaning="shape of the outputs, batch first"),
    h_n=Shape(meaning="shape of the last hidden states, as in PyTorch"),
)


LINEAR_SYMBOLS: dict[str, Any] = dict(
    w=Real(meaning="recurrent weight"),
    y=Real(meaning="target"),
    h1=Real(meaning="hidden state after step 1"),
    h2=Real(meaning="hidden state after step 2"),
    h3=Real(meaning="hidden state after step 3"),
    g=Real(meaning="gradient dL/dw"),
)


LINEAR_RNN = Formula(
    "bptt-linear-rnn",
    """
    h1 = x[1]
    h2 = w*h1 + x[2]
    h3 = w*h2 + x[3]
    g = (h3 - y)*(h2 + w*h1)
    """,
    title="Gradient of a linear RNN over three steps",
    source="derivation: product rule on h_3 = w h_2 + x_3 with h_2 = w h_1 + x_2, so dh_3/dw = h_2 + w h_1",
    shapes="x[3]",
    x=Vector(meaning="inputs"),
    **LINEAR_SYMBOLS,
)


LINEAR_RNN_4 = Formula(
    "bptt-linear-rnn-4",
    """
    h1 = x[1]
    h2 = w*h1 + x[2]
    h3 = w*h2 + x[3]
    h4 = w*h3 + x[4]
    g = (h4 - y)*(h3 + w*h2 + w^2*h1)
    """,
    title="Gradient of a linear RNN over four steps",
    source="derivation: product rule on h_4 = w h_3 + x_4, so dh_4/dw = h_3 + w dh_3/dw = h_3 + w (h_2 + w h_1)",
    shapes="x[4]",
    x=Vector(meaning="inputs"),
    **LINEAR_SYMBOLS,
    h4=Real(meaning="hidden state after step 4"),
)


GRADIENT_LOG = Formula(
    "rnn-gradient-log",
    """
    factor = floor(100*g[2]/g[1] + 1/2)/100
    n = floor(where(factor < 1, -1, 1)*ln(m)/ln(factor)) + 1
    remedy = where(factor < 1, 1, 2)
    """,
    title="Gradient norms of an RNN by distance from the loss",
    source="derivation: each step back in time multiplies the gradient by the same factor, so after n steps by its "
    "n-th power",
    shapes="g[4]",
    g=Vector(0, meaning="gradient norms at the distances 0 to 3 from the loss"),
    m=Int(2, meaning="how many times smaller or larger than the first norm"),
    factor=Real(meaning="factor per step back in time, to 2 decimal places"),
    n=Int(1, meaning="smallest distance at which the norm has changed by more than the limit"),
    remedy=Choice(
        meaning="remedy that fits",
        options=dict(
            gates="a cell with gates, such as an LSTM",
            clipping="gradient clipping",
            decay="stronger weight decay",
            batch="a larger batch",
        ),
        supported_by="factor",
    ),
)


CHAR_RNN = Formula(
    "char-rnn",
    """
    h1 = tanh(w_x*x1)
    h2 = tanh(w_x*x2 + w_h*h1)
    L = (softplus(-y1*(u + 1)*h1) + softplus(-y2*(u + 1)*h2))/2
    PP = exp(L)
    better = where(PP < 2, 1, 2)
    g = ((sigmoid((u + 1)*h1) - (y1 + 1)/2)*h1 + (sigmoid((u + 1)*h2) - (y2 + 1)/2)*h2)/2
    """,
    title="Character RNN with two letters: loss, perplexity and gradient",
    source="derivation: with the logits (u h, -h), P(a) = sigmoid((u + 1) h), and cross-entropy has the gradient "
    "P(a) - [target is a] at the first logit",
    x1=Int(-1, 1, "embedding of the first letter"),
    x2=Int(-1, 1, "embedding of the second letter"),
    y1=Int(-1, 1, "first target, 1 for a and -1 for b"),
    y2=Int(-1, 1, "second target, 1 for a and -1 for b"),
    w_x=Real(meaning="input weight"),
    w_h=Real(meaning="recurrent weight"),
    u=Real(meaning="output weight of the letter a"),
    h1=Real(meaning="hidden state after the first letter"),
    h2=Real(meaning="hidden state after the second letter"),
    L=Real(0, meaning="mean cross-entropy per letter", unit="nats"),
    PP=Real(1, meaning="perplexity"),
    better=Choice(
        meaning="comparison with guessing both letters with probability 1/2",
        options=dict(yes="better than guessing", no="worse than guessing"),
        supported_by="PP",
    ),
    g=Real(meaning="gradient dL/du"),
)
