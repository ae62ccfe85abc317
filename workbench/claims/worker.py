"""The worker process of claims: it computes trials, one job after another.

python -P -m workbench.claims.worker --serve
"""

import sys
from typing import Any

from workbench.engine import worker
from workbench.engine.worker import OnProgress


def _trials(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from models.startup import skip_compiler
    from workbench.claims import trials

    skip_compiler()
    return trials.compute(request, on_progress)


def main(words: list[str]) -> int:
    """Do jobs until stdin closes."""
    return worker.serve(makes_runs=False, more={"trials": _trials})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
