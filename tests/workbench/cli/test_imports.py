"""What a command imports: names and titles cost neither SymPy nor torch, and a drill costs no torch."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.argv = ["workbench", *{words!r}]
from workbench.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
heavy = [name for name in {heavy!r} if name in sys.modules]
print(code or 0, *heavy, file=sys.stderr)
"""
EVERYTHING = ["torch", "sympy", "numpy", "mpmath", "textual", "sklearn", "scipy"]


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], [*EVERYTHING, "rich.console", "quizzes.bank"]),
        (["--version"], EVERYTHING),
        (["topics"], EVERYTHING),
        (["topics", "--json"], EVERYTHING),
        (["topics", "--systems"], EVERYTHING),
        (["drill", "list"], EVERYTHING),
        (["cards", "list"], EVERYTHING),
        (["models", "list"], EVERYTHING),
        (["models", "tree"], EVERYTHING),
        (["runs", "pictures", "--help"], EVERYTHING),
        (["drill", "show", "iou", "--seed", "1", "--json"], EVERYTHING),
        (["drill", "show", "iou", "--seed", "1", "--solution"], ["torch", "numpy", "textual"]),
        (["drill", "answer", "iou", "--seed", "1", "1", "2", "3"], EVERYTHING),
        (["drill", "answer", "activation-derivs", "--seed", "1", "z"], ["torch", "sympy", "numpy"]),
        (["calc", "conv-out-size", "n=5", "f=3"], EVERYTHING),
        (["quiz", "-n", "1"], ["torch", "sympy", "textual"]),
    ],
    ids=lambda x: " ".join(x) if "torch" not in x else "",
)
def test_what_stays_out(words, heavy, home):
    program = PROGRAM.format(words=words, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", program], input="q\n", capture_output=True, text=True, timeout=60)
    assert done.stderr.split() in (["0"], ["1"])
