"""The index of questions equals the loaded questions, and its file in the cache may be missing, stale or damaged."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quizzes import bank, cards, content
from quizzes.formulas import all_formulas
from tests import example_pack
from tests.patience import PATIENCE
from workbench import question_index, syllabus
from workbench.errors import DeclarationError
from workbench.paths import cache_dir
from workbench.user_bank import user_bank

# Runs commands and looks up what Home shows; prints which modules of questions are imported then.
PROGRAM = """
import io, json, sys
from contextlib import redirect_stdout
from workbench import question_index
from workbench.cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["workbench", *words]
    with redirect_stdout(io.StringIO()) as output:
        try:
            main()
        except SystemExit as end:
            assert not end.code, words
    assert output.getvalue().strip()
home = {entry.id: entry.topic for entry in question_index.drills()} | {c.id: c.topic for c in question_index.cards()}
assert len(home) > 400
heavy = [m for m in sys.modules if m.startswith("quizzes.content.") or m in ("sympy", "mpmath", "quizzes.bank")]
print(json.dumps(heavy))
"""
LISTS = [["topics"], ["topics", "--json"], ["drill", "list"], ["cards", "list"], ["formulas"], ["models", "list"]]


def line_has(file: str, line: int, text: str) -> bool:
    return text in "".join(Path(file).read_text(encoding="utf-8").split("\n")[line - 1 : line + 1])


def lists(index: question_index.Index) -> tuple[list, list, list]:
    return index.drills, index.cards, index.formulas


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of all topics, from which the index is read."""
    folder = shutil.copytree(content.__path__[0], tmp_path / "content")
    monkeypatch.setattr(content, "__path__", [str(folder)])
    content.topic_folders.cache_clear()
    yield folder
    monkeypatch.undo()
    content.topic_folders.cache_clear()


def test_the_index_equals_the_loaded_questions():
    index = question_index.load_index()
    drills = {d.id: [d.id, d.type, d.topic, d.title, d.tier, d.kinds, [*d.joins]] for d in bank.all_drills().values()}
    assert {d.id: list(d[:7]) for d in index.drills} == drills and len(index.drills) == len(drills)
    assert {c.id: list(c[:4]) for c in index.cards} == {
        c.id: [c.id, c.topic, c.kind, c.prompt] for c in cards.all_cards().values()
    }
    formulas = {f.id: [f.id, f.topic, f.title, [e.text for e in f.equations]] for f in all_formulas().values()}
    assert {f.id: list(f[:4]) for f in index.formulas} == formulas and len(index.formulas) == len(formulas)


def test_a_place_is_where_the_declaration_begins():
    index = question_index.load_index()
    for entry in index.drills:
        declared = bank.get_drill(entry.id).generate.__code__
        assert (entry.file, entry.line) == (declared.co_filename, declared.co_firstlineno)
    for formula in index.formulas:
        assert f"{formula.file}:{formula.line}" == all_formulas()[formula.id].place
    for card in index.cards:
        assert line_has(card.file, card.line, "[[card]]") and line_has(card.file, card.line, card.id.split("/")[1])


def test_the_order_is_that_of_the_syllabus():
    order = list(syllabus.topics())
    for entries in lists(question_index.load_index()):
        numbers = [order.index(entry.topic) for entry in entries]
        assert numbers == sorted(numbers) and len(set(numbers)) > 20


@pytest.mark.parametrize("is_cached", [False, True], ids=["without a cache", "with a cache"])
def test_a_list_imports_no_questions(is_cached):
    if is_cached:
        question_index.load_index()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(LISTS)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_entries_of_packs_follow_the_built_in_ones(cli, home):
    folder = example_pack.write(home / "packs" / "first-layers")
    rows = json.loads(cli("drill", "list", "--json").out)
    assert {row["drill"] for row in rows} == set(user_bank().all_drills())
    assert [row["drill"].startswith("first-layers/") for row in rows] == [False] * (len(rows) - 2) + [True] * 2
    assert rows[-1]["place"] == f"{folder}/drills/sizes.toml:1"
    cards = json.loads(cli("cards", "list", "--json").out)
    assert {row["card"] for row in cards} == set(user_bank().all_cards())
    assert line_has(*cards[-1]["place"].rsplit(":", 1)[:1], int(cards[-1]["place"].rsplit(":", 1)[1]), "[[card]]")


@pytest.fixture
def index(home):
    """An index that differs from the sources, in a file that is valid for the sources as they are."""
    question_index.load_index()
    path = cache_dir() / question_index.FILE
    _, states, dependencies, *lines = path.read_bytes().splitlines(keepends=True)
    rows = [[[*row[:-1], 0] for row in json.loads(line)] for line in lines]
    question_index._write(path, [states, dependencies, *map(question_index._line, rows)])
    entries = lists(question_index.load_index())
    assert {entry.line for part in entries for entry in part} == {0}
    return entries


@pytest.mark.parametrize("damage", [b"", b"\n", b"00000000\n[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_not_used(index, damage):
    (cache_dir() / question_index.FILE).write_bytes(damage)
    assert lists(question_index.load_index()) != index


def test_a_truncated_or_altered_file_is_not_used(index):
    path = cache_dir() / question_index.FILE
    data = path.read_bytes()
    for altered in (data[:-1], data.replace(b"conv-out-size", b"conv-out-sign")):
        path.write_bytes(altered)
        assert lists(question_index.load_index()) != index


def test_another_version_of_the_reader_does_not_use_the_file(index, monkeypatch, tmp_path):
    other = tmp_path / "index.py"
    other.write_text("", encoding="utf-8")
    monkeypatch.setattr(question_index, "PROGRAM", [str(other), *question_index.PROGRAM[1:]])
    assert lists(question_index.load_index()) != index


def test_only_what_depends_on_a_changed_file_is_read_again(copy, monkeypatch):
    before = lists(question_index.load_index())
    read: list[str] = []
    for name, reader in question_index.READERS.items():

        def note(sources, file, reader=reader):
            read.append(file.relative_to(copy).as_posix())
            return reader(sources, file)

        monkeypatch.setitem(question_index.READERS, name, note)
    assert lists(question_index.load_index()) == before and read == []
    cards_file = copy / "cnn" / "pooling" / "cards.toml"
    cards_file.write_text(cards_file.read_text(encoding="utf-8").replace('prompt = "', 'prompt = "Now: ', 1))
    after = question_index.load_index()
    assert read == ["cnn/pooling/cards.toml"] and [c.prompt[:5] for c in after.cards].count("Now: ") == 1
    read.clear()
    shared = copy / "optimization" / "shared.py"
    shared.write_text(shared.read_text(encoding="utf-8").replace("theta=Real(", "theta=Rational("), encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"optimization/shared.py:\d+: .*Rational"):  # it isn't imported
        question_index.load_index()
    text = shared.read_text(encoding="utf-8").replace("import Real", "import Rational, Real")
    shared.write_text(text, encoding="utf-8")
    drills = {drill.id: drill.kinds for drill in question_index.load_index().drills}
    assert drills["sgd-momentum:classical"] == drills["sgd-momentum"] == ["fraction"]
    assert set(read) >= {"optimization/adam/formulas.py", "optimization/adam/drills.py"}
    assert not any(file.startswith("cnn") for file in read)


def test_a_new_topic_must_be_in_the_syllabus(copy):
    shutil.copytree(copy / "cnn" / "pooling", copy / "cnn" / "poolign")
    content.topic_folders.cache_clear()
    with pytest.raises(DeclarationError, match=r"poolign/\w+\.\w+:\d+: Unknown topic 'poolign'. Did you mean 'pooling"):
        question_index.load_index()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "    POOLING,\n    tier",
            "    choose(POOLING),\n    tier",
            r"'choose\(POOLING\)' can't be read from the source. Write it",
        ),
        ("tier=2", "tier=level()", "'level\\(\\)' can't be read"),
        ("tier=2", "tier=LEVEL", "LEVEL can't be read"),
        ("@drill(\n", "@drill(\n    *many,\n", "can't be read"),
        ("asks=", "asks=[", "closing parenthesis"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(copy, old, new, problem):
    file = copy / "cnn" / "pooling" / "drills.py"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match=rf"pooling/drills.py:\d+: .*{problem}"):
        question_index.load_index()


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle(home):
    home.mkdir()
    (home / "cache").write_text("a file where the folder should be", encoding="utf-8")
    assert len(question_index.load_index().drills) == len(bank.all_drills())


def test_the_stamp_of_a_file_is_its_time_and_size(copy):
    question_index.load_index()
    file = copy / "cnn" / "convolution" / "cards.toml"
    before = question_index._state(str(file))
    os.utime(file, ns=(0, 0))
    assert question_index._state(str(file)) == [0, before[1]] != before
