"""Descent on a function of several weights: every step of an optimizer, as values and as states."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quizzes.expressions.graph import Graph, build_graph, run_passes
from quizzes.expressions.nodes import natural_order
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.formula import Equation, Formula
from quizzes.procedure import State, number_text, with_numbers
from quizzes.question import Visualization
from quizzes.symbols import Expression, Int, Vector
from workbench.errors import UserError

MAX_BITS = 512  # larger fractions become floats


PRIOR = "_prior"  # ends the names of symbols whose values are those of the previous step


def descend(
    method: str, step: Formula, f: str, start: Sequence[Any], lr: Any, steps: int, **settings: Any
) -> dict[str, Any]:
    """Return every step of an optimizer on a function.

    Args:
        method: Its name, for messages.
        step: The formula of one step for one weight.
        f: The function of the weights.
        start: The initial weights, in alphabetical order, w2 before w10.
        lr: The learning rate.
        steps: The number of steps.
        settings: Further inputs of the method's formula; the others have their defaults.

    Returns:
        `table` has one row per step and weight, `theta` the final weights, and `L` the values of the function at the
        start and after each step.

    Raises:
        UserError: If the method has no such setting, the start doesn't fit the function, or there is no gradient.
        UndefinedValue: If the values grow beyond all bounds.
    """
    graph = build_graph(f)
    weights = natural_order(graph.leaves)
    if len(start) != len(weights):
        raise UserError(
            f"start must have one number for each weight ({', '.join(weights)}): {len(weights)}, not {len(start)}."
        )
    for name in settings:
        if name not in step.inputs:
            names = ", ".join(n for n in step.inputs if n not in ("g", "t", "eta") and not n.endswith(PRIOR))
            raise UserError(f"{method} has no {name}. Its settings besides lr: {names or 'none'}.")
    priors = [name for name in step.inputs if name.endswith(PRIOR)]
    state = [{name: step.symbols[name].default for name in priors} | {f"theta{PRIOR}": value} for value in start]
    rows, losses = [], []
    for t in range(1, steps + 1):
        loss, gradients = _value_and_gradients(
            graph, dict(zip(weights, [s[f"theta{PRIOR}"] for s in state], strict=True)), t
        )
        losses.append(loss)
        for k, weight in enumerate(weights):
            inputs = settings | state[k] | {"eta": lr, "g": gradients[weight], "t": t}
            try:
                values = step.evaluate(step.complete({n: v for n, v in inputs.items() if n in step.inputs}))
            except UndefinedValue as reason:
                raise UndefinedValue(f"step {t} of {weight}: {reason}") from None
            outputs = {name: _bounded(values[name]) for name in step.outputs}
            rows.append(
                {"step": t, "weight": weight, "theta_prior": state[k][f"theta{PRIOR}"], "g": values["g"], **outputs}
            )
            state[k] = {name: outputs[name.removesuffix(PRIOR)] for name in priors}
    end = [s[f"theta{PRIOR}"] for s in state]
    last, _ = _value_and_gradients(graph, dict(zip(weights, end, strict=True)), steps + 1)
    return {"table": rows, "theta": end, "L": [*losses, last]}


def _value_and_gradients(graph: Graph, weights: Mapping[str, Any], t: int) -> tuple[Any, dict[str, Any]]:
    try:
        result = run_passes(graph, weights)
    except UserError as reason:
        raise UserError(f"Before step {t}: {reason}") from None
    return result.values[graph.root], result.gradients


def _bounded(value: Any) -> Any:
    """Return the value, as a float if it is a long fraction: it would grow from step to step."""
    if isinstance(value, float) or max(value.numerator.bit_length(), value.denominator.bit_length()) <= MAX_BITS:
        return value
    return float(value)


MAX_LINES = 4  # equations in a caption; if there are more, only the last of each weight is written

# The inputs of a descent but the learning rate, whose default depends on the method.
INPUTS: dict[str, Any] = dict(
    f=Expression(meaning="function of the weights, such as x^2 + 3y^2", default="x^2 + 3y^2"),
    start=Vector(meaning="initial weights, in alphabetical order, w2 before w10", default=[3, 1]),
    steps=Int(1, 1000, "number of steps", default=15),
)


def descent_states(
    method: str, step: Formula, reason: str, f: str, start: Sequence[Value], lr: Value, steps: int, **settings: Value
) -> Iterator[State]:
    """Yield the start and the state after each step of an optimizer.

    Args:
        method, step, f, start, lr, steps, settings: As for `descend`.
        reason: A sentence that says why the weights move as they do.
    """
    result = descend(method, step, f, start, lr, steps, **settings)
    weights, losses = natural_order(build_graph(f).leaves), result["L"]
    path = [list(start)]
    defaults = {name: symbol.default for name, symbol in step.symbols.items() if symbol.default is not None}
    priors = [{name: value for name, value in defaults.items() if name.endswith(PRIOR)} for _ in weights]

    columns = [[row["theta"] for row in result["table"] if row["weight"] == name] for name in weights]
    bounds = [_bounds([first, *column]) for first, column in zip(start, columns, strict=True)]

    def state(caption: str, **values: Any) -> State:
        loss = losses[: len(path)]
        drawing = Visualization("descent", dict(f=f, weights=weights, path=path, bounds=bounds))
        if len(weights) > 2:
            drawing = Visualization("progress", dict(x="step", curves={"L": loss}, first=0, at=len(path) - 1))
        return State(caption, dict(values, weights=weights, theta=path[-1], loss=loss[-1], L=loss), drawing)

    place = ", ".join(f"{name} = {number_text(value)}" for name, value in zip(weights, start, strict=True))
    yield state(f"Start at {place}. There the loss is {number_text(losses[0])}.", step=0)
    for t in range(1, steps + 1):
        rows = result["table"][(t - 1) * len(weights) : t * len(weights)]
        equations = step.equations if len(step.equations) * len(rows) <= MAX_LINES else step.equations[-1:]
        # For each weight, every number of the step by its symbol.
        scopes = [
            {**defaults, **settings, "eta": lr, "t": t, **prior, **row} for prior, row in zip(priors, rows, strict=True)
        ]
        lines = [_line(eq, scope) for scope in scopes for eq in equations]
        gradient = ", ".join(f"dL/d{row['weight']} = {number_text(row['g'])}" for row in rows)
        path.append([row["theta"] for row in rows])
        before, after = losses[t - 1 : t + 1]
        change = "stays at" if before == after else f"{'falls' if after < before else 'rises'} to"
        head, end = f"Step {t}: the gradient is {gradient}. {reason}", f"The loss {change} {number_text(after)}."
        names = [
            name for name in step.symbols if name not in ("theta", "eta", "t") and name in {**priors[0], **rows[0]}
        ]
        yield state(
            "\n".join([head, *lines, end]), step=t, **{name: [scope[name] for scope in scopes] for name in names}
        )
        priors = [{f"{name}{PRIOR}": row[name] for name in step.outputs} for row in rows]


def _line(eq: Equation, scope: Mapping[str, Value]) -> str:
    """Return an equation of a step with the numbers of one weight and its result."""
    numbers = {name: value for name, value in scope.items() if name != "weight"}
    name = scope["weight"] if eq.name == "theta" else f"{eq.name}({scope['weight']})"
    return f"  {name} = {with_numbers(eq.tree, numbers)} = {number_text(scope[eq.name])}"


def _bounds(values: list[Value]) -> list[float]:
    """Return an interval around the values of a weight and 0, with a margin."""
    low, high = min(0.0, *map(float, values)), max(0.0, *map(float, values))
    margin = (high - low) / 8 or 1
    return [low - margin, high + margin]
