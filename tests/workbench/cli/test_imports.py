"""What a command imports: names and titles cost neither SymPy nor torch, and a drill costs no torch."""

import json
import subprocess
import sys

import pytest

from tests import example_pack
from tests.patience import PATIENCE

# Runs commands one after the other in one process and prints which of the heavy modules each leaves behind.
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
# Each group may leave its modules behind, and the groups after it find them there.
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
            ["runs", "pictures", "--help"],
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


@pytest.mark.parametrize("pack", [False, True], ids=["alone", "with a pack"])
def test_what_stays_out(pack, home):
    if pack:
        example_pack.write(home / "packs" / "first-layers")
    commands = [words for group, _ in GROUPS for words in group]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([commands, HEAVY])], capture_output=True, text=True, timeout=PATIENCE
    )
    assert not done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    allowed = [set(modules) for group, modules in GROUPS for _ in group]
    assert [row[0] for row in rows] == commands
    for (words, code, spoke, modules), may_stay in zip(rows, allowed, strict=True):
        assert code in (0, 1) and spoke, words
        assert set(modules) <= may_stay, words
