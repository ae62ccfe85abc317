"""The functions of the grammar, one row each: whatever is known about a function is in its row, and nowhere else.

To add a function, add its row. `tests/quizzes/expressions/test_functions.py` checks every column of every row.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, Literal, TypeAlias

from quizzes.expressions.arithmetic import (
    MAX_DIGITS,
    MAX_EXPONENT,
    MIN_FLOAT_DIGITS,
    Library,
    UndefinedValue,
    Value,
    to_decimal,
)
from quizzes.expressions.inverses import POWER, Range, both_signs, increasing, of_extremum, of_rounding, root

SymPy: TypeAlias = Any  # the module sympy, which is imported only where it is needed
Expression: TypeAlias = Any  # an expression of SymPy, which has no types


@dataclass(frozen=True)
class Function:
    """A function of the grammar.

    Attributes:
        name: Its name.
        value: `value(lib, *args)` computes it; `lib` is `math` or an mpmath context, and exact numbers may stay exact.
        sympy: `sympy(sp, *args)` returns its value as an expression of SymPy; `sp` is the module.
        torch: The name of PyTorch's operation; that of two operands, if it takes more.
        derivatives: Its derivative by each operand in terms of the operands a and b and its value v, in the grammar;
            empty if it is constant between jumps, so that no gradient passes through it.
        gradient_at_kink: The gradient that is used at its kink, in words; empty if it has none.
        kinks: Where it has a kink, a jump or an end: of its argument at zero (`end`: it has no value below), at the
            integers, or where two arguments are equal; empty if it is smooth.
        inverse: `inverse(range, *others)` returns the ranges of one argument that lead to a range of values; `others`
            are the values of the other arguments. None if it has no inverse.
        printed: `printed(sp, *args)` returns what SymPy prints; None to print the name and the arguments.
        arity: The smallest and the largest number of its arguments.
        takes_any_size: Whether its arguments may be too large for a float.
        definition: What it stands for, if its printed name doesn't say it.
    """

    name: str
    value: Callable[..., Value]
    sympy: Callable[..., Expression]
    torch: str
    derivatives: tuple[str, ...] = ()
    gradient_at_kink: str = ""
    kinks: Literal["", "end", "zero", "integers", "equal"] = ""
    inverse: Callable[..., list[Range]] | None = None
    printed: Callable[..., Expression] | None = None
    arity: tuple[int, int] = (1, 1)
    takes_any_size: bool = False
    definition: str = ""


def _sqrt(lib: Library, x: Value) -> Value:
    if isinstance(x, Decimal) and x >= 0:
        return x.sqrt()
    if isinstance(x, int | Fraction) and x >= 0:
        top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
        if top * top == x.numerator and bottom * bottom == x.denominator:
            return Fraction(top, bottom)
    return lib.sqrt(x)


def _ln(lib: Library, x: Value) -> Value:
    if x == 0:
        raise UndefinedValue("it takes ln(0), which is minus infinity")
    if isinstance(x, Decimal) and x > 0:
        return x.ln()
    return lib.log(x) if x != 1 else 0


def _exp(lib: Library, x: Value) -> Value:
    if x > MAX_EXPONENT:
        raise UndefinedValue("its value is too large")
    if lib is math and (x > MAX_DIGITS * 2.3 or -MAX_EXPONENT < x < -MIN_FLOAT_DIGITS * 2.3):
        return to_decimal(x).exp()
    return lib.exp(max(x, -MAX_EXPONENT))  # a smaller argument would take long, and the value is 0 to any precision


def _sigmoid(lib: Library, x: Value) -> Value:
    small = lib.exp(-abs(x))  # never too large, whatever the sign of x
    return 1 / (1 + small) if x > 0 else small / (1 + small)


def _softplus(lib: Library, x: Value) -> Value:
    return max(x, 0) + lib.log(1 + lib.exp(-abs(x)))


def _gelu(lib: Library, x: Value) -> Value:
    return x * lib.erfc(-x / lib.sqrt(2)) / 2  # erfc, since 1 + erf loses all digits for a large negative x


def _inverse_erf(y: Value) -> Value:
    from statistics import NormalDist  # slow to import

    return NormalDist().inv_cdf((1 + float(y)) / 2) / math.sqrt(2)


def _named(name: str) -> Callable[..., Expression]:
    """Return a function that prints the name in place of the function's own."""
    return lambda sp, *args: sp.Function(name)(*args)


AS_PYTORCH = "the gradient 0 is used, as in PyTorch"
HALF_EACH = "each of the two equal values gets half of the gradient, as in PyTorch"

ROWS = [
    Function(
        "sqrt",
        _sqrt,
        lambda sp, x: sp.sqrt(x),
        "torch.sqrt",
        derivatives=("1/(2v)",),
        kinks="end",
        inverse=increasing(lambda y: root(y, Fraction(1, 2))),
        printed=lambda sp, x: sp.Pow(x, sp.Rational(1, 2), evaluate=False),
        takes_any_size=True,
    ),
    Function(
        "exp",
        _exp,
        lambda sp, x: sp.exp(x),
        "torch.exp",
        derivatives=("v",),
        inverse=increasing(math.log),
        printed=lambda sp, x: sp.exp(x, evaluate=False),
        takes_any_size=True,
    ),
    Function(
        "ln",
        _ln,
        lambda sp, x: sp.log(x),
        "torch.log",
        derivatives=("1/a",),
        inverse=increasing(math.exp),
        takes_any_size=True,
    ),
    Function(
        "log2",
        lambda lib, x: lib.log(x) / lib.log(2),
        lambda sp, x: sp.log(x, 2),
        "torch.log2",
        derivatives=("1/(a*ln(2))",),
        inverse=increasing(lambda y: POWER(2, y)),
    ),
    Function(
        "log10",
        lambda lib, x: lib.log10(x),
        lambda sp, x: sp.log(x, 10),
        "torch.log10",
        derivatives=("1/(a*ln(10))",),
        inverse=increasing(lambda y: POWER(10, y)),
    ),
    Function("sin", lambda lib, x: lib.sin(x), lambda sp, x: sp.sin(x), "torch.sin", derivatives=("cos(a)",)),
    Function("cos", lambda lib, x: lib.cos(x), lambda sp, x: sp.cos(x), "torch.cos", derivatives=("-sin(a)",)),
    Function("tan", lambda lib, x: lib.tan(x), lambda sp, x: sp.tan(x), "torch.tan", derivatives=("1 + v*v",)),
    Function(
        "sinh",
        # near 0 the two exponentials cancel; a large one may exceed a float
        lambda lib, x: lib.sinh(x) if abs(x) < 1 else (_exp(lib, x) - _exp(lib, -x)) / 2,
        lambda sp, x: sp.sinh(x),
        "torch.sinh",
        derivatives=("cosh(a)",),
        inverse=increasing(math.asinh),
    ),
    Function(
        "cosh",
        lambda lib, x: (_exp(lib, x) + _exp(lib, -x)) / 2,
        lambda sp, x: sp.cosh(x),
        "torch.cosh",
        derivatives=("sinh(a)",),
        inverse=both_signs(math.acosh),
    ),
    Function(
        "tanh",
        lambda lib, x: lib.tanh(x),
        lambda sp, x: sp.tanh(x),
        "torch.tanh",
        derivatives=("1 - v*v",),
        inverse=increasing(math.atanh),
    ),
    Function(
        "sigmoid",
        _sigmoid,
        lambda sp, x: 1 / (1 + sp.exp(-x)),
        "torch.sigmoid",
        derivatives=("v*(1 - v)",),
        inverse=increasing(lambda y: math.log(y / (1 - y))),
        printed=_named("sigma"),
        definition="σ(z) = 1/(1 + e^-z)",
    ),
    Function(
        "softplus",
        _softplus,
        lambda sp, x: sp.log(1 + sp.exp(x)),
        "torch.nn.functional.softplus",
        derivatives=("sigmoid(a)",),
        inverse=increasing(lambda y: math.log(math.expm1(y))),
        definition="softplus(z) = ln(1 + e^z)",
    ),
    Function(
        "erf",
        lambda lib, x: lib.erf(x),
        lambda sp, x: sp.erf(x),
        "torch.erf",
        derivatives=("2*exp(-a^2)/sqrt(pi)",),
        inverse=increasing(_inverse_erf),
    ),
    Function(
        "gelu",
        _gelu,
        lambda sp, x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
        "torch.nn.functional.gelu",
        derivatives=("(1 + erf(a/sqrt(2)))/2 + a*exp(-a^2/2)/sqrt(2*pi)",),
        printed=_named("GELU"),
        definition="GELU(z) = z·Φ(z), with Φ(z) = (1 + erf(z/√2))/2",
    ),
    Function(
        "relu",
        lambda lib, x: x if x > 0 else x * 0,
        lambda sp, x: sp.Max(x, 0),
        "torch.relu",
        derivatives=("[a > 0]",),
        gradient_at_kink=AS_PYTORCH,
        kinks="zero",
        inverse=lambda r: of_extremum(True, r, 0),
        printed=_named("ReLU"),
        definition="ReLU(z) = max(0, z)",
        takes_any_size=True,
    ),
    Function(
        "abs",
        lambda lib, x: abs(x),
        lambda sp, x: sp.Abs(x),
        "torch.abs",
        derivatives=("sign(a)",),
        gradient_at_kink=AS_PYTORCH,
        kinks="zero",
        inverse=both_signs(lambda y: y),
        printed=lambda sp, x: sp.Abs(x, evaluate=False),
        takes_any_size=True,
    ),
    Function(
        "sign",
        lambda lib, x: (x > 0) - (x < 0),
        lambda sp, x: sp.sign(x),
        "torch.sign",
        kinks="zero",
        takes_any_size=True,
    ),
    Function(
        "floor",
        lambda lib, x: math.floor(x),
        lambda sp, x: sp.floor(x),
        "torch.floor",
        kinks="integers",
        inverse=of_rounding(lambda y: Range(y, y + 1, high_open=True)),
        printed=lambda sp, x: sp.floor(x, evaluate=False),
    ),
    Function(
        "ceil",
        lambda lib, x: math.ceil(x),
        lambda sp, x: sp.ceiling(x),
        "torch.ceil",
        kinks="integers",
        inverse=of_rounding(lambda y: Range(y - 1, y, low_open=True)),
        printed=lambda sp, x: sp.ceiling(x, evaluate=False),
    ),
    Function(
        "min",
        lambda lib, *xs: min(xs),
        lambda sp, *xs: sp.Min(*xs),
        "torch.minimum",
        derivatives=("[a < b] + [a = b]/2", "[b < a] + [a = b]/2"),
        gradient_at_kink=HALF_EACH,
        kinks="equal",
        inverse=partial(of_extremum, False),
        arity=(2, 9),
        takes_any_size=True,
    ),
    Function(
        "max",
        lambda lib, *xs: max(xs),
        lambda sp, *xs: sp.Max(*xs),
        "torch.maximum",
        derivatives=("[a > b] + [a = b]/2", "[b > a] + [a = b]/2"),
        gradient_at_kink=HALF_EACH,
        kinks="equal",
        inverse=partial(of_extremum, True),
        arity=(2, 9),
        takes_any_size=True,
    ),
]
FUNCTIONS = {row.name: row for row in ROWS}
