"""Notes and tags of runs."""

import json

import pytest

from workbench.engine import RunSpec, notes, runs
from workbench.engine.notes import Notes
from workbench.errors import UserError


@pytest.fixture
def run():
    return runs.create(RunSpec.create("mlp"))


def test_a_run_without_a_file_has_no_note_and_no_tags(run):
    assert notes.read(run) == Notes("", ())
    assert not (run.folder / notes.FILE).exists()


def test_a_note_is_one_line_and_an_empty_one_removes_it(run):
    assert notes.set_note(run, "  twice \n the\trate\x1b[2J ").note == "twice the rate?[2J"
    notes.add_tags(run, ["a"])
    assert notes.read(run) == Notes("twice the rate?[2J", ("a",))
    assert notes.set_note(run, " ") == notes.read(run) == Notes("", ("a",))


def test_tags_are_added_once_and_removed(run):
    notes.set_note(run, "kept")
    assert notes.add_tags(run, ["b", "#a", "b"]).tags == ("b", "a")
    assert notes.add_tags(run, ["a", "é"]).tags == ("b", "a", "é")
    assert notes.remove_tags(run, ["#b"]) == notes.read(run) == Notes("kept", ("a", "é"))
    with pytest.raises(UserError, match=r"has no tag 'b'\. Its tags are a, é"):
        notes.remove_tags(run, ["b"])


@pytest.mark.parametrize("tag", ["", "#", "two words", "a,b", "a#b", "-x", "x" * 41, "a\x1b[2J", "a\u202e"])
def test_a_tag_is_a_word(run, tag):
    with pytest.raises(UserError, match="A tag is a word"):
        notes.add_tags(run, [tag])
    assert notes.read(run) == Notes()


def test_there_are_limits(run):
    with pytest.raises(UserError, match="at most 1,000 characters, not 1,001"):
        notes.set_note(run, "x" * 1001)
    with pytest.raises(UserError, match="at most 20 tags, not 21"):
        notes.add_tags(run, [f"t{k}" for k in range(21)])
    assert notes.set_note(run, "x" * 1000).note == "x" * 1000


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "5", "[" * 100_000, json.dumps({"note": "x" * 200_000}), "\xff".encode("latin-1")]
)
def test_a_damaged_file_says_nothing_and_is_not_overwritten(run, content):
    path = run.folder / notes.FILE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    assert notes.read(run) == Notes()
    for change in (lambda: notes.set_note(run, "new"), lambda: notes.add_tags(run, ["new"])):
        with pytest.raises(UserError, match="Mend the file, or delete it"):
            change()
    assert path.read_bytes() == before


def test_what_is_no_note_and_no_tag_is_left_out(run):
    record = {"note": "a\x1b[2J\u202e", "tags": ["x", 5, None, "x", "two words", ["y"], "z"], "more": 1}
    (run.folder / notes.FILE).write_text(json.dumps(record))
    assert notes.read(run) == Notes("a?[2J?", ("x", "z"))
    (run.folder / notes.FILE).write_text('{"note": 5, "tags": {"a": 1}}')
    assert notes.read(run) == Notes()
