"""Documents are true: the samples of CONTRIBUTING work, and commands of the README exist and print what it shows."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.copied_tree import CopiedTree

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLES = re.findall(
    r"^`([\w./]+)`\n\n```(?:python|toml)\n(.*?)```",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.M | re.DOTALL,
)
QUESTIONS = """
from quizzes import bank, formulas
from quizzes.selftest import selftest
from workbench.engine.worker import check_values

formula = formulas.get("leaky-relu")
assert formula.solve(z=-2)["y"] == formula.symbols["z"].exact("-0.02")
report = selftest(bank.get_drill("leaky-relu"), range(1, 51), check_values)
assert report.variants == 50 and not report.problems, report.problems
card = bank.get_card("activations/leaky-relu-gradient").draw(1)
assert card.parts[0].choices[ord(card.parts[0].answer.upper()) - ord("A")] == "Its gradient is not zero there."
ratio = formulas.get("type-token-ratio").solve(sentence="the cat saw the dog")
assert (ratio["n"], ratio["V"], str(ratio["r"])) == (5, 4, "4/5")
assert set(bank.all_drills_and_cards()) and formulas.all_formulas()
"""
SCREEN = """
import asyncio
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.practice import Practice

async def look():
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None
    async with app.run_test(size=(80, 24)) as pilot:
        app.topics()
        await pilot.pause()
        assert type(app.screen).__name__ == "Topics"
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Practice)

asyncio.run(look())
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    """A copy of the packages with every sample of CONTRIBUTING."""
    tree = CopiedTree(tmp_path_factory.mktemp("samples"))
    for name, text in SAMPLES:
        file = tree.folder / name
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if name.endswith("app.py"):
            before, after = old.split("    def _open(")
            file.write_text(f"{before}{text}\n    def _open({after}", encoding="utf-8")
        else:
            file.write_text(f"{old}\n\n{text}" if old else text, encoding="utf-8")
    return tree


def check(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_there_is_a_sample_of_each_addition() -> None:
    places = {str(Path(name).parent).replace("/", ".") for name, _ in SAMPLES}
    content, activations = "quizzes.content.", "quizzes.content.neural_networks.activations"
    assert {name for name, _ in SAMPLES if Path(name).match("*/activations/*")} == {
        f"{activations.replace('.', '/')}/{name}" for name in ("formulas.py", "drills.py", "checks.py", "cards.toml")
    }
    assert {place for place in places if not place.startswith(content)} == {
        "models.dense",
        "workbench.data",
        "workbench.tasks",
        "workbench.tui.screens",
        "workbench.tui",
    }


def test_the_samples_of_questions_work(extended: CopiedTree) -> None:
    check(extended.python("-c", QUESTIONS))
    drills = json.loads(check(extended.run("drill", "list", "--json")))
    assert [(d["topic"], d["kinds"]) for d in drills if d["drill"] == "leaky-relu"] == [("activations", ["decimal"])]
    assert "activations/leaky-relu-gradient" in check(extended.run("cards", "list", "--topic", "activations"))
    assert "(type-token-ratio)" in check(extended.run("formulas"))


@pytest.mark.full
def test_the_sample_of_a_network_is_built_and_trained(extended: CopiedTree) -> None:
    summary = json.loads(check(extended.run("models", "show", "maxout", "--preset", "paper", "--json")))
    assert (summary["params"], summary["output_shape"][-1]) == (211, 3)
    events = [
        json.loads(line) for line in check(extended.run("train", "maxout", "--steps", "2", "--json")).splitlines()
    ]
    assert (events[-1]["status"], events[-1]["steps"]) == ("done", 2)


@pytest.mark.full
def test_the_samples_of_a_dataset_and_a_task_are_trained_on(extended: CopiedTree) -> None:
    assert json.loads(check(extended.run("data", "show", "rings", "--json")))["samples"] == 300
    for task, steps in (("rings", 2), ("ring-radius", 60)):
        words = ["train", "mlp", "--task", task, "--steps", str(steps), "--json"]
        events = [json.loads(line) for line in check(extended.run(*words)).splitlines()]
        assert (events[-1]["status"], events[-1]["steps"]) == ("done", steps)
    assert events[-1]["metrics"]["loss"] < events[0]["baseline"]["value"]


@pytest.mark.full
def test_the_sample_of_a_screen_opens(extended: CopiedTree) -> None:
    check(extended.python("-c", SCREEN))


def commands() -> list[str]:
    """Return every command of the README, without its arguments."""
    lines = re.findall(r"^workbench (.*?)(?:  .*)?$", README, re.MULTILINE)
    groups = ("cards", "data", "drill", "models", "packs", "runs")  # these are followed by a subcommand
    return sorted({" ".join(words[: 1 + (words[0] in groups)]) for words in map(str.split, lines)})


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_readme_exists(cli, command: str) -> None:
    assert cli(*command.split(), "--help").code == 0


def test_the_readme_shows_commands() -> None:
    assert len(commands()) >= 6


def sessions() -> list[tuple[str, str]]:
    """Return every command with its output from the README's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [
        (line, output) for block in blocks for line, output in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.M)
    ]


@pytest.mark.parametrize(("line", "output"), sessions())
def test_a_command_of_the_readme_prints_what_it_shows(cli, line: str, output: str) -> None:
    program, *words = shlex.split(line)
    assert program == "workbench" and cli(*words).out == output


def test_the_links_of_the_documents_lead_to_files() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_readme_shows_the_output_of_commands() -> None:
    assert len(sessions()) >= 2
