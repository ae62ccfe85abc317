"""A formula made of several: each passes its outputs on to the next, so that a drill joins topics."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quizzes.derivation import fold
from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import Name, Tree, Values, substitute, walk
from quizzes.formula import Equation, Formula, equation
from quizzes.solution import number_trees
from quizzes.symbols import Symbol


@dataclass(frozen=True)
class Link:
    """A formula within a chain, with other names for its symbols.

    Attributes:
        formula: The formula.
        names: The expression for each symbol that is renamed, such as `n1` or `2`.
        omitted: The outputs that the chain doesn't need.
    """

    formula: Formula
    names: Mapping[str, str]
    omitted: Collection[str] = ()

    def equations(self) -> list[Equation]:
        """Return the equations in the names of the chain; a default is put in for an input that is not renamed."""
        formula = self.formula
        defaults = {name: default for name in formula.inputs if (default := formula.symbols[name].default) is not None}
        for eq in formula.equations:
            used = {node.name for node in walk(eq.tree) if isinstance(node, Name) and node.index}
            used |= {eq.name} if eq.index else set()
            if arrays := used & {*self.names, *defaults}:
                raise formula.error(f"a chain can't rename the array {min(arrays)}")
        equations = [eq for eq in formula.equations if eq.name not in self.omitted]
        return rename(equations, self.names, defaults)

    def symbols(self) -> dict[str, Symbol]:
        """Return the symbols that the chain has from this formula, under their names there."""
        symbols = {}
        for name, symbol in self.formula.symbols.items():
            new = self.names.get(name, name)
            is_fixed = name in self.formula.inputs and symbol.default is not None and name not in self.names
            if isinstance(parse(new), Name) and not is_fixed and name not in self.omitted:
                symbols[new] = replace(symbol, name=new)
        return symbols


def rename(equations: Iterable[Equation], names: Mapping[str, str], defaults: Values) -> list[Equation]:
    """Return equations in other names.

    Args:
        equations: The equations.
        names: The expression for each symbol that is renamed.
        defaults: The values that are put in for symbols that are not renamed.
    """
    trees = {key: tree for name, value in defaults.items() for key, tree in number_trees(name, value).items()}
    trees |= {name: parse(text) for name, text in names.items()}
    return [_renamed(eq, names.get(eq.name, eq.name), trees) for eq in equations]


def _renamed(eq: Equation, name: str, trees: Mapping[str, Tree]) -> Equation:
    index = f"[{', '.join(eq.index)}]" if eq.index else ""
    ends = ", ".join(f"{i} = 1..{write(fold(substitute(last, trees)))}" for i, last in eq.lengths.items())
    right = write(fold(substitute(eq.tree, trees)))
    return equation(f"{name}{index} = {right}{f' for {ends}' if ends else ''}")


def link(formula: Formula, **names: str | int | None) -> Link:
    """Use a formula in a chain: `link(CONV_MACS, n="n0", s=2, o="n1", FLOPs=None)`; None leaves an output out."""
    omitted = [name for name, text in names.items() if text is None]
    return Link(formula, {name: str(text) for name, text in names.items() if text is not None}, omitted)


class Chain(Formula):
    """Formulas, and equations between them, as one formula.

    Args:
        id: Its name on the command line.
        links: The formulas in order, each as `link(...)`, and further equations as text.
        title: A few words.
        source: A reference; by default the sources of the formulas.
        conventions: As of a formula.
        symbols: The symbols of the further equations, and those of the formulas that have another meaning here.
    """

    def __init__(
        self,
        id: str,
        links: Sequence[Link | str],
        *,
        title: str,
        source: str = "",
        conventions: str = "",
        **symbols: Symbol,
    ):
        equations: list[Equation] = []
        shared: dict[str, Symbol] = {}
        formulas = [one.formula for one in links if isinstance(one, Link)]
        self._topics = list(dict.fromkeys(formula.topic for formula in formulas))
        source = source or "; ".join(dict.fromkeys(formula.source for formula in formulas))
        for one in links:
            if isinstance(one, str):
                equations.append(equation(one))
                continue
            equations += one.equations()
            shared |= {name: symbol for name, symbol in one.symbols().items() if name not in shared}
        arguments: dict[str, Any] = {**shared, **symbols}
        super().__init__(id, equations, title=title, source=source, conventions=conventions, **arguments)

    @property
    def topics(self) -> list[str]:
        return self._topics
