"""Values that a question asks for as expressions: a formula's equations, with numbers for some of its inputs only."""

from collections.abc import Collection, Mapping
from fractions import Fraction

from quizzes.expressions.cases import resolve
from quizzes.expressions.tree import (
    Call,
    Name,
    Num,
    Op,
    Tree,
    UndefinedValue,
    Values,
    children,
    evaluate,
    names,
    substitute,
    with_children,
)
from quizzes.formula import Equation, Formula, Replacement
from quizzes.question import Step
from quizzes.solution import array_tree, number_trees, reduction_lengths


class Derivation:
    """A formula with numbers for some of its inputs.

    Args:
        formula: The formula.
        numbers: The values of the inputs that have one.
        parts: The symbols that the question asks for; a mistake in one of them doesn't change the others.
    """

    def __init__(self, formula: Formula, numbers: Values, parts: Collection[str]):
        self.formula, self.numbers, self.parts = formula, numbers, parts
        self.trees = {key: tree for name, value in numbers.items() for key, tree in number_trees(name, value).items()}
        self.trees |= {n: array for n, v in numbers.items() if isinstance(v, list) and (array := array_tree(v))}

    def expression(
        self, name: str, terms: Collection[str] = (), replaced: Mapping[str, Replacement] | None = None
    ) -> Tree:
        """Return the expression of a symbol.

        Args:
            name: The symbol.
            terms: Values of earlier equations that stay symbols in it.
            replaced: The equations of a mistake.

        Raises:
            UndefinedValue: If it has no such expression.
        """
        trees = dict(self.trees)
        for eq in self.formula.equations:
            if eq.index:
                raise UndefinedValue(f"{eq.name} is not a single expression")
            other = (replaced or {}).get(eq.name, eq)
            used = other if isinstance(other, Equation) and (eq.name == name or eq.name not in self.parts) else eq
            tree = substitute(used.tree, trees)
            tree = substitute(tree, reduction_lengths(tree, self.numbers))
            if eq.name == name:
                return fold(substitute(tree, trees))
            if eq.name not in terms:
                trees[eq.name] = tree
        raise UndefinedValue(f"no equation defines {name}")

    def steps(self, derived: Mapping[str, str]) -> list[Step]:
        """Return the worked solution: every equation, and the expression that is asked for if it is another."""
        steps = []
        for eq in self.formula.equations:
            result = f"{eq.name} = {derived[eq.name]}" if eq.name in derived else ""
            math = [eq.text, *([result] if result and result != eq.text else [])]
            steps.append(Step(self.formula.symbols[eq.name].meaning, math))
        return steps


def fold(tree: Tree) -> Tree:
    """Evaluate what has no symbol, and leave out factors 1 and terms 0, so that numbers in an expression read well."""
    if isinstance(tree, Num | Name):
        return tree
    tree = resolve(with_children(tree, [fold(child) for child in children(tree)]))
    if isinstance(tree, Op | Call) and not names(tree):
        value = evaluate(tree, {})
        return _number(Fraction(value)) if isinstance(value, int | Fraction) else tree
    match tree:
        case Op("*", (Num(value), a)) | Op("*", (a, Num(value))) if value in (0, 1):
            return a if value == 1 else _number(value)
        case Op("*", (Op("neg", (Num(value),)), a)) if value == 1:
            return Op("neg", (a,))
        case Op("/" | "^", (a, Num(value))) if value == 1:
            return a
        case Op("+" | "-", (a, Num(value))) | Op("+", (Num(value), a)) if value == 0:
            return a
        case Op("-", (Num(value), a)) if value == 0:
            return Op("neg", (a,))
        case Op("+", (a, Op("neg", (b,)))):
            return Op("-", (a, b))
        case Op("-", (a, Op("neg", (b,)))):
            return Op("+", (a, b))
        case Op("neg", (Op("neg", (a,)),)):
            return a
    return tree


def _number(value: Fraction) -> Tree:
    """Return a number as an expression: an integer, or a fraction."""
    size = Num(Fraction(abs(value.numerator)), str(abs(value.numerator)))
    tree: Tree = size
    if value.denominator != 1:
        tree = Op("/", (size, Num(Fraction(value.denominator), str(value.denominator))))
    return Op("neg", (tree,)) if value < 0 else tree
