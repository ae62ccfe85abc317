"""The time and the memory of a run's training step, layer by layer.

`profile` asks the worker, the only process that imports torch; there, `compute` trains a few steps, of which nothing
is saved.
"""

from typing import Any

from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError

TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def profile(worker: Verifier, run: Run) -> dict[str, Any]:
    """Return the time and the memory of a training step of a run's network, with its data and its batch size.

    Args:
        worker: The process that computes it.
        run: The run. Its weights don't matter, and are not used.

    Returns:
        The run's id, the model, the preset and the task; `kind`: `profile`; the `device` and the `batch_size`; and what
        `layer_profiler.profile_step` returns.

    Raises:
        UserError: If the run's spec can't be trained here.
    """
    try:
        return worker.ask(dict(job="profile", folder=str(run.folder)), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The profile can't be computed: {error} See 'workbench doctor'.") from None


def compute(run: Run) -> dict[str, Any]:
    """Return the same as `profile`, computed in this process. Imports torch."""
    from workbench.engine import devices
    from workbench.engine.layer_profiler import profile_step
    from workbench.engine.training.state import SeedState

    spec = run.spec
    # PyTorch's profiler measures kernels on CUDA devices alone.
    device = spec.runtime.device if devices.available(spec.runtime.device).type == "cuda" else "cpu"
    # The modules of a compiled network can't be measured separately. One of several accumulated batches is enough.
    state = SeedState(spec.with_options(device=device, compile=False, accumulate=1), is_new=False)
    return {
        "run": run.id,
        "model": spec.network.model,
        "preset": spec.network.preset,
        "task": spec.data.task,
        "kind": "profile",
        "device": str(state.device),
        "batch_size": len(state.sources["train"]) if spec.data.batch_size == "full" else spec.data.batch_size,
        **profile_step(state),
    }
