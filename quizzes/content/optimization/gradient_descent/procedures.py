"""Gradient descent and the learning rate: procedures."""

from collections.abc import Iterator

from quizzes.content.optimization.descent import INPUTS, descent_states
from quizzes.content.optimization.gradient_descent.formulas import (
    GD_STEP,
    LR_COSINE,
    LR_EXPONENTIAL,
    LR_STEP,
    LR_WARMUP_COSINE,
)
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure, with_numbers
from quizzes.question import Visualization
from quizzes.symbols import Int, Real, Word
from workbench.errors import UserError


@procedure(
    "gd-steps",
    title="Gradient descent, step by step",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 4.3",
    **INPUTS,
    lr=Real(0, meaning="learning rate", default=0.1),
)
def gd_steps(f: str, start: list[Value], steps: int, lr: Value) -> Iterator[State]:
    """Move each weight against its gradient, in proportion to the learning rate."""
    reason = "Each weight moves against its gradient, because the loss falls fastest in that direction:"
    yield from descent_states("gd", GD_STEP, reason, f, start, lr, steps)


FORMULAS = {
    "step": LR_STEP,
    "exponential": LR_EXPONENTIAL,
    "cosine": LR_COSINE,
    "warmup-cosine": LR_WARMUP_COSINE,
}


@procedure(
    "learning-rate-schedule",
    title="Learning-rate schedules, epoch by epoch",
    source="the formulas lr-step, lr-exponential, lr-cosine and lr-warmup-cosine",
    schedule=Word(
        words=("step", "exponential", "cosine", "warmup-cosine"), meaning="schedule", default="warmup-cosine"
    ),
    eta0=Real(0, meaning="initial learning rate; the peak of warmup-cosine", default=0.1),
    epochs=Int(1, 1000, "number of epochs", default=20),
    gamma=Real(0.01, 1, "decay factor (for step, exponential)", default=0.5),
    s=Int(1, 1000, "number of epochs between two drops (for step)", default=5),
    eta_min=Real(0, meaning="final learning rate (for cosine)", default=0),
    warmup=Int(1, 999, "number of warmup epochs (for warmup-cosine)", default=5),
)
def learning_rate_schedule(
    schedule: str, eta0: Value, epochs: int, gamma: Value, s: int, eta_min: Value, warmup: int
) -> Iterator[State]:
    """Compute the learning rate of each epoch, counted from 0."""
    if schedule == "warmup-cosine" and warmup >= epochs:
        raise UserError(f"warmup must be less than the number of epochs, {epochs}, not {warmup}.")
    reasons = {
        "step": f"the learning rate is constant for {s} epochs, then multiplied by {number_text(gamma)}",
        "exponential": f"each epoch multiplies the learning rate by {number_text(gamma)}",
        "cosine": f"half a cosine leads from {number_text(eta0)} to {number_text(eta_min)}",
        "warmup-cosine": "after the warmup, half a cosine leads to 0",
    }
    settings = dict(eta0=eta0, gamma=gamma, s=s, eta_min=eta_min, T=epochs, T_w=warmup, T_c=epochs - warmup)
    formula = FORMULAS[schedule]
    etas: list[Value] = []
    lines: list[str] = []
    for t in range(epochs):
        values = {name: value for name, value in (settings | dict(t=t, t_a=t, t_b=t)).items() if name in formula.inputs}
        equation = formula.equations[-1 if schedule != "warmup-cosine" or t >= warmup else 0]
        etas.append(formula.evaluate(values)[equation.name])
        lines.append(f"eta = {with_numbers(equation.tree, values)}")
    for t, (eta, line) in enumerate(zip(etas, lines, strict=True)):
        reason = reasons[schedule]
        if schedule == "warmup-cosine" and t < warmup:
            reason = "the warmup raises the learning rate linearly from 0, to avoid large first steps"
        yield State(
            f"Epoch {t}: {reason}. {line} = {number_text(eta)}",
            dict(epoch=t, eta=eta, etas=etas[: t + 1], annealing_epochs=max(0, epochs - warmup)),
            Visualization("progress", dict(x="epoch", curves={"eta": etas}, first=0, at=t)),
        )
