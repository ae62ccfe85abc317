"""`workbench packs`: check, add, list, remove, and a pack's questions in every other command."""

import json
from pathlib import Path

import pytest

from tests import example_pack


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """The document's example, as somebody writes it from there."""
    return str(example_pack.write(tmp_path / "written"))


def spoil(folder: str) -> None:
    file = Path(folder) / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("tier = 1", "tier = 7"), encoding="utf-8")


def test_check(cli, folder):
    said = cli("packs", "check", folder)
    assert (said.code, said.err) == (0, "") and "2 drills, 2 cards, no problem" in said.out
    spoil(folder)
    said = cli("packs", "check", folder)
    assert said.code == 1 and said.out.startswith("drills/sizes.toml:5: tier is a whole number from 1 to 3.")
    said = cli("packs", "check", folder, "--json")
    found = json.loads(said.out)
    assert said.code == 1 and set(found) == {"schema", "pack", "title", "folder", "drills", "cards", "problems"}
    assert found["problems"] == [
        {"file": "drills/sizes.toml", "line": 5, "problem": "tier is a whole number from 1 to 3."}
    ]
    said = cli("packs", "check", "nowhere")
    assert said.code == 2 and "There is no folder nowhere" in said.err and len(said.err.splitlines()) == 1


def test_a_pack_with_faults_is_not_added(cli, folder, home):
    spoil(folder)
    said = cli("packs", "add", folder)
    assert said.code == 1 and "1 problem" in said.out and not (home / "packs").exists()


def test_a_pack_is_used_like_all_the_rest(cli, folder, home):
    assert cli("packs", "add", folder).code == 0
    [row] = json.loads(cli("packs", "list", "--json").out)
    assert (row["pack"], row["problems"]) == ("first-layers", [])

    listed = json.loads(cli("drill", "list", "--topic", "convolution", "--json").out)
    assert "first-layers/conv-basics" in {one["drill"] for one in listed}
    listed = json.loads(cli("cards", "list", "--topic", "convolution", "--json").out)
    assert "first-layers/convolution/one-by-one" in {one["card"] for one in listed}

    drill = ("first-layers/momentum-by-hand", "--seed", "5")
    shown = json.loads(cli("drill", "show", *drill, "--solution", "--json").out)
    assert cli("drill", "answer", *drill, *shown["answers"].values()).code == 0
    wrong = shown["mistakes"][0]
    answers = {**shown["answers"], wrong["part"]: wrong["answer"]}
    marked = json.loads(cli("drill", "answer", *drill, "--json", *answers.values()).out)
    assert wrong["mistake"] in {part["mistake"] for part in marked["parts"]}

    verified = json.loads(cli("drill", "verify", *drill, "--json").out)
    assert verified == {"schema": 2, "sympy": shown["answers"], "torch": {}, "agree": True}
    assert cli("drill", "test", drill[0]).code == 0

    card = "first-layers/convolution/receptive-field"
    assert cli("cards", "answer", card, "field").code == 0


def test_what_was_answered_is_kept_and_stays_when_the_pack_goes(cli, folder, home):
    cli("packs", "add", folder)
    said = cli("quiz", "first-layers/convolution/receptive-field", "-n", "1", input="field\n")
    assert said.code == 0 and "1 of 1 correct" in said.out
    said = cli("quiz", "first-layers/momentum-by-hand", "-n", "1", input="1\n2\nq\n")
    assert said.code == 0
    assert json.loads(cli("packs", "remove", "first-layers", "--json").out) == {"schema": 2, "removed": "first-layers"}
    assert cli("review").code == 0
    assert cli("quiz", "first-layers/conv-basics", input="q\n").code == 2
    from workbench.store import Store

    with Store() as store:
        items = [attempt.item for attempt in store.attempts()]
    assert items == ["first-layers/convolution/receptive-field", "first-layers/momentum-by-hand"]
    assert cli("packs", "remove", "first-layers").code == 2


def test_a_broken_pack_stops_nothing_and_is_told(cli, folder, home):
    cli("packs", "add", folder)
    spoil(str(home / "packs" / "first-layers"))
    assert cli("drill", "show", "iou", "--seed", "1").code == 0
    said = cli("packs", "list")
    assert said.code == 0 and "first-layers is left out: drills/sizes.toml, line 5" in said.err
    assert len(said.err.splitlines()) == 1
    said = cli("drill", "show", "first-layers/conv-basics")
    assert said.code == 2 and "is left out" in said.err


def test_names_are_completed(cli, folder):
    cli("packs", "add", folder)
    asked = {"_WORKBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "workbench drill show first-", "COMP_CWORD": "3"}
    assert set(cli(env=asked).out.split()) == {"first-layers/conv-basics", "first-layers/momentum-by-hand"}
