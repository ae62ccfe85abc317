"""Trials: one arm of a claim with several seeds, computed in this process. Imports torch.

A worker calls `compute`. It returns a row for each seed, as it is appended to the results.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from workbench.claims import catalog, statistics
from workbench.claims.arms import RunArm, TrialArm
from workbench.claims.claim import Claim, Empirical, Exact, Scaling
from workbench.claims.measures import Measure
from workbench.engine.events import Event, RunState
from workbench.engine.spec import RunSpec

Row = dict[str, Any]
OnProgress = Callable[[float], None]


def compute(request: Mapping[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """Return the rows of a job: `claim`, `arm`, `phase` (`tune`, `main` or `control`), `seeds` and `options`."""
    claim = catalog.get(request["claim"])
    job = dict(arm=request["arm"], phase=request["phase"])
    if request["options"]:
        job["options"] = request["options"]
    return {"rows": [{**job, **row} for row in _rows(claim, request, on_progress)]}


def _rows(claim: Claim, request: Mapping[str, Any], on_progress: OnProgress) -> list[Row]:
    seeds: list[int] = request["seeds"]
    match claim:
        case Exact():
            return _each(seeds, lambda seed: {"evidence": [asdict(row) for row in claim.evidence(seed)]}, on_progress)
        case Scaling():

            def measure(seed: int) -> Row:
                points = claim.points(seed)
                return {"values": {"slope": statistics.slope(points)}, "points": [list(point) for point in points]}

            return _each(seeds, measure, on_progress)
        case Empirical():
            arm = claim.phase_arms("control" if request["phase"] == "control" else "main")[request["arm"]]
            arm = arm.changed(request["options"])
            measured = claim.tuned_by if request["phase"] == "tune" else claim.measure
            if isinstance(arm, TrialArm):
                assert isinstance(measured, str)
                return _each(seeds, lambda seed: {"values": _call(arm, measured, seed)}, on_progress)
            assert measured is not None and not isinstance(measured, str)
            return _train(arm, measured, seeds, on_progress)
    raise TypeError(f"{claim.id} can't be computed")


def _each(seeds: Sequence[int], function: Callable[[int], Row], on_progress: OnProgress) -> list[Row]:
    rows = []
    for index, seed in enumerate(seeds):
        start = time.process_time()
        row = function(seed)
        rows.append({"seed": seed, **row, "seconds": round(time.process_time() - start, 4)})
        on_progress((index + 1) / len(seeds))
    return rows


def _call(arm: TrialArm, name: str, seed: int) -> dict[str, Any]:
    result = arm.function(seed=seed, **arm.options)
    values = dict(result) if isinstance(result, Mapping) else {name: result}
    return {"value": values[name], **values}


def _train(arm: RunArm, measure: Measure, seeds: Sequence[int], on_progress: OnProgress) -> list[Row]:
    from workbench.engine.training import race
    from workbench.engine.training.trainer import SeedRun, Trainer

    start = time.process_time()
    runs = [SeedRun(RunSpec.create(arm.model, use_recipe=False, **arm.options, seed=seed)) for seed in seeds]
    states = {seed: RunState() for seed in seeds}
    backend = race.choose([run.state for run in runs])
    for event in Trainer(runs, backend=race.BACKENDS[backend]([run.state for run in runs])).run():
        states[event["seed"]].apply(cast(Event, event))
        if event["event"] == "metric":
            on_progress(sum(run.step / run.total for run in runs) / len(runs))
    values = [measure.of(states[run.spec.seed], run.state) for run in runs]
    seconds = round((time.process_time() - start) / len(seeds), 4)
    return [
        {"seed": run.spec.seed, "values": {"value": value}, "steps": run.step, "seconds": seconds, "backend": backend}
        for run, value in zip(runs, values, strict=True)
    ]
