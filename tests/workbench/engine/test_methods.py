"""The table of methods: each is an order that can be given, and the command that it names gives it."""

import subprocess
import sys

import pytest
import typer

from workbench.cli import train as command
from workbench.engine import METHODS, RunSpec
from workbench.syllabus import topics

TAUGHT = (
    "gd momentum adam batch-gd mini-batch-gd sgd early-stopping augmentation grad-clip init-he init-xavier init-normal "
    "init-uniform l1 l2 weight-decay dropout batch-norm feature-extraction fine-tuning"
).split()


def test_the_methods_of_the_syllabus_are_there():
    assert set(METHODS) == set(TAUGHT)
    assert set(TAUGHT) <= {system for topic in topics().values() for system in topic.systems}


@pytest.mark.parametrize("name", METHODS)
def test_the_command_orders_what_the_table_says(name, monkeypatch):
    method, seen = METHODS[name], []
    monkeypatch.setattr(
        command, "spec_from_options", lambda model, options: seen.append((model, options)) or sys.exit()
    )
    words = method.command.split()
    assert words[:2] == ["workbench", "train"]
    with pytest.raises(SystemExit):
        typer.main.get_command(command.app)(words[2:], standalone_mode=False)
    monkeypatch.undo()
    [(model, options)] = seen
    assert command.spec_from_options(model, options) == RunSpec.create(method.model, **method.fields)


def test_the_table_needs_no_torch():
    code = "import sys, workbench.engine.methods; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
