"""A one-step formula repeated over several steps, as in an optimizer or a recurrent cell."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quizzes.expressions.parser import write
from quizzes.expressions.tree import Name, Tree, integer, substitute
from quizzes.formula import Equation, Formula, equation


class Trace(Formula):
    """A formula for one step, repeated: the names of each step end in its number, `m1`, `m2`, ...

    Args:
        step: The formula of one step.
        steps: The number of steps.
        carried: For each output that the next step needs, the input that takes it there.
        fresh: The inputs that have a new value at each step, separated by spaces.
        counter: The input that is the number of the step, from 1; empty for none.
    """

    def __init__(self, step: Formula, steps: int, carried: Mapping[str, str], fresh: str, counter: str = ""):
        self.step, self.steps, self.carried, self.fresh, self.counter = step, steps, carried, fresh.split(), counter
        carried_names = {prior: name for name, prior in carried.items()}
        symbols: dict[str, Any] = {}
        for name, symbol in step.symbols.items():
            if name in carried_names:
                symbols[f"{carried_names[name]}0"] = symbol
            elif name in self.fresh or name in step.outputs:
                for k in range(1, steps + 1):
                    symbols[f"{name}{k}"] = replace(symbol, meaning=f"{symbol.meaning}, step {k}")
            elif name != counter:
                symbols[name] = symbol
        equations = [self._numbered(eq, k) for k in range(1, steps + 1) for eq in step.equations]
        super().__init__(step.id, equations, title=step.title, source=step.source, **symbols)
        self.topic = step.topic

    def expand(self, eq: Equation) -> list[Equation]:
        """Return the equations of all steps that replace the formula's own in a mistake in one step."""
        return [self._numbered(eq, k) for k in range(1, self.steps + 1)]

    def _numbered(self, eq: Equation, k: int) -> Equation:
        """Return an equation of a step with the number of the step in its names."""
        names: dict[str, Tree] = {name: Name(f"{name}{k}") for name in (*self.step.outputs, *self.fresh)}
        names |= {prior: Name(f"{name}{k - 1}") for name, prior in self.carried.items()}
        if self.counter:
            names[self.counter] = integer(k)
        return equation(f"{eq.name}{k} = {write(substitute(eq.tree, names))}")
