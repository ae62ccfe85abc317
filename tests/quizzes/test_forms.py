"""The forms of an expression, against SymPy's expand, factor and together; values are compared elsewhere."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from quizzes.answers import KINDS
from quizzes.answers.forms import form_problem, has_form
from quizzes.expressions.parser import parse, read
from quizzes.marking import mark
from quizzes.question import Part, Question

SYMBOLS = ("x", "y", "a", "b")


def tree(text):
    return parse(str(text), SYMBOLS)


@pytest.mark.parametrize(
    ("text", "form", "expected", "outcome"),
    [
        ("x*(a + b)", "factored", "x*(a + b)", True),
        ("-(a + b)*x", "factored", "x*(a + b)", True),
        ("x*a + x*b", "factored", "x*(a + b)", False),
        ("x^2*(1 - y)", "factored", "x*x*(1 - y)", True),
        ("x*(y - y^2)", "factored", "x*y*(1 - y)", False),
        ("2*a/(x*y)", "factored", "2*a/x/y", True),
        ("(a + b)^2", "factored", "(a + b)*(a + b)", True),
        ("a^2 + 2*a*b + b^2", "factored", "(a + b)^2", False),
        ("6*x - 11", "expanded", "6*x - 11", True),
        ("2*(3*x - 4) - 3", "expanded", "6*x - 11", False),
        ("-(11 - 6*x)", "expanded", "6*x - 11", False),
        ("a - (b + x)", "expanded", "a - b - x", False),
        ("(a + b)^2", "expanded", "a^2", False),
        ("(a + b)/2", "expanded", "a/2 + b/2", False),
        ("x/(1 + y) + 2*a", "expanded", "1", True),
        ("3*tanh(2*(x + y))", "expanded", "1", True),  # inside a function no form is required
        ("(a*b + x)/b", "single fraction", "1", True),
        ("a + x/b", "single fraction", "1", False),
        ("a/b/x", "single fraction", "1", False),
        ("(a/b)*(x/y)", "single fraction", "1", False),
        ("a/(b + x/y)", "single fraction", "1", False),
        ("a*b^-1", "single fraction", "1", True),
        ("a + b^-1", "single fraction", "1", False),
        ("1/2*a/b", "single fraction", "1", True),
        ("x + 1/2", "single fraction", "1", False),
        ("sigmoid(a/b)/x", "single fraction", "1", True),
        ("1/(1 + exp(-x))", "without exp", "1", False),
        ("1/(1 + e^-x)", "without exp", "1", False),
        ("e^2*x", "without exp", "1", True),
        ("sigmoid(x)", "without exp, ln", "1", True),
        ("max(x, 0)", "without functions", "1", False),
        ("2*x - 1", "without functions", "1", True),
        ("a*(1 - b)", "in terms of a, b", "1", True),
        ("a*(1 - x)", "in terms of a, b", "1", False),
        ("pi*a", "in terms of a, b", "1", True),
    ],
)
def test_form(text, form, expected, outcome):
    assert not form_problem(form)
    assert has_form(tree(text), form, tree(expected)) == outcome


terms = st.builds("{}*{}^{}*{}^{}".format, st.integers(1, 9), st.sampled_from("xy"), st.integers(1, 3),
                  st.sampled_from("ab"), st.integers(1, 2))  # fmt: skip
sums = st.lists(terms, min_size=2, max_size=3).map(" + ".join)
polynomials = st.lists(sums, min_size=1, max_size=3).map(lambda factors: "*".join(f"({factor})" for factor in factors))


@given(polynomials)
def test_forms_agree_with_sympy(text):
    expression = sympy.parse_expr(text.replace("^", "**"))
    expanded, factored = sympy.expand(expression), sympy.factor(expression)
    assert has_form(tree(expanded), "expanded", tree(expanded))
    assert has_form(tree(factored), "factored", tree(factored))
    if isinstance(factored, sympy.Mul) and any(factor.is_Add for factor in factored.args):
        assert not has_form(tree(factored), "expanded", tree(expanded))
        assert not has_form(tree(expanded), "factored", tree(factored))


@given(sums, sums, sums)
def test_a_sum_with_a_fraction_is_a_single_fraction_once_it_has_a_common_denominator(one, two, three):
    assert not has_form(tree(f"({one})/({two}) + ({three})"), "single fraction", tree("1"))
    assert has_form(tree(f"({one} + ({three})*({two}))/({two})"), "single fraction", tree("1"))


def question(answer, form, **fields):
    part = Part("f", "expression", "f", answer, variables={"x": [1, 3], "a": [1, 3]}, form=form, **fields)
    return Question("d", 1, "t", 1, "", "", {}, [part])


@pytest.mark.parametrize(
    ("typed", "form", "outcome", "advice"),
    [
        ("(x + a)*x", "factored", "right", ""),
        ("x^2 + a*x", "factored", "partly", "Correct value, but in another form: factor it."),
        ("x^2 + a", "factored", "wrong", ""),
        ("x^2 + a*x", "expanded", "right", ""),
        ("x*(x + a)", "expanded", "partly", "expand it."),
        ("x*(x + a)", "without functions", "right", ""),
        ("x*(x + abs(a))", "without abs", "partly", "write it without abs."),
    ],
)
def test_a_correct_value_in_another_form_is_partially_correct(typed, form, outcome, advice):
    result = mark(question("x*(x + a)", [form]), {"f": typed})
    assert result.mark == outcome and advice in result.feedback
    assert result.score == {"right": 1, "partly": 0.5, "wrong": 0}[outcome]


def test_defined_symbols_and_their_definitions_are_the_same_value():
    derivative = question("a*p*(1 - p)", ["in terms of p, a", "factored"], definitions={"p": "sigmoid(x)"})
    assert KINDS["expression"].format_hint(derivative.parts[0]) == "an expression in terms of p, a, factored"
    assert mark(derivative, {"f": "p*(1 - p)*a"}).mark == "right"
    by_value = mark(derivative, {"f": "a*sigmoid(x)*(1 - p)"})
    assert by_value.mark == "partly" and "write it in terms of p, a" in by_value.feedback
    assert "factor it" in mark(derivative, {"f": "a*p - a*p^2"}).feedback
    assert mark(derivative, {"f": "a*p*(1 + p)"}).mark == "wrong"
    assert mark(derivative, {"f": "q"}).mark == "not_understood"


@pytest.mark.parametrize("form", ["facored", "without expp", "with ln", ""])
def test_an_unknown_form_is_named_with_the_known_ones(form):
    assert "the forms are factored, expanded, single fraction" in form_problem(form)


@given(st.text(alphabet="xab+-*/^() 12", max_size=25))
def test_any_expression_has_a_form_or_not(text):
    try:
        expression = read(text, SYMBOLS)
    except ValueError:
        return
    for form in ("factored", "expanded", "single fraction", "without functions", "in terms of x"):
        assert has_form(expression, form, parse("x*(a + b)")) in (True, False)
