"""RNN: procedures."""

from collections.abc import Iterator

from quizzes.content.sequences.rnn.formulas import RNN_SEQUENCE, rnn_states
from quizzes.content.sequences.shared import affine
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, procedure
from quizzes.question import Visualization


@procedure(
    "rnn-sequence",
    RNN_SEQUENCE,
    title="An RNN over a sequence: the pre-activation and the hidden state of each time step",
    example=dict(X=[[1], [2], [0]], W_x=[[0.5]], W_h=[[0.8]]),
)
def rnn_sequence(
    X: list[list[Value]],
    W_x: list[list[Value]],
    W_h: list[list[Value]],
    b_x: list[Value] | None = None,
    b_h: list[Value] | None = None,
    h0: list[Value] | None = None,
) -> Iterator[State]:
    """Apply the same weights at each step to its input and to the last hidden state."""
    H = rnn_states(X, W_x, W_h, b_x, b_h, h0)["H"]
    h = list(h0 or [0] * len(W_h[0]))
    for t, x in enumerate(X, 1):
        from_input, from_state = affine(W_x, x, b_x), affine(W_h, h, b_h)
        a = [u + v for u, v in zip(from_input, from_state, strict=True)]
        yield State(
            f"Step {t} reads x = {list_text(x)}. Its weights give {list_text(from_input)}; those of the last hidden "
            f"state {list_text(h)} give {list_text(from_state)}.",
            dict(t=t, x=x, h_prev=h, from_input=from_input, from_state=from_state),
            Visualization("table", dict(x=x, h_prev=h, from_input=from_input, from_state=from_state)),
        )
        before, h = h, H[t - 1]
        yield State(
            f"Their sum is the pre-activation {list_text(a)}, and its tanh is the hidden state {list_text(h)}.",
            dict(t=t, x=x, h_prev=before, a=a, h=h),
            Visualization("table", dict(from_input=from_input, from_state=from_state, a=a, h=h)),
        )
    yield State(
        f"After all {len(X)} steps, the hidden state is {list_text(h)}. Every step used the same weights.",
        dict(T=len(X), H=H),
        Visualization("table", {f"h_{t}": row for t, row in enumerate(H, 1)}),
    )
