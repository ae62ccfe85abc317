"""Processor time of `workbench train mlp` relative to `import torch` alone.

    PYTHONPYCACHEPREFIX=/tmp/pycache python benchmarks/start.py [PAIRS] [--dry]

The command is measured with its baseline in the cache, and as the first one in an empty data directory. It includes
the worker and all 20 epochs. It runs in turns with `python -c "import torch"`, so that both meet the same load; the
ratio is the median over the pairs. Targets: 1.5 with the cache, 2.5 the first time.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import _options
from cli import processor_seconds

IMPORT = [sys.executable, "-P", "-c", "import torch"]
TRAIN = [sys.executable, "-P", "-m", "workbench.cli.main", "train", "mlp"]


def main(pairs: int, epochs: list[str]) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "workbench-pycache"))
    os.environ["OMP_NUM_THREADS"] = "1"  # as workers have
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        processor_seconds([*TRAIN, *epochs]), processor_seconds(IMPORT)  # bytecode and the cache are written
        for name, is_first in (("with a cached baseline", False), ("the first time", True)):
            times = []
            for _ in range(pairs):
                if is_first:
                    shutil.rmtree(home)
                times.append((processor_seconds([*TRAIN, *epochs]), processor_seconds(IMPORT)))
            ratio = median(a / b for a, b in times)
            train, torch = (median(column) for column in zip(*times, strict=True))
            print(
                f"workbench train mlp, {name:<22} {train:5.2f} s  import torch {torch:5.2f} s  ratio {ratio:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 9, dry=1)
    main(options.count, ["--epochs", "1"] if options.dry else [])
