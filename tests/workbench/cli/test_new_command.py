"""`workbench new drill`: a drill with formula, mistakes, check and card in one folder, which passes its tests."""

import json
import os

import pytest

from tests.copied_tree import CopiedTree
from workbench import syllabus
from workbench.cli import skeleton
from workbench.errors import UserError

FILES = {"formula": "formulas.py", "drill": "drills.py", "check": "checks.py", "card": "cards.toml"}


@pytest.fixture
def tree(tmp_path):
    return CopiedTree(tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("topic", ["pooling", "convolution", "hyperparameters", "word-representations"])
def test_the_skeleton_passes_all_tests_as_it_is(tree, topic):
    """In a topic with all files, with a folder of drills, with only cards, and without a folder."""
    before = tree.texts()
    result = tree.run("new", "drill", f"{topic}/my-first-drill")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("\nNext: workbench drill test my-first-drill\n")
    changed = {name for name, text in tree.texts().items() if before.get(name) != text}
    chapter = syllabus.get(topic).chapter.replace("-", "_")
    assert all(name.startswith(f"quizzes/content/{chapter}/") for name in changed) and len(changed) >= 4
    assert tree.lint() == ""
    tested = tree.run("drill", "test", "my-first-drill", "--seeds", "100")
    assert tested.returncode == 0 and "100 questions" in tested.stdout, tested.stdout + tested.stderr
    [row] = [r for r in json.loads(tree.run("drill", "list", "--json").stdout) if r["drill"] == "my-first-drill"]
    assert (row["topic"], row["kinds"]) == (topic, ["decimal"])
    card = tree.run("cards", "answer", f"{topic}/my-first-drill", "It adds a constant.")
    assert card.returncode == 0 and "Correct" in card.stdout, card.stdout + card.stderr
    assert tree.run("calc", "my-first-drill", "w=2", "x=3", "b=1", "--json").stdout.count('"y": 7') == 1
    listed = tree.run("topics", "--json")
    [covered] = [row for row in json.loads(listed.stdout) if row["topic"] == topic]
    assert "my-first-drill" in covered["drills"] and f"{topic}/my-first-drill" in covered["cards"]


def test_the_parts_are_where_it_says(tree):
    result = tree.run("new", "drill", "pooling/my-first-drill", "--json")
    parts = json.loads(result.stdout)["parts"]
    begins = {
        "formula": "MY_FIRST_DRILL = Formula(",
        "drill": "@drill(",
        "check": "def my_first_drill(",
        "card": "[[card]]",
    }
    for part in parts:
        lines = (tree.content / "cnn" / "pooling" / FILES[part["part"]]).read_text(encoding="utf-8").split("\n")
        assert lines[part["line"] - 1] == begins[part["part"]] or part["part"] == "check"
        assert lines[part["line"] - 1].startswith(begins[part["part"]])
        assert part["file"] == str(tree.content / "cnn" / "pooling" / FILES[part["part"]])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("poolng/new-one", "Unknown topic 'poolng'. Did you mean 'pooling'"),
        ("pooling", "Write TOPIC/NAME, such as pooling/stochastic-pooling, not 'pooling'"),
        ("pooling/", "Write TOPIC/NAME"),
        ("pooling/New_One", "NAME must be at most 60 lowercase letters, digits and hyphens, such as same-padding, not"),
        ("pooling/../../x", "NAME must be at most 60 lowercase letters"),
        ("pooling/lambda", "can't be the name of a function"),
        ("pooling/3d-pooling", "can't be the name of a function. Begin it with a letter"),
        ("pooling/drill", "uses the name drill already. Choose another name"),
        ("pooling/mean", "uses the name mean already. Choose another name"),
        ("pooling/conv-out-size", "conv-out-size exists already, in "),
        ("pooling/nms", "nms exists already, in "),  # a formula
        ("pooling/three-by-three", "pooling/three-by-three exists already, in "),  # a card
    ],
)
def test_what_cannot_be_written_is_one_sentence(tree, name, message):
    before = tree.texts()
    result = tree.run("new", "drill", name)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr and tree.texts() == before


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(tmp_path):
    old, new, obstacle = tmp_path / "old.py", tmp_path / "new.py", tmp_path / "obstacle"
    old.write_text("old", encoding="utf-8")
    obstacle.write_text("a file where a folder should be", encoding="utf-8")
    files = [old, new, obstacle / "cards.toml"]
    with pytest.raises(UserError, match=r"obstacle.* can't be written .* nothing was changed"):
        skeleton.write([skeleton.Part("part", file, "text", 1) for file in files])
    assert old.read_text(encoding="utf-8") == "old" and sorted(tmp_path.iterdir()) == [obstacle, old]


def test_an_installed_workbench_is_not_changed(tree):
    (tree.folder / "pyproject.toml").unlink()
    result = tree.run("new", "drill", "pooling/my-first-drill")
    assert result.returncode == 2 and "This is an installed workbench, not its source tree" in result.stderr
    assert "add --pack DIR" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_source_tree_that_cannot_be_written(tree):
    tree.content.chmod(0o555)
    result = tree.run("new", "drill", "pooling/my-first-drill")
    tree.content.chmod(0o755)
    assert result.returncode == 2 and "can't be written. Write a pack instead: add --pack DIR" in result.stderr


def test_a_skeleton_in_a_pack_passes_its_check(cli, tmp_path):
    folder = tmp_path / "my-pack"
    for name in ("first-drill", "second-drill"):
        result = cli("new", "drill", f"pooling/{name}", "--pack", folder)
        assert result.code == 0 and result.out.endswith(f"Next: workbench packs check {folder}\n"), result.err
    checked = cli("packs", "check", folder)
    assert checked.code == 0 and "my-pack: 2 drills, 2 cards, no problems." in checked.out, checked.out
    assert cli("packs", "add", folder).code == 0
    rows = json.loads(cli("drill", "list", "--json").out)
    assert {r["drill"]: r["topic"] for r in rows if "/" in r["drill"]} == {
        "my-pack/first-drill": "pooling",
        "my-pack/second-drill": "pooling",
    }
    again = cli("new", "drill", "pooling/first-drill", "--pack", folder)
    assert again.code == 2 and "first-drill.toml exists already" in again.err
    bad = cli("new", "drill", "pooling/first-drill", "--pack", tmp_path / "My Pack")
    assert bad.code == 2 and "The name of the pack's folder must be at most 60 lowercase letters" in bad.err
