"""The comparison of runs: their metrics, and the options in which their specs differ."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from workbench.engine.events import End
from workbench.engine.run import Run
from workbench.engine.spec.options import OPTIONS


def spread(ends: Sequence[End]) -> dict[str, Any]:
    """Return the spread of the test metrics of runs that differ in their seed alone, from their `end` events.

    Returns:
        The mean and the sample standard deviation of every metric over the runs that are done; the deviation of a
        single run is None.
    """
    done = [end for end in ends if end["status"] == "done"]
    metrics = {}
    for name in dict.fromkeys(name for end in done for name in end["metrics"]):
        values = [value for end in done if (value := end["metrics"].get(name)) is not None]
        if values:
            sd = stdev(values) if len(values) > 1 else None
            metrics[name] = {"mean": mean(values), "sd": sd, "values": values}
    runs, seeds = [end.get("run") for end in ends], [end.get("seed") for end in ends]
    return {"event": "seeds", "runs": runs, "seeds": seeds, "done": len(done), "metrics": metrics}


def compared(runs: list[Run]) -> dict[str, Any]:
    """Return the summaries and latest metrics of runs, and the options that are not the same in all of them.

    Raises:
        UserError: If one of the runs is damaged.
    """
    rows = []
    for run in runs:
        split, metrics = latest_metrics(run)
        rows.append({**run.summary(), "split": split, "metrics": metrics})
    return {"differing": differing(runs), "runs": rows}


def latest_metrics(run: Run) -> tuple[str, dict[str, float | None]]:
    """Return the split and the metrics: those of the test set if the run is done, else the latest validation ones."""
    state = run.state()
    if state.end is not None and (state.end["metrics"] or "validation" not in state.end):
        return "test", state.end["metrics"]
    return "validation", state.latest.get("validation", {})


def differing(runs: list[Run]) -> dict[str, list[Any]]:
    """Return the options that are not the same in all runs, each with the value in every run.

    Raises:
        UserError: If one of the runs is damaged.
    """
    specs = [run.spec.options() for run in runs]
    return {
        name: [options.get(name) for options in specs]
        for name in OPTIONS
        if any(options.get(name) != specs[0].get(name) for options in specs)
    }
