"""The choice of a backend for several seeds: the fastest at computing a few gradients."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from workbench.data.sources import Batch
from workbench.engine.training.backends import Backend, Loop
from workbench.engine.training.stacked import SeedAxis, Stacked, Vmap, can_convert, can_stack
from workbench.engine.training.state import SeedState

ROUNDS = 3  # timings of each backend, of which the smallest counts
BACKENDS: dict[str, Callable[[Sequence[SeedState]], Backend]] = {"loop": Loop, "vmap": Vmap, "seed-axis": SeedAxis}


def possible(states: Sequence[SeedState]) -> list[str]:
    """Return the names of the backends that can train these seeds."""
    return ["loop", *(["vmap"] if can_stack(states) else []), *(["seed-axis"] if can_convert(states) else [])]


def choose(states: Sequence[SeedState]) -> str:
    """Return the name of the fastest backend; the states are left as they are."""
    names = possible(states)
    if len(names) == 1:
        return names[0]
    samples, size = len(states[0].sources["train"]), states[0].spec.data.batch_size
    size = samples if isinstance(size, str) else size
    batches = [state.sources["train"].batch(slice(0, size)) for state in states]
    stacked = {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}
    seconds = {"loop": _min_seconds(lambda: _loop(states, batches))}
    for name, kind in (("vmap", Vmap), ("seed-axis", SeedAxis)):
        if name in names:
            try:
                trial: Stacked = kind(states, is_trial=True)
                seconds[name] = _min_seconds(partial(trial.backward, stacked))
            except (RuntimeError, ValueError, NotImplementedError):
                continue  # an operation of the network that can't be vectorized
    return min(seconds, key=lambda name: seconds[name])


def _loop(states: Sequence[SeedState], batches: Sequence[Batch]) -> None:
    for state, batch in zip(states, batches, strict=True):
        buffers = [buffer.clone() for buffer in state.network.buffers()]
        outputs = state.task.forward(state.network, batch, state.context)
        state.task.losses(outputs, batch, state.context)["loss"].backward()
        state.network.zero_grad(set_to_none=True)
        with torch.no_grad():
            for buffer, before in zip(state.network.buffers(), buffers, strict=True):
                buffer.copy_(before)


def _min_seconds(compute: Callable[[], object]) -> float:
    """Return the smallest CPU time of some rounds in seconds, after a warmup."""
    compute()
    seconds = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        compute()
        seconds = min(seconds, time.process_time() - start)
    return seconds
