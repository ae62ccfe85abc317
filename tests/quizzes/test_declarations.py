"""Typos in a declaration are errors that name the file, the line, the problem and the options."""

import re
from random import Random

import pytest

from quizzes import bank
from quizzes.declaration import check_pairs
from quizzes.drill import Mistake, drill, one_of
from quizzes.formula import DeclarationError, Formula
from quizzes.symbols import Int, Real

HERE = re.escape(__file__)
TIMES = dict(id="times", equations="y = a*x", title="Product", source="derivation: by definition", topic="activations")
SYMBOLS = dict(y=Real(meaning="product"), a=Real(meaning="factor"), x=Int(1, 9, "input"))


def declare_formula(**changes) -> Formula:
    arguments = {**TIMES, **SYMBOLS, **changes}
    return Formula(arguments.pop("id"), arguments.pop("equations"), **arguments)


def declare_drill(**changes):
    arguments = dict(
        formula=declare_formula(),
        asks="y",
        tier=1,
        prompt="a = {a}, x = {x}.",
        hint="Multiply.",
        mistakes=[Mistake("sum", "y = a + x", "You added."), Mistake("input", "y = x", "You left out a.")],
    )
    arguments |= changes

    def product(rng: Random):
        """Product of two numbers"""
        return dict(a=2, x=rng.randint(3, 9))

    return drill(arguments.pop("formula"), **arguments)(product)


def test_the_declarations_without_a_typo_are_accepted():
    assert declare_formula().solve(a=2, x=3)["y"] == 6
    assert declare_drill().draw(1).parts[0].part == "y"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(equations="y = a*z"), "'y = a\\*z' uses z, which is not one of its symbols: y, a, x"),
        (dict(equations="y = a*x; v = y"), r"v has no symbol. Add v=Real\(meaning=...\)"),
        (dict(equations="y = a*(x"), "close the parenthesis"),
        (dict(equations="y a*x"), "is not an equation. Write it as name = ..."),
        (dict(equations="y ="), "is not an equation"),
        (dict(equations="2 = a*x"), "is not an equation"),
        (dict(equations="y = sofmax(x)"), "sofmax"),
        (dict(a="real; factor"), r"a must be a symbol, such as a=Real\(meaning=...\)"),
        (dict(a=Real()), "a has no meaning"),
        (dict(procedure_outputs="t"), "t has no symbol"),
        (dict(equations="y[i] = a[i]*x[k]"), "uses k, which is not one of its symbols"),
    ],
)
def test_a_typo_in_a_formula(changes, problem):
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: formula times: .*{problem}"):
        declare_formula(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(asks="yy"), "it asks for 'yy', which is not a symbol of times: y, a, x"),
        (dict(asks=("y", "a")), "each must be an output: y"),
        (dict(asks=one_of("y", "b")), "it asks for 'b'"),
        (dict(prompt="{x.real} and {a}"), r"the prompt's field \{x.real\} must be a name"),
        (dict(mistakes=[Mistake("sum", "y a + x", "You added.")]), "mistake sum: 'y a \\+ x' is not an equation"),
        (
            dict(mistakes=[Mistake("sum", "z = a + x", "You added.")]),
            "mistake sum: nothing defines 'z'; times defines y",
        ),
        (dict(mistakes=[Mistake("sum", "y = a + z", "You added.")]), "mistake sum: 'z' is not a symbol of times"),
        (dict(mistakes=[Mistake("sum", "y = a +", "You added.")]), "mistake sum: .*missing"),
        (dict(mistakes=[Mistake("sum", {"Y": max}, "You added.")]), "nothing defines 'Y'; times defines y"),
    ],
)
def test_a_typo_in_a_drill(changes, problem):
    with pytest.raises(DeclarationError, match=rf"(?s){HERE}:\d+: drill product: .*{problem}"):
        declare_drill(**changes)


def test_a_field_of_the_prompt_that_nothing_gives():
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: drill product: the prompt's field 'nope' is not one of"):
        declare_drill(prompt="{nope}").draw(1)


def test_a_misspelled_argument_or_kind_is_pythons_own_error():
    with pytest.raises(TypeError, match="hnit"):
        declare_drill(hnit="Multiply.")
    with pytest.raises(TypeError, match="uint"):
        Int(1, 9, "input", uint="px")
    with pytest.raises(ImportError, match="Itn"):
        from quizzes.symbols import Itn  # noqa: F401


def test_a_drill_without_a_check_and_a_check_without_a_drill(tmp_path):
    drills = [bank.get_drill("iou")]
    check_pairs(tmp_path / "checks.py", drills)
    with pytest.raises(
        DeclarationError, match=rf"{HERE}:\d+: drill product: it has no check; define a function product"
    ):
        check_pairs(tmp_path / "checks.py", [declare_drill()])
    two = bank.get_drill("conv-out-size")  # the other checks of its module lack their drills here
    with pytest.raises(
        DeclarationError, match="same_padding is not the check of a drill; the drills are conv_out_size"
    ):
        check_pairs(tmp_path / "checks.py", [two])
