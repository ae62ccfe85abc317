"""The kinds of answer: correct, partially correct, incorrect and unreadable answers, and writing then reading."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.answers import KINDS
from quizzes.answers.expressions import equal
from quizzes.answers.numbers import format_decimal
from quizzes.answers.words import parse_number
from quizzes.expressions.parser import FormatError, parse
from quizzes.question import Part


def part(kind: str, answer: Any = None, **fields: Any) -> Part:
    return Part("a", kind, "a label", answer, **fields)


FOUR = dict(choices=["red", "green", "blue", "gray"])
Z = dict(variables={"z": [-2, 2]})
CASES = [  # kind, further fields of the part, correct answer, typed answer, score
    ("integer", {}, 28, "28", 1),
    ("integer", {}, 28, "28.0", 1),
    ("integer", {}, 28, "4*7", 1),
    ("integer", {}, 28, "-28", 0),
    ("integer", {}, -28, "−28", 1),
    ("fraction", {}, "7/9", "7/9", 1),
    ("fraction", {}, "7/9", "14/18", 1),
    ("fraction", {}, "3/4", "0.75", 1),
    ("fraction", {}, "7/9", "0.7778", 0),
    ("decimal", dict(decimals=4), 2 / 3, "0.6667", 1),
    ("decimal", dict(decimals=4), 2 / 3, "2/3", 1),
    ("decimal", dict(decimals=4), 2 / 3, "0.66667", 1),
    ("decimal", dict(decimals=4), 2 / 3, "0.6666", 0),
    ("decimal", dict(decimals=4), 2 / 3, "0.667", 0),
    ("decimal", dict(decimals=2), 0.125, "0.13", 1),  # a tie: rounded up or to even, both are correct
    ("decimal", dict(decimals=2), 0.125, "0.12", 1),
    ("decimal", dict(decimals=2), 0.125, "0.11", 0),
    ("decimal", dict(decimals=2), -0.125, "-0.13", 1),
    ("decimal", dict(decimals=2), 0.001, "-0.00", 1),
    ("shape", {}, [29, 29, 32], "29x29x32", 1),
    ("shape", {}, [29, 29, 32], "29 × 29 × 32", 1),
    ("shape", {}, [29, 29, 32], "(29, 29, 32)", 1),
    ("shape", {}, [29, 29, 32], "[29,29,32]", 1),
    ("shape", {}, [29, 29, 32], "29x29x16", 2 / 3),
    ("shape", {}, [29, 29, 32], "29x29", 0),
    ("vector", {}, [1, -2, 3], "[1, -2, 3]", 1),
    ("vector", {}, [1, -2, 3], "1, -2, 4", 2 / 3),
    ("vector", {}, [1, -2, 3], "[1, -2]", 0),
    ("vector", dict(decimals=2), [1 / 3, 2 / 3], "[0.33, 0.67]", 1),
    ("vector", dict(decimals=2), [1 / 3, 2 / 3], "[1/3, 0.66]", 0.5),
    ("matrix", {}, [[1, 2], [3, 4]], "[[1, 2], [3, 4]]", 1),
    ("matrix", {}, [[1, 2], [3, 4]], "1, 2; 3, 4", 1),
    ("matrix", {}, [[1, 2], [3, 4]], "[[1, 3], [2, 4]]", 0.5),
    ("matrix", {}, [[1, 2]], "[1, 2]", 1),
    ("matrix", {}, [[1, 2], [3, 4]], "[[1, 2]]", 0),
    ("expression", Z, "sigmoid(z)*(1 - sigmoid(z))", "exp(-z)/(1 + exp(-z))^2", 1),
    ("expression", Z, "2*z", "z + z", 1),
    ("expression", Z, "2*z", "z^2", 0),
    ("expression", Z, "2*z", "ln(z)", 0),  # no value for negative z
    ("expression", Z, "2*z", "2*z + 0*sqrt(z)", 0),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "A, C", 1),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "a -> c", 1),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "[A C]", 1),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "ac", 1),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "C, A", 0.5),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "A, B, C", 2 / 3),
    ("sequence", dict(choices=list("ABCD")), ["A", "C"], "B D", 0),
    ("set", dict(choices=list("ABCD")), ["A", "C"], "C, A", 1),
    ("set", dict(choices=list("ABCD")), ["A", "C"], "A", 0.5),
    ("set", dict(choices=list("ABCD")), ["A", "C"], "B, D", 0),
    ("choice", FOUR, "b", "b", 1),
    ("choice", FOUR, "b", "B)", 1),
    ("choice", FOUR, "b", "Green", 1),
    ("choice", FOUR, "b", "blue", 0),
    ("choices", FOUR, ["a", "c"], "a, c", 1),
    ("choices", FOUR, ["a", "c"], "c a", 1),
    ("choices", FOUR, ["a", "c"], "CA", 1),
    ("choices", FOUR, ["a", "c"], "a", 0.5),
    ("choices", FOUR, ["a", "c"], "a, b, c", 0.5),
    ("choices", FOUR, ["a", "c"], "a, b, c, d", 0),
    ("order", FOUR, ["c", "a", "b", "d"], "c, a, b, d", 1),
    ("order", FOUR, ["c", "a", "b", "d"], "cabd", 1),
    ("order", FOUR, ["c", "a", "b", "d"], "ca, bd.", 1),
    ("order", FOUR, ["c", "a", "b", "d"], "dbac", 0),
    ("order", FOUR, ["c", "a", "b", "d"], "a b d c", 2 / 3),
    ("order", FOUR, ["c", "a", "b", "d"], "d b a c", 0),
    ("match", dict(items=["x", "y"], choices=["1st", "2nd"]), {"a": 2, "b": 1}, "a=2, b=1", 1),
    ("match", dict(items=["x", "y"], choices=["1st", "2nd"]), {"a": 2, "b": 1}, "b1 a2", 1),
    ("match", dict(items=["x", "y"], choices=["1st", "2nd"]), {"a": 2, "b": 1}, "a -> 2; b -> 2", 0.5),
    ("match", dict(items=["x", "y"], choices=["1st", "2nd"]), {"a": 2, "b": 1}, "a:1 b:2", 0),
    ("text", {}, "k-means", "K means.", 1),
    ("text", {}, "learning rate", " Learning  Rate ", 1),
    ("text", {}, "bias", "biases", 1),
    ("text", {}, "0.25", "25", 0),  # the point counts
    ("text", {}, ".25", "25", 0),
    ("text", {}, "-1", "1", 0),  # a minus is not a hyphen
    ("text", {}, "0.9", "0.90", 1),
    ("text", {}, "0.9", ".9", 1),
    ("text", {}, "0.9", "90 %", 1),
    ("text", {}, "0.9", "nine tenths", 1),
    ("text", {}, "0.9", "beta1 = 0.9", 1),
    ("text", {}, "0.9", "90", 0),
    ("text", {}, "0.9", "0.09", 0),
    ("text", {}, "0.9", "0.9%", 0),
    ("text", {}, "0.9", "x = 0.8", 0),
    ("text", {}, "90", "90%", 0),
    ("text", {}, "10", "1000%", 0),  # a factor is not written in percent
    ("text", {}, "50%", "1/2", 1),
    ("text", {}, "1", "One", 1),
    ("text", {}, "1", "1/1", 1),
    ("text", {}, "1", "learning rate = 1.0", 1),
    ("text", {}, "1", "two", 0),
    ("text", {}, "1000", "1,000", 1),
    ("text", {}, "21", "twenty-one", 1),
    ("text", {}, "20", "twelve", 0),
    ("text", {}, "12", "twenty", 0),
    ("text", {}, "bias", "1", 0),
    ("line", {}, "h = F.relu(h)", "h=torch.nn.functional.relu( h )  # now", 1),
    ("line", {}, "h = F.relu(h)", "h = F.relu(x)", 0),
]


@pytest.mark.parametrize(("kind", "fields", "correct", "typed", "score"), CASES)
def test_score(kind, fields, correct, typed, score):
    question_part = part(kind, correct, **fields)
    reading = KINDS[kind].read(typed, question_part)
    assert KINDS[kind].score(reading.value, correct, question_part) == pytest.approx(score)
    assert reading.read_as


def test_every_kind_has_cases():
    assert {case[0] for case in CASES} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "fields", "typed", "sentence"),
    [
        ("integer", {}, "28.5", "enter an integer, not 28.5"),
        ("integer", {}, "28x28", "unknown name"),
        ("fraction", {}, "sqrt(2)", "an exact fraction"),
        ("decimal", dict(decimals=4), "0,6667", r"0\.6667"),
        ("shape", {}, "29x29.5", "must be an integer"),
        ("shape", {}, "-3x4", "must be an integer"),
        ("shape", {}, "[[1], [2]]", "one list of integers"),
        ("vector", {}, "[[1, 2], [3, 4]]", "a vector such as"),
        ("vector", {}, "[1, [2]]", "a vector such as"),
        ("vector", {}, "[1, 2", "to close the list"),
        ("matrix", {}, "[[1, 2], [3]]", "different lengths"),
        ("matrix", {}, "[]", "a number is missing"),
        ("expression", Z, "y", "the symbols are z"),
        ("expression", Z, "z[1]", "sums and indices"),
        ("sequence", dict(choices=["A", "B"]), "A, E", "no 'E' here: choose among A or B"),
        ("sequence", dict(choices=["A", "B"]), "A, A", "twice"),
        ("sequence", dict(choices=["A", "B"]), " , ", "enter an answer"),
        ("set", dict(choices=["A", "B"]), "", "enter an answer"),
        ("choice", FOUR, "e", "a letter, a to d"),
        ("choices", FOUR, "a, e", "no 'e'"),
        ("order", FOUR, "a, b", "put all 4 letters"),
        ("order", FOUR, "a, b, b, c", "twice"),
        ("order", FOUR, "abbc", "twice"),
        ("order", FOUR, "abce", "no 'abce' here"),
        ("sequence", dict(choices=["A1", "B1"]), "A1B1", "no 'A1B1' here: choose among A1 or B1"),
        ("match", dict(items=["x", "y"], choices=["1", "2"]), "a=2", "match all of a, b"),
        ("match", dict(items=["x", "y"], choices=["1", "2"]), "a=3, b=1", "numbers are 1 to 2"),
        ("match", dict(items=["x", "y"], choices=["1", "2"]), "a=1, a=2", "twice"),
        ("match", dict(items=["x", "y"], choices=["1", "2"]), "2=a", "pairs letter=number"),
        ("text", {}, " ", "enter an answer"),
        ("text", {"answer": "0.9"}, "0,9", r"does 0,9 mean 0\.9\?"),
        ("text", {}, "x" * 301, "limit is 300"),
    ],
)
def test_an_unreadable_answer_is_explained(kind, fields, typed, sentence):
    with pytest.raises(FormatError, match=sentence):
        KINDS[kind].read(typed, part(kind, **fields))


PARTS = {
    "integer": part("integer", 3),
    "fraction": part("fraction", "1/3"),
    "decimal": part("decimal", 0.5, decimals=3),
    "shape": part("shape", [2, 3]),
    "vector": part("vector", [1, 2], decimals=2),
    "matrix": part("matrix", [[1, 2], [3, 4]]),
    "expression": part("expression", "2*z", **Z),
    "sequence": part("sequence", ["A"], choices=["A", "B"]),
    "set": part("set", ["A"], choices=["A", "B"]),
    "choice": part("choice", "a", **FOUR),
    "choices": part("choices", ["a"], **FOUR),
    "order": part("order", ["a", "b", "c", "d"], **FOUR),
    "match": part("match", {"a": 1, "b": 2}, items=["x", "y"], choices=["1st", "2nd"]),
    "text": part("text", "bias"),
    "line": part("line", "x = x + 1"),
}


@pytest.mark.parametrize("kind", KINDS)
@given(typed=st.text(max_size=320) | st.text(alphabet="0123456789abcABC,;=x()[]->. +*/^z", max_size=40))
def test_any_text_is_read_or_rejected(kind, typed):
    question_part = PARTS[kind]
    try:
        reading = KINDS[kind].read(typed, question_part)
    except FormatError as error:
        assert error.sentence
        return
    assert 0 <= KINDS[kind].score(reading.value, question_part.answer, question_part) <= 1
    assert "\n" not in reading.read_as.strip() or kind == "text"


small = st.floats(-1000, 1000, allow_nan=False)
LABELS = list("ABCDE")
CORRECT = {
    "integer": st.integers(-(10**12), 10**12),
    "fraction": st.fractions(max_denominator=10**6).filter(lambda f: abs(f) < 10**9).map(str),
    "decimal": small,
    "shape": st.lists(st.integers(0, 4096), min_size=1, max_size=5),
    "vector": st.lists(small, min_size=1, max_size=5),
    "matrix": st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(small, min_size=n, max_size=n), min_size=1, max_size=3)
    ),
    "sequence": st.lists(st.sampled_from(LABELS), min_size=1, unique=True),
    "set": st.lists(st.sampled_from(LABELS), min_size=1, unique=True),
    "choice": st.sampled_from("abcde"),
    "choices": st.lists(st.sampled_from("abcde"), min_size=1, unique=True).map(sorted),
    "order": st.permutations("abcde"),
    "match": st.lists(st.integers(1, 5), min_size=5, max_size=5).map(lambda v: dict(zip("abcde", v, strict=True))),
    "text": st.text(alphabet="abcdef -", min_size=1, max_size=20).filter(lambda t: t.strip(" -")),
}


@pytest.mark.parametrize("kind", CORRECT)
@given(data=st.data(), decimals=st.integers(1, 6))
def test_a_correct_answer_as_written_earns_full_credit(kind, data, decimals):
    correct = data.draw(CORRECT[kind])
    places = decimals if kind in ("decimal", "vector", "matrix") else None
    question_part = part(kind, correct, decimals=places, choices=LABELS, items=LABELS)
    text = KINDS[kind].format_answer(correct, question_part)
    assert KINDS[kind].score(KINDS[kind].read(text, question_part).value, correct, question_part) == 1, text


@given(small, st.integers(0, 6), st.floats(-3, 3))
def test_exactly_the_rounding_interval_is_correct(correct, decimals, units):
    value = Fraction(correct) + Fraction(units) / 10**decimals
    score = KINDS["decimal"].score((value, None), correct, part("decimal", correct, decimals=decimals))
    if abs(units) < 0.499:
        assert score == 1
    if abs(units) > 0.501:
        assert score == 0


def test_a_value_rounded_too_early_gets_a_hint():
    question_part = part("decimal", 2 / 3, decimals=4)
    near, far = (KINDS["decimal"].read(text, question_part) for text in ("0.67", "0.66"))
    assert "give 4 decimal places" in KINDS["decimal"].near_miss_feedback(near, 2 / 3, question_part)
    assert KINDS["decimal"].near_miss_feedback(far, 2 / 3, question_part) == ""


EQUAL = [
    ("tanh(x)", "(exp(x) - exp(-x))/(exp(x) + exp(-x))"),
    ("tanh(x)", "2*sigmoid(2x) - 1"),
    ("relu(x)", "(x + abs(x))/2"),
    ("0.1 + 0.2", "0.3"),
    ("softplus(x)", "ln(1 + exp(x))"),
    ("sigmoid(x)", "exp(x)/(1 + exp(x))"),
    ("1 - sigmoid(x)", "sigmoid(-x)"),
    ("x^2 - 1", "(x - 1)(x + 1)"),
    ("sin(x)^2", "1 - cos(x)^2"),
    ("abs(x)", "sqrt(x^2)"),
    ("max(x, 0)", "relu(x)"),
    ("ln(x)", "log2(x)*ln(2)"),  # defined for half of the points only
    ("1/x", "x/x^2"),
]
UNEQUAL = [
    ("tanh(x)", "2*sigmoid(x) - 1"),
    ("relu(x)", "(x + abs(x))/2.000001"),
    ("x", "x + 0.0000000001"),
    ("x", "abs(x)"),
    ("sigmoid(x)", "tanh(x)/2 + 0.5"),
    ("softplus(x)", "relu(x)"),
    ("x", "sqrt(x)^2"),  # has no value for negative x
    ("x", "exp(ln(x))"),
    ("0*x", "0*x + 0.00000000000001"),
    ("1/3 + 0*x", "0.333333333333333"),
    ("floor(x)", "x - 0.5"),
]


@pytest.mark.parametrize(("correct", "typed"), EQUAL)
def test_equal_expressions(correct, typed):
    assert equal(parse(typed), correct, {"x": [-3, 3]})


@pytest.mark.parametrize(("correct", "typed"), UNEQUAL)
def test_unequal_expressions(correct, typed):
    assert not equal(parse(typed), correct, {"x": [-3, 3]})


def test_expressions_in_several_symbols():
    domain = {"w": [-2, 2], "x": [-2, 2], "y": [-2, 2]}
    assert equal(parse("2*x*(w*x - y)"), "2*w*x^2 - 2*x*y", domain)
    assert not equal(parse("2*(w*x - y)"), "2*w*x^2 - 2*x*y", domain)


@given(st.integers(-(10**6), 10**6), st.integers(0, 4), st.integers(-(10**6), 10**6))
def test_a_number_in_a_text_is_compared_as_a_number(digits: int, places: int, other: int):
    number = Fraction(digits, 10**places)
    correct = f"{float(number):.{places}f}"
    texts = [f"{correct}0" if places else f"{correct}.0", f"x = {correct}", f"{number.numerator}/{number.denominator}"]
    texts += [correct.replace("0.", ".", 1)] if correct.startswith("0.") else []
    texts += [f"{format_decimal(float(number * 100), places)}%"] if number != int(number) else []
    question_part = part("text", correct)
    assert KINDS["text"].format_hint(question_part) == "a number"
    assert [KINDS["text"].score(text, correct, question_part) for text in texts] == [1] * len(texts)
    shifted = format_decimal(float(number + Fraction(other, 10**places)), places)
    assert KINDS["text"].score(shifted, correct, question_part) == (other == 0)


@given(st.text(max_size=60) | st.text(alphabet="0123456789.,/%=x -+one half", max_size=20))
def test_any_text_is_a_number_or_none(typed: str):
    parse_number(typed)


def test_format_decimal_rounds_a_fraction():
    assert format_decimal(Fraction(1, 3), 4) == "0.3333" and format_decimal(Fraction(-1, 8), 2) == "-0.12"
    assert format_decimal(Fraction(-1, 1000), 2) == "0.00"


@pytest.mark.parametrize(
    ("kind", "expected", "typed", "fields", "score", "remark"),
    [
        ("decimal", 0.6704, "67.04", dict(decimals=4), 0, "100 times too large"),
        ("decimal", 101.05, "101050", dict(decimals=4), 0, "1000 times too large"),
        ("decimal", 44.9, "0.449", dict(decimals=2), 0, "100 times too small"),
        ("decimal", 44.9, "0.459", dict(decimals=2), 0, ""),
        ("decimal", 0.027778, "2.78e-2", dict(decimals=6), 0, "too few digits"),
        ("decimal", 0.027778, "0.0279", dict(decimals=6), 0, ""),
        ("vector", [0.6123, 0.3681, 0.0196], "[.61, .37, .02]", dict(decimals=4), 0, "too few digits"),
        ("vector", [0.6123, 0.3681], "[0.6123, 0.4]", dict(decimals=4), 1 / 2, "1 of 2 correct: check element 2."),
        ("vector", [0, 0, 1, 0], "[0, 0, 0, 0]", {}, 0, ""),
        ("vector", [0, 0, 1, 0], "[0, 1, 0, 0]", {}, 0, ""),
        ("vector", [0, 0, 1, 0], "0010", {}, 0, "Write commas between the elements"),
        ("vector", [2.0], "[sqrt(2)*sqrt(2)]", {}, 1, ""),
        ("matrix", [[0, 0], [0, 5]], "[[0, 0], [0, 0]]", {}, 0, ""),
        ("matrix", [[1, 2], [3, 4]], "[[1, 3], [2, 4]]", {}, 1 / 2, "the transpose"),
        ("matrix", [[1, 2], [3, 4]], "[[1, 2], [3, 5]]", {}, 3 / 4, "3 of 4 correct: check element [2, 2]."),
        ("matrix", [[1, 2, 3]], "[[1], [2], [3]]", {}, 0, "the transpose"),
        ("shape", [55, 55, 256], "256x55x55", {}, 1 / 3, "channels first"),
        ("shape", [55, 55, 256], "55x55x25", {}, 2 / 3, "2 of 3 correct: check element 3."),
        ("shape", [55, 55, 256], "55x55", {}, 0, "2 dimensions"),
        ("sequence", ["A", "B", "D"], "A, B, C, D", dict(choices=list("ABCD")), 0, ""),  # NMS that suppresses nothing
        ("set", ["A", "B", "D"], "A, B, C, D", dict(choices=list("ABCD")), 0, ""),
    ],
)
def test_scores_and_remarks_of_near_misses(kind, expected, typed, fields, score, remark):
    question_part = part(kind, expected, **fields)
    reading = KINDS[kind].read(typed, question_part)
    assert KINDS[kind].score(reading.value, expected, question_part) == pytest.approx(score)
    feedback = KINDS[kind].near_miss_feedback(reading, expected, question_part)
    assert (remark in feedback) if remark else not feedback
