"""Time and memory of a training step, layer by layer. Imports torch.

Times are those of PyTorch's operators, by its profiler. Every module opens a range while it runs, so that each operator
of the forward pass belongs to the innermost module around it. An operator that is differentiated has a sequence number,
and the function that computes its gradient has the same one, so that the backward pass can be divided in the same way.
On a GPU, the times are those of the kernels that the operators start.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.profiler import profile, record_function
from torch.autograd.profiler_util import FunctionEvent

from models.tracing import hooked
from workbench.engine.training.state import SeedState

LAYER, LOSS, STEP, OPTIMIZER = "layer:", "loss", "profiled step", "Optimizer.step"
BACKWARD = "autograd::engine::evaluate_function: "
MAX_SECONDS, MAX_STEPS = 2.0, 50  # of the steps that are measured
MAX_OPERATORS = 10


class LayerRecorder:
    """Hooks that open a range of the profiler for every module, and that measure the memory of its outputs.

    Attributes:
        modules: The modules that ran, by name, in the order in which they started.
        output_shapes: The shape of each module's last output; none if that is not a tensor.
        output_bytes: The memory of each module's outputs in a step.
        saved_bytes: The memory of the tensors that each module, or the loss, saved for the backward pass, without
            weights and without what another one had saved before.
    """

    def __init__(self, network: nn.Module):
        self.modules: dict[str, nn.Module] = {}
        self.output_shapes: dict[str, list[int]] = {}
        self.output_bytes: Counter[str] = Counter()
        self.saved_bytes: Counter[str] = Counter()
        self._weights = {_storage(tensor) for tensor in (*network.parameters(), *network.buffers())}
        self._saved: dict[int, Tensor] = {}  # by storage; they are held, so that none is used a second time
        self._ranges: list[tuple[str, record_function]] = []

    def enter(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Open the range of a module."""
        self.modules.setdefault(name, module)
        section = record_function(LAYER + name)
        section.__enter__()
        self._ranges.append((name, section))

    def leave(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Close the range of a module."""
        _, section = self._ranges.pop()
        section.__exit__(None, None, None)
        if isinstance(output, Tensor):
            self.output_shapes[name] = list(output.shape)
        self.output_bytes[name] += sum(tensor.nbytes for tensor in _tensors(output))

    def save(self, tensor: Tensor) -> Tensor:
        """Note a tensor that is saved for the backward pass."""
        storage = _storage(tensor)
        if storage not in self._weights and storage not in self._saved:
            self._saved[storage] = tensor
            self.saved_bytes[self._ranges[-1][0] if self._ranges else LOSS] += tensor.untyped_storage().nbytes()
        return tensor


def profile_step(state: SeedState) -> dict[str, Any]:
    """Return the time and the memory of a training step.

    Args:
        state: The training state, on the CPU or on a CUDA device. It is updated.

    Returns:
        `steps`, the number that were measured, and `seconds`, of one step without the profiler. `layers`: for each its
        `layer`, `type`, `output_shape`, `output_bytes`, `saved_bytes`, `params`, and its `forward` and `backward` time.
        Further rows of time: `loss`, `optimizer`, `other`. `total`, the sum of all times, and `forward` and `backward`
        of all layers and the loss. `operators`: the most expensive, each with its `name`, its own `time` and `calls` in
        a step. Times are seconds of one step. `memory`: bytes of `weights`, `gradients`, the `optimizer` and the
        `activations` that are saved for the backward pass.
    """
    memory = _measure_memory(state)
    seconds, steps = _measure_seconds(state)
    recorder = LayerRecorder(state.network)
    losses = state.task.losses

    def record_losses(*args: Any) -> dict[str, Tensor]:
        with record_function(LOSS):
            return losses(*args)

    task = state.task
    state.task = task.configure(losses=record_losses)
    device = state.device.type if state.device.type == "cuda" else None
    try:
        with hooked(state.network, after=recorder.leave, before=recorder.enter), profile(use_device=device) as result:
            state.update()  # the first step opens ranges for the first time, which takes longer
            for _ in range(steps):
                with record_function(STEP):
                    state.update()
    finally:
        state.task = task
    times = StepTimes(list(result.function_events or []), steps, device is not None)
    rows = []
    for name, module in recorder.modules.items():
        own = sum(weight.numel() for weight in module.parameters(recurse=False))
        if own or not list(module.children()) or name in times.forward or name in times.backward:
            rows.append(
                {
                    "layer": name or "the network",
                    "type": type(module).__name__,
                    "output_shape": memory.output_shapes.get(name, []),
                    "output_bytes": memory.output_bytes[name],
                    "saved_bytes": memory.saved_bytes[name],
                    "params": own,
                    "forward": times.forward[name],
                    "backward": times.backward[name],
                }
            )
    return {
        "steps": steps,
        "seconds": seconds,
        "layers": rows,
        "loss": {
            "saved_bytes": memory.saved_bytes[LOSS],
            "forward": times.forward[LOSS],
            "backward": times.backward[LOSS],
        },
        "optimizer": times.optimizer,
        "other": times.other,
        "forward": sum(times.forward.values()),
        "backward": sum(times.backward.values()),
        "total": times.total,
        "operators": times.operators(),
        "memory": {
            "weights": sum(weight.nbytes for weight in state.network.parameters()),
            "gradients": sum(weight.grad.nbytes for weight in state.network.parameters() if weight.grad is not None),
            "optimizer": sum(tensor.nbytes for tensor in _tensors(state.optimizer.state_dict()["state"])),
            "activations": sum(memory.saved_bytes.values()),
        },
    }


class StepTimes:
    """The events of the profiler, summed by layer. Times are seconds of one step.

    Args:
        events: The events of all steps.
        steps: The number of steps.
        is_on_device: Whether the times of kernels count, instead of those of the CPU.

    Attributes:
        forward: The time of the operators of each layer, and of the loss, in the forward pass.
        backward: The time of their gradients.
        optimizer: The time of the optimizer.
        other: The time of everything else: data, clipping, accumulating gradients, and on the CPU Python.
        total: The sum.
    """

    def __init__(self, events: list[FunctionEvent], steps: int, is_on_device: bool):
        self._steps, self._is_on_device = steps, is_on_device
        events = [event for event in events if event.device_type.name == "CPU"]  # kernels are part of operators
        ranges = [event.time_range for event in events if event.name == STEP]
        self._events = [event for event in events if any(r.start <= event.time_range.start <= r.end for r in ranges)]
        self.forward: defaultdict[str, float] = defaultdict(float)
        self.backward: defaultdict[str, float] = defaultdict(float)
        self.optimizer = self._sum(event for event in self._events if event.name.startswith(OPTIMIZER))
        owners = self._add_forward()
        backward = [event for event in self._events if event.name.startswith(BACKWARD)]
        for event in backward:
            if (owner := owners.get(event.sequence_nr)) is not None:
                self.backward[owner] += self._time(event) / steps
        parts = sum(self.forward.values()) + sum(self.backward.values()) + self.optimizer
        whole = self._sum(event for event in self._events if event.name == STEP)
        if is_on_device:  # a thread of its own starts the kernels of the backward pass
            whole += self._sum(backward)
        self.other = max(0.0, whole - parts)
        self.total = parts + self.other

    def _time(self, event: FunctionEvent) -> float:
        """Return the seconds of an event with everything inside it."""
        return float(event.device_time_total if self._is_on_device else event.cpu_time_total) / 1e6

    def _sum(self, events: Iterable[FunctionEvent]) -> float:
        return sum(map(self._time, events)) / self._steps

    def _add_forward(self) -> dict[int, str]:
        """Add up the forward pass, and return the owner of each sequence number.

        Operators that aren't differentiated have the number of the next one that is, so that the last one counts.
        """
        owners: dict[int, str] = {}
        for event in sorted(self._events, key=lambda event: event.time_range.start):
            owner = _owner(event)
            if owner is None:
                continue
            if event.cpu_parent is not None and _section(event.cpu_parent) == owner and _section(event) is None:
                self.forward[owner] += self._time(event) / self._steps
            if event.sequence_nr >= 0:
                owners[event.sequence_nr] = owner
        return owners

    def operators(self) -> list[dict[str, Any]]:
        """Return the operators with the largest time of their own, without the operators that they call."""
        totals: defaultdict[str, float] = defaultdict(float)
        calls: Counter[str] = Counter()
        for event in self._events:
            if event.name.startswith("aten::"):
                own = event.self_device_time_total if self._is_on_device else event.self_cpu_time_total
                totals[event.name] += float(own) / 1e6 / self._steps
                calls[event.name] += 1
        largest = sorted(totals, key=lambda name: -totals[name])[:MAX_OPERATORS]
        return [{"name": name, "time": totals[name], "calls": calls[name] / self._steps} for name in largest]


def _section(event: FunctionEvent) -> str | None:
    """Return the layer, or the loss, that an event is the range of; None if it is another event."""
    if event.name == LOSS:
        return LOSS
    return event.name.removeprefix(LAYER) if event.name.startswith(LAYER) else None


def _owner(event: FunctionEvent) -> str | None:
    """Return the layer, or the loss, in whose range an event is; None if it is in none."""
    parent = event.cpu_parent
    while parent is not None:
        if (section := _section(parent)) is not None:
            return section
        parent = parent.cpu_parent
    return None


def _measure_memory(state: SeedState) -> LayerRecorder:
    """Return the memory of one training step."""
    recorder = LayerRecorder(state.network)
    saving = torch.autograd.graph.saved_tensors_hooks(recorder.save, lambda tensor: tensor)
    with hooked(state.network, after=recorder.leave, before=recorder.enter), saving:
        state.update()
    return recorder


def _measure_seconds(state: SeedState) -> tuple[float, int]:
    """Return the seconds of a step without the profiler, and the number of steps that are measured with it."""
    steps = max(1, min(MAX_STEPS, int(MAX_SECONDS / max(_time_steps(state, 1), 1e-6))))
    return _time_steps(state, steps), steps


def _time_steps(state: SeedState, steps: int) -> float:
    """Return the mean seconds of some steps."""
    if state.device.type == "cuda":
        torch.cuda.synchronize(state.device)
    start = time.perf_counter()
    for _ in range(steps):
        state.update()
    if state.device.type == "cuda":
        torch.cuda.synchronize(state.device)
    return (time.perf_counter() - start) / steps


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
