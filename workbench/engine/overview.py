"""All that is known of one run, gathered from its folder."""

from dataclasses import asdict
from typing import Any

from workbench import untrusted
from workbench.engine.resume import header
from workbench.engine.run import Run
from workbench.errors import UserError

CHECKPOINTS = ("last", "best")


def overview(run: Run) -> dict[str, Any]:
    """A run's spec, status, newest metrics of each part of the data, checkpoints and pictures, as plain data.

    Raises:
        UserError: The folder is damaged.
    """
    spec = asdict(run.spec)
    metrics: dict[str, dict[str, Any]] = {}
    start: dict[str, Any] = {}
    tail = run.tail()
    while news := tail.read():
        for event in news:
            if event["event"] == "start":
                start = event
            elif event["event"] in ("metric", "eval"):
                metrics[event["split"]] = event["metrics"]
    row = run.summary()
    checkpoints = {}
    for name in CHECKPOINTS:
        try:
            about = header(run.folder / f"{name}.safetensors")
            checkpoints[name] = {key: about[key] for key in ("step", "epoch", "metrics")}
        except (UserError, KeyError):
            continue  # not there yet, or damaged: then it is none
    return {
        **{name: row[name] for name in ("run", "status", "step")},
        "steps": start.get("steps"),
        "seconds": run.last_event().get("seconds"),
        "device": start.get("device"),
        "params": start.get("params"),
        "trainable": start.get("trainable", start.get("params")),
        "floor": start.get("floor"),
        "folder": str(run.folder),
        "spec": spec,
        "metrics": metrics,
        "checkpoints": checkpoints,
        "pictures": pictures(run),
        **({"reason": row["reason"]} if "reason" in row else {}),
    }


def pictures(run: Run) -> list[dict[str, Any]]:
    """What the network said of test samples at its last checkpoint; empty before the first."""
    try:
        found = untrusted.clean(untrusted.parse((run.folder / "pictures.json").read_bytes()))
    except (OSError, ValueError):
        return []
    return [picture for picture in found if isinstance(picture, dict)] if isinstance(found, list) else []


def counted(start: dict[str, Any]) -> str:
    """The parameters of a run that started, and how many of them are trained where not all are."""
    trained = start.get("trainable", start["params"])
    return f"{start['params']:,} parameters" + (f", {trained:,} trained" if trained < start["params"] else "")
