"""LSTM: procedures."""

from collections.abc import Iterator

from quizzes.content.sequences.lstm.formulas import LSTM_SEQUENCE, lstm_states
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "lstm-sequence",
    LSTM_SEQUENCE,
    title="An LSTM over a sequence: the gates, the cell state and the hidden state of each time step",
    example=dict(
        X=[[1], [-1], [0.5]],
        W_x=[[0.5], [0.3], [0.8], [0.6]],
        W_h=[[0.1], [0.2], [-0.4], [0.3]],
    ),
)
def lstm_sequence(
    X: list[list[Value]],
    W_x: list[list[Value]],
    W_h: list[list[Value]],
    b_x: list[Value] | None = None,
    b_h: list[Value] | None = None,
    h0: list[Value] | None = None,
    c0: list[Value] | None = None,
) -> Iterator[State]:
    """Compute the gates from the input and the last hidden state, then the cell state, then the hidden state."""
    result = lstm_states(X, W_x, W_h, b_x, b_h, h0, c0)
    size = len(W_h[0])
    h, c = list(h0 or [0] * size), list(c0 or [0] * size)
    for t, (x, gates) in enumerate(zip(X, result["gates"], strict=True), 1):
        values: Params = dict(t=t, x=x, h_prev=h, c_prev=c)
        yield State(
            f"Step {t} reads x = {list_text(x)} and the last hidden state {list_text(h)}. The last cell state is "
            f"{list_text(c)}.",
            dict(values),
            Visualization("table", dict(x=x, h_prev=h, c_prev=c)),
        )
        values.update(gates)
        yield State(
            f"Sigmoids give the gates: input i = {list_text(gates['i'])}, forget f = {list_text(gates['f'])}, output "
            f"o = {list_text(gates['o'])}. A tanh gives the candidate g = {list_text(gates['g'])}.",
            dict(values),
            Visualization("table", gates),
        )
        c = result["C"][t - 1]
        values["c"] = c
        yield State(
            f"The cell state keeps the share f of its old value and adds the share i of the candidate: f*c_prev + i*g "
            f"= {list_text(c)}.",
            dict(values),
            Visualization("table", dict(c_prev=values["c_prev"], f=gates["f"], i=gates["i"], g=gates["g"], c=c)),
        )
        h = result["H"][t - 1]
        values["h"] = h
        yield State(
            f"The hidden state is the share o of the squashed cell state: o*tanh(c) = {list_text(h)}.",
            dict(values),
            Visualization("table", dict(c=c, o=gates["o"], h=h)),
        )
    yield State(
        f"After all {len(X)} steps, the hidden state is {list_text(h)} and the cell state {list_text(c)}.",
        dict(T=len(X), H=result["H"], C=result["C"]),
        Visualization("table", {f"h_{t}": row for t, row in enumerate(result["H"], 1)}),
    )
