"""Damaged run folders give rows and sentences: fewer than the benchmark has."""

import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


def test_damaged_folders_are_rows_and_sentences():
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "damage.py"), "60"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("60 folders: 60 rows, ") and result.stdout.endswith(" 0 failed\n")
