"""Hints by degrees: each drill has the idea, the formula and the first step, and none of them gives an answer."""

import json
import re

import pytest

from quizzes import bank
from quizzes.answers import KINDS
from quizzes.drill import Mistake, one_of
from quizzes.formula import DeclarationError
from quizzes.question import Question
from tests.quizzes.test_declarations import HERE, declare_drill, declare_formula

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
DRILLS = list(bank.all_drills())


def values(text: str) -> set[float]:
    """Return the numbers of a text without those that count elements, as in z[1]."""
    return {float(number) for number in NUMBER.findall(re.sub(r"\w\[[\d, ]+\]", "", text))}


def answer_numbers(answer: object) -> set[float]:
    if isinstance(answer, list):
        return set().union(*map(answer_numbers, answer))
    return {abs(float(answer))} if isinstance(answer, int | float) else set()


def sizes(value: object) -> set[float]:
    """Return the lengths of lists, which a hint may divide by."""
    return {float(len(value))}.union(*map(sizes, value)) if isinstance(value, list) else set()


def question_values(question: Question) -> tuple[str, set[float]]:
    """Return the text of all that the question and the drill's declaration give, and its numbers."""
    drill = bank.get_drill(question.drill)
    text = "\n".join([question.prompt, *question.equations, *drill.author_hints])
    return text, values(text.replace("x", " ").replace("[", " ").replace("]", " ")).union(
        *map(sizes, question.params.values())
    )


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 101), marks=pytest.mark.full)], ids=["few", "many"])
def test_every_drill_has_three_hints_without_an_answer(seeds):
    problems = []
    for id in DRILLS:
        for seed in seeds:
            question = bank.draw(id, seed)
            if len(question.hints) != 3 or len(set(question.hints)) != 3:
                problems.append(f"{id}, seed {seed}: {len(question.hints)} hints")
            text, numbers = question_values(question)
            for part in question.parts:
                whole = KINDS[part.kind].format_answer(part.answer, part)
                for hint in question.hints:
                    revealed = answer_numbers(part.answer) & (values(hint) - numbers)
                    if revealed or (len(whole) > 2 and whole in hint and whole not in text):
                        problems.append(f"{id}, seed {seed}: {hint!r} gives {part.part} = {part.answer}")
    assert not problems, "\n".join(problems[:20])


def test_the_three_degrees_of_an_output():
    question = declare_drill().draw(1)
    x = question.params["x"]
    assert question.hints == ["Multiply.", "Use this formula:\n  y = a*x", f"First step, product:\n  y = 2 * {x}"]
    assert question.hint == "Multiply."


def test_an_unknown_input_is_solved_for():
    question = declare_drill(asks=one_of("x"), prompt="a = {a}, y = {y}.").draw(1)
    y, x = question.params["y"], question.parts[0].answer
    assert y == 2 * x
    assert question.hints[2] == f"Put in the given values, then solve for x:\n  {y:g} = 2 * x"


def test_equations_that_lead_to_no_part_are_left_out():
    formula = declare_formula(equations="u = a + x; y = a*x", u=declare_formula().symbols["y"])
    question = declare_drill(formula=formula).draw(1)
    assert question.hints[1] == "Use this formula:\n  y = a*x"
    assert question.hints[2].startswith("First step, product:\n  y = 2 * ")


def test_a_first_step_that_contains_the_answer_names_the_quantity_alone():
    formula = declare_formula(equations="y = a*x + 0*7")
    mistakes = [Mistake("sum", "y = a + x", "You added."), Mistake("zero", "y = 0", "You multiplied by 0.")]
    question = declare_drill(formula=formula, mistakes=mistakes).draw(1)
    assert question.hints[2].splitlines()[0] == "First step, product:"
    own = declare_drill(hints=("Multiply.", "y is a times x."), hint="").draw(1)
    assert own.hints[:2] == ["Multiply.", "y is a times x."] and len(own.hints) == 3


def test_author_hints_replace_those_that_are_made():
    hints = ("Multiply.", "The product.", "Take a first.")
    assert declare_drill(hints=hints, hint="").draw(1).hints == list(hints)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(hint=""), "it needs either a hint or hints"),
        (dict(hints=("Multiply.",)), "it needs either a hint or hints"),
        (dict(hint="", hints="Multiply."), "hints must be a tuple of texts, not 'Multiply.'"),
        (dict(hint="", hints=3), "hints must be a tuple of texts, not 3"),
        (dict(hint="", hints=("a", "b", "c", "d")), "hints must have at most 3 texts, not 4"),
        (dict(hint="", hints=("a", " ")), "hint must not be empty"),
        (dict(hint="", hints=("a", None)), "hint must be a text in double quotes"),
        (dict(hint=7), "hint must be a text in double quotes"),
    ],
)
def test_wrong_hints_are_an_error_of_the_declaration(changes, problem):
    place = HERE.replace("test_hints", "test_declarations")
    with pytest.raises(DeclarationError, match=rf"{place}:\d+: drill product: {problem}"):
        declare_drill(**changes)


def test_a_question_that_was_stored_with_one_hint_has_it():
    text = bank.draw("iou", 3).to_json()
    assert json.loads(text)["hint"] == json.loads(text)["hints"][0]
    old = {key: value for key, value in json.loads(text).items() if key != "hints"}
    assert Question.from_json(json.dumps(old)).hints == [old["hint"]]
    card = next(iter(bank.all_cards().values())).draw(1)
    assert card.hints == [] and json.loads(card.to_json())["hint"] == ""
