"""Dead units: those whose output, after a ReLU, is 0 for every sample of the validation set.

The gradient of a ReLU is 0 where its output is 0, so that the weights of a unit that is 0 for all training samples no
longer change. Every ReLU (and ReLU6) is found as it is computed, whether it is a module or a function call.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from models.tracing import hooked
from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError

RELU = ("aten::relu", "aten::relu_")
CLIPPED = ("aten::hardtanh", "aten::hardtanh_")  # a ReLU6 if its lower bound is 0
Place = tuple[str, int]  # a module, and which of its ReLUs, counted from 0


def compute(trained: TrainedNetwork, on_progress: Callable[[float], None] = lambda progress: None) -> dict[str, Any]:
    """Return the dead units of every ReLU.

    A unit is a channel of feature maps, with all its positions; otherwise a feature, the last dimension.

    Returns:
        `samples`, of the validation set; `layers`, in the order in which they are computed: for each its `layer` (the
        module that computes the ReLU, with a number from the second one on, such as `relu (2)`), the number of its
        `units`, the indices of those that are `dead`, and `zeros`, the share of all its outputs that is 0.

    Raises:
        UserError: If the network has no ReLU.
    """
    source = trained.sources["validation"]
    size = trained.task.evaluation_batch(trained.network)
    recorder = Recorder(trained.network)
    for start in range(0, len(source), size):
        end = min(start + size, len(source))
        recorder.start_batch()
        with hooked(trained.network, after=recorder.leave, before=recorder.enter), torch.no_grad(), recorder:
            trained.forward(source.batch(slice(start, end)))
        on_progress(end / len(source))
    if not recorder.is_active:
        kind = type(trained.network).__name__
        raise UserError(f"This {kind} has no ReLU, so it has no dead units: choose a run of a network that has.")
    layers = []
    for place, is_active in recorder.is_active.items():
        zeros, outputs = recorder.zeros[place], recorder.outputs[place]
        layers.append(
            {
                "layer": _format_place(place),
                "units": len(is_active),
                "dead": (~is_active).nonzero()[:, 0].tolist(),
                "zeros": zeros / outputs,
            }
        )
    return {"samples": len(source), "layers": layers}


def _format_place(place: Place) -> str:
    module, index = place
    name = module or "the network"
    return f"{name} ({index + 1})" if index else name


class Recorder(TorchDispatchMode):
    """Notes which units of each ReLU were ever active, as a network runs.

    Attributes:
        is_active: For each ReLU, which units had an output above 0 (units,).
        zeros: For each, the number of outputs that were 0.
        outputs: For each, the number of outputs.
    """

    def __init__(self, network: nn.Module):
        super().__init__()  # type: ignore[no-untyped-call]  # torch's modes have no annotations
        self.is_active: dict[Place, Tensor] = {}
        self.zeros: Counter[Place] = Counter()
        self.outputs: Counter[Place] = Counter()
        self._stack = [""]
        self._calls: Counter[str] = Counter()

    def start_batch(self) -> None:
        """Count the ReLUs of each module from 0 again."""
        self._stack = [""]
        self._calls.clear()

    def enter(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note that a module starts."""
        self._stack.append(name)

    def leave(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Note that a module ends."""
        self._stack.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        name = func.name().partition(".")[0]
        if name in RELU or (name in CLIPPED and len(args) > 1 and args[1] == 0):
            self._record(output)
        return output

    def _record(self, output: Tensor) -> None:
        module = self._stack[-1]
        place = module, self._calls[module]
        self._calls[module] += 1
        is_positive = output > 0
        dim = 1 if output.dim() == 4 else -1
        others = [k for k in range(output.dim()) if k != dim % output.dim()]
        active = is_positive.any(dim=others) if others else is_positive
        self.is_active[place] = active | self.is_active.get(place, torch.zeros_like(active))
        self.zeros[place] += int((~is_positive).sum())
        self.outputs[place] += output.numel()
