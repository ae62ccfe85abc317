"""GRU: procedures."""

from collections.abc import Iterator

from quizzes.content.sequences.gru.formulas import GRU_SEQUENCE, gru_states
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "gru-sequence",
    GRU_SEQUENCE,
    title="A GRU over a sequence: the gates, the candidate and the hidden state of each time step",
    example=dict(
        X=[[1], [-1], [0.5]],
        W_x=[[0.5], [0.3], [0.8]],
        W_h=[[0.1], [0.2], [-0.4]],
    ),
)
def gru_sequence(
    X: list[list[Value]],
    W_x: list[list[Value]],
    W_h: list[list[Value]],
    b_x: list[Value] | None = None,
    b_h: list[Value] | None = None,
    h0: list[Value] | None = None,
    reset: str = "after",
) -> Iterator[State]:
    """Compute the gates, then the candidate, and mix it with the last hidden state."""
    result = gru_states(X, W_x, W_h, b_x, b_h, h0, reset)
    h = list(h0 or [0] * len(W_h[0]))
    for t, (x, gates) in enumerate(zip(X, result["gates"], strict=True), 1):
        values: Params = dict(t=t, x=x, h_prev=h, r=gates["r"], z=gates["z"])
        yield State(
            f"Step {t} reads x = {list_text(x)} and the last hidden state {list_text(h)}. Sigmoids give the reset gate "
            f"r = {list_text(gates['r'])} and the update gate z = {list_text(gates['z'])}.",
            dict(values),
            Visualization("table", dict(x=x, h_prev=h, r=gates["r"], z=gates["z"])),
        )
        values["n"] = gates["n"]
        place = "W_h*h + b" if reset == "after" else "h before W_h"
        yield State(
            f"The reset gate scales {place}. A tanh gives the candidate n = {list_text(gates['n'])}.",
            dict(values),
            Visualization("table", dict(r=gates["r"], n=gates["n"])),
        )
        h = result["H"][t - 1]
        values["h"] = h
        yield State(
            f"The update gate keeps the share z of the old state: (1 - z)*n + z*h_prev = {list_text(h)}.",
            dict(values),
            Visualization("table", dict(h_prev=values["h_prev"], z=gates["z"], n=gates["n"], h=h)),
        )
    yield State(
        f"After all {len(X)} steps, the hidden state is {list_text(h)}.",
        dict(T=len(X), H=result["H"]),
        Visualization("table", {f"h_{t}": row for t, row in enumerate(result["H"], 1)}),
    )
