"""The index of questions equals the loaded questions, and its file in the cache may be missing, stale or damaged."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quizzes import bank
from quizzes.cards import all_cards
from quizzes.formulas import all_formulas
from tests import example_pack
from tests.patience import PATIENCE
from workbench import question_index
from workbench.paths import cache_dir

# Prints the index that a new process gets, and whether it loaded the questions for that.
PROGRAM = """
import json, sys
from workbench import question_index
index = question_index.load_index()
print(json.dumps([index, "quizzes.bank" in sys.modules]))
"""


def load(**env: str) -> tuple[list, bool]:
    """Return the index that a new process gets, and whether it loaded the questions for that."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **env}
    )
    assert result.returncode == 0 and not result.stderr, result.stderr
    return json.loads(result.stdout)


def index_file() -> Path:
    return cache_dir() / question_index.FILE


def test_the_index_equals_the_loaded_questions():
    first, loaded_first = load()
    again, loaded_again = load()
    assert (loaded_first, loaded_again) == (True, False) and first == again
    drills, cards, formulas = first
    assert drills == [
        [d.id, d.type, d.topic, d.title, d.tier, d.kinds, [*d.joins]] for d in bank.builtin_drills().values()
    ]
    assert cards == [[c.id, c.topic, c.kind, c.prompt] for c in all_cards().values()]
    declared = {f.id: [f.id, f.topic, f.title] for f in all_formulas().values()}  # other tests may declare more
    assert formulas == [declared[id] for id, _, _ in formulas] and len(formulas) > 100


def test_entries_of_packs_follow_the_programs_own(cli, home):
    example_pack.write(home / "packs" / "first-layers")
    rows = json.loads(cli("drill", "list", "--json").out)
    assert [row["drill"] for row in rows] == list(bank.all_drills())
    assert [row["card"] for row in json.loads(cli("cards", "list", "--json").out)] == list(bank.all_cards())
    assert any(row["drill"].startswith("first-layers/") for row in rows)


@pytest.fixture
def index(home):
    """An index that differs from the questions, in a file that is valid for the sources as they are."""
    entries = question_index.Index([], [], [question_index.FormulaEntry("a", "b", "c")])
    question_index._write(index_file(), question_index._sources(), entries)
    assert question_index.load_index() == entries
    return entries


@pytest.mark.parametrize("damage", [b"", b"\n", b"00000000\n[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_not_used(index, damage):
    index_file().write_bytes(damage)
    assert question_index.load_index() != index


def test_a_truncated_or_altered_file_is_not_used(index):
    content = index_file().read_bytes()
    for altered in (content[:-1], content.replace(b'"c"', b'"d"')):
        index_file().write_bytes(altered)
        assert question_index.load_index() != index


def test_a_changed_source_makes_a_new_index(index, monkeypatch):
    sources = question_index._sources()
    assert any(path.endswith("cnn/convolution/cards.toml") for path, _, _ in sources)
    assert any(path.endswith("cnn/convolution/drills.py") for path, _, _ in sources)
    for changed in ([*sources, ["new.py", 1, 1]], [*sources[:-1], [*sources[-1][:2], 0]], sources[1:]):
        monkeypatch.setattr(question_index, "_sources", lambda changed=changed: changed)
        assert question_index.load_index() != index


def test_the_sources_notice_an_edit(tmp_path, monkeypatch):
    copy = shutil.copytree(Path(question_index.quizzes.__file__).parent, tmp_path / "quizzes")
    monkeypatch.setattr(question_index.quizzes, "__file__", str(copy / "__init__.py"))
    before = question_index._sources()
    card = copy / "content" / "cnn" / "convolution" / "cards.toml"
    os.utime(card, ns=(0, 0))
    after = question_index._sources()
    assert [path for path, *_ in before] == [path for path, *_ in after]
    assert [new[0] for old, new in zip(before, after, strict=True) if old != new] == [str(card)]


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle(home):
    home.mkdir()
    (home / "cache").write_text("a file where the folder should be", encoding="utf-8")
    (index, loaded), (again, loaded_again) = load(), load()
    assert loaded and loaded_again and index == again and len(index[0]) == len(bank.builtin_drills())


def test_a_process_that_loaded_questions_before_writes_nothing(home):
    assert bank.builtin_drills()
    question_index.load_index()
    assert not index_file().exists()
