"""Expressions that were changed count as wrong, and equal ones as right: a sample of what the benchmark examines."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SHARES = 4


def drills():
    from workbench import question_index

    return [row.id for row in question_index.drills() if "expression" in row.kinds]


@pytest.mark.parametrize(
    ("count", "share"), [(8, 0), *(pytest.param(2000 // SHARES, k, marks=pytest.mark.full) for k in range(SHARES))]
)
def test_changed_expressions_are_wrong_and_equal_ones_right(count, share):
    names = drills()[share::SHARES]
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "expressions.py"), str(count), *names],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    *problems, changed, _, rewritten, _ = result.stdout.splitlines()
    assert not problems
    assert changed.endswith(", counted as right: 0") and rewritten.endswith(", counted as wrong: 0")
