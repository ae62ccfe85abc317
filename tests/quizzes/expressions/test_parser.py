"""Reading: what a text means, against arithmetic worked out on the tree it was written from; and what is refused."""

import string
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quizzes.expressions.parser import FormatError, parse, read, read_list, write
from quizzes.expressions.tree import Num, Op, UndefinedValue, evaluate

# An arithmetic tree of this test's own: a number, ("neg", a), or (operation, a, b).
leaves = st.integers(0, 12).map(str) | st.decimals("0.1", "9.9", places=1).map(str)
trees = st.recursive(
    leaves,
    lambda inside: st.tuples(st.just("neg"), inside) | st.tuples(st.sampled_from("+-*/"), inside, inside),
    max_leaves=8,
)
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


def value(tree) -> Fraction:
    """The value, worked out by Python's fractions."""
    if isinstance(tree, str):
        return Fraction(tree)
    if tree[0] == "neg":
        return -value(tree[1])
    a, b = value(tree[1]), value(tree[2])
    return a + b if tree[0] == "+" else a - b if tree[0] == "-" else a * b if tree[0] == "*" else a / b


def text(tree, above: float = 0) -> str:
    """The tree with as few brackets as the rules of arithmetic allow: products before sums, from the left."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "neg":
        line, own = "-" + text(tree[1], 3), 3
    else:
        own = BINDS[tree[0]]
        line = f"{text(tree[1], own)} {tree[0]} {text(tree[2], own + 0.5)}"
    return f"({line})" if own < above else line


@given(trees)
def test_arithmetic_means_what_it_means_in_python(tree):
    try:
        wanted = value(tree)
    except ZeroDivisionError:
        with pytest.raises(FormatError, match="divides by zero"):
            read(text(tree))
        return
    assert evaluate(read(text(tree)), {}) == wanted
    assert eval(text(tree)) == pytest.approx(float(wanted), rel=1e-9, abs=1e-9)  # and to what Python makes of the text


@given(trees)
def test_what_is_written_reads_back_as_the_same_tree(tree):
    first = parse(text(tree))
    assert parse(write(first)) == first


@pytest.mark.parametrize(
    ("typed", "same"),
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
def test_notation(typed, same):
    got, wanted = evaluate(read(typed), {}), evaluate(read(same), {})
    assert abs(float(got) - float(wanted)) < 1e-12


def test_symbols_multiply_and_keep_their_order():
    values = {"w": 3, "x": 5, "n": 10, "p": 1, "d": 2, "f": 4}
    assert evaluate(read("2wx + w(x - 1)", ["w", "x"]), values) == 42
    assert evaluate(read("n + 2p - d(f-1)", ["n", "p", "d", "f"]), values) == 6
    assert evaluate(read("1/2x", ["x"]), values) == Fraction(5, 2)
    assert evaluate(read("α2 + 1", ["alpha2"]), {"alpha2": 4}) == 5


@pytest.mark.parametrize(
    ("typed", "sentence", "at"),
    [
        ("", "there is no answer", 0),
        ("   ", "there is no answer", 3),
        ("1 +", "something is missing at the end", 3),
        ("(1 + 2", "to close the bracket", 6),
        ("1 + 2)", r"what to do with '\)'", 5),
        ("1 2", "a number can't follow directly", 2),
        ("3 * * 4", r"a number is missing before '\*'", 4),
        ("1,5", r"is 1,5 meant as 1\.5\?", 1),
        ("1,500", r"is 1,500 meant as 1\.500 or as 1500\?", 1),
        ("0,500", r"is 0,500 meant as 0\.500\?", 1),
        ("1.234,56", "with a point and without a comma", 5),
        ("5!", "factorials", 1),
        ("50%", "a share of one", 2),
        ("x = 5", "I don't know 'x'", 0),
        ("5 = 5", "without an equals sign", 2),
        ("log(3)", "ln, log2 or log10", 0),
        ("sin 3", "in brackets: sin", 4),
        ("exp(1, 2)", "exp takes one value", 0),
        ("min(1)", "min takes 2 or more values", 0),
        ("sum(", "starts with the name of its index", 4),
        ("sum(i, i)", "nothing to sum", 0),
        ("ln(0)", "minus infinity", 0),
        ("(-8)^(1/3)", "root of a negative number", 0),
        ("1/(2-2)", "divides by zero", 0),
    ],
)
def test_a_refusal_says_what_and_points_there(typed, sentence, at):
    with pytest.raises(FormatError, match=sentence) as refused:
        read(typed)
    assert refused.value.at == at
    caret = refused.value.caret()
    if typed.strip():
        assert caret.splitlines()[-1].index("^") == at


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1" * 301, "301 characters: up to 300"),
        ("1+" * 80 + "1", "more than 150 numbers and signs"),
        ("(" * 30 + "1" + ")" * 30, "nested more than 25 deep"),
        ("-" * 40 + "1", "nested more than 25 deep"),
        ("√" * 40 + "1", "nested more than 25 deep"),
        ("2^" * 40 + "1", "nested more than 25 deep"),
        ("1234567890123456", "up to 15 digits"),
        ("0.1234567890123456", "up to 15 digits"),
        ("1e100", "exponents up to 99"),
        ("1e99999999999", "exponents up to 99"),
        ("2^100", "exponents up to 99"),
        ("2¹⁰⁰", "exponents up to 99"),
        ("9^9^9", "exponents up to 99"),
        ("((9**9)**99)**99", "too large"),
        ("10^40 * 10^40", "too large"),
        ("exp(1000)", "too large"),
        ("exp(exp(exp(9)))", "too large"),
    ],
)
def test_every_cap_has_its_sentence(typed, sentence):
    with pytest.raises(FormatError, match=sentence):
        read(typed)


def test_a_cap_lets_its_last_value_pass():
    assert evaluate(read("1" * 15), {}) == int("1" * 15)
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
def test_a_sign_that_is_not_in_the_table_is_refused_by_its_unicode_name(typed, name):
    with pytest.raises(FormatError, match=name):
        read(typed, ["x"])


def test_look_alikes_are_never_normalised():
    assert evaluate(read("x²", ["x"]), {"x": 3}) == 9  # and not 2*x, which NFKC would make of it
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
def test_code_is_refused(typed):
    with pytest.raises(FormatError):
        read(typed, ["x"])


BOMBS = [
    "((0.99999999999999^99)^99)^99",  # near 1 its value stays small while its exact fraction grows without end
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
    assert perf_counter() - started < 2  # of some milliseconds; without bounds, minutes


signs = st.text(alphabet=string.digits + "+-*/^()[],;.=|xe √²πσ" + "sumexplnfloormax", max_size=60)


@given(st.text(max_size=320) | signs)
@example("sum(")
@example("(" * 200)
@example("[" * 200)
@example("[1;[2")
@example("sum(i, i), 2")
def test_any_text_is_read_or_refused(typed):
    for reader in (read, lambda t: read(t, ("x",)), read_list):
        try:
            reader(typed)
        except FormatError as refused:
            assert refused.sentence
            assert 0 <= refused.at <= max(len(typed), refused.at if not refused.text else len(typed))
            assert len(refused.caret().splitlines()) in (0, 2)


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
    def worked_out(trees):
        return [worked_out(t) for t in trees] if isinstance(trees, list) else evaluate(trees, {})

    assert worked_out(read_list(typed)) == values


def test_a_number_keeps_how_it_was_typed():
    assert read("0.50") == Num(Fraction(1, 2), "0.50")
    assert read("-3") == Op("neg", (Num(Fraction(3), "3"),))
