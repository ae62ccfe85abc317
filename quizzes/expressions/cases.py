"""Cases and Iverson brackets of an expression, one at a time: which case holds, and what the expression is in each."""

from collections.abc import Iterator

from quizzes.expressions.inverses import CannotIsolate
from quizzes.expressions.nodes import (
    Comparison,
    Iverson,
    Logic,
    Name,
    Tree,
    Where,
    children,
    integer,
    names,
    walk,
    with_children,
)
from quizzes.expressions.tree import CONSTANTS, UndefinedValue, Value, Values, evaluate
from quizzes.expressions.writing import NOT, write

COMPLEMENTS = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MAX_CASES = 32


class Undetermined(CannotIsolate):
    """Every value of the symbol for which a case holds leads to the same value; the message names the case."""


def complement(condition: Tree) -> Tree:
    """Return the condition that holds where another one does not."""
    match condition:
        case Comparison(sign, args):
            return Comparison(COMPLEMENTS[sign], args)
        case Logic("not", (inner,)):
            return inner
        case Logic(op, args):
            return Logic("or" if op == "and" else "and", tuple(complement(arg) for arg in args))
    raise TypeError(condition)


def choose(tree: Where | Iverson, holds: bool) -> Tree:
    """Return the value of cases or of a bracket if its condition holds, or if it does not."""
    if isinstance(tree, Where):
        return tree.value if holds else tree.otherwise
    return integer(int(holds))


def resolve(tree: Tree) -> Tree:
    """Replace cases and brackets whose conditions have numbers alone by the value that holds."""
    if isinstance(tree, Where | Iverson) and (holds := _decide(tree.condition)) is not None:
        return resolve(choose(tree, holds))
    return with_children(tree, [resolve(child) for child in children(tree)])


def _decide(condition: Tree) -> bool | None:
    try:
        return None if names(condition) - CONSTANTS.keys() else bool(evaluate(condition, {}))
    except UndefinedValue:
        return None


def explain(name: str, symbolic: Tree, with_numbers: Tree) -> str:
    """Say which case of an equation holds: `Here z > 0 does not hold (-2 > 0), so y = a * z.`; empty without cases.

    Args:
        name: The left-hand side; empty to say only which case holds.
        symbolic: The expression.
        with_numbers: The same with numbers in place of its symbols.
    """
    reasons = []
    while isinstance(symbolic, Where) and isinstance(with_numbers, Where):
        holds = _decide(with_numbers.condition)
        if holds is None:
            return ""
        verdict = "holds" if holds else "does not hold"
        reasons.append(f"{write(symbolic.condition)} {verdict} ({write(resolve(with_numbers.condition))})")
        symbolic, with_numbers = choose(symbolic, holds), choose(with_numbers, holds)
    result = f", so {name} = {write(symbolic)}" if name else ""
    return f"Here {' and '.join(reasons)}{result}." if reasons else ""


def first_case(tree: Tree, unknown: str) -> Where | Iverson | None:
    """Return the first cases or bracket in an expression that depend on a symbol; None if there are none."""
    for node in walk(tree):
        if isinstance(node, Where | Iverson) and unknown in names(node):
            return node
    return None


def split_cases(tree: Tree, unknown: str) -> Iterator[tuple[list[Tree], Tree]]:
    """Yield each form that an expression has, without cases that depend on a symbol, and the conditions for it.

    Raises:
        CannotIsolate: If there are too many.
    """
    pending: list[tuple[list[Tree], Tree]] = [([], tree)]
    count = 0
    while pending:
        conditions, form = pending.pop()
        node = first_case(form, unknown)
        count += 1
        if count > MAX_CASES:
            raise CannotIsolate
        if node is None:
            yield conditions, form
            continue
        for holds in (False, True):
            condition = node.condition if holds else complement(node.condition)
            pending.append(([*conditions, condition], _replace(form, node, choose(node, holds))))


def _replace(tree: Tree, node: Tree, replacement: Tree) -> Tree:
    if tree == node:
        return replacement
    return with_children(tree, [_replace(child, node, replacement) for child in children(tree)])


def hold(conditions: list[Tree], values: Values) -> bool:
    """Return whether all conditions hold; one that has no value does not."""
    try:
        return all(evaluate(condition, values) for condition in conditions)
    except UndefinedValue:
        return False


def only_value(conditions: list[Tree], unknown: str, values: Values) -> Value:
    """Return the only value of a symbol for which a case holds, as for `x = 3`.

    Raises:
        Undetermined: If it holds for many.
    """
    pending = list(conditions)
    for condition in pending:
        match condition:
            case Logic("and", args):
                pending += args
            case Comparison("=", (Name(name), other)) | Comparison("=", (other, Name(name))):
                if name == unknown and unknown not in names(other):
                    return evaluate(other, values)
    raise Undetermined(f"every {unknown} with {describe(conditions)} leads to the same value")


def describe(conditions: list[Tree]) -> str:
    """Write conditions as one."""
    return " and ".join(write(condition, NOT if len(conditions) > 1 else 0) for condition in conditions)
