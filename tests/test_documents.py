"""The examples in the documents work: the drill of CONTRIBUTING, and the commands of the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent
SELF_TEST = """
from quizzes.selftest import selftest
from workbench.engine.worker import script_values

report = selftest(leaky_relu, range(1, 51), script_values)
assert not report.problems, report.problems
"""


def test_the_example_of_a_drill_passes_its_self_test() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    imports = "from quizzes.drill import drill\nfrom quizzes.formulas import formula\n"
    source = "\n".join([imports, *blocks, SELF_TEST])
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr


def commands() -> list[str]:
    """Return the commands that the README shows, without their arguments."""
    lines = re.findall(r"^workbench (.*?)(?:  .*)?$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    nouns = ("cards", "data", "drill", "models", "packs", "runs")  # these are followed by a verb
    return sorted({" ".join(words[: 1 + (words[0] in nouns)]) for words in map(str.split, lines)})


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_readme_exists(cli, command: str) -> None:
    assert cli(*command.split(), "--help").code == 0


def test_the_readme_shows_commands() -> None:
    assert len(commands()) >= 6
