"""The forms that a question may ask of an expression. They are read off the expression as it was typed.

factored             a product of at least as many factors as the expected answer has
expanded             a sum of products, without parentheses around a sum
single fraction      at most one fraction bar, and none inside a sum
without exp, ln      none of these functions
without functions    no function
in terms of p, q     no other symbol
"""

from collections.abc import Callable

from quizzes.expressions.tree import CONSTANTS, FUNCTIONS, Call, Name, Num, Op, Tree, children, evaluate, names, walk

WITHOUT, IN_TERMS = "without ", "in terms of "
ADVICE = {"factored": "factor it", "expanded": "expand it", "single fraction": "write it as a single fraction"}


def form_problem(form: str) -> str:
    """Return what is wrong with the name of a form; empty if nothing is."""
    if form.startswith(IN_TERMS) or form in ADVICE or form == "without functions":
        return ""
    if form.startswith(WITHOUT) and not (unknown := set(_listed(form, WITHOUT)) - FUNCTIONS.keys()):
        return ""
    what = f"{sorted(unknown)[0]!r} is not a function" if form.startswith(WITHOUT) else f"there is no form {form!r}"
    return f"{what}; the forms are {', '.join(ADVICE)}, without ..., and in terms of ..."


def describe_form(form: str) -> str:
    """Return a form as it completes "an expression ..."."""
    return f"as a {form}" if form == "single fraction" else form


def advise(form: str) -> str:
    """Return the sentence to a student whose expression is correct, but not in a form."""
    return f"Correct value, but in another form: {ADVICE.get(form, f'write it {form}')}."


def has_form(tree: Tree, form: str, expected: Tree) -> bool:
    """Return whether an expression has a form.

    Args:
        tree: The expression.
        form: The form.
        expected: The expected answer, which has the form.
    """
    if form == "factored":
        return _count_factors(tree) >= _count_factors(expected)
    if form.startswith(IN_TERMS):
        return names(tree) - CONSTANTS.keys() <= set(_listed(form, IN_TERMS))
    if form.startswith(WITHOUT):
        used = {function for node in walk(tree) if (function := _function(node))}
        return not used & set(_listed(form, WITHOUT)) if form != "without functions" else not used
    return CHECKS[form](tree)


def _listed(form: str, prefix: str) -> list[str]:
    return form.removeprefix(prefix).replace(",", " ").split()


def _function(node: Tree) -> str:
    """Return the function that a node calls, also written as a power of e; empty if it calls none."""
    if isinstance(node, Call):
        return node.function
    is_exponential = isinstance(node, Op) and node.op == "^" and node.args[0] == Name("e") and not _is_constant(node)
    return "exp" if is_exponential else ""


def _is_constant(tree: Tree) -> bool:
    return not names(tree) - CONSTANTS.keys()


def _is_sum(tree: Tree) -> bool:
    return isinstance(tree, Op) and tree.op in "+-" and not _is_constant(tree)


def _count_factors(tree: Tree) -> int:
    """Return the number of factors that have a symbol, in the numerator and the denominator; x^3 are three."""
    match tree:
        case _ if _is_constant(tree):
            return 0
        case Op("neg", (a,)):
            return _count_factors(a)
        case Op("*" | "/", (a, b)):
            return _count_factors(a) + _count_factors(b)
        case Op("^", (base, exponent)) if _integer(exponent):
            return _count_factors(base) * abs(_integer(exponent))
    return 1


def _integer(tree: Tree) -> int:
    """Return the integer that an exponent is; 0 if it is another number or has a symbol."""
    match tree:
        case Num(value) if value.denominator == 1:
            return int(value)
        case Op("neg", (a,)):
            return -_integer(a)
    return 0


def _is_expanded(tree: Tree) -> bool:
    match tree:
        case Op("+", (a, b)):
            return _is_expanded(a) and _is_expanded(b)
        case Op("-", (a, b)):
            return _is_expanded(a) and not _is_sum(b) and _is_expanded(b)
        case Op("neg" | "*", factors):
            return all(not _is_sum(factor) and _is_expanded(factor) for factor in factors)
        case Op("/", (a, _)):
            return not _is_sum(a) and _is_expanded(a)
        case Op("^", (base, exponent)):
            return _integer(exponent) < 2 or not _is_sum(base)
    return True


def _is_single_fraction(tree: Tree) -> bool:
    return _count_bars(tree) <= 1 and not _has_bar_in_sum(tree, False)


def _count_bars(tree: Tree) -> int:
    """Return the number of fraction bars outside of functions that have a symbol above or below."""
    if isinstance(tree, Call) or _is_constant(tree):
        return 0
    return _is_fraction(tree) + sum(_count_bars(child) for child in children(tree))


def _is_fraction(tree: Tree) -> bool:
    if not isinstance(tree, Op):
        return False
    return tree.op == "/" or (tree.op == "^" and _is_negative(tree.args[1]))


def _is_negative(tree: Tree) -> bool:
    match tree:
        case Op("neg", _):
            return True
        case Op("/" | "*", (a, b)):
            return _is_negative(a) != _is_negative(b)
    return _is_constant(tree) and bool(evaluate(tree, {}) < 0)


def _has_bar_in_sum(tree: Tree, in_sum: bool) -> bool:
    if isinstance(tree, Call):
        return False
    if in_sum and _is_fraction(tree):
        return True
    is_sum = isinstance(tree, Op) and tree.op in "+-"
    return any(_has_bar_in_sum(child, in_sum or is_sum) for child in children(tree))


CHECKS: dict[str, Callable[[Tree], bool]] = {"expanded": _is_expanded, "single fraction": _is_single_fraction}
