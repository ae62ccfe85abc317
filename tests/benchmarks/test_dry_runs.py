"""Every benchmark still runs: each part of it once, at the smallest size."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# The others measure one thing.
RATIOS = {
    *("app", "average_precision", "cli", "executor", "growth", "index", "mask_rcnn", "memory_format", "segmenters"),
    *("ssd300", "start", "train_speed", "zoo"),
}


@pytest.mark.full
@pytest.mark.parametrize("script", [path.stem for path in sorted(BENCHMARKS.glob("[!_]*.py"))])
def test_a_dry_run_prints_its_table(script, tmp_path):
    table = (BENCHMARKS / "minis.md").read_bytes()
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{script}.py"), "--dry"],
        env={**os.environ, "WORKBENCH_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert len(re.findall(r"\b\d+\.?\d*\b", run.stdout)) >= 4
    assert ("ratio" in run.stdout or "ours/minimal" in run.stdout) == (script in RATIOS)
    assert (BENCHMARKS / "minis.md").read_bytes() == table
