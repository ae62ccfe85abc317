"""Choices supported by numbers, derived expressions, orders, chains: how they are declared, drawn and graded."""

import json
import re
from dataclasses import replace
from random import Random

import pytest

from quizzes import bank
from quizzes.answer_symbols import Choice, Choices, Line, LineNumber, Match, Order
from quizzes.answers import KINDS
from quizzes.chain import Chain, link
from quizzes.content.cnn.convolution.formulas import CONV_MACS, CONV_OUT_SIZE, SMALL_CNN
from quizzes.derivation import Derivation, fold
from quizzes.drill import Mistake, derive, drill
from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import DeclarationError, Formula
from quizzes.marking import mark
from quizzes.question import Mistake as QuestionMistake
from quizzes.question import Part, Question
from quizzes.selftest import answer_texts
from quizzes.symbols import Expression, Int, Real, Vector
from quizzes.verification import compare_values
from workbench.errors import UserError

NEW = [
    "unscale-coefficients", "backprop-expression", "discarded-relu", "autograd-dag:order", "grad-accumulate:printout",
    "normal-or-gd", "small-cnn-audit", "gradient-norm-profile",
]  # fmt: skip


# A choice that a number supports ----------------------------------------------------------------------------------


def choice_question(**fields):
    parts = [
        Part("cheaper", "choice", "", "b", choices=["plain", "fast"], choice_values=[1, 2], supported_by=["cost"]),
        Part("cost", "integer", "", 12),
    ]
    mistakes = [QuestionMistake("always-plain", "cheaper", "a", "Compare.")]
    return Question("d", 1, "t", 1, "", "", {}, parts, mistakes, **fields)


@pytest.mark.parametrize(
    ("choice", "cost", "outcome", "score", "marks"),
    [
        ("b", "12", "right", 1, ["right", "right"]),
        ("fast", "12", "right", 1, ["right", "right"]),
        ("b", "13", "wrong", 0, ["partly", "wrong"]),  # a guess earns nothing
        ("a", "12", "partly", 0.5, ["wrong", "right"]),
        ("a", "13", "wrong", 0, ["wrong", "wrong"]),
    ],
)
def test_a_choice_earns_credit_only_with_its_number(choice, cost, outcome, score, marks):
    result = mark(choice_question(), {"cheaper": choice, "cost": cost})
    assert (result.mark, result.score, [part.mark for part in result.parts]) == (outcome, score, marks)
    if marks[0] == "partly":
        assert "The choice is correct, but cost doesn't support it" in result.parts[0].feedback
    assert (result.parts[0].mistake == "always-plain") == (choice == "a")


def test_a_choice_follows_from_own_values_but_earns_nothing_without_the_correct_ones():
    question = bank.draw("normal-or-gd", 3)
    expected = answer_texts(question)
    correct = question.expected["cheaper"]
    choices = {value: letter for letter, value in zip("ab", question.parts[2].choice_values, strict=True)}
    own = {**expected, "c_gd": str(10 * question.expected["c_ne"] if correct == 2 else 7)}  # the other one is cheaper
    result = {part.part: part for part in mark(question, {**own, "cheaper": choices[3 - correct]}).parts}
    assert result["cheaper"].score == 0 and "follows from your own value" in result["cheaper"].feedback
    result = {part.part: part for part in mark(question, {**own, "cheaper": choices[correct]}).parts}
    assert result["cheaper"].score == 0 and "The choice is correct, but c_gd doesn't" in result["cheaper"].feedback


def test_the_number_of_a_choice_is_never_trivial():
    question = Question(
        "d", 1, "t", 1, "", "", {"x": 3},
        [Part("k", "choice", "", "b", choices=["p", "q"], choice_values=[1, 2]), Part("y", "integer", "", 6)],
        equations=["k = 2", "y = k*x"], expected={"k": 2, "y": 6},
    )  # fmt: skip
    assert [part.mark for part in mark(question, {"k": "a", "y": "3"}).parts] == ["wrong", "right"]
    assert [part.mark for part in mark(question, {"k": "a", "y": "9"}).parts] == ["wrong", "wrong"]


# All new drills ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", NEW)
def test_questions_are_the_same_after_json_and_hide_what_they_ask_for(id, cli):
    for seed in range(1, 6):
        question = bank.draw(id, seed)
        stored = Question.from_json(question.to_json())
        assert stored == question and mark(stored, answer_texts(question)).mark == "right"
        printed = json.loads(cli("drill", "show", id, "--seed", seed, "--json").out)
        assert not {part["part"] for part in printed["parts"]} & printed["params"].keys()
        assert not {"before", "answer", "signatures", "choice_values"} & {
            key for part in printed["parts"] for key in part
        }
        if question.visualization:
            assert printed["visualization"]["kind"] == question.visualization.kind.partition(" ")[0].strip(":")


@pytest.mark.parametrize("id", NEW)
def test_printed_answers_and_mistakes_are_recognized_when_they_come_back(id, cli):
    for seed in range(1, 9):
        printed = json.loads(cli("drill", "show", id, "--seed", seed, "--solution", "--json").out)
        result = cli("drill", "answer", id, "--seed", seed, *printed["answers"].values(), "--json")
        assert result.code == 0 and json.loads(result.out)["score"] == 1
        mistake = printed["mistakes"][seed % len(printed["mistakes"])]
        answers = {**printed["answers"], mistake["part"]: mistake["answer"]}
        parts = json.loads(cli("drill", "answer", id, "--seed", seed, *answers.values(), "--json").out)["parts"]
        assert next(p["mistake"] for p in parts if p["part"] == mistake["part"]) == mistake["mistake"]


def test_choices_are_shuffled_and_each_answer_is_correct_for_some_seeds():
    letters, causes = set(), set()
    for seed in range(40):
        part = bank.draw("grad-accumulate:printout", seed).parts[0]
        letters.add(part.answer)
        causes.add(part.choices["abcd".index(part.answer)])
    assert letters == set("abcd") and len(causes) == 2


def test_an_order_of_which_the_mistake_is_recognized_in_every_arrangement():
    question = bank.draw("autograd-dag:order", 2)
    steps = question.parts[0]
    letter = dict(zip(steps.choice_values, "abcdefghi", strict=True))
    texts = answer_texts(question)

    def graded(*names):
        return mark(question, {**texts, "steps": ", ".join(letter[name] for name in names)}).parts[0]

    assert graded("dy", "outer", "dh", "dz", "inner", "dw").mark == "right"
    assert graded("dy", "dh", "dz", "inner", "outer", "dw").mark == "right"
    assert graded("dy", "dh", "outer", "dz", "inner", "dw").mark == "right"
    assert graded("dy", "outer", "dh", "inner", "dz", "dw").mark == "partly"
    for names in (("dy", "dh", "dz", "inner", "overwritten"),):
        assert graded(*names).mistake == "inner-use-only"
    for names in (("reversed", "outer", "dh", "dz", "inner", "dw"), ("reversed", "dh", "dz", "outer", "inner", "dw")):
        assert graded(*names).mistake == "sign-reversed"
    other = {**{part.part: part.answer for part in question.parts}, "steps": ["dy", "dh", "dz", "inner", "outer", "dw"]}
    assert compare_values(question, {"steps": other["steps"], "dw": question.expected["dw"]})[1]
    assert not compare_values(question, {"steps": steps.choice_values, "dw": question.expected["dw"]})[1]


# Derived expressions ----------------------------------------------------------------------------------------------


def test_an_expression_has_numbers_where_inputs_have_them():
    formula = Formula(
        "f", "h = tanh(w*x)\n y = 2*a*h + b\n g = (y - b)*x", title="f", source="derivation: none", topic="neuron",
        **{name: Real(meaning=name) for name in ("w", "x", "a", "b", "h", "y", "g")},
    )  # fmt: skip
    derivation = Derivation(formula, {"x": 3, "a": -1}, ["g"])
    assert write(derivation.expression("g", ("h",))) == "(-2 * h + b - b) * 3"
    assert write(derivation.expression("y")) == "-2 * tanh(w * 3) + b"


FOLDED = {
    "(3 - 1)*w/1": "2 * w",
    "0*w + b": "b",
    "x^1": "x",
    "0 - a": "-a",
    "1/2*a": "1 / 2 * a",
    "a + -b": "a - b",
    "sigmoid(2 - 2)*a": "sigmoid(0) * a",
    "-1*a": "-a",
}


@pytest.mark.parametrize(("text", "folded"), FOLDED.items())
def test_numbers_are_folded(text, folded):
    assert write(fold(parse(text))) == folded


def test_the_same_formula_asks_for_a_number_and_for_an_expression():
    question = bank.draw("backprop-expression", 4)
    (part,) = question.parts
    assert part.variables == {"w1": [-2, 2], "w2": [-2, 2]} and set(part.definitions) == {"h", "y"}
    assert part.form == ["in terms of h, y, w2", "factored"]
    assert "w1" not in question.params and "Give g_w" in question.prompt
    x, t = question.params["x"], question.params["t"]
    own = f"(y - {t})*y*(1 - y)*h" + (f"*(1 - h)*w2*{x}" if part.part == "g_w1" else "")
    assert mark(question, {part.part: own}).mark == "right"
    full = own.replace("y", f"sigmoid(w2*sigmoid(w1*{x}))").replace("h", "h")
    assert "in terms of h, y, w2" in mark(question, {part.part: full}).feedback


def declare(formula=None, values=None, **changes):
    texts = dict(title="f", source="derivation: none", topic="neuron")
    symbols = dict(a=Real(1, 2, "slope"), x=Real(1, 2, "input"), y=Real(meaning="output"), e1=Real(meaning="error"))
    formula = formula or Formula("f", "y = a*x; e1 = y - 1", **texts, **symbols)
    mistakes = [Mistake("sum", "y = a + x", "No."), Mistake("square", "y = a*x^2", "No.")]
    arguments = dict(asks=derive("y"), tier=1, prompt="Find it.", hint="None.", mistakes=mistakes) | changes

    @drill(formula, **arguments)
    def linear(rng: Random):
        """A line"""
        return values or {}

    return linear


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(asks=derive("a")), "asks: derive('a') needs an equation that defines a as one value."),
        (dict(asks=derive("y", form="facored")), "form of y: there is no form 'facored'; the forms are factored"),
        (dict(asks=derive("y", form=("expanded", "without sine"))), "'sine' is not a function"),
        (dict(asks=derive("e1", in_terms_of="y z")), "in_terms_of of e1: Unknown symbol of f 'z'."),
        (dict(digits={"z": 3}), "digits: Unknown asked symbol 'z'."),
    ],
)
def test_a_typo_in_what_a_drill_asks_for(changes, problem):
    with pytest.raises(DeclarationError, match=rf"{re.escape(__file__)}:\d+: drill linear: .*{re.escape(problem)}"):
        declare(**changes)


def test_an_input_without_a_number_needs_limits():
    symbols = dict(a=Real(meaning="slope"), x=Real(1, 2, "input"), y=Real(meaning="output"))
    formula = Formula("f", "y = a*x", title="f", source="derivation: none", topic="neuron", **symbols)
    with pytest.raises(DeclarationError, match="a needs a lower and an upper limit"):
        declare(formula).draw(1)
    assert declare().draw(1).parts[0].answer == "a * x"


def test_what_the_generator_must_give_is_named():
    symbols = dict(x=Real(1, 2, "input"), y=Real(meaning="output"), fix=Line(meaning="line"))
    mistakes = [Mistake("once", "y = x", "Twice."), Mistake("square", "y = x^2", "Twice.")]
    formula = Formula("f", "y = 2x", title="f", source="derivation: none", topic="neuron", **symbols)
    with pytest.raises(DeclarationError, match="asks for 'fix', and the generator returns no value"):
        declare(formula, asks=("fix", "y"), mistakes=mistakes, values=dict(x=1)).draw(1)


@pytest.mark.parametrize(
    "symbol",
    [
        lambda: Line(meaning="line", imports=("x = 1",)),
        lambda: Line(meaning="line", signatures=("F.relu",)),
        lambda: Expression(meaning="f", form=("simple",)),
        lambda: Order(items={str(k): "x" for k in range(11)}, after={"1": "2"}, meaning="lines"),
    ],
)
def test_a_symbol_that_can_not_be_asked_for_is_an_error_where_it_is_declared(symbol):
    with pytest.raises((ValueError, UserError)):
        symbol()


def test_a_choice_has_one_of_its_options():
    choice = Choice(options=dict(sgd="SGD", adam="Adam"), meaning="optimizer").named("best")
    assert choice.check("adam") == "adam" and choice.describe_domain() == "one of sgd (1), adam (2)"
    with pytest.raises(UserError, match="Did you mean 'adam'"):
        choice.check("adm")


# Chains -----------------------------------------------------------------------------------------------------------


def test_a_chain_equals_its_formulas_one_after_the_other():
    values = dict(n0=28, k1=3, p1=1, C0=1, C1=8, k2=3, s2=2, p2=1, C2=16, K=10, B=12)
    results = SMALL_CNN.solve(**values)
    first = CONV_MACS.solve(n=28, f=3, s=1, p=1, C_in=1, C_out=8)
    second = CONV_MACS.solve(n=first["o"] // 2, f=3, s=2, p=1, C_in=8, C_out=16)
    assert (results["n1"], results["M1"], results["n3"]) == (first["o"], first["MACs"], second["o"])
    golden = dict(n1=28, n3=7, params=1418, MACs=113056, field=8, bytes=301056)  # computed by hand
    assert {name: results[name] for name in golden} == golden
    assert SMALL_CNN.topics == ["convolution", "pooling"] and "FLOPs" not in SMALL_CNN.symbols


def test_a_chain_names_what_is_wrong():
    with pytest.raises(DeclarationError, match=rf"{re.escape(__file__)}:\d+: formula twice: o is defined twice"):
        Chain("twice", [link(CONV_OUT_SIZE), link(CONV_OUT_SIZE)], title="Twice")
    with pytest.raises(DeclarationError, match=r"its formula joins more topics\. Add them to joins: pooling"):
        declare(SMALL_CNN, asks="params", mistakes=[])
    with pytest.raises(DeclarationError, match=r"joins: Unknown topic 'poling'.*pooling"):
        replace(bank.get_drill("iou"), joins=("poling",))


def test_follow_through_along_a_chain():
    question = bank.draw("small-cnn-audit", 5)
    texts = answer_texts(question)
    n1 = question.expected["n1"] + 2
    own = {**texts, "n1": str(n1), "bytes": str(4 * question.params["B"] * question.params["C1"] * n1**2)}
    marks = {part.part: part.mark for part in mark(question, own).parts}
    assert marks["n1"] == "wrong" and marks["bytes"] == marks["params"] == marks["field"] == "right"


def test_a_joined_drill_is_an_item_of_each_of_its_topics():
    from workbench.coverage import coverage
    from workbench.study.session import items_of

    for topic in ("convolution", "pooling", "model-complexity", "object-detection"):
        assert "small-cnn-audit" in items_of(topic)
    covering = {row.topic for row in coverage({}) if "small-cnn-audit" in row.drills}
    assert covering == {"convolution", "pooling", "model-complexity"}


# Rounding to significant digits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.28881e-7, "2.2888e-7"),
        (0.25, "0.25"),
        (9100.44, "9100.4"),
        (4026531.84, "4.0265e6"),
        (-3e-9, "-3.0000e-9"),
    ],
)
def test_significant_digits(value, text):
    from quizzes.answers.numbers import decimals_of

    part = Part("x", "decimal", "", value, digits=5, decimals=decimals_of(value, 5))
    kind = KINDS["decimal"]
    assert kind.format_answer(value, part) == text and "5 significant digits" in kind.format_hint(part)
    typed = {t: kind.score(kind.read(t, part).value, value, part) for t in (text, f"{value:.12g}", f"{value:.5g}")}
    assert set(typed.values()) == {1}
    unit = 10.0 ** -decimals_of(value, 5)
    assert kind.score(kind.read(f"{value + 0.6 * unit:.12g}", part).value, value, part) == 0


def test_line_numbers_may_have_alternatives():
    symbol = LineNumber(meaning="line").named("line")
    assert symbol.candidates([5, 2, 4]) == [5, 2, 4] and symbol.candidates(5) == [5]
    assert Int(1, 9, "n").named("n").check(3) == 3


# Several choices, and matches -------------------------------------------------------------------------------------


def collapse(mu2: list[float]):
    dead = [name for name, value in zip("abcd", mu2, strict=True) if value < 0.01]
    kinds = {name: "off" if name in dead else "on" for name in "abcd"}
    return {"dead": dead, "state": kinds}


DIMENSIONS = {c: f"dimension {c.upper()}" for c in "abcd"}
COLLAPSED = Formula(
    "collapsed", "y = mean(k, mu2[k])", title="Collapsed dimensions", source="derivation: none", topic="neuron",
    procedure=collapse, procedure_outputs="dead state", mu2=Vector(meaning="second moments"),
    y=Real(meaning="mean"),
    dead=Choices(options=DIMENSIONS, meaning="collapsed dimensions", supported_by="y"),
    state=Match(items=DIMENSIONS, options=dict(on="in use", off="collapsed"),
                meaning="state of each dimension"),
)  # fmt: skip


def collapsed(rng: Random):
    """Collapsed dimensions"""
    mu2 = [rng.choice([0.001, 0.002, 0.5, 1.5]) for _ in range(4)]
    if not 0 < sum(value < 0.01 for value in mu2) < 4:
        raise UndefinedValue("none, or all")
    return dict(mu2=mu2)


def test_several_choices_and_a_match_in_a_drill():
    small = Mistake("live-ones", {"dead": lambda mu2: [c for c, v in zip("abcd", mu2, strict=True) if v > 0.01]}, "No.")
    swapped = Mistake("all-on", {"state": dict.fromkeys("abcd", "on")}, "No.")
    texts = dict(prompt="{mu2}", hint="Look.", tier=1, mistakes=[small, swapped])
    collapse_drill = drill(COLLAPSED, asks=("y", "dead", "state"), **texts)(collapsed)
    for seed in range(20):
        question = collapse_drill.draw(seed)
        assert Question.from_json(question.to_json()) == question
        texts = answer_texts(question)
        _, dead, state = question.parts
        zeros = {f"dimension {c}" for c, v in zip("ABCD", question.params["mu2"], strict=True) if v < 0.01}
        assert {dead.choices["abcd".index(letter)] for letter in dead.answer} == zeros
        for letter, number in state.answer.items():
            assert (state.choices[number - 1] == "collapsed") == (state.items["abcd".index(letter)] in zeros)
        assert mark(question, texts).mark == "right"
        assert mark(question, {**texts, "y": "99"}).parts[1].score == 0
        for mistake in question.mistakes:
            part = next(p for p in question.parts if p.part == mistake.part)
            own = {**texts, part.part: KINDS[part.kind].format_answer(mistake.answer, part)}
            assert next(p for p in mark(question, own).parts if p.part == part.part).mistake == mistake.mistake
        computed = {"y": question.expected["y"], **collapse(question.params["mu2"])}
        assert compare_values(question, computed)[1]
        assert not compare_values(question, {**computed, "dead": ["b", "nope"]})[1]
        assert not compare_values(question, {**computed, "state": dict.fromkeys("abcd", "off")})[1]


@pytest.mark.parametrize("symbol", [Choice, Choices])
def test_names_of_options_are_words(symbol):
    with pytest.raises(ValueError, match="the name '4' of an option or item must be a word"):
        symbol(options={"4": "four", "two": "two"}, meaning="number")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"cause": "adm"}, "mistake one: Unknown optimizer 'adm'. Did you mean 'adam'?"),
        ({"steps": ["first", "third"]}, "mistake one: Unknown item 'third'"),
        ({"steps": dict(second="forst")}, "mistake one: Unknown item 'forst'. Did you mean 'first'"),
        ({"fix": "h = relu("}, "mistake one: "),
        ({"pairs": {"p": "x"}}, "mistake one: p = x is not an item and an option of pairs"),
        ({"cuase": "adam"}, "mistake one: Unknown output 'cuase'. Did you mean 'cause'"),
    ],
)
def test_a_typo_in_a_mistakes_answer(wrong, problem):
    formula = Formula(
        "f", "", title="f", source="derivation: none", topic="neuron",
        cause=Choice(options=dict(sgd="SGD", adam="Adam"), meaning="optimizer"),
        steps=Order(items=dict(first="1", second="2"), distractors=dict(other="3"), meaning="lines"),
        fix=Line(meaning="line"), pairs=Match(items=dict(p="p"), options=dict(q="q"), meaning="pairs"),
    )  # fmt: skip
    with pytest.raises(DeclarationError, match=rf"{re.escape(__file__)}:\d+: drill linear: .*{re.escape(problem)}"):
        declare(formula, asks=("cause", "steps", "fix", "pairs"), mistakes=[Mistake("one", wrong, "No.")])
