"""A formula, written once: from it come the sheet, the calculator, the drills, their steps and their inverses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any

from quizzes.expressions import isolate
from quizzes.expressions.parser import parse
from quizzes.expressions.tree import (
    Name,
    Num,
    Tree,
    UndefinedValue,
    compile_tree,
    evaluate,
    exact,
    index_occurrences,
    names,
    occurrence_range,
    reduction_indices,
    run_compiled,
    substitute,
    walk,
    without_decimals,
)
from quizzes.symbol import Symbol
from workbench.errors import UserError

AROUND = 24
SCAN = 100_000  # whole-number symbols with at most so many values are solved for by trying every one


@dataclass(frozen=True)
class Equation:
    """`name = tree`, or `name[i, k] = tree` for every i and k."""

    name: str
    index: tuple[str, ...]
    tree: Tree
    text: str

    @cached_property
    def evaluator(self) -> Callable[[Mapping[str, Any]], Any]:
        """The right-hand side, ready to be worked out for many values."""
        return compile_tree(self.tree)

    @cached_property
    def ranges(self) -> dict[str, list[tuple[str, int]]]:
        """Where each of its indices stands on the right-hand side."""
        return {index: index_occurrences(self.tree, index) for index in self.index}

    @property
    def lengths(self) -> list[set[tuple[str, int]]]:
        """The dimensions of arrays that one index runs over, for each index: they must be of one length."""
        own = [{(self.name, at), *self.ranges[index]} for at, index in enumerate(self.index)]
        return own + [set(where) for _, where in reduction_indices(self.tree)]


@cache
def equation(text: str) -> Equation:
    """Read one equation of our own."""
    left, _, right = text.partition("=")
    target = parse(left)
    if not isinstance(target, Name):
        raise TypeError(f"an equation defines one symbol: {text}")
    return Equation(target.name, tuple(i.name for i in target.index if isinstance(i, Name)), parse(right), text.strip())


def evaluate_equation(eq: Equation, values: Mapping[str, Any], index: tuple[str, ...] | None = None) -> Any:
    """What an equation defines: a number, or a (nested) list over its indices."""
    left = eq.index if index is None else index
    if not left:
        return run_compiled(eq.evaluator, values)
    indices = occurrence_range(eq.ranges[left[0]], left[0], values)
    return [evaluate_equation(eq, {**values, left[0]: k}, left[1:]) for k in indices]


def evaluate_equations(
    equations: Iterable[str | Equation],
    values: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Work through equations in order.

    Args:
        equations: Each may use what those before it define.
        values: The given values.
        given: Values to use in place of what an equation would define (a student's own).

    Returns:
        All values, as the equations define them, also where what follows went on from another in `given`.
    """
    known = {name: exact(value) for name, value in values.items()}
    known |= {name: value for name, value in (given or {}).items() if name in known}
    defined = {}
    for eq in equations:
        eq = equation(eq) if isinstance(eq, str) else eq
        defined[eq.name] = evaluate_equation(eq, known)
        known[eq.name] = given[eq.name] if given and eq.name in given else defined[eq.name]
    return {name: without_decimals(value) for name, value in {**known, **defined}.items()}


@dataclass(frozen=True)
class Formula:
    """A formula of the notes: equations over symbols, and before them, where counting is needed, a procedure.

    Attributes:
        id: Its name on the command line.
        title: A few words.
        equations: In order; each defines one symbol.
        symbols: All its symbols by name.
        source: Where it comes from.
        topic: The syllabus topic it belongs to.
        conventions: What else must be known, where others count or name otherwise.
        procedure: For what no equation says (counting n-grams, suppressing boxes): values -> further values.
        procedure_outputs: The names of those further values.
        integer_constraints: Expressions of the inputs that must come out whole.
        shapes: Shapes of input arrays that the equations alone don't tell: `X[n, d]`, `W[d, m]`, `u[3]`.
    """

    id: str
    title: str
    equations: tuple[Equation, ...]
    symbols: dict[str, Symbol]
    source: str
    topic: str
    conventions: str = ""
    procedure: Callable[..., dict[str, Any]] | None = None
    procedure_outputs: tuple[str, ...] = ()
    integer_constraints: tuple[str, ...] = ()
    shapes: tuple[Name, ...] = ()

    @cached_property
    def outputs(self) -> list[str]:
        """What it defines."""
        return [*self.procedure_outputs, *(eq.name for eq in self.equations)]

    @cached_property
    def inputs(self) -> list[str]:
        """What it needs."""
        return [name for name in self.symbols if name not in self.outputs]

    @cached_property
    def lengths(self) -> list[list[tuple[str, int]]]:
        """The dimensions of its input arrays that must be of one length, as an index runs over all of them.

        Two are also tied together through an array that an equation defines: a prediction of each x, and the y that it
        is compared with.
        """
        declared: dict[Tree, set[tuple[str, int]]] = {}
        for shape in self.shapes:
            for at, letter in enumerate(shape.index):
                if isinstance(letter, Name):
                    declared.setdefault(letter, set()).add((shape.name, at))
        tied: list[set[tuple[str, int]]] = []
        for one in chain((where for eq in self.equations for where in eq.lengths), declared.values()):
            tied = [t for t in tied if not t & one] + [one.union(*(t for t in tied if t & one))]
        order = {name: k for k, name in enumerate(self.inputs)}
        return [sorted((d for d in t if d[0] in order), key=lambda d: (order[d[0]], d[1])) for t in tied]

    @cached_property
    def sizes(self) -> dict[tuple[str, int], int]:
        """The length of each dimension that is declared, or whose elements the equations name, as a box's corners."""
        numbered: dict[str, set[int]] = {}
        whole = set()  # vectors that are used in another way, too: there is more in them than the numbered elements
        for node in (node for eq in self.equations for node in walk(eq.tree)):
            match node:
                case Name(name, (Num(at),)):
                    numbered.setdefault(name, set()).add(int(at))
                case Name(name):
                    whole.add(name)
        sizes = {(name, 0): max(at) for name, at in numbered.items() if name in self.inputs and name not in whole}
        for shape in self.shapes:
            sizes |= {(shape.name, at): int(n.value) for at, n in enumerate(shape.index) if isinstance(n, Num)}
        return sizes

    def expand(self, eq: Equation) -> list[Equation]:
        """The equations of this formula that a mistake written as one equation replaces: here, that one."""
        return [eq]

    def complete(self, values: Mapping[str, Any], without: str = "") -> dict[str, Any]:
        """The inputs, exact and checked, defaults filled in.

        Raises:
            UserError: Where one is missing, unknown or outside its domain.
        """
        for name in values:
            if name not in self.symbols:
                raise UserError(f"{self.id} has no symbol {name[:30]!r}: its symbols are {', '.join(self.symbols)}.")
        full = {}
        for name in self.inputs:
            described = self.symbols[name]
            value = values.get(name, described.default)
            if name == without or (value is None and described.optional):
                continue
            if value is None:
                raise UserError(f"{self.id} needs {name} ({described.meaning}): add {name}=...")
            full[name] = described.check(described.exact(value))
        self._check_lengths(full)
        for text in self.integer_constraints:
            if without not in names(parse(text)) and (quotient := evaluate(parse(text), full)) != int(quotient):
                raise UserError(f"{text} must come out whole in {self.id}, and it is {float(quotient):g}.")
        return full

    def _check_lengths(self, full: Mapping[str, Any]) -> None:
        for (name, at), size in self.sizes.items():
            if name in full and (measured := _measured(name, at, full[name]))[1] != size:
                raise UserError(f"{name} has {_counted(*measured[1:])}, and {self.id} takes {size}.")
        for tied in self.lengths:
            lengths = [_measured(name, at, full[name]) for name, at in tied if name in full]
            for other in lengths[1:]:
                if other[1] != lengths[0][1]:
                    raise UserError(_unequal(lengths[0], other))

    def run_procedure(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the procedure finds for the inputs; nothing where there is none."""
        return {name: exact(v) for name, v in self.procedure(**values).items()} if self.procedure else {}

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All values of the formula, of its inputs.

        Raises:
            UndefinedValue: Where something is undefined.
        """
        known = evaluate_equations(self.equations, {**values, **self.run_procedure(values)})
        for name in self.outputs:
            described, value = self.symbols[name], known[name]
            if described.kind in ("int", "real") and not described.is_in_domain(value):
                raise UndefinedValue(
                    f"{name} ({described.meaning}) would be {float(value):g}, and is {described.describe_domain()}"
                )
        return known

    def evaluate_with_mistake(
        self, replaced: Mapping[str, Any], truth: Mapping[str, Any], asked: Iterable[str]
    ) -> dict[str, Any]:
        """All values when a mistake is made once, so that it shows in the value where it was made and in no later one.

        Args:
            replaced: What the mistake uses: an equation, or a function of the inputs, for each symbol it gets wrong.
            truth: All the true values.
            asked: The symbols that are asked for; what follows them goes on from their true values.
        """
        inputs = {name: truth[name] for name in self.inputs if name in truth}
        found = {name: exact(other(**inputs)) for name, other in replaced.items() if callable(other)}
        equations = [replaced.get(eq.name, eq) for eq in self.equations if eq.name not in found]
        start = {**inputs, **{name: truth[name] for name in self.procedure_outputs}, **found}
        return evaluate_equations(equations, start, given={name: truth[name] for name in asked}) | found

    def solve(self, **values: Any) -> dict[str, Any]:
        """Every symbol that the given ones define: `get("conv-out-size").solve(n=224, f=3)` gives `{"o": 222}`."""
        try:
            known = self.evaluate(self.complete(values))
        except UndefinedValue as reason:
            raise UserError(f"{self.id} has no value there: {reason}.") from None
        return {name: known[name] for name in self.outputs}

    def solutions(self, unknown: str, values: Mapping[str, Any]) -> list[Any]:
        """Every value of an input, within its domain, that gives the outputs named in `values`.

        Raises:
            UserError: Where the formula can't be solved for it.
        """
        if unknown not in self.symbols:
            raise UserError(f"{self.id} has no symbol {unknown[:30]!r}: its symbols are {', '.join(self.symbols)}.")
        if unknown in self.outputs:
            return [self.solve(**values)[unknown]]
        targets = {name: exact(values[name]) for name in self.outputs if name in values}
        if not targets:
            raise UserError(f"To solve {self.id} for {unknown}, say what comes out: add {self.outputs[-1]}=...")
        known = self.complete({k: v for k, v in values.items() if k not in targets}, without=unknown)
        if self.procedure:
            raise UserError(f"{self.id} counts before it computes, so it can't be solved for {unknown}.")
        return self.invert(unknown, known, targets)

    def invert(
        self,
        unknown: str,
        known: Mapping[str, Any],
        targets: Mapping[str, Any],
        replaced: Mapping[str, Any] | None = None,
        near: int | None = None,
    ) -> list[Any]:
        """The values of an input that lead to the targets.

        Args:
            unknown: The input.
            known: The other inputs.
            targets: What outputs shall come out.
            replaced: The equations of a mistake, to find what it would find.
            near: For a whole number: look only around this value, not through the whole domain.
        """
        sought = self.symbols[unknown]
        equations = [(replaced or {}).get(eq.name, eq) for eq in self.equations]

        found = dict(known)

        def leads_there(value: Any) -> bool:
            found[unknown] = value
            try:
                for eq in equations:
                    found[eq.name] = defined = evaluate_equation(eq, found)
                    if eq.name in targets and not _close(defined, targets[eq.name]):
                        return False
            except UndefinedValue:
                return False
            return True

        if sought.kind == "int" and sought.low is not None and sought.high is not None:
            low, high = int(sought.low), int(sought.high)
            if near is not None:
                low, high = max(low, near - AROUND), min(high, near + AROUND)
            if high - low <= SCAN:
                return [value for value in range(low, high + 1) if leads_there(value)]
        candidates = self._roots(unknown, known, targets, replaced or {})
        return sorted(
            v for v in candidates if (sought.kind != "int" or v == int(v)) and sought.is_in_domain(v) and leads_there(v)
        )

    def _roots(
        self, unknown: str, known: Mapping[str, Any], targets: Mapping[str, Any], replaced: Mapping[str, Any]
    ) -> list[Any]:
        if self.symbols[unknown].kind not in ("int", "real") or any(eq.index for eq in self.equations):
            raise UserError(f"{self.id} can be solved for numbers only, and not for {unknown}.")
        name, target = next(iter(targets.items()))
        tree = self.compose(name, replaced)
        if unknown not in names(tree):
            raise UserError(f"{name} does not depend on {unknown}.")
        try:
            ranges = isolate.isolate(tree, unknown, target, known)[-1].ranges
            if all(r.is_single for r in ranges):
                return [r.low for r in ranges]
        except UndefinedValue:
            return []
        except isolate.CannotIsolate:
            pass
        from quizzes.expressions import symbolic

        try:
            return symbolic.solve(tree, target, unknown, known)
        except NotImplementedError:
            raise UserError(f"{self.id} has no closed solution for {unknown}.") from None

    def compose(self, name: str, replaced: Mapping[str, Any] | None = None) -> Tree:
        """An output as one expression of the inputs; `instead` has the equations of a mistake."""
        made: dict[str, Tree] = {}
        for eq in self.equations:
            made[eq.name] = substitute((replaced or {}).get(eq.name, eq).tree, made)
        return made[name]


def _measured(name: str, at: int, value: Any) -> tuple[str, int, str]:
    """An array, how long one of its dimensions is, and what there is so many of."""
    if at:
        return name, len(value[0]), "columns"
    return name, len(value), "rows" if isinstance(value[0], list) else "values"


def _unequal(one: tuple[str, int, str], other: tuple[str, int, str]) -> str:
    """What to say of two dimensions that must be of one length and aren't."""
    (first, n, units), (second, m, others) = one, other
    if first == second:
        return f"{first} has {_counted(n, units)} and {_counted(m, others)}: give it as many {units} as {others}."
    if units != others:
        return (
            f"{first} has {_counted(n, units)} and {second} has {_counted(m, others)}: both numbers must be the same."
        )
    same = "length" if units == "values" else f"number of {units}"
    return f"{first} has {_counted(n, units)} and {second} has {m}: give both the same {same}."


def _counted(n: int, units: str) -> str:
    return f"{n} {units if n != 1 else units[:-1]}"


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, list) or isinstance(b, list):
        return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(_close, a, b))
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return abs(float(a) - float(b)) <= 1e-9 * max(1.0, abs(float(b)))
