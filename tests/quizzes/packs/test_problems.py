"""Problems of invalid packs: each is reported once, in its file and on its line."""

import os
from pathlib import Path

import pytest

from quizzes.packs.pack import check_pack
from workbench import syllabus
from workbench.errors import UserError

CARDS, SIZES, MOMENTUM = "cards/convolution.toml", "drills/sizes.toml", "drills/momentum.toml"


def problems(folder: Path) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.message) for problem in check_pack(folder, syllabus.topics()).problems]


def change(folder: Path, file: str, old: str, new: str) -> str:
    """Replace a piece of a file, and return the new text."""
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.replace(old, new, 1)


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


CORRECT = "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1"
PADDING = '[[drill.mistake]]\nname = "padding-once"'

# file, old piece, new piece, piece at whose line the problem is reported, piece of the message
INVALID = [
    ("pack.toml", 'name = "first-layers"', 'name = "First Layers"', "name =", "lowercase letters, digits and hyphens"),
    ("pack.toml", 'name = "first-layers"', 'name = "convolution"', "name =", "is the id of a topic"),
    ("pack.toml", "title =", "titel =", "titel", "Did you mean 'title"),
    ("pack.toml", 'title = "First layers of a network"', 'title = "[red]"', "title", "without square brackets"),
    ("pack.toml", 'title = "First layers of a network"', "title = 3", "title", "title must be a text"),
    ("pack.toml", 'title = "First', "title = First", "title", "not valid TOML: invalid value, at column 9"),
    (CARDS, 'kind = "cloze"', 'kind = "clozed"', 'kind = "clozed"', "Did you mean 'cloze"),
    (CARDS, "answer =", "anwser =", "anwser", "Did you mean 'answer"),
    (CARDS, "answer =", "anwser =", "[[card]]", "answer is missing"),
    (CARDS, '"None of them"', '"The number of channels "', "[[card]]", "occurs more than once"),
    (CARDS, '"None of them"', '"b"', "[[card]]", "'b' could be read as the letter"),
    (CARDS, "wrong = ", "wrong = 'x' # ", "wrong", "must be a list of 1 to 12 texts"),
    (CARDS, '"None of them"', "7", "wrong", "Each item of wrong must be a text"),
    (CARDS, 'id = "receptive-field"', 'id = "one-by-one"', 'id = "one-by-one"\nkind = "cloze"', "the same id"),
    (CARDS, "receptive ___.", "receptive area.", '[[card]]\nid = "rec', "has no gap"),
    (CARDS, "receptive ___.", "field ___.", '[[card]]\nid = "rec', "contains the answer 'field'"),
    (CARDS, 'accept = ["field"]', 'accept = [""]', "accept", "must not be empty"),
    (CARDS, 'accept = ["field"]', 'accept = ["\\u001b]0;x\\u0007"]', "accept", "control character"),
    (CARDS, "[[card]]", "[[crad]]", "[[crad]]", "Did you mean 'card"),
    (SIZES, "hint = ", "hints = ", "hints", "must be a list of 1 to 3 texts"),
    (SIZES, "hint = ", 'hints = ["a", "b", "c", "d"] # ', "hints", "must be a list of 1 to 3 texts"),
    (SIZES, "hint = ", 'hints = ["a", ""] # ', "hints", "Each item of hints must not be empty"),
    (SIZES, "hint = ", 'hints = ["a"]\nhint = ', "hint = ", "Write either hint or hints"),
    (SIZES, "hint = ", "# hint = ", "[[drill]]", "hint is missing"),
    (SIZES, "hint = ", "hnit = ", "hnit", "Did you mean 'hint"),
    (SIZES, "tier = 1", "tier = 4", "tier", "must be an integer from 1 to 3"),
    (SIZES, "tier = 1", "tier = true", "tier", "must be an integer from 1 to 3"),
    (SIZES, "tier = 1", "tier = 1\ndecimals = 99", "decimals", "must be an integer from 0 to 10"),
    (SIZES, "tier = 1", 'tier = 1\ntopic = "convolutoin"', "topic", "Did you mean 'convolution"),
    (SIZES, '"conv-out-size"', '"conv-out-siez"', "formula", "Did you mean 'conv-out-size"),
    (SIZES, 'asks = "o | n"', 'asks = "o | q"', "asks", "Unknown symbol of conv-out-size 'q'"),
    (SIZES, 'asks = "o | n"', 'asks = "o n"', "asks", "n is an input. Ask for it alone"),
    (SIZES, 'asks = "o | n"', 'asks = "o | o"', "asks", "several different ones"),
    (SIZES, "stride {s}", "stride s", "prompt", "Add {s}."),
    (SIZES, "The output is {o} x {o}.", "What is the output size?", "prompt", "Add {o}."),
    (SIZES, "{f} x {f}", "{f.__class__} x {f}", "prompt", "must be only a symbol"),
    (SIZES, "{f} x {f}", "{f:>99999999} x {f}", "prompt", "must be only a symbol"),
    (SIZES, "{f} x {f}", "{f x {f}", "prompt", ""),
    (SIZES, "{f} x {f}", "{f} x } {f}", "prompt", "without a partner"),
    (SIZES, "p < f and", "p < and", "where", "number is missing before 'and'"),
    (SIZES, "p < f and o >= 4", "p", "where", "condition is needed here"),
    (SIZES, "p < f", "p < g", "where", "p < g and o >= 4\n    ^"),
    (SIZES, "o >= 4", "o >= 400", "[[drill]]", "Widen its ranges"),
    (SIZES, 'p = "0..3"', 'p = "3..0"', "p = ", "is empty"),
    (SIZES, 'p = "0..3"', 'p = "0..300"', "p = ", "from 0 to 100"),
    (SIZES, 'p = "0..3"', 'p = "0..3 step 0.5"', "p = ", "from 0 to 100"),
    (SIZES, 'p = "0..3"', 'p = "0-3"', "p = ", "is not a range"),
    (SIZES, 'p = "0..3"', "p = [0, 101]", "p = ", "from 0 to 100"),
    (SIZES, 'p = "0..3"', "p = [true]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = [nan]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = [1e300]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', f"p = [1{'0' * 400}]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', 'p = ["1/0"]', "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', 'p = ["1e999999999"]', "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = []", "p = ", "0 values"),
    (SIZES, 'p = "0..3"', "p = 3", "p = ", "must be a list"),
    (SIZES, 'p = "0..3"', 'q = "0..3"', "q = ", "is not an input of conv-out-size"),
    (SIZES, 'f = "3..11 step 2"\n', "", "[drill.ranges]", "The input f has no range"),
    (SIZES, "[drill.ranges]", "[drill.range]", "[drill.range]", "Did you mean 'ranges"),
    (SIZES, "equation = ", 'equation = "o = 2 +"\n# ', "equation", "\n 2 +\n    ^"),
    (SIZES, "equation = ", 'equation = "o"\n# ', "equation", "is not an equation"),
    (SIZES, "equation = ", 'equation = "2*o = n"\n# ', "equation", "must define one symbol"),
    (SIZES, "equation = ", 'equation = "n = o"\n# ', "equation", "Its equations define o."),
    (SIZES, "equation = ", 'equation = "o = width"\n# ', "equation", "can't use width"),
    (SIZES, "equation = ", 'equation = "o = o + 1"\n# ', "equation", "can't use o. It can use d, f, n, p, s."),
    (SIZES, "equation = ", 'equation = "o = n[1]"\n# ', "equation", "n is of kind int. Write it as n."),
    (SIZES, "equation = ", 'equation = "o[i] = n"\n# ', "equation", "indices of the correct equation"),
    (SIZES, "equation = ", 'equation = "o = where(n, 1, 2)"\n# ', "equation", "condition is needed here"),
    (SIZES, "equation = ", 'equation = "o = [n, f]"\n# ', "equation", "is an array, and a number is needed"),
    (SIZES, "equation = ", 'equation = "o = n @ f"\n# ', "equation", "multiplies vectors and matrices"),
    (SIZES, "equation = ", 'equation = "o = sum(k = 1..width, n)"\n# ', "equation", "can't use width"),
    (SIZES, "equation = ", 'equation = "o = __import__(n)"\n# ', "equation", "can't use __import__"),
    (SIZES, "equation = ", f"equation = '{CORRECT}'\n# ", "equation", "the correct equation"),
    (SIZES, "equation = ", f"equation = '{CORRECT} + 0'\n# ", "[[drill.mistake]]", "always gives the correct values"),
    (
        SIZES,
        "equation = ",
        'equation = "o = floor((n + p - d*f + d - 1)/s) + 1"\n# ',
        PADDING,
        "the same values as no-plus-one",
    ),
    (SIZES, 'name = "padding-once"', 'name = "no-plus-one"', "[[drill.mistake]]", "same name"),
    (SIZES, 'name = "padding-once"', 'name = "once, twice"', 'name = "once', "lowercase letters"),
    (MOMENTUM, 'g = "-3..3 step 0.5"', 'g = "-3..3.5"', 'g = "', "needs a step"),
    (MOMENTUM, "equation = ", 'equation = "v = 9^9^9^9"\n# ', "equation", "99"),
]


@pytest.mark.parametrize(("file", "old", "new", "at", "message"), INVALID)
def test_a_problem_is_reported_on_its_line(folder, file, old, new, at, message):
    text = change(folder, file, old, new)
    for other in {SIZES, MOMENTUM} - {file}:
        (folder / other).unlink()  # to save the time of checking its drill
    reports = problems(folder)
    assert [(f, line) for f, line, text in reports if message in text] == [(file, line_of(text, at))], reports


def test_an_id_of_another_file_is_reported_in_the_second_file(folder):
    change(folder, MOMENTUM, 'id = "momentum-by-hand"', 'id = "conv-basics"')
    line = line_of((folder / SIZES).read_text(encoding="utf-8"), "id = ")
    assert [(file, line) for file, line, text in problems(folder) if "the same id" in text] == [(SIZES, line)]


def test_the_example_has_no_problems(folder):
    assert problems(folder) == []


def test_all_problems_of_all_files_are_reported(folder):
    change(folder, "pack.toml", "title", "titel")
    change(folder, CARDS, "answer =", "anwser =")
    change(folder, CARDS, 'accept = ["field"]', "accept = []")
    change(folder, SIZES, "tier = 1", "tier = 9")
    change(folder, SIZES, 'p = "0..3"', 'p = "3..0"')
    change(folder, SIZES, 'feedback = "You added', 'feedbak = "You added')
    (folder / MOMENTUM).write_text("[[drill]\n", encoding="utf-8")
    files = [file for file, _, _ in problems(folder)]
    assert (files.count("pack.toml"), files.count(CARDS), files.count(SIZES), files.count(MOMENTUM)) == (2, 3, 4, 1)


def test_a_file_of_cards_must_have_the_id_of_a_topic(folder):
    (folder / CARDS).rename(folder / "cards" / "convolutoin.toml")
    reports = [(file, line) for file, line, text in problems(folder) if "Did you mean 'convolution" in text]
    assert reports == [("cards/convolutoin.toml", 1)]


def use_former_keys(folder: Path) -> str:
    """Rename the keys of all cards as packs had them before, and return the new text."""
    text = (folder / CARDS).read_text(encoding="utf-8").replace("\nprompt =", "\nask =")
    text = text.replace("\nexplanation =", "\nwhy =")
    (folder / CARDS).write_text(text, encoding="utf-8")
    return text


def test_cards_with_the_former_keys_are_read(folder):
    cards = check_pack(folder, syllabus.topics()).cards
    text = use_former_keys(folder)
    assert text.count("\nask =") == text.count("\nwhy =") == 2 and "prompt" not in text
    pack = check_pack(folder, syllabus.topics())
    assert pack.problems == [] and len(cards) == 2
    assert pack.cards == cards  # with the same prompts and explanations


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("ask = ", "ask = 3 # ", "ask = 3", "must be a text"),
        ("why = ", 'why = "" # ', "why = ", "must not be empty"),
        ("why = ", "explanation = 3\nwhy = ", "why = ", "Unknown key 'why'"),
        ("why = ", "# why = ", "[[card]]", "explanation is missing"),
        ("ask = ", "aks = ", "aks = ", "Unknown key 'aks'"),
        ("ask = ", "[card.ask]\nx = ", "[card.ask]", "must be a text"),
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_problem_of_a_former_key_is_reported_on_its_line(folder, number, old, new, at, message):
    cards = use_former_keys(folder).split("[[card]]")[1:]
    cards[number] = cards[number].replace(old, new, 1)
    text = "[[card]]" + "[[card]]".join(cards)
    (folder / CARDS).write_text(text, encoding="utf-8")
    start = text.index("[[card]]", number)
    line = text.count("\n", 0, text.index(at, start)) + 1
    reports = problems(folder)
    assert [(file, line) for file, line, text in reports if message in text] == [(CARDS, line)], reports


def test_a_folder_without_a_pack(folder, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        check_pack(tmp_path / "none", syllabus.topics())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert [file for file, _, _ in problems(empty)] == ["pack.toml", "pack.toml"]


HOSTILE = {
    "a binary file": (b"\x00\x01\x02[[card]]\xff\xfe", 1, "UTF-8"),
    "not UTF-8": ("\n\nask = 'caf\xe9'".encode("latin-1"), 3, "UTF-8"),
    "control characters": (b'\nx = "\x07"', 2, "This is not valid TOML"),
    "more than 1 MB": (b"# " + b"x\n# " * 300_000, 1, "larger than 1 MB"),
    "a line without end": (b"\n\n" + b"a." * 100_000 + b"a = 1", 3, "200005 characters"),
    "keys of many dots": ((b"a." * 1990 + b"b = 1\n") * 1, 1, "Unknown key"),
    "deep nesting": (b"\nx = " + b"[" * 3000 + b"]" * 900, 2, "nested too deep"),
    "deep tables": (b"x = " + b"{a=" * 1200 + b"}" * 300, 1, "nested too deep"),
    "a number of 4,900 digits": (b"\n\nx = [" + b"9" * 3900 + b"_\n" + b"9" * 1000 + b"]", 3, ""),
    "a huge number": (b"x = " + b"9" * 3990, 1, ""),
    "10,000 cards": (b"[[card]]\n" * 10_000, 1, "There are 10000"),
    "an endless string": (b'x = """\n\n', 1, "This is not valid TOML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_problem(folder, name):
    data, line, message = HOSTILE[name]
    (folder / CARDS).write_bytes(data)
    assert [(f, n) for f, n, text in problems(folder) if message in text][:1] == [(CARDS, line)]


def test_links_and_special_files_are_problems(folder, tmp_path):
    outside = tmp_path / "secret.toml"
    outside.write_text("[[card]]", encoding="utf-8")
    (folder / "cards" / "pooling.toml").symlink_to(outside)
    (folder / "cards" / "resnet.toml").mkdir()
    (folder / "cards" / "momentum.toml").symlink_to("momentum.toml")  # to itself
    os.mkfifo(folder / "cards" / "adam.toml")  # reading it would wait forever
    messages = {file: text for file, _, text in problems(folder)}
    assert "link to outside" in messages["cards/pooling.toml"]
    for name in ("resnet", "momentum", "adam"):
        assert "not a regular file" in messages[f"cards/{name}.toml"]
    assert len(messages) == 4


def test_deeply_nested_sums_are_a_problem(folder):
    (folder / SIZES).write_text(
        '[[drill]]\nid = "a"\ntitle = "t"\nformula = "softmax"\ntier = 1\nasks = "p"\nprompt = "{z}"\nhint = "h"\n'
        "[drill.ranges]\nz = [[1, 2], [3, 4]]\n[[drill.mistake]]\nname = 'm'\nfeedback = 'f.'\n"
        'equation = "p[i] = sum(j, sum(k, sum(l, z[j]*z[k]*z[l])))"\n',
        encoding="utf-8",
    )
    assert any("nested more than 2 deep" in text and line == 14 for _, line, text in problems(folder))


def test_a_huge_integer_as_id_is_a_problem(folder):
    change(folder, SIZES, 'id = "conv-basics"', f"id = 0x{'F' * 3900}")  # too long to be converted to a text
    change(folder, MOMENTUM, 'id = "momentum-by-hand"', f"id = 0x{'F' * 3900}")
    assert [(file, line) for file, line, text in problems(folder) if "id must be a text" in text] == [
        (MOMENTUM, 2),
        (SIZES, 2),
    ]
