"""The comparison of runs: their metrics, and the options in which their specs differ."""

from collections.abc import Mapping, Sequence
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
    metrics = _spread([end["metrics"] for end in done])
    runs, seeds = [end.get("run") for end in ends], [end.get("seed") for end in ends]
    return {"event": "seeds", "runs": runs, "seeds": seeds, "done": len(done), "metrics": metrics}


def _spread(runs: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """Return the mean, the sample standard deviation and the values of each metric over runs."""
    metrics = {}
    for name in dict.fromkeys(name for run in runs for name in run):
        values = [value for run in runs if (value := run.get(name)) is not None]
        if values:
            sd = stdev(values) if len(values) > 1 else None
            metrics[name] = {"mean": mean(values), "sd": sd, "values": values}
    return metrics


def compared(runs: list[Run]) -> dict[str, Any]:
    """Return the summaries and latest metrics of runs, and the options that are not the same in all of them.

    Under `over_seeds` are the runs that are done and differ in their seed alone, with the spread of their metrics.

    Raises:
        UserError: If one of the runs is damaged.
    """
    rows = []
    for run in runs:
        split, metrics = latest_metrics(run)
        rows.append({**run.summary(), "split": split, "metrics": metrics})
    options = differing(runs)
    return {"differing": options, "runs": rows, "over_seeds": _over_seeds(options, rows)}


def _over_seeds(options: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each group of two or more runs whose options are the same, apart from the seed."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for index, row in enumerate(rows):
        setting = {name: values[index] for name, values in options.items() if name != "seed"}
        if row["status"] == "done":
            groups.setdefault(repr(setting), []).append(row)
            settings[repr(setting)] = setting
    return [
        {
            "options": settings[key],
            "runs": [row["run"] for row in group],
            "seeds": [row["seed"] for row in group],
            "metrics": _spread([row["metrics"] for row in group]),
        }
        for key, group in groups.items()
        if len({row["seed"] for row in group}) > 1
    ]


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
