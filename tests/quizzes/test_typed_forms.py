"""Answers as other programs print them and as people type them, each with what it must be read as."""

import random

import numpy as np
import pytest
import torch

from quizzes.answers import KINDS
from quizzes.expressions.parser import FormatError
from quizzes.question import Part

RNG = random.Random(0)


def read(kind, typed, label="a label", **fields):
    part = Part("a", kind, label, None, **fields)
    value = KINDS[kind].read(typed, part).value
    return value[0] if kind == "decimal" else value


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, list) else [value]


# -- vectors and matrices, as NumPy, PyTorch, Python, MATLAB and spreadsheets print them


def rows(matrix, column, row):
    return row.join(column.join(f"{x:g}" for x in line) for line in matrix)


MATRIX_FORMS = {
    "python": str,
    "python without spaces": lambda m: str(m).replace(" ", ""),
    "numpy str": lambda m: str(np.array(m)),
    "numpy str of floats": lambda m: str(np.array(m, dtype=float)),
    "numpy repr": lambda m: repr(np.array(m, dtype=np.float32)),
    "np.array": lambda m: f"np.array({m})",
    "torch str": lambda m: str(torch.tensor(m)),
    "torch repr": lambda m: repr(torch.tensor(m, dtype=torch.double)),
    "torch with a gradient": lambda m: str(torch.tensor(m, dtype=torch.float, requires_grad=True) * 1),
    "matlab": lambda m: f"[{rows(m, ' ', '; ')}]",
    "matlab with commas": lambda m: f"[{rows(m, ', ', ';')}]",
    "matlab lines": lambda m: f"[{rows(m, ' ', chr(10))}]",
    "spreadsheet": lambda m: rows(m, "\t", "\n"),
    "csv": lambda m: rows(m, ",", "\n"),
    "semicolons": lambda m: rows(m, ", ", "; "),
    "spaces and semicolons": lambda m: rows(m, " ", "; "),
    "aligned lines": lambda m: "\n".join(" ".join(f"{x:8g}" for x in line) for line in m),
    "mathematica": lambda m: str(m).replace("[", "{").replace("]", "}"),
    "tuples": lambda m: str(tuple(map(tuple, m))),
    "trailing commas": lambda m: "[" + ",".join(f"[{rows([line], ', ', '')},]" for line in m) + ",]",
    "minus signs": lambda m: str(m).replace("-", "\u2212"),
    "no-break spaces": lambda m: str(m).replace(" ", "\u00a0"),
}
VECTOR_FORMS = {
    name: form
    for name, form in MATRIX_FORMS.items()
    if name
    not in ("csv", "matlab with commas", "matlab lines", "semicolons", "spaces and semicolons", "trailing commas")
} | {
    "bare": lambda v: ", ".join(map(str, v)),
    "spaces": lambda v: " ".join(map(str, v)),
    "in parentheses": lambda v: f"({', '.join(map(str, v))})",
    "column": lambda v: str([[x] for x in v]),
    "row": lambda v: str([v]),
    "numpy column": lambda v: str(np.array(v)[:, None]),
    "lines": lambda v: "\n".join(map(str, v)),
    "tabs": lambda v: "\t".join(map(str, v)),
    "transposed": lambda v: f"{v}^T",
    "matlab": lambda v: f"[{' '.join(map(str, v))}]",
    "spreadsheet": lambda v: "\t".join(map(str, v)),
    "aligned lines": lambda v: "[" + " ".join(f"{x:8g}" for x in v) + "]",
    "tuples": lambda v: str(tuple(v)),
}
NUMBERS = [-12, -8, -1, -0.5, -0.25, 0, 0.125, 0.75, 1, 2, 7, 30]
MATRICES = [
    [[RNG.choice(NUMBERS) for _ in range(n)] for _ in range(m)]
    for m, n in ((2, 2), (2, 3), (3, 2), (3, 3), (1, 3), (4, 2))
]
VECTORS = [[RNG.choice(NUMBERS) for _ in range(n)] for n in (2, 2, 3, 3, 4, 5, 6)]


@pytest.mark.parametrize("name", MATRIX_FORMS)
def test_matrices(name):
    for matrix in MATRICES:
        if len(matrix) == 1 and name in ("tuples",):  # Python's own trailing comma
            continue
        assert read("matrix", MATRIX_FORMS[name](matrix)) == matrix, MATRIX_FORMS[name](matrix)


@pytest.mark.parametrize("name", VECTOR_FORMS)
def test_vectors(name):
    for vector in VECTORS:
        assert read("vector", VECTOR_FORMS[name](vector)) == vector, VECTOR_FORMS[name](vector)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("[7 -8]", [7, -8]),
        ("[7 - 8]", [-1]),
        ("[7-8]", [-1]),
        ("[7 -8 + 2]", [7, -6]),
        ("[1/2 -3/4]", [0.5, -0.75]),
        ("[2*3 4]", [6, 4]),
        ("[(1 - 2) 3]", [-1, 3]),
        ("[1 , -2]", [1, -2]),
        ("[-1 -2]", [-1, -2]),
        ("[1 +2]", [1, 2]),
        ("[ 1.e+00 -2.5e-01]", [1, -0.25]),
        ("[2^-1 3]", [0.5, 3]),
        ("[2⁻¹, 10⁻¹·5]", [0.5, 0.5]),
        ("[½, ¾]", [0.5, 0.75]),
        ("[1 2 3\n 4 5]", [1, 2, 3, 4, 5]),
    ],
)
def test_signs_and_spaces_in_a_list(typed, value):
    assert read("vector", typed) == value


@pytest.mark.parametrize("typed", ["[7 -8, 3]", "[1, 7 -8]", "7 -8, 3", "[[1, 7 -8], [2, 3]]"])
def test_a_sign_that_may_start_an_element_is_rejected_with_a_caret(typed):
    kind = "matrix" if "[[" in typed else "vector"
    with pytest.raises(FormatError, match="write commas between all elements") as error:
        read(kind, typed)
    assert error.value.text[error.value.at] == "-"


# -- shapes

SHAPE_FORMS = [
    *("{a}x{b}x{c}", "{a} x {b} x {c}", "{a}X{b}X{c}", "{a}×{b}×{c}", "{a} × {b} × {c}", "{a}*{b}*{c}", "{a}·{b}·{c}"),
    *("{a} {b} {c}", "{a}, {b}, {c}", "({a}, {b}, {c})", "[{a}, {b}, {c}]", "[{a} {b} {c}]", "({a},{b},{c},)"),
    *(
        "torch.Size([{a}, {b}, {c}])",
        "TensorShape([{a}, {b}, {c}])",
        "{a} by {b} by {c}",
        "{a};{b};{c}",
        "{a}\t{b}\t{c}",
    ),
    *("np.array([{a}, {b}, {c}])", "{a} ⋅ {b} ⋅ {c}", "{{{a}, {b}, {c}}}"),
]
SHAPES = [(55, 55, 256), (1, 1, 1000), (7, 7, 512), (224, 224, 3), (10, 3, 0)]


@pytest.mark.parametrize("form", SHAPE_FORMS)
def test_shapes(form):
    for a, b, c in SHAPES:
        assert read("shape", form.format(a=a, b=b, c=c)) == [a, b, c]


@pytest.mark.parametrize("typed", ["10", "[10]", "(10)", "(10,)", "[10,]", "torch.Size([10])", " 10 "])
def test_shapes_of_one_dimension(typed):
    assert read("shape", typed) == [10]


@pytest.mark.parametrize("typed", ["1,4x15x32", "14*15x32", "14, 15 32", "14 15, 32"])
def test_shapes_with_several_separators_are_rejected(typed):
    with pytest.raises(FormatError, match="the same sign between all dimensions"):
        read("shape", typed)


# -- integers with separators of thousands, units and words

INTEGERS = [20_500, 162_570_240, 1000, 999_999, 25_557_032, -12_345, 1_281_167]
MARKS = {
    "comma": ",",
    "point": ".",
    "space": " ",
    "apostrophe": "'",
    "underscore": "_",
    "narrow space": "\u202f",
    "no-break space": "\u00a0",
    "typographic apostrophe": "\u2019",
    "thin space": "\u2009",
}


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("suffix", ["", " parameters", " params"])
def test_thousands_of_integers(name, suffix):
    for value in INTEGERS:
        typed = f"{value:,}".replace(",", MARKS[name]) + suffix
        assert read("integer", typed, "number of parameters (params)") == value, typed


INTEGER_FORMS = [
    ("3 px", "padding (px)", 3),
    ("3px", "padding (px)", 3),
    ("3 pixels", "padding (px)", 3),
    ("33 layers", "number of layers", 33),
    ("1 layer", "number of layers", 1),
    ("432896 parameters", "number of parameters", 432_896),
    ("epoch 4", "first epoch of the plateau", 4),
    ("1.2e6", "number of parameters", 1_200_000),
    ("2^10", "number of parameters", 1024),
    ("2¹⁰", "number of parameters", 1024),
    ("3*3*64", "number of weights", 576),
    ("3·3·64", "number of weights", 576),
    ("3 × 3 × 64", "number of weights", 576),
    ("–5", "a number", -5),
    ("+5", "a number", 5),
    ("5.", "a number", 5),
    ("5.0", "a number", 5),
    ("5.00", "a number", 5),
    ("５", "a number", 5),
    ("1 000 tokens", "number of tokens", 1000),
    ("12 tokens.", "number of tokens", 12),
]


@pytest.mark.parametrize(("typed", "label", "value"), INTEGER_FORMS)
def test_integers(typed, label, value):
    assert read("integer", typed, label) == value


DECIMAL_FORMS = [
    ("1,234.5", "", 1234.5),
    ("1.234,5", "", 1234.5),
    ("1 234.5", "", 1234.5),
    ("1'234.5", "", 1234.5),
    ("1_234.5", "", 1234.5),
    ("12,345,678", "", 12_345_678),
    ("12.345.678", "", 12_345_678),
    ("12,345,678.25", "", 12_345_678.25),
    ("1,234.5e3", "", 1_234_500),
    ("0.25", "", 0.25),
    (".25", "", 0.25),
    ("-.25", "", -0.25),
    ("0.250", "", 0.25),
    ("2.5e-1", "", 0.25),
    ("2.5E-01", "", 0.25),
    ("2.5x10^-1", "", 0.25),
    ("2.5 x 10^-1", "", 0.25),
    ("2.5×10^(-1)", "", 0.25),
    ("2.5*10**-1", "", 0.25),
    ("2.5·10⁻¹", "", 0.25),
    ("25 · 10⁻²", "", 0.25),
    ("1/4", "", 0.25),
    ("¼", "", 0.25),
    ("2½", "", 2.5),
    ("2 ½", "", 2.5),
    ("1/2^2", "", 0.25),
    ("2⁻²", "", 0.25),
    ("≈ 0.25", "", 0.25),
    ("~0.25", "", 0.25),
    ("–0.25", "", -0.25),
    ("—0.25", "", -0.25),
    ("−0.25", "", -0.25),
    ("25%", "share", 0.25),
    ("25 %", "share", 0.25),
    ("25 percent", "share", 0.25),
    ("44.9%", "share of the weights (%)", 44.9),
    ("44.9 %", "share of the weights (%)", 44.9),
    ("44.9", "share of the weights (%)", 44.9),
    ("1050 px^2", "area (px^2)", 1050),
    ("1050 px²", "area (px^2)", 1050),
    ("0.8979 nats", "entropy of p (nats)", 0.8979),
    ("1.25 bits", "entropy of p (bits)", 1.25),
    ("4.75x", "speedup", 4.75),
    ("4.75 times", "speedup (times)", 4.75),
    ("3 MB", "memory in fp32 (MB, 10^6 bytes)", 3),
    ("1.5 GiB", "cache (GiB)", 1.5),
    ("20 dB", "peak signal-to-noise ratio (dB)", 20),
    ("12.5 ms", "time per step (ms)", 12.5),
    ("0.125 seconds", "time in seconds", 0.125),
    ("0.1250000000000000000000000000000000000001", "", 0.125),
    ("２.５", "", 2.5),
]


@pytest.mark.parametrize(("typed", "label", "value"), DECIMAL_FORMS)
def test_decimals(typed, label, value):
    assert float(read("decimal", typed, label or "a number", decimals=4)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("typed", "label", "sentence"),
    [
        ("0,25", "a number", r"does 0,25 mean 0\.25"),
        ("1,234", "a number", r"1\.234 or 1234"),
        ("3 MB", "memory (GB)", "unknown name 'MB'"),
        ("3 apples", "number of layers", "unknown name 'apples'"),
        ("1,23,456", "a number", "Use a decimal point|can't follow|write one"),
    ],
)
def test_numbers_that_can_be_misread_are_rejected(typed, label, sentence):
    with pytest.raises(FormatError, match=sentence):
        read("decimal", typed, label, decimals=4)


def test_a_number_of_40_digits_is_read_exactly():
    from fractions import Fraction

    assert read("decimal", "0.4516129032258064451612903225806445161290") == Fraction(
        4516129032258064451612903225806445161290, 10**40
    )
    assert read("integer", "1234567890123456789012345678901234567890") == 1234567890123456789012345678901234567890


# -- letters and labels

LABEL_FORMS = [
    "{0}, {1}, {2}, {3}",
    "{0}{1}{2}{3}",
    "{0} {1} {2} {3}",
    "{0}-{1}-{2}-{3}",
    "{0} > {1} > {2} > {3}",
    "{0}>{1}>{2}>{3}",
    "{0} -> {1} -> {2} -> {3}",
    "{0}→{1}→{2}→{3}",
    "{0}; {1}; {2}; {3}",
    "[{0}, {1}, {2}, {3}]",
    "({0},{1},{2},{3})",
    "{0}, {1}, {2} and {3}",
    "{0} then {1} then {2} then {3}",
    "{0}\n{1}\n{2}\n{3}",
    "{0}) {1}) {2}) {3})",
    "{0}. {1}. {2}. {3}.",
    "{0}, {1}, {2}, {3}.",
]


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_letters_in_order(form):
    choices = ["red", "green", "blue", "gray"]
    for order in ("cabd", "dcba"):
        assert read("order", form.format(*order), choices=choices) == list(order)
        assert read("order", form.format(*order.upper()), choices=choices) == list(order)
        if ")" not in form.strip("()") and ". " not in form:
            assert read("sequence", form.format(*order.upper()).rstrip("."), choices=list("ABCD")) == list(
                order.upper()
            )


@pytest.mark.parametrize(
    "typed",
    [
        "a and c",
        "ac",
        "a, c",
        "c a",
        "(a), (c)",
        "a & c",
        "a) and c)",
        "A; C",
        "c and a",
        "[a, c]",
        "a\nc",
        "a/c".replace("/", " "),
    ],
)
def test_several_choices(typed):
    assert read("choices", typed, choices=["red", "green", "blue", "gray"]) == ["a", "c"]


@pytest.mark.parametrize("typed", ["b", "B", "b)", "(b)", "b.", "B:", "option b", "Answer B", "green", "Green"])
def test_one_choice(typed):
    assert read("choice", typed, choices=["red", "green", "blue", "gray"]) == "b"


@pytest.mark.parametrize(
    "typed",
    [
        "a=3, b=1, c=2",
        "a3b1c2",
        "a3 b1 c2",
        "a:3 b:1 c:2",
        "a-3, b-1, c-2",
        "a -> 3; b -> 1; c -> 2",
        "a→3 b→1 c→2",
        "a 3 b 1 c 2",
        "A=3 and B=1 and C=2",
        "a) 3\nb) 1\nc) 2",
        "c=2, a=3, b=1",
        "a = 3 , b = 1 , c = 2",
        "a=3,b=1,c=2.",
    ],
)
def test_matches(typed):
    fields = dict(items=["x", "y", "z"], choices=["1st", "2nd", "3rd"])
    assert read("match", typed, **fields) == {"a": 3, "b": 1, "c": 2}


def test_tags_keep_their_hyphens():
    assert read("sequence", "B-PER O I-LOC", choices=["B-PER", "I-LOC", "O"]) == ["B-PER", "O", "I-LOC"]
