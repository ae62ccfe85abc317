"""A pack's drill is a drill: its truth, its ranges and its mistakes, worked out here by counting and by hand."""

import json
from dataclasses import asdict
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import bank
from quizzes.marking import mark
from quizzes.packs.equations import condition
from quizzes.packs.pack import check_pack
from quizzes.packs.ranges import reader
from quizzes.packs.shelf import add
from quizzes.selftest import answer_texts, selftest
from quizzes.verification import compare_values, evaluate_with_sympy
from workbench import syllabus
from workbench.errors import UserError

SEEDS = range(60)


@pytest.fixture
def added(folder, shelf):
    add(check_pack(folder, syllabus.topics()), shelf)


def positions(n: int, f: int, p: int, s: int) -> int:
    """At how many places a filter fits, counted one by one."""
    return sum(1 for at in range(-p, n + p, s) if at + f <= n + p)


def test_sizes_are_those_that_are_counted(added):
    asked = set()
    for seed in SEEDS:
        question = bank.draw("first-layers/conv-basics", seed)
        [part] = question.parts
        values = {**question.params, part.part: part.answer}
        asked.add(part.part)
        assert values["f"] in (3, 5, 7, 9, 11) and 0 <= values["p"] <= 3 and 1 <= values["s"] <= 4
        inputs = [part.answer, *part.other_answers] if part.part == "n" else [values["n"]]
        assert {28, 32, 63, 64, 96, 112, 224, 227} & set(inputs)
        assert all(values["o"] == positions(n, values["f"], values["p"], values["s"]) for n in inputs)
        assert values["p"] < values["f"] and values["o"] >= 4
        assert question.topic == "convolution" and question.tier == 1 and question.verify == ""
        assert json.loads(json.dumps(asdict(question))) == asdict(question)
    assert asked == {"o", "n"}


def test_momentum_is_what_is_worked_out_by_hand(added):
    for seed in SEEDS:
        question = bank.draw("first-layers/momentum-by-hand", seed)
        given = {name: Fraction(str(value)) for name, value in question.params.items()}
        v = given["beta"] * given["v_prior"] + given["g"]
        theta = given["theta_prior"] - given["eta"] * v
        assert [part.answer for part in question.parts] == pytest.approx([float(v), float(theta)])
        assert given["v_prior"] and given["g"]
        averaged = float(given["beta"] * given["v_prior"] + (1 - given["beta"]) * given["g"])
        marked = mark(question, {"v": f"{averaged:.9f}", "theta": answer_texts(question)["theta"]})
        assert marked.parts[0].mistake == "average-of-gradients"
        texts, agree = compare_values(question, evaluate_with_sympy(question))
        assert agree, texts


@pytest.mark.parametrize("id", ["first-layers/conv-basics", "first-layers/momentum-by-hand"])
def test_it_passes_the_examination_of_all_drills(added, id):
    report = selftest(bank.get(id), range(100, 200))
    assert report.problems == [] and report.variants == 100


def test_a_drill_takes_the_topic_it_names(folder, shelf):
    file = folder / "drills" / "sizes.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("tier = 1", 'tier = 1\ntopic = "pooling"'), encoding="utf-8")
    add(check_pack(folder, syllabus.topics()), shelf)
    assert bank.get("first-layers/conv-basics").topic == bank.draw("first-layers/conv-basics", 1).topic == "pooling"


def symbol(kind: str, low=None, high=None):
    """A symbol of the program's own declaration."""
    from quizzes.symbol import symbol as declared

    interval = f" {low}..{high}" if low is not None else ""
    return declared("n", f"{kind}{interval}; a number")


@given(low=st.integers(-50, 50), count=st.integers(1, 40), step=st.integers(1, 30), places=st.integers(0, 3))
def test_a_range_draws_its_numbers_and_no_others(low, count, step, places):
    unit = 10**places
    wanted = {Fraction(low + k * step, unit) for k in range(count)}
    text = f"{low / unit:.{places}f}..{(low + (count - 1) * step) / unit:.{places}f} step {step / unit:.{places}f}"
    draw, rng = reader(text, symbol("real")), Random(1)
    drawn = [draw(rng) for _ in range(30 * count)]
    assert {Fraction(str(value)) for value in drawn} <= wanted
    assert len(set(drawn)) >= 0.8 * count
    assert all(isinstance(value, int) == (value == int(value)) for value in drawn)


@given(st.text(alphabet="0123456789.- stepx", max_size=20))
def test_any_text_is_a_range_or_is_refused(text):
    try:
        draw = reader(text, symbol("int", -100, 100))
    except UserError as refused:
        assert str(refused).endswith((".", "step 0.1", '"'))
    else:
        assert -100 <= draw(Random(0)) <= 100


CONDITIONS = {
    "n > f": lambda n, f, p: n > f,
    "n>=2f and p != 1": lambda n, f, p: n >= 2 * f and p != 1,
    "1 <= f < n": lambda n, f, p: 1 <= f < n,
    "n - f == p": lambda n, f, p: n - f == p,
    "floor(n/2) = n/2": lambda n, f, p: n % 2 == 0,
}


@pytest.mark.parametrize("text", CONDITIONS)
@given(n=st.integers(0, 9), f=st.integers(0, 9), p=st.integers(0, 3))
def test_a_condition_means_what_it_says(text, n, f, p):
    holds = condition(text, bank.get("conv-out-size").formula)
    assert holds(dict(n=n, f=f, p=p)) == CONDITIONS[text](n, f, p)
