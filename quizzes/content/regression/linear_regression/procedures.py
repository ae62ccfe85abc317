"""Simple and multiple linear regression: procedures."""

from collections.abc import Iterator

from quizzes.content.regression.linear_regression.formulas import GD_STEP_LINREG
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, number_text, procedure, with_numbers
from quizzes.question import Visualization
from quizzes.symbols import Int, Real, Vector
from workbench.errors import UserError


@procedure(
    "linear-regression-descent",
    title="Linear regression by gradient descent",
    source="derivation: the gradient of the mean squared error, and steps against it, as in the formula gd-step-linreg",
    x=Vector(meaning="inputs", default=[1, 2, 3, 4, 5]),
    y=Vector(meaning="targets", default=[2, 3, 5, 4, 6]),
    w0=Real(meaning="initial slope", default=0),
    b0=Real(meaning="initial intercept", default=0),
    eta=Real(0, meaning="learning rate", default=0.05),
    steps=Int(1, 1000, "number of steps", default=12),
)
def linear_regression_descent(
    x: list[Value], y: list[Value], w0: Value, b0: Value, eta: Value, steps: int
) -> Iterator[State]:
    """Move slope and intercept against the gradient of the mean squared error."""
    if len(x) != len(y):
        raise UserError(f"y must have one target per input: {len(x)}, not {len(y)}.")
    w, b = w0, b0
    losses: list[Value] = []

    def state(caption: str, **values: Value) -> State:
        residuals = [w * a + b - t for a, t in zip(x, y, strict=True)]
        losses.append(sum(r * r for r in residuals) / len(x))
        change = f"The mean squared error is {number_text(losses[-1])}."
        numbers = dict(values, w=w, b=b, residuals=residuals, loss=losses[-1], losses=losses)
        drawing = Visualization("scatter", dict(x=x, y=y, w=w, b=b))
        return State(f"{caption} The residuals are {list_text(residuals)}. {change}", numbers, drawing)

    yield state(f"Start with the slope w = {number_text(w)} and the intercept b = {number_text(b)}.", step=0)
    for step in range(1, steps + 1):
        values = GD_STEP_LINREG.evaluate(dict(x=x, y=y, w0=w, b0=b, eta=eta))
        equations = {eq.name: with_numbers(eq.tree, _numbers(values)) for eq in GD_STEP_LINREG.equations[2:]}
        # Fractions would double their digits in every step.
        w, b = float(values["w1"]), float(values["b1"])
        yield state(
            f"Step {step}: the gradient is dL/dw = {number_text(values['g_w'])}, dL/db = {number_text(values['g_b'])}. "
            f"Move against it: w = {equations['w1']} = {number_text(w)}, b = {equations['b1']} = {number_text(b)}.",
            step=step,
            g_w=values["g_w"],
            g_b=values["g_b"],
            w_prior=values["w0"],
            b_prior=values["b0"],
        )


def _numbers(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not isinstance(value, list)}
