"""An optimiser's steps on a function: the formulas of one step, worked through from a start."""

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
BITS = 512  # of a fraction that is kept exact from step to step
PRIOR = "_prior"  # what ends the name of a symbol that arrives from the step before


def descend(method: str, f: str, start: list, lr: Any, steps: int, **settings: Any) -> dict[str, Any]:
    """Every step of an optimiser on a function, a row for each weight, and the function's values on the way.

    Raises:
        UserError: Where the method has no such setting, the start doesn't fit the function, or that has no gradient.
        UndefinedValue: Where the steps run beyond bounds.
    """
    step, graph = METHODS[method], build_graph(f)
    weights = sorted(graph.leaves)
    if len(start) != len(weights):
        raise UserError(f"start has a number for each of {', '.join(weights)}: {len(weights)} and not {len(start)}.")
    for name in settings:
        if name not in step.inputs:
            own = ", ".join(n for n in step.inputs if n not in ("g", "t", "eta") and not n.endswith(PRIOR))
            raise UserError(f"{method} has no {name}: beside lr it takes {own or 'nothing'}.")
    priors = [name for name in step.inputs if name.endswith(PRIOR)]
    state = [{name: step.symbols[name].default for name in priors} | {f"theta{PRIOR}": value} for value in start]
    rows, losses = [], []
    for t in range(1, steps + 1):
        loss, gradients = _slopes(graph, dict(zip(weights, [s[f"theta{PRIOR}"] for s in state], strict=True)), t)
        losses.append(loss)
        for k, weight in enumerate(weights):
            given = settings | state[k] | {"eta": lr, "g": gradients[weight], "t": t}
            try:
                found = step.evaluate(step.complete({n: v for n, v in given.items() if n in step.inputs}))
            except UndefinedValue as reason:
                raise UndefinedValue(f"step {t} of {weight}: {reason}") from None
            moved = {name: _short(found[name]) for name in step.outputs}
            rows.append(
                {"step": t, "weight": weight, "theta_prior": state[k][f"theta{PRIOR}"], "g": found["g"], **moved}
            )
            state[k] = {name: moved[name.removesuffix(PRIOR)] for name in priors}
    end = [s[f"theta{PRIOR}"] for s in state]
    last, _ = _slopes(graph, dict(zip(weights, end, strict=True)), steps + 1)
    return {"table": rows, "theta": end, "L": [*losses, last]}


def _slopes(graph: Graph, at: dict[str, Any], t: int) -> tuple[Any, dict[str, Any]]:
    try:
        found = run_passes(graph, at)
    except UserError as reason:
        raise UserError(f"Before step {t}: {reason}") from None
    return found.values[graph.root], found.gradients


def _short(value: Any) -> Any:
    """A value whose fraction would grow from step to step without end, as a float."""
    long = not isinstance(value, float) and max(value.numerator.bit_length(), value.denominator.bit_length()) > BITS
    return float(value) if long else value


OPTIMIZER_STEPS = formula(
    "optimizer-steps",
    "",
    topic="gradient-descent",
    title="An optimiser's steps on a function",
    source="the formula of one step of each method, see gd-step, momentum-step, nesterov-step, adagrad-step, "
    "rmsprop-step, adam-step and adamw-step; gradients by the chain rule, backward through the function's graph",
    conventions="""
Each method works as PyTorch's of that name, every weight for itself: momentum
and nesterov keep v = beta v + g and multiply by lr at the end, AdamW takes its
decay off the weight beside the step. A setting that is left out has PyTorch's
default (momentum and nesterov: beta = 0.9). Kinks take PyTorch's gradient: 0 for
relu and abs at 0, one half for each of two equals in max and min.
""",
    procedure=descend,
    procedure_outputs="table theta L",
    method="word gd|momentum|nesterov|adagrad|rmsprop|adam|adamw = gd; optimiser",
    f="expression; function of the weights, as x^2 + 3y^2",
    start="vector; weights at the start, in alphabetical order",
    lr="real 0..; learning rate",
    steps="int 1..1000 = 5; steps",
    beta="real? 0..1; momentum, of momentum and nesterov",
    rho="real? 0..1; decay of the mean of squares, of rmsprop",
    beta1="real? 0..1; decay of the first moment, of adam and adamw",
    beta2="real? 0..1; decay of the second moment, of adam and adamw",
    epsilon="real? 0..; guard against dividing by zero, of adagrad, rmsprop, adam and adamw",
    lam="real? 0..; weight decay, of adamw",
    table="table; every step of every weight",
    theta="vector; weights at the end, in alphabetical order",
    L="vector; the function at the start and after each step",
)
