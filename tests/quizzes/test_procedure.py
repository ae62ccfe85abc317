"""The mechanism of procedures: declarations are checked, lists read them without importing, and states are limited."""

import json
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import content, formulas, procedures
from quizzes.formula import DeclarationError, Formula
from quizzes.procedure import MAX_STATES, Procedure, State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Visualization
from quizzes.symbols import Int, Real, Vector, read_values, split_assignments
from workbench.errors import UserError

HERE = re.escape(__file__)
SOURCE = "derivation: by definition"
DOUBLE = Formula(
    "double", "y = 2*x", title="Twice", source=SOURCE, topic="neuron", x=Int(meaning="x"), y=Int(meaning="y")
)


def declare(id="count", formula=None, function=None, **changes):
    """Declare a procedure that counts to n."""
    arguments = dict(title="Counting", source=SOURCE, n=Int(0, 10**6, "last number", default=3)) if not formula else {}
    arguments |= changes

    def count(n):
        for k in range(n):
            yield State(
                f"Count {k + 1}.", dict(k=k + 1, half=Fraction(k + 1, 2)), Visualization("bars", dict(k=[k / 3]))
            )

    generate = function or count
    generate.__module__ = "quizzes.content.neural_networks.neuron.procedures"  # its topic is that of its folder
    return procedure(id, formula, **arguments)(generate)


def test_states_are_copies_with_plain_numbers():
    def grow(n):
        numbers: list[Fraction] = []
        for k in range(n):
            numbers.append(Fraction(k, 2))
            yield State("Append.", dict(numbers=numbers))

    states = declare(function=grow).states()
    assert [state.values["numbers"] for state in states] == [[0], [0, 0.5], [0, 0.5, 1]]
    assert json.loads(json.dumps([state.to_json(1) for state in states]))[2] == dict(
        state=1, caption="Append.", values=dict(numbers=[0, 0.5, 1]), visualization=None
    )
    assert declare().states()[0].visualization.data == dict(k=[0])
    assert declare().states()[1].visualization.data == dict(k=[0.3333])
    assert declare().result() == dict(k=3, half=1.5)


def test_inputs_that_are_left_out_are_those_of_the_example():
    def twice(x):
        yield State("Double.", dict(y=2 * x))

    stepped = declare("double", DOUBLE, twice, title="Twice", example=dict(x=4))
    assert (stepped.result(), stepped.result(dict(x=5)), stepped.topic, stepped.source) == (
        dict(y=8),
        dict(y=10),
        "neuron",
        SOURCE,
    )
    with pytest.raises(UserError, match="double has no symbol 'z'"):
        stepped.states(dict(z=1))


@pytest.mark.parametrize("n", [MAX_STATES + 1, 10**6])
def test_too_many_states_are_one_sentence(n):
    with pytest.raises(
        UserError, match=r"count has more states than can be stepped through \(10,000 states.*Use smaller"
    ):
        declare().states(dict(n=n))
    assert len(declare().states(dict(n=MAX_STATES))) == MAX_STATES


def test_states_with_millions_of_numbers_are_rejected():
    def wide(n):
        for _ in range(n):
            yield State("Wide.", dict(numbers=[0] * 10_000))

    with pytest.raises(UserError, match="2,000,000 numbers"):
        declare(function=wide).states(dict(n=300))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e308 * 10])
def test_values_that_are_not_finite_are_rejected(value):
    def grow(n):
        yield State("Grow.", dict(value=[value]))

    with pytest.raises(UserError, match=r"The values of count grow beyond all bounds\."):
        declare(function=grow).states()


def nothing():
    return []


def of_other(m):
    yield State("No.")


def of_none():
    yield State("No.")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (dict(title=" "), "procedure count: it has no title"),
        (dict(source=""), "procedure count: it needs a source, unless it belongs to a formula"),
        (dict(n=Int(0, 9, "last number")), r"the input n has no default. Add it to example=dict\(n=...\)"),
        (dict(n=Int(0, 9, default=3)), "procedure count: n has no meaning"),
        (dict(n=3), "procedure count: n must be a symbol, such as n=Real"),
        (dict(function=of_other), "the parameter m is not an input: n"),
        (dict(function=of_none), "the function has no parameter n"),
        (dict(function=nothing), "it must be a function that yields states"),
        (
            dict(n=Int(0, 9, "last number"), example=dict(n=12)),
            "the example can't be used: n .* must be an integer from 0",
        ),
        (dict(n=Int(0, 9, "last number"), example=dict(n=2, m=3)), "the example has 'm', which is not an input: n"),
        (dict(example=dict(n=3)), "the example has 'n', whose default is that of the formula; leave it out"),
        (
            dict(id="twice", formula=DOUBLE, title="Twice", example=dict(x=1)),
            "its id must be that of its formula, double",
        ),
        (dict(id="double", formula=DOUBLE, title="Twice", source=SOURCE), "it needs a source, unless it belongs"),
        (dict(id="double", formula=DOUBLE, title="Twice", k=Real(meaning="k")), "needs either a formula or inputs"),
    ],
)
def test_a_typo_in_a_declaration_is_an_error_with_its_line(arguments, problem):
    with pytest.raises(DeclarationError, match=rf"^{HERE}:\d+: procedure \w+: .*|.*") as error:
        declare(**arguments)
    assert re.match(rf"{HERE}:\d+: ", str(error.value)) and re.search(problem, str(error.value))


def test_entries_are_those_of_the_declarations():
    loaded = {
        value.id: (value.id, value.topic, value.title, value.formula.id in formulas.all_formulas())
        for file in content.files("procedures.py")
        for value in vars(content.load(file)).values()
        if isinstance(value, Procedure)
    }
    assert {id: tuple(entry) for id, entry in procedures.entries().items()} == loaded
    assert len(loaded) >= 18
    for id, entry in procedures.entries().items():
        stepped = procedures.get(id)
        assert stepped.id == id and stepped.generate.__doc__ and stepped.source
        assert id in {one.id for one in procedures.of_topic(entry.topic)}
        if entry.has_formula:
            assert formulas.get(id) is stepped.formula
        else:
            assert id not in formulas.all_formulas()


def test_a_list_of_procedures_imports_no_topic():
    program = (
        "import sys; from quizzes.procedures import entries; assert len(entries()) > 10; print(*sorted(sys.modules))"
    )
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = [name for name in modules if name.startswith("quizzes.content.") or name in ("sympy", "quizzes.formula")]
    assert not heavy


def test_an_id_or_title_that_is_no_literal_is_an_error(tmp_path):
    for text in ('@procedure(ID, title="a")\n', '@procedure("a", title=TITLE)\n', '@procedure("a")\n'):
        file = tmp_path / "procedures.py"
        file.write_text(text + "def f(): ...\n")
        with pytest.raises(
            ValueError, match=r"procedures\.py:1: the id and the title of a procedure must be literal texts"
        ):
            procedures.read_entries(file)
    with pytest.raises(UserError, match=r"Unknown procedure 'nsm'\. Did you mean 'nms"):
        procedures.get("nsm")


@pytest.mark.parametrize("id", procedures.entries())
def test_the_line_of_the_inputs_is_read_back(id):
    stepped = procedures.get(id)
    text = stepped.input_text()
    values = read_values(id, stepped.symbols, split_assignments(text, stepped.symbols))
    assert stepped.complete(values) == stepped.complete({})


def test_a_line_is_split_at_the_names():
    symbols = {"f": None, "X": None, "s": None}
    assert split_assignments("f=a + b; c = 3 X=[[1, 2], [3, 4]]  s=2", symbols) == [
        "f=a + b; c = 3",
        "X=[[1, 2], [3, 4]]",
        "s=2",
    ]
    assert split_assignments(" 7 s=2 K=3", symbols) == ["7", "s=2 K=3"]
    assert split_assignments("", symbols) == []


@given(st.text(st.sampled_from("AB=[]1,2 ;xy.-"), max_size=30))
def test_any_line_of_inputs_is_read_or_one_sentence(line):
    stepped = procedures.get("iou")
    try:
        values = read_values("iou", stepped.symbols, split_assignments(line, stepped.symbols))
        states = stepped.states(values)
    except UserError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert len(states) == 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (Fraction(1, 3), "0.3333"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (1e-8, "1e-8"),
        (-2.5e-7, "-2.5e-7"),
        (1.25e12, "1.25e12"),
        (123456789, "123456789"),
        (99.99999, "100"),
    ],
)
def test_numbers_of_captions(value, text):
    assert number_text(value) == text
    assert in_parentheses(value) == (f"({text})" if value < 0 else text)


def test_a_number_looks_unlike_the_one_it_is_compared_with():
    assert number_text(Fraction(10001, 20001), Fraction(1, 2)) == "0.50002"
    assert number_text(Fraction(1, 2), Fraction(1, 2)) == "0.5"
    assert list_text(list(range(12))) == "[0, 1, 2, 3, 4, 5, 6, 7, ..., 11]"


@given(st.floats(-1e300, 1e300))
def test_every_number_of_a_caption_is_close_to_the_value(value):
    assert float(number_text(value)) == pytest.approx(value, rel=1e-3, abs=6e-5 if abs(value) >= 0.001 else 0)


def test_vectors_are_read_like_those_of_a_formula():
    symbols = {"v": Vector(meaning="v").named("v")}
    assert read_values("p", symbols, ["v=[1/3, 2]"]) == {"v": [Fraction(1, 3), 2]}
    with pytest.raises(UserError, match="v is given twice"):
        read_values("p", symbols, ["v=[1]", "v=[2]"])
    with pytest.raises(UserError, match="Write '7' as NAME=VALUE, such as v=3"):
        read_values("p", symbols, ["7"])
