"""A one-step formula worked through several steps, as an optimiser or a recurrent cell does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quizzes.expressions.parser import write
from quizzes.expressions.tree import Name, Tree, integer, substitute
from quizzes.formula import Equation, Formula, equation
from quizzes.symbol import Symbol


@dataclass(frozen=True)
class Trace(Formula):
    """A formula for one step, worked through several times: the names of a step carry its number, `m1`, `m2` ...

    Attributes:
        step: The formula of one step.
        steps: How many.
        carried: For each output that the next step needs, the input in which it arrives there.
        fresh: The inputs that are new at each step.
        counter: The input that counts the steps from 1.
    """

    step: Formula | None = None
    steps: int = 1
    carried: Mapping[str, str] | None = None
    fresh: tuple[str, ...] = ()
    counter: str = ""

    def expand(self, eq: Equation) -> list[Equation]:
        assert self.step is not None
        return [
            _numbered(eq, k, self.step, self.carried or {}, self.fresh, self.counter) for k in range(1, self.steps + 1)
        ]


def trace(step: Formula, steps: int, carried: Mapping[str, str], fresh: str, counter: str = "") -> Trace:
    """Work a one-step formula through several steps, as an optimiser does; see `Trace`."""
    per_step = tuple(fresh.split())
    equations = tuple(
        _numbered(eq, k, step, carried, per_step, counter) for k in range(1, steps + 1) for eq in step.equations
    )
    arriving = {prior: name for name, prior in carried.items()}
    symbols: dict[str, Symbol] = {}
    for name, described in step.symbols.items():
        if name in arriving:
            symbols[f"{arriving[name]}0"] = replace(described, name=f"{arriving[name]}0")
        elif name in per_step or name in step.outputs:
            for k in range(1, steps + 1):
                symbols[f"{name}{k}"] = replace(described, name=f"{name}{k}", meaning=f"{described.meaning}, step {k}")
        elif name != counter:
            symbols[name] = described
    return Trace(
        step.id, step.title, equations, symbols, step.source, step.topic,
        step=step, steps=steps, carried=carried, fresh=per_step, counter=counter,
    )  # fmt: skip


def _numbered(
    eq: Equation, k: int, step: Formula, carried: Mapping[str, str], fresh: tuple[str, ...], counter: str
) -> Equation:
    """One equation of a step, its names carrying the number of the step."""
    names_now: dict[str, Tree] = {name: Name(f"{name}{k}") for name in (*step.outputs, *fresh)}
    names_now |= {prior: Name(f"{name}{k - 1}") for name, prior in carried.items()}
    if counter:
        names_now[counter] = integer(k)
    tree = substitute(eq.tree, names_now)
    return equation(f"{eq.name}{k} = {write(tree)}")
