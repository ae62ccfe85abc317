"""Schedules: the learning rate of every step. All but `plateau` are in closed form, and need no memory."""

from math import ceil, cos, pi

from workbench.engine.spec import RunSpec

ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1 / 25e4  # of the largest learning rate, as in torch's OneCycleLR
ONE_CYCLE_RISE = 0.3  # share of the steps until the largest learning rate


def lr_at(spec: RunSpec, step: int, total: int) -> float:
    """Return the learning rate of an update; for `plateau`, before it is lowered.

    Args:
        spec: The configuration.
        step: The number of updates before this one.
        total: The number of updates of the whole run. A run that is extended has a longer schedule from then on.
    """
    warmup = spec.warmup if spec.warmup is not None else ceil(total / 10) if spec.schedule == "warmup" else 0
    if step < warmup:
        return spec.lr * (step + 1) / warmup
    since, span = step - warmup, total - warmup
    match spec.schedule:
        case "step":
            return float(spec.lr * spec.decay ** (since // _decay_every(spec, total)))
        case "exponential":
            return float(spec.lr * spec.decay ** (since / _decay_every(spec, total)))
        case "cosine":  # half a wave, from the full learning rate to 0
            return _cosine(spec.lr, 0.0, since / span)
        case "linear":
            return spec.lr * (1 - since / span)
        case "one-cycle":
            return spec.lr * _one_cycle(since, span)
    return spec.lr


def _one_cycle(step: int, span: int) -> float:
    """Return the factor of Smith's one-cycle policy: it rises to 1 and falls to almost 0, both along cosines."""
    peak = ONE_CYCLE_RISE * span - 1  # below 0 for fewer than 4 steps, which only fall
    if step <= peak:
        return _cosine(ONE_CYCLE_START, 1.0, step / peak)
    return _cosine(1.0, ONE_CYCLE_END, (step - peak) / (span - 1 - peak))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2


def is_constant(spec: RunSpec) -> bool:
    """Return whether the learning rate of every step is the spec's."""
    return spec.schedule == "constant" and not spec.warmup


def depends_on_length(spec: RunSpec) -> bool:
    """Return whether the learning rates of a run would be others if the run were longer."""
    warms_up_by_length = spec.schedule == "warmup" and spec.warmup is None
    decays_by_length = spec.schedule in ("step", "exponential") and spec.decay_every is None
    return warms_up_by_length or decays_by_length or spec.schedule in ("cosine", "linear", "one-cycle")


def _decay_every(spec: RunSpec, total: int) -> int:
    return spec.decay_every or ceil(total / 3)
