"""A formula, written once: from it come the sheet, the calculator, the drills, their steps and their inverses."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from itertools import chain
from typing import TypeAlias

from quizzes.expressions import isolate
from quizzes.expressions.cases import Undetermined
from quizzes.expressions.nodes import Call
from quizzes.expressions.parser import FormatError, parse, parse_with_ranges, split_equation, write
from quizzes.expressions.tree import (
    CONSTANTS,
    Dimension,
    Evaluator,
    Iverson,
    Name,
    Num,
    Tree,
    UndefinedValue,
    Value,
    Values,
    Where,
    bounded_range,
    compile_tree,
    evaluate,
    exact,
    index_occurrences,
    integer,
    is_close,
    names,
    occurrence_range,
    reduction_indices,
    run_compiled,
    substitute,
    walk,
    without_decimals,
)
from quizzes.limits import limit
from quizzes.question import value_text
from quizzes.symbols import Symbol
from workbench import syllabus
from workbench.errors import DeclarationError, UserError, unknown_name

NEIGHBORHOOD = 24  # how far from a known solution a drill looks for further ones
MAX_TRIALS = 100_000  # integers up to which an unknown is found by trying each of them
TOLERANCE = 1e-9  # relative, of a solution


@dataclass(frozen=True)
class Equation:
    """`name = tree`, or `name[i, k] = tree` for every i and k.

    Attributes:
        name: The symbol that it defines.
        index: The indices of its elements.
        tree: The right-hand side.
        text: The equation as it was written.
        lengths: For an index that says how far it runs, as in `for k = 1..n`, the expression of n; others run over
            the arrays that they index.
    """

    name: str
    index: tuple[str, ...]
    tree: Tree
    text: str
    lengths: Mapping[str, Tree] = field(default_factory=dict, hash=False)

    @cached_property
    def evaluator(self) -> Evaluator:
        """The right-hand side, compiled."""
        return compile_tree(self.tree)

    @cached_property
    def indexed_dimensions(self) -> dict[str, list[Dimension]]:
        """The dimensions of arrays on the right-hand side that each of its indices indexes."""
        return {index: index_occurrences(self.tree, index) for index in self.index}

    @property
    def equal_lengths(self) -> list[set[Dimension]]:
        """The dimensions that share an index, for each index: they must have the same length."""
        shared = {index: [] if index in self.lengths else self.indexed_dimensions[index] for index in self.index}
        own = [{(self.name, k), *shared[index]} for k, index in enumerate(self.index)]
        return own + [set(dimensions) for _, dimensions in reduction_indices(self.tree)]

    @property
    def used_names(self) -> set[str]:
        """The symbols that it needs values for."""
        return (names(self.tree) - {*self.index}).union(*map(names, self.lengths.values())) - CONSTANTS.keys()

    @cached_property
    def whole_names(self) -> set[str]:
        """The names without an index on its right-hand side: numbers, and arrays that are used as a whole."""
        return {node.name for node in walk(self.tree) if isinstance(node, Name) and not node.index}

    @cached_property
    def has_cases(self) -> bool:
        """True if its right-hand side has cases or Iverson brackets."""
        return any(isinstance(node, Where | Iverson) for node in walk(self.tree))

    def index_values(self, index: str, values: Values) -> range:
        """Return the values of one of its indices."""
        if index in self.lengths:
            return bounded_range(1, evaluate(self.lengths[index], values))
        return occurrence_range(self.indexed_dimensions[index], index, values)


Procedure: TypeAlias = Callable[..., Mapping[str, Value]]
# What a mistake uses in place of an equation: another one, or a function of the inputs.
Replacement: TypeAlias = Equation | Callable[..., Value]


@cache
def equation(text: str) -> Equation:
    """Parse an equation.

    Raises:
        TypeError: If it defines no symbol.
        FormatError: If it can't be read.
    """
    left, right = split_equation(text) or (text, "")
    target = parse(left) if right.strip() else None
    if not isinstance(target, Name):
        raise TypeError(f"{text.strip()!r} is not an equation. Write it as name = ...")
    index = tuple(i.name for i in target.index if isinstance(i, Name))
    tree, ranges = parse_with_ranges(right)
    for name, (first, _) in ranges.items():
        if name not in index or first != integer(1):
            raise FormatError(f"{name} must be an index on the left-hand side, and run from 1", text.strip(), 0)
    return Equation(target.name, index, tree, text.strip(), {name: last for name, (_, last) in ranges.items()})


def evaluate_equation(eq: Equation, values: Values, index: tuple[str, ...] | None = None) -> Value:
    """Return the value that an equation defines: a number, or a (nested) list over its indices.

    Args:
        eq: The equation.
        values: The values of the symbols on its right-hand side, and of the indices that are not in `index`.
        index: The indices to run over; None for all.
    """
    remaining = eq.index if index is None else index
    if not remaining:
        return run_compiled(eq.evaluator, values)
    first, *others = remaining
    return [evaluate_equation(eq, {**values, first: k}, tuple(others)) for k in eq.index_values(first, values)]


def evaluate_equations(
    equations: Iterable[str | Equation], values: Values, overrides: Values | None = None
) -> dict[str, Value]:
    """Evaluate equations in order.

    Args:
        equations: Each may use the symbols that earlier ones define.
        values: The values of the other symbols.
        overrides: Values that later equations use in place of those that an equation defines (a student's own).

    Returns:
        All values, each as its equation defines it, also if later ones used a value of `overrides` in its place.

    Raises:
        UndefinedValue: If a value is undefined.
    """
    overrides = overrides or {}
    used = {name: exact(value) for name, value in values.items()}
    used |= {name: value for name, value in overrides.items() if name in used}
    defined = {}
    for eq in equations:
        eq = equation(eq) if isinstance(eq, str) else eq
        defined[eq.name] = evaluate_equation(eq, used)
        used[eq.name] = overrides.get(eq.name, defined[eq.name])
    return {name: without_decimals(value) for name, value in {**used, **defined}.items()}


class Formula:
    """A formula of the notes: equations over symbols, and a procedure for what equations can't express.

    Args:
        id: Its name on the command line.
        equations: One per line (or separated by semicolons), in the grammar of `expressions.parser`. Each defines one
            symbol, and may use the symbols that earlier ones define.
        title: A few words.
        source: A reference, or "derivation: ..." with the derivation.
        conventions: What else must be known because other sources count or name it differently; paragraphs.
        statement: What it computes as a book writes it, if the equations alone don't say it; lines of text.
        procedure: Computes values before the equations (counts n-grams, suppresses boxes), from the inputs by name;
            None if there is none.
        procedure_outputs: The names of those values, separated by spaces.
        integer_constraints: Expressions of the inputs whose values must be integers, separated by commas.
        shapes: Shapes of input arrays that the equations alone don't determine, separated by semicolons:
            `X[n, d]; u[3]`.
        topic: The syllabus topic that it belongs to; that of the folder in which it is declared, if left out.
        symbols: All its symbols by name.
    """

    def __init__(
        self,
        id: str,
        equations: str | Iterable[Equation],
        *,
        title: str,
        source: str,
        conventions: str = "",
        statement: str = "",
        procedure: Procedure | None = None,
        procedure_outputs: str = "",
        integer_constraints: str = "",
        shapes: str = "",
        topic: str = "",
        **symbols: Symbol,
    ):
        self.id, self.title, self.source = id, title, source
        frame = sys._getframe(1)
        while frame.f_code.co_name == "__init__" and frame.f_back:  # of a subclass
            frame = frame.f_back
        self.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        for name, symbol in symbols.items():
            if not isinstance(symbol, Symbol):
                raise self.error(f"{name} must be a symbol, such as {name}=Real(meaning=...)")
        self.symbols = {name: symbol.named(name) for name, symbol in symbols.items()}
        if isinstance(equations, str):
            lines = [line for line in equations.replace(";", "\n").splitlines() if line.strip()]
            try:
                equations = [equation(line) for line in lines]
            except FormatError as error:
                raise self.error(error.message_with_caret()) from None
            except TypeError as error:
                raise self.error(str(error)) from None
        self.equations = tuple(equations)
        self.conventions = "\n\n".join(" ".join(paragraph.split()) for paragraph in conventions.split("\n\n"))
        self.statement = [line.strip() for line in statement.splitlines() if line.strip()]
        self.procedure, self.procedure_outputs = procedure, tuple(procedure_outputs.split())
        self.integer_constraints = tuple(text.strip() for text in integer_constraints.split(",") if text.strip())
        self.shapes = tuple(shape for text in shapes.split(";") if text and isinstance(shape := parse(text), Name))
        if topic and topic not in syllabus.topics():
            raise self.error(str(unknown_name("topic", topic, syllabus.topics())))
        package = frame.f_globals["__name__"].rpartition(".")[0].removesuffix(".formulas")
        self.topic = topic or package.rpartition(".")[2].replace("_", "-")
        self._check()

    @property
    def topics(self) -> list[str]:
        """The topics that it joins: its own, unless it is made of formulas of several."""
        return [self.topic]

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a problem of the declaration."""
        return DeclarationError(f"{self.place}: formula {self.id}: {problem}")

    def _check(self) -> None:
        """Check that every name is declared.

        Raises:
            DeclarationError: If one is not.
        """
        options = ", ".join(self.symbols)
        for name in self.outputs:
            if name not in self.symbols:
                raise self.error(f"{name} has no symbol. Add {name}=Real(meaning=...)")
        for eq in self.equations:
            for name in sorted(eq.used_names - set(self.symbols)):
                raise self.error(f"{eq.text!r} uses {name}, which is not one of its symbols: {options}")
        for name, symbol in self.symbols.items():
            if not symbol.meaning:
                raise self.error(f"{name} has no meaning")
            if symbol.low is not None and symbol.high is not None and symbol.low > symbol.high:
                raise self.error(f"{name} has no values, because {symbol.low:g} is larger than {symbol.high:g}")
            if symbol.default is not None:
                try:
                    symbol.check(symbol.default)
                except UserError as error:
                    raise self.error(f"the default of {error}") from None
        for name in self.outputs:
            if self.outputs.count(name) > 1:
                raise self.error(f"{name} is defined twice")
        if bool(self.procedure) != bool(self.procedure_outputs):
            raise self.error("procedure and procedure_outputs need each other")

    @cached_property
    def outputs(self) -> list[str]:
        """The symbols that it defines."""
        return [*self.procedure_outputs, *(eq.name for eq in self.equations)]

    @cached_property
    def inputs(self) -> list[str]:
        """The symbols that it needs values for."""
        return [name for name in self.symbols if name not in self.outputs]

    @cached_property
    def equal_lengths(self) -> list[list[Dimension]]:
        """The groups of its input arrays' dimensions that must have the same length, since they share an index.

        Two dimensions are also in one group through an array that an equation defines: those of x and y, if a
        prediction of each x is compared with a y.
        """
        declared: dict[Tree, set[Dimension]] = {}
        for shape in self.shapes:
            for k, letter in enumerate(shape.index):
                if isinstance(letter, Name):
                    declared.setdefault(letter, set()).add((shape.name, k))
        groups: list[set[Dimension]] = []
        for group in chain((dimensions for eq in self.equations for dimensions in eq.equal_lengths), declared.values()):
            groups = [g for g in groups if not g & group] + [group.union(*(g for g in groups if g & group))]
        order = {name: k for k, name in enumerate(self.inputs)}
        return [sorted((d for d in g if d[0] in order), key=lambda d: (order[d[0]], d[1])) for g in groups]

    @cached_property
    def fixed_lengths(self) -> dict[Dimension, int]:
        """The length of each dimension that is declared, or whose elements the equations number, such as a box's."""
        numbered: dict[str, set[int]] = {}
        whole_arrays = set()  # vectors that occur in another way too, and may have more than the numbered elements
        for node in (node for eq in self.equations for node in walk(eq.tree)):
            match node:
                case Name(name, (Num(k),)):
                    numbered.setdefault(name, set()).add(int(k))
                case Name(name):
                    whole_arrays.add(name)
        lengths = {(n, 0): max(ks) for n, ks in numbered.items() if n in self.inputs and n not in whole_arrays}
        for shape in self.shapes:
            lengths |= {(shape.name, k): int(n.value) for k, n in enumerate(shape.index) if isinstance(n, Num)}
        return lengths

    def expand(self, eq: Equation) -> list[Equation]:
        """Return the equations that replace this formula's own in a mistake that is declared as one equation."""
        return [eq]

    def complete(self, values: Values, without: str = "", needed: Collection[str] | None = None) -> dict[str, Value]:
        """Return the inputs, exact and checked, with defaults filled in.

        Args:
            values: The values that the user gave.
            without: An input that needs no value; empty for none.
            needed: The inputs that are needed; None for all.

        Raises:
            UserError: If an input is missing, unknown or outside its domain.
        """
        for name in values:
            self._check_name(name)
        inputs = {}
        for name in self.inputs:
            symbol = self.symbols[name]
            value = values.get(name, symbol.default)
            if symbol.length_of and symbol.length_of in values:
                value = self._length(name, value, values[symbol.length_of])
            if value is not None and symbol.classes_of in values:
                value = self._one_hot(name, value, values[symbol.classes_of])
            is_needed = needed is None or name in needed
            if name == without or (value is None and (symbol.optional or not is_needed)):
                continue
            if value is None:
                raise UserError(f"{self.id} needs {name} ({symbol.meaning}): add {name}=...")
            inputs[name] = symbol.check(symbol.exact(value))
        self._check_lengths(inputs)
        for text in self.integer_constraints:
            used = names(parse(text))
            if without not in used and used <= inputs.keys() and (value := evaluate(parse(text), inputs)) != int(value):
                raise UserError(f"{text} must be an integer in {self.id}, not {float(value):g}.")
        return inputs

    def _check_name(self, name: str) -> None:
        if name not in self.symbols:
            raise UserError(f"{self.id} has no symbol {name[:30]!r}: its symbols are {', '.join(self.symbols)}.")

    def _length(self, name: str, value: Value, array: Value) -> Value:
        """Return the length of an array as the value of a symbol; another value is an error."""
        if not isinstance(array, list) or value in (None, len(array)):
            return len(array) if isinstance(array, list) else value
        symbol = self.symbols[name]
        size = _Size.of(symbol.length_of, 0, array)
        raise UserError(
            f"{name} ({symbol.meaning}) is {value}, but {symbol.length_of} has {size.count}. Leave {name} out."
        )

    def _one_hot(self, name: str, value: Value, array: Value) -> Value:
        """Return one-hot rows for class numbers; any other value as it is."""
        if not isinstance(value, list) or any(isinstance(item, list) for item in value) or not isinstance(array, list):
            return value
        classes = len(array[0]) if array and isinstance(array[0], list) else 0
        for item in value:
            if item != int(item) or not 0 <= item < classes:
                last = f"the classes of {self.symbols[name].classes_of} are 0 to {classes - 1}"
                raise UserError(f"{name} has the class {item}: {last}.")
        return [[int(k == item) for k in range(classes)] for item in value]

    def _check_lengths(self, inputs: Values) -> None:
        for (name, dimension), length in self.fixed_lengths.items():
            if name in inputs and (size := _Size.of(name, dimension, inputs[name])).length != length:
                raise UserError(f"{name} has {size.count}, and {self.id} takes {length}.")
        for group in self.equal_lengths:
            sizes = [_Size.of(name, dimension, inputs[name]) for name, dimension in group if name in inputs]
            for size in sizes[1:]:
                if size.length != sizes[0].length:
                    raise UserError(_unequal_lengths(sizes[0], size))

    def run_procedure(self, values: Values) -> dict[str, Value]:
        """Return the values that the procedure computes from the inputs; none if there is no procedure."""
        if not self.procedure:
            return {}
        try:
            return {name: exact(v) for name, v in self.procedure(**values).items()}
        except ValueError as error:
            if "zip() argument" in str(error):
                raise UserError(f"The lengths of the inputs of {self.id} don't fit together.") from None
            raise

    def evaluate(self, inputs: Values) -> dict[str, Value]:
        """Return all values of the formula for its inputs.

        Raises:
            UndefinedValue: If a value is undefined or outside its symbol's domain.
        """
        values = evaluate_equations(self.equations, {**inputs, **self.run_procedure(inputs)})
        for name in self.outputs:
            if problem := self._domain_problem(name, values[name]):
                raise UndefinedValue(problem)
        return values

    def evaluate_with_mistake(
        self, replaced: Mapping[str, Replacement], correct: Values, parts: Iterable[str]
    ) -> dict[str, Value]:
        """Return the values that a mistake leads to, each computed from correct earlier values.

        Args:
            replaced: What the mistake uses for each symbol that it gets wrong.
            correct: All correct values.
            parts: The symbols that are asked for; later values are computed from their correct values.

        Raises:
            UndefinedValue: If a value is undefined.
        """
        inputs = {name: correct[name] for name in self.inputs if name in correct}
        computed = {name: exact(other(**inputs)) for name, other in replaced.items() if not isinstance(other, Equation)}
        equations = [eq for eq in self._with_mistake(replaced) if eq.name not in computed]
        start = {**inputs, **{name: correct[name] for name in self.procedure_outputs}, **computed}
        return evaluate_equations(equations, start, overrides={name: correct[name] for name in parts}) | computed

    def _with_mistake(self, replaced: Mapping[str, Replacement]) -> list[Equation]:
        others = {name: other for name, other in replaced.items() if isinstance(other, Equation)}
        return [others.get(eq.name, eq) for eq in self.equations]

    def solve(self, **values: Value) -> dict[str, Value]:
        """Return every output for the inputs: `get("conv-out-size").solve(n=224, f=3)` returns `{"o": 222}`.

        Raises:
            UserError: If the inputs can't be used, or an output is undefined.
        """
        results, undefined = self.results(values)
        for reason in undefined.values():
            raise UserError(f"{self.id} has no value there: {reason}.")
        return results

    def results(self, values: Values, only: Collection[str] = ()) -> tuple[dict[str, Value], dict[str, str]]:
        """Return the outputs that have a value, also as a limit, and for the others the reason why they have none.

        Args:
            values: The inputs. Outputs are compared with what the inputs lead to.
            only: The outputs to compute, which may need fewer inputs; empty for all.

        Raises:
            UserError: If the inputs can't be used, or an output has another value than the one that is given.
        """
        for name in only:
            self._check_name(name)
            if name not in self.outputs:
                raise UserError(f"{name} is an input of {self.id}. Its outputs are {', '.join(self.outputs)}.")
        needed = self._used_by(only or self.outputs)
        used = self.complete(values, needed=needed)
        undefined: dict[str, str] = {}
        try:
            used |= self.run_procedure(used) if needed & set(self.procedure_outputs) else {}
        except UndefinedValue as reason:
            undefined = dict.fromkeys(self.procedure_outputs, str(reason))
        for eq in self.equations:
            if eq.name not in needed:
                continue
            if missing := next((name for name in undefined if name in eq.used_names), None):
                undefined[eq.name] = f"{missing} has no value"
                continue
            try:
                used[eq.name] = evaluate_equation(eq, used)
            except UndefinedValue as reason:
                edge = limit({name: self.symbols[name] for name in self.inputs}, self.equations, eq, used)
                if edge is None:
                    undefined[eq.name] = str(reason)
                else:
                    used[eq.name] = edge
        used = {name: without_decimals(value) for name, value in used.items()}
        selection = [name for name in self.outputs if name in (only or self.outputs)]
        for name in selection:
            if name in used and (problem := self._domain_problem(name, used[name])):
                undefined[name] = problem
        results = {name: used[name] for name in selection if name not in undefined}
        for name in results.keys() & values.keys():
            self._check_result(name, exact(values[name]), results[name])
        return results, {name: reason for name, reason in undefined.items() if name in selection}

    def _used_by(self, outputs: Iterable[str]) -> set[str]:
        """Return outputs with all symbols that they are computed from."""
        used = set(outputs)
        for eq in reversed(self.equations):
            if eq.name in used:
                used |= eq.used_names
        return used | set(self.inputs) if used & set(self.procedure_outputs) else used

    def roundings(self, values: Values, only: Collection[str] = ()) -> list[str]:
        """Return, as equations, what `floor` and `ceil` round on the way to outputs: an even division may be expected.

        Args:
            values: All values of the formula.
            only: The outputs; empty for all.
        """
        texts = []
        for eq in self.equations:
            for node in walk(eq.tree) if not only or eq.name in self._used_by(only) else ():
                if isinstance(node, Call) and node.function in ("floor", "ceil") and names(node) <= values.keys():
                    with suppress(UndefinedValue):
                        value, rounded = (evaluate(tree, values) for tree in (node.args[0], node))
                        if value != rounded:
                            texts.append(f"{write(node.args[0])} = {float(value):.6g} is rounded to {rounded}")
        return list(dict.fromkeys(texts))

    def _check_result(self, name: str, value: Value, result: Value) -> None:
        """Compare the value that was given for an output, which may be rounded, with the computed one."""
        if not isinstance(value, int | Fraction) or isinstance(result, list | str):
            is_same = value == result
        else:
            places = next((k for k in range(15) if (value * 10**k).denominator == 1), 15)
            is_same = abs(float(result) - float(value)) <= 0.5 * 10.0**-places + 1e-9 * abs(float(result))
        if not is_same:
            raise UserError(
                f"{name} is {value_text(result)} for these inputs, not {value_text(value)}. Leave {name} out, or solve "
                f"for an input: --solve NAME."
            )

    def _domain_problem(self, name: str, value: Value) -> str:
        """Return why an output can't have a value; empty if it can."""
        symbol = self.symbols[name]
        if symbol.kind not in ("int", "real") or symbol.is_in_domain(value):
            return ""
        return f"{name} ({symbol.meaning}) would be {float(value):g}, and must be {symbol.describe_domain()}"

    def solutions(self, unknown: str, values: Values) -> list[Value]:
        """Return every value of an input, within its domain, that leads to the outputs in `values`.

        Raises:
            UserError: If the formula can't be solved for it.
        """
        self._check_name(unknown)
        if unknown in self.outputs:
            return [self.solve(**values)[unknown]]
        targets = {name: exact(values[name]) for name in self.outputs if name in values}
        if not targets:
            raise UserError(f"To solve {self.id} for {unknown}, give an output: add {self.outputs[-1]}=...")
        inputs = self.complete({k: v for k, v in values.items() if k not in targets}, without=unknown)
        if self.procedure:
            raise UserError(f"{self.id} is computed by a procedure, so it can't be solved for {unknown}.")
        return self.invert(unknown, inputs, targets)

    def invert(
        self,
        unknown: str,
        inputs: Values,
        targets: Values,
        replaced: Mapping[str, Replacement] | None = None,
        near: int | None = None,
    ) -> list[Value]:
        """Return the values of an input that lead to given outputs.

        Args:
            unknown: The input to solve for.
            inputs: The other inputs.
            targets: The outputs.
            replaced: The equations of a mistake, for the values that it leads to; None for the correct ones.
            near: For an integer, look only near this value; None to look in the whole domain.

        Raises:
            UserError: If the formula can't be solved for it.
        """
        symbol = self.symbols[unknown]
        equations = self._with_mistake(replaced or {})
        values = dict(inputs)

        def leads_to_targets(candidate: Value) -> bool:
            values[unknown] = candidate
            try:
                for eq in equations:
                    values[eq.name] = defined = evaluate_equation(eq, values)
                    if eq.name in targets and not is_close(defined, targets[eq.name], TOLERANCE):
                        return False
            except UndefinedValue:
                return False
            return True

        if symbol.kind == "int" and symbol.low is not None and symbol.high is not None:
            low, high = int(symbol.low), int(symbol.high)
            if near is not None:
                low, high = max(low, near - NEIGHBORHOOD), min(high, near + NEIGHBORHOOD)
            if high - low <= MAX_TRIALS:
                return [value for value in range(low, high + 1) if leads_to_targets(value)]
        roots = self._roots(unknown, inputs, targets, replaced or {})
        fitting = (v for v in roots if (symbol.kind != "int" or v == int(v)) and symbol.is_in_domain(v))
        return sorted(v for v in fitting if leads_to_targets(v))

    def _roots(self, unknown: str, inputs: Values, targets: Values, replaced: Mapping[str, Replacement]) -> list[Value]:
        if self.symbols[unknown].kind not in ("int", "real") or any(eq.index for eq in self.equations):
            raise UserError(f"{self.id} can only be solved for numbers, not for {unknown}.")
        name, target = next(iter(targets.items()))
        tree = self.compose(name, replaced)
        if unknown not in names(tree):
            raise UserError(f"{name} does not depend on {unknown}.")
        try:
            ranges = isolate.isolate(tree, unknown, target, inputs)[-1].ranges
            if all(r.is_single for r in ranges):
                return [r.low for r in ranges]
        except UndefinedValue:
            return []
        except Undetermined as reason:
            raise self._no_single_value(unknown, reason) from None
        except isolate.CannotIsolate:
            pass
        from quizzes.expressions import symbolic

        try:
            return symbolic.solve(tree, target, unknown, inputs)
        except Undetermined as reason:
            raise self._no_single_value(unknown, reason) from None
        except NotImplementedError:
            raise UserError(f"{self.id} has no closed-form solution for {unknown}.") from None

    def _no_single_value(self, unknown: str, reason: Exception) -> UserError:
        return UserError(f"{self.id} can't be solved for {unknown}: {reason}.")

    def compose(self, name: str, replaced: Mapping[str, Replacement] | None = None) -> Tree:
        """Return an output as one expression of the inputs; `replaced` has the equations of a mistake."""
        trees: dict[str, Tree] = {}
        for eq in self._with_mistake(replaced or {}):
            trees[eq.name] = substitute(eq.tree, trees)
        return trees[name]


@dataclass(frozen=True)
class _Size:
    """The length of one dimension of an array, with its unit: rows, columns or values."""

    name: str
    length: int
    unit: str

    @classmethod
    def of(cls, name: str, dimension: int, value: list[Value]) -> "_Size":
        if dimension:
            return cls(name, len(value[0]), "columns")
        return cls(name, len(value), "rows" if isinstance(value[0], list) else "values")

    @property
    def count(self) -> str:
        return f"{self.length} {self.unit if self.length != 1 else self.unit[:-1]}"


def _unequal_lengths(one: _Size, other: _Size) -> str:
    """Return the message on two dimensions that must have the same length and don't."""
    if one.name == other.name:
        return f"{one.name} has {one.count} and {other.count}: give it as many {one.unit} as {other.unit}."
    if one.unit != other.unit:
        return f"{one.name} has {one.count} and {other.name} has {other.count}: both numbers must be the same."
    same = "length" if one.unit == "values" else f"number of {one.unit}"
    return f"{one.name} has {one.count} and {other.name} has {other.length}: give both the same {same}."
