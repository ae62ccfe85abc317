"""Schedules: the learning rate of every step, in closed form, so that a resumed run needs no memory of it."""

from math import ceil, cos, pi

from workbench.engine.spec import RunSpec


def rate(spec: RunSpec, step: int, total: int) -> float:
    """The learning rate of one update.

    Args:
        spec: Names the schedule.
        step: Updates made before this one.
        total: Updates of the whole run. What spans the run spans the longer one once a run is prolonged.
    """
    warmup = spec.warmup if spec.warmup is not None else ceil(total / 10) if spec.schedule == "warmup" else 0
    if step < warmup:
        return spec.lr * (step + 1) / warmup
    since = step - warmup
    match spec.schedule:
        case "step":
            return float(spec.lr * spec.decay ** (since // _every(spec, total)))
        case "exponential":
            return float(spec.lr * spec.decay ** (since / _every(spec, total)))
        case "cosine":  # half a wave, from the full rate towards 0
            return spec.lr * (1 + cos(pi * since / (total - warmup))) / 2
    return spec.lr


def changes(spec: RunSpec) -> bool:
    """Whether the rate is ever another than the spec's."""
    return spec.schedule != "constant" or bool(spec.warmup)


def _every(spec: RunSpec, total: int) -> int:
    return spec.decay_every or ceil(total / 3)
