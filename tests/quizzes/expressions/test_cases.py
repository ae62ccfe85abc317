"""Cases and Iverson brackets: errors with a caret, solving, steps in words, and drawings."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.expressions.cases import Undetermined, complement, explain, resolve
from quizzes.expressions.isolate import CannotIsolate, isolate
from quizzes.expressions.nodes import integer, substitute
from quizzes.expressions.parser import FormatError, parse, parse_with_ranges, read, split_equation, write
from quizzes.expressions.symbolic import pretty_text, solve
from quizzes.expressions.tree import evaluate


@pytest.mark.parametrize(
    ("typed", "sentence", "at"),
    [
        ("where(x, 1, 2)", "a condition is needed here, such as x > 0", 6),
        ("where(x > 0, 1)", "after the value if the condition holds", 14),
        ("where(x > 0; 1, 2)", "after the condition", 11),
        ("where(x > 0, 1, 2", "to close where", 17),
        ("where(x > 0, y > 1, 2)", "after the value if the condition holds", 15),
        ("where(x > 0 and y, 1, 2)", "a condition is needed here", 16),
        ("where(not x, 1, 2)", "a condition is needed here", 10),
        ("where(x > 0 or, 1, 2)", "a number is missing before ','", 14),
        ("where(x = = 1, 1, 2)", "a number is missing before '='", 10),
        ("where x", "write the argument of where in parentheses", 6),
        ("[x > 0", "to close the bracket", 6),
        ("[x]", "not a list; a bracket holds a condition", 0),
        ("[1, 2]", "not a list", 0),
        ("[(x > 0) + 1 > 2]", "this is a condition, not a number", 1),
        ("x + [y > (x > 1)]", "this is a condition, not a number", 9),
        ("2[x > 0]", "write \\* before the bracket", 1),
        ("x[y = 1]", "expected ']' after the index", 4),
        ("x < 3", "without a comparison", 2),
        ("x ! = 3", "factorials", 2),
        ("x @ y", "write \\* for a product", 2),
        ("argmax(x)", "argmax begins with its index|after the index of argmax", 8),
        ("sum(i = 1..3, i)", "write out every term", 0),
        ("[x > 1..2]", "to close the bracket", 6),
    ],
)
def test_an_error_names_the_problem_and_points_to_it(typed, sentence, at):
    with pytest.raises(FormatError, match=sentence) as error:
        read(typed, ("x", "y"))
    assert error.value.at == at, error.value.message_with_caret()
    assert error.value.caret().splitlines()[-1].index("^") == at


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("[x≥1]", "[x >= 1]"),
        ("[x ≠ 1 and x ≤ 2]", "[x != 1 and x <= 2]"),
        ("[x == 1]", "[x = 1]"),
        ("[0 <= x < y]", "[0 <= x and x < y]"),
        ("[not x > 1 and y > 1 or x = 0]", "[((not (x > 1)) and y > 1) or x = 0]"),
        ("where(x > 0, [y > 0], 2x)", "where(x > 0, [y > 0], 2*x)"),
    ],
)
def test_other_ways_to_write_the_same(text, same):
    assert read(text, ("x", "y")) == read(same, ("x", "y"))


def test_words_of_conditions_are_letters_elsewhere():
    assert evaluate(read("and + or", list("andor")), dict(a=2, n=3, d=5, o=7, r=11)) == 30 + 77
    assert evaluate(read("where(a > 1 and n > 1, and, 0)", list("and")), dict(a=2, n=3, d=5)) == 30


def test_an_equation_is_split_at_its_own_sign():
    assert split_equation("y[i] = [i = k]*x") == ("y[i] ", " [i = k]*x")
    assert split_equation("where(x = 1, 2, 3)") is None and split_equation("x <= 3") is None
    tree, ranges = parse_with_ranges("[i = k] for i = 1..n, k = 1..len(p)")
    assert write(tree) == "[i = k]"
    assert {index: [write(end) for end in ends] for index, ends in ranges.items()} == {
        "i": ["1", "n"],
        "k": ["1", "len(p)"],
    }
    with pytest.raises(FormatError, match="between the first and the last"):
        parse_with_ranges("[i = k] for i = 1")


TEXTS = [
    "where(x > 2, x^2, 3 - x)",
    "2*where(x <= 1, x, where(x < 4, 5 - x, 7)) + 1",
    "[x > 1]*x + 3",
    "where(x = 3, 8, x)",
    "where(x != 3 or x > 4, x, 8)",
]


@pytest.mark.parametrize("text", TEXTS)
@given(x=st.integers(-8, 8))
def test_solutions_are_those_of_trying_every_value(text, x):
    tree = parse(text)
    target = evaluate(tree, {"x": x})
    fitting = {Fraction(k, 2) for k in range(-200, 201) if evaluate(tree, {"x": Fraction(k, 2)}) == target}
    for solutions in (
        lambda: [r.low for r in isolate(tree, "x", target, {})[-1].ranges],
        lambda: solve(tree, target, "x", {}),
    ):
        try:
            roots = {Fraction(v) for v in solutions()}
        except Undetermined:
            assert len(fitting) > 50
        else:
            assert {v for v in roots if v.denominator <= 2 and abs(v) <= 100} == fitting
            assert all(float(evaluate(tree, {"x": v})) == pytest.approx(float(target)) for v in roots)


def test_the_lines_name_each_case():
    lines = [line for row in isolate(parse("where(x > 0, 2x, x - k)"), "x", 6, {"k": 7}) for line in row.render(str)]
    assert lines == [
        "where(x > 0, 2 * x, x - k) = 6",
        "where(x > 0, 2 * x, x - 7) = 6",
        "Case x > 0:",
        "2 * x = 6",
        "x = 3",
        "Case x <= 0:",
        "x - 7 = 6",
        "x = 13",
        "x = 3",
    ]


def test_what_has_no_single_inverse_says_so():
    with pytest.raises(Undetermined, match="every x with x > 2 leads to the same value"):
        isolate(parse("[x > 2]"), "x", 1, {})
    with pytest.raises(CannotIsolate):
        isolate(parse("where(x > 0, floor(x), 0)"), "x", 3, {})


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_complement_holds_where_the_condition_does_not(x, y):
    for text in ("[x < y]", "[x = y or x > 1]", "[not (x >= 1 and y != 2)]", "[-1 <= x < 2]"):
        condition = parse(text).condition
        assert evaluate(complement(condition), {"x": x, "y": y}) != evaluate(condition, {"x": x, "y": y})


def test_the_case_that_holds_is_said():
    tree = parse("where(d <= b, d^2/2, where(d < 9, b*d, 0))")
    numbers = substitute(tree, {"d": integer(3), "b": integer(2)})
    assert explain("L", tree, numbers) == ("Here d <= b does not hold (3 <= 2) and d < 9 holds (3 < 9), so L = b * d.")
    assert write(resolve(numbers)) == "2 * 3"
    assert explain("L", parse("d^2"), parse("3^2")) == "" and explain("L", tree, tree) == ""
    assert write(resolve(parse("[1 > 2]*x + [z > 2] + [3 = 3]/2"))) == "0 * x + [z > 2] + 1 / 2"


def test_cases_and_brackets_are_drawn():
    assert pretty_text("y = where(z >= 0, z, where(z > -1, a*z, 0))").splitlines() == [
        "    ⎧ z   for z ≥ 0",
        "    ⎪",
        "y = ⎨a⋅z  for z > -1",
        "    ⎪",
        "    ⎩ 0   otherwise",
    ]
    assert pretty_text("J[i, k] = p[i]*[i = k] - p[i]*p[k]") == "Jᵢₖ = pᵢ⋅[i = k] - pᵢ⋅pₖ"
    assert pretty_text("r = [C != D or not s <= 1]") == "r = [C ≠ D or not s ≤ 1]"
    assert pretty_text("y = W @ x + b") == "y = W⋅x + b"
    assert pretty_text("k = argmax(i, w[i])") == "k = argmaxᵢ(wᵢ)"
    assert pretty_text("t[i] = [i = k + 1] for i = 1..K") == "tᵢ = [i = k + 1]\nfor i = 1..K"
    assert "k = 1" in pretty_text("s = sum(k = 1..n, r^k)")
    for line in ("Case x = 3:", "5 <= n < 7", "x = [1, 2]", "z = [[1, -2], [3, 4]]"):
        assert pretty_text(line) == line
