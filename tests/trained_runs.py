"""Runs that are trained in this process, which leaves the same run folder as a worker."""

import json
from typing import Any

from workbench.engine import Run, RunSpec, events, runs


def train_run(model: str = "mlp", stopped_at: int = 10**9, **options: Any) -> Run:
    """Train a network and return the run, which has ended.

    Args:
        model: The network.
        stopped_at: The step at which to stop.
        **options: Further fields of the spec.
    """
    from workbench.engine.training.trainer import SeedRun, Trainer

    run = runs.create(RunSpec.create(model, device="cpu", **options))

    def save_visualizations(visualizations: list[dict[str, Any]]) -> None:
        (run.folder / "visualizations.json").write_text(json.dumps(visualizations), encoding="utf-8")

    seed_run = SeedRun(run.spec, run.folder, save_visualizations)
    writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=run.spec.seed)
    for event in Trainer([seed_run], lambda: seed_run.step >= stopped_at).run():
        writer.write(event)
    writer.close()
    (run.folder / "worker.json").unlink()
    return run
