"""Formulas with cases, brackets, matrix products and bounded indices: values, inverses, steps, checks and grading."""

from dataclasses import replace
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from quizzes import bank
from quizzes.answers.expressions import equal, one_sided
from quizzes.drill import drill
from quizzes.expressions.parser import parse
from quizzes.formula import DeclarationError, Equation, Formula, equation
from quizzes.formulas import get
from quizzes.marking import mark
from quizzes.solution import worked_steps
from quizzes.symbols import Int, Matrix, Real, Vector
from quizzes.verification import compare_values, evaluate_with_sympy
from workbench.errors import UserError

X, Y = Real(-50, 50, meaning="input"), Real(meaning="output")


def formula(text: str, **symbols) -> Formula:
    return Formula("test-formula", text, title="Test", source="derivation: none", topic="activations", **symbols)


def steps_of(formula: Formula, **inputs):
    """Return the worked steps of a formula at some inputs."""
    values = formula.evaluate(formula.complete(inputs))
    return worked_steps(SimpleNamespace(formula=formula, steps=None, decimals=4), values, None)


def test_each_solution_is_in_its_case():
    leaky = formula("y = where(x > 0, x, a*x)", x=X, a=Real(0, 1, meaning="slope", default=0.1), y=Y)
    assert leaky.solutions("x", {"y": 4}) == [4] and leaky.solutions("x", {"y": -1}) == [-10]
    folded = formula("y = where(x > 1, x^2, where(x >= -1, 1, -x))", x=X, y=Y)
    assert folded.solutions("x", {"y": 9}) == [-9, 3]
    with pytest.raises(UserError, match=r"can't be solved for x: every x with .* leads to the same value"):
        folded.solutions("x", {"y": 1})
    step = formula("y = [x > 2]", x=X, y=Y)
    with pytest.raises(UserError, match="every x with x > 2 leads to the same value"):
        step.solutions("x", {"y": 1})
    quadratic = formula("y = where(x > 0, x^2 + x, x)", x=X, y=Y)  # which only SymPy can solve
    assert quadratic.solutions("x", {"y": 6}) == [2] and quadratic.solutions("x", {"y": -6}) == [-6]
    integer = formula("y = [x >= 3]", x=Int(0, 5, "input"), y=Y)  # tries every integer
    assert integer.solutions("x", {"y": 1}) == [3, 4, 5]


def test_the_huber_loss_is_solved_below_and_above_its_threshold():
    huber = get("huber-smooth-l1")
    assert huber.solutions("d", {"beta": 2, "huber": 0.5, "smooth": 0.25}) == [-1, 1]
    assert huber.solutions("d", {"beta": 2, "huber": 8, "smooth": 4}) == [-5, 5]


def test_an_equation_may_say_how_far_its_indices_run():
    one_hot = get("one-hot")
    assert one_hot.solve(K=4, k=2) == {"t": [0, 0, 1, 0]}
    identity = formula("J[i, k] = [i = k] for i = 1..n, k = 1..n + 1", n=Int(1, 5, "size"), J=Matrix(meaning="matrix"))
    assert identity.solve(n=2) == {"J": [[1, 0, 0], [0, 1, 0]]}
    assert identity.solutions("n", {"J": [[1, 0, 0], [0, 1, 0]]}) == [2]
    for text, problem in (
        ("y = [i = 1] for i = 1..3", "must be an index on the left-hand side"),
        ("y[i] = [i = 1] for i = 2..3", "run from 1"),
        ("y[i] = [i = 1] for i = 1..size", "uses size"),
    ):
        with pytest.raises(DeclarationError, match=problem):
            formula(text, n=X, y=Vector(meaning="vector"))


def test_whole_arrays_are_multiplied_and_added():
    dense = formula(
        "z = W @ x + b; h[i] = relu(z[i]); k = argmax(h); m = argmax(i, -h[i])",
        W=Matrix(meaning="weights"),
        x=Vector(meaning="inputs"),
        b=Vector(meaning="biases"),
        z=Vector(meaning="pre-activations"),
        h=Vector(meaning="outputs"),
        k=Int(meaning="largest output"),
        m=Int(meaning="smallest output"),
    )
    inputs = dict(W=[[1, -2], [3, 0.5], [0, 1]], x=[2, 4], b=[1, 0, -0.25])
    results = dense.solve(**inputs)
    expected = np.array(inputs["W"]) @ inputs["x"] + inputs["b"]
    assert [float(v) for v in results["z"]] == expected.tolist() == [-5, 8, 3.75]
    assert (results["k"], results["m"]) == (2, 1)
    steps = steps_of(dense, **inputs)
    assert steps[0].math[1] == "z = [[1, -2], [3, 0.5], [0, 1]] @ [2, 4] + [1, 0, -0.25]"
    assert steps[2].math[1:] == ["k = argmax([0, 8, 3.75])", "k = 2"]
    assert steps[3].math[1] == "m = argmax([-0, -8, -3.75])"
    with pytest.raises(UserError, match="are 2 and 3, and must be equal"):
        dense.solve(**{**inputs, "x": [1, 2, 3]})


def test_the_steps_say_which_case_holds():
    leaky = formula("y = where(x > 0, x, a*x)", x=X, a=Real(0, 1, meaning="slope", default=0.1), y=Y)
    (step,) = steps_of(leaky, x=-3)
    assert step.text == "output. Here x > 0 does not hold (-3 > 0), so y = a * x."
    assert step.math == ["y = where(x > 0, x, a*x)", "y = 0.1 * -3", "y = -0.3"]
    masked = formula("g = d*[x > 0]", x=X, d=X, g=Y)
    (step,) = steps_of(masked, x=-3, d=7)
    assert step.text == "output" and step.math[1:] == ["g = 7 * [-3 > 0]", "g = 7 * 0", "g = 0"]
    question = bank.draw("activation-derivs:value", 1)
    assert any("does not hold" in step.text or " holds" in step.text for step in question.steps)


@pytest.mark.parametrize(
    "id",
    ["activation-values", "roc-auc-rank", "softmax-ce-grad:jacobian", "huber-smoothl1", "one-hot", "bagging-ensemble"],
)
def test_sympy_confirms_questions_with_cases(id):
    for seed in range(1, 9):
        question = bank.draw(id, seed)
        texts, agree = compare_values(question, evaluate_with_sympy(question))
        assert agree, (seed, texts)


def question_of(answer: str, variables):
    """Return a question that asks for an expression."""
    question = bank.draw("activation-derivs", 1)
    (part,) = question.parts
    return replace(question, parts=[replace(part, answer=answer, variables=variables)], mistakes=[])


@pytest.mark.parametrize(
    ("answer", "typed", "result"),
    [
        ("max(x, 0)", "where(x > 0, x, 0)", "right"),
        ("max(x, 0)", "x*[x > 0]", "right"),
        ("max(x, 0)", "x*[x >= 0]", "right"),
        ("where(x > 1, x^2, 2x - 1)", "where(not (x <= 1), x*x, x + x - 1)", "right"),
        ("where(x > 1, x^2, 2x - 1)", "x^2", "wrong"),
        ("where(x > 1, x^2, 2x - 1)", "where(x > 1.001, x^2, 2x - 1) + [1 < x < 1.001]", "wrong"),
        ("abs(x)", "where(x < 0, -x, x)", "right"),
        ("sign(x)", "[x > 0] - [x < 0]", "right"),
        ("x", "x + [x > 2.999]", "wrong"),
        ("x", "x > 0", "not_understood"),
        ("x", "[1, 2]", "not_understood"),
        ("x", "sum(i = 1..9, x)", "not_understood"),
        ("where(x > 0, 1/x, 0)", "where(x > 0, x^(-1), 0)", "right"),
    ],
)
def test_an_answer_with_cases_is_graded_by_its_values(answer, typed, result):
    name = "dL" if "dL" in answer else bank.draw("activation-derivs", 1).parts[0].part
    assert mark(question_of(answer, {"x": [-3, 3]}), {name: typed}).mark == result


def test_a_condition_that_never_changes_in_the_domain_is_named():
    assert one_sided("where(x > 5, x^2, x) + [x > 0]", {"x": [-3, 3]}) == ["x > 5"]
    assert not equal(parse("where(x > 0, x, where(x > -1, 0, 1))"), "max(x, 0)", {"x": [-3, 3]})


def test_drills_may_have_mistakes_with_cases():
    def values(rng: Random):
        """Leaky ReLU"""
        return dict(x=rng.randint(-9, -1), a=0.5)

    leaky = formula("y = where(x > 0, x, a*x)", x=X, a=Real(0, 1, meaning="slope"), y=Y)
    from quizzes.declaration import Mistake

    declared = drill(
        leaky,
        tier=1,
        asks="y",
        prompt="x = {x}, a = {a}",
        hint="Which case holds?",
        mistakes=[
            Mistake("no-slope", "y = where(x > 0, x, 0)", "You returned 0."),
            Mistake("identity", "y = where(x > 0 or x <= 0, x, a*x)", "You returned x."),
        ],
    )(values)
    question = declared.draw(3)
    assert {m.mistake: m.answer for m in question.mistakes} == {"no-slope": 0, "identity": question.params["x"]}


def test_an_equation_is_still_one_line_of_text():
    eq = equation("t[j] = [j = k + 1] for j = 1..K")
    assert isinstance(eq, Equation) and eq.index == ("j",) and eq.used_names == {"k", "K"}
    assert equation(eq.text) == eq and eq.evaluator({"j": 2, "k": 1}) == 1
