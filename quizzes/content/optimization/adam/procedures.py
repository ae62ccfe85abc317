"""Adam: procedures."""

from collections.abc import Iterator

from quizzes.content.optimization.adam.formulas import ADAM_STEP
from quizzes.content.optimization.descent import INPUTS, descent_states
from quizzes.expressions.tree import Value
from quizzes.procedure import State, procedure
from quizzes.symbols import Real


@procedure(
    "adam-steps",
    title="Adam, step by step",
    source="Kingma & Ba, Adam, 2015 (arXiv:1412.6980)",
    **INPUTS,
    lr=Real(0, meaning="learning rate", default=0.3),
    beta1=Real(0, 1, "decay rate of the first moment", default=0.9),
    beta2=Real(0, 1, "decay rate of the second moment", default=0.999),
    epsilon=Real(0, meaning="small constant that prevents division by zero", default=1e-8),
)
def adam_steps(
    f: str, start: list[Value], steps: int, lr: Value, beta1: Value, beta2: Value, epsilon: Value
) -> Iterator[State]:
    """Move each weight by about the learning rate, against its first moment."""
    reason = "Each weight moves against its first moment, divided by the square root of its second moment:"
    yield from descent_states("adam", ADAM_STEP, reason, f, start, lr, steps, beta1=beta1, beta2=beta2, epsilon=epsilon)
