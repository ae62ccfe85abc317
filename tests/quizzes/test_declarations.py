"""Typos in a declaration are errors that name the file, the line, the problem and the options."""

import re
import tomllib
from random import Random

import pytest

from quizzes import bank, cards, formulas
from quizzes.check_source import CheckSource, read_checks
from quizzes.declaration import check_pairs
from quizzes.drill import Mistake, drill, one_of
from quizzes.formula import Formula
from quizzes.packs.pack import read_pack
from quizzes.symbols import Int, Real
from quizzes.visualizations import KINDS
from tests import example_pack
from workbench import syllabus
from workbench.errors import DeclarationError

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
        return dict(a=2, x=rng.randint(3, 9))

    product.__doc__ = arguments.pop("title", "Product of two numbers")
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
        (dict(equations="y = a*x; y = x*a"), "y is defined twice"),
        (dict(equations="y = a*x y = x"), "without an equals sign"),
        (dict(x=Int(9, 1, "input")), "x has no values, because 9 is larger than 1"),
        (dict(x=Int(1, 9, "input", default=0)), r"the default of x \(input\) must be an integer from 1 to 9"),
        (dict(procedure=dict), "procedure and procedure_outputs need each other"),
        (dict(topic="activatoins"), "Unknown topic 'activatoins'. Did you mean 'activations'"),
    ],
)
def test_a_typo_in_a_formula(changes, problem):
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: formula times: .*{problem}"):
        declare_formula(**changes)


# What Python alone can get wrong, or says in its own words.
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(asks="yy"), "asks: Unknown symbol of times 'yy'. Did you mean 'y'"),
        (dict(asks=one_of("y", "b")), "asks: Unknown symbol of times 'b'. Choose from a, x, y."),
        (dict(asks=()), "asks must name one symbol or several different ones"),
        (dict(prompt="{x.real} and {a}"), r"must be only a symbol, .* Write it as \{x\}"),
        (dict(prompt="{x!r} and {a}"), "must be only a symbol"),
        (dict(prompt="{} and {a}"), "must be only a symbol"),
        (dict(visualization="scater z y"), "visualization: Unknown kind 'scater'. Did you mean 'scatter'"),
        (dict(visualization="flwo: {x} > ?"), "visualization: Unknown kind 'flwo'. Did you mean 'flow'"),
        (dict(mistakes=[Mistake("sum", {"Y": max}, "You added.")]), "mistake sum: Unknown output 'Y'. Choose from y."),
        (dict(mistakes=[Mistake("sum", "y = a + x", "You added.")]), "needs at least 2 mistakes"),
        (dict(title=""), "title must not be empty"),
    ],
)
def test_a_typo_in_a_drill(changes, problem):
    with pytest.raises(DeclarationError, match=rf"(?s){HERE}:\d+: drill product: .*{problem}"):
        declare_drill(**changes)


# What is only seen when a question is drawn, because the generator may return more than symbols.
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (dict(prompt="{nope}"), "prompt: Unknown field 'nope'. Choose from a, x, y."),
        (dict(visualization="scatter x yy"), "visualization: Unknown value 'yy'. Did you mean 'y'"),
        (dict(visualization="scatter x y w=w0"), "visualization: Unknown value 'w0'. Choose from a, x, y."),
        (dict(visualization="flow: {z} > ?"), "visualization: Unknown value 'z'. Choose from a, x, y."),
    ],
)
def test_a_name_that_nothing_returns(changes, problem):
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: drill product: {problem}"):
        declare_drill(**changes).draw(1)


def test_a_check_with_a_parameter_that_nothing_returns(monkeypatch):
    check = CheckSource({"a": False, "xx": False}, "", ())
    monkeypatch.setattr("quizzes.declaration.read_checks", lambda module: {"product": check})
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: drill product: the check in .*: Unknown parameter 'xx'"):
        declare_drill().draw(1)


def test_a_check_that_is_not_python(tmp_path, monkeypatch):
    (tmp_path / "broken_checks.py").write_text("import torch\n\ndef iou(A, B:\n    return 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError, match=r"broken_checks.py:3: '\(' was never closed"):
        read_checks("broken_checks")


# What a pack can get wrong too, as edits of an example in TOML: (old, new, on the line of, sentence).
SHARED = [
    (
        'asks = "o | n"',
        'asks = "o | q"',
        "asks",
        "asks: Unknown symbol of conv-out-size 'q'. Choose from d, f, n, o, p,",
    ),
    ('asks = "o | n"', 'asks = "oo"', "asks", "asks: Unknown symbol of conv-out-size 'oo'. Did you mean 'o'?"),
    ('asks = "o | n"', 'asks = "o n"', "asks", "asks: n is an input. Ask for it alone, or for one of several symbols."),
    ('asks = "o | n"', 'asks = "o | o"', "asks", "asks must name one symbol or several different ones."),
    ("{f} x {f}", "{ff} x {f}", "prompt", "prompt: Unknown field 'ff'. Did you mean 'f'?"),
    ("{f} x {f}", "{f.x} x {f}", "prompt", "Write it as {f}."),
    ("{f} x {f}", "{f:>99999} x {f}", "prompt", "A field of prompt must be only a symbol"),
    ("{f} x {f}", "{f} x f}", "prompt", "prompt has a brace without a partner."),
    ("tier = 1", "tier = 4", "tier", "tier must be an integer from 1 to 3."),
    ("tier = 1", "tier = 1\ndecimals = 99", "decimals", "decimals must be an integer from 0 to 10."),
    ('hint = "How', 'hint = " " # ', "hint", "hint must not be empty."),
    ('title = "Input', 'title = "" # ', "title", "title must not be empty."),
    (
        'equation = "o = floor((n + p',
        'equation = "o floor((n + p',
        "",
        "is not an equation. Write it as o = ...",
    ),
    (
        'equation = "o = floor((n + p',
        'equation = "u = floor((n + p',
        "",
        "defines u. Its equations define o.",
    ),
    ("(n + p - d", "(n + P - d", "", "The equation can't use P. It can use d, f, n, p, s."),
    ("(n + p - d", "(o + p - d", "", "The equation can't use o. It can use d, f, n, p, s."),
    (
        "(n + p - d",
        "(n + 2p - d",
        "- 1)/s) + 1",
        "This is the correct equation. Write the one that a student would use",
    ),
    ("(n + p - d", "((n + p - d", "", "to close floor"),
    ("(n + p - d", "(n[1] + p - d", "", "n is of kind int. Write it as n."),
    (
        'equation = "o = floor((n + p',
        'equation = "o[i] = floor((n + p',
        "",
        "must have the indices of the",
    ),
    (
        'name = "padding-once"',
        'name = "no-plus-one"',
        "[[drill.mistake]]",
        "Two mistakes have the same name.",
    ),
    (
        'name = "padding-once"',
        'name = "padding once"',
        'name = "padding',
        "name must be at most 60 lowercase letters",
    ),
    ('feedback = "You added', 'feedback = "" # ', 'feedback = ""', "feedback must not be empty."),
]


def declare_from_toml(text: str):
    """Declare in Python what the first drill in a TOML text says."""
    table = tomllib.loads(text)["drill"][0]
    names = table["asks"].replace("|", " ").split()

    def conv_basics(rng: Random):
        return dict(n=rng.choice([63, 64]), f=rng.choice([5, 7]), p=2, s=1)

    conv_basics.__doc__ = table["title"]
    return drill(
        formulas.get(table["formula"]),
        asks=one_of(*names) if "|" in table["asks"] else tuple(names),
        tier=table["tier"],
        prompt=table["prompt"],
        hint=table["hint"],
        decimals=table.get("decimals", 4),
        mistakes=[Mistake(m["name"], m["equation"], m["feedback"]) for m in table["mistake"]],
    )(conv_basics)


@pytest.mark.parametrize(("old", "new", "at", "sentence"), SHARED)
def test_a_typo_is_the_same_sentence_in_python_and_in_a_pack(tmp_path, old, new, at, sentence):
    folder = example_pack.write(tmp_path / "first-layers")
    (folder / "drills" / "momentum.toml").unlink()
    file = folder / "drills" / "sizes.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text and declare_from_toml(text).draw(1)
    text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    line = text[: text.index(at or new)].count("\n") + 1
    problems = read_pack(folder, syllabus.topics()).problems
    [message] = [problem.message for problem in problems if sentence in problem.message]
    assert [(p.file, p.line) for p in problems if p.message == message] == [("drills/sizes.toml", line)]
    with pytest.raises(DeclarationError) as error:
        declare_from_toml(text).draw(1)
    assert re.match(rf"{HERE}:\d+: drill conv-basics: ", str(error.value)) and str(error.value).endswith(message)


def test_an_unknown_topic_is_the_same_sentence_in_python_and_in_a_pack(tmp_path):
    sentence = "Unknown topic 'convolutoin'. Did you mean 'convolution"
    with pytest.raises(DeclarationError, match=rf"{HERE}:\d+: formula times: {sentence}"):
        declare_formula(topic="convolutoin")
    folder = example_pack.write(tmp_path / "first-layers")
    file = folder / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("tier =", 'topic = "convolutoin"\ntier =', 1))
    (folder / "cards" / "convolution.toml").rename(folder / "cards" / "convolutoin.toml")
    reports = [(p.file, p.line) for p in read_pack(folder, syllabus.topics()).problems if sentence in p.message]
    assert reports == [("cards/convolutoin.toml", 1), ("drills/sizes.toml", 5)]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('kind = "cloze"', 'kind = "clozed"', "Unknown kind 'clozed'. Did you mean 'cloze"),
        ("answer =", "anwser =", "answer is missing. Add a line answer = ..."),
        ("receptive ___.", "receptive area.", "prompt has no gap."),
        ("receptive ___.", "field ___.", "prompt contains the answer 'field'. Reword it."),
        ('"None of them"', '"The number of channels"', "occurs more than once"),
        ('id = "receptive-field"', 'id = "one-by-one"', "the same id. Choose another id."),
        ("explanation =", "explanaton =", "Unknown key 'explanaton'. Did you mean 'explanation'"),
        ("[[card]]", "[[crad]]", "Unknown key 'crad'. Did you mean 'card'"),
        ('kind = "cloze"', "kind = cloze", "not valid TOML"),
    ],
)
def test_a_typo_in_a_card_is_the_same_sentence_built_in_and_in_a_pack(tmp_path, old, new, sentence):
    folder = example_pack.write(tmp_path / "first-layers")
    file = folder / "cards" / "convolution.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text and len(cards.read_cards(file, "convolution")) == 2
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = [p for p in read_pack(folder, syllabus.topics()).problems if sentence in p.message]
    with pytest.raises(DeclarationError) as error:
        cards.read_cards(file, "convolution")
    assert re.match(rf"{re.escape(str(file))}:\d+: ", str(error.value))
    assert problems
    if sentence in str(error.value):  # otherwise the error is another problem of the same card, on an earlier line
        assert str(error.value).startswith(f"{file}:{problems[0].line}: ")


def test_the_kinds_of_visualizations_are_those_that_can_be_drawn():
    from workbench.render.visualizations import DRAWINGS

    assert set(DRAWINGS) == KINDS


def test_a_misspelled_argument_or_kind_is_pythons_own_error():
    with pytest.raises(TypeError, match="hnit"):
        declare_drill(hnit="Multiply.")
    with pytest.raises(TypeError, match="uint"):
        Int(1, 9, "input", uint="px")
    with pytest.raises(ImportError, match="Itn"):
        from quizzes.symbols import Itn  # noqa: F401


def test_a_drill_without_a_check_and_a_check_without_a_drill(tmp_path):
    drills = [drill for drill in bank.all_drills().values() if drill.topic == "iou"]
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
