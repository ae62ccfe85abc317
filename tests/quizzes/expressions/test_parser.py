"""The parser: the value of a text against arithmetic on the tree that it was generated from, and what is rejected."""

import string
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quizzes.expressions.parser import FormatError, parse, read, read_list, write
from quizzes.expressions.tree import Num, Op, UndefinedValue, evaluate

# An arithmetic tree, independent of the program's: a number, ("neg", a), or (operation, a, b).
leaves = st.integers(0, 12).map(str) | st.decimals("0.1", "9.9", places=1).map(str)
trees = st.recursive(
    leaves,
    lambda inside: st.tuples(st.just("neg"), inside) | st.tuples(st.sampled_from("+-*/"), inside, inside),
    max_leaves=8,
)
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


def value(tree) -> Fraction:
    """Compute the value with Python's fractions."""
    if isinstance(tree, str):
        return Fraction(tree)
    if tree[0] == "neg":
        return -value(tree[1])
    a, b = value(tree[1]), value(tree[2])
    return a + b if tree[0] == "+" else a - b if tree[0] == "-" else a * b if tree[0] == "*" else a / b


def text(tree, above: float = 0) -> str:
    """Write the tree with as few parentheses as the rules of arithmetic allow."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "neg":
        line, own = "-" + text(tree[1], 3), 3
    else:
        own = BINDS[tree[0]]
        line = f"{text(tree[1], own)} {tree[0]} {text(tree[2], own + 0.5)}"
    return f"({line})" if own < above else line


@given(trees)
def test_arithmetic_is_that_of_python(tree):
    try:
        expected = value(tree)
    except ZeroDivisionError:
        with pytest.raises(FormatError, match="divides by zero"):
            read(text(tree))
        return
    assert evaluate(read(text(tree)), {}) == expected
    assert eval(text(tree)) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)  # checks `text` itself


@given(trees)
def test_write_then_parse_gives_the_same_tree(tree):
    first = parse(text(tree))
    assert parse(write(first)) == first


@pytest.mark.parametrize(
    ("typed", "equal"),
    [
        ("-2^2", "-(2*2)"),
        ("2^3^2", "2^9"),
        ("2^-1", "1/2"),
        ("2^-2*3", "3/4"),
        ("√9+1", "4"),
        ("√2^2", "2"),
        ("1/2(4)", "2"),
        ("6/2(1+2)", "9"),
        ("3(1+1)(2)", "12"),
        ("2**3", "8"),
        ("2³", "8"),
        ("2¹⁰", "1024"),
        ("5²+1", "26"),
        ("7 × 3 ÷ 2 · 4 − 1", "41"),
        ("1e3", "1000"),
        ("2.5e-1", "1/4"),
        (".5", "1/2"),
        ("0.1+0.2", "0.3"),
        ("floor(-7/2)", "-4"),
        ("ceil(7/2)", "4"),
        ("max(1, 3, 2) - min(2, 5)", "1"),
        ("abs(-3) + sign(-2) + relu(-5)", "2"),
    ],
)
def test_notation(typed, equal):
    assert float(evaluate(read(typed), {})) == pytest.approx(float(evaluate(read(equal), {})), abs=1e-12)


def test_products_of_symbols():
    values = {"w": 3, "x": 5, "n": 10, "p": 1, "d": 2, "f": 4}
    assert evaluate(read("2wx + w(x - 1)", ["w", "x"]), values) == 42
    assert evaluate(read("n + 2p - d(f-1)", ["n", "p", "d", "f"]), values) == 6
    assert evaluate(read("1/2x", ["x"]), values) == Fraction(5, 2)
    assert evaluate(read("α2 + 1", ["alpha2"]), {"alpha2": 4}) == 5


@pytest.mark.parametrize(
    ("typed", "sentence", "at"),
    [
        ("", "enter an answer", 0),
        ("   ", "enter an answer", 3),
        ("1 +", "something is missing at the end", 3),
        ("(1 + 2", "to close the parenthesis", 6),
        ("1 + 2)", r"unexpected '\)'", 5),
        ("1 2", "a number can't follow here", 2),
        ("3 * * 4", r"a number is missing before '\*'", 4),
        ("1,5", r"does 1,5 mean 1\.5\?", 1),
        ("1,500", r"does 1,500 mean 1\.500 or 1500\?", 1),
        ("0,500", r"does 0,500 mean 0\.500\?", 1),
        ("1.234,56", "with a decimal point, without commas", 5),
        ("5!", "factorials", 1),
        ("50%", "decimal number or a fraction", 2),
        ("x = 5", "unknown name 'x'", 0),
        ("5 = 5", "without an equals sign", 2),
        ("log(3)", "ln, log2 or log10", 0),
        ("sin 3", "in parentheses: sin", 4),
        ("exp(1, 2)", "exp takes one argument", 0),
        ("min(1)", "min takes 2 to 9 arguments", 0),
        ("sum(", "begins with its index", 4),
        ("sum(i, i)", "sums and indices", 0),
        ("ln(0)", "minus infinity", 0),
        ("(-8)^(1/3)", "root of a negative number", 0),
        ("1/(2-2)", "divides by zero", 0),
    ],
)
def test_an_error_names_the_problem_and_points_to_it(typed, sentence, at):
    with pytest.raises(FormatError, match=sentence) as error:
        read(typed)
    assert error.value.at == at
    caret = error.value.caret()
    if typed.strip():
        assert caret.splitlines()[-1].index("^") == at


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1" * 301, "301 characters; the limit is 300"),
        ("1+" * 80 + "1", "more than 150 numbers and signs"),
        ("(" * 30 + "1" + ")" * 30, "nested more than 25 levels deep"),
        ("-" * 40 + "1", "nested more than 25 levels deep"),
        ("√" * 40 + "1", "nested more than 25 levels deep"),
        ("2^" * 40 + "1", "nested more than 25 levels deep"),
        ("1" * 41, "at most 40 digits"),
        ("0." + "1" * 41, "at most 40 digits"),
        ("1e100", "exponents must be at most 99"),
        ("1e99999999999", "exponents must be at most 99"),
        ("2^100", "exponents must be at most 99"),
        ("2¹⁰⁰", "exponents must be at most 99"),
        ("9^9^9", "exponents must be at most 99"),
        ("((9**9)**99)**99", "too large"),
        ("10^40 * 10^40", "too large"),
        ("exp(1000)", "too large"),
        ("exp(exp(exp(9)))", "too large"),
    ],
)
def test_every_limit_has_a_message(typed, sentence):
    with pytest.raises(FormatError, match=sentence):
        read(typed)


def test_a_limit_itself_is_allowed():
    assert evaluate(read("1" * 40), {}) == int("1" * 40)
    assert evaluate(read("1" + "+1" * 74), {}) == 75
    assert evaluate(read("1.5^99"), {}) == Fraction(3, 2) ** 99
    assert evaluate(read("(" * 24 + "1" + ")" * 24), {}) == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("5е", "Cyrillic small letter ie"),
        ("５", "Fullwidth digit five"),
        ("½", "Vulgar fraction one half"),
        ("3ₓ", "Latin subscript small letter x"),
        ("2\u00a03", "No-break space"),
        ("1\u200b", "Zero width space"),
        ("∞", "Infinity"),
        ("x̂", "Combining circumflex accent"),
        ("٣", "Arabic-indic digit three"),
        ("1\u202e2", "Right-to-left override"),
        ("🙂", "Slightly smiling face"),
        ("$5", "Dollar sign"),
        ("\\frac", "Reverse solidus"),
    ],
)
def test_an_unknown_sign_is_rejected_with_its_unicode_name(typed, name):
    with pytest.raises(FormatError, match=name):
        read(typed, ["x"])


def test_similar_signs_are_never_normalized():
    assert evaluate(read("x²", ["x"]), {"x": 3}) == 9  # NFKC would turn it into x2
    assert evaluate(read("x₂", ["x2", "x"]), {"x2": 7, "x": 3}) == 7
    with pytest.raises(FormatError):
        read("ｘ", ["x"])


HOSTILE = [
    "__import__('os').system('id')",
    "().__class__",
    "[].append",
    "lambda: 0",
    "x if x else x",
    "f'{x}'",
    "x.real",
    "x := 3",
    "0x10",
    "1j",
    "inf",
    "nan",
    "1_000",
    "'a' * 9",
    "x[0]",
    "x[[1]]",
    "\x00",
    "\udcff",
    "1\n2",
    "#",
    "@x",
    "x;x",
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_code_is_rejected(typed):
    with pytest.raises(FormatError):
        read(typed, ["x"])


BOMBS = [
    "((0.99999999999999^99)^99)^99",  # the value stays near 1, but its exact fraction grows without end
    "(((1.00000000000001^99)^99)^99)^99",
    "(0.999999999999999^99)" * 12,
    "((x^99)^99)^99",
    "x" * 300,
    "x " * 149,
    "x+(" + "+".join("1" * 70) + ")",
    "max(" * 24 + "1,2" + ",2)" * 24,
    "(1/7+" * 24 + "1" + ")" * 24,
    "1/999999999999999" + "+1/999999999999998" * 15,
]


@pytest.mark.parametrize("typed", BOMBS)
def test_work_stays_bounded(typed):
    started = perf_counter()
    for symbols in ((), ("x",)):
        try:
            tree = read(typed, symbols)
            evaluate(tree, {"x": Fraction(99, 100)})
        except (FormatError, UndefinedValue):
            pass
    assert perf_counter() - started < 2  # some milliseconds; without limits, minutes


signs = st.text(alphabet=string.digits + "+-*/^()[],;.=|xe √²πσ" + "sumexplnfloormax", max_size=60)


@given(st.text(max_size=320) | signs)
@example("sum(")
@example("(" * 200)
@example("[" * 200)
@example("[1;[2")
@example("sum(i, i), 2")
def test_any_text_is_read_or_rejected(typed):
    for reader in (read, lambda t: read(t, ("x",)), read_list):
        try:
            reader(typed)
        except FormatError as error:
            assert error.sentence
            assert 0 <= error.at <= max(len(typed), error.at if not error.text else len(typed))
            assert len(error.caret().splitlines()) in (0, 2)


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("[1, 2]", [1, 2]),
        ("1, 2", [1, 2]),
        ("(1, 2)", [1, 2]),
        ("3", [3]),
        ("[3]", [3]),
        ("(1+2)*3, 1/2", [9, Fraction(1, 2)]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("1, 2; 3, 4", [[1, 2], [3, 4]]),
        ("[1, 2; 3, 4]", [[1, 2], [3, 4]]),
        ("((1, 2), (3, 4))", [[1, 2], [3, 4]]),
        ("[1, 2], [3, 4]", [[1, 2], [3, 4]]),
        ("[[5]]", [[5]]),
        ("max(1, 2), 3", [2, 3]),
    ],
)
def test_lists(typed, values):
    def values_of(trees):
        return [values_of(t) for t in trees] if isinstance(trees, list) else evaluate(trees, {})

    assert values_of(read_list(typed)) == values


def test_a_number_keeps_its_text():
    assert read("0.50") == Num(Fraction(1, 2), "0.50")
    assert read("-3") == Op("neg", (Num(Fraction(3), "3"),))
