"""Documents are true: the drill of CONTRIBUTING works, and commands of the README exist and print what it shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SELFTEST = """
import sys
from quizzes import bank, content, formulas
from quizzes.selftest import selftest
from workbench.engine.worker import check_values

content.__path__.append(sys.argv[1])
assert formulas.get("leaky-relu").solve(z=-2)["y"] == formulas.get("leaky-relu").symbols["z"].exact("-0.02")
report = selftest(bank.get_drill("leaky-relu"), range(1, 51), check_values)
assert report.variants == 50 and not report.problems, report.problems
"""


def test_the_example_of_a_topic_works_in_a_folder_of_its_own(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("neural_networks.activations", "new.topic")
    topic = tmp_path / "new" / "topic"
    topic.mkdir(parents=True)
    (tmp_path / "new" / "__init__.py").touch()
    (topic / "__init__.py").touch()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for name, block in zip(("formulas.py", "drills.py", "checks.py"), blocks, strict=True):
        (topic / name).write_text(block, encoding="utf-8")
    command = [sys.executable, "-c", SELFTEST, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr


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
