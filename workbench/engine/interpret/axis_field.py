"""How far each layer sees: the theoretical receptive field, followed through every operation of a network.

Along an axis, place i of a map sees `size` pixels of the input from `first + i * step` on. A convolution or a pooling
of kernel k, stride s, padding p and dilation d makes of these

    size + (k - 1) * d * step        first - p * step        step * s

and where branches meet, the new field reaches from the first to the last pixel that any of them sees.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from models.tracing import hooked

# Operations that look at one place alone, whatever the channel.
POINTWISE = set(
    """add sub mul div neg pow square abs exp relu threshold hardtanh clamp gelu silu sigmoid tanh hardswish hardsigmoid
    elu leaky_relu softplus mish clone detach _to_copy alias dropout native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training cudnn_batch_norm""".split()
)
WITHIN_A_PLACE = (nn.Linear, nn.LocalResponseNorm)  # of a map they mix the channels alone


@dataclass(frozen=True)
class Reach:
    """What the places of a map see of the input along one axis; a `size` of None is all there is."""

    size: int | None = 1
    first: int = 0
    step: int = 1

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Reach":
        """The reach behind a window that is moved along."""
        if self.size is None:
            return self
        return Reach(
            self.size + (kernel - 1) * dilation * self.step, self.first - padding * self.step, self.step * stride
        )

    def cut(self, start: int, every: int) -> "Reach":
        """The reach where only every so-manieth place is left, from one on."""
        return self if self.size is None else Reach(self.size, self.first + start * self.step, self.step * every)

    def joined(self, other: "Reach") -> "Reach":
        """The reach where two branches meet."""
        if self.size is None or other.size is None or self.step != other.step:
            return EVERYTHING
        first = min(self.first, other.first)
        return Reach(max(self.first + self.size, other.first + other.size) - first, first, self.step)


EVERYTHING = Reach(None)


@dataclass(frozen=True)
class Field:
    """The reach along both axes of a map, and which of the tensor's axes they are."""

    y: Reach = Reach()
    x: Reach = Reach()
    axes: tuple[int, int] = (2, 3)


LOST = Field(EVERYTHING, EVERYTHING)  # an operation that isn't known to stay near may see everything


def fields(network: nn.Module, batch: Tensor) -> dict[str, Field]:
    """The theoretical receptive field of every layer, by its name.

    Args:
        network: It runs once.
        batch: (N, channels, height, width).
    """
    follow = Follow(batch)

    def note(name: str, module: nn.Module, given: Any, made: Any) -> None:
        if isinstance(made, Tensor):
            if isinstance(module, WITHIN_A_PLACE) and made.dim() == 4:
                follow.put(made, follow.of(given[0]))
            follow.layers.setdefault(name, follow.of(made))

    with hooked(network, after=note), torch.no_grad(), follow:
        network(batch)
    return follow.layers


class Follow(TorchDispatchMode):
    """Follows the fields from tensor to tensor.

    Attributes:
        layers: What was noted so far.
    """

    def __init__(self, batch: Tensor):
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: dict[str, Field] = {}
        self._fields = {id(batch): Field()}
        self._kept = [batch]  # an id is only a tensor's own while the tensor lives

    def of(self, tensor: Tensor) -> Field:
        """A tensor's field; the input's own numbers apart, what nothing is known of may see everything."""
        return self._fields.get(id(tensor), LOST)

    def put(self, tensor: Tensor, field: Field) -> None:
        """Note a tensor's field."""
        self._fields[id(tensor)] = field
        self._kept.append(tensor)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        given = [one for arg in args for one in (arg if isinstance(arg, (list, tuple)) else [arg])]
        known = [self._fields[id(one)] for one in given if isinstance(one, Tensor) and id(one) in self._fields]
        if known:
            name = func.overloadpacket.__name__
            field = behind(name if name.startswith("_") else name.rstrip("_"), args, known)
            for tensor in made if isinstance(made, (list, tuple)) else [made]:
                if isinstance(tensor, Tensor):
                    self.put(tensor, field)
        return made


def behind(operation: str, args: tuple[Any, ...], known: list[Field]) -> Field:
    """The field behind an operation of torch's core.

    Args:
        operation: Its name.
        args: What it was called with.
        known: The fields of the tensors among these.
    """
    field = known[0]
    if operation == "convolution" and field.axes == (2, 3) and not args[6]:
        return moved(field, args[1].shape[2:], args[3], args[4], args[5])
    if operation in ("max_pool2d_with_indices", "avg_pool2d") and field.axes == (2, 3):
        window = [*args[1:], *[[], 0, 1][len(args) - 2 :]]  # stride, padding and dilation where they were left out
        return moved(field, window[0], window[1] or window[0], window[2], window[3] if "max" in operation else 1)
    if operation == "constant_pad_nd" and field.axes == (2, 3):
        around = [*args[1], 0, 0]  # left, right, top, bottom
        return Field(field.y.cut(-around[2], 1), field.x.cut(-around[0], 1))
    if operation == "slice":
        axis, start, _, every = (list(args) + [0, None, None, 1][len(args) - 1 :])[1:]
        start = (start or 0) + (args[0].shape[axis] if (start or 0) < 0 else 0)
        axis %= args[0].dim()
        down = field.y.cut(start, every) if axis == field.axes[0] else field.y
        across = field.x.cut(start, every) if axis == field.axes[1] else field.x
        return Field(down, across, field.axes)
    if operation == "permute":
        order = [axis % len(args[1]) for axis in args[1]]
        return Field(field.y, field.x, (order.index(field.axes[0]), order.index(field.axes[1])))
    axes = set(field.axes)
    if operation == "cat":
        near = (args[1] if len(args) > 1 else 0) % args[0][0].dim() not in axes
    elif operation == "index":
        near = not any(index is not None and axis in axes for axis, index in enumerate(args[1]))
    elif operation == "native_layer_norm":
        near = not axes & set(range(args[0].dim() - len(args[1]), args[0].dim()))
    else:
        near = operation in POINTWISE
    return joined(known) if near else LOST


def joined(known: list[Field]) -> Field:
    """Where branches meet."""
    field, *others = known
    for other in others:
        if other.axes != field.axes:
            return LOST
        field = Field(field.y.joined(other.y), field.x.joined(other.x), field.axes)
    return field


def moved(field: Field, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Field:
    """The field behind a window; each of its numbers is one for both axes, or one for each."""
    window = (kernel, stride, padding, dilation)
    down, across = ([one if isinstance(one, int) else one[axis] for one in window] for axis in (0, -1))
    return Field(field.y.through(*down), field.x.through(*across))
