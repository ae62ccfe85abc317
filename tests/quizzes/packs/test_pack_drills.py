"""The drills of a pack: their answers, ranges, conditions and mistakes, against counting and hand computation."""

import json
from dataclasses import asdict
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.marking import mark
from quizzes.mistake_equations import parse_condition
from quizzes.packs.library import add
from quizzes.packs.pack import check_pack
from quizzes.packs.samplers import make_sampler
from quizzes.selftest import answer_texts, selftest
from quizzes.symbols import Int, Real
from quizzes.verification import compare_values, evaluate_with_sympy
from workbench import syllabus
from workbench.errors import UserError
from workbench.user_bank import user_bank

SEEDS = range(60)


@pytest.fixture
def example(folder, library):
    """The example pack, added to the library."""
    add(check_pack(folder, syllabus.topics()), library)


def positions(n: int, f: int, p: int, s: int) -> int:
    """Count the positions of a kernel of size f one by one."""
    return sum(1 for start in range(-p, n + p, s) if start + f <= n + p)


def test_sizes_equal_the_number_of_positions(example):
    unknowns = set()
    for seed in SEEDS:
        question = user_bank().draw("first-layers/conv-basics", seed)
        [part] = question.parts
        values = {**question.params, part.part: part.answer}
        unknowns.add(part.part)
        assert values["f"] in (3, 5, 7, 9, 11) and 0 <= values["p"] <= 3 and 1 <= values["s"] <= 4
        inputs = [part.answer, *part.other_answers] if part.part == "n" else [values["n"]]
        assert {28, 32, 63, 64, 96, 112, 224, 227} & set(inputs)
        assert all(values["o"] == positions(n, values["f"], values["p"], values["s"]) for n in inputs)
        assert values["p"] < values["f"] and values["o"] >= 4
        assert question.topic == "convolution" and question.tier == 1 and question.verify == ""
        assert json.loads(json.dumps(asdict(question))) == asdict(question)
    assert unknowns == {"o", "n"}


def test_momentum_equals_the_hand_computation(example):
    for seed in SEEDS:
        question = user_bank().draw("first-layers/momentum-by-hand", seed)
        inputs = {name: Fraction(str(value)) for name, value in question.params.items()}
        v = inputs["beta"] * inputs["v_prior"] + inputs["g"]
        theta = inputs["theta_prior"] - inputs["eta"] * v
        assert [part.answer for part in question.parts] == pytest.approx([float(v), float(theta)])
        assert inputs["v_prior"] and inputs["g"]
        average = float(inputs["beta"] * inputs["v_prior"] + (1 - inputs["beta"]) * inputs["g"])
        result = mark(question, {"v": f"{average:.9f}", "theta": answer_texts(question)["theta"]})
        assert result.parts[0].mistake == "average-of-gradients"
        texts, agree = compare_values(question, evaluate_with_sympy(question))
        assert agree, texts


@pytest.mark.parametrize("id", ["first-layers/conv-basics", "first-layers/momentum-by-hand"])
def test_the_example_passes_the_self_test_of_all_drills(example, id):
    report = selftest(user_bank().get_drill(id), range(100, 200))
    assert report.problems == [] and report.variants == 100


def test_a_drill_may_have_another_topic_than_its_formula(folder, library):
    file = folder / "drills" / "sizes.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("tier = 1", 'tier = 1\ntopic = "pooling"'), encoding="utf-8")
    add(check_pack(folder, syllabus.topics()), library)
    bank = user_bank()
    assert bank.get_drill("first-layers/conv-basics").topic == "pooling"
    assert bank.draw("first-layers/conv-basics", 1).topic == "pooling"


def test_a_pack_may_write_up_to_three_hints(folder):
    file = folder / "drills" / "sizes.toml"
    defaults = check_pack(folder, syllabus.topics()).drills["first-layers/conv-basics"].draw(1).hints
    assert len(defaults) == 3 and defaults[1].startswith("Use this formula:\n  o = floor(")
    text = file.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("hint = "))
    file.write_text(text.replace(line, 'hints = ["Count positions.", "Add 1 to the steps."]'), encoding="utf-8")
    pack = check_pack(folder, syllabus.topics())
    assert pack.problems == []
    assert pack.drills["first-layers/conv-basics"].draw(1).hints == [
        "Count positions.",
        "Add 1 to the steps.",
        defaults[2],
    ]


TABLE_DRILL = """
[[drill]]
id = "memory"
title = "Memory of the parameters"
formula = "network-size"
tier = 1
asks = "M"
prompt = "How much memory do the parameters of {layers} need, with an input of {input}?"
hint = "How many bytes does a float32 value have?"

[drill.ranges]
layers = ["fc10", "fc20", "fc30, relu, fc10", "conv3-8, gap, fc10"]
input = [[8, 8, 1], [9, 9, 1], [10, 10, 3], [12, 12, 3]]

[[drill.mistake]]
name = "bits"
equation = "M = 32*P"
feedback = "You counted bits. A float32 value has 4 bytes."

[[drill.mistake]]
name = "half-precision"
equation = "M = 2*P"
feedback = "You used 2 bytes per value. A float32 value has 4 bytes."
"""


def test_a_formula_with_a_table_can_be_drilled(folder):
    (folder / "drills" / "memory.toml").write_text(TABLE_DRILL, encoding="utf-8")
    pack = check_pack(folder, syllabus.topics())
    assert pack.problems == []
    parameters = {"fc10": lambda h, w, c: (h * w * c + 1) * 10, "fc20": lambda h, w, c: (h * w * c + 1) * 20}
    questions = [pack.drills["first-layers/memory"].draw(seed) for seed in range(20)]
    dense = [question for question in questions if question.params["layers"] in parameters]
    assert len(dense) > 2
    for question in dense:
        assert question.parts[0].answer == 4 * parameters[question.params["layers"]](*question.params["input"])


def symbol(kind: str, low=None, high=None):
    """Return a symbol n."""
    return (Int if kind == "int" else Real)(low, high, "a number").named("n")


@given(low=st.integers(-50, 50), count=st.integers(1, 40), step=st.integers(1, 30), places=st.integers(0, 3))
def test_a_range_draws_its_numbers_and_no_others(low, count, step, places):
    unit = 10**places
    expected = {Fraction(low + k * step, unit) for k in range(count)}
    text = f"{low / unit:.{places}f}..{(low + (count - 1) * step) / unit:.{places}f} step {step / unit:.{places}f}"
    sample, rng = make_sampler(text, symbol("real")), Random(1)
    values = [sample(rng) for _ in range(30 * count)]
    assert {Fraction(str(value)) for value in values} <= expected
    assert len(set(values)) >= 0.8 * count
    assert all(isinstance(value, int) == (value == int(value)) for value in values)


@given(st.text(alphabet="0123456789.- stepx", max_size=20))
def test_any_text_is_a_range_or_raises_a_user_error(text):
    try:
        sample = make_sampler(text, symbol("int", -100, 100))
    except UserError as error:
        assert str(error).endswith(".")
    else:
        assert -100 <= sample(Random(0)) <= 100


ELEMENTS = (
    st.integers(-(10**20), 10**20)
    | st.just(10**400)
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.dictionaries(st.just("a"), st.integers(), max_size=1)
    | st.sampled_from(["", "a", "3", "-0.5", "2/3", "1/0", "1/00", "1e999999999", "nan", "\x07"])
)


@given(
    values=st.recursive(ELEMENTS, lambda inside: st.lists(inside, max_size=3), max_leaves=6),
    kind=st.sampled_from(["int", "real", "vector", "matrix", "shape", "text", "texts"]),
)
def test_any_values_are_sampled_or_raise_a_user_error(values, kind):
    try:
        sample = make_sampler(values, symbol(kind))
    except UserError as error:
        assert str(error)
    else:
        assert sample(Random(0)) in values


CONDITIONS = {
    "n > f": lambda n, f, p: n > f,
    "n>=2f and p != 1": lambda n, f, p: n >= 2 * f and p != 1,
    "1 <= f < n": lambda n, f, p: 1 <= f < n,
    "n - f == p": lambda n, f, p: n - f == p,
    "floor(n/2) = n/2": lambda n, f, p: n % 2 == 0,
}


@pytest.mark.parametrize("text", CONDITIONS)
@given(n=st.integers(0, 9), f=st.integers(0, 9), p=st.integers(0, 3))
def test_a_condition_agrees_with_python(text, n, f, p):
    is_true = parse_condition(text, user_bank().get_drill("conv-out-size").formula)
    assert is_true(dict(n=n, f=f, p=p)) == CONDITIONS[text](n, f, p)


COSTS = """
[[drill]]
id = "cheaper"
title = "Which method is cheaper"
formula = "normal-or-gradient"
tier = 2
asks = "c_ne c_gd cheaper"
prompt = "n = {n}, d = {d}, T = {T}. Compare the normal equation and gradient descent."
hint = "Count the products."

[drill.ranges]
n = [1000, 2000, 3000, 5000, 7000]
d = [50, 60, 70, 80, 90]
T = "10..120"

[[drill.mistake]]
name = "no-solve"
equation = "c_ne = n*d^2"
feedback = "Add d^3."

[[drill.mistake]]
name = "one-product"
equation = "c_gd = n*d*T"
feedback = "Count two products per step."
"""


def test_a_pack_asks_for_a_choice_that_its_formula_computes(tmp_path):
    (tmp_path / "drills").mkdir()
    (tmp_path / "pack.toml").write_text('name = "costs"\ntitle = "Costs"\n')
    (tmp_path / "drills" / "costs.toml").write_text(COSTS)
    pack = check_pack(tmp_path, syllabus.topics())
    assert not pack.problems
    question = pack.drills["costs/cheaper"].draw(3)
    choice = question.parts[2]
    assert (choice.kind, choice.supported_by) == ("choice", ["c_ne", "c_gd"])
    n, d, T = (question.params[name] for name in "ndT")
    cheaper = "the normal equation" if n * d**2 + d**3 < 2 * n * d * T else "gradient descent"
    assert choice.choices["ab".index(choice.answer)] == cheaper
    assert mark(question, answer_texts(question)).mark == "right"
