"""The learning rate range test: how fast the loss falls at each learning rate.

The network is trained for some updates while the learning rate rises, until the loss diverges (Smith, Cyclical Learning
Rates for Training Neural Networks, 2015, arXiv:1506.01186, section 3.3). There the learning rate rises linearly between
two bounds; here it rises exponentially over seven orders of magnitude, as in fastai's learning rate finder.

`find_lr` asks the worker, the only process that imports torch; there, `compute` trains a network and discards it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError

LOW, HIGH = 1e-6, 10.0  # learning rates of the first and the last update
UPDATES, MIN_UPDATES, MAX_UPDATES = 140, 20, 10_000
DIVERGED = 4.0  # times the lowest smoothed loss: above that, the loss counts as diverging
TIMEOUT = 7200.0  # seconds: a network in its published size takes long on one core

OnProgress = Callable[[float], None]  # takes the share that is done, 0 to 1


@dataclass(frozen=True)
class Suggestion:
    """Learning rates to try, rounded to two significant digits.

    Attributes:
        steepest: Where the smoothed loss falls fastest, per order of magnitude; None if it never falls.
        tenth: A tenth of the learning rate at which the smoothed loss is lowest; None if it never falls.
    """

    steepest: float | None
    tenth: float | None


def find_lr(
    worker: Verifier, spec: RunSpec, updates: int = UPDATES, on_progress: OnProgress = lambda progress: None
) -> dict[str, Any]:
    """Return the loss of a network at learning rates that rise from update to update.

    Args:
        worker: The process that computes it.
        spec: The configuration. Its learning rate, schedule and length don't matter.
        updates: The number of updates from the lowest learning rate to the highest.
        on_progress: Called with the share that is done.

    Returns:
        `model`, `preset`, `task`, `optimizer`, `batch_size`, `seed` and `device`; `lrs`, the learning rates in order;
        `losses`, the loss of the batch after each update, with None if it is not finite; `smoothed`, the loss averaged
        over neighbors; `diverged`, whether it ended early because the loss diverged; and what `suggest` returns:
        `steepest` and `tenth`.

    Raises:
        UserError: If the spec can't be trained here, or the number of updates is out of range.
    """
    check_updates(updates)
    job = dict(job="find_lr", spec=spec.to_json(), updates=updates)
    try:
        return worker.ask(job, TIMEOUT, on_progress)
    except ScriptError as error:
        raise UserError(f"The learning rate can't be found: {error} See 'workbench doctor'.") from None


def check_updates(updates: int) -> None:
    """Check the number of updates.

    Raises:
        UserError: If it is out of range.
    """
    if not MIN_UPDATES <= updates <= MAX_UPDATES:
        raise UserError(f"updates must be an integer from {MIN_UPDATES} to {MAX_UPDATES}, not {updates}.")


def compute(spec: RunSpec, updates: int, on_progress: OnProgress = lambda progress: None) -> dict[str, Any]:
    """Return the same as `find_lr`, computed in this process. Imports torch."""
    from workbench.engine.training.state import SeedState

    check_updates(updates)
    state = SeedState(spec)
    half = neighbors(updates)
    planned = [LOW * (HIGH / LOW) ** (k / (updates - 1)) for k in range(updates)]
    losses: list[float] = []
    lowest, is_diverged = math.inf, False
    # Each update computes the loss before it changes the weights, so that the loss after it is that of the next one.
    for k, lr in enumerate([*planned, HIGH]):
        state.set_lr(lr)
        losses.append(state.update().losses["loss"].item())
        on_progress((k + 1) / (updates + 1))
        recent, first = (sum(part) / len(part) for part in (losses[-half:], losses[:half]))
        lowest = min(lowest, recent)
        if not math.isfinite(recent) or recent > max(first, DIVERGED * lowest):
            is_diverged = True
            break
    lrs, losses = planned[: len(losses) - 1], losses[1:]
    smooth = smooth_losses(losses, half)
    suggestion = suggest(lrs, losses, half)
    return {
        "model": spec.network.model,
        "preset": spec.network.preset,
        "task": spec.data.task,
        "optimizer": spec.options()["optimizer"],
        "batch_size": spec.data.batch_size,
        "seed": spec.seed,
        "device": str(state.device),
        "lrs": lrs,
        "losses": [loss if math.isfinite(loss) else None for loss in losses],
        "smoothed": [loss if math.isfinite(loss) else None for loss in smooth],
        "diverged": is_diverged,
        "steepest": suggestion.steepest,
        "tenth": suggestion.tenth,
    }


def neighbors(updates: int) -> int:
    """Return the number of neighbors on each side that the loss is averaged with: a third of an order of magnitude."""
    return max(2, round(updates / (3 * math.log10(HIGH / LOW))))


def smooth_losses(losses: Sequence[float], half: int) -> list[float]:
    """Return the mean of each loss and its neighbors; at both ends, of those that there are on both sides.

    Args:
        losses: The loss after each update.
        half: The number of neighbors on each side.
    """
    smoothed = []
    for k in range(len(losses)):
        reach = min(half, k, len(losses) - 1 - k)
        window = losses[k - reach : k + reach + 1]
        smoothed.append(sum(window) / len(window))
    return smoothed


def suggest(lrs: Sequence[float], losses: Sequence[float], half: int) -> Suggestion:
    """Return learning rates to try.

    The slope at a learning rate is that of the least-squares line through the losses of its neighbors, over the
    logarithm of the learning rate: differences of single losses would be noise.

    Args:
        lrs: The learning rates, in equal ratios.
        losses: The loss after each update.
        half: The number of neighbors on each side.
    """
    finite = next((k for k, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    smoothed = smooth_losses(losses[:finite], half)
    if not smoothed:
        return Suggestion(None, None)
    lowest = min(range(len(smoothed)), key=lambda k: smoothed[k])
    offsets = range(-half, half + 1)
    slopes = {
        k: sum(offset * losses[k + offset] for offset in offsets) / sum(offset**2 for offset in offsets)
        for k in range(half, min(lowest + 1, finite - half))
    }
    steepest = min(slopes, key=lambda k: slopes[k], default=None)
    if steepest is None or slopes[steepest] >= 0:
        return Suggestion(None, None)
    return Suggestion(_round(lrs[steepest]), _round(lrs[lowest] / 10))


def _round(lr: float) -> float:
    return float(f"{lr:.2g}")
