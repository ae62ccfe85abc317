"""Several runs beside one another: what they reached, and where they differ."""

from dataclasses import asdict
from statistics import mean, stdev
from typing import Any

from workbench.engine.run import Run


def spread(ends: list[dict[str, Any]]) -> dict[str, Any]:
    """What runs that differ in their seed alone reached together, from their `end` events.

    Returns:
        The mean and the sample standard deviation of every test metric over those that are done; the deviation of one
        run is None.
    """
    done = [end for end in ends if end["status"] == "done"]
    metrics = {}
    for name in dict.fromkeys(name for end in done for name in end["metrics"]):
        values = [end["metrics"][name] for end in done if end["metrics"].get(name) is not None]
        if values:
            sd = stdev(values) if len(values) > 1 else None
            metrics[name] = {"mean": mean(values), "sd": sd, "values": values}
    runs, seeds = [end["run"] for end in ends], [end["seed"] for end in ends]
    return {"event": "seeds", "runs": runs, "seeds": seeds, "done": len(done), "metrics": metrics}


def compared(runs: list[Run]) -> dict[str, Any]:
    """What several runs reached, and the fields of their specs that aren't the same in all of them.

    Raises:
        UserError: One of the runs is damaged.
    """
    rows = [{**run.summary(), "metrics": reached(run)} for run in runs]
    return {"differing": differing(runs), "runs": rows}


def reached(run: Run) -> dict[str, float | None]:
    """The newest metrics of the test part."""
    last = run.last_event()
    if last.get("event") == "end":
        final: dict[str, float | None] = last["metrics"]
        return final
    metrics: dict[str, float | None] = {}
    tail = run.tail()
    while news := tail.read():
        for event in news:
            if event["event"] == "eval" and event["split"] == "test":
                metrics = event["metrics"]
    return metrics


def differing(runs: list[Run]) -> dict[str, list[Any]]:
    """The fields of the runs' specs that aren't the same in all of them, with their values.

    Raises:
        UserError: One of the runs is damaged.
    """
    records = [asdict(run.spec) for run in runs]
    return {
        name: [record[name] for record in records]
        for name in records[0]
        if any(record[name] != records[0][name] for record in records)
    }
