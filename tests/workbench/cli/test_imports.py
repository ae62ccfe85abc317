"""Imports of commands: lists import neither SymPy nor torch, and a drill doesn't import torch."""

import json
import subprocess
import sys

import pytest

from tests import example_pack
from tests.patience import PATIENCE

# Runs commands one after another in one process, and prints which heavy modules are loaded after each.
PROGRAM = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from workbench.cli.main import main
commands, heavy = json.loads(sys.argv[1])
for words in commands:
    sys.argv, sys.stdin, output = ["workbench", *words], io.StringIO("q\\n"), io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([words, code, bool(output.getvalue()), [name for name in heavy if name in sys.modules]]))
"""
HEAVY = ["torch", "sympy", "numpy", "mpmath", "textual", "sklearn", "scipy", "rich.console", "quizzes.bank"]
# (commands, heavy modules that may be loaded after them); modules stay loaded for the groups that follow.
GROUPS = [
    ([["--help"]], []),
    (
        [
            ["--version"],
            ["topics"],
            ["topics", "--json"],
            ["topics", "--systems"],
            ["drill", "list"],
            ["cards", "list"],
            ["data", "list", "--json"],
            ["models", "list"],
            ["models", "tree"],
            ["runs", "list"],
            ["train", "--help"],
            ["runs", "inspect", "--help"],
            ["drill", "show", "iou", "--seed", "1", "--json"],
            ["drill", "answer", "iou", "--seed", "1", "1", "2", "3"],
            ["calc", "conv-out-size", "n=5", "f=3"],
        ],
        ["rich.console", "quizzes.bank"],
    ),
    (
        [["drill", "answer", "activation-derivs", "--seed", "1", "z"], ["quiz", "-n", "1"]],
        ["rich.console", "quizzes.bank", "mpmath"],
    ),
    (
        [["drill", "show", "iou", "--seed", "1", "--solution"]],
        ["rich.console", "quizzes.bank", "mpmath", "sympy"],
    ),
]


def run(commands: list[list[str]]) -> list[list]:
    """Return for each command its words, its exit code, whether it printed anything, and the heavy modules loaded."""
    argument = json.dumps([commands, HEAVY])
    result = subprocess.run([sys.executable, "-c", PROGRAM, argument], capture_output=True, text=True, timeout=PATIENCE)
    assert not result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row[0] for row in rows] == commands
    return rows


@pytest.mark.parametrize("pack", [False, True], ids=["alone", "with a pack"])
def test_commands_import_no_more_than_they_need(pack, home):
    if pack:
        example_pack.write(home / "packs" / "first-layers")
    rows = run([words for group, _ in GROUPS for words in group])
    allowed = [set(modules) for group, modules in GROUPS for _ in group]
    for (words, code, has_output, modules), allowed_modules in zip(rows, allowed, strict=True):
        assert code in (0, 1) and has_output, words
        assert set(modules) <= allowed_modules, words


@pytest.mark.parametrize("is_cached", [False, True], ids=["without a cache", "with a cache"])
def test_lists_load_no_questions(is_cached):
    commands = [["topics"], ["topics", "--json"], ["drill", "list"], ["cards", "list", "--json"], ["formulas"]]
    if is_cached:
        run(commands[:1])
    for words, code, has_output, modules in run(commands):
        assert (code, has_output, modules) == (0, True, []), words
