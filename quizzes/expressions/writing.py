"""Expression to text."""

from quizzes.expressions.nodes import (
    Array,
    Call,
    Comparison,
    Iverson,
    Logic,
    Name,
    Num,
    Op,
    Reduction,
    Tree,
    Where,
)

PRECEDENCE = {"or": 1, "and": 2, "+": 10, "-": 10, "*": 20, "/": 20, "@": 20, "^": 40}
NOT = 3  # the precedence of `not` before a condition
COMPARISON = 5  # the precedence of the signs that compare
NEGATION = 30  # the precedence of a minus sign before a value


def write(tree: Tree, precedence: int = 0) -> str:
    """Write an expression as one line that `parse` reads as the same expression.

    Args:
        tree: The expression.
        precedence: The precedence of the operation around it; a weaker one gets parentheses.
    """
    match tree:
        case Num(_, text):
            return text
        case Name(name, index):
            return name + (f"[{_list(index)}]" if index else "")
        case Array(items):
            return f"[{_list(items)}]"
        case Call(function, args):
            return f"{function}({_list(args)})"
        case Reduction(operation, index, body, bounds):
            limits = " = " + "..".join(write(bound) for bound in bounds) if bounds else ""
            return f"{operation}({index}{limits}, {write(body)})"
        case Where(condition, value, otherwise):
            return f"where({_list((condition, value, otherwise))})"
        case Iverson(condition):
            return f"[{write(condition)}]"
        case Op("neg", (a,)):
            line, own = f"-{write(a, NEGATION)}", NEGATION
        case Logic("not", (a,)):
            line, own = f"not {write(a, NOT)}", NOT
        case Comparison(sign, (a, b)):
            line, own = f"{write(a, COMPARISON + 1)} {sign} {write(b, COMPARISON + 1)}", COMPARISON
        case Op(op, (a, b)) | Logic(op, (a, b)):
            own = PRECEDENCE[op]
            is_power = op == "^"  # binds from the right, and is written without spaces
            left, right = write(a, own + is_power), write(b, own + (not is_power))
            line = f"{left}{op}{right}" if is_power else f"{left} {op} {right}"
        case _:
            raise TypeError(tree)
    return f"({line})" if own < precedence else line


def _list(items: tuple[Tree, ...]) -> str:
    return ", ".join(map(write, items))
