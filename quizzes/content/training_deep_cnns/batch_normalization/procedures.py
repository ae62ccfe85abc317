"""Batch normalization: procedures."""

from collections.abc import Iterator

from quizzes.content.training_deep_cnns.batch_normalization.formulas import BN_FORWARD
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "bn-forward",
    BN_FORWARD,
    title="Batch norm of one channel: mean, variance, normalize, scale and shift",
    example=dict(x=[1, 3, 4, 8]),
)
def bn_forward(x: list[Value], gamma: Value, beta: Value, epsilon: Value) -> Iterator[State]:
    """Compute the statistics of the batch, normalize with them, then scale and shift."""
    result = BN_FORWARD.evaluate(dict(x=x, gamma=gamma, beta=beta, epsilon=epsilon))
    m, mu, v, y = (result[name] for name in ("m", "mu", "v", "y"))
    values: dict[str, object] = dict(m=m)

    def state(caption: str, rows: dict[str, list[Value]], **new: object) -> State:
        values.update(new)
        return State(caption, dict(values), Visualization("number-line", dict(rows)))

    total = sum(x)
    yield state(
        f"Average the {m} values of the batch: mu = {number_text(total)}/{m} = {number_text(mu)}.",
        dict(x=x),
        sum=total,
        mu=mu,
    )
    centered = [value - mu for value in x]
    yield state(
        f"Subtract the mean from each value, so that the mean becomes 0: {list_text(centered)}.",
        {"x": x, "x - mu": centered},
        centered=centered,
    )
    squares = [value**2 for value in centered]
    yield state(
        f"The variance is the mean of the squares: v = {number_text(sum(squares))}/{m} = {number_text(v)}. It is "
        f"divided by m, not by m - 1.",
        {"x": x, "x - mu": centered},
        squares=squares,
        sum_of_squares=sum(squares),
        v=v,
    )
    deviation = (v + epsilon) ** 0.5
    purpose = "That brings the variance to about 1" if v > epsilon else "Epsilon prevents a division by zero"
    normalized = [value / deviation for value in centered]
    yield state(
        f"Divide by sqrt(v + epsilon) = sqrt({number_text(v)} + {number_text(epsilon)}) = {number_text(deviation)}. "
        f"{purpose}: {list_text(normalized)}.",
        {"x": x, "xhat": normalized},
        deviation=deviation,
        xhat=normalized,
    )
    yield state(
        f"Scale by gamma = {number_text(gamma)} and shift by beta = {number_text(beta)}, which are learned: y = "
        f"{number_text(gamma)}*xhat + {in_parentheses(beta)} = {list_text(y)}.",
        {"x": x, "y": y},
        y=y,
    )
