"""A one-step formula repeated over several steps, as in an optimizer or a recurrent cell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quizzes.expressions.parser import write
from quizzes.expressions.tree import Name, Tree, integer, substitute
from quizzes.formula import Equation, Formula, equation
from quizzes.symbol import Symbol


@dataclass(frozen=True)
class Trace(Formula):
    """A formula for one step, repeated: the names of each step end in its number, `m1`, `m2`, ...

    Attributes:
        step: The formula of one step.
        steps: The number of steps.
        carried: For each output that the next step needs, the input that takes it there.
        fresh: The inputs that have a new value at each step.
        counter: The input that is the number of the step, from 1; empty for none.
    """

    step: Formula | None = None
    steps: int = 1
    carried: Mapping[str, str] | None = None
    fresh: tuple[str, ...] = ()
    counter: str = ""

    def expand(self, eq: Equation) -> list[Equation]:
        """Return the equations of all steps that replace the formula's own in a mistake in one step."""
        assert self.step is not None
        return [
            _numbered(eq, k, self.step, self.carried or {}, self.fresh, self.counter) for k in range(1, self.steps + 1)
        ]


def trace(step: Formula, steps: int, carried: Mapping[str, str], fresh: str, counter: str = "") -> Trace:
    """Repeat a one-step formula over several steps, as an optimizer does; see `Trace`."""
    per_step = tuple(fresh.split())
    equations = tuple(
        _numbered(eq, k, step, carried, per_step, counter) for k in range(1, steps + 1) for eq in step.equations
    )
    carried_names = {prior: name for name, prior in carried.items()}
    symbols: dict[str, Symbol] = {}
    for name, symbol in step.symbols.items():
        if name in carried_names:
            start = f"{carried_names[name]}0"
            symbols[start] = replace(symbol, name=start)
        elif name in per_step or name in step.outputs:
            for k in range(1, steps + 1):
                symbols[f"{name}{k}"] = replace(symbol, name=f"{name}{k}", meaning=f"{symbol.meaning}, step {k}")
        elif name != counter:
            symbols[name] = symbol
    return Trace(
        step.id, step.title, equations, symbols, step.source, step.topic,
        step=step, steps=steps, carried=carried, fresh=per_step, counter=counter,
    )  # fmt: skip


def _numbered(
    eq: Equation, k: int, step: Formula, carried: Mapping[str, str], fresh: tuple[str, ...], counter: str
) -> Equation:
    """Return an equation of a step with the number of the step in its names."""
    numbered_names: dict[str, Tree] = {name: Name(f"{name}{k}") for name in (*step.outputs, *fresh)}
    numbered_names |= {prior: Name(f"{name}{k - 1}") for name, prior in carried.items()}
    if counter:
        numbered_names[counter] = integer(k)
    tree = substitute(eq.tree, numbered_names)
    return equation(f"{eq.name}{k} = {write(tree)}")
