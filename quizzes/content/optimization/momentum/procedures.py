"""Momentum: procedures."""

from collections.abc import Iterator

from quizzes.content.optimization.descent import INPUTS, descent_states
from quizzes.content.optimization.momentum.formulas import MOMENTUM_STEP
from quizzes.expressions.tree import Value
from quizzes.procedure import State, procedure
from quizzes.symbols import Real


@procedure(
    "momentum-steps",
    title="Gradient descent with momentum, step by step",
    source="PyTorch documentation, torch.optim.SGD (dampening 0)",
    **INPUTS,
    lr=Real(0, meaning="learning rate", default=0.02),
    beta=Real(0, 1, "momentum", default=0.9),
)
def momentum_steps(f: str, start: list[Value], steps: int, lr: Value, beta: Value) -> Iterator[State]:
    """Move each weight against its velocity, the sum of the decayed gradients."""
    reason = "The velocity v adds up the gradients, and each weight moves against its velocity:"
    yield from descent_states("momentum", MOMENTUM_STEP, reason, f, start, lr, steps, beta=beta)
