"""LSTM: drills about parameters, shapes, and the choice of a cell."""

from random import Random
from typing import Any

from quizzes.content.sequences.lstm.formulas import CELL_BUDGET, GATED_INPUT_SIZE, GATED_PARAMS, LSTM_LAYOUT
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

BIASES = {1: "one bias vector per block, as in textbooks", 2: "two bias vectors per block, as in PyTorch"}

NO_RECURRENT = "You left out the recurrent weights. Every block also has an h x h matrix for the hidden state."
OTHER_BIASES = "You counted another number of bias vectors. The line on conventions gives it."
NO_BIAS = "You left out the biases. Every block has them."


@drill(
    GATED_PARAMS,
    tier=1,
    asks="P",
    joins=("gru",),
    prompt="A layer of {article} {cell} has input size i = {i} and hidden size h = {h}. It reads sequences of T = {T} "
    "time steps.\n"
    "Conventions: {biases} (q = {q}).",
    hint="How many blocks of weights (gates and candidate) does the cell have? Each is like a plain RNN.",
    mistakes=[
        Mistake(
            "one-block-less",
            "P = (m - 1)*(h*(i + h) + q*h)",
            "You counted the gates alone. The candidate has weights too: an LSTM has 4 blocks, a GRU 3.",
        ),
        Mistake(
            "one-block", "P = h*(i + h) + q*h", "You counted one block. Every gate has weights, and the candidate."
        ),
        Mistake("no-bias", "P = m*h*(i + h)", NO_BIAS),
        Mistake("other-bias-count", "P = m*(h*(i + h) + (3 - q)*h)", OTHER_BIASES),
        Mistake("no-recurrent-weights", "P = m*(h*i + q*h)", NO_RECURRENT),
        Mistake(
            "recurrent-weights-once",
            "P = m*(h*i + q*h) + h^2",
            "You counted the recurrent weights once. Every block has its own h x h matrix.",
        ),
        Mistake(
            "per-time-step",
            "P = T*m*(h*(i + h) + q*h)",
            "You multiplied by the number of time steps. All steps share the same weights.",
        ),
    ],
)
def lstm_gru_params(rng: Random) -> Inputs:
    """Parameters of an LSTM or GRU layer"""
    cell, q = rng.choice(["LSTM", "GRU"]), rng.choice([1, 2])
    sizes = dict(i=rng.choice([10, 20, 25, 32, 50, 64, 100, 300]), h=rng.choice([16, 32, 48, 64, 100, 128, 256]))
    article = "an" if cell == "LSTM" else "a"
    return dict(cell=cell, q=q, T=rng.choice([6, 15, 30, 80]), article=article, biases=BIASES[q], **sizes)


@drill(
    GATED_INPUT_SIZE,
    id="lstm-gru-params:input-size",
    tier=2,
    asks="i",
    joins=("gru",),
    prompt="A layer of {article} {cell} has hidden size h = {h} and P = {P} parameters.\n"
    "Conventions: {biases} (q = {q}).",
    hint="Divide P by the number of blocks first. Which part of a block does not depend on the input size?",
    mistakes=[
        Mistake("no-bias", "i = P/(m*h) - h", NO_BIAS),
        Mistake("other-bias-count", "i = P/(m*h) - h - (3 - q)", OTHER_BIASES),
        Mistake("no-recurrent-weights", "i = P/(m*h) - q", NO_RECURRENT),
    ],
)
def lstm_gru_input_size(rng: Random) -> Inputs:
    """Input size of an LSTM or GRU from its parameters"""
    cell, q = rng.choice(["LSTM", "GRU"]), rng.choice([1, 2])
    i, h = rng.choice([10, 20, 25, 32, 50, 64, 100, 300]), rng.choice([16, 32, 48, 64, 100, 128, 256])
    P = {"LSTM": 4, "GRU": 3}[cell] * h * (i + h + q)
    return dict(cell=cell, q=q, h=h, P=P, article="an" if cell == "LSTM" else "a", biases=BIASES[q])


def _budget_with(i: str, rnn: str = "B", gru: str = "B/3", lstm: str = "B/4") -> str:
    """Return the equations of a mistake: i + 2 is replaced, or the parameters per block."""
    blocks = dict(h_rnn=rnn, h_gru=gru, h_lstm=lstm)
    return "; ".join(f"{name} = floor((sqrt(({i})^2 + 4*{per}) - ({i}))/2)" for name, per in blocks.items())


@drill(
    CELL_BUDGET,
    id="decide-cell-budget",
    tier=3,
    asks=("h_rnn", "h_gru", "h_lstm", "cell", "fraction"),
    joins=("rnn", "gru"),
    prompt="The inputs have i = {i} features, and one recurrent layer may have at most {B} parameters. Each step back "
    "in time multiplies the gradient by {a_rnn} in an RNN, by {a_gru} in a GRU, and by the forget gate in an LSTM, "
    "which is sigmoid({b_f}).\n"
    "What are the largest hidden sizes of an RNN (h_rnn), a GRU (h_gru), and an LSTM (h_lstm)? Which cell keeps more "
    "than 5% of the gradient over {n} steps, and what fraction is that (fraction)?\n"
    "Conventions: PyTorch, so two bias vectors per block.",
    hints=(
        "A layer has 1, 3, or 4 blocks of h(i + h) + 2h parameters. The factors of all steps are multiplied.",
        "Solve m (h^2 + h i + 2h) <= budget for h and round down, with m = 1, 3, 4. The fraction is the factor to the "
        "power of the number of steps.",
        "First step: for the RNN, solve the quadratic equation h^2 + (i + 2) h = budget.",
    ),
    mistakes=[
        Mistake("one-bias", _budget_with("i + 1"), "You counted one bias vector per block. PyTorch has two."),
        Mistake(
            "candidate-left-out",
            _budget_with("i + 2", gru="B/2", lstm="B/3"),
            "You counted the gates alone. The candidate has weights too: a GRU has 3 blocks, an LSTM 4.",
        ),
        Mistake("input-left-out", _budget_with("2"), "You left out the input weights. Every block has h x i of them."),
        Mistake(
            "not-raised",
            "fraction = max(a_rnn, a_gru, sigmoid(b_f))",
            "That is the factor of one step. Raise it to the power of the number of steps.",
        ),
        Mistake(
            "always-lstm",
            "fraction = sigmoid(b_f)^n; cell = 3",
            "Compare the factors: here another cell keeps more of the gradient than the LSTM.",
        ),
    ],
)
def decide_cell_budget(rng: Random) -> Inputs:
    """Choice of a recurrent cell for a budget"""
    n = rng.choice([30, 40, 50, 60])
    mark = 0.05 ** (1 / n)  # the factor per step that keeps 5%
    below = [k / 100 for k in range(70, 100) if k / 100 < mark - 0.015]
    above = [k / 100 for k in range(90, 100) if k / 100 > mark + 0.004]
    biases_below, biases_above = [0.5, 1, 1.5, 2], [3, 3.5, 4]
    winner = rng.choice(["rnn", "gru", "lstm"])
    factors = {cell: rng.choice(above if cell == winner else below) for cell in ("rnn", "gru")}
    if factors["rnn"] == factors["gru"]:
        raise UndefinedValue("the factors must differ")
    b_f = rng.choice(biases_above if winner == "lstm" else biases_below)
    sizes = dict(i=rng.choice([16, 32, 50, 64, 100, 128]), B=rng.choice([20_000, 50_000, 100_000, 200_000, 500_000]))
    return dict(a_rnn=factors["rnn"], a_gru=factors["gru"], b_f=b_f, n=n, **sizes)


def _layout_steps(line: int, now: list[int], fixed: list[int], steps: int, bug: str, **_: Any) -> list[Step]:
    reasons = {
        "layout": "nn.LSTM expects time first, so it takes the batch for the time. batch_first=True corrects that.",
        "first-step": "out[:, 0] is the output after the first step. The last step, out[:, -1], has read everything.",
    }
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("h is (layers) x (batch) x (hidden size), where the batch is what the LSTM takes for the batch.",
             [f"now = {'x'.join(map(str, now))}", f"fixed = {'x'.join(map(str, fixed))}"]),
        Step("The LSTM takes a step per entry of what it takes for the time.", [f"steps = {steps}"]),
    ]  # fmt: skip


@drill(
    LSTM_LAYOUT,
    id="debug-lstm-layout",
    tier=3,
    asks=("line", "fix", "now", "fixed", "steps"),
    visualization="code program",
    steps=_layout_steps,
    prompt="This program raises no error, but the classifier learns hardly anything. x has {B} samples of {T} time "
    "steps with {features} features, and the class depends on the whole sequence. One line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? Which shape does h have as the program is (now), "
    "and in the corrected program (fixed)? How many time steps does the LSTM take as the program is (steps)?",
    hints=(
        "Which dimension of x does nn.LSTM take for the time? Which time step does the classifier read?",
        "Without batch_first=True, nn.LSTM reads its input as time x batch x features. h is layers x batch x hidden "
        "size. The last output has read the whole sequence.",
        "First step: compare the order of the dimensions in the comment with the one that nn.LSTM expects.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, bug, **_: line + 3 if bug == "layout" else line - 3},
            "That line is correct. Compare what nn.LSTM expects, and which step should be read, with the program.",
        ),
        Mistake(
            "batch-first-by-default",
            {"now": lambda B, h, N, **_: [N, B, h]},
            "You assumed batch first. By default, nn.LSTM takes the first dimension for the time.",
        ),
        Mistake(
            "time-first-assumed",
            {"now": lambda T, h, N, **_: [N, T, h], "fixed": lambda T, h, N, **_: [N, T, h]},
            "You put the time in the middle. In the middle of h is the batch.",
        ),
        Mistake(
            "batch-in-front",
            {"fixed": lambda B, h, N, **_: [B, N, h]},
            "You put the batch in front. batch_first does not change h: the layers come first.",
        ),
        Mistake(
            "intended-steps",
            {"steps": lambda B, T, bug, **_: T if bug == "layout" else 1},
            "Read the number of steps off the first dimension that the LSTM takes for the time.",
        ),
    ],
)
def debug_lstm_layout(rng: Random) -> Inputs:
    """An LSTM classifier that does not learn"""
    B, T, features, h = rng.sample([4, 6, 8, 10, 12, 16, 20, 24, 32, 40], 4)
    N, bug = rng.choice([1, 2]), rng.choice(["layout", "layout", "first-step"])
    layers = "" if N == 1 else f", num_layers={N}"
    lstm, head = f"lstm = nn.LSTM({features}, {h}{layers})", "logits = head(out[:, -1])"
    fixed = lstm.replace(")", ", batch_first=True)")
    start = rng.choice([[], ["import torch", "from torch import nn"]])
    lines = [
        *start,
        f"x = torch.randn({B}, {T}, {features})  # batch, time, features",
        lstm if bug == "layout" else fixed,
        "out, (h, c) = lstm(x)",
        f"head = nn.Linear({h}, {rng.choice([2, 3, 5])})",
        head if bug == "layout" else "logits = head(out[:, 0])",
        "print(out.shape, h.shape, logits.shape)",
    ]
    line = len(start) + (2 if bug == "layout" else 5)
    fix = [fixed] if bug == "layout" else [head, f"logits = head(out[:, {T - 1}])", "logits = head(h[-1])"]
    return dict(B=B, T=T, features=features, h=h, N=N, bug=bug, line=line, fix=fix, program="\n".join(lines))
