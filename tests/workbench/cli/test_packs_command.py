"""`workbench packs`: check, add, list, remove, and a pack's questions in other commands."""

import json
from pathlib import Path

import pytest

from tests import example_pack


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """The folder of the example pack."""
    return str(example_pack.write(tmp_path / "written"))


def add_problem(folder: str) -> None:
    file = Path(folder) / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("tier = 1", "tier = 7"), encoding="utf-8")


def test_check_lists_problems(cli, folder):
    result = cli("packs", "check", folder)
    assert (result.code, result.err) == (0, "") and "2 drills, 2 cards, no problems." in result.out
    add_problem(folder)
    result = cli("packs", "check", folder)
    assert result.code == 1
    assert result.out.startswith("drills/sizes.toml:5: tier must be an integer from 1 to 3.\n")
    assert "1 drill, 2 cards, 1 problem." in result.out
    result = cli("packs", "check", folder, "--json")
    value = json.loads(result.out)
    assert result.code == 1
    assert value.keys() - {"schema"} == {"pack", "title", "folder", "drills", "cards", "problems"}
    assert value["problems"] == [
        {"file": "drills/sizes.toml", "line": 5, "problem": "tier must be an integer from 1 to 3."}
    ]
    result = cli("packs", "check", "nowhere")
    assert result.code == 2 and "There is no folder nowhere" in result.err and len(result.err.splitlines()) == 1


def test_add_rejects_a_pack_with_problems(cli, folder, home):
    add_problem(folder)
    result = cli("packs", "add", folder)
    assert result.code == 1 and "1 problem." in result.out and not (home / "packs").exists()


def test_questions_of_a_pack_work_in_all_commands(cli, folder, home):
    assert cli("packs", "add", folder).code == 0
    [row] = json.loads(cli("packs", "list", "--json").out)
    assert (row["pack"], row["problems"]) == ("first-layers", [])

    drills = json.loads(cli("drill", "list", "--topic", "convolution", "--json").out)
    assert "first-layers/conv-basics" in {row["drill"] for row in drills}
    cards = json.loads(cli("cards", "list", "--topic", "convolution", "--json").out)
    assert "first-layers/convolution/one-by-one" in {row["card"] for row in cards}

    drill = ("first-layers/momentum-by-hand", "--seed", "5")
    question = json.loads(cli("drill", "show", *drill, "--solution", "--json").out)
    assert cli("drill", "answer", *drill, *question["answers"].values()).code == 0
    mistake = question["mistakes"][0]
    answers = {**question["answers"], mistake["part"]: mistake["answer"]}
    result = json.loads(cli("drill", "answer", *drill, "--json", *answers.values()).out)
    assert mistake["mistake"] in {part["mistake"] for part in result["parts"]}

    values = json.loads(cli("drill", "verify", *drill, "--json").out)
    assert (values["sympy"], values["torch"], values["agree"]) == (question["answers"], {}, True)
    assert cli("drill", "test", drill[0]).code == 0

    card = "first-layers/convolution/receptive-field"
    assert cli("cards", "answer", card, "field").code == 0


def test_remove_keeps_the_answers(cli, folder, home):
    cli("packs", "add", folder)
    result = cli("quiz", "first-layers/convolution/receptive-field", "-n", "1", input="field\n")
    assert result.code == 0 and "1 of 1" in result.out
    result = cli("quiz", "first-layers/momentum-by-hand", "-n", "1", input="1\n2\nq\n")
    assert result.code == 0
    assert json.loads(cli("packs", "remove", "first-layers", "--json").out)["removed"] == "first-layers"
    assert cli("review").code == 0
    assert cli("quiz", "first-layers/conv-basics", input="q\n").code == 2
    from workbench.store import Store

    with Store() as store:
        items = [attempt.item for attempt in store.attempts()]
    assert items == ["first-layers/convolution/receptive-field", "first-layers/momentum-by-hand"]
    assert cli("packs", "remove", "first-layers").code == 2


def test_a_pack_with_problems_is_reported_and_stops_no_other_command(cli, folder, home):
    cli("packs", "add", folder)
    add_problem(str(home / "packs" / "first-layers"))
    assert cli("drill", "show", "iou", "--seed", "1").code == 0
    result = cli("packs", "list")
    assert result.code == 0 and "The pack first-layers was not loaded" in result.err
    assert "drills/sizes.toml, line 5: tier must be" in result.err
    assert len(result.err.splitlines()) == 1
    result = cli("drill", "show", "first-layers/conv-basics")
    assert result.code == 2 and "The pack first-layers was not loaded" in result.err


def test_ids_of_packs_are_completed(cli, folder):
    cli("packs", "add", folder)
    env = {"_WORKBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "workbench drill show first-", "COMP_CWORD": "3"}
    assert set(cli(env=env).out.split()) == {"first-layers/conv-basics", "first-layers/momentum-by-hand"}
