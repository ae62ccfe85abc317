"""What `check` says of a broken pack: each problem once, in its file, on its line, and what to do."""

import os
from pathlib import Path

import pytest

from quizzes.packs.pack import check_pack
from workbench import syllabus
from workbench.errors import UserError

CARDS, SIZES, MOMENTUM = "cards/convolution.toml", "drills/sizes.toml", "drills/momentum.toml"


def problems(folder: Path) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.problem) for problem in check_pack(folder, syllabus.topics()).problems]


def change(folder: Path, file: str, old: str, new: str) -> str:
    """Write something else; the text that is there now."""
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.replace(old, new, 1)


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


TRUE = "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1"
PADDING = '[[drill.mistake]]\nname = "padding-once"'

# file, what is replaced, by what, at which piece of the new text the problem stands, what it says
BROKEN = [
    ("pack.toml", 'name = "first-layers"', 'name = "First Layers"', "name =", "small letters, digits and hyphens"),
    ("pack.toml", 'name = "first-layers"', 'name = "convolution"', "name =", "is a topic"),
    ("pack.toml", "title =", "titel =", "titel", "Did you mean 'title"),
    ("pack.toml", 'title = "First layers of a network"', 'title = "[red]"', "title", "without square brackets"),
    ("pack.toml", 'title = "First layers of a network"', "title = 3", "title", "title is a text"),
    ("pack.toml", 'title = "First', "title = First", "title", "This is no TOML: invalid value, at column 9"),
    (CARDS, 'kind = "cloze"', 'kind = "clozed"', 'kind = "clozed"', "Did you mean 'cloze"),
    (CARDS, "answer =", "anwser =", "anwser", "Did you mean 'answer"),
    (CARDS, "answer =", "anwser =", "[[card]]", "answer is missing"),
    (CARDS, '"Nothing at all"', '"The number of channels "', "[[card]]", "stands there twice"),
    (CARDS, '"Nothing at all"', '"b"', "[[card]]", "'b' would be taken for a letter"),
    (CARDS, "wrong = ", "wrong = 'x' # ", "wrong", "list of"),
    (CARDS, '"Nothing at all"', "7", "wrong", "A text of wrong is a text"),
    (CARDS, 'id = "receptive-field"', 'id = "one-by-one"', 'id = "one-by-one"\nkind = "cloze"', "has this id"),
    (CARDS, "receptive ___.", "receptive area.", '[[card]]\nid = "rec', "gap is missing"),
    (CARDS, "receptive ___.", "field ___.", '[[card]]\nid = "rec', "gives the answer away"),
    (CARDS, 'accept = ["field"]', 'accept = [""]', "accept", "is empty"),
    (CARDS, 'accept = ["field"]', 'accept = ["\\u001b]0;x\\u0007"]', "accept", "control character"),
    (CARDS, "[[card]]", "[[crad]]", "[[crad]]", "Did you mean 'card"),
    (SIZES, "tier = 1", "tier = 4", "tier", "whole number from 1 to 3"),
    (SIZES, "tier = 1", "tier = true", "tier", "whole number from 1 to 3"),
    (SIZES, "tier = 1", "tier = 1\ndecimals = 99", "decimals", "whole number from 0 to 10"),
    (SIZES, "tier = 1", 'tier = 1\ntopic = "convolutoin"', "topic", "Did you mean 'convolution"),
    (SIZES, '"conv-out-size"', '"conv-out-siez"', "formula", "Did you mean 'conv-out-size"),
    (SIZES, 'asks = "o | n"', 'asks = "o | q"', "asks", "Unknown symbol of conv-out-size 'q'"),
    (SIZES, 'asks = "o | n"', 'asks = "o n"', "asks", "n is an input: ask for it alone"),
    (SIZES, 'asks = "o | n"', 'asks = "o | o"', "asks", "each once"),
    (SIZES, "stride {s}", "stride s", "prompt", "put {s} into it"),
    (SIZES, "The map that comes out is {o} x {o}.", "What comes out?", "prompt", "put {o} into it"),
    (SIZES, "{f} x {f}", "{f.__class__} x {f}", "prompt", "Unknown symbol of conv-out-size 'f.__class__'"),
    (SIZES, "{f} x {f}", "{f:>99999999} x {f}", "prompt", "more than a symbol"),
    (SIZES, "{f} x {f}", "{f x {f}", "prompt", ""),
    (SIZES, "{f} x {f}", "{f} x } {f}", "prompt", "no partner"),
    (SIZES, "p < f and", "p < and", "where", "is missing"),
    (SIZES, "p < f and o >= 4", "p", "where", "compares nothing"),
    (SIZES, "p < f", "p < g", "where", "the symbols here are d, f, n, o, p, s.\n g \n ^"),
    (SIZES, "o >= 4", "o >= 400", "[[drill]]", "make its ranges wider"),
    (SIZES, 'p = "0..3"', 'p = "3..0"', "p = ", "is empty"),
    (SIZES, 'p = "0..3"', 'p = "0..300"', "p = ", "from 0 to 100"),
    (SIZES, 'p = "0..3"', 'p = "0..3 step 0.5"', "p = ", "a whole number"),
    (SIZES, 'p = "0..3"', 'p = "0-3"', "p = ", "is no range"),
    (SIZES, 'p = "0..3"', "p = [0, 101]", "p = ", "from 0 to 100"),
    (SIZES, 'p = "0..3"', "p = [true]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = [nan]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = [1e300]", "p = ", "can't be used"),
    (SIZES, 'p = "0..3"', "p = []", "p = ", "0 values"),
    (SIZES, 'p = "0..3"', "p = 3", "p = ", "from a list"),
    (SIZES, 'p = "0..3"', 'q = "0..3"', "q = ", "no input of conv-out-size"),
    (SIZES, 'f = "3..11 step 2"\n', "", "[drill.ranges]", "The input f has no range"),
    (SIZES, "[drill.ranges]", "[drill.range]", "[drill.range]", "Did you mean 'ranges"),
    (SIZES, "equation = ", 'equation = "o = 2 +"\n# ', "equation", "missing at the end.\n 2 +\n    ^"),
    (SIZES, "equation = ", 'equation = "o"\n# ', "equation", "no equation"),
    (SIZES, "equation = ", 'equation = "2*o = n"\n# ', "equation", "defines one symbol"),
    (SIZES, "equation = ", 'equation = "n = o"\n# ', "equation", "they define o"),
    (SIZES, "equation = ", 'equation = "o = width"\n# ', "equation", "Unknown symbol to use in it 'width'"),
    (SIZES, "equation = ", 'equation = "o = o + 1"\n# ', "equation", "Unknown symbol to use in it 'o'"),
    (SIZES, "equation = ", 'equation = "o = n[1]"\n# ', "equation", "n is of kind int: write it as n."),
    (SIZES, "equation = ", 'equation = "o[i] = n"\n# ', "equation", "indices of the right equation"),
    (SIZES, "equation = ", 'equation = "o = __import__(n)"\n# ', "equation", "'__import__'"),
    (SIZES, "equation = ", f"equation = '{TRUE}'\n# ", "equation", "the right equation"),
    (SIZES, "equation = ", f"equation = '{TRUE} + 0'\n# ", "[[drill.mistake]]", "always gives the true values"),
    (
        SIZES,
        "equation = ",
        'equation = "o = floor((n + p - d*f + d - 1)/s) + 1"\n# ',
        PADDING,
        "where no-plus-one leads",
    ),
    (SIZES, 'name = "padding-once"', 'name = "no-plus-one"', "[[drill.mistake]]", "same name"),
    (SIZES, 'name = "padding-once"', 'name = "once, twice"', 'name = "once', "small letters"),
    (MOMENTUM, 'id = "momentum-by-hand"', 'id = "conv-basics"', 'id = "conv-basics"', ""),
    (MOMENTUM, 'g = "-3..3 step 0.5"', 'g = "-3..3.5"', "g = ", "Add a step"),
    (MOMENTUM, "equation = ", 'equation = "v = 9^9^9^9"\n# ', "equation", "Exponents up to 99"),
]


@pytest.mark.parametrize(("file", "old", "new", "at", "says"), BROKEN)
def test_a_fault_stands_on_its_line(folder, file, old, new, at, says):
    text = change(folder, file, old, new)
    for other in {SIZES, MOMENTUM} - {file}:
        if new != 'id = "conv-basics"':
            (folder / other).unlink()  # what isn't at problem needn't be examined
    found = problems(folder)
    if new == 'id = "conv-basics"':  # the file that is read second has it twice
        file, text = SIZES, (folder / SIZES).read_text(encoding="utf-8")
        at, says = 'id = "conv-basics"', "has this id"
    assert [(f, line) for f, line, said in found if says in said] == [(file, line_of(text, at))], found


def test_the_example_has_no_fault(folder):
    assert problems(folder) == []


def test_all_faults_of_all_files_are_told_at_once(folder):
    change(folder, "pack.toml", "title", "titel")
    change(folder, CARDS, "answer =", "anwser =")
    change(folder, CARDS, 'accept = ["field"]', "accept = []")
    change(folder, SIZES, "tier = 1", "tier = 9")
    change(folder, SIZES, 'p = "0..3"', 'p = "3..0"')
    change(folder, SIZES, 'feedback = "Padding', 'feedbak = "Padding')
    (folder / MOMENTUM).write_text("[[drill]\n", encoding="utf-8")
    found = problems(folder)
    files = [file for file, _, _ in found]
    assert (files.count("pack.toml"), files.count(CARDS), files.count(SIZES), files.count(MOMENTUM)) == (2, 3, 4, 1)


def test_a_file_of_cards_bears_a_topics_name(folder):
    (folder / CARDS).rename(folder / "cards" / "convolutoin.toml")
    found = [(file, line) for file, line, said in problems(folder) if "Did you mean 'convolution" in said]
    assert found == [("cards/convolutoin.toml", 1)]


def test_a_folder_that_is_no_pack(folder, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        check_pack(tmp_path / "none", syllabus.topics())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert [file for file, _, _ in problems(empty)] == ["pack.toml", "pack.toml"]


HOSTILE = {
    "a binary file": (b"\x00\x01\x02[[card]]\xff\xfe", 1, "UTF-8"),
    "not UTF-8": ("\n\nask = 'caf\xe9'".encode("latin-1"), 3, "UTF-8"),
    "control characters": (b'\nx = "\x07"', 2, "This is no TOML"),
    "more than 1 MB": (b"# " + b"x\n# " * 300_000, 1, "larger than 1 MB"),
    "a line without end": (b"\n\n" + b"a." * 100_000 + b"a = 1", 3, "200005 characters"),
    "keys of many dots": ((b"a." * 1990 + b"b = 1\n") * 1, 1, "Unknown key"),
    "deep nesting": (b"\nx = " + b"[" * 3000 + b"]" * 900, 2, "nested too deep"),
    "deep tables": (b"x = " + b"{a=" * 1200 + b"}" * 300, 1, "nested too deep"),
    "a number of 4,900 digits": (b"\n\nx = [" + b"9" * 3900 + b"_\n" + b"9" * 1000 + b"]", 3, ""),
    "a huge number": (b"x = " + b"9" * 3990, 1, ""),
    "10,000 cards": (b"[[card]]\n" * 10_000, 1, "there are 10000"),
    "an endless string": (b'x = """\n\n', 1, "This is no TOML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_by_a_sentence(folder, name):
    data, line, says = HOSTILE[name]
    (folder / CARDS).write_bytes(data)
    assert [(f, n) for f, n, said in problems(folder) if says in said][:1] == [(CARDS, line)]


def test_links_and_folders_in_place_of_files(folder, tmp_path):
    outside = tmp_path / "secret.toml"
    outside.write_text("[[card]]", encoding="utf-8")
    (folder / "cards" / "pooling.toml").symlink_to(outside)
    (folder / "cards" / "resnet.toml").mkdir()
    (folder / "cards" / "momentum.toml").symlink_to("momentum.toml")  # to itself
    os.mkfifo(folder / "cards" / "adam.toml")  # whoever reads it waits forever
    found = {file: said for file, _, said in problems(folder)}
    assert "leads out of" in found["cards/pooling.toml"]
    for name in ("resnet", "momentum", "adam"):
        assert f"cards/{name}.toml" in found
    assert len(found) == 4


def test_sums_in_sums_in_sums_are_refused(folder):
    (folder / SIZES).write_text(
        '[[drill]]\nid = "a"\ntitle = "t"\nformula = "softmax"\ntier = 1\nasks = "p"\nprompt = "{z}"\nhint = "h"\n'
        "[drill.ranges]\nz = [[1, 2], [3, 4]]\n[[drill.mistake]]\nname = 'm'\nfeedback = 'f.'\n"
        'equation = "p[i] = sum(j, sum(k, sum(l, z[j]*z[k]*z[l])))"\n',
        encoding="utf-8",
    )
    assert any("Sums stand more than 2 deep" in said and line == 14 for _, line, said in problems(folder))
