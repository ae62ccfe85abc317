"""An overview of one run, from the files in its folder."""

from collections.abc import Mapping
from typing import Any

from workbench import untrusted
from workbench.engine.events import Start
from workbench.engine.index import RunIndex
from workbench.engine.resume import header
from workbench.engine.run import Run
from workbench.engine.spec.options import OPTIONS
from workbench.errors import UserError

CHECKPOINTS = ("last", "best")
VISUALIZATION_FILES = ("visualizations.json", "pictures.json")  # the second in older runs, with the key `picture`


def overview(run: Run) -> dict[str, Any]:
    """Return a run's spec, status, latest metrics on each split, checkpoints and visualizations, as plain data.

    Raises:
        UserError: If the folder is damaged.
    """
    options = run.spec.options()
    state = run.state()
    start: Mapping[str, Any] = state.start or {}
    row = run.summary()
    checkpoints = {}
    for name in CHECKPOINTS:
        try:
            about = header(run.folder / f"{name}.safetensors")
            checkpoints[name] = {key: about[key] for key in ("step", "epoch", "metrics")}
        except (UserError, KeyError):
            continue  # missing or damaged
    return {
        **{name: row[name] for name in ("run", "status", "step")},
        "steps": start.get("steps"),
        "seconds": state.seconds if state.start or state.end else None,
        "device": start.get("device"),
        "params": start.get("params"),
        "trainable": start.get("trainable", start.get("params")),
        "baseline": start.get("baseline"),
        "monitor": start.get("monitor"),
        "initial_weights": start.get("initial_weights"),
        "continued_by": RunIndex().continued_by([run.id]).get(run.id, []),
        "folder": str(run.folder),
        "spec": {name: options.get(name) for name in OPTIONS},
        "metrics": state.latest,
        "checkpoints": checkpoints,
        "visualizations": visualizations(run),
        **({"reason": row["reason"]} if "reason" in row else {}),
    }


def visualizations(run: Run) -> list[dict[str, Any]]:
    """Return the visualizations of the validation set at a run's last checkpoint; none before the first."""
    for name in VISUALIZATION_FILES:
        try:
            content = untrusted.clean(untrusted.parse((run.folder / name).read_bytes()))
        except (OSError, ValueError):
            continue
        rows = [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
        return [{"kind": row["picture"], **row} if "picture" in row else row for row in rows]
    return []


def counted(start: Start) -> str:
    """Return the number of parameters of a run that started, and of those that are trained if not all are."""
    trainable = start.get("trainable", start["params"])
    return f"{start['params']:,} parameters" + (f", {trainable:,} trained" if trainable < start["params"] else "")
