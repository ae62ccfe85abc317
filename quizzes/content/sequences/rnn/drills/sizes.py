"""Vanilla RNN and BPTT: drills about parameters and shapes."""

from random import Random

from quizzes.content.sequences.rnn.formulas import RNN_PARAMS, STACKED_PARAMS, STACKED_SHAPES
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

BIASES = {1: "one bias vector", 2: "two bias vectors, as in PyTorch"}


@drill(
    RNN_PARAMS,
    tier=1,
    asks=("P", "P_y"),
    prompt="An RNN layer with input size i = {i} and hidden size h = {h} reads sequences of T = {T} time steps. A "
    "linear layer with bias maps each hidden state to o = {o} outputs.\n"
    "How many parameters do the RNN layer (P) and the linear layer (P_y) have?\n"
    "Conventions: the RNN layer has {biases} (q = {q}).",
    hint="Which matrices and vectors does one step use? Do later steps have weights that differ?",
    mistakes=[
        Mistake(
            "per-time-step",
            "P = T*(h*(i + h) + q*h)",
            "You multiplied by the number of time steps. All steps share the same weights.",
        ),
        Mistake(
            "other-bias-count",
            "P = h*(i + h) + (3 - q)*h",
            "You counted another number of bias vectors. The line on conventions gives it.",
        ),
        Mistake(
            "no-recurrent-weights",
            "P = h*i + q*h",
            "You left out the recurrent weights. The previous hidden state has an h x h matrix too.",
        ),
        Mistake(
            "no-bias", "P = h*(i + h); P_y = o*h", "You left out the bias. It adds one parameter per unit and vector."
        ),
        Mistake(
            "output-reads-input",
            "P_y = o*(h + i + 1)",
            "You let the output layer read the input too. It reads the hidden state alone.",
        ),
    ],
)
def rnn_params(rng: Random) -> Inputs:
    """Parameters of an RNN"""
    q = rng.choice([1, 2])
    i, h = rng.choice([10, 16, 25, 32, 50, 64, 70, 100, 300]), rng.choice([20, 32, 48, 64, 100, 128, 256])
    return dict(i=i, h=h, q=q, o=rng.choice([2, 3, 5, 10, 26, 1000]), T=rng.choice([5, 12, 20, 40]), biases=BIASES[q])


@drill(
    RNN_PARAMS,
    id="rnn-params:input-size",
    tier=2,
    asks="i",
    prompt="An RNN layer has hidden size h = {h} and P = {P} parameters. A linear layer with bias maps its hidden "
    "state to o = {o} outputs and has P_y = {P_y} parameters. The sequences have T = {T} time steps. What is the "
    "input size i of the RNN layer?\n"
    "Conventions: the RNN layer has {biases} (q = {q}).",
    hint="Which part of P does not depend on the input size? Subtract it first.",
    mistakes=[
        Mistake(
            "other-bias-count",
            "P = h*(i + h) + (3 - q)*h",
            "You counted another number of bias vectors. The line on conventions gives it.",
        ),
        Mistake(
            "no-recurrent-weights",
            "P = h*i + q*h",
            "You left out the recurrent weights. The previous hidden state has an h x h matrix too.",
        ),
        Mistake("no-bias", "P = h*(i + h)", "You left out the bias vectors. Subtract their parameters first."),
    ],
)
def rnn_params_input(rng: Random) -> Inputs:
    """Input size of an RNN from its parameters"""
    return rnn_params.generate(rng)


@drill(
    STACKED_PARAMS,
    tier=2,
    asks=("P1", "P2", "P"),
    prompt="A {direction} {cell} has L = {L} layers with hidden size h = {h} per direction (D = {D}). Its input size "
    "is i = {i}.\n"
    "How many parameters do the first layer (P1), each later layer (P2), and all layers (P) have?\n"
    "Conventions: as in PyTorch, so each block of weights has two bias vectors.",
    hint="How many features does the second layer read at each time step? How many blocks of weights does the cell "
    "have?",
    mistakes=[
        Mistake(
            "input-not-doubled",
            "P2 = D*m*(h*(h + h) + 2*h)",
            "You gave the later layers h input features. They read both directions, so D h.",
        ),
        Mistake(
            "one-direction",
            "P1 = m*(h*(i + h) + 2*h); P2 = m*(h*(D*h + h) + 2*h)",
            "You counted one direction. A bidirectional layer has weights for each of the two.",
        ),
        Mistake(
            "one-bias",
            "P1 = D*m*(h*(i + h) + h); P2 = D*m*(h*(D*h + h) + h)",
            "You counted one bias vector per block. PyTorch has two, bias_ih and bias_hh.",
        ),
        Mistake(
            "same-input-everywhere",
            "P2 = D*m*(h*(i + h) + 2*h)",
            "You gave the later layers the input size i. They read the hidden states of the layer below.",
        ),
        Mistake(
            "all-like-the-first",
            "P = L*P1",
            "You counted all layers like the first. Only the first layer reads i features.",
        ),
    ],
)
def birnn_stacked_params(rng: Random) -> Inputs:
    """Parameters of a stacked or bidirectional recurrent network"""
    D = rng.choice([1, 2, 2])
    i, h = rng.choice([8, 10, 12, 24, 40, 50]), rng.choice([16, 20, 30, 32, 64])
    direction = "bidirectional" if D == 2 else "unidirectional"
    return dict(cell=rng.choice(["RNN", "GRU", "LSTM"]), i=i, h=h, L=rng.choice([2, 2, 3]), D=D, direction=direction)


def _shape_steps(B: int, T: int, h: int, L: int, D: int, output: list[int], h_n: list[int], **_: object) -> list[Step]:
    return [
        Step(f"The output has a vector per sample and time step, of the last layer, with {D}*{h} features.",
             [f"output = {'x'.join(map(str, output))}"]),
        Step(f"h_n has the last state of every layer and direction: {D}*{L} of them, each {B}x{h}.",
             [f"h_n = {'x'.join(map(str, h_n))}"]),
    ]  # fmt: skip


@drill(
    STACKED_SHAPES,
    id="birnn-stacked-params:shapes",
    tier=1,
    asks=("output", "h_n"),
    steps=_shape_steps,
    prompt="A {direction} GRU in PyTorch has L = {L} layers, input size {i}, and hidden size {h} per direction (D = "
    "{D}). With batch_first=True, it receives an input of shape {B}x{T}x{i}. What are the shapes of its two results, "
    "output and h_n?",
    hints=(
        "Which result has an entry for each time step, and which for each layer?",
        "output is batch x time x (directions times hidden size). h_n is (directions times layers) x batch x hidden "
        "size; batch_first does not change it.",
        "First step: multiply the hidden size by the number of directions.",
    ),
    mistakes=[
        Mistake(
            "one-direction",
            {"output": lambda B, T, h, **_: [B, T, h], "h_n": lambda B, h, L, **_: [L, B, h]},
            "You counted one direction. Both directions are concatenated in output and stacked in h_n.",
        ),
        Mistake(
            "time-first",
            {"output": lambda B, T, h, D, **_: [T, B, D * h]},
            "You put the time first. With batch_first=True, the batch is the first dimension of output.",
        ),
        Mistake(
            "batch-first-state",
            {"h_n": lambda B, h, L, D, **_: [B, D * L, h]},
            "batch_first does not change h_n. Its first dimension is directions times layers.",
        ),
        Mistake(
            "last-layer-only",
            {"h_n": lambda B, h, D, **_: [D, B, h]},
            "You kept the last layer only. h_n has the last state of every layer.",
        ),
    ],
)
def birnn_shapes(rng: Random) -> Inputs:
    """Shapes of a stacked or bidirectional recurrent network"""
    D = rng.choice([1, 2, 2])
    B, T, i, h = rng.sample([4, 5, 7, 8, 10, 12, 16, 20, 32, 50, 64], 4)
    return dict(B=B, T=T, i=i, h=h, L=rng.choice([2, 3]), D=D, direction="bidirectional" if D == 2 else "plain")
