"""Schedules: the learning rate of every step. All but `plateau` are in closed form, and need no memory."""

from math import ceil, cos, pi, sqrt

from workbench.engine.spec import RunSpec
from workbench.engine.spec.sections import Constant, Cosine, Exponential, InverseSqrt, Linear, OneCycle, Step, Warmup

ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1 / 25e4  # of the largest learning rate, as in torch's OneCycleLR
ONE_CYCLE_RISE = 0.3  # share of the steps until the largest learning rate


def lr_at(spec: RunSpec, step: int, total: int) -> float:
    """Return the learning rate of an update; for `plateau`, before it is lowered.

    Args:
        spec: The configuration.
        step: The number of updates before this one.
        total: The number of updates of the whole run. A run that is extended has a longer schedule from then on.
    """
    lr, schedule = spec.optimizer.lr, spec.schedule
    warmup = ceil(total / 10) if schedule.warmup is None else schedule.warmup
    if step < warmup:
        return lr * (step + 1) / warmup
    since, span = step - warmup, total - warmup
    match schedule:
        case Exponential():
            return float(lr * schedule.decay ** (since / _decay_every(schedule, total)))
        case Step():
            return float(lr * schedule.decay ** (since // _decay_every(schedule, total)))
        case Cosine():
            return _cosine(lr, 0.0, since / span)
        case Linear():
            return lr * (1 - since / span)
        case OneCycle():
            return lr * _one_cycle(since, span)
        case InverseSqrt():  # Vaswani et al. (2017), equation 3, whose largest learning rate is 1/sqrt(d * warmup)
            return lr * sqrt(max(1, warmup) / (step + 1))
    return lr


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
    return isinstance(spec.schedule, Constant) and not spec.schedule.warmup


def depends_on_length(spec: RunSpec) -> bool:
    """Return whether the learning rates of a run would be others if the run were longer."""
    match spec.schedule:
        case Step(decay_every=None) | Warmup(warmup=None) | Cosine() | Linear() | OneCycle():
            return True
    return False


def _decay_every(schedule: Step, total: int) -> int:
    return schedule.decay_every or ceil(total / 3)
