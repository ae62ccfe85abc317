"""Steps of an optimizer on a function: the formula of one step, applied again and again from a start."""

from collections.abc import Mapping, Sequence
from typing import Any

from quizzes.expressions.graph import Graph, build_graph, run_passes
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas import formula
from quizzes.formulas.descent import GD_STEP
from quizzes.formulas.optimization import (
    ADAGRAD_STEP,
    ADAM_STEP,
    ADAMW_STEP,
    MOMENTUM_STEP,
    NESTEROV_STEP,
    RMSPROP_STEP,
)
from workbench.errors import UserError

METHODS = {
    "gd": GD_STEP,
    "momentum": MOMENTUM_STEP,
    "nesterov": NESTEROV_STEP,
    "adagrad": ADAGRAD_STEP,
    "rmsprop": RMSPROP_STEP,
    "adam": ADAM_STEP,
    "adamw": ADAMW_STEP,
}
MAX_BITS = 512  # larger fractions become floats
PRIOR = "_prior"  # ends the names of symbols whose values are those of the previous step


def descend(method: str, f: str, start: Sequence[Any], lr: Any, steps: int, **settings: Any) -> dict[str, Any]:
    """Return every step of an optimizer on a function.

    Args:
        method: A key of `METHODS`.
        f: The function of the weights.
        start: The initial weights, in alphabetical order.
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
    step, graph = METHODS[method], build_graph(f)
    weights = sorted(graph.leaves)
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


OPTIMIZER_STEPS = formula(
    "optimizer-steps",
    "",
    topic="gradient-descent",
    title="Steps of an optimizer on a function",
    source="the formulas of one step: gd-step, momentum-step, nesterov-step, adagrad-step, rmsprop-step, adam-step, "
    "and adamw-step; gradients by the chain rule, backward through the graph of the function",
    conventions="""
Each method updates every weight on its own, as PyTorch does: momentum and
nesterov use v = beta v + g and multiply by lr at the end; adamw decays the
weight separately from the gradient. A setting that is left out has PyTorch's
default (momentum and nesterov: beta = 0.9). Gradients at kinks are PyTorch's: 0
for relu and abs at 0; max and min of two equal values give one half to each.
""",
    procedure=descend,
    procedure_outputs="table theta L",
    method="word gd|momentum|nesterov|adagrad|rmsprop|adam|adamw = gd; optimizer",
    f="expression; function of the weights, such as x^2 + 3y^2",
    start="vector; initial weights, in alphabetical order",
    lr="real 0..; learning rate",
    steps="int 1..1000 = 5; number of steps",
    beta="real? 0..1; momentum (for momentum, nesterov)",
    rho="real? 0..1; decay rate of the moving average (for rmsprop)",
    beta1="real? 0..1; decay rate of the first moment (for adam, adamw)",
    beta2="real? 0..1; decay rate of the second moment (for adam, adamw)",
    epsilon="real? 0..; constant that prevents division by zero (for adagrad, rmsprop, adam, adamw)",
    lam="real? 0..; weight decay (for adamw)",
    table="table; every step of every weight",
    theta="vector; final weights, in alphabetical order",
    L="vector; values of the function at the start and after each step",
)
