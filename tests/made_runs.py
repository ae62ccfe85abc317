"""Runs that are trained in this process, which has PyTorch already: a folder as a worker leaves it."""

import json
from typing import Any

from workbench.engine import Run, RunSpec, events, runs


def made(model: str = "mlp", stopped_at: int = 10**9, **options: Any) -> Run:
    """A run that has ended.

    Args:
        model: Its network.
        stopped_at: The step at which it was stopped.
        **options: Further fields of its spec.
    """
    from workbench.engine.loop import Fit

    run = runs.create(RunSpec(model, device="cpu", **options))

    def show(pictures: list[dict[str, Any]]) -> None:
        (run.folder / "pictures.json").write_text(json.dumps(pictures), encoding="utf-8")

    fit = Fit(run.spec, folder=run.folder, show=show, stopped=lambda: fit.step >= stopped_at)
    writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=run.spec.seed)
    for event in fit.run():
        writer.write(event)
    writer.close()
    (run.folder / "worker.json").unlink()
    return run
